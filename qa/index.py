"""The index of a folder: what is stored in it, and the searches over it.

SQLite is the truth (``store.py``). From it a ``Snapshot`` is made (``snapshot.py``): immutable, of one commit, with
the vectors in FAISS and the words in BM25. Readers hold a snapshot and wait for nobody; after a commit it is
swapped, whole.

    with Index.open("index", encoder_identity=..., passage_settings=...) as index:
        rows, cosines = index.snapshot.dense(vector, 50)
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from qa import derived
from qa.bm25 import BACKEND as BM25_BACKEND
from qa.bm25 import BM25
from qa.database import DERIVED
from qa.dense import BACKEND as DENSE_BACKEND
from qa.dense import Dense
from qa.edges import edges
from qa.rows import Contents, Stamp
from qa.snapshot import Cache, Snapshot
from qa.store import Put, Store
from qa.types import Article, ArticleInfo, NotFoundError, Range

# Making both searches takes 0.12 ms a passage, nearly all of it BM25's, and loading them a twentieth of that (10,000
# passages: 1.1 against 0.04 s). Below this a start costs about a tenth of a second, and no files are needed.
PERSIST_FROM = 1000  # passages
_VECTORS = "vectors.faiss"
_WORDS = "bm25"


class Index:
    """A folder's index: one writer, any number of readers, in this process and in others. Thread-safe.

    Opened with ``Index.open``; closed with ``close`` or as a context manager.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._derived = store.folder / DERIVED
        self._cache = Cache(store)
        self._refreshing = threading.Lock()
        self._depth = 0  # of nested writes; guarded by the store's write lock, like _forgot
        self._forgot = False
        self._snapshot = self._make_snapshot()

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
                self._snapshot = self._make_snapshot()
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
        with self.write():
            self._store.remove(article, forget=forget)
            self._forgot |= forget

    def close(self) -> None:
        """Close the file. Snapshots can be searched no more."""
        self._store.close()

    def __enter__(self) -> Index:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # ---- what is derived

    def _make_snapshot(self) -> Snapshot:
        while True:  # each further round needs another commit in between
            stamp = self._store.stamp()
            folder = derived.find(self._derived, stamp.generation, _identity(stamp))
            contents = self._store.read(vectors=folder is None)
            if folder is not None:
                if contents.stamp != stamp:
                    continue
                derived.clear(self._derived, keep=stamp.generation)  # left by a writer that was killed
                try:
                    return self._loaded(folder, contents)
                except OSError:
                    contents = self._store.read()
            try:
                return self._built(contents)
            except NotFoundError:
                if self._store.stamp() == contents.stamp:
                    raise
                # else a text was removed for good while it was being read

    def _loaded(self, folder: Path, contents: Contents) -> Snapshot:
        dense, bm25 = Dense.load(folder / _VECTORS), BM25.load(folder / _WORDS)
        if not len(dense) == len(bm25) == len(contents.owner):
            raise OSError(
                f"{folder} holds {len(dense)} vectors and {len(bm25)} texts, not {len(contents.owner)}"
            )
        return Snapshot(contents, dense, bm25, self._cache)

    def _built(self, contents: Contents) -> Snapshot:
        generation, identity = contents.stamp.generation, _identity(contents.stamp)
        if len(contents.owner) >= PERSIST_FROM:
            folder = derived.publish(
                self._derived, generation, identity, lambda unfinished: self._fill(unfinished, contents)
            )
            if folder is not None:
                try:
                    return self._loaded(folder, contents)
                except OSError:
                    pass  # deleted in this very moment: a newer commit was published
        else:
            derived.clear(self._derived, keep=generation)
        dense = (
            Dense.build(contents.vectors) if contents.vectors is not None and len(contents.vectors) else None
        )
        return Snapshot(contents, dense, BM25.build(self._texts(contents)), self._cache)

    def _fill(self, folder: Path, contents: Contents) -> None:
        assert contents.vectors is not None
        Dense.build(contents.vectors).save(folder / _VECTORS)
        (folder / _WORDS).mkdir()
        BM25.build(self._texts(contents), folder / _WORDS)

    def _texts(self, contents: Contents) -> Iterator[tuple[int, str]]:
        """(row, text of the passage), in order; each article's text is read once."""
        last, text = -1, ""
        places = zip(contents.owner.tolist(), contents.starts.tolist(), contents.ends.tolist(), strict=True)
        for row, (owner, start, end) in enumerate(places):
            if owner != last:
                last, text = owner, self._store.text_of(contents.articles[owner].info.version)
            yield row, text[start:end]


def _identity(stamp: Stamp) -> dict[str, str | int]:
    """What derived files must have been made from and with."""
    return {
        "generation": stamp.generation,
        "commit": stamp.token,
        "vectors": DENSE_BACKEND,
        "words": BM25_BACKEND,
    }
