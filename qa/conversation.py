"""Follow-up -> stand-alone question, by rules: no language model.

"when did he take office" after "who is rex tillerson" is read as "when did rex tillerson take office". What leans on
the turns before is found by its form (pronouns, "the summit", "why?", "what about the south?", "how many?"), and what
it leans on by what was mentioned (``salience.py``). A question that stands by itself is left as it is, to the letter.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from qa.ellipsis import complete
from qa.english import (
    AUXILIARY,
    BE,
    BOUNDARIES,
    DETERMINERS,
    EXPLETIVE,
    LIGHT,
    NOW,
    OBJECTS,
    OPENERS,
    PERSON,
    PLACES,
    POSSESSIVE,
    PREPOSITIONS,
    SEVERAL,
    STOP,
    THESE,
    THING,
    VAGUE,
    WH,
)
from qa.mentions import Mention, Word, names, phrases, words
from qa.salience import Kind, Memory, Turn, groups

_TAIL = re.compile(r"\s*\([^()]*\)\s*$")  # "Pinhead (Hellraiser)"
TURNS = 6  # looked back on; more would cost time, and hardly matter
FEW = 3  # words that say something, up to which a question may lean on "the summit"
CHARACTERS = 400  # of each question and answer before


def read(
    question: str, history: Sequence[tuple[str, str]], evidence: str = "", topic: str | None = None
) -> str:
    """The stand-alone form of a question; the question itself if it needs none.

    :param history: earlier (question, answer) pairs as they were asked, oldest first; the last ``TURNS`` count.
    :param evidence: text of the articles that the last answer is from.
    :param topic: the title of what all is about; counts where it is a name.
    """
    memory = Memory(evidence=evidence.casefold(), topic=_TAIL.sub("", topic or ""))
    for asked, answer in history[-TURNS:]:
        text, resolved = _resolve(asked[:CHARACTERS], memory)
        memory.turns.append(Turn(text, answer[:CHARACTERS], tuple(resolved)))
    if not memory.turns:
        return question
    return _resolve(question, memory)[0]


def _resolve(question: str, memory: Memory) -> tuple[str, list[tuple[Kind, str]]]:
    """The question with what it leans on put in, and what its pronouns stood for."""
    resolved: list[tuple[Kind, str]] = []
    if not memory.turns and not memory.topic:
        return question, resolved
    text = question
    if memory.turns:
        last = memory.turns[-1]
        whole = complete(question, last.question, last.answer)
        if whole is not None:
            question = text = whole
    text = _pronouns(text, memory, resolved)
    if text == question:
        text = _definite(text, memory)
    if text == question and _thin(question):
        about = memory.best("any")
        text = text if about is None else _append(text, about)
    return text, resolved


# ---- pronouns


def _pronouns(text: str, memory: Memory, resolved: list[tuple[Kind, str]]) -> str:
    """Each kind of pronoun's first occurrence replaced by what it stands for; the others follow it."""
    found = words(text)
    listed = names(text)
    pieces: list[tuple[int, int, str]] = []
    done: set[Kind] = set()
    for at, word in enumerate(found):
        kind = _kind(found, at)
        if kind is None or kind in done:
            continue
        done.add(kind)
        if _within(text, found, at, kind, listed):
            continue
        put = memory.best(kind) or (memory.best("any") if kind != "place" else None)
        if put is None or any(p[2] == put for p in pieces):
            continue
        resolved.append((kind, put))
        pieces.append((word.start, word.end, _inflected(put, found, at)))
    for start, end, put in reversed(pieces):
        text = text[:start] + put + text[end:]
    return text


def _kind(found: Sequence[Word], at: int) -> Kind | None:
    """What the word is a pronoun for; None if it is none, or stands for nothing."""
    low = found[at].low
    before = found[at - 1].low if at else ""
    after = found[at + 1].low if at + 1 < len(found) else ""
    if low in PERSON:
        return "person"
    if low in SEVERAL:
        return "several"
    if low in THING:
        empty = EXPLETIVE & {word.low for word in found[at + 1 : at + 4]}
        return None if low == "it" and empty and {before, after} & AUXILIARY else "thing"
    if low == "there":
        return "place" if before not in AUXILIARY and after not in AUXILIARY and at > 0 else None
    if low in THESE:
        ends = not after or after in AUXILIARY | PREPOSITIONS | DETERMINERS
        begins = before in AUXILIARY or before in PREPOSITIONS or not after
        return "thing" if ends and begins else None
    return None


