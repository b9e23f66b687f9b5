"""The searches of a question over an index in Milvus.

A snapshot is of one commit, but what it reads is what is there when it asks: an article that is changed meanwhile is
seen as it was or as it is, never in part.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from qa.bm25 import Scored
from qa.milvus.catalogue import Catalogue
from qa.milvus.counts import Counts
from qa.milvus.reading import Reading
from qa.milvus.searches import Near, Words
from qa.rows import Stamp
from qa.snapshot import Cache, Snapshot
from qa.types import Passage, sha256

_READ = 10  # of the passages found, about: what is asked of their articles is fetched at once


class MilvusSnapshot(Snapshot):
    """A snapshot whose searches Milvus does."""

    def __init__(self, reading: Reading, stamp: Stamp, counts: Counts) -> None:
        self._rows = Catalogue(reading, stamp, counts)
        self._near, self._words = Near(self._rows), Words(self._rows, counts)
        super().__init__(self._rows, self._near, self._words, Cache(reading))

    def dense(self, vector: NDArray[np.float32], k: int, allowed: Sequence[str] | None = None) -> Scored:
        """As ``Snapshot``."""
        return self._near.within(vector, k, _keys(allowed))

    def bm25(self, query: str, k: int, allowed: Sequence[str] | None = None) -> Scored:
        """As ``Snapshot``."""
        return self._words.within(query, k, _keys(allowed))

    def passages(self, rows: Sequence[int]) -> list[Passage]:
        """As ``Snapshot``; their texts, and what masks the first of them, are fetched at once."""
        found = self._rows.rows(rows)
        records = self._rows.records.take(passage.article for passage in found)
        stored = [record.stored for record in records.values() if record.stored]
        self._rows.reading.load_texts(each.info.version for each in stored)
        first = {passage.article for passage in found[:_READ]}
        self._rows.edges.load(records[key] for key in first if key in records)
        return super().passages(rows)


def _keys(articles: Sequence[str] | None) -> list[str] | None:
    """Of articles; half a character in an id makes it no article's."""
    return None if articles is None else [sha256(a.encode("utf-8", "replace"))[:32] for a in articles]
