"""Many callers, one reader: who asks waits in one line, and beyond a full line is told so at once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from qa.graph import available_cpus
from qa.types import QAError

P = ParamSpec("P")
T = TypeVar("T")

READERS = max(2, min(16, available_cpus() + 2))  # under way at a time; the others wait their turn
WAITING = 128


class BusyError(QAError):
    """As many are waiting as may wait."""


class Line:
    """Threads that stay, since a reader keeps its buffers by thread, and a bounded line before them.

    :param waiting: how many may wait beyond those under way.
    """

    def __init__(self, readers: int = READERS, waiting: int = WAITING) -> None:
        self._pool = ThreadPoolExecutor(readers, thread_name_prefix="reader")
        self._most = readers + waiting
        self._inside = 0
        self._lock = threading.Lock()

    @property
    def inside(self) -> int:
        """How many are under way or waiting."""
        return self._inside

    def submit(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Call when it is its turn.

        :raises BusyError: if the line is full.
        """
        with self._lock:
            if self._inside >= self._most:
                raise BusyError("busy: too many questions are waiting; ask again in a few seconds")
            self._inside += 1
        try:
            future = self._pool.submit(call, *args, **kwargs)
        except BaseException:
            self._leave(None)
            raise
        future.add_done_callback(self._leave)
        return future

    def _leave(self, _: object) -> None:
        with self._lock:
            self._inside -= 1

    def close(self, *, wait: bool = False) -> None:
        """Take no more; what waits is dropped, what is under way ends by itself.

        :param wait: until it has ended.
        """
        self._pool.shutdown(wait=wait, cancel_futures=True)
