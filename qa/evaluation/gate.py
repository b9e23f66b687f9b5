"""Figures that must not get worse: a file of limits, and what went past them.

TOML, a table for each dataset by its file's name, and in it a limit for each figure by its dotted name::

    ["seeds.jsonl"]
    "absent.declined" = { least = 0.8 }
    "end_to_end.shipped.wrong_answered" = { most = 0.15 }

A figure that was not measured has failed: a gate that cannot close is none.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from qa.evaluation.files import read_text
from qa.types import DatasetError

FORM = 'a gate is "figure" = { least = 0.8 } or { most = 0.1 }, in a table named after the dataset'


class Gate(NamedTuple):
    """A figure of a dataset, and the range it has to be in."""

    dataset: str
    figure: str
    least: float
    most: float


def load_gates(path: str | Path) -> list[Gate]:
    """The limits of a file, in its order.

    :raises DatasetError: if it cannot be read, is of another form, or holds no limit.
    """
    path = Path(path)
    try:
        document = tomllib.loads(read_text(path))
    except tomllib.TOMLDecodeError as error:
        raise DatasetError(f"{path}: not TOML ({str(error)[:80]}); {FORM}") from error
    gates: list[Gate] = []
    for dataset, table in document.items():
        if not isinstance(table, dict):
            raise DatasetError(f'{path}: "{dataset[:60]}" is not a table; {FORM}')
        gates += [_gate(path, dataset, figure, limits) for figure, limits in table.items()]
    if not gates:
        raise DatasetError(f"{path} holds no gate; {FORM}")
    return gates


def _gate(path: Path, dataset: str, figure: str, limits: object) -> Gate:
    where = f'{path}, "{dataset[:60]}", "{figure[:60]}"'
    if not isinstance(limits, dict) or not limits or set(limits) - {"least", "most"}:
        raise DatasetError(f"{where}: {FORM}")
    for limit in limits.values():
        if isinstance(limit, bool) or not isinstance(limit, int | float) or not math.isfinite(limit):
            raise DatasetError(f"{where}: {str(limit)[:20]!r} is not a number; {FORM}")
    return Gate(dataset, figure, float(limits.get("least", -math.inf)), float(limits.get("most", math.inf)))


def failures(gates: Sequence[Gate], results: Sequence[Mapping[str, Any]]) -> list[str]:
    """One line for each figure that is past its limit or was not measured; none if all gates hold."""
    measured = {result["dataset"]: result for result in results}
    lines: list[str] = []
    for gate in gates:
        name = f"{gate.dataset}: {gate.figure}"
        if gate.dataset not in measured:
            lines.append(f"{name} was not measured: no such dataset was given")
            continue
        value = _figure(measured[gate.dataset], gate.figure)
        if value is None:
            lines.append(f"{name} was not measured")
        elif value < gate.least:
            lines.append(f"{name} is {value:g}, and must be at least {gate.least:g}")
        elif value > gate.most:
            lines.append(f"{name} is {value:g}, and must be at most {gate.most:g}")
    return lines


def _figure(entry: Mapping[str, Any], name: str) -> float | None:
    """A figure by its dotted name; parts of names with points in them do not occur."""
    value: Any = entry
    for part in name.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
