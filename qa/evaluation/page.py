"""Results of ``evaluate`` -> one self-contained page: ``evaluate --report OUT.html``.

Questions, answers, titles and passages are anyone's: the template escapes all that it is given, the curves
(``plots.py``) hold none of it, and a content security policy lets no script run but the page's own.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from qa.evaluation import curves, plots
from qa.evaluation.mistakes import MEANINGS, shown
from qa.evaluation.report import cell, figure, leaves

TEMPLATES = Path(__file__).resolve().parent / "templates"

# Label, figure, and what it means to who meets it for the first time.
_CARDS = (
    ("Answers, never declining: F1", "end_to_end.forced.f1", "words shared with a right answer, where there is one"),
    ("The same, word for word", "end_to_end.forced.em", "exactly a right answer"),
    ("Wrong answers given", "end_to_end.shipped.wrong_answered", "of all questions, at the default threshold"),
    ("Declined though there", "end_to_end.shipped.wrongly_declined", "of all questions"),
    ("Declined, and rightly", "absent.declined", "of the questions that no article answers"),
    ("Found among the first five", "retrieval.recall@5", "passages: the answer's place"),
    ("Given again though called wrong", "judged_wrong.given_again", "of the answers that people refused"),
    ("Reader alone: F1", "reader.f1", "given the very paragraph"),
    ("Error of the confidence", "confidence.ece", "how far it is from the share that is right; 0 is best"),
    ("Tells right from wrong", "confidence.auroc", "by confidence; .5 is guessing, 1 is always"),
    ("Time to answer", "latency_ms.p50", "half of the questions take less"),
    ("Slow ones", "latency_ms.p95", "one in twenty takes longer"),
)  # fmt: skip
_SLICES = {
    "question": ("By question word", "Question word"),
    "answer": ("By what the answer is", "Answer"),
    "passage": ("By length of its paragraph", "Words"),
    "text": ("By how the text looks", "Text"),
    "source": ("By article", "Article"),
}
_FEW = 10  # questions, below which a slice has no interval: all alike says little of the next one
_SLICED = (("f1", 100, ""), ("wrong_answered", 1, "bad"), ("wrongly_declined", 1, "bad"))


def page(results: Sequence[Mapping[str, Any]]) -> str:
    """The page, whole: style, script and curves are in it.

    :param results: as ``evaluate`` returns them, or read back from ``--json``.
    """
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    environment.filters["number"] = lambda value: f"{float(value):.2f}"
    script = (TEMPLATES / "report.js").read_text(encoding="utf-8")
    return environment.get_template("report.html").render(
        style=Markup((TEMPLATES / "report.css").read_text(encoding="utf-8")),
        script=Markup(script),
        script_hash=f"sha256-{b64encode(sha256(script.encode()).digest()).decode()}",
        parts=[_part(entry, f"set-{number}") for number, entry in enumerate(results, 1)],
    )


def _part(entry: Mapping[str, Any], name: str) -> dict[str, Any]:
    """What the template shows of one dataset."""
    models = entry["models"]
    wrong = entry.get("went_wrong") or {}
    return {
        "name": name,
        "dataset": entry["dataset"],
        "questions": entry["questions"],
        "outcome": _outcome(entry),
        "cards": [card for words in _CARDS if (card := _card(entry, *words)) is not None],
        "plots": _plots(entry, name),
        "slices": [_slice(key, entry["slices"][key]) for key in _SLICES if entry.get("slices", {}).get(key)],
        "errors": [shown(row) for row in entry.get("errors") or ()],
        "wrong": sum(wrong.values()),
        "kinds": [{"what": w, "count": n, "meaning": MEANINGS[w]} for w, n in wrong.items()],
        "all": [(key, *_all(entry, key)) for key in leaves(entry)],
        "commit": entry["commit"],
        "reader": models["reader"],
        "encoder": models["encoder"],
        "threshold": (models["calibration"] or {}).get("threshold", "none: not calibrated"),
        "machine": f"{entry['machine']['cpu']}, {entry['machine']['threads']} threads",
    }


def _outcome(entry: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What becomes of all questions, as shares that make up the whole; those of no question are left out."""
    shipped = (entry.get("end_to_end") or {}).get("shipped") or {}
    if shipped.get("answered") is None:
        return []
    wrong, missed = shipped["wrong_answered"], shipped["wrongly_declined"]
    shares = (
        ("answered", "answers rightly", "answered rightly", shipped["answered"] - wrong),
        ("held", "rightly declines", "rightly declined", 1 - shipped["answered"] - missed),
        ("missed", "declines though the answer is there", "declined though there", missed),
        ("wronged", "answers wrongly", "answered wrongly", wrong),
    )
    return [
        {"kind": kind, "verb": verb, "label": label, "value": value, "shown": f"{100 * value:.0f}"}
        for kind, verb, label, value in shares
        if value > 0.0005
    ]


