"""Other forms of the same question and context, as people's articles and questions come.

Articles: cut off at both ends, with stray boilerplate (and raw: `qa.evaluation.raw`). Questions: as typed into a
search box, short, with typing errors, without a question mark. The places of the answers are carried along.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence

from qa.evaluation.raw import raw
from qa.types import Range

# Lines that scraped pages carry; their words stand for whatever else stands there.
_STRAY = (
    "share this article on facebook twitter email print",
    "sign up for our daily newsletter and never miss a story",
    "we use cookies to give you the best experience on our website accept all",
    "advertisement continue reading below",
    "read more related stories you may also like",
    "copyright all rights reserved terms of use privacy policy contact us",
    "file photo updated at by staff writer",
    "this page was last edited jump to navigation jump to search from the free encyclopedia",
    "skip to main content home news sports opinion subscribe log in",
    "click here to view the original image of this story comments",
)
# Small words that people leave out of a search.
_LEFT_OUT = frozenset(
    ("a", "an", "the", "is", "are", "was", "were", "do", "does", "did", "be", "been", "of", "to", "in", "for", "by",
     "has", "have", "had", "that", "this", "it", "its")
)  # fmt: skip
_FEWEST_WORDS = 25  # that a cut leaves around the answer


def cut_view(text: str, spans: Sequence[Range], rng: random.Random) -> tuple[str, list[Range]]:
    """The text without a random part of its beginning and of its end, whole words; all spans stay."""
    words = [match.span() for match in re.finditer(r"\S+", text)]
    if len(words) <= _FEWEST_WORDS:
        return text, list(spans)
    inside = [i for i, (a, b) in enumerate(words) if any(a < end and b > start for start, end in spans)]
    first, last = (min(inside), max(inside)) if inside else (len(words) // 2, len(words) // 2)
    spare = max(0, len(words) - _FEWEST_WORDS)
    front = rng.randint(0, min(first, spare))
    back = rng.randint(0, min(len(words) - 1 - last, spare - front))
    start, end = words[front][0], words[len(words) - 1 - back][1]
    return text[start:end], [(a - start, b - start) for a, b in spans]


def stray_view(text: str, spans: Sequence[Range], rng: random.Random) -> tuple[str, list[Range]]:
    """The text with a line of boilerplate before it, behind it, or between two of its words outside the spans."""
    line = rng.choice(_STRAY)
    words = line.split()
    length = rng.randint(3, len(words))
    first = rng.randint(0, len(words) - length)
    line = " ".join(words[first : first + length])
    gaps = [0, len(text)] + [m.end() for m in re.finditer(r"\S+\s", text)]
    gaps = [g for g in gaps if not any(start < g < end for start, end in spans)]
    at = rng.choice((0, len(text), rng.choice(gaps)))
    before = "" if not at or text[at - 1].isspace() else " "
    after = " " if at < len(text) else ""
    new = f"{text[:at]}{before}{line}{after}{text[at:]}"
    shift = len(before) + len(line) + len(after)
    return new, [(a + shift, b + shift) if a >= at else (a, b) for a, b in spans]


def question_view(question: str, rng: random.Random) -> str:
    """The question in one of the ways people type: bare, as a search, or with a typing error; never empty."""
    kind = rng.random()
    if kind < 0.35:
        new = raw(question)
    elif kind < 0.6:
        new = searched(question)
    elif kind < 0.75:
        new = question.rstrip("? ")
    else:
        new = mistyped(question if rng.random() < 0.5 else raw(question), rng)
    return new or question


def searched(question: str) -> str:
    """The question as typed into a search box: its longer words, bare."""
    return " ".join(w for w in raw(question).split() if w not in _LEFT_OUT)


def mistyped(text: str, rng: random.Random) -> str:
    """One letter of a longer word swapped with the next, left out, or typed twice."""
    places = [m.start() + i for m in re.finditer(r"[A-Za-z]{4,}", text) for i in range(1, len(m.group()) - 1)]
    if not places:
        return text
    i = rng.choice(places)
    kind = rng.randrange(3)
    if kind == 0:
        return text[:i] + text[i + 1] + text[i] + text[i + 2 :]
    return text[:i] + text[i + 1 :] if kind == 1 else text[:i] + text[i] + text[i:]
