"""BM25 over a sealed base and what changed since, with the statistics of all that is live.

Each layer proposes its best passages, its terms weighted by the common idf; then the few are scored anew by the
formula of ``bm25.py``, with common idf and average length. What the base holds of articles that
changed since is counted in an index of its own (*gone*), and subtracted.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from qa.bm25 import BM25, MOST_TERMS, RAREST, WHOLE_IN_A_PASSAGE, Scored, idf, score
from qa.terms import QuestionWords
from qa.types import Range, merge_ranges

# More than wanted are taken of the base, whose own average length differs a little from the common one.
_MARGIN = 14


class LayeredBM25:
    """As ``BM25``; a row below the base's length is one of the base, one above it of the delta.

    :param delta: of the passages since, in order; None if there are none.
    :param gone: of the base's passages that are out of date; None if there are none.
    :param gone_rows: their rows, disjoint ranges.
    """

    def __init__(
        self, base: BM25, delta: BM25 | None, gone: BM25 | None, gone_rows: Sequence[Range],
    ) -> None:  # fmt: skip
        self._base, self._delta, self._gone = base, delta, gone
        self._gone_rows = merge_ranges(gone_rows)
        self._dead = _member(self._gone_rows, len(base)) if gone_rows else None
        parts = [(base, 1), (delta, 1), (gone, -1)]
        self._parts = [(part, sign) for part, sign in parts if part is not None]
        self._passages = sum(sign * len(part) for part, sign in self._parts)
        self._average = sum(sign * part.tokens for part, sign in self._parts) / max(1, self._passages)

    def _df(self, term: str) -> int:
        return sum(sign * part.doc_freq(term) for part, sign in self._parts)

    def _weights(self, query: str) -> dict[str, float]:
        """The terms of a question that occur, rarest first, with their idf."""
        counted = sorted((self._df(term), term) for term in set(self._base.analyze(query)))
        return {term: idf(self._passages, df) for df, term in counted if df > 0}

    def weigh(self, query: str) -> QuestionWords:
        """As ``BM25``."""
        terms = set(self._base.analyze(query))
        return QuestionWords(
            {term: idf(self._passages, self._df(term)) for term in terms}, self._base.analyze
        )

    def search(self, query: str, k: int, allowed: Sequence[Range] | None = None) -> Scored:
        """As ``BM25``."""
        weights = dict(list(self._weights(query).items())[:MOST_TERMS])
        border = len(self._base)
        in_base = in_delta = None
        if allowed is not None:
            in_base = [(start, min(end, border)) for start, end in allowed if start < border]
            in_delta = [(max(start - border, 0), end - border) for start, end in allowed if end > border]
        rows = self._live(weights, k, in_base)
        if self._delta is not None:
            more, _ = self._delta.best(_boosts(weights, self._delta), k + _MARGIN, in_delta)
            rows = np.concatenate([rows, more + border])
        scores = self._scored(weights, rows)
        order = np.lexsort((rows, -scores))[: max(k, 0)]
        return rows[order], scores[order]

    def scores(self, query: str, rows: Sequence[int] | NDArray[np.int64]) -> NDArray[np.float32]:
        """As ``BM25``."""
        weights = dict(list(self._weights(query).items())[:MOST_TERMS])
        distinct, places = np.unique(np.asarray(rows, np.int64), return_inverse=True)
        return self._scored(weights, distinct)[places]

    def holding(self, query: str) -> Iterator[NDArray[np.int64]]:
        """As ``BM25``."""
        words = {term for term in self._base.analyze(query) if len(term) <= WHOLE_IN_A_PASSAGE}
        for _, term in sorted((self._df(term), term) for term in words)[:RAREST]:
            rows = self._base.having(term)
            if self._dead is not None:
                rows = rows[~self._dead[rows]]
            more = [] if self._delta is None else [self._delta.having(term) + len(self._base)]
            yield np.concatenate([rows, *more])

    def _live(self, weights: dict[str, float], k: int, allowed: Sequence[Range] | None) -> NDArray[np.int64]:
        """The base's best rows that are not out of date."""
        terms, limit = _boosts(weights, self._base), k + _MARGIN
        while True:
            rows, _ = self._base.best(terms, limit, allowed)
            live = rows if self._dead is None else rows[~self._dead[rows]]
            if len(live) >= k or len(rows) < limit:
                return live
            limit *= 4

    def _scored(self, weights: dict[str, float], rows: NDArray[np.int64]) -> NDArray[np.float32]:
        result = np.zeros(len(rows), np.float32)
        terms, values = list(weights), np.array(list(weights.values()))
        old = rows < len(self._base)
        for part, which, first in ((self._base, old, 0), (self._delta, ~old, len(self._base))):
            if part is not None and terms and which.any():
                numbers = rows[which] - first
                tf = part.frequencies(terms, numbers)
                result[which] = score(tf, part.lengths[numbers], self._average, values)
        return result


def _boosts(weights: dict[str, float], part: BM25) -> dict[str, float]:
    """For each term of a layer, what makes its idf there the common one."""
    found = {term: part.doc_freq(term) for term in weights}
    return {term: weights[term] / idf(len(part), df) for term, df in found.items() if df}


def _member(ranges: Sequence[Range], length: int) -> NDArray[np.bool_]:
    inside = np.zeros(length, bool)
    for start, end in ranges:
        inside[start:end] = True
    return inside
