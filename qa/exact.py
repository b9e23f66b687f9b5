"""Snapshots that hold all in memory and search it exactly: for all but very large indexes.

Both searches are made anew after each commit. What takes long to make is kept in ``derived/<generation>/``.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

from qa import derived
from qa.bm25 import BACKEND as BM25_BACKEND
from qa.bm25 import BM25
from qa.catalogue import Table
from qa.database import DERIVED
from qa.dense import BACKEND as DENSE_BACKEND
from qa.dense import Dense
from qa.rows import Contents, Stamp
from qa.snapshot import Cache, Snapshot
from qa.store import Store
from qa.types import NotFoundError

# Making both searches takes 0.12 ms a passage, nearly all of it BM25's, and loading them a twentieth of that (10,000
# passages: 1.1 against 0.04 s). Below this a start costs about a tenth of a second, and no files are needed.
PERSIST_FROM = 1000  # passages
_VECTORS = "vectors.faiss"
_WORDS = "bm25"


class Exact:
    """Makes exact snapshots of the newest commit of a store."""

    def __init__(self, store: Store, cache: Cache) -> None:
        self._store = store
        self._cache = cache
        self._root = store.folder / DERIVED

    def newest(self) -> Snapshot:
        """A snapshot of the newest commit; whatever is derived and missing or damaged is made again."""
        while True:  # each further round needs another commit in between
            stamp = self._store.stamp()
            folder = derived.find(self._root, stamp.generation, _identity(stamp))
            contents = self._store.read(vectors=folder is None)
            if folder is not None:
                if contents.stamp != stamp:
                    continue
                derived.clear(self._root, keep=stamp.generation)  # left by a writer that was killed
                try:
                    return self._loaded(folder, contents)
                except OSError:
                    shutil.rmtree(
                        folder, ignore_errors=True
                    )  # or it would be found again, and never replaced
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
        return Snapshot(Table(contents), dense, bm25, self._cache)

    def _built(self, contents: Contents) -> Snapshot:
        generation, identity = contents.stamp.generation, _identity(contents.stamp)
        if len(contents.owner) >= PERSIST_FROM:
            folder = derived.publish(
                self._root, generation, identity, lambda unfinished: self._fill(unfinished, contents)
            )
            # A newer commit may have deleted a text for good, and it must not come back with these files.
            derived.clear(self._root, keep=self._store.generation())
            if folder is not None:
                try:
                    return self._loaded(folder, contents)
                except OSError:
                    pass  # deleted, just now or by another process
        else:
            derived.clear(self._root, keep=generation)
        dense = (
            Dense.build(contents.vectors) if contents.vectors is not None and len(contents.vectors) else None
        )
        words = BM25.build(passage_texts(self._store, contents))
        return Snapshot(Table(contents), dense, words, self._cache)

    def _fill(self, folder: Path, contents: Contents) -> None:
        assert contents.vectors is not None
        Dense.build(contents.vectors).save(folder / _VECTORS)
        (folder / _WORDS).mkdir()
        BM25.build(passage_texts(self._store, contents), folder / _WORDS)


def passage_texts(store: Store, contents: Contents) -> Iterator[tuple[int, str]]:
    """(row, text of the passage), in order; each article's text is read once.

    :raises NotFoundError: if one was removed for good in the meantime.
    """
    last, text = -1, ""
    places = zip(contents.owner.tolist(), contents.starts.tolist(), contents.ends.tolist(), strict=True)
    for row, (owner, start, end) in enumerate(places):
        if owner != last:
            last, text = owner, store.text_of(contents.articles[owner].info.version)
        yield row, text[start:end]


def _identity(stamp: Stamp) -> dict[str, str | int]:
    """What derived files must have been made from and with."""
    return {
        "generation": stamp.generation,
        "commit": stamp.token,
        "vectors": DENSE_BACKEND,
        "words": BM25_BACKEND,
    }
