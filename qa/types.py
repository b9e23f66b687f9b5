"""The records that travel through the program, and its exceptions.

Offsets are half-open and count code points of the article's stored text: ``text[start:end]``.

The exceptions, one tree; each message is one line a person can act on::

    QAError
    ├── ArticleError        a file or text that cannot become an article
    ├── QuestionError       a question or an argument of ``ask`` that cannot be used
    ├── RefError            a ``ref`` that is not of the form article@version#start-end
    ├── NotFoundError       no such article in the index
    ├── ArticleIndexError   an index that cannot be opened or written
    │   ├── IndexMissingError     there is none at this place
    │   ├── IndexMismatchError    made by another encoder or other settings
    │   ├── IndexTooNewError      made by a newer version of this program
    │   ├── IndexBusyError        another process is writing
    │   └── IndexUnreachableError the server that holds it does not answer
    ├── ModelError          a model folder that is missing, or not what its name says
    ├── DatasetError        an evaluation or training file that cannot be read
    └── VerbatimError       a quote that is not the article's text: a defect, never shown
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

SCHEMA = 1

Reason = Literal["empty_index", "nothing_retrieved", "no_span", "low_confidence"]
State = Literal["unchanged", "moved", "edited", "gone"]
Range = tuple[int, int]


class QAError(Exception):
    """Root of all errors this program raises on purpose."""


class ArticleError(QAError):
    """A file or text that cannot become an article."""


class QuestionError(QAError):
    """A question, or an argument beside it, that cannot be used."""


class RefError(QAError):
    """A reference that is not ``article@version#start-end``."""


class NotFoundError(QAError):
    """No article of that name in the index."""


class ArticleIndexError(QAError):
    """An index that cannot be opened or written."""


class IndexMissingError(ArticleIndexError):
    """There is no index at that place."""


class IndexMismatchError(ArticleIndexError):
    """The index was made by another encoder or with other settings."""


class IndexTooNewError(ArticleIndexError):
    """The index was made by a newer version of this program."""


class IndexBusyError(ArticleIndexError):
    """Another process is writing to the index."""


class IndexUnreachableError(ArticleIndexError):
    """The server that holds the index does not answer."""


class ModelError(QAError):
    """A model that is missing, incomplete, or not the one its name promises."""


class DatasetError(QAError):
    """An evaluation or training file that cannot be read."""


class VerbatimError(QAError):
    """A quote differs from the article's stored text. Always a defect of the program."""


def sha256(data: str | bytes) -> str:
    """Hex sha256 of bytes, or of a text in UTF-8."""
    return hashlib.sha256(data.encode() if isinstance(data, str) else data).hexdigest()


def merge_ranges(ranges: Iterable[Range]) -> tuple[Range, ...]:
    """Sort ranges, drop empty ones, and join those that overlap or touch.

    >>> merge_ranges([(5, 9), (0, 3), (3, 4), (8, 12)])
    ((0, 4), (5, 12))
    """
    merged: list[Range] = []
    for start, end in sorted(r for r in ranges if r[0] < r[1]):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return tuple(merged)


@dataclass(frozen=True, slots=True)
class Article:
    """One article as it was read: immutable text and what is known about it.

    ``masks`` are sorted, disjoint ranges of the text that no answer may touch (navigation, cookie lines).
    ``locators`` are sorted ``(start, label)`` pairs: from ``start`` on, the text stands at ``label``,
    such as "page 3".
    """

    id: str
    text: str
    title: str
    source: str
    date: str | None = None
    masks: tuple[Range, ...] = ()
    locators: tuple[tuple[int, str], ...] = ()
    bytes_sha256: str = ""
    path: str | None = None  # where the file lies on this machine; None for pasted text

    @property
    def version(self) -> str:
        """sha256 of the text: names this very text for ever."""
        return sha256(self.text)


