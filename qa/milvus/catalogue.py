"""Which articles and passages an index in Milvus has, and what they share at their edges."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from heapq import nsmallest

import numpy as np
from numpy.typing import NDArray

from qa.edges import EdgeRows, Side
from qa.milvus.connection import matches
from qa.milvus.counts import Counts
from qa.milvus.reading import Reading, Recent
from qa.milvus.rows import PassageRow, Record, group_of, key_of
from qa.rows import Stamp, StoredArticle
from qa.types import ArticleInfo, NotFoundError, Range, merge_ranges


class Catalogue:
    """A ``catalogue.Catalogue`` over Milvus; a row is a passage's id there."""

    def __init__(self, reading: Reading, stamp: Stamp, counts: Counts) -> None:
        self.stamp = stamp
        self.articles, self.passages = counts.articles, counts.passages
        self.reading = reading
        self.records: Recent[str, Record] = Recent(4096, lambda keys: reading.records(keys))
        self.edges = Edges(self)
        self._keys: list[str] = []  # articles by number
        self._numbers: dict[str, int] = {}

    def infos(self) -> list[ArticleInfo]:
        """As ``catalogue.Catalogue``."""
        return [record.stored.info for record in self.reading.all_records() if record.stored]

    def article(self, article: str) -> StoredArticle | None:
        """As ``catalogue.Catalogue``."""
        record = self.record(article)
        return record.stored if record else None

    def record(self, article: str) -> Record | None:
        """All that is known about an article, if it is or was there."""
        try:
            key = key_of(article)
        except UnicodeEncodeError:  # a half of a character
            return None
        return self.records.take([key]).get(key)

    def place(self, row: int) -> tuple[ArticleInfo, int, int]:
        """As ``catalogue.Catalogue``.

        :raises NotFoundError: if the article was changed or removed in the meantime.
        """
        passage = self.rows([row])[0]
        record = self.records.take([passage.article]).get(passage.article)
        if record is None or record.stored is None or record.edition != passage.edition:
            raise NotFoundError("an article was changed while it was asked; ask again")
        return record.stored.info, passage.start, passage.end

    def rows(self, ids: Iterable[int]) -> list[PassageRow]:
        """The passages of these ids, in this order.

        :raises NotFoundError: as ``place``.
        """
        wanted = [int(id_) for id_ in ids]
        found = self.reading.passages.take(wanted)
        if len(found) < len(set(wanted)):
            raise NotFoundError("an article was changed while it was asked; ask again")
        return [found[id_] for id_ in wanted]

    def live(self, passages: Sequence[PassageRow]) -> list[PassageRow]:
        """Those that are searched: of articles as they are now."""
        known = self.records.take(p.article for p in passages)
        changed = {
            p.article for p in passages if p.article not in known or known[p.article].edition != p.edition
        }
        if changed:  # meanwhile, or the passage is one that waits to be deleted
            fresh = self.reading.records(changed)
            self.records.keep(fresh)
            known |= fresh
        return [p for p in passages if p.article in known and known[p.article].edition == p.edition]

    def owners(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """As ``catalogue.Catalogue``."""
        for passage in self.rows(rows.tolist()):
            if passage.article not in self._numbers:
                self._numbers[passage.article] = len(self._keys)
                self._keys.append(passage.article)
        return np.array([self._numbers[p.article] for p in self.rows(rows.tolist())], np.int64)

    def named(self, numbers: NDArray[np.int64]) -> list[str]:
        """As ``catalogue.Catalogue``."""
        keys = [self._keys[number] for number in numbers.tolist()]
        return sorted(record.article for record in self.records.take(keys).values())

    def rows_of(self, articles: Iterable[str]) -> list[Range]:
        """As ``catalogue.Catalogue``."""
        keys = [key_of(article) for article in set(articles)]
        found = self.live(list(self.reading.passages_of("article", keys)))
        return list(merge_ranges((p.id, p.id + 1) for p in found))

    def in_order(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """As ``catalogue.Catalogue``."""
        passages = self.rows(rows.tolist())
        known = self.records.take(p.article for p in passages)
        ordered = sorted(passages, key=lambda p: (known[p.article].article, p.start, p.end))
        return np.array([p.id for p in ordered], np.int64)


class Edges:
    """An ``edges.Listing`` over Milvus: the articles that share an edge's first words are fetched when asked of."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._groups: Recent[str, EdgeRows] = Recent(256, self._fetch)

    def words(self, article: str, side: Side) -> str | None:
        """As ``edges.Listing``."""
        record = self._catalogue.record(article)
        return dict(record.edges).get(side) if record else None

    def sharing(self, side: Side, run: str) -> int:
        """As ``edges.Listing``."""
        return self._group(side, run).sharing(side, run)

    def sharers(self, side: Side, run: str, longer: str | None, count: int) -> list[str]:
        """As ``edges.Listing``."""
        return nsmallest(count, self._group(side, run).sharers(side, run, longer, count))

    def load(self, records: Iterable[Record]) -> None:
        """Fetch at once what will be asked of some articles."""
        self._groups.take(group_of(side, words) for record in records for side, words in record.edges)

    def _group(self, side: Side, run: str) -> EdgeRows:
        group = group_of(side, run)
        return self._groups.take([group])[group]

    def _fetch(self, groups: list[str]) -> dict[str, EdgeRows]:
        listed: dict[str, list[tuple[str, str, str]]] = {group: [] for group in groups}
        find = self._catalogue.reading.connection.find
        for row in find("records", matches("tag", groups), ("id", "kind", "tag", "body")):
            words, article = json.loads(row["body"])
            listed[row["tag"]].append((article, row["id"].rpartition(":")[2], words))
        return {group: EdgeRows(rows) for group, rows in listed.items()}
