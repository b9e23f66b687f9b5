"""Answers and lists on the terminal: data to stdout, for programs as JSON; words about it to stderr."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

from qa import wording
from qa.adding import AddReport
from qa.quoting import QuoteCheck
from qa.types import Answer, ArticleInfo, OldVersion, Verification

if TYPE_CHECKING:
    from qa.folders import Report

# Articles, titles and file names are not ours: none of their characters may steer a terminal or turn text around.
_STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def say(words: str) -> None:
    """To stderr, which no program reads on."""
    print(_STEERING.sub("\ufffd", words), file=sys.stderr)


def bar(total: int | None, words: str, unit: str = "question") -> tqdm[Any]:
    """A bar of progress on stderr, if that is a terminal; gone when it is done."""
    return tqdm(total=total, desc=words, unit=f" {unit}", disable=None, leave=False)


class _Strong(str):
    """A stretch of a line to look at first: bold on a terminal that wants it so."""

    __slots__ = ()


def _coloured() -> bool:
    """Whether stdout is a terminal that is not asked to do without (https://no-color.org)."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _show(*parts: str) -> None:
    strong = "\x1b[1m{}\x1b[0m" if _coloured() else "{}"
    clean = [(part, _STEERING.sub("\ufffd", part)) for part in parts]
    print("".join(strong.format(text) if isinstance(part, _Strong) else text for part, text in clean))


def show_json(data: object) -> None:
    """On one line; what would steer a terminal is escaped, which is the same JSON."""
    print(_STEERING.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(data, ensure_ascii=False)))


def show_answer(answer: Answer) -> None:
    """The quote with its places, or why there is none."""
    for warning in answer.warnings:
        say(f"note: {warning}")
    if answer.answer is None:
        _show(_Strong(wording.DECLINED), f" {wording.REASONS[answer.reason or 'no_span']}")
        if answer.nearest:
            _show(
                f"\nNearest passage, not an answer ({answer.nearest.title}):\n  {_short(answer.nearest.text)}"
            )
        return
    _show(_Strong(f"“{_flat(answer.answer)}”"), f"   {wording.confidence(answer.confidence)}")
    for citation in answer.citations:
        place = f", {citation.locator}" if citation.locator else ""
        before = citation.passage.text[: citation.start - citation.passage.start]
        after = citation.passage.text[citation.end - citation.passage.start :]
        _show(f"  {citation.title}{place}  [{citation.ref}]")
        _show(
            f"    … {_short(before, tail=True)}▸", _Strong(_flat(citation.text)), f"◂{_short(after)} …",
        )  # fmt: skip
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


def show_old_versions(versions: Sequence[OldVersion]) -> None:
    """One a line, named as references name them."""
    for old in versions:
        until = f"{old.retired[:10]} {old.retired[11:16]} UTC"
        _show(f"{old.article}@{old.version[:12]}  {old.characters} characters, live until {until}")


def show_verification(found: Verification) -> None:
    """What became of a quote."""
    _show(_Strong(found.state), f": {wording.STATES[found.state]}")
    if found.text is not None:
        _show(f"  “{_short(found.text, 200)}”")
    if found.now is not None and found.state != "unchanged":
        _show(f"  now: “{_short(found.now.text, 200)}”  [{found.now.ref}]")


def show_quote(found: QuoteCheck) -> None:
    """Whether the articles say somebody's words, and where; of other wordings, what differs."""
    for warning in found.warnings:
        say(f"note: {warning}")
    _show(_Strong(found.state), f": {wording.QUOTE_STATES[found.state]}")
    for place in found.places:
        where = f", {place.citation.locator}" if place.citation.locator else ""
        _show(f"  {place.citation.title}{where}  [{place.citation.ref}]")
        if found.state == "near":
            _show(f"    “{_flat(place.citation.text)}”")
            for change in place.diff:
                if change.op not in ("same", "form"):
                    _show(
                        f"      claimed “{_flat(change.claimed)}”, the article has “{_flat(change.article)}”"
                    )


def counts(report: AddReport) -> dict[str, int]:
    """How many articles a run added, updated ..., without what is none."""
    removed = len(getattr(report, "removed", ()))  # only a run over folders removes
    all_counts = {
        "added": len(report.added), "updated": len(report.updated), "unchanged": len(report.unchanged),
        "removed": removed, "failed": len(report.failed),
    }  # fmt: skip
    return {word: count for word, count in all_counts.items() if count}


def show_report(report: AddReport, info: Mapping[str, int]) -> None:
    """What a run failed at and did, and what the index has now."""
    for name, why in report.failed:
        say(f"failed: {_named(name, why)}")
    done = ", ".join(f"{count} {word}" for word, count in counts(report).items()) or "nothing found to index"
    say(f"{done}; the index has {wording.articles(info['articles'])}, {wording.passages(info['passages'])}")


def show_rehearsal(report: Report) -> None:
    """What a run would do, an article a line, and what it would fail at."""
    for word, ids in (("add", report.added), ("update", report.updated), ("remove", report.removed)):
        for article in ids:
            _show(f"{word} {article}")
    for name, why in report.failed:
        say(f"would fail: {_named(name, why)}")


def _named(name: str, why: str) -> str:
    return why if name in why else f"{name}: {why}"


def _flat(text: str) -> str:
    return " ".join(text.split())


def _short(text: str, length: int = 90, *, tail: bool = False) -> str:
    """On one line, cut to about ``length`` characters."""
    flat = _flat(text)
    if len(flat) > length:
        flat = flat[-length:] if tail else flat[:length]
    return (" " if text[:1].isspace() else "") + flat + (" " if text[-1:].isspace() else "")
