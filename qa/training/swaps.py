"""Questions that a passage nearly answers: one thing in the question exchanged, or the answering sentence taken out.

As people do for SQuAD 2 (Rajpurkar et al. 2018, table 1): an entity, a number, a date or an antonym in the question
is swapped for another, where it can be for one of the same passage, so that all its words are there and the answer is
not. A few of the results do have an answer; the reader is told that they have none all the same.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence

from qa.types import Range

_PAIRS = """
first last, most least, more less, largest smallest, biggest smallest, highest lowest, higher lower,
oldest youngest, longest shortest, best worst, before after, early late, earlier later, north south, east west,
northern southern, eastern western, increase decrease, increased decreased, increases decreases, rise fall,
rose fell, won lost, win lose, began ended, begin end, start finish, started finished, start stop,
founded dissolved, opened closed, open close, male female, men women, man woman, boys girls, mother father,
son daughter, brother sister, husband wife, king queen, import export, imported exported, buy sell, bought sold,
joined left, born died, birth death, upper lower, inner outer, inside outside, above below, maximum minimum,
major minor, majority minority, public private, urban rural, ancient modern, old new, young old, legal illegal,
possible impossible, always never, allowed forbidden, accepted rejected, support oppose, supported opposed,
supporters opponents, friends enemies, victory defeat, war peace, rich poor, strong weak, hot cold,
summer winter, day night, left right, positive negative, success failure, add remove, arrived departed,
enter leave, gain lose, create destroy, created destroyed, common rare, same different, with without,
small large, attack defend, attacked defended, approved vetoed, strengthen weaken, expand shrink,
advantage disadvantage, frequently rarely, internal external, permanent temporary, domestic foreign
"""
_ANTONYMS: dict[str, list[str]] = {}
for _one, _other in (pair.split() for pair in _PAIRS.split(",")):
    _ANTONYMS.setdefault(_one, []).append(_other)
    _ANTONYMS.setdefault(_other, []).append(_one)

_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
# Capitalised, and no names: what questions and sentences begin with, and what `_swap_calendar` is for.
_NO_NAMES = (
    "What", "Which", "Who", "Whom", "Whose", "When", "Where", "Why", "How", "In", "On", "At", "For", "By", "The", "A",
    "An", "Of", "To", "From", "Is", "Are", "Was", "Were", "Did", "Does", "Do", "Name", "During", "After", "Before",
    "According", "If", "I", "It", "He", "She", "They", "This", "That", "These", "Those", *_MONTHS, *_DAYS,
)  # fmt: skip
# A point at a word's end ends a sentence as likely.
_WORD = rf"(?!(?:{'|'.join(_NO_NAMES)})\b)[A-Z](?:[\w'’-]|\.(?=\w))*"
_NAME = re.compile(rf"\b{_WORD}(?:\s+(?:of\s+the\s+|of\s+|de\s+|the\s+)?{_WORD})*")
_YEAR = re.compile(r"\b1[0-9]{3}\b|\b20[0-9]{2}\b")
_NUMBER = re.compile(r"\b\d[\d,.]*\d\b|\b\d\b")


def swap(question: str, context: str, spans: Sequence[Range], rng: random.Random) -> str | None:
    """The question with one thing in it exchanged, so that the context should not answer it; None if nothing fits.

    :param spans: the answers; what stands there is not put into the question.
    """
    answers = [context[start:end].lower() for start, end in spans]
    ways = [_swap_year, _swap_number, _swap_name, _swap_antonym, _swap_calendar]
    rng.shuffle(ways)
    for way in ways:
        made = way(question, context, rng)
        if made is None:
            continue
        new, put = made
        if new != question and not any(put.lower() in a or a in put.lower() for a in answers):
            return new
    return None


_Swapped = tuple[str, str] | None  # the new question, and what was put into it


def _replace(question: str, spot: Range, by: str) -> _Swapped:
    return question[: spot[0]] + by + question[spot[1] :], by


def _swap_year(question: str, context: str, rng: random.Random) -> _Swapped:
    return _swap_pattern(_YEAR, question, context, rng)


def _swap_number(question: str, context: str, rng: random.Random) -> _Swapped:
    return None if _YEAR.search(question) else _swap_pattern(_NUMBER, question, context, rng)


def _swap_pattern(pattern: re.Pattern[str], question: str, context: str, rng: random.Random) -> _Swapped:
    asked = list(pattern.finditer(question))
    others = sorted({m.group() for m in pattern.finditer(context)} - {m.group() for m in asked})
    if not asked or not others:
        return None
    return _replace(question, rng.choice(asked).span(), rng.choice(others))


def _swap_name(question: str, context: str, rng: random.Random) -> _Swapped:
    asked = [m for m in _names(question) if m.group() in context]
    if not asked:
        return None
    found = rng.choice(asked)
    others = {m.group() for m in _names(context)}
    others = {o for o in others if not _share(o, question)}
    return _replace(question, found.span(), rng.choice(sorted(others))) if others else None


def _names(text: str) -> list[re.Match[str]]:
    """Runs of capitalised words, without those that are capitalised only since a sentence begins there."""
    return [m for m in _NAME.finditer(text) if " " in m.group() or not _begins_sentence(text, m.start())]


def _begins_sentence(text: str, at: int) -> bool:
    before = text[:at].rstrip()
    return not before or before[-1] in '.!?"”:'


def _share(name: str, question: str) -> bool:
    return bool(set(name.lower().split()) & set(question.lower().rstrip("?").split()))


def _swap_antonym(question: str, context: str, rng: random.Random) -> _Swapped:
    spots = [m for m in re.finditer(r"\b[a-z]+\b", question) if m.group() in _ANTONYMS]
    if not spots:
        return None
    spot = rng.choice(spots)
    return _replace(question, spot.span(), rng.choice(_ANTONYMS[spot.group()]))


def _swap_calendar(question: str, context: str, rng: random.Random) -> _Swapped:
    for names in (_MONTHS, _DAYS):
        spots = [m for m in re.finditer(r"\b[A-Z][a-z]+\b", question) if m.group() in names]
        if spots:
            spot = rng.choice(spots)
            there = [n for n in names if n in context and n != spot.group()]
            return _replace(
                question, spot.span(), rng.choice(there or [n for n in names if n != spot.group()])
            )
    return None


def without_answer(context: str, spans: Sequence[Range]) -> str | None:
    """The context without the sentences that the spans stand in; None if too little is left, or an answer still.

    >>> without_answer("It rained. Kim left in May. Nobody saw, for it was night and all were asleep.", [(23, 26)])
    'It rained. Nobody saw, for it was night and all were asleep.'
    """
    kept = context
    for start, end in sorted(set(spans), reverse=True):
        if end > len(kept):
            continue
        before = [m.end() for m in re.finditer(r"[.!?]\s+", kept[:start])]
        after = re.search(r"[.!?]\s+|$", kept[end:])
        assert after is not None  # the end of the text always matches
        kept = kept[: before[-1] if before else 0] + kept[end + after.end() :]
    low = kept.lower()
    if len(kept.split()) < 12 or any(context[start:end].lower() in low for start, end in spans):
        return None
    return kept.strip()
