"""What is measured, as plain functions; the figures' definitions are in their docstrings.

Statistics over questions work on the last axis of their arrays, ``(..., n)``, so that the bootstrap runs them
on a block of resamples at once. Questions of equal confidence are never told apart by the order they came in.

"Official" is SQuAD's evaluate-v2.0.py:
https://worksheets.codalab.org/rest/bundles/0x6b567e1cf2e041ec80d7098f031c5c9e/contents/blob/
"""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qa.types import Range

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]
Statistic = Callable[..., Floats]

ECE_BINS = 15
RESAMPLES = 1000
BLOCK = 2**20  # numbers drawn at once: bounds the bootstrap's memory whatever the number of questions

_PUNCTUATION = str.maketrans("", "", string.punctuation)
_ARTICLES = re.compile(r"\b(a|an|the)\b")


# One answer


def normalise(text: str) -> str:
    """Lower case without punctuation, articles and extra spaces: the official ``normalize_answer``.

    "The  U.S. Army!" -> "us army".
    """
    return " ".join(_ARTICLES.sub(" ", text.lower().translate(_PUNCTUATION)).split())


def _golds(answers: Iterable[str]) -> list[str]:
    """Normalised right answers; [""] where there is none, as the official script does."""
    return [gold for gold in map(normalise, answers) if gold] or [""]


def exact_match(prediction: str | None, answers: Iterable[str]) -> float:
    """1 if the prediction equals a right answer after `normalise`, else 0: the official EM.

    No prediction, None or "", is right exactly where there is no right answer.
    """
    return float(normalise(prediction or "") in _golds(answers))


def f1(prediction: str | None, answers: Iterable[str]) -> float:
    """Token F1 = 2PR / (P + R) after `normalise`, the best over the right answers: the official F1.

    With no tokens on either side it is 1 if both have none, else 0.
    """
    said = normalise(prediction or "").split()
    return max(_token_f1(said, gold.split()) for gold in _golds(answers))


def _token_f1(said: list[str], gold: list[str]) -> float:
    if not said or not gold:
        return float(said == gold)
    same = (Counter(said) & Counter(gold)).total()
    return 2 * same / (len(said) + len(gold))  # 2PR / (P + R) with P = same / said, R = same / gold


def first_covering(hits: Sequence[Mapping[str, Any]], article: str | None, spans: Iterable[Range]) -> int:
    """Rank, from 1, of the first hit of the article that holds one of the spans whole; 0 if none does."""
    golds = list(spans)
    for rank, hit in enumerate(hits, 1):
        if hit["article"] == article and any(hit["start"] <= s and e <= hit["end"] for s, e in golds):
            return rank
    return 0


# Many answers


def mean(values: Floats) -> Floats:
    """Arithmetic mean."""
    return np.asarray(values.mean(axis=-1))


def recall_at(k: int) -> Statistic:
    """Recall@k over ranks of the first right hit: the share with 1 <= rank <= k."""
    return lambda ranks: mean((ranks >= 1) & (ranks <= k))


def mrr(ranks: Floats) -> Floats:
    """Mean reciprocal rank; 0 for a question without a right hit (Voorhees, TREC-8, 1999)."""
    return mean(np.where(ranks >= 1, 1 / np.maximum(ranks, 1), 0.0))


def percentile(percent: float) -> Statistic:
    """The percentile, linear between neighbours."""
    return lambda values: np.asarray(np.percentile(values, percent, axis=-1))


def auroc(score: Floats, right: Floats) -> Floats:
    """Area under the ROC curve: the chance that a right one scores above a wrong one, a tie counting half.

    The Mann-Whitney form (Hanley and McNeil 1982). NaN where all are right or all are wrong.
    """
    score, right = _by(score, right)
    first, last = _ties(score)
    wrong = np.cumsum(1 - right, axis=-1)
    below = _at(wrong - (1 - right), first)  # wrong ones before the tie
    wins = (right * (below + _at(wrong, last)) / 2).sum(axis=-1)
    rights = right.sum(axis=-1)
    pairs = np.asarray(rights * (right.shape[-1] - rights))
    area: Floats = np.divide(wins, pairs, out=np.full(pairs.shape, np.nan), where=pairs > 0)
    return area


