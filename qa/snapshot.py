"""All searches over one commit of an index, immutable: what a question holds on to from beginning to end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from qa.bm25 import Scored
from qa.catalogue import Catalogue
from qa.edges import Body, EdgeTable, body
from qa.rows import Stamp, StoredArticle
from qa.terms import QuestionWords
from qa.types import ArticleInfo, NotFoundError, Passage, Range, merge_ranges


class VectorSearch(Protocol):
    """What a snapshot needs of a vector index; ``dense.Dense`` is one."""

    def search(self, vector: NDArray[np.float32], k: int, allowed: Sequence[Range] | None = None) -> Scored:
        """Rows and cosines of the ``k`` nearest vectors, best first, ties in row order."""

    def cosines(
        self, vector: NDArray[np.float32], rows: Sequence[int] | NDArray[np.int64]
    ) -> NDArray[np.float32]:
        """Cosines of given rows, the very numbers ``search`` gives."""


class WordSearch(Protocol):
    """What a snapshot needs of a word index; ``bm25.BM25`` is one."""

    def search(self, query: str, k: int, allowed: Sequence[Range] | None = None) -> Scored:
        """The best rows for a question and their BM25 scores, best first, ties in row order."""

    def scores(self, query: str, rows: Sequence[int] | NDArray[np.int64]) -> NDArray[np.float32]:
        """BM25 scores of given rows, the very numbers ``search`` gives; 0.0 where no term matches."""

    def weigh(self, query: str) -> QuestionWords:
        """The words of a question with their weights."""

    def holding(self, query: str) -> Iterator[NDArray[np.int64]]:
        """For each of the rarest words of a text, the rows that hold it."""


class Texts(Protocol):
    """What a snapshot needs of where texts are stored; ``store.Store`` is one."""

    def text_of(self, version: str) -> str:
        """The text of that sha256."""


class Cache:
    """Texts, and what is computed from a text alone, by version: good for every snapshot of a store."""

    def __init__(self, store: Texts) -> None:
        self.text = lru_cache(maxsize=256)(store.text_of)
        self.body = lru_cache(maxsize=1024)(lambda version, masks: body(store.text_of(version), masks))

    def clear(self) -> None:
        """Forget it all."""
        self.text.cache_clear()
        self.body.cache_clear()


class Snapshot:
    """All searches over one commit. Immutable; safe to use from many threads, also while others write.

    Rows are numbers of passages, good for this snapshot alone. ``allowed`` is a sequence of article ids everywhere;
    unknown ones match nothing.
    """

    def __init__(
        self, catalogue: Catalogue, dense: VectorSearch | None, bm25: WordSearch, cache: Cache
    ) -> None:
        self.catalogue = catalogue
        self._dense = dense
        self._bm25 = bm25
        self._cache = cache
        self._edges = EdgeTable(catalogue.edges, catalogue.articles, self._body_of)
        self._masks: dict[str, tuple[Range, ...]] = {}

    @property
    def stamp(self) -> Stamp:
        """Which commit this was made from."""
        return self.catalogue.stamp

    @property
    def generation(self) -> int:
        """Number of that commit."""
        return self.stamp.generation

    @property
    def articles(self) -> list[ArticleInfo]:
        """The live articles, sorted by id; a new list of all of them. See ``article_count``."""
        return self.catalogue.infos()

    @property
    def article_count(self) -> int:
        """How many live articles there are."""
        return self.catalogue.articles

    def __len__(self) -> int:
        """How many passages there are."""
        return self.catalogue.passages

    def has(self, article: str) -> bool:
        """Whether there is a live article of that id."""
        return self.catalogue.article(article) is not None

    def article(self, article: str) -> StoredArticle:
        """What is known about a live article.

        :raises NotFoundError: if there is none.
        """
        stored = self.catalogue.article(article)
        if stored is None:
            raise NotFoundError(f"no article {article[:80]!r} in the index")
        return stored

    def text(self, article: str) -> str:
        """The article's whole stored text.

        :raises NotFoundError: if there is none, or it was removed for good in the meantime.
        """
        return self._cache.text(self.article(article).info.version)

    def passage(self, row: int) -> Passage:
        """The passage of a row.

        :raises NotFoundError: if its article was removed for good in the meantime.
        """
        info, start, end = self.catalogue.place(row)
        return Passage(info.article, info.version, start, end, self._cache.text(info.version)[start:end])

    def passages(self, rows: Sequence[int]) -> list[Passage]:
        """The passages of rows, in this order; as ``passage``, where many are wanted."""
        return [self.passage(row) for row in rows]

    def in_order(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Distinct rows by (article, start, end): the order of ties."""
        return self.catalogue.in_order(rows)

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

    def holding(self, query: str, allowed: Sequence[str] | None = None) -> list[str]:
        """The articles that hold every word of a text somewhere, sorted: those that may hold the text itself."""
        mine: NDArray[np.int64] | None = None
        for rows in self._bm25.holding(query):
            owners = self.catalogue.owners(rows)
            mine = np.unique(owners) if mine is None else np.intersect1d(mine, owners)
            if not len(mine):
                break
        found = [i.article for i in self.articles] if mine is None else self.catalogue.named(mine)
        wanted = None if allowed is None else set(allowed)
        return [article for article in found if wanted is None or article in wanted]

    def weigh(self, query: str) -> QuestionWords:
        """The words of a question with their weights (idf): how much of it a text can hold."""
        return self._bm25.weigh(query)

    def _ranges(self, allowed: Sequence[str] | None) -> list[Range] | None:
        if allowed is None:
            return None
        return self.catalogue.rows_of(allowed)

    def _body_of(self, article: str) -> Body:
        stored = self.article(article)
        return self._cache.body(stored.info.version, stored.masks)
