"""Does an article say these words? Found exactly, found nearly with a word diff, or not found.

A check of what somebody claims an article says: an agent's or a writer's draft. Words are compared whole ("in 173"
is not what "in 1732" says), and every text of the index that could hold them is looked at, so that "absent" is not a
guess; only the search for *other* wordings is limited to the passages that share most with the claim.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from rapidfuzz import fuzz
from rapidfuzz.distance import Levenshtein

from qa.answering import cite_range
from qa.snapshot import Snapshot
from qa.types import Citation, QuestionError, Range, merge_ranges

QuoteState = Literal["exact", "near", "absent"]
Operation = Literal["same", "form", "replace", "insert", "delete"]

LONGEST = 2000  # characters of a quote; more is checked piece by piece
MOST_PLACES = 20
_PASSAGES = 30  # looked at for another wording
_SHORT = (
    12  # words; up to so many are aligned by characters, which also finds a word that is spelled otherwise
)
# Another wording is near if so much is the same, of the words or else of the characters.
_NEAR_WORDS, _NEAR_CHARACTERS = 0.7, 0.8
_WORSE = 0.1  # than the best by so much, a place is not worth a look

# Scripts without blanks between words: each character is one. Accents may be characters of their own.
_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\ud7ff\uf900-\ufaff\U00020000-\U0003ffff"
_WORD = re.compile(rf"(?=\w)[{_UNSPACED}]|(?:[^\W_{_UNSPACED}][\u0300-\u036f]*)+")

Word = tuple[str, int, int]  # as it compares, start, end


@dataclass(frozen=True, slots=True)
class Change:
    """A stretch of the claimed words beside what the article has there.

    ``same``; ``form``: but for case, punctuation and spacing; ``replace``; ``insert``: only the article has it;
    ``delete``: only the claim has it.
    """

    op: Operation
    claimed: str
    article: str

    def to_json(self) -> dict[str, str]:
        """As JSON."""
        return {"op": self.op, "claimed": self.claimed, "article": self.article}


@dataclass(frozen=True, slots=True)
class QuotePlace:
    """Where an article says the words, or something near: ``similarity`` is 1.0 for the same words."""

    citation: Citation
    similarity: float
    diff: tuple[Change, ...]

    def to_json(self) -> dict[str, Any]:
        """A citation with ``similarity`` and ``diff``."""
        changes = [change.to_json() for change in self.diff]
        return {**self.citation.to_json(), "similarity": self.similarity, "diff": changes}


@dataclass(frozen=True, slots=True)
class QuoteCheck:
    """Whether the articles say the words.

    ``exact``: every place holds them to the character. ``near``: in other case, punctuation or spacing, or with a few
    words changed; each place says how. ``absent``: nothing like it.
    """

    quote: str
    state: QuoteState
    places: tuple[QuotePlace, ...] = ()
    warnings: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """As JSON."""
        places = [place.to_json() for place in self.places]
        return {"quote": self.quote, "state": self.state, "places": places, "warnings": list(self.warnings)}


def words_of(text: str) -> list[Word]:
    """The words of a text with their places; composed, and without case.

    >>> words_of("Don't, 日本")
    [('don', 0, 3), ('t', 4, 5), ('日', 7, 8), ('本', 8, 9)]
    """
    return [(_comparable(m[0]), *m.span()) for m in _WORD.finditer(text)]


def _comparable(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


def check_quote(snapshot: Snapshot, quote: str, allowed: Sequence[str] | None = None) -> QuoteCheck:
    """Look for somebody's words in the live texts.

    :param quote: the words; blanks around them are ignored.
    :param allowed: ids of the articles to look in; None for all.
    :raises QuestionError: if they hold no word, or are longer than ``LONGEST``.
    """
    if not isinstance(quote, str):
        raise QuestionError("the quote must be a text")
    quote = re.sub("[\0\ud800-\udfff]", " ", quote).strip()
    if len(quote) > LONGEST:
        raise QuestionError(
            f"the quote has {len(quote)} characters; check at most {LONGEST} at once, sentence by sentence"
        )
    words = words_of(quote)
    if not words:
        raise QuestionError("the quote holds no word; give the words an article is said to contain")
    found = list(_same_words(snapshot, quote, words, allowed))
    if not found:
        near = sorted(_near(snapshot, quote, words, allowed), key=_best_first)
        found = [place for place in near if place.similarity >= near[0].similarity - _WORSE]
    exact = [place for place in found if place.citation.text == quote]
    return _checked(quote, "exact" if exact else "near", exact or found)


def _best_first(place: QuotePlace) -> tuple[float, str, int]:
    return -place.similarity, place.citation.article, place.citation.start


def _checked(quote: str, state: QuoteState, places: Sequence[QuotePlace]) -> QuoteCheck:
    if not places:
        return QuoteCheck(quote, "absent")
    more = f"{len(places)} places in all; the first {MOST_PLACES} are given"
    warnings = (more,) if len(places) > MOST_PLACES else ()
    return QuoteCheck(quote, state, tuple(places[:MOST_PLACES]), warnings)


# ---- the same words


def _same_words(
    snapshot: Snapshot, quote: str, words: Sequence[Word], allowed: Sequence[str] | None
) -> Iterator[QuotePlace]:
    """Every place with the same words in the same order, by article and start."""
    pattern = _pattern([word for word, _, _ in words])
    for article in snapshot.holding(quote, allowed):
        text = snapshot.text(article)
        if pattern.search(_comparable(text)):
            for start, end in _runs(words_of(text), [word for word, _, _ in words]):
                yield _same_place(snapshot, article, quote, words, start, end)


def _pattern(words: Sequence[str]) -> re.Pattern[str]:
    """A sieve for texts without case: fast, and lets through more than there is."""
    return re.compile(r"[\W_]*".join(map(re.escape, words)))


def _runs(text: Sequence[Word], wanted: Sequence[str]) -> Iterator[Range]:
    """Where a run of words stands in a text: ranges of characters; they may overlap."""
    joined, sought = " ".join(["", *(w for w, _, _ in text), ""]), " ".join(["", *wanted, ""])
    at, first, counted = joined.find(sought), 0, 0
    while at >= 0:
        first, counted = first + joined.count(" ", counted, at), at
        yield text[first][1], text[first + len(wanted) - 1][2]
        at = joined.find(sought, at + 1)


def _same_place(
    snapshot: Snapshot, article: str, quote: str, words: Sequence[Word], start: int, end: int
) -> QuotePlace:
    text = snapshot.text(article)
    left, right = start - words[0][1], end + len(quote) - words[-1][2]
    if left >= 0 and text[left:right] == quote:
        start, end = left, right
    diff = Change("same" if text[start:end] == quote else "form", quote, text[start:end])
    return QuotePlace(cite_range(snapshot, article, start, end), 1.0, (diff,))


# ---- other words


def _near(
    snapshot: Snapshot, quote: str, words: Sequence[Word], allowed: Sequence[str] | None
) -> Iterator[QuotePlace]:
    """The nearest wording in each stretch of text that shares words with the claim."""
    rows, _ = snapshot.bm25(quote, _PASSAGES, allowed)
    around: dict[str, list[Range]] = {}
    for row in rows.tolist():
        p = snapshot.passage(row)
        around.setdefault(p.article, []).append((max(0, p.start - len(quote)), p.end + len(quote)))
    for article, ranges in around.items():
        text = snapshot.text(article)
        for start, end in merge_ranges(ranges):
            place = _nearest(quote, words, text, _whole(text, start, end))
            if place is not None:
                first, last, similarity, diff = place
                yield QuotePlace(cite_range(snapshot, article, first, last), similarity, diff)


def _whole(text: str, start: int, end: int) -> list[Word]:
    """The words of a stretch of a text, with their places in the text; what the cut goes through is left out."""
    found = [(word, start + a, start + b) for word, a, b in words_of(text[start:end])]
    if found and start > 0 and text[start - 1].isalnum() and found[0][1] == start:
        found = found[1:]
    if found and end < len(text) and text[end].isalnum() and found[-1][2] == end:
        found = found[:-1]
    return found


def _nearest(
    quote: str, words: Sequence[Word], text: str, stretch: Sequence[Word]
) -> tuple[int, int, float, tuple[Change, ...]] | None:
    claimed, there = [word for word, _, _ in words], [word for word, _, _ in stretch]
    first, last = _align(claimed, there)
    while first < last and there[first] not in claimed and last - first > len(claimed):
        first += 1
    found = stretch[first:last]
    if not found:
        return None
    by_words = Levenshtein.normalized_similarity(claimed, there[first:last])
    by_characters = Levenshtein.normalized_similarity(" ".join(claimed), " ".join(there[first:last]))
    if by_words < _NEAR_WORDS and by_characters < _NEAR_CHARACTERS:
        return None
    similarity = round(max(by_words, by_characters), 3)
    return found[0][1], found[-1][2], similarity, tuple(_diff(quote, words, text, found))


def _align(claimed: Sequence[str], there: Sequence[str]) -> Range:
    """The range of words most like the claimed ones."""
    if len(there) <= len(claimed):
        return 0, len(there)
    if len(claimed) > _SHORT:
        found = fuzz.partial_ratio_alignment(claimed, there)
        return (found.dest_start, found.dest_end) if found else (0, 0)
    starts = [0]
    for word in there:
        starts.append(starts[-1] + len(word) + 1)
    near = fuzz.partial_ratio_alignment(" ".join(claimed), " ".join(there))
    if near is None or near.dest_start == near.dest_end:
        return 0, 0
    first = bisect_right(starts, near.dest_start) - 1
    if near.dest_start >= starts[first + 1] - 1:  # it begins with the blank behind a word
        first += 1
    last = bisect_right(starts, near.dest_end - 1)
    return min(((a, b) for a in _about(first, len(there)) for b in _about(last, len(there)) if a < b),
               key=lambda r: (Levenshtein.distance(" ".join(claimed), " ".join(there[r[0] : r[1]])), r),
               default=(0, 0))  # fmt: skip


def _about(place: int, end: int) -> Iterable[int]:
    return range(max(0, place - 1), min(end, place + 1) + 1)


def _diff(quote: str, words: Sequence[Word], text: str, found: Sequence[Word]) -> Iterator[Change]:
    """From the claim to the article, block by block; punctuation around the claim belongs to its ends."""
    words = [(words[0][0], 0, words[0][2]), *words[1:]]
    words = [*words[:-1], (words[-1][0], words[-1][1], len(quote))]
    for block in Levenshtein.opcodes([w for w, _, _ in words], [w for w, _, _ in found]):
        mine, theirs = words[block.src_start : block.src_end], found[block.dest_start : block.dest_end]
        claimed = quote[mine[0][1] : mine[-1][2]] if mine else ""
        stands = text[theirs[0][1] : theirs[-1][2]] if theirs else ""
        if mine and theirs:
            same: Operation = "same" if claimed == stands else "form"
            yield Change(same if block.tag == "equal" else "replace", claimed, stands)
        else:
            yield Change("delete" if mine else "insert", claimed, stands)
