"""Answers and lists on the terminal: data to stdout, for programs as JSON; words about it to stderr."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from qa import wording
from qa.types import Answer, ArticleInfo, Verification

# Articles, titles and file names are not ours: none of their characters may steer a terminal or turn text around.
_STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def say(words: str) -> None:
    """To stderr, which no program reads on."""
    print(_STEERING.sub("\ufffd", words), file=sys.stderr)


def _show(line: str) -> None:
    print(_STEERING.sub("\ufffd", line))


def show_json(data: object) -> None:
    """On one line; what would steer a terminal is escaped, which is the same JSON."""
    print(_STEERING.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(data, ensure_ascii=False)))


def show_answer(answer: Answer) -> None:
    """The quote with its places, or why there is none."""
    for warning in answer.warnings:
        say(f"note: {warning}")
    if answer.answer is None:
        _show(f"{wording.DECLINED} {wording.REASONS[answer.reason or 'no_span']}")
        if answer.nearest:
            _show(
                f"\nNearest passage, not an answer ({answer.nearest.title}):\n  {_short(answer.nearest.text)}"
            )
        return
    _show(f"“{_flat(answer.answer)}”   {wording.confidence(answer.confidence)}")
    for citation in answer.citations:
        place = f", {citation.locator}" if citation.locator else ""
        before = citation.passage.text[: citation.start - citation.passage.start]
        after = citation.passage.text[citation.end - citation.passage.start :]
        _show(f"  {citation.title}{place}  [{citation.ref}]")
        _show(f"    … {_short(before, tail=True)}▸{_flat(citation.text)}◂{_short(after)} …")
    for other in answer.alternatives:
        where = other.citations[0].title
        _show(f"  another answer: “{_flat(other.answer)}”   {wording.confidence(other.confidence)}   {where}")


def show_passages(rows: Sequence[Mapping[str, Any]]) -> None:
    """What ``Pipeline.search`` found."""
    for row in rows:
        _show(f"{row['score']:.3f}  {row['title']}  [{row['ref']}]\n       {_short(row['text'], 160)}")
    if not rows:
        say("nothing found")


def show_articles(infos: Sequence[ArticleInfo]) -> None:
    """One a line."""
    for info in infos:
        _show(
            f"{info.article}  {info.characters} characters, {wording.passages(info.passages)}  {info.source}"
        )
    if not infos:
        say("the index has no articles; add some: python -m qa index FOLDER")


def show_verification(found: Verification) -> None:
    """What became of a quote."""
    _show(f"{found.state}: {wording.STATES[found.state]}")
    if found.text is not None:
        _show(f"  “{_short(found.text, 200)}”")
    if found.now is not None and found.state != "unchanged":
        _show(f"  now: “{_short(found.now.text, 200)}”  [{found.now.ref}]")


def _flat(text: str) -> str:
    return " ".join(text.split())


def _short(text: str, length: int = 90, *, tail: bool = False) -> str:
    """On one line, cut to about ``length`` characters."""
    flat = _flat(text)
    if len(flat) > length:
        flat = flat[-length:] if tail else flat[:length]
    return (" " if text[:1].isspace() else "") + flat + (" " if text[-1:].isspace() else "")
