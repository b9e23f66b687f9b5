"""Many questions at full machine speed: asked side by side, answered in the order they came.

One question cannot keep all cores busy: between the network's runs there are searches and decoding. So several are
under way at a time, and the networks give each a core of its own (``reader.py``).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from queue import Queue
from typing import Any, TypeVar

from qa.graph import available_cpus
from qa.types import Answer, QAError

AHEAD = 4  # questions taken in advance for each that is under way

Item = TypeVar("Item")
Result = TypeVar("Result")


def side_by_side(
    call: Callable[[Item], Result], items: Iterable[Item], workers: int | None = None
) -> Iterator[Result]:
    """``map``, several at a time: results in the items' order, each as soon as those before it are there.

    Items are taken as they come: one that waits for its answer before it sends the next is answered at once.

    :param workers: how many at a time; by default two more than there are cores.
    :raises Exception: what a call raised, or taking an item, in its place; nothing after it is called.
    """
    workers = workers or available_cpus() + 2
    waiting: Queue[Future[Result] | None] = Queue(AHEAD * workers)
    stopped = threading.Event()
    pool = ThreadPoolExecutor(workers, thread_name_prefix="batch")

    def feed() -> None:
        try:
            for item in items:
                if stopped.is_set():
                    break
                waiting.put(pool.submit(call, item))
        except Exception as error:
            broken: Future[Result] = Future()
            broken.set_exception(error)
            waiting.put(broken)
        finally:
            waiting.put(None)

    feeder = threading.Thread(
        target=feed, name="batch-feeder", daemon=True
    )  # may be waiting for a pipe for ever
    feeder.start()
    try:
        while (future := waiting.get()) is not None:
            yield future.result()
    finally:
        stopped.set()
        pool.shutdown(wait=False, cancel_futures=True)
        while feeder.is_alive() and not waiting.empty():  # let a feeder that waits for room go
            waiting.get()


def ask_many(
    ask: Callable[..., Answer], questions: Iterable[str | Mapping[str, Any]], workers: int | None = None
) -> Iterator[Answer | QAError]:
    """The answer to each question, in order; for one that cannot be asked, the error that says why.

    :param ask: ``Pipeline.ask``.
    :param questions: texts, or mappings of ``ask``'s arguments.
    """

    def answer(question: str | Mapping[str, Any]) -> Answer | QAError:
        try:
            return ask(**question) if isinstance(question, Mapping) else ask(question)
        except QAError as error:
            return error

    return side_by_side(answer, questions, workers)
