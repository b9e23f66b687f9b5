"""Boilerplate that only other articles show: a run of words shared by the edges of different articles.

A site's slogan, a navigation line, "all rights reserved": text that many articles begin or end with is not what
any of them says, and no answer may touch it. Text is never changed for it; the run becomes a mask, computed from
the articles that are live now, so the order in which they came does not matter and adding one re-embeds no other.

The rule. A *run* of an article is its first (or last) n words, outside its own masks, with n from ``SHORTEST``
to ``LONGEST``. It is masked where at least ``needed(articles)`` others have the same run; the longest such run
counts. Others that tell the same story do not count, see ``same_story``: versions and copies share their openings
because they share everything.

Why ``needed`` grows: among 1,973 reviews 109 share their first five words with a different one, at most five of them
the same ("this is one of those"); among 4,775 encyclopedia paragraphs 63, at most four; among 5,730 search results at
most sixteen. Chance groups grow with the library, boilerplate groups faster. The square root of a tenth stays above
the former (14, 21, 23) and far below the latter (10 of 1,000 articles, 31 of 10,000); under 40 articles one other is
enough.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from heapq import nsmallest
from itertools import chain
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from qa.types import Range

Side = Literal["head", "tail"]
SIDES: tuple[Side, Side] = ("head", "tail")

SHORTEST = 5  # words; four are shared by chance too often
LONGEST = 40  # words; about a paragraph of legal text
LARGEST_SHARE = 1 / 3  # of the shorter article: what covers more is no edge, it is the article
SAME_STORY = 0.25  # of the shorter one's shingles outside the shared edges
SHINGLE = 5  # words
EXTRA_COMPARISONS = 32  # beyond `needed`, so that many copies of one story cannot make a question slow

_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Body:
    """An article's words and shingles as numbers, to compare it with others."""

    words: NDArray[np.int64]  # (n,)
    shingles: NDArray[np.int64]  # (n - 4,) or (0,), in text order


def words(text: str, masks: Sequence[Range] = ()) -> list[str]:
    """The casefolded words of what lies outside the text's masks (sorted, disjoint), in order.

    >>> words("Stray WORDS that open every page", masks=[(6, 11)])
    ['stray', 'that', 'open', 'every', 'page']
    """
    found: list[str] = []
    for start, end in _outside(text, masks):
        # Joined, casefolded and split: one call instead of one a word, and a word stays one word whatever casefolding
        # makes of it ("İ" becomes a letter and a mark, and marks are no word characters).
        found += "\n".join(_WORD.findall(text[start:end])).casefold().split()
    return found


def _outside(text: str, masks: Sequence[Range]) -> Iterator[Range]:
    at = 0
    for start, end in masks:
        yield at, start
        at = end
    yield at, len(text)


def _place(text: str, masks: Sequence[Range], number: int) -> Range:
    """Where in the text the word of that number stands."""
    for start, end in _outside(text, masks):
        for match in _WORD.finditer(text, start, end):
            if number == 0:
                return match.span()
            number -= 1
    raise IndexError("the text has fewer words")


def edges(text: str, masks: Sequence[Range] = ()) -> tuple[tuple[Side, str], ...]:
    """What the table keeps of an article: each side's outermost words, from the outside in, joined by blanks.

    Empty where the article is too short for any run.
    """
    listed = words(text, masks)
    longest = min(LONGEST, int(len(listed) * LARGEST_SHARE))
    if longest < SHORTEST:
        return ()
    return ("head", " ".join(listed[:longest])), ("tail", " ".join(listed[: -longest - 1 : -1]))


def body(text: str, masks: Sequence[Range] = ()) -> Body:
    """An article's words and shingles as numbers. The numbers differ between processes: never store them."""
    numbers = np.array([hash(word) for word in words(text, masks)], np.int64)
    if len(numbers) < SHINGLE:
        return Body(numbers, np.empty(0, np.int64))
    windows = np.lib.stride_tricks.sliding_window_view(numbers, SHINGLE)
    factors = np.array([31**i for i in range(SHINGLE)], np.int64)
    return Body(numbers, (windows * factors).sum(axis=1))  # wraps around, which mixes


