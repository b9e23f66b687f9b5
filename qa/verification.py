"""What became of a reference: the quoted words, and where they stand now."""

from __future__ import annotations

from dataclasses import replace

from rapidfuzz import fuzz

from qa.answering import cite_range
from qa.index import Index
from qa.types import NotFoundError, RefError, State, Verification, parse_ref

_NEAR = 60.0  # of 100: below this similarity the nearest wording is other words


def verify(index: Index, ref: str) -> Verification:
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
    near = fuzz.partial_ratio_alignment(quote, live, score_cutoff=_NEAR)
    wording = live[near.dest_start : near.dest_end] if near else ""
    if near is None or not wording.strip():
        return "gone", None
    blanks = len(wording) - len(wording.lstrip())
    return "edited", (near.dest_start + blanks, near.dest_start + len(wording.rstrip()))
