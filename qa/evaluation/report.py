"""What was asked and answered -> the figures with their intervals, as JSON and as a table."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import compress
from typing import Any

import numpy as np

from qa.evaluation import metrics
from qa.evaluation.datasets import Question
from qa.evaluation.machine import commit, machine
from qa.types import SCHEMA

RIGHT = 0.5  # an answer is right from this token F1 on
WARM_UP = 3  # first questions, whose time is not counted: shapes are compiled and pages read on them
BLOCKS = ("reader", "retrieval", "end_to_end", "absent", "judged_wrong", "confidence", "latency_ms")


@dataclass(frozen=True, slots=True)
class Read:
    """What the reader says to a question on its own paragraph; ``margin`` its score less null."""

    question: Question
    answer: str | None
    margin: float


@dataclass(frozen=True, slots=True)
class Asked:
    """What the whole program says to a question.

    ``forced`` is its answer when it may not decline, ``shipped`` its answer at its default threshold.
    ``findable`` is false where no indexed article answers: then only declining is right, whatever the words.
    ``rank`` is that of the first passage with a gold span, 0 if none has one, None if the place is not known.
    """

    question: Question
    findable: bool
    forced: str | None
    confidence: float | None
    shipped: str | None
    rank: int | None
    ms: float | None
    read_as: str = ""
    passage: str | None = None  # around the forced answer
    source: str | None = None  # title of the article, or of the one answered from
    hits: tuple[Mapping[str, Any], ...] = ()  # what was retrieved, where it went wrong
    said_at: int = (
        0  # rank of the first hit that says a right answer, by its place if that is known, 0 for none
    )
    read: int = 0  # how many of the hits were read

    @property
    def answers(self) -> tuple[str, ...]:
        """The right answers that can be found."""
        return self.question.answers if self.findable else ()

    @property
    def wrong_again(self) -> bool:
        """Whether what is given is what people refused."""
        if self.shipped is None:
            return None in self.question.refused
        refused = [answer for answer in self.question.refused if answer is not None]
        return bool(refused) and metrics.f1(self.shipped, refused) >= RIGHT

    @property
    def done_right(self) -> bool:
        """Whether what it did at its default threshold, answering or declining, was right as far as is known."""
        if self.question.judged_wrong:
            return not self.wrong_again
        return self.right(self.shipped) if self.findable else self.shipped is None

    def to_json(self) -> dict[str, Any]:
        """One row of ``per_question``; ``f1`` is of the forced answer, None where there is nothing to find.

        ``answerable`` is None where nobody said what is right.
        """
        return {
            "id": self.question.id, "question": self.question.text, "right": self.done_right,
            "f1": round(metrics.f1(self.forced, self.answers), 4) if self.findable else None,
            "best": self.forced, "given": self.shipped, "confidence": self.confidence, "rank": self.rank,
            "answerable": None if self.question.judged_wrong else self.findable,
            "ms": None if self.ms is None else round(self.ms, 2),
        }  # fmt: skip

    def right(self, answer: str | None) -> bool:
        """Whether these words answer the question, by `RIGHT`."""
        return self.findable and metrics.f1(answer, self.answers) >= RIGHT


@dataclass(frozen=True, slots=True)
class Figure:
    """A value and its 95 % interval; None where nothing defines it."""

    value: float | None = None
    interval: tuple[float, float] | None = None


Tree = Mapping[str, "Figure | Tree"]


def measure(statistic: metrics.Statistic, *columns: Iterable[float], scale: float = 1.0) -> Figure:
    """A statistic over questions, with its bootstrap interval, times ``scale``."""
    arrays = [np.array(list(column), dtype=np.float64) for column in columns]
    if not arrays[0].size:
        return Figure()
    value = float(statistic(*arrays))
    if math.isnan(value):
        return Figure()
    found = metrics.interval(statistic, *arrays)
    interval = (round(found[0] * scale, 4), round(found[1] * scale, 4)) if found else None
    return Figure(round(value * scale, 4), interval)


def share(flags: Iterable[bool]) -> Figure:
    """The share that is true."""
    return measure(metrics.mean, flags)


def reader_figures(reads: Sequence[Read]) -> Tree | None:
    """EM and F1 over the answerable questions, never declining.

    Where others are impossible (SQuAD 2), also the best over all null thresholds, and how well the margin
    tells the two apart.
    """
    if not reads:
        return None
    answerable = [bool(r.question.answers) for r in reads]
    squad2 = any(answerable) and not all(answerable)
    plain, best = {}, {}
    for name, score in (("em", metrics.exact_match), ("f1", metrics.f1)):
        gain = [score(r.answer, r.question.answers) if r.question.answers else -bool(r.answer) for r in reads]
        plain[name] = measure(metrics.mean, compress(gain, answerable), scale=100)
        columns = ((-r.margin for r in reads), gain, (not yes for yes in answerable))
        best[f"best_{name}"] = measure(metrics.best_over_threshold, *columns) if squad2 else Figure()
    apart = measure(metrics.auroc, (r.margin for r in reads), answerable)
    return {**plain, **best, "auroc_answerable": apart}


def retrieval_figures(asked: Sequence[Asked]) -> Tree | None:
    """Recall and MRR over the questions whose answer's place is known and indexed."""
    ranks = [a.rank for a in asked if a.rank is not None]
    if not ranks:
        return None
    recall = {f"recall@{k}": measure(metrics.recall_at(k), ranks) for k in (1, 5, 20)}
    return {**recall, "mrr": measure(metrics.mrr, ranks)}