def ece(confidence: Floats, right: Floats, bins: int = ECE_BINS) -> Floats:
    """Expected calibration error over bins of equal mass: sum over bins of |sum(confidence - right)| / n.

    That is the usual sum of (bin size / n) x |mean confidence - accuracy| (Guo et al. 2017, arXiv
    1706.04599), with equal-mass bins as in Nixon et al. 2019, arXiv 1904.01685. Equal confidences share
    their accuracy.
    """
    confidence, right = _by(confidence, right)
    n = right.shape[-1]
    starts = np.unique(np.arange(bins) * n // bins)  # with fewer questions than bins, each has its own
    gaps = np.add.reduceat(confidence - _shared(confidence, right), starts, axis=-1)
    return np.asarray(np.abs(gaps).sum(axis=-1) / n)


def aurc(confidence: Floats, right: Floats) -> Floats:
    """Area under the risk-coverage curve: the mean over k of the share wrong among the k most confident.

    Geifman and El-Yaniv 2017, arXiv 1705.08500; 0 is best. Equal confidences share their risk.
    """
    falling, right = _by(-confidence, right)
    wrong = np.cumsum(1 - _shared(falling, right), axis=-1)
    return np.asarray((wrong / np.arange(1, right.shape[-1] + 1)).mean(axis=-1))


def coverage_at(accuracy: float) -> Statistic:
    """Coverage at an accuracy: the largest share answered, most confident first, that is right at that rate.

    Kamath et al. 2020, arXiv 2006.09462. A threshold cannot part equal confidences, so they come together.
    One that was never answered has confidence -inf: it counts in the whole and is in no share.
    """

    def coverage(confidence: Floats, right: Floats) -> Floats:
        falling, right = _by(-confidence, right)
        count = np.arange(1, right.shape[-1] + 1)
        _, last = _ties(falling)
        enough = np.cumsum(right, axis=-1) >= accuracy * count
        usable = enough & (last == count - 1) & np.isfinite(falling)
        return np.asarray((usable * count).max(axis=-1) / right.shape[-1])

    return coverage


def best_over_threshold(no_answer: Floats, gain: Floats, impossible: Floats) -> Floats:
    """The best score, in percent, over all thresholds on the no-answer score.

    The official ``find_best_thresh``: declining everything scores the impossible questions; then, least
    no-answer score first, answering one adds ``gain`` (its EM or F1; -1 for answering an impossible one; 0
    without a prediction). Unlike there, equal scores are answered together, since no threshold parts them.
    """
    no_answer, gain, impossible = _by(no_answer, gain, impossible)
    _, last = _ties(no_answer)
    declined = impossible.sum(axis=-1)
    answered = _at(np.cumsum(gain, axis=-1), last).max(axis=-1)
    return np.asarray(100 * (declined + np.maximum(answered, 0)) / gain.shape[-1])


# Chance


def interval(
    statistic: Statistic, *columns: Floats, resamples: int = RESAMPLES, seed: int = 0
) -> tuple[float, float] | None:
    """95 % percentile bootstrap interval of a statistic over questions (Efron 1993, chapter 13).

    Questions are drawn with replacement, all columns of one together, with a fixed seed: the same data give the
    same interval. Questions of one article resemble each other, so other articles may differ by more.

    :return: (low, high), or None where the statistic is defined on no resample.
    """
    n = columns[0].shape[-1]
    ordered = _by(*columns)  # with sorted draws, rank statistics find each resample in order already
    rng = np.random.default_rng(seed)
    values: list[Floats] = []
    rows = max(1, BLOCK // n)
    for start in range(0, resamples, rows):
        drawn = np.sort(rng.integers(0, n, size=(min(rows, resamples - start), n), dtype=np.int32), axis=-1)
        values.append(statistic(*(column[drawn] for column in ordered)))
    found = np.concatenate(values)
    found = found[~np.isnan(found)]
    if not found.size:
        return None
    low, high = np.percentile(found, [2.5, 97.5])
    return float(low), float(high)


def _by(key: Floats, *columns: Floats) -> tuple[Floats, ...]:
    """Key and columns in rising order of the key, along the last axis."""
    order = np.argsort(key, axis=-1, kind="stable")
    return tuple(_at(column, order) for column in (key, *columns))


def _at(values: Floats, indices: Indices) -> Floats:
    return np.take_along_axis(values, indices, axis=-1)


def _ties(ordered: Floats) -> tuple[Indices, Indices]:
    """For each value of an ordered row, the first and the last index of the values equal to it."""
    n = ordered.shape[-1]
    position = np.broadcast_to(np.arange(n), ordered.shape)
    changes = ordered[..., 1:] != ordered[..., :-1]
    edge = np.ones((*ordered.shape[:-1], 1), dtype=bool)
    starts = np.concatenate([edge, changes], axis=-1)
    ends = np.concatenate([changes, edge], axis=-1)
    first = np.maximum.accumulate(np.where(starts, position, 0), axis=-1)
    last = np.minimum.accumulate(np.where(ends, position, n - 1)[..., ::-1], axis=-1)[..., ::-1]
    return first, last


def _shared(ordered: Floats, values: Floats) -> Floats:
    """Each value replaced by the mean over the keys that tie with its own."""
    first, last = _ties(ordered)
    total = np.cumsum(values, axis=-1)
    return np.asarray((_at(total, last) - _at(total - values, first)) / (last - first + 1))
