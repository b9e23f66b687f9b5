"""Milvus' two searches, and what the passages they propose are worth.

Milvus proposes passages, by its own dense search and its own BM25; their worth is computed here, with the cosines of
``qa/dense.py`` and the formula of ``qa/bm25.py``, over the counts of the whole index. So the scores are those of the
local index, and a calibration holds for both. Milvus' own BM25 scores are not used: its statistics are those of a
segment or shard, and those of Milvus Lite differ from a server's.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from qa.bm25 import MOST_TERMS, RAREST, WHOLE_IN_A_PASSAGE, Scored, idf, score
from qa.dense import Dense
from qa.milvus.catalogue import Catalogue
from qa.milvus.connection import MOST_HITS, Row, matches
from qa.milvus.counts import Counts
from qa.milvus.rows import PASSAGE, PassageRow
from qa.terms import Analyzer, QuestionWords
from qa.types import Range

_MARGIN = 50  # more passages than wanted are taken by Milvus' BM25, which orders a little otherwise
WHOLLY = MOST_HITS // 2  # a term that more passages have is looked for by a filter


class Words:
    """A ``snapshot.WordSearch`` over Milvus' BM25, scored by ours."""

    def __init__(self, catalogue: Catalogue, counts: Counts) -> None:
        self._catalogue, self._counts = catalogue, counts
        self._average = counts.tokens / max(1, counts.passages)
        self._analyze = Analyzer()
        self._df = lru_cache(maxsize=1024)(counts.df)

    def _weights(self, query: str) -> dict[str, float]:
        """The terms of a question that occur, rarest first, with their idf."""
        counted = sorted((self._df(term), term) for term in set(self._analyze(query)))
        found = [(term, df) for df, term in counted if df > 0][:MOST_TERMS]
        return {term: idf(self._counts.passages, df) for term, df in found}

    def weigh(self, query: str) -> QuestionWords:
        """As ``snapshot.WordSearch``."""
        terms = set(self._analyze(query))
        weights = {term: idf(self._counts.passages, self._df(term)) for term in terms}
        return QuestionWords(weights, self._analyze)

    def search(self, query: str, k: int, allowed: Sequence[Range] | None = None) -> Scored:
        """As ``snapshot.WordSearch``."""
        if allowed is None:
            return self.within(query, k, None)
        rows = [row for start, end in allowed for row in range(start, end)]
        return self.within(query, k, sorted({p.article for p in self._catalogue.rows(rows)}))

    def within(self, query: str, k: int, keys: Sequence[str] | None) -> Scored:
        """The same in articles of some keys; None for all."""
        weights = self._weights(query)
        if not weights or k <= 0:
            return np.empty(0, np.int64), np.empty(0, np.float32)
        found = hits(self._catalogue, "words", " ".join(weights), k + _MARGIN, keys)
        scores = self._scored(weights, found)
        order = np.lexsort((_tie_order(self._catalogue, found), -scores))[:k]
        return np.array([found[i].id for i in order], np.int64), scores[order]

    def scores(self, query: str, rows: Sequence[int] | NDArray[np.int64]) -> NDArray[np.float32]:
        """As ``snapshot.WordSearch``."""
        return self._scored(self._weights(query), self._catalogue.rows(np.asarray(rows).tolist()))

    def _scored(self, weights: dict[str, float], passages: Sequence[PassageRow]) -> NDArray[np.float32]:
        if not weights or not passages:
            return np.zeros(len(passages), np.float32)
        listed = [passage.terms.split() for passage in passages]
        tf = np.array([[terms.count(term) for terms in listed] for term in weights], np.float64)
        lengths = np.array([len(terms) for terms in listed], np.int64)
        return score(tf, lengths, self._average, np.array(list(weights.values())))

    def holding(self, query: str) -> Iterator[NDArray[np.int64]]:
        """As ``snapshot.WordSearch``."""
        words = {term for term in self._analyze(query) if len(term) <= WHOLE_IN_A_PASSAGE}
        within: list[str] | None = None  # articles; those that hold the words before
        for df, term in sorted((self._df(term), term) for term in words)[:RAREST]:
            found = self._having(term, df, within)
            yield np.array([passage.id for passage in found], np.int64)
            within = sorted({passage.article for passage in found})
            if not within:
                return

    def _having(self, term: str, df: int, keys: Sequence[str] | None) -> list[PassageRow]:
        if df == 0:
            return []
        if df <= WHOLLY:
            return hits(self._catalogue, "words", term, df + _MARGIN, keys)
        condition = f'text_match(terms, "{term}")'  # a term is made of letters and digits
        if keys is not None:
            condition += f" and {matches('article', keys)}"
        rows = self._catalogue.reading.connection.find("passages", condition, PASSAGE)
        found = [PassageRow.from_row(row) for row in rows]
        self._catalogue.reading.passages.keep({passage.id: passage for passage in found})
        return self._catalogue.live(found)


