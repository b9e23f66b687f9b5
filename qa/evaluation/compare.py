"""Two results of ``evaluate --json`` side by side: what got better and worse, whether by chance, and which questions.

Only questions that both results hold are compared, pair by pair: as they are the same questions, that is far sharper
than to look whether two intervals overlap.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from qa.evaluation import metrics
from qa.evaluation.files import an_object, get, parse, read_text
from qa.types import DatasetError

FLIPS = 50  # questions shown that got better, and as many that got worse
_FORM = "give two files that `evaluate --json` wrote"


@dataclass(frozen=True, slots=True)
class Comparison:
    """One dataset in both results. Differences are second less first, with their 95 % bootstrap intervals."""

    dataset: str
    questions: int
    right: tuple[float, float]  # share answered, or declined, rightly; in each result
    difference: float
    interval: tuple[float, float]
    chance: float  # p of McNemar's exact test: as many flips to one side if both were equally good
    f1: tuple[float, float] | None  # of the forced answers to what can be found, in percent
    f1_difference: float | None
    f1_interval: tuple[float, float] | None
    better: tuple[
        Mapping[str, Any], ...
    ]  # the questions that only the second has right, as pairs of both rows
    worse: tuple[Mapping[str, Any], ...]


def compare(first: str | Path, second: str | Path) -> list[Comparison]:
    """Each dataset that both files hold, in the order of the first.

    :raises DatasetError: if a file is no result, or they share no dataset or no question.
    """
    before, after = _load(Path(first)), _load(Path(second))
    shared = [name for name in before if name in after]
    if not shared:
        raise DatasetError(f"{first} and {second} have no dataset in common; {_FORM} of the same datasets")
    return [_compare(name, before[name], after[name]) for name in shared]


def _load(path: Path) -> dict[str, dict[str, Mapping[str, Any]]]:
    """Dataset -> question -> its row."""
    entries = parse(read_text(path), path)
    if not isinstance(entries, list):
        raise DatasetError(f"{path}: not a list of results; {_FORM}")
    found: dict[str, dict[str, Mapping[str, Any]]] = {}
    for number, value in enumerate(entries, 1):
        where = f"{path}, result {number}"
        entry = an_object(value, where)
        if "per_question" not in entry:
            raise DatasetError(
                f"{where}: has no single questions (made with --reader-only, or by an older version)"
            )
        rows: dict[str, Mapping[str, Any]] = {}
        for place, item in enumerate(get(entry, "per_question", list, where), 1):
            row = an_object(item, f"{where}, question {place}")
            get(row, "right", bool, f"{where}, question {place}")
            rows[f"{row.get('id')} {row.get('question')}"] = row
        found[get(entry, "dataset", str, where)] = rows
    return found


def _compare(name: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Comparison:
    keys = [key for key in before if key in after]
    if not keys:
        raise DatasetError(
            f"{name}: the two results have no question in common; {_FORM} of the same questions"
        )
    pairs = [(before[key], after[key]) for key in keys]
    was, now = (np.array([float(pair[i]["right"]) for pair in pairs]) for i in (0, 1))
    scored = [p for p in pairs if all(isinstance(row.get("f1"), int | float) for row in p)]
    old, new = (np.array([float(pair[i]["f1"]) for pair in scored]) * 100 for i in (0, 1))
    flips = [{"before": one, "after": other} for one, other in pairs if one["right"] != other["right"]]
    better = [flip for flip in flips if flip["after"]["right"]]
    worse = [flip for flip in flips if flip["before"]["right"]]
    return Comparison(
        name,
        len(pairs),
        (float(was.mean()), float(now.mean())),
        float((now - was).mean()),
        metrics.interval(metrics.mean, now - was) or (0.0, 0.0),
        mcnemar(len(better), len(worse)),
        (float(old.mean()), float(new.mean())) if scored else None,
        float((new - old).mean()) if scored else None,
        metrics.interval(metrics.mean, new - old) if scored else None,
        tuple(better),
        tuple(worse),
    )


def mcnemar(better: int, worse: int) -> float:
    """Two-sided p of the exact test (McNemar 1947): flips fall to either side like a fair coin.

    >>> mcnemar(0, 0), mcnemar(1, 1), mcnemar(0, 5)
    (1.0, 1.0, 0.0625)
    """
    flips = better + worse
    tail = sum(math.comb(flips, k) for k in range(min(better, worse) + 1))
    chance: float = 2 * (tail / 2**flips)  # whole numbers until here: floats would overflow
    return min(1.0, chance)


def format_comparison(found: Sequence[Comparison]) -> str:
    """For a terminal: the figures, what they mean, and the questions that flipped."""
    lines: list[str] = []
    for one in found:
        low, high = one.interval
        verdict = "hardly by chance" if one.chance < 0.05 else "it may be chance"
        lines += [
            f"{one.dataset}: {one.questions:,} questions in both",
            f"  right   {one.right[0]:.3f} -> {one.right[1]:.3f}   {one.difference:+.3f} [{low:+.3f}, {high:+.3f}]"
            f"   {len(one.better)} better, {len(one.worse)} worse; p = {one.chance:.3f}: {verdict}",
        ]
        if one.f1 and one.f1_difference is not None and one.f1_interval:
            low, high = one.f1_interval
            lines.append(
                f"  f1      {one.f1[0]:.1f} -> {one.f1[1]:.1f}   {one.f1_difference:+.1f} [{low:+.1f}, {high:+.1f}]"
            )
        for word, flips in (("better", one.better), ("worse", one.worse)):
            lines += [f"  {word}: {_flip(flip)}" for flip in flips[:FLIPS]]
            if len(flips) > FLIPS:
                lines.append(f"  ... and {len(flips) - FLIPS} more {word}")
    return "\n".join(lines)


def _flip(flip: Mapping[str, Any]) -> str:
    said = (str(row["given"]) if row.get("given") is not None else "(declined)" for row in flip.values())
    return " ".join(f"{flip['after'].get('question')} | {' -> '.join(said)}".split())[:200]
