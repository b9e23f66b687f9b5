"""All searches over one commit of an index, immutable: what a question holds on to from beginning to end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import pairwise
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from qa.bm25 import BM25, QuestionWords, Scored
from qa.edges import Body, EdgeTable, body
from qa.rows import Contents, StoredArticle
from qa.store import Store
from qa.types import ArticleInfo, NotFoundError, Passage, Range, merge_ranges


class VectorSearch(Protocol):
    """What a snapshot needs of a vector index; ``dense.Dense`` is one."""

    def search(self, vector: NDArray[np.float32], k: int, allowed: Sequence[Range] | None = None) -> Scored:
        """Rows and cosines of the ``k`` nearest vectors, best first, ties in row order."""

    def cosines(
        self, vector: NDArray[np.float32], rows: Sequence[int] | NDArray[np.int64]
    ) -> NDArray[np.float32]:
        """Cosines of given rows, the very numbers ``search`` gives."""


class Cache:
    """Texts, and what is computed from a text alone, by version: good for every snapshot of a store."""

    def __init__(self, store: Store) -> None:
        self.text = lru_cache(maxsize=256)(store.text_of)
        self.body = lru_cache(maxsize=1024)(lambda version, masks: body(store.text_of(version), masks))

    def clear(self) -> None:
        """Forget it all."""
        self.text.cache_clear()
        self.body.cache_clear()


class Snapshot:
    """All searches over one commit. Immutable; safe to use from many threads, also while others write.

    Rows number the passages in (article, start) order, the same for the same articles whatever their history.
    ``allowed`` is a sequence of article ids everywhere; unknown ones match nothing.
    """

    def __init__(self, contents: Contents, dense: VectorSearch | None, bm25: BM25, cache: Cache) -> None:
        self.stamp = contents.stamp
        self._contents = replace(contents, vectors=None, edges=())  # they are in the searches now
        self._dense = dense
        self._bm25 = bm25
        self._cache = cache
        self._articles = {stored.info.article: stored for stored in contents.articles}
        bounds = np.searchsorted(contents.owner, np.arange(len(contents.articles) + 1)).tolist()
        self._rows = dict(zip(self._articles, pairwise(bounds), strict=True))
        self._edges = EdgeTable(contents.edges, len(self._articles), self._body_of)
        self._masks: dict[str, tuple[Range, ...]] = {}

    @property
    def generation(self) -> int:
        """Number of the commit this was made from."""
        return self.stamp.generation

    @property
    def articles(self) -> list[ArticleInfo]:
        """The live articles, sorted by id."""
        return [stored.info for stored in self._contents.articles]

    def __len__(self) -> int:
        """How many passages there are."""
        return len(self._contents.owner)

    def article(self, article: str) -> StoredArticle:
        """What is known about a live article.

        :raises NotFoundError: if there is none.
        """
        try:
            return self._articles[article]
        except KeyError:
            raise NotFoundError(f"no article {article[:80]!r} in the index") from None

    def text(self, article: str) -> str:
        """The article's whole stored text.

        :raises NotFoundError: if there is none, or it was removed for good in the meantime.
        """
        return self._cache.text(self.article(article).info.version)

    def passage(self, row: int) -> Passage:
        """The passage of a row.

        :raises NotFoundError: if its article was removed for good in the meantime.
        """
        start, end = int(self._contents.starts[row]), int(self._contents.ends[row])
        info = self._contents.articles[self._contents.owner[row]].info
        return Passage(info.article, info.version, start, end, self._cache.text(info.version)[start:end])

    def masks(self, article: str) -> tuple[Range, ...]:
        """Ranges no answer may touch, sorted and disjoint: the article's own, and what others show (``edges.py``).

        :raises NotFoundError: as ``text``.
        """
        if article not in self._masks:
            own = self.article(article).masks
            self._masks[article] = merge_ranges((*own, *self._edges.masks(article, self.text(article), own)))
        return self._masks[article]

    def dense(self, vector: NDArray[np.float32], k: int, allowed: Sequence[str] | None = None) -> Scored:
        """The ``k`` rows of nearest meaning, or all where there are fewer; ties in row order.

        :param vector: (dim,) unit vector of the question.
        :return: rows (m,) int64 and raw cosines (m,) float32, best first.
        :raises ValueError: if the vector has another dimension than the index, or holds what is not finite.
        """
        if self._dense is None:
            return np.empty(0, np.int64), np.empty(0, np.float32)
        return self._dense.search(vector, k, self._ranges(allowed))

    def cosines(
        self, vector: NDArray[np.float32], rows: Sequence[int] | NDArray[np.int64]
    ) -> NDArray[np.float32]:
        """Raw cosines of given rows, the very numbers ``dense`` gives: (len(rows),), in the order given."""
        if self._dense is None or not len(rows):
            return np.empty(0, np.float32)
        return self._dense.cosines(vector, rows)

    def bm25(self, query: str, k: int, allowed: Sequence[str] | None = None) -> Scored:
        """The ``k`` rows that share words with the question best, or fewer where fewer share any; ties in row order.

        :return: rows (m,) int64 and raw BM25 scores (m,) float32, best first.
        """
        return self._bm25.search(query, k, self._ranges(allowed))

    def bm25_scores(self, query: str, rows: Sequence[int] | NDArray[np.int64]) -> NDArray[np.float32]:
        """Raw BM25 scores of given rows, the very numbers ``bm25`` gives; 0.0 without a shared word."""
        return self._bm25.scores(query, rows)

    def weigh(self, query: str) -> QuestionWords:
        """The words of a question with their weights (idf): how much of it a text can hold."""
        return self._bm25.weigh(query)

    def _ranges(self, allowed: Sequence[str] | None) -> list[Range] | None:
        if allowed is None:
            return None
        found = (self._rows[article] for article in set(allowed) if article in self._rows)
        return list(merge_ranges((start, end) for start, end in found if start < end))

    def _body_of(self, article: str) -> Body:
        stored = self._articles[article]
        return self._cache.body(stored.info.version, stored.masks)
