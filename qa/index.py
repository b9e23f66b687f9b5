"""The index of a folder: what is stored in it, and the searches over it. The only importer of faiss.

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
from typing import Any, cast

import faiss
import numpy as np
from numpy.typing import NDArray

from qa import derived
from qa.bm25 import BACKEND, BM25, Scored
from qa.database import DERIVED
from qa.edges import edges
from qa.snapshot import Cache, Snapshot
from qa.store import Contents, Put, Stamp, Store
from qa.types import Article, ArticleInfo, NotFoundError, Range

# Making both searches takes 0.12 ms a passage, nearly all of it BM25's, and loading them a twentieth of that (10,000
# passages: 1.1 against 0.04 s). Below this a start costs about a tenth of a second, and no files are needed.
PERSIST_FROM = 1000  # passages
_VECTORS = "vectors.faiss"
_WORDS = "bm25"


class Dense:
    """Exact cosine search over unit vectors, kept as float16.

    faiss' float16 quantiser rather than its flat index: half the memory, a third of the time (100,000 vectors of 384:
    3.3 against 14.7 ms), and each score depends on its vector alone, not on where it lies.
    """

    def __init__(self, index: faiss.Index) -> None:
        self._index = index

    @classmethod
    def build(cls, vectors: NDArray[np.float16]) -> Dense:
        """Index vectors (n, dim), n > 0; row i is vector i."""
        kind = faiss.ScalarQuantizer.QT_fp16
        index = faiss.IndexScalarQuantizer(vectors.shape[1], kind, faiss.METRIC_INNER_PRODUCT)
        index.add_sa_codes(np.ascontiguousarray(vectors).view(np.uint8))
        return cls(index)

    @classmethod
    def load(cls, path: Path) -> Dense:
        """Open what ``save`` wrote.

        :raises OSError: if it cannot be read.
        """
        try:
            return cls(faiss.read_index(str(path)))
        except RuntimeError as error:
            raise OSError(f"cannot read {path}: {error}") from error

    def save(self, path: Path) -> None:
        """Write to a file.

        :raises OSError: if it cannot be written.
        """
        try:
            faiss.write_index(self._index, str(path))
        except RuntimeError as error:
            raise OSError(f"cannot write {path}: {error}") from error

    def __len__(self) -> int:
        return int(self._index.ntotal)

    def search(self, vector: NDArray[np.float32], k: int, allowed: Sequence[Range] | None = None) -> Scored:
        """The ``k`` nearest rows, or all where there are fewer; ties in row order.

        :param vector: (dim,) unit vector.
        :param allowed: disjoint half-open ranges of rows to search in; None for all.
        :return: rows (m,) int64 and cosines (m,) float32, best first.
        :raises ValueError: if the vector has another dimension, or holds what is not finite.
        """
        query = self._query(vector)[None]
        inside = np.ones(len(self), bool) if allowed is None else np.zeros(len(self), bool)
        for start, end in allowed or ():
            inside[start:end] = True
        k = min(k, int(inside.sum()))
        if k <= 0:
            return np.empty(0, np.int64), np.empty(0, np.float32)
        bits = np.packbits(inside, bitorder="little")  # not copied by the selector: keep it alive
        parameters = None if allowed is None else _only(bits)
        # The setting belongs to the calling thread. One query is one thread's work, and a pool of idle OpenMP threads
        # would take the cores from the reader.
        faiss.omp_set_num_threads(1)
        scores, rows = (
            found[0] for found in self._index.search(query, min(k + 1, len(self)), params=parameters)
        )
        if len(rows) > k and rows[k] >= 0 and scores[k] == scores[k - 1]:
            # faiss keeps any of equal rows at the cut; take them all, and cut in row order.
            below = float(np.nextafter(scores[k - 1], np.float32(-np.inf)))
            _, scores, rows = self._index.range_search(query, below, params=parameters)
        else:
            scores, rows = scores[:k], rows[:k]
        order = np.lexsort((rows, -scores))[:k]
        return rows[order], scores[order]

    def cosines(
        self, vector: NDArray[np.float32], rows: Sequence[int] | NDArray[np.int64]
    ) -> NDArray[np.float32]:
        """Cosines of given rows, the very numbers ``search`` gives: (len(rows),) float32, in the order given.

        :raises ValueError: as ``search``.
        """
        query = self._query(vector)
        computer: Any = self._index.get_distance_computer()
        computer.set_query(faiss.swig_ptr(query))
        return np.fromiter((computer(int(row)) for row in rows), np.float32, len(rows))

    def _query(self, vector: NDArray[np.float32]) -> NDArray[np.float32]:
        if vector.shape != (self._index.d,):
            raise ValueError(
                f"a question's vector has shape {vector.shape}, the index wants ({self._index.d},)"
            )
        if not np.isfinite(vector).all():
            raise ValueError("a question's vector holds what is not finite")
        return np.ascontiguousarray(vector, np.float32)


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
        cls,
        folder: str | Path,
        *,
        encoder_identity: str,
        passage_settings: str,
        create: bool = False,
        rebuild: bool = False,
        wait: float = 10.0,
    ) -> Index:
        """Open the index in a folder; whatever is derived and missing or damaged is made again.

        The parameters and errors are those of ``store.Store``.
        """
        store = Store(
            folder,
            encoder=encoder_identity,
            passage_settings=passage_settings,
            create=create,
            rebuild=rebuild,
            wait=wait,
        )
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


def _only(bits: NDArray[np.uint8]) -> faiss.SearchParameters:
    """Search only the rows whose bit is set."""
    selector: Any = faiss.IDSelectorBitmap  # its stub asks for what the wrapper itself adds
    parameters: Any = faiss.SearchParameters
    return cast(faiss.SearchParameters, parameters(sel=selector(bits)))


def _identity(stamp: Stamp) -> dict[str, str | int]:
    """What derived files must have been made from and with."""
    return {
        "generation": stamp.generation,
        "commit": stamp.token,
        "vectors": f"faiss {faiss.__version__} fp16",
        "words": BACKEND,
    }
