"""Which articles and passages a snapshot has, and which row is which passage.

A ``Catalogue`` is of one commit. This one holds all in memory; ``layers.py`` has one for a base and what came after.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from qa.edges import EdgeRows, Listing
from qa.rows import Contents, Stamp, StoredArticle
from qa.types import ArticleInfo, Range, merge_ranges


class Catalogue(Protocol):
    """What a snapshot needs to know about its articles; all of one commit."""

    @property
    def stamp(self) -> Stamp:
        """Which commit."""

    @property
    def articles(self) -> int:
        """How many live articles there are."""

    @property
    def passages(self) -> int:
        """How many passages are searched."""

    @property
    def edges(self) -> Listing:
        """The edges of all live articles."""

    def infos(self) -> list[ArticleInfo]:
        """All live articles, sorted by id."""

    def article(self, article: str) -> StoredArticle | None:
        """What is known about a live article; None if there is none."""

    def place(self, row: int) -> tuple[ArticleInfo, int, int]:
        """Whose passage a row is, and from where to where."""

    def owners(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """The number of the article whose passage each row is; good for ``named`` alone."""

    def named(self, numbers: NDArray[np.int64]) -> list[str]:
        """The ids of articles by these numbers, sorted."""

    def rows_of(self, articles: Iterable[str]) -> list[Range]:
        """The rows of these articles, as disjoint ranges; unknown articles have none."""

    def in_order(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Distinct rows by (article, start, end)."""


class Table:
    """A ``Catalogue`` in memory. Its rows number the passages in (article, start, end) order."""

    def __init__(self, contents: Contents) -> None:
        self.stamp = contents.stamp
        self.articles = len(contents.articles)
        self.passages = len(contents.owner)
        self.edges = EdgeRows(contents.edges)
        self._stored = contents.articles
        self._owner, self._starts, self._ends = contents.owner, contents.starts, contents.ends
        self._by_id = {stored.info.article: stored for stored in contents.articles}
        bounds = np.searchsorted(contents.owner, np.arange(self.articles + 1)).tolist()
        self._rows = dict(zip(self._by_id, pairwise(bounds), strict=True))

    def infos(self) -> list[ArticleInfo]:
        """As ``Catalogue``."""
        return [stored.info for stored in self._stored]

    def article(self, article: str) -> StoredArticle | None:
        """As ``Catalogue``."""
        return self._by_id.get(article)

    def place(self, row: int) -> tuple[ArticleInfo, int, int]:
        """As ``Catalogue``."""
        return self._stored[self._owner[row]].info, int(self._starts[row]), int(self._ends[row])

    def owners(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """As ``Catalogue``."""
        return self._owner[rows].astype(np.int64)

    def named(self, numbers: NDArray[np.int64]) -> list[str]:
        """As ``Catalogue``."""
        return [self._stored[number].info.article for number in np.sort(numbers).tolist()]

    def rows_of(self, articles: Iterable[str]) -> list[Range]:
        """As ``Catalogue``."""
        found = (self._rows[article] for article in set(articles) if article in self._rows)
        return list(merge_ranges((start, end) for start, end in found if start < end))

    def in_order(self, rows: NDArray[np.int64] | Sequence[int]) -> NDArray[np.int64]:
        """As ``Catalogue``."""
        return np.sort(np.asarray(rows, np.int64))