@dataclass(frozen=True, slots=True)
class ArticleInfo:
    """One row of the list of articles."""

    article: str
    title: str
    source: str
    date: str | None
    version: str
    characters: int
    passages: int
    added: str  # ISO 8601, UTC

    def to_json(self) -> dict[str, Any]:
        """As the contract's JSON."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


@dataclass(frozen=True, slots=True)
class OldVersion:
    """A text that an article had, kept so that references to it can be verified."""

    article: str
    version: str
    characters: int
    retired: str  # when it ceased to be live; ISO 8601, UTC


@dataclass(frozen=True, slots=True)
class Passage:
    """A window of one article: what is embedded, retrieved and read."""

    article: str
    version: str
    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Hit:
    """A retrieved passage: ``dense`` the raw cosine, ``bm25`` the raw BM25 score, ``score`` their fusion."""

    passage: Passage
    score: float
    dense: float
    bm25: float


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of a hit's passage that the reader proposes.

    ``score`` is start logit + end logit; ``null`` is the same sum at the [CLS] position of the same window,
    the reader's score for "not in this passage". Neither is normalised, so spans of different passages
    compare.
    """

    hit: Hit
    start: int  # in the article
    end: int
    text: str
    score: float
    null: float


@dataclass(frozen=True, slots=True)
class Citation:
    """One place in one article that says the answer."""

    article: str
    title: str
    source: str
    date: str | None
    locator: str | None
    version: str
    start: int
    end: int
    text: str
    passage: Passage
    confidence: float | None

    @property
    def ref(self) -> str:
        """The reference that ``verify`` takes."""
        return make_ref(self.article, self.version, self.start, self.end)

    def to_json(self) -> dict[str, Any]:
        """As the contract's JSON."""
        return {
            "article": self.article, "title": self.title, "source": self.source, "date": self.date,
            "locator": self.locator, "version": self.version, "start": self.start, "end": self.end,
            "text": self.text,
            "passage": {"start": self.passage.start, "end": self.passage.end, "text": self.passage.text},
            "confidence": self.confidence, "ref": self.ref,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Alternative:
    """Another answer to the same question, with the places that say it."""

    answer: str
    confidence: float | None
    citations: tuple[Citation, ...]

    def to_json(self) -> dict[str, Any]:
        """As the contract's JSON."""
        return {
            "answer": self.answer,
            "confidence": self.confidence,
            "citations": [c.to_json() for c in self.citations],
        }


@dataclass(frozen=True, slots=True)
class Answer:
    """What ``ask`` returns; ``to_json`` is the contract's schema 1."""

    question: str
    read_as: str
    answer: str | None
    confidence: float | None
    abstained: bool
    reason: Reason | None
    citations: tuple[Citation, ...] = ()
    alternatives: tuple[Alternative, ...] = ()
    nearest: Citation | None = None
    warnings: tuple[str, ...] = ()
    index: Mapping[str, int] = field(default_factory=dict)
    timings_ms: Mapping[str, float] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """As the contract's JSON."""
        return {
            "schema": SCHEMA, "question": self.question, "read_as": self.read_as, "answer": self.answer,
            "confidence": self.confidence, "abstained": self.abstained, "reason": self.reason,
            "citations": [c.to_json() for c in self.citations],
            "alternatives": [a.to_json() for a in self.alternatives],
            "nearest": self.nearest.to_json() if self.nearest else None,
            "warnings": list(self.warnings), "index": dict(self.index), "timings_ms": dict(self.timings_ms),
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Verification:
    """What became of a reference: the quoted words, and where they stand now."""

    ref: str
    state: State
    text: str | None
    now: Citation | None

    def to_json(self) -> dict[str, Any]:
        """As the contract's JSON."""
        return {
            "ref": self.ref,
            "state": self.state,
            "text": self.text,
            "now": self.now.to_json() if self.now else None,
        }


_REF = re.compile(
    r"(?P<article>[^@#]+)@(?P<version>[0-9a-f]{12})#(?P<start>[0-9]{1,12})-(?P<end>[0-9]{1,12})"
)


def make_ref(article: str, version: str, start: int, end: int) -> str:
    """``<article>@<sha256[:12]>#<start>-<end>``: names a stretch of one version of one article."""
    return f"{article}@{version[:12]}#{start}-{end}"


def parse_ref(ref: str) -> tuple[str, str, int, int]:
    """Split a reference into article, version prefix, start and end.

    :raises RefError: if it has another form, or is empty or backwards.
    """
    match = _REF.fullmatch(ref)
    if match is None or int(match["start"]) >= int(match["end"]):
        shown = ref if len(ref) <= 80 else ref[:79] + "…"
        raise RefError(f"not a reference: {shown!r}; one looks like article@0123456789ab#10-20")
    return match["article"], match["version"], int(match["start"]), int(match["end"])