def _within(text: str, found: Sequence[Word], at: int, kind: Kind, listed: Sequence[Mention]) -> bool:
    """Whether the pronoun stands for something in the question itself: "what did xi say in his speech"."""
    low = found[at].low
    opening = not any(word.low in WH | AUXILIARY for word in found[:at])
    if opening and found[0].low in OPENERS and any(m.first > at for m in listed):
        return True  # "besides his speech, what did xi say"
    if low in THESE or kind == "place":
        return kind == "place" and any(
            m.last <= at and found[m.first - 1].low in PREPOSITIONS for m in listed if m.first
        )
    before = [m for m in listed if m.last < at]
    if kind != "person":
        before += [m for m in phrases(text) if m.first > 1 and m.last <= at and not VAGUE & {*m.key[-1:]}]
    if not before:
        return False
    if low in OBJECTS or (low == "her" and not _possessive(found, at)):
        # "what did trump tell him": not trump, unless a clause ends between them
        nearest = max(m.last for m in before)
        return any(word.low in BOUNDARIES for word in found[nearest:at])
    return True


def _possessive(found: Sequence[Word], at: int) -> bool:
    low = found[at].low
    if low == "her":
        return at + 1 < len(found) and found[at + 1].low not in STOP
    return low in POSSESSIVE


def _inflected(put: str, found: Sequence[Word], at: int) -> str:
    if found[at].low == "there":
        return put if at and found[at - 1].low in PLACES - {"on"} else f"in {put}"
    if not _possessive(found, at) or put.endswith(("'s", "’s", "s'")):
        return put
    return put + ("'" if put.endswith("s") and not put.endswith(" s") else "'s")


# ---- definite references, and questions too thin to stand alone


def _definite(text: str, memory: Memory) -> str:
    """ "the summit" -> "the april summit in florida", "this album" -> the album's name beside it.

    Only what was just spoken of, in a question that names nothing itself; "this" always points back.
    """
    found = words(text)
    if len(_content(text)) > FEW:
        return text
    named = bool(names(text))
    said = {
        word.low
        for turn in memory.turns[-2:]
        for part in (turn.question, turn.answer)
        for word in words(part)
    }
    for at, word in enumerate(found[:-1]):
        head = found[at + 1]
        if word.low not in THESE | {"the"} or head.low in STOP or head.low in NOW:
            continue
        pointing = word.low in ("this", "these") and (not named or head.low in said)
        if named and not pointing:
            continue
        if head.low == "two":
            put, head = _pair(memory), found[min(at + 2, len(found) - 1)]
        else:
            put = _fuller(head.low, memory)
        if put is not None and put.casefold() != head.low:
            return text[: word.start] + put + text[head.end :]
        alone = at + 2 >= len(found) or found[at + 2].low in STOP
        if pointing or (alone and head.low in said):
            about = memory.best("thing" if pointing else "any")
            if about is not None and not set(words(about.casefold())) & set(words(text.casefold())):
                return _append(text, about)
    return text


def _pair(memory: Memory) -> str | None:
    for turn in reversed(memory.turns):
        for said in (turn.answer, turn.question):
            found = next(groups(said), None)
            if found is not None:
                return found.text
    return None


def _fuller(head: str, memory: Memory) -> str | None:
    """The fullest phrase around a word in the last two turns: what stands before it, and a name after it."""
    for turn in reversed(memory.turns[-2:]):
        for said in (turn.question, turn.answer):
            found = words(said)
            for at, word in enumerate(found):
                if word.low != head:
                    continue
                first = at
                while (
                    first
                    and at - first < 4
                    and (found[first - 1].low not in STOP or found[first - 1].low == "s")
                ):
                    first -= 1
                last = at + 1
                tail = next((m for m in names(said) if m.first in (at + 2, at + 3)), None)
                if tail is not None and found[last].low in PREPOSITIONS:
                    last = tail.last
                if last - first > 1 and any(m.first >= first and m.last <= last for m in names(said)):
                    return "the " + said[found[first].start : found[last - 1].end]
    return None


def _thin(question: str) -> bool:
    """Whether a question says too little to be asked by itself: "what happened in 1977", "any other reasons?"."""
    found = words(question)
    if not found or names(question):
        return False
    low = [word.low for word in found]
    if low[0] in ("what", "who", "whats", "define") and len(low) <= 3 and (len(low) < 2 or low[1] in BE):
        return False  # "what is inflation"
    return len(_content(question)) <= 1 and len(low) <= 10


def _content(text: str) -> list[str]:
    low = [word.low for word in words(text)]
    return [word for word in low if word not in STOP and word not in LIGHT and not word.isdigit()]


def _append(text: str, about: str) -> str:
    bare = text.rstrip(" ?!.")
    return f"{bare} ({about}){text[len(bare) :]}"
