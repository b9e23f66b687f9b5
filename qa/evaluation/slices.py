"""The figures by kind of question, answer and text: where the program is good, and where it is not.

A question is in one slice of each dimension, or in none where what decides is not known:

- ``question``: its question word ("how many" apart from "how"; "other" without one)
- ``answer``: what its first right answer is: "date", "number", "short" (up to 3 words), "long", or "none"
- ``passage``: words of its own paragraph: "under 100", "100 to 199", "200 and more"
- ``text``: "raw" if that paragraph, or else the one answered from, has neither capitals nor punctuation; or "clean"
- ``source``: the title of its article, or else of the one answered from; the ``SOURCES`` most frequent
"""

from __future__ import annotations

import re
import string
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from qa.english import MONTHS, WH
from qa.evaluation import metrics
from qa.evaluation.report import Asked, Figure, measure, share

SOURCES = 20
_NUMBERS = frozenset(
    [
        "one",
        "two",
        "three",
        "four",
        "five",
        "six",
        "seven",
        "eight",
        "nine",
        "ten",
        "eleven",
        "twelve",
        "twenty",
        "thirty",
        "forty",
        "fifty",
        "hundred",
        "thousand",
        "million",
        "billion",
        "half",
        "percent",
        "first",
        "second",
        "third",
    ]
)
_YEAR = re.compile(r"\b(?:1[0-9]|20)[0-9]{2}\b")
_WORD = re.compile(r"\w+")


def slices(asked: Sequence[Asked]) -> dict[str, dict[str, Any]]:
    """For each dimension and slice: ``questions``, the figures, and their 95 % intervals under ``ci``.

    ``f1`` is of the forced answers to what can be found, in percent; ``answered``, ``wrong_answered`` and
    ``wrongly_declined`` are shares of all questions of the slice, at the default threshold.
    """
    known = [a for a in asked if not a.question.judged_wrong]
    result: dict[str, dict[str, Any]] = {}
    for name, of in DIMENSIONS.items():
        groups: dict[str, list[Asked]] = defaultdict(list)
        for one in known:
            value = of(one)
            if value is not None:
                groups[value].append(one)
        largest = sorted(groups, key=lambda value: (-len(groups[value]), value))
        kept = largest[:SOURCES] if name == "source" else largest
        result[name] = {value: _figures(groups[value]) for value in kept}
    return result


def _figures(asked: Sequence[Asked]) -> dict[str, Any]:
    findable = [a for a in asked if a.findable]
    figures: Mapping[str, Figure] = {
        "f1": measure(metrics.mean, (metrics.f1(a.forced, a.answers) for a in findable), scale=100),
        "answered": share(a.shipped is not None for a in asked),
        "wrong_answered": share(a.shipped is not None and not a.right(a.shipped) for a in asked),
        "wrongly_declined": share(a.shipped is None and a.findable for a in asked),
    }
    return {
        "questions": len(asked),
        **{name: figure.value for name, figure in figures.items()},
        "ci": {name: figure.interval and list(figure.interval) for name, figure in figures.items()},
    }


def question_word(asked: Asked) -> str:
    """The first question word of a question, wherever it stands: "in which year" is "which"."""
    low = [word.casefold() for word in _WORD.findall(asked.question.text)]
    at = next((i for i, word in enumerate(low) if word in WH), None)
    if at is None:
        return "other"
    if low[at] == "how" and low[at + 1 : at + 2] in (["many"], ["much"]):
        return f"how {low[at + 1]}"
    return "who" if low[at] in ("whom", "whose") else low[at]


def answer_kind(asked: Asked) -> str:
    """What the first right answer looks like."""
    if not asked.answers:
        return "none"
    answer = asked.answers[0].casefold()
    found = _WORD.findall(answer)
    if len(found) <= 6 and (set(found) & MONTHS or _YEAR.search(answer)):
        return "date"
    if len(found) <= 6 and any(word[0].isdigit() or word in _NUMBERS for word in found):
        return "number"
    return "short" if len(found) <= 3 else "long"


def passage_length(asked: Asked) -> str | None:
    """How long the paragraph is that the question was asked about."""
    if asked.question.context is None:
        return None
    count = len(asked.question.context.split())
    return "under 100" if count < 100 else "100 to 199" if count < 200 else "200 and more"


def text_kind(asked: Asked) -> str | None:
    """Whether the text is as scraping leaves it."""
    text = asked.question.context or asked.passage
    if not text:
        return None
    raw = text == text.lower() and not set(text) & set(string.punctuation)
    return "raw" if raw else "clean"


def source(asked: Asked) -> str | None:
    """The article's title."""
    return asked.source


DIMENSIONS: Mapping[str, Callable[[Asked], str | None]] = {
    "question": question_word,
    "answer": answer_kind,
    "passage": passage_length,
    "text": text_kind,
    "source": source,
}


def format_slices(entry: Mapping[str, Any]) -> str:
    """The slices of one result for a terminal, a line each."""
    names = ("f1", "answered", "wrong_answered", "wrongly_declined")
    rows = [["", "questions", *names]]
    for name, values in entry["slices"].items():
        for value, figures in values.items():
            cells = (_cell(figures, key) for key in names)
            rows.append([f"{name}: {value[:40]}", str(figures["questions"]), *cells])
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return "\n".join("  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in rows)


def _cell(figures: Mapping[str, Any], key: str) -> str:
    value, interval = figures[key], figures["ci"][key]
    if value is None:
        return "-"
    digits = 1 if key == "f1" else 2
    return f"{value:.{digits}f} [{interval[0]:.{digits}f}, {interval[1]:.{digits}f}]"
