"""Very large indexes: a *base*, sealed in files, and what changed since, in memory.

From ``SEAL_FROM`` passages on, making FAISS and BM25 anew after each commit would take too long and too much memory.
Then all that is searched is written into ``<index>/derived/base-.../`` once: quantised vectors and float16 ones
(``sealed_dense.py``), BM25, and tables of articles and passages (``base.py``). Later commits are read from the log of
changed articles (``log.py``) and laid over it (``layers.py``, ``layered_bm25.py``). When they have become many, a new
base is sealed, beside the old one.
"""

from __future__ import annotations

import secrets
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from qa import derived, sealed_dense
from qa.base import Base, BaseWriter
from qa.bm25 import BACKEND as BM25_BACKEND
from qa.bm25 import BM25
from qa.database import DERIVED
from qa.reading import Walk
from qa.sealed_dense import SealedDense
from qa.store import Store
from qa.types import QAError

# Measured: benchmarks/scale.md.
SEAL_FROM = 5_000  # passages
DELTA_MOST = 4096  # passages that changed; beyond it a new base is sealed, in the background
DELTA_FAR = 8 * DELTA_MOST  # beyond it a new base is sealed before anything else

_PREFIX = "base-"
_WORDS = "bm25"
_LOCK = "sealing.lock"
_UNREAD = (sealed_dense.VECTORS,)  # 768 MB at a million; damage would only move passages in the ranking


class _StoppedError(OSError):
    """Sealing was told to stop."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """A base, open."""

    name: str
    tables: Base
    dense: SealedDense
    bm25: BM25


def _identity(name: str) -> dict[str, str]:
    return {"base": name, "vectors": sealed_dense.BACKEND, "words": BM25_BACKEND, "tables": "1"}


class Sealer:
    """Makes and opens the bases of an index; one at a time, also among processes. Thread-safe."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._root = store.folder / DERIVED
        self._stop = threading.Event()
        self._stopped = False  # whether the last making was; one is made at a time
        self._lock = threading.Lock()  # guards the thread
        self._thread: threading.Thread | None = None

    def open(self, name: str) -> Sealed | None:
        """The base of that name; None if it is missing or damaged."""
        folder = derived.find(self._root, name, _identity(name), _UNREAD)
        if folder is None:
            return None
        try:
            sealed = Sealed(name, Base(folder), SealedDense(folder), BM25.load(folder / _WORDS))
        except OSError:
            return None
        fits = len(sealed.tables) == len(sealed.dense) == len(sealed.bm25)
        return sealed if fits else None

    def tidy(self) -> None:
        """Delete bases that a process left that was killed."""
        name = self._store.sealed()
        if any(path.name != name for path in self._root.glob(f"{_PREFIX}*")):
            with self._alone(wait=False) as alone:
                if alone:
                    derived.clear_named(self._root, _PREFIX, keep=self._store.sealed())

    def seal(self, *, wait: bool = True) -> bool:
        """Make a base of the newest commit, unless another thread or process is at it.

        :param wait: then wait for that.
        :return: False if it cannot be written; else look whether there is one now.
        """
        with self._alone(wait) as alone:
            return alone is False or (alone is True and self._seal())

    def _seal(self) -> bool:
        name = f"{_PREFIX}{secrets.token_hex(8)}"
        self._stopped = False
        walked: list[Walk] = []
        folder = derived.publish(
            self._root, name, _identity(name), lambda folder: walked.append(self._fill(folder)), _UNREAD
        )
        if folder is None:
            return self._stopped
        if self._store.seal(name, walked[0]):
            derived.clear_named(self._root, _PREFIX, keep=name)
        else:
            shutil.rmtree(folder, ignore_errors=True)  # something was deleted for good meanwhile
        return True

    def _fill(self, folder: Path) -> Walk:
        """Write all files of a base; the walk it was made of."""
        (folder / _WORDS).mkdir()
        with (
            self._store.walk() as walk,  # not for longer than is needed: it delays what wipes the file
            BaseWriter(folder) as tables,
            (folder / sealed_dense.VECTORS).open("wb") as vectors,
        ):
            BM25.build(self._passages(walk, tables, vectors.write), folder / _WORDS)
            sealed_dense.sync(vectors)
            tables.finish(walk)
        SealedDense.build(folder, walk.dimension, self._check)
        return walk

    def _passages(
        self, walk: Walk, tables: BaseWriter, write: Callable[[bytes], object]
    ) -> Iterator[tuple[int, str]]:
        row = 0
        for record in walk.records:
            self._check()
            tables.add(record)
            write(b"".join([vector for _, _, vector in record.passages]))
            for start, end, _ in record.passages:
                yield row, record.text[start:end]
                row += 1

    def _check(self) -> None:
        if self._stop.is_set():
            self._stopped = True
            raise _StoppedError

    @contextmanager
    def _alone(self, wait: bool) -> Iterator[bool | None]:
        """Whether this process, and in it this thread, may make a base; None if nobody can."""
        import fcntl  # not on every system, and small indexes do without

        try:
            file = (self._store.folder / _LOCK).open("wb")
        except OSError:  # the folder cannot be written
            yield None
            return
        with file:
            free = True
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                free = False
                if wait:
                    fcntl.flock(file, fcntl.LOCK_EX)
            yield free

    # ---- in the background

    @property
    def busy(self) -> bool:
        """Whether a base is being made in the background."""
        return self._thread is not None and self._thread.is_alive()

    def in_background(self, then: Callable[[], object]) -> None:
        """Make a base in a thread of its own, unless there is one; afterwards call ``then``."""

        def run() -> None:
            try:
                if self.seal(wait=False):
                    then()
            except QAError:  # closed in the meantime, or another process writes: the next commit tries again
                return

        with self._lock:
            if not self.busy and not self._stop.is_set():
                self._thread = threading.Thread(target=run, name="sealing", daemon=True)
                self._thread.start()

    def settle(self) -> None:
        """Wait until what is made in the background is made."""
        if self._thread is not None:
            self._thread.join()

    def interrupt(self) -> None:
        """Stop what is being made; it may begin again afterwards."""
        self._stop.set()
        try:
            self.settle()
        finally:
            self._stop.clear()

    def close(self) -> None:
        """Stop for good; training cannot be interrupted, so it may take a few seconds longer than this."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=5)