class Near:
    """A ``snapshot.VectorSearch`` over Milvus' dense search, with the cosines of ``qa/dense.py``."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue

    def search(self, vector: NDArray[np.float32], k: int, allowed: Sequence[Range] | None = None) -> Scored:
        """As ``snapshot.VectorSearch``."""
        if allowed is None:
            return self.within(vector, k, None)
        rows = [row for start, end in allowed for row in range(start, end)]
        return self.within(vector, k, sorted({p.article for p in self._catalogue.rows(rows)}))

    def within(self, vector: NDArray[np.float32], k: int, keys: Sequence[str] | None) -> Scored:
        """The same in articles of some keys; None for all."""
        if not np.isfinite(vector).all():
            raise ValueError("a question's vector holds what is not finite")
        found = hits(self._catalogue, "vector", vector.astype(np.float32).tolist(), k, keys)
        if not found:
            return np.empty(0, np.int64), np.empty(0, np.float32)
        cosines = _cosines(vector, found)
        order = np.lexsort((_tie_order(self._catalogue, found), -cosines))
        return np.array([found[i].id for i in order], np.int64), cosines[order]

    def cosines(
        self, vector: NDArray[np.float32], rows: Sequence[int] | NDArray[np.int64]
    ) -> NDArray[np.float32]:
        """As ``snapshot.VectorSearch``."""
        return _cosines(vector, self._catalogue.rows(np.asarray(rows).tolist()))


def _cosines(vector: NDArray[np.float32], passages: Sequence[PassageRow]) -> NDArray[np.float32]:
    """The very numbers that an index of all passages gives: each depends on its own vector alone."""
    index = Dense.build(np.stack([passage.vector for passage in passages]))
    return index.cosines(vector, range(len(passages)))


def _tie_order(catalogue: Catalogue, passages: Sequence[PassageRow]) -> NDArray[np.int64]:
    """For each passage, which it is in the order of ties."""
    ordered = catalogue.in_order(np.array([p.id for p in passages], np.int64)).tolist()
    place = {id_: i for i, id_ in enumerate(ordered)}
    return np.array([place[p.id] for p in passages], np.int64)


def hits(
    catalogue: Catalogue, field: str, wanted: Sequence[float] | str, limit: int, keys: Sequence[str] | None
) -> list[PassageRow]:
    """The best passages by one of Milvus' searches that are searched now: ``limit``, or all where there are fewer."""
    if (keys is not None and not keys) or not catalogue.reading.searchable():
        return []
    conditions = [] if keys is None else [matches("article", keys)]
    replaced: set[str] = set()  # editions that wait to be deleted
    search: Callable[..., list[Row]] = catalogue.reading.connection.search
    while True:
        without = [f"edition not in {json.dumps(sorted(replaced))}"] if replaced else []
        rows = search(field, wanted, limit, " and ".join([*conditions, *without]), PASSAGE)
        passages = [PassageRow.from_row(row) for row in rows]
        live = catalogue.live(passages)
        more = {p.edition for p in passages} - {p.edition for p in live} - replaced
        if not more:
            catalogue.reading.passages.keep({passage.id: passage for passage in live})
            return live
        replaced |= more