def end_to_end_figures(asked: Sequence[Asked]) -> Tree | None:
    """``forced`` over the questions that have an answer, ``shipped`` over all.

    In ``shipped``, declining scores 0 where there is an answer and 100 where there is none.
    """
    if not asked:
        return None
    findable = [a for a in asked if a.findable]
    em, f1, mean = metrics.exact_match, metrics.f1, metrics.mean
    return {
        "forced": {
            "em": measure(mean, (em(a.forced, a.answers) for a in findable), scale=100),
            "f1": measure(mean, (f1(a.forced, a.answers) for a in findable), scale=100),
        },
        "shipped": {
            "em": measure(mean, (em(a.shipped, a.answers) for a in asked), scale=100),
            "f1": measure(mean, (f1(a.shipped, a.answers) for a in asked), scale=100),
            "answered": share(a.shipped is not None for a in asked),
            "wrong_answered": share(a.shipped is not None and not a.right(a.shipped) for a in asked),
            "wrongly_declined": share(a.shipped is None and a.findable for a in asked),
        },
    }


def absent_figures(asked: Sequence[Asked]) -> Tree | None:
    """What becomes of the questions that no indexed article answers."""
    absent = [a for a in asked if not a.findable]
    if not absent:
        return None
    return {
        "declined": share(a.shipped is None for a in absent),
        "wrong_answered": share(a.shipped is not None for a in absent),
    }


def judged_wrong_figures(asked: Sequence[Asked]) -> Tree | None:
    """What becomes of the questions of which people only said that an answer, or declining, was wrong."""
    judged = [a for a in asked if a.question.judged_wrong]
    if not judged:
        return None
    return {"given_again": share(a.wrong_again for a in judged)}


def confidence_figures(asked: Sequence[Asked]) -> Tree | None:
    """How well the confidence of the forced answers tells right from wrong; None without a calibration.

    The coverages are shares of all questions, also of those to which no forced answer came.
    """
    rows = [a for a in asked if a.forced is not None and a.confidence is not None]
    if not rows:
        return None
    confidence = [a.confidence for a in rows if a.confidence is not None]
    right = [a.right(a.forced) for a in rows]
    silent = len(asked) - len(rows)
    everyone = (confidence + [-math.inf] * silent, right + [False] * silent)
    return {
        "auroc": measure(metrics.auroc, confidence, right),
        "ece": measure(metrics.ece, confidence, right),
        "aurc": measure(metrics.aurc, confidence, right),
        "coverage_at_80": measure(metrics.coverage_at(0.80), *everyone),
        "coverage_at_95": measure(metrics.coverage_at(0.95), *everyone),
    }


