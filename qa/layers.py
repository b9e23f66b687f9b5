"""The catalogue of a sealed base and of what changed since: as good as one that is made anew.

Whatever the base holds of an article that was put or removed since (*touched*) is out of date; the article as it is
now is in the *delta*, a ``Table`` in memory. A row below the base's length is one of the base, one above it of the
delta.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from heapq import merge, nsmallest

import numpy as np
from numpy.typing import NDArray

from qa.base import Base
from qa.catalogue import Table
from qa.edges import Side, edges
from qa.reading import Changes
from qa.rows import StoredArticle
from qa.store import Store
from qa.types import ArticleInfo, Range, merge_ranges


class Layers:
    """A ``catalogue.Catalogue`` over a base and the changes since.

    :param store: to read texts from.
    """

    def __init__(self, base: Base, changes: Changes, store: Store) -> None:
        self.base = base
        self.delta = Table(changes.contents)
        self.stamp = changes.contents.stamp
        self._touched = frozenset(changes.touched)
        numbers = (base.number(article) for article in changes.touched)
        self.dead = np.array(
            [number for number in numbers if number is not None], np.int64
        )  # articles, sorted
        self.dead_rows = [base.rows(number) for number in self.dead.tolist()]
        self.articles = len(base.ids) - len(self.dead) + self.delta.articles
        self.passages = len(base) - sum(end - start for start, end in self.dead_rows) + self.delta.passages
        self.edges = LayeredEdges(self, store)
        self._stored = lru_cache(maxsize=1024)(base.stored)

    def infos(self) -> list[ArticleInfo]:
        """As ``Catalogue``."""
        dead = set(self.dead.tolist())
        old = (self.base.stored(number).info for number in range(len(self.base.ids)) if number not in dead)
        return list(merge(old, self.delta.infos(), key=lambda info: info.article))

    def article(self, article: str) -> StoredArticle | None:
        """As ``Catalogue``."""
        if article in self._touched:
            return self.delta.article(article)
        number = self.base.number(article)
        return None if number is None else self._stored(number)

    def place(self, row: int) -> tuple[ArticleInfo, int, int]:
        """As ``Catalogue``."""
        if row >= len(self.base):
            return self.delta.place(row - len(self.base))
        return self._stored(self.base.owner(row)).info, *self.base.place(row)

    def owners(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """As ``Catalogue``; the delta's articles are numbered after the base's."""
        result = np.searchsorted(self.base.first, rows, "right") - 1
        new = rows >= len(self.base)
        result[new] = self.delta.owners(rows[new] - len(self.base)) + len(self.base.ids)
        return result.astype(np.int64)

    def named(self, numbers: NDArray[np.int64]) -> list[str]:
        """As ``Catalogue``."""
        border = len(self.base.ids)
        old = [self.base.ids[number].decode() for number in numbers[numbers < border].tolist()]
        return sorted([*old, *self.delta.named(numbers[numbers >= border] - border)])

    def rows_of(self, articles: Iterable[str]) -> list[Range]:
        """As ``Catalogue``."""
        wanted = set(articles)
        more = len(self.base)
        found = [(start + more, end + more) for start, end in self.delta.rows_of(wanted)]
        for article in wanted - self._touched:
            number = self.base.number(article)
            if number is not None:
                found.append(self.base.rows(number))
        return list(merge_ranges(found))

    def in_order(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """As ``Catalogue``."""
        if not len(rows) or rows.max() < len(self.base) or rows.min() >= len(self.base):
            return np.sort(rows)

        def key(row: int) -> tuple[str, int, int]:
            info, start, end = self.place(row)
            return info.article, start, end

        return np.array(sorted(rows.tolist(), key=key), np.int64)


class LayeredEdges:
    """An ``edges.Listing`` over a base and the changes since."""

    def __init__(self, layers: Layers, store: Store) -> None:
        self._layers = layers
        self._delta = layers.delta.edges
        self._store = store
        self._dead = np.zeros(len(layers.base.ids), bool)
        self._dead[layers.dead] = True

    def words(self, article: str, side: Side) -> str | None:
        """As ``Listing``; those of the base are made again from the text, which is at hand anyway."""
        stored = self._layers.article(article)
        if stored is None or self._layers.delta.article(article):
            return self._delta.words(article, side)
        return dict(edges(self._store.text_of(stored.info.version), stored.masks)).get(side)

    def sharing(self, side: Side, run: str) -> int:
        """As ``Listing``."""
        return len(self._numbers(side, run)) + self._delta.sharing(side, run)

    def sharers(self, side: Side, run: str, longer: str | None, count: int) -> list[str]:
        """As ``Listing``."""
        numbers = self._numbers(side, run, longer)
        if len(numbers) > count:
            numbers = np.partition(numbers, count)[:count]
        old = (self._layers.base.ids[number].decode() for number in np.sort(numbers).tolist())
        return nsmallest(count, [*old, *self._delta.sharers(side, run, longer, count)])

    def _numbers(self, side: Side, run: str, longer: str | None = None) -> NDArray[np.int64]:
        """Of the base's live articles that have a run, and not the longer one."""
        base = self._layers.base
        start, end = base.sharing(side, run)
        before, after = (start, start) if longer is None else base.sharing(side, longer)
        numbers = np.concatenate([base.owners[side][start:before], base.owners[side][after:end]])
        live: NDArray[np.int64] = numbers[~self._dead[numbers]]
        return live
