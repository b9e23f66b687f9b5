"""What a conversation is about: which name or noun phrase a pronoun most likely stands for.

Everything mentioned in the last turns gets points: for where it was said, for how long ago, and for whether it fits
(a person for "he", several for "they"). The weights are few, whole and plain; they were chosen on one half of the
conversations that ``benchmarks/followups.py`` measures on.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal

from qa.english import BE, MONTHS, PARTS, PLACES, STOP, TITLES
from qa.mentions import Mention, Word, names, phrases, words

Kind = Literal["person", "thing", "several", "place", "any"]

_DECAY = 0.75  # of what was said a turn earlier
_BOTH = 6.5  # points of two names of one question together
_AGAIN = 3.0  # points of what a pronoun of this kind stood for
_TITLE = 5.0  # points of an article's title that is a name
_SHORT = 6  # words of an answer that is a name or noun phrase, and no sentence
_PERSONAL = re.compile(
    r"\b(?:born|married|die[ds]?|old|work|live|wife|husband|job|son|daughter|said?|says?)\b"
)
_NATIONALITY = ("ese", "ish", "ian", "ean", "ican", "orean")


@dataclass(frozen=True, slots=True)
class Turn:
    """One earlier question, as it was read, and its answer; ``resolved`` tells what its pronouns stood for."""

    question: str
    answer: str
    resolved: tuple[tuple[Kind, str], ...] = ()


@dataclass(slots=True)
class _Candidate:
    text: str
    key: tuple[str, ...]
    name: bool
    points: float = 0.0

    def fits(self, mention: Mention) -> bool:
        """Whether a mention is of the same: equal, or both are names and one is a part of the other."""
        if self.key == mention.key:
            return True
        return self.name and mention.name and _same(self.key, mention.key)


@dataclass(slots=True)
class Memory:
    """The turns so far, oldest first; ``evidence``: case-folded text of the articles they were answered from."""

    turns: list[Turn] = field(default_factory=list)
    evidence: str = ""
    topic: str = ""

    def best(self, kind: Kind, least: float = 2.0) -> str | None:
        """What fits a kind of pronoun best; None if nothing does well enough."""
        found: list[_Candidate] = []
        for mention, points in self._all(kind):
            if not mention.key:
                continue
            same = next((c for c in found if c.fits(mention)), None)
            if same is None:
                found.append(same := _Candidate(mention.text, mention.key, mention.name))
            elif len(mention.key) > len(same.key):
                same.text, same.key = mention.text, mention.key
            same.points += points
        if kind in ("person", "thing") and self.evidence:
            for candidate in found:
                if _is_titled(candidate.key, self.evidence):
                    candidate.points += 3 if kind == "person" else -3
        top = max(found, key=lambda c: c.points, default=None)
        return top.text if top is not None and top.points >= least else None

    def _all(self, kind: Kind) -> Iterator[tuple[Mention, float]]:
        for age, turn in enumerate(reversed(self.turns)):
            for mention, points in _mentions(turn, kind):
                yield mention, points * _DECAY**age
        if kind != "place":
            count = len(words(self.topic))
            for mention in names(self.topic):
                if mention.last - mention.first == count:
                    yield mention, _TITLE


def _same(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """Equal, or one is a part of the other as "haley" is of "nikki haley"."""
    shorter, longer = sorted((one, other), key=len)
    return shorter == longer or shorter == longer[-len(shorter) :] or shorter == longer[: len(shorter)]


def _is_titled(key: tuple[str, ...], text: str) -> bool:
    """Whether a text speaks of it as of a person: "professor X", "said X", "X said"."""
    name = r"\W+".join(map(re.escape, key))
    title = "|".join(sorted(TITLES))
    return (
        re.search(rf"\b(?:(?:{title})\W+(?:\w+\W+)?{name}|{name}\W+(?:said|says|told|warned))\b", text)
        is not None
    )


def _mentions(turn: Turn, kind: Kind) -> Iterator[tuple[Mention, float]]:
    """What a turn mentions, with points for a kind."""
    asked, said = words(turn.question), words(turn.answer)
    if kind == "several":
        for text in (turn.question, turn.answer):
            for group in groups(text):
                yield group, 7.0
        asked_names = [m for m in names(turn.question) if not _located(asked, m) and not _adjective(m)]
        if len(asked_names) > 1:  # "where did trump host xi", "what did they eat"
            yield Mention(f"{asked_names[0].text} and {asked_names[1].text}", 0, 0, False), _BOTH
    for number, mention in enumerate(names(turn.question)):
        yield mention, _asked_name(turn, asked, mention, number, kind)
    for mention in phrases(turn.question):
        yield mention, _asked_phrase(asked, mention, kind, turn.answer)
    for resolved, text in turn.resolved:  # what "it" stood for, it may stand for again
        if resolved == kind:
            yield Mention(text, 0, 0, bool(names(text))), _AGAIN
    answer = _whole(turn.answer, said)
    wh = asked[0].low if asked else ""
    if answer is not None:
        yield answer, _whole_answer(turn, asked, answer, wh, kind)
    for number, mention in enumerate(names(turn.answer)):
        yield mention, _said_name(turn, said, mention, number, kind)


def _asked_name(turn: Turn, found: Sequence[Word], mention: Mention, number: int, kind: Kind) -> float:
    points = 6.0 if number == 0 else 4.0
    before = found[mention.first - 1].low if mention.first else ""
    key = mention.key
    located = _located(found, mention)
    for resolved, text in turn.resolved:
        if words(text) and _same(Mention(text, 0, 0, True).key, key):
            points -= 3 if {resolved, kind} == {"person", "thing"} else 0
    if _adjective(mention):
        points -= 5
    if kind == "place":
        return points if located else points - 4
    person = _who_is(found, mention)
    person = person or _PERSONAL.search(turn.question.lower()) is not None
    if kind == "person":
        return points + (3 if person else 0) - (4 if located or before == "the" or _thing(key) else 0)
    if kind == "thing":
        return points - (6 if person else 0)
    return points


def _who_is(found: Sequence[Word], mention: Mention) -> bool:
    """Whether the question is "who is" the mention: then the answer describes it, and names nobody else."""
    return (
        found[0].low in ("who", "whos")
        and 1 <= mention.first <= 3
        and mention.last == len(found)
        and (found[0].low == "whos" or found[1].low in BE | {"s"})
    )


def _located(found: Sequence[Word], mention: Mention) -> bool:
    """Whether a name stands after "in", "to" and the like."""
    before = [word.low for word in found[max(mention.first - 2, 0) : mention.first] if word.low != "the"]
    return bool(before) and before[-1] in PLACES


def _adjective(mention: Mention) -> bool:
    """Whether a name is only an adjective: "chinese"."""
    return len(mention.key) == 1 and mention.key[0].endswith(_NATIONALITY)


def _asked_phrase(found: Sequence[Word], mention: Mention, kind: Kind, answer: str) -> float:
    if kind in ("person", "place"):
        return 0.0
    last = mention.key[-1] if mention.key else ""
    plural = last.endswith("s") and not last.endswith("ss")
    if kind == "several":
        return 5.0 if plural else 0.0
    if kind == "any":
        return 2.0
    if (
        mention.first > 1
        and found[mention.first - 2].low == "how"
        and answer.casefold().split()[:1] in (["one"], ["1"])
    ):
        return 7.0  # "how many banks", "one": that bank, or those
    focus = mention.first <= 3 and mention.last == len(found)  # "what is the dual suspension proposal"
    return (7.0 if focus else 3.0) - (3.0 if plural else 0.0)


def _whole(answer: str, found: Sequence[Word]) -> Mention | None:
    """A short answer as one noun phrase, without what stands before it."""
    first, last = 0, len(found)
    while first < last and found[first].low in STOP | PLACES:
        first += 1
    if not first < last <= first + _SHORT or any(
        found[i].low in MONTHS or found[i].low[0].isdigit() for i in range(first, last)
    ):
        return None
    return Mention(answer[found[first].start : found[last - 1].end], first, last, False)


def _whole_answer(turn: Turn, asked: Sequence[Word], answer: Mention, wh: str, kind: Kind) -> float:
    if kind == "person":
        return 0.0
    if kind == "place":
        return 9.0 if wh == "where" else 0.0
    if kind == "several":
        last = answer.key[-1] if answer.key else ""
        return 4.0 if last.endswith("s") or "and" in turn.answer.split() else 0.0
    if kind == "thing":
        return 5.0 if wh in ("what", "which") or (asked and asked[0].low in PLACES) else 0.0
    return 0.0


def _said_name(turn: Turn, said: Sequence[Word], mention: Mention, number: int, kind: Kind) -> float:
    asked = words(turn.question)
    wh = asked[0].low if asked else ""
    points = max(3.0 - number, 0.5)
    before = said[mention.first - 1].low if mention.first else ""
    if _adjective(mention):
        points -= 2
    if kind == "person":
        described = any(_who_is(asked, m) for m in names(turn.question))
        if wh in ("who", "whom", "whose") and number == 0 and not described:
            return points + 7
        return points - (3 if before in PLACES or before == "the" or _thing(mention.key) else 0)
    if kind == "place":
        return points + (3 if before in PLACES else 0) + (4 if wh == "where" else 0)
    if kind == "thing" and wh in ("who", "whom"):
        return points - 3
    return points


def _thing(key: tuple[str, ...]) -> bool:
    return any(word in PARTS or word[0].isdigit() for word in key)


def groups(text: str) -> Iterator[Mention]:
    """Names joined by "and": "trump and xi"."""
    found = words(text)
    listed = names(text)
    for one, other in pairwise(listed):
        if other.first == one.last + 1 and found[one.last].low == "and":
            yield Mention(
                text[found[one.first].start : found[other.last - 1].end], one.first, other.last, True
            )
