"""What a question or an answer speaks of: names and noun phrases, also in text without capitals and punctuation.

Where a text has capitals within, they show its names. Where it has none, a name is a run of words that are not in
``common_words.txt``, joined by what names are made of ("peking university", "the carnegie tsinghua center").
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import NamedTuple

from qa.english import AUXILIARY, JOINTS, MONTHS, PARTS, PREPOSITIONS, STOP

_WORDS = Path(__file__).with_name("common_words.txt")
_TOKEN = re.compile(r"[’']s\b|[^\W_]+(?:[-.&][^\W_]+)*|[’']")


_LETTERS = {("u", "s"), ("u", "k"), ("u", "n"), ("e", "u"), ("u", "a"), ("g", "7")}
_ENDINGS = (
    ("ies", ("y",)), ("es", ("", "e")), ("s", ("",)), ("ied", ("y",)), ("ed", ("", "e")), ("ing", ("", "e")),
    ("ly", ("",)), ("er", ("", "e")),
)  # fmt: skip


class Word(NamedTuple):
    """A word of a text and its place there; ``low`` is its case-folded form, "s" for a possessive ending.

    ``opens``: a sentence or a quote begins with it, so that a capital says nothing.
    """

    text: str
    low: str
    start: int
    end: int
    opens: bool


@dataclass(frozen=True, slots=True)
class Mention:
    """A name or noun phrase: words ``first`` to ``last`` (half-open) of a text."""

    text: str
    first: int
    last: int
    name: bool

    @property
    def key(self) -> tuple[str, ...]:
        """Its words as they compare."""
        return tuple(
            w.low for w in words(self.text) if w.low not in ("the", "a", "an") and w.text not in ("'s", "’s")
        )


@lru_cache(512)
def words(text: str) -> tuple[Word, ...]:
    """The words of a text; a possessive ending is one of its own, as it is in raw text."""
    return tuple(
        Word(m[0], m[0].casefold().strip("’'") or "s", *m.span(), _opens(text, m.start()))
        for m in _TOKEN.finditer(text)
    )


def _opens(text: str, start: int) -> bool:
    before = text[:start][-4:].rstrip()
    return not before or before[-1] in '.!?:;"“‘('


@cache
def _common() -> frozenset[str]:
    lines = _WORDS.read_text("utf-8").splitlines()
    return frozenset(word for line in lines if not line.startswith("#") for word in line.split())


@cache
def is_common(word: str) -> bool:
    """Whether a case-folded word is a common English one, and not likely a name."""
    known = _common()
    if word in known or word in STOP or word in MONTHS or word[:1].isdigit():
        return True
    for ending, others in _ENDINGS:
        stem = word.removesuffix(ending)
        if stem != word and len(stem) >= 3:
            if any(is_common(stem + other) for other in others):  # "leaders", "leader", "lead"
                return True
            if len(stem) > 3 and stem[-1] == stem[-2] and stem[:-1] in known:
                return True
    return False


def is_name(found: Sequence[Word], at: int, cased: bool) -> bool:
    """Whether the word at a place is, or begins with letters that are, a name."""
    word = found[at]
    if (cased and not word.text[0].isupper()) or not word.text[0].isalpha():
        return False
    before = found[at - 1].low if at else ""
    after = found[at + 1].low if at + 1 < len(found) else ""
    if (word.low, after) in _LETTERS or (before, word.low) in _LETTERS:
        return True
    if word.low == "us":  # a country in nearly every question without capitals
        return word.text != "Us" and before not in ("tell", "give", "show", "let", "for")
    if word.low in STOP or (not cased and (len(word.low) == 1 or word.low in PARTS)):
        return False
    if cased and not word.opens:
        return word.low not in MONTHS
    return not is_common(word.low)


def is_cased(found: Sequence[Word]) -> bool:
    """Whether capitals show the names of a text: some words within it have one, and some have none."""
    within = [word.text for word in found[1:] if word.low not in ("i", "s")]
    return any(text[0].isupper() for text in within) and any(text[0].islower() for text in within)


@lru_cache(512)
def names(text: str) -> tuple[Mention, ...]:
    """The names in a text, in their order."""
    found = words(text)
    cased = is_cased(found)
    marks = [is_name(found, at, cased) for at in range(len(found))]
    result: list[Mention] = []
    at = 0
    while at < len(found):
        last = _name_end(found, marks, at, cased)
        # Two common words make a name ("united nations"), one does not ("the center").
        if any(marks[at:last]) or (last - at > 1 and not cased and found[last - 1].low in PARTS):
            result.append(Mention(text[found[at].start : found[last - 1].end], at, last, True))
            at = last
        else:
            at += 1
    return tuple(result)


def _name_end(found: Sequence[Word], marks: Sequence[bool], first: int, cased: bool) -> int:
    """Where the name that begins at a word ends; ``first`` if none begins there."""

    def belongs(at: int) -> bool:
        return at < len(found) and (marks[at] or (not cased and found[at].low in PARTS))

    def beside(at: int) -> bool:  # punctuation between two words parts names
        return at < len(found) and found[at].start - found[at - 1].end <= 1

    last = first
    while belongs(last) and (last == first or beside(last)):
        last += 1
        ahead = last
        while ahead < len(found) and ahead - last < 2 and found[ahead].low in JOINTS and beside(ahead):
            ahead += 1
        # "the university of oslo", but not "trump of the north"
        if ahead > last and belongs(ahead) and beside(ahead) and (cased or found[last - 1].low in PARTS):
            last = ahead
    if cased:
        while last > first and last < len(found) and found[last].low.isdigit() and beside(last):
            last += 1  # "Super Bowl 50"
    return last


def phrases(text: str) -> Iterator[Mention]:
    """What follows "the", "what", "which", "whose" and "how many" as far as it looks like one noun phrase.

    Their texts begin with "the": what was asked for is definite from then on.
    """
    found = words(text)
    begins = {mention.first: mention.last for mention in names(text)}
    for at, word in enumerate(found):
        before = found[at - 1].low if at else ""
        if word.low in ("the", "what", "which", "whose") or (before == "how" and word.low == "many"):
            first = last = at + 1
            while (
                last < len(found)
                and last - at <= 5
                and _in_phrase(found, last)
                and (last == first or last not in begins)
            ):
                last += 1
            asked = word.low in ("what", "which", "whose")
            if asked and (last == len(found) or found[last].low not in AUXILIARY | PREPOSITIONS):
                continue  # "what happened"
            if last > first and begins.get(first, 0) < last:
                the = "the " if word.low != "whose" else ""
                yield Mention(the + text[found[first].start : found[last - 1].end], first, last, False)


def _in_phrase(found: Sequence[Word], at: int) -> bool:
    low = found[at].low
    if low == "s":
        return at + 1 < len(found) and found[at + 1].low not in STOP
    return low not in STOP and found[at].start - found[at - 1].end <= 1
