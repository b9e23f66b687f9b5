"""Which settings answer a set of questions best, chosen by cross-validation so that luck is not taken for merit.

A question is worth 1 if it is answered rightly, or rightly declined; 0 if it is declined though the answer was there;
and -1 if it is answered wrongly, since a wrong answer costs more than none. Settings and threshold go together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qa.evaluation import metrics

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
FOLDS = 5
LEAST = 40  # questions; with fewer, even a fixed threshold is chance


@dataclass(frozen=True, slots=True)
class Trial:
    """What one choice of settings says to all questions, all arrays (questions,).

    ``score`` rises with confidence, -inf where nothing is said; ``right`` is of the forced answer; ``absent`` says
    that there is nothing to find.
    """

    score: Floats
    right: Flags
    absent: Flags

    def worth(self, threshold: float) -> Floats:
        """Of each question, answered from a score of ``threshold`` on."""
        answered = (self.score >= threshold) & np.isfinite(self.score)
        return np.where(answered, np.where(self.right, 1.0, -1.0), self.absent.astype(np.float64))

    def part(self, rows: NDArray[np.intp]) -> Trial:
        """The same of some of the questions."""
        return Trial(self.score[rows], self.right[rows], self.absent[rows])


@dataclass(frozen=True, slots=True)
class Choice:
    """What was chosen on all questions, and what choosing so is worth on questions that it was not made on."""

    trial: int
    threshold: float
    seen: float  # mean worth on the questions it was chosen on: flattering
    held_out: float  # mean worth, each question under what was chosen without it
    before: float  # of the settings before
    gain: float  # held_out - before
    interval: tuple[float, float]  # of the gain
    picked: tuple[int, ...]  # what each fold chose: if they differ, so would other questions

    @property
    def better(self) -> bool:
        """Whether the gain on questions not seen is hardly chance."""
        return self.interval[0] > 0


def best_threshold(trial: Trial) -> float:
    """The threshold of the greatest worth; of equal ones the highest, the more cautious.

    Halfway between neighbouring scores, so that it does not hang on one question.

    >>> some = Trial(np.array([1.0, 3.0, 2.0]), np.array([False, True, True]), np.zeros(3, bool))
    >>> best_threshold(some)
    1.5
    """
    scores = np.unique(trial.score[np.isfinite(trial.score)])
    if not len(scores):
        return 0.0
    tried = np.concatenate([[scores[0] - 1], (scores[1:] + scores[:-1]) / 2, [scores[-1] + 1]])[::-1]
    return float(tried[int(np.argmax([trial.worth(t).sum() for t in tried]))])


def pick(trials: Sequence[Trial]) -> tuple[int, float]:
    """The trial and threshold of the greatest worth; of equal ones the first."""
    thresholds = [best_threshold(trial) for trial in trials]
    worth = [trial.worth(t).sum() for trial, t in zip(trials, thresholds, strict=True)]
    best = int(np.argmax(worth))
    return best, thresholds[best]


def choose(trials: Sequence[Trial], threshold: float, seed: int = 0) -> Choice:
    """Choose, and say what the choosing is worth.

    :param trials: the first is of the settings before, whose threshold is given.
    :raises ValueError: if there are fewer than ``LEAST`` questions.
    """
    count = len(trials[0].score)
    if count < LEAST:
        raise ValueError(f"{count} questions are too few to choose by; {LEAST} are the least, 200 are better")
    folds = np.random.default_rng(seed).permutation(count) % FOLDS
    worth = np.zeros(count)
    picked = []
    for fold in range(FOLDS):
        others, held = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
        best, at = pick([trial.part(others) for trial in trials])
        worth[held] = trials[best].part(held).worth(at)
        picked.append(best)
    before = trials[0].worth(threshold)
    best, at = pick(trials)
    gain = worth - before
    interval: Any = metrics.interval(metrics.mean, gain) or (0.0, 0.0)
    return Choice(
        best, at, float(trials[best].worth(at).mean()), float(worth.mean()), float(before.mean()),
        float(gain.mean()), interval, tuple(picked),
    )  # fmt: skip