def needed(articles: int) -> int:
    """How many others must share a run in a library of so many articles: 1 under 40, 3 of 100, 10 of 1,000."""
    return max(1, math.isqrt(articles // 10))


def same_story(one: Body, other: Body) -> bool:
    """Whether two articles are versions or copies of one another, as far as their texts tell.

    They are if a shared edge covers more than a third of the shorter one, or if a quarter of the shorter one's
    five-word shingles outside the shared edges occur in the other. Where nothing is left to compare they count as the
    same: a mask needs evidence that they differ.
    """
    shorter = min(len(one.words), len(other.words))
    head = _common(one.words, other.words)
    tail = _common(one.words[::-1], other.words[::-1])
    if max(head, tail) > shorter * LARGEST_SHARE:
        return True
    mine, its = (np.unique(b.shingles[head : len(b.shingles) - tail]) for b in (one, other))
    smaller = min(len(mine), len(its))
    if not smaller:
        return True
    return len(np.intersect1d(mine, its, assume_unique=True)) / smaller > SAME_STORY


def _common(one: NDArray[np.int64], other: NDArray[np.int64]) -> int:
    """Length of the longest common prefix."""
    length = min(len(one), len(other))
    different = one[:length] != other[:length]
    return int(different.argmax()) if different.any() else length


class Listing(Protocol):
    """The edges of all live articles; ``EdgeRows`` is one.

    A run is some first words of ``words``, joined by blanks: at least ``SHORTEST``.
    """

    def words(self, article: str, side: Side) -> str | None:
        """What ``edges`` made of an article's side, if anything."""

    def sharing(self, side: Side, run: str) -> int:
        """How many articles have a run."""

    def sharers(self, side: Side, run: str, longer: str | None, count: int) -> list[str]:
        """The first ``count`` ids, sorted, of those who have a run, but not the longer one that is given."""


class EdgeRows:
    """A ``Listing`` in memory.

    :param rows: (article, side, words), as ``edges`` made them.
    """

    def __init__(self, rows: Iterable[tuple[str, str, str]]) -> None:
        self._words: dict[tuple[str, str], str] = {}
        # Who begins (or ends) with the same few words: their (words, article), sorted when first asked for.
        self._groups: defaultdict[tuple[str, str], list[tuple[str, str]]] = defaultdict(list)
        self._sorted: set[tuple[str, str]] = set()
        for article, side, joined in rows:
            self._words[article, side] = joined
            self._groups[side, _first(joined, SHORTEST)].append((joined, article))

    def words(self, article: str, side: Side) -> str | None:
        """As ``Listing``."""
        return self._words.get((article, side))

    def sharing(self, side: Side, run: str) -> int:
        """As ``Listing``."""
        start, end = _slice(self._group(side, run), run)
        return end - start

    def sharers(self, side: Side, run: str, longer: str | None, count: int) -> list[str]:
        """As ``Listing``."""
        group = self._group(side, run)
        start, end = _slice(group, run)
        before, after = (start, start) if longer is None else _slice(group, longer)
        return nsmallest(count, (article for _, article in chain(group[start:before], group[after:end])))

    def _group(self, side: Side, run: str) -> list[tuple[str, str]]:
        key = side, _first(run, SHORTEST)
        if key not in self._groups:
            return []
        group = self._groups[key]
        if key not in self._sorted:
            group = self._groups[key] = sorted(group)  # not in place: other threads may be searching it
            self._sorted.add(key)
        return group


def _slice(group: list[tuple[str, str]], run: str) -> Range:
    """All who share the run: "!" stands between the blank and every word character."""
    return bisect_left(group, (run,)), bisect_left(group, (run + "!",))


class EdgeTable:
    """The masks that follow from the edges of all live articles.

    :param listing: the edges.
    :param articles: how many live articles there are, with edges or without.
    :param body_of: gives an article's body; called only for articles that share a run.
    """

    def __init__(self, listing: Listing, articles: int, body_of: Callable[[str], Body]) -> None:
        self._listing = listing
        self._needed = needed(articles)
        self._body_of = body_of

    def run(self, article: str, side: Side) -> int:
        """How many of the article's outermost words are boilerplate; 0 for none."""
        joined = self._listing.words(article, side)
        if joined is None or self._listing.sharing(side, _first(joined, SHORTEST)) - 1 < self._needed:
            return 0
        mine = self._body_of(article)
        found, budget = 0, self._needed + EXTRA_COMPARISONS
        longer: str | None = None  # the run whose sharers have been looked at
        for length in range(joined.count(" ") + 1, SHORTEST - 1, -1):
            run = _first(joined, length)
            if self._listing.sharing(side, run) - 1 < self._needed:
                continue
            # By id, so that every process compares the same, and mostly the same few for all who share the run: their
            # bodies are at hand.
            more = self._listing.sharers(side, run, longer, budget + 1)
            longer = run
            for other in [each for each in more if each != article][:budget]:
                budget -= 1
                found += not same_story(mine, self._body_of(other))
                if found == self._needed:
                    return length
        return 0

    def masks(self, article: str, text: str, own: Sequence[Range] = ()) -> tuple[Range, ...]:
        """The ranges of the article's text that are boilerplate by the others: none, one at an end, or one at each.

        :param text: the article's live text.
        :param own: its own masks, the same that ``edges`` was given.
        """
        head, tail = (self.run(article, side) for side in SIDES)
        ranges = []
        if head:
            ranges.append((0, _place(text, own, head - 1)[1]))
        if tail:
            ranges.append((_place(text, own, len(words(text, own)) - tail)[0], len(text)))
        return tuple(ranges)


def _first(joined: str, count: int) -> str:
    """The first words of several joined by blanks."""
    return " ".join(joined.split(" ", count)[:count])