def latency_figures(asked: Sequence[Asked]) -> Tree | None:
    """Percentiles of the time to answer, without the first `WARM_UP` questions."""
    times = [a.ms for a in asked[WARM_UP:] if a.ms is not None]
    return {f"p{p}": measure(metrics.percentile(p), times) for p in (50, 95)} if times else None


def result(
    name: str, reads: Sequence[Read], asked: Sequence[Asked], models: Mapping[str, Any]
) -> dict[str, Any]:
    """One entry of the contract's JSON; a part that was not measured is None."""
    known = [a for a in asked if not a.question.judged_wrong]  # of the others nobody said what is right
    trees: dict[str, Tree | None] = {
        "reader": reader_figures(reads),
        "retrieval": retrieval_figures(known),
        "end_to_end": end_to_end_figures(known),
        "absent": absent_figures(known),
        "judged_wrong": judged_wrong_figures(asked),
        "confidence": confidence_figures(known),
        "latency_ms": latency_figures(asked),
    }
    return {
        "schema": SCHEMA,
        "dataset": name,
        "questions": len(asked or reads),
        "commit": commit(),
        "models": dict(models),
        "machine": machine(),
        **{key: _plain(tree, "value") for key, tree in trees.items()},
        "ci": {key: _plain(tree, "interval") for key, tree in trees.items()},
    }


def _plain(tree: Figure | Tree | None, part: str) -> object:
    """The values of a tree of figures, or their intervals as [low, high]."""
    if tree is None:
        return None
    if isinstance(tree, Figure):
        found = getattr(tree, part)
        return list(found) if isinstance(found, tuple) else found
    return {key: _plain(branch, part) for key, branch in tree.items()}


def format_table(results: Sequence[Mapping[str, Any]]) -> str:
    """The figures for a terminal: a row each, a column each dataset, with its interval."""
    if not results:
        return ""
    head = ["", *(f"{r['dataset']} ({r['questions']:,} questions)" for r in results)]
    names = dict.fromkeys(name for r in results for name in leaves(r))
    cells = [[name, *(cell(r, name) for r in results)] for name in names]
    widths = [max(len(row[column]) for row in [head, *cells]) for column in range(len(head))]
    rows = [head, ["-" * width for width in widths], *cells]
    return "\n".join("  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in rows)


def leaves(entry: Mapping[str, Any]) -> list[str]:
    """Dotted names of the figures that were measured, in order."""
    return [name for block in BLOCKS for name in _leaves(entry[block], block)]


def _leaves(block: object, name: str) -> list[str]:
    if isinstance(block, Mapping):
        return [leaf for key, branch in block.items() for leaf in _leaves(branch, f"{name}.{key}")]
    return [] if block is None else [name]


def figure(entry: Mapping[str, Any], name: str) -> tuple[float | None, Sequence[float] | None]:
    """A figure and its interval by its dotted name; None where it was not measured."""
    value: Any = entry
    interval: Any = entry["ci"]
    for key in name.split("."):
        value, interval = (value or {}).get(key), (interval or {}).get(key)
    return value, interval


def cell(entry: Mapping[str, Any], name: str) -> str:
    """A figure with its interval, as it is shown: "0.950 [0.944, 0.956]"; "-" where it was not measured."""
    value, interval = figure(entry, name)
    if value is None:
        return "-"
    digits = 1 if name.startswith("latency_ms") or name.endswith(("em", "f1")) else 3
    shown = f"{value:.{digits}f}"
    return f"{shown} [{interval[0]:.{digits}f}, {interval[1]:.{digits}f}]" if interval else shown
