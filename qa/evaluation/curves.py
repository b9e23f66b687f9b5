"""A result's single questions -> the curves of the report, as numbers.

All come from the ``per_question`` rows of one entry of ``evaluate --json``. Questions of which it is only known what
is wrong (``answerable`` null) are in none of them, as in the figures.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from qa.evaluation.report import RIGHT, WARM_UP

DEPTH = 20  # of the recall curve; no deeper was searched
IN_A_BIN = (
    20  # answers that a bin of the reliability diagram has at least, where there are enough for two bins
)
BINS = 15
COLUMNS = 30  # of the histogram
_SLOWEST = 99  # percentile; what is slower is counted in the last column


class Point(NamedTuple):
    """A threshold on the confidence: the share of all questions answered at it, and the share of these wrong."""

    coverage: float
    risk: float
    confidence: float


class Bin(NamedTuple):
    """Answers of about the same confidence, and the share of them that is right, with its 95 % interval."""

    answers: int
    confidence: float
    right: float
    low: float
    high: float


class Histogram(NamedTuple):
    """Counts between edges (one more than counts), in milliseconds, and how many were slower than the last edge."""

    counts: tuple[int, ...]
    edges: tuple[float, ...]
    slower: int


def _known(entry: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [row for row in entry.get("per_question") or () if row["answerable"] is not None]


def _right(row: Mapping[str, Any]) -> bool:
    """Whether the forced answer is right; never where there is nothing to find."""
    return row["f1"] is not None and row["f1"] >= RIGHT


def _judged(rows: Sequence[Mapping[str, Any]]) -> list[tuple[float, bool]]:
    """Confidence and rightness of each forced answer."""
    return [(row["confidence"], _right(row)) for row in rows if None not in (row["best"], row["confidence"])]


def risk_coverage(entry: Mapping[str, Any]) -> list[Point]:
    """One point a threshold, the highest first (Geifman and El-Yaniv 2017, arXiv 1705.08500).

    Equal confidences share a point, as no threshold parts them. Empty without a calibration.
    """
    rows = _known(entry)
    judged = sorted(_judged(rows), reverse=True)
    points: list[Point] = []
    wrong = 0
    for count, (confidence, right) in enumerate(judged, 1):
        wrong += not right
        point = Point(count / len(rows), wrong / count, confidence)
        if points and points[-1].confidence == confidence:
            points.pop()
        points.append(point)
    return points


def reliability(entry: Mapping[str, Any]) -> list[Bin]:
    """Bins of equal mass by rising confidence; fewer than `BINS` where each would hold too few answers.

    The intervals are Wilson's (1927), which hold for few answers and for shares of 0 and 1 too.
    """
    judged = sorted(_judged(_known(entry)), key=lambda pair: pair[0])
    if not judged:
        return []
    parts = np.array_split(np.array(judged, dtype=np.float64), max(1, min(BINS, len(judged) // IN_A_BIN)))
    bins = []
    for part in parts:
        right = float(part[:, 1].mean())
        bins.append(Bin(len(part), float(part[:, 0].mean()), right, *wilson(right, len(part))))
    return bins


def wilson(share: float, count: int, z: float = 1.96) -> tuple[float, float]:
    """The 95 % interval of a share of ``count``.

    >>> [round(end, 3) for end in wilson(0.5, 10)]
    [0.237, 0.763]
    """
    middle = share + z * z / (2 * count)
    reach = z * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    whole = 1 + z * z / count
    return max(0.0, (middle - reach) / whole), min(1.0, (middle + reach) / whole)


def recall(entry: Mapping[str, Any]) -> list[float]:
    """Recall@1 to recall@20, over the questions whose answer's place is known; empty if there are none."""
    ranks = [row["rank"] for row in _known(entry) if row["rank"] is not None]
    return [sum(1 <= rank <= k for rank in ranks) / len(ranks) for k in range(1, DEPTH + 1)] if ranks else []


def latency(entry: Mapping[str, Any]) -> Histogram | None:
    """How long the questions took, without the first ones, as in the percentiles; None if none was timed."""
    times = [row["ms"] for row in (entry.get("per_question") or ())[WARM_UP:] if row["ms"] is not None]
    if not times:
        return None
    last = float(np.percentile(times, _SLOWEST))
    counts, edges = np.histogram(times, bins=COLUMNS, range=(0.0, max(last, 1.0)))
    slower = len(times) - int(counts.sum())
    return Histogram(tuple(map(int, counts)), tuple(map(float, edges)), slower)