def _all(entry: Mapping[str, Any], key: str) -> tuple[str, str]:
    """A figure and its interval, as the terminal shows them."""
    shown, _, interval = cell(entry, key).partition(" ")
    return shown, interval.strip("[]")


def _card(entry: Mapping[str, Any], label: str, key: str, note: str) -> dict[str, Any] | None:
    value, interval = figure(entry, key)
    if value is None:
        return None
    most = 100 if key.endswith(("em", "f1")) else None if key.startswith("latency") else 1
    if key.startswith("confidence"):
        shown, between = _all(entry, key)
    else:  # a rate, as people say it
        times, unit = (100, " %") if most == 1 else (1, "" if most else " ms")
        digits = 1 if most else 0
        shown = f"{times * value:.{digits}f}{unit}"
        between = " to ".join(f"{times * end:.{digits}f}" for end in interval or ())
    bar = _bar(value, interval, most) if interval and most else None
    return {
        "label": label,
        "shown": shown,
        "interval": between.replace(", ", " to "),
        "note": note,
        "bar": bar,
    }


def _bar(value: float, interval: Sequence[float], most: float) -> dict[str, float]:
    """Where a value and its interval lie from 0 to ``most``, in percent."""
    low, high = (100 * min(max(end / most, 0), 1) for end in interval)
    return {"at": 100 * value / most, "low": low, "width": high - low}


def _slice(key: str, values: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    title, head = _SLICES[key]
    rows = [
        {
            "value": value,
            "questions": figures["questions"],
            "cells": [_slice_cell(figures, *column) for column in _SLICED],
        }
        for value, figures in values.items()
    ]
    return {"title": title, "head": head, "rows": rows}


def _slice_cell(figures: Mapping[str, Any], key: str, most: float, kind: str) -> dict[str, Any] | None:
    value, interval = figures[key], figures["ci"][key]
    if value is None:
        return None
    times, unit = (1, "") if most == 100 else (100, " %")
    few = figures["questions"] < _FEW or interval is None
    low, high = (value, value) if few else interval
    between = "few" if few else f"{times * low:.0f} to {times * high:.0f}"
    shown = f"{times * value:.{1 if most == 100 else 0}f}{unit}"
    return {"shown": shown, "interval": between, "kind": kind, "bar": _bar(value, (low, high), most)}


# ---- curves


def _plots(entry: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    """Each curve that there are questions for, with its numbers."""
    made: list[dict[str, Any]] = []

    def add(title: str, note: str, svg: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        safe = Markup(svg)
        made.append({"title": title, "note": note, "svg": safe, "columns": columns, "rows": rows})

    if points := curves.risk_coverage(entry):
        threshold = (entry["models"]["calibration"] or {}).get("threshold")
        some = points[:: max(1, len(points) // 20)]
        add(
            "Risk and coverage", "A higher threshold answers less, and errs less.",
            plots.draw_risk_coverage(points, threshold, f"{name}-risk"),
            ("Confidence from", "Answered", "Wrong"),
            [(f"{p.confidence:.2f}", f"{p.coverage:.1%}", f"{p.risk:.1%}") for p in some],
        )  # fmt: skip
    if bins := curves.reliability(entry):
        add(
            "Reliability", "Of the answers it is 70 % sure of, 70 % should be right: the dashed line.",
            plots.draw_reliability(bins, f"{name}-reliability"), ("Confidence", "Answers", "Right", "95 % interval"),
            [(f"{b.confidence:.2f}", f"{b.answers}", f"{b.right:.0%}", f"{b.low:.0%} to {b.high:.0%}") for b in bins],
        )  # fmt: skip
    if values := curves.recall(entry):
        add(
            "Recall", "How deep one has to look to find the answer's place.",
            plots.draw_recall(values, f"{name}-recall"), ("Passages", "Found"),
            [(str(k), f"{value:.1%}") for k, value in enumerate(values, 1)],
        )  # fmt: skip
    if (times := curves.latency(entry)) is not None:
        p50, p95 = (figure(entry, f"latency_ms.p{p}")[0] for p in (50, 95))
        slower = f" {times.slower} took longer than is shown." if times.slower else ""
        add(
            "Time to answer", f"One question at a time.{slower}",
            plots.draw_latency(times, p50, p95, f"{name}-latency"), ("Milliseconds", "Questions"),
            [
                (f"{low:.0f} to {high:.0f}", str(count))
                for low, high, count in zip(times.edges, times.edges[1:], times.counts, strict=False)
            ],
        )  # fmt: skip
    return made
