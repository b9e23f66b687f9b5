"""What an extractor returns, and the small parts that all extractors share."""

from __future__ import annotations

import datetime as dt
import re
import sys
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

from .types import Range

Locators = tuple[tuple[int, str], ...]

LABEL_CHARACTERS = 80

# Where a link or a picture of Markdown leads: "](https://example.org)".
LINK = re.compile(
    r"\]\((?:<[^<>\n]{0,2000}>|[^()\s]{0,2000}(?:\([^()\s]{0,200}\)[^()\s]{0,2000})?)"
    r"""(?:[ \t]+(?:"[^"\n]{0,500}"|'[^'\n]{0,500}'))?\)"""
)


class Unreadable(Exception):
    """Why a file gives no text, worded to follow its name: "is protected by a password; ..."."""


@dataclass(frozen=True, slots=True)
class Extract:
    """What an extractor found; ``masks`` and ``locators`` as in ``Article``.

    ``notice`` says what of the file is missing in the text, worded to follow its name; empty if nothing is.
    """

    text: str
    title: str | None = None
    date: str | None = None
    masks: tuple[Range, ...] = ()
    locators: Locators = ()
    notice: str = ""


def sanitize(text: str) -> str:
    """Replace lone surrogates, which UTF-8 cannot hold, and NULs, which few libraries bear, each by U+FFFD."""
    return re.sub("[\ud800-\udfff\0]", "\ufffd", text)


def inside(at: int, ranges: tuple[Range, ...]) -> bool:
    """Whether a place lies in one of some merged ranges."""
    found = bisect_right(ranges, (at, sys.maxsize))
    return found > 0 and at < ranges[found - 1][1]


def iso_date(value: object) -> str | None:
    """A date as ``2024-05-31``, or None for anything that is not clearly one. Nothing is guessed."""
    if isinstance(value, dt.datetime):
        return value.date().isoformat()
    if isinstance(value, dt.date):
        return value.isoformat()
    if not isinstance(value, str):
        return None
    value = value.strip()
    try:
        if found := re.match(r"(\d{4})([-/])(\d{2})\2(\d{2})(?!\d)", value):
            return dt.date(int(found[1]), int(found[3]), int(found[4])).isoformat()
        if re.match(r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d", value):  # RFC 2822
            return parsedate_to_datetime(value).date().isoformat()
    except ValueError:
        pass
    return None


def label(text: str) -> str:
    """A heading as a label: on one line, at most 80 characters."""
    return " ".join(text.split())[:LABEL_CHARACTERS].strip()


_BY_MACHINE = re.compile(
    r"untitled.*|microsoft (?:word|powerpoint)\b.*|(?:word |powerpoint )?(?:document|presentation|slide) ?\d*"
    r"|[\W\d_]*|\S+\.\w{2,4}",
    re.IGNORECASE,
)


def meaningful(title: object) -> str | None:
    """A title from a document's properties, unless a program put it there."""
    title = " ".join(title.split()) if isinstance(title, str) else ""
    return None if _BY_MACHINE.fullmatch(title) else title


def lines(text: str) -> Iterator[Range]:
    """Each line that is not blank, as its range without surrounding white space."""
    for found in re.finditer(r"[^\s](?:[^\r\n\f\u2028]*[^\s])?", text):
        yield found.span()
