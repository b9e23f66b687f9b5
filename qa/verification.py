"""What became of a reference: the quoted words, and where they stand now."""

from __future__ import annotations

from dataclasses import replace

from rapidfuzz import fuzz

from qa.answering import cite_range
from qa.backend import Backend
from qa.types import NotFoundError, RefError, State, Verification, parse_ref

# Of 100: below this similarity the nearest wording is other words. In a few characters much is alike by chance.
_NEAR, _NEAR_SHORT, _SHORT = 60.0, 80.0, 20


def verify(index: Backend, ref: str) -> Verification:
    """Look a reference up.

    - ``unchanged``: the article says these words at this place;
    - ``moved``: it says them elsewhere; ``now`` is the nearest such place;
    - ``edited``: it says something like them; ``now`` is the nearest wording;
    - ``gone``: the article, or anything like the words, is no longer there.

    :raises RefError: if it is not a reference, or points outside its text.
    """
    article, version, start, end = parse_ref(ref)
    try:
        old = index.text(article, version)
    except NotFoundError:
        return Verification(ref, "gone", None, None)
    if end > len(old):
        raise RefError(f"{ref} points beyond the end of its text, which has {len(old)} characters")
    quote = old[start:end]
    snapshot = index.snapshot
    try:
        live = snapshot.text(article)
    except NotFoundError:
        return Verification(ref, "gone", quote, None)
    state, place = _find(quote, start, live)
    now = None if place is None else cite_range(snapshot, article, *place)
    return Verification(ref, state, quote, now if now is None else replace(now, confidence=None))


def _find(quote: str, start: int, live: str) -> tuple[State, tuple[int, int] | None]:
    if live.startswith(quote, start):
        return "unchanged", (start, start + len(quote))
    before, after = live.rfind(quote, 0, start + len(quote)), live.find(quote, start)
    places = [place for place in (before, after) if place >= 0]
    if places:
        place = min(places, key=lambda p: abs(p - start))
        return "moved", (place, place + len(quote))
    least = _NEAR_SHORT if len(quote) < _SHORT else _NEAR
    near = fuzz.partial_ratio_alignment(quote, live, score_cutoff=least)
    wording = live[near.dest_start : near.dest_end] if near else ""
    # Of a quote longer than the whole article the library compares a part; the quote itself must be near.
    if near is None or not wording.strip() or fuzz.ratio(quote, wording) < least:
        return "gone", None
    blanks = len(wording) - len(wording.lstrip())
    return "edited", _whole_words(live, near.dest_start + blanks, near.dest_start + len(wording.rstrip()))


def _whole_words(text: str, start: int, end: int) -> tuple[int, int]:
    """The range, and the rest of the words it begins and ends in: "in 173" of "in 1732" would mislead."""
    while start > 0 and _in_word(text[start - 1 : start + 1]):
        start -= 1
    while end < len(text) and _in_word(text[end - 1 : end + 1]):
        end += 1
    return start, end


def _in_word(pair: str) -> bool:
    return pair.isalnum() and max(pair) < "\u2e80"  # from there on, scripts that put no blanks between words
