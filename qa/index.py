"""The index of a folder: what is stored in it, and the searches over it.

SQLite is the truth (``store.py``). From it a ``Snapshot`` is made (``snapshot.py``): immutable, of one commit, with
the vectors in FAISS and the words in BM25; exact (``exact.py``), or nearly so for very large indexes
(``layered.py``). Readers hold a snapshot and wait for nobody; after a commit it is swapped, whole.

    with Index.open("index", encoder_identity=..., passage_settings=...) as index:
        rows, cosines = index.snapshot.dense(vector, 50)
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from qa import sealing
from qa.edges import edges
from qa.exact import Exact
from qa.layered import Layered
from qa.sealing import Sealer
from qa.snapshot import Cache, Snapshot
from qa.store import Put, Store
from qa.types import Article, ArticleInfo, OldVersion, Range

_MOST_SEALINGS = 3  # in a row, before an index is opened as it is


class Index:
    """A folder's index: one writer, any number of readers, in this process and in others. Thread-safe.

    Opened with ``Index.open``; closed with ``close`` or as a context manager.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._cache = Cache(store)
        self._sealer = Sealer(store)
        self._exact = Exact(store, self._cache)
        self._layered = Layered(store, self._cache, self._sealer)
        self._refreshing = threading.Lock()
        self._depth = 0  # of nested writes; guarded by the store's write lock, like _forgot
        self._forgot = False
        self._snapshot = self._newest(patient=True)
        self._sealer.tidy()

    @classmethod
    def open(
        cls, folder: str | Path, *, encoder_identity: str, passage_settings: str,
        create: bool = False, rebuild: bool = False, wait: float = 10.0,
    ) -> Index:  # fmt: skip
        """Open the index in a folder; whatever is derived and missing or damaged is made again.

        The parameters and errors are those of ``store.Store``.
        """
        store = Store(
            folder, encoder=encoder_identity, passage_settings=passage_settings,
            create=create, rebuild=rebuild, wait=wait,
        )  # fmt: skip
        try:
            return cls(store)
        except BaseException:
            store.close()
            raise

    # ---- reading

    @property
    def snapshot(self) -> Snapshot:
        """The newest snapshot; hold on to it for a whole question."""
        return self._snapshot

    def refresh(self, *, wait: bool = True) -> bool:
        """Make a new snapshot if anything was committed, here or by another process.

        :param wait: if another thread is at it, wait for it; otherwise go on with the old snapshot.
        :return: whether there is a newer snapshot than before the call.
        """
        before = self._snapshot
        if not self._refreshing.acquire(blocking=wait):
            return False
        try:
            if self._store.stamp() != self._snapshot.stamp:
                self._snapshot = self._newest(patient=wait)
                if self._layered.due:
                    self._sealer.in_background(self._swap)
            return self._snapshot is not before
        finally:
            self._refreshing.release()

    def has(self, article: str, version: str) -> bool:
        """Whether this very version is live and embedded: ``put`` it without passages and vectors then."""
        return self._store.has(article, version)

    def stale(self) -> list[str]:
        """Articles that opening with ``rebuild`` left without passages: ``put`` them again."""
        return self._store.stale()

    def articles(self) -> list[ArticleInfo]:
        """The live articles, sorted by id."""
        return self._store.articles()

    def old_versions(self, age: timedelta) -> list[OldVersion]:
        """The versions that ceased to be live at least ``age`` ago, sorted by article and time; with 0 all."""
        return self._store.old_versions(age)

    def paths(self) -> dict[str, str]:
        """Where the live articles' files lie, by article; without those that came from no file."""
        return self._store.paths()

    def article(self, article: str) -> Article:
        """The live article, as it was put.

        :raises NotFoundError: if there is none.
        """
        return self._store.article(article)

    def text(self, article: str, version: str | None = None) -> str:
        """The stored text of an article's live version, or of the version whose sha256 begins so.

        :raises NotFoundError: if there is none.
        """
        return self._cache.text(self._store.version(article, version))

    # ---- writing

    @contextmanager
    def write(self, *, refresh: bool = True) -> Iterator[None]:
        """Group changes into one commit: all or nothing. Nested uses join the outermost.

        Embed before entering: other writers wait meanwhile.

        :param refresh: make the new snapshot afterwards; a long build does so only after its last group.
        :raises IndexBusyError: if another thread or process is writing for longer than ``wait`` seconds.
        """
        outermost = forgot = False
        try:
            with self._store.write():
                outermost = self._depth == 0
                self._depth += 1
                try:
                    yield
                finally:
                    self._depth -= 1
                    if outermost:
                        forgot, self._forgot = self._forgot, False
        finally:
            if forgot:  # also where the wiping failed: the article is gone all the same
                self._cache.clear()
                self.refresh()
        if outermost and refresh and not forgot:
            self.refresh()

    def put(
        self, article: Article, passages: Sequence[Range] = (), vectors: NDArray[np.floating] | None = None
    ) -> Put:
        """Add an article, or make this its live version. Where ``has`` says so, the rest may be left out.

        :param passages: half-open ranges of the text, no two alike.
        :param vectors: one unit vector a passage, (n, dim).
        :return: "unchanged" if the very same article is live already; "updated" also if only its metadata differ.
        :raises ValueError: if ranges or vectors do not fit the text, each other or the index.
        :raises ArticleError: if the text holds what is no Unicode character.
        :raises IndexBusyError: as ``write``.
        """
        with self.write():
            return self._store.put(article, passages, vectors, edges(article.text, article.masks))

    def remove(self, article: str, *, forget: bool = False) -> None:
        """Take an article out of the search. Its texts stay for ``text``, unless it is to be forgotten.

        :param forget: delete its versions and texts, and wipe their bytes from the disk.
        :raises NotFoundError: if there is no such article.
        :raises IndexBusyError: as ``write``; or if other processes' reading delays the wiping, which is then made up
            for at the next start.
        """
        if forget:
            self._sealer.interrupt()  # it reads, and that would delay the wiping
        with self.write():
            self._store.remove(article, forget=forget)
            self._forgot |= forget

    def delete_old(self, age: timedelta) -> list[OldVersion]:
        """Delete the versions that ``old_versions`` names, and wipe their bytes from the disk; they are returned.

        :raises IndexBusyError: as ``remove``.
        """
        self._sealer.interrupt()
        with self.write():
            found = self._store.delete_old(age)
            self._forgot |= bool(found)
        return found

    def close(self) -> None:
        """Close the file. Snapshots can be searched no more."""
        self._sealer.close()
        self._store.close()

    def __enter__(self) -> Index:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # ---- what is derived

    def settle(self) -> None:
        """Wait until what is being made in the background is made: the end of a build, not of a question."""
        self._sealer.settle()

    def _newest(self, *, patient: bool) -> Snapshot:
        """A snapshot of the newest commit.

        :param patient: take the minutes that a new base may need; otherwise keep the old snapshot meanwhile.
        """
        for _ in range(_MOST_SEALINGS):
            name = self._store.sealed()
            if name is None and self._store.passages() < sealing.SEAL_FROM:
                return self._exact.newest()
            found = self._layered.newest(sealing.DELTA_FAR)
            if found is not None and (len(found) >= sealing.SEAL_FROM // 2):
                return found
            if found is not None or self._store.passages() < sealing.SEAL_FROM:
                return self._exact.newest()  # it shrank
            if not patient:
                self._sealer.in_background(self._swap)
                return self._snapshot
            if not self._sealer.seal() and self._store.sealed() == name:
                break
        # No base can be written, or others change the index all the time. That is no reason not to answer, as long
        # as there is memory.
        return self._layered.newest(sys.maxsize) or self._exact.newest()

    def _swap(self) -> None:
        """Take the base that was made in the background."""
        with self._refreshing:
            self._snapshot = self._newest(patient=False)
