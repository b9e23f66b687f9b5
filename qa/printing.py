"""Answers and lists on the terminal: data to stdout, for programs as JSON; words about it to stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from qa import wording
from qa.types import Answer, ArticleInfo, Verification


def say(words: str) -> None:
    """To stderr, which no program reads on."""
    print(words, file=sys.stderr)


def show_json(data: object) -> None:
    """On one line."""
    print(json.dumps(data, ensure_ascii=False))


def show_answer(answer: Answer) -> None:
    """The quote with its places, or why there is none."""
    for warning in answer.warnings:
        say(f"note: {warning}")
    if answer.answer is None:
        print(wording.DECLINED, wording.REASONS[answer.reason or "no_span"])
        if answer.nearest:
            print(
                f"\nNearest passage, not an answer ({answer.nearest.title}):\n  {_short(answer.nearest.text)}"
            )
        return
    print(f"“{answer.answer}”   {wording.confidence(answer.confidence)}")
    for citation in answer.citations:
        place = f", {citation.locator}" if citation.locator else ""
        before = citation.passage.text[: citation.start - citation.passage.start]
        after = citation.passage.text[citation.end - citation.passage.start :]
        print(f"  {citation.title}{place}  [{citation.ref}]")
        print(f"    … {_short(before, tail=True)}▸{citation.text}◂{_short(after)} …")
    for other in answer.alternatives:
        where = other.citations[0].title
        print(f"  another answer: “{other.answer}”   {wording.confidence(other.confidence)}   {where}")


def show_passages(rows: Sequence[Mapping[str, Any]]) -> None:
    """What ``Pipeline.search`` found."""
    for row in rows:
        print(f"{row['score']:.3f}  {row['title']}  [{row['ref']}]\n       {_short(row['text'], 160)}")
    if not rows:
        say("nothing found")


def show_articles(infos: Sequence[ArticleInfo]) -> None:
    """One a line."""
    for info in infos:
        print(
            f"{info.article}  {info.characters} characters, {wording.passages(info.passages)}  {info.source}"
        )
    if not infos:
        say("the index has no articles; add some: python -m qa index FOLDER")


def show_verification(found: Verification) -> None:
    """What became of a quote."""
    print(f"{found.state}: {wording.STATES[found.state]}")
    if found.text is not None:
        print(f"  “{_short(found.text, 200)}”")
    if found.now is not None and found.state != "unchanged":
        print(f"  now: “{_short(found.now.text, 200)}”  [{found.now.ref}]")


def _short(text: str, length: int = 90, *, tail: bool = False) -> str:
    """On one line, cut to about ``length`` characters."""
    flat = " ".join(text.split())
    if len(flat) > length:
        flat = flat[-length:] if tail else flat[:length]
    return (" " if text[:1].isspace() else "") + flat + (" " if text[-1:].isspace() else "")
