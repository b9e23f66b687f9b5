"""Subtitles and transcripts (SubRip, WebVTT) -> what is said, as one text, with times as locators.

A cue ends where the screen is full, in mid-sentence as a rule: only joined do cues read, and split into passages, as
speech does.
"""

from __future__ import annotations

import html
import re
from itertools import pairwise

from .extract import Extract, Locators, Unreadable

Cue = tuple[int, list[str]]  # seconds from the start, lines

LABEL_SECONDS = 5  # at least so long between two locators: near enough to find the place

_TIME = r"(?:(\d+):)?(\d{1,2}):(\d{2})(?:[.,]\d{1,3})?"
_TIMING = re.compile(rf"[ \t]*{_TIME}[ \t]*-->[ \t]*{_TIME}(?:[ \t].*)?")
# Blocks of WebVTT that are not shown.
_UNSHOWN = re.compile(r"(?<=\n\n)(?:NOTE(?:[ \t][^\n]*)?|STYLE[ \t]*|REGION[ \t]*)(?:\n[^\n]+)*(?=\n|\Z)")
# Only the tags of the two formats, so that "a < b and c > d" stays.
_TAG = re.compile(
    r"</?(?:c|i|b|u|s|v|lang|ruby|rt|font|span)(?:[.\s][^<>]*)?>|<(?:\d+:)?\d\d:\d\d\.\d{3}>|\{\\[^{}]*\}",
    re.I,
)
_BREAK = re.compile(r"<br[ \t]*/?>|\\N", re.I)
_REFERENCE = re.compile(r"&(?:\w{2,8}|#\d{1,7}|#[xX][0-9a-fA-F]{1,6});")


def transcript(text: str) -> Extract:
    """The words of all cues, joined by single spaces, without numbers, times, tags and what rolls up again.

    The locator of a place is the time at which its cue, or one at most 5 seconds earlier, begins: "00:12:31".

    :raises Unreadable: if there is no cue.
    """
    cues = _cues(re.sub(r"\r\n?", "\n", text.removeprefix("\ufeff")))
    if not cues:
        raise Unreadable(
            'has no line such as "00:00:01,000 --> 00:00:04,000"; if it is plain text, name it .txt'
        )
    parts: list[str] = []
    locators: list[tuple[int, str]] = []
    length = last = 0
    for seconds, lines in _unrolled([cue for cue in cues if cue[1]]):
        if not lines:
            continue
        start = length + bool(parts)
        if not locators or not 0 <= seconds - last < LABEL_SECONDS:
            locators.append((start, f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"))
            last = seconds
        parts.append(" ".join(lines))
        length = start + len(parts[-1])
    found: Locators = tuple(locators)
    return Extract(" ".join(parts), locators=found)


def _cues(text: str) -> list[Cue]:
    """All that stands between two lines of times is the first one's; empty lines within a cue do occur."""
    if text.startswith("WEBVTT"):
        text = _UNSHOWN.sub("", text)
    rows = text.split("\n")
    timings = [(at, found) for at, row in enumerate(rows) if (found := _TIMING.fullmatch(row))]
    ends = [*(at - _is_named(rows, at) for at, _ in timings[1:]), len(rows)][: len(timings)]
    cues = []
    for (at, found), end in zip(timings, ends, strict=True):
        hours, minutes, seconds = (int(part or 0) for part in found.groups()[:3])
        lines = [line for row in rows[at + 1 : end] if (line := _clean(row))]
        cues.append((hours * 3600 + minutes * 60 + seconds, lines))
    return cues


def _is_named(rows: list[str], at: int) -> bool:
    """Whether the row before this line of times is the cue's number or name, and no words of the cue before it."""
    name = rows[at - 1].strip()
    return name.isdecimal() or (name != "" and at >= 2 and rows[at - 2] == "")


def _clean(row: str) -> str:
    shown = _TAG.sub("", _BREAK.sub(" ", row))
    return " ".join(_REFERENCE.sub(lambda found: html.unescape(found[0]), shown).split())


def _unrolled(cues: list[Cue]) -> list[Cue]:
    """Without the lines that were on the screen already, if the captions roll up (as YouTube's own do).

    Where lines come again only now and then, somebody has said them twice.
    """
    again = [_overlap(before[1], now[1]) for before, now in pairwise(cues)]
    rolls = any(0 < count < len(now[1]) for count, now in zip(again, cues[1:], strict=True))
    if not rolls or 2 * sum(count > 0 for count in again) <= len(again):
        return cues
    fresh = zip(cues[1:], again, strict=True)
    return [*cues[:1], *((seconds, lines[count:]) for (seconds, lines), count in fresh)]


def _overlap(before: list[str], now: list[str]) -> int:
    """How many of the last lines before are the first ones now."""
    longest = min(len(before), len(now))
    return next((count for count in range(longest, 0, -1) if before[-count:] == now[:count]), 0)
