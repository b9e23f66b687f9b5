"""Questions that leave out what the one before had: "why?", "how many?", "and in seoul?", "what about the south?"."""

from __future__ import annotations

from collections.abc import Sequence

from qa.english import AUXILIARY, DO, FILLERS, HAPPEN, LEADERS, PLACES, PREPOSITIONS, STOP, TIMES, UNITS, WH
from qa.mentions import Word, names, phrases, words

_MOST = 8  # words of an answer that can be put into a question


def complete(question: str, before: str, answer: str) -> str | None:
    """The question with what it leaves out put in from the question before; None if it leaves nothing out.

    :param before: the question before, as it was read.
    """
    found, earlier = words(question), words(before)
    if not found or not earlier:
        return None
    low = [word.low for word in found]
    lead = 0
    while lead < len(low) - 1 and low[lead] in LEADERS:
        lead += 1
    rest = low[lead:]
    if rest[:2] in (["what", "about"], ["how", "about"]) and len(rest) > 2:
        return _swapped(question, found[lead + 2 :], before, earlier)
    if _is_bare(rest):
        asked = question[found[lead].start : found[-1].end]
        return _asked_anew(asked, rest, before, earlier, answer) + (
            "?" if question.rstrip().endswith("?") else ""
        )
    fragment = not set(rest) & (WH | AUXILIARY) and len(rest) <= 6
    if fragment and (lead or rest[0] in PREPOSITIONS):
        return _swapped(question, found[lead:], before, earlier)
    return None


def _is_bare(rest: Sequence[str]) -> bool:
    """Whether a question is a question word and next to nothing: "why not", "how many", "when was that"."""
    kept = [word for word in rest if word not in FILLERS] or list(rest[:1])
    if kept[0] in PREPOSITIONS and len(kept) > 1:  # "since when", "in which year"
        kept = kept[1:]
    if kept[0] not in WH - {"what", "whose"} and kept[:2] not in (
        ["what", "year"],
        ["what", "day"],
        ["what", "date"],
    ):
        return False
    tail = [word for word in kept[1:] if word not in AUXILIARY and word not in ("that", "this", "it", "s")]
    return all(word in UNITS or word in HAPPEN for word in tail) and len(tail) <= 2 and _no_verb(kept)


def _no_verb(kept: Sequence[str]) -> bool:
    """ "when did that happen", "why is that", but not "how old is", of which the subject is left out as well."""
    return len(kept) <= 5 and (
        len(kept) <= 2 or kept[-1] in HAPPEN | {"that", "this", "it"} or kept[1] in UNITS
    )


def _wh_end(earlier: Sequence[Word]) -> int:
    """Where the question word and what belongs to it end: before the auxiliary, or after it if there is none."""
    at = 1 if earlier[0].low in PREPOSITIONS else 0
    if at >= len(earlier) or earlier[at].low not in WH:
        return 0
    end = at + 1
    while end < len(earlier) and earlier[end].low not in AUXILIARY and end - at <= 4:
        end += 1
    return end if end < len(earlier) and earlier[end].low in AUXILIARY else at + 1


def _asked_anew(asked: str, rest: Sequence[str], before: str, earlier: Sequence[Word], answer: str) -> str:
    """The question before with another question word, its own answer put in where it was asked for."""
    body = before.rstrip(" ?!.")
    end = _wh_end(earlier)
    said = " ".join(answer.split()).rstrip(".")
    short = 0 < len(words(said)) <= _MOST
    wh = earlier[0].low
    asked = " ".join(
        word
        for word in asked.split()
        if word.casefold().strip("?") not in ("that", "this", "happen", "did", "was", "is", "it")
    )
    if end == 0:
        return f"{asked} {body}"
    tail = body[earlier[end].start :] if end < len(earlier) else ""
    if rest[:2] in (["how", "many"], ["how", "much"]):
        counted = body[earlier[1].start : earlier[end - 1].end] if end > 1 else said if short else ""
        numbers = [word for word in counted.split() if not word.isdigit()]
        return " ".join([asked, *numbers, tail]).strip()
    if tail and short and wh in ("who", "which", "what"):
        if earlier[end].low not in AUXILIARY:  # "who visited china"
            return f"{asked} {said} {tail}"
        after = earlier[end + 1].low if end + 1 < len(earlier) else ""
        if (
            wh == "who"
            and after not in STOP
            and all(m.first != end + 1 for m in names(before))
            and earlier[end].low not in DO
        ):
            # "who should carry the burden"
            return " ".join([asked, earlier[end].text, said, body[earlier[end].end :].strip()])
    if short and wh in ("what", "which", "who", "whom") and said.casefold() not in tail.casefold():
        return f"{asked} {tail} {said}"
    return f"{asked} {tail}"


def _swapped(question: str, part: Sequence[Word], before: str, earlier: Sequence[Word]) -> str:
    """The question before with another place, time, name or thing in it: what the fragment says."""
    new = question[part[0].start : part[-1].end]
    body = before.rstrip(" ?!.")
    mark = "?" if question.rstrip().endswith("?") else ""
    if part[-1].low in TIMES and part[0].low not in PREPOSITIONS:
        for at in reversed(range(len(earlier) - 1)):
            end = _phrase_end(earlier, at + 1)
            if earlier[at].low in PREPOSITIONS and any(
                word.low in TIMES or word.low.isdigit() for word in earlier[at:end]
            ):
                return body[: earlier[at].start] + new + body[earlier[end - 1].end :] + mark
        return f"{body} {new}{mark}"
    if part[0].low in PREPOSITIONS:
        alike = PLACES if part[0].low in PLACES else {part[0].low}
        for at in reversed(range(len(earlier) - 1)):
            if earlier[at].low in alike:
                end = _phrase_end(earlier, at + 1)
                return body[: earlier[at].start] + new + body[earlier[end - 1].end :] + mark
        return f"{body} {new}{mark}"
    if part[0].low in ("the", "this", "that"):
        old = next((m for m in phrases(before) if m.first and earlier[m.first - 1].low == "the"), None)
        if old is not None:
            last = old.last
            if (
                last == len(earlier)
                and last - old.first > 1
                and old.first > 1
                and earlier[old.first - 2].low in DO
            ):
                last -= 1  # "what does the north want": the last word is the verb
            return body[: earlier[old.first - 1].start] + new + body[earlier[last - 1].end :] + mark
    listed = names(before)
    if listed:
        old = listed[0]
        return body[: earlier[old.first].start] + new + body[earlier[old.last - 1].end :] + mark
    return f"{body} {new}{mark}"


def _phrase_end(found: Sequence[Word], first: int) -> int:
    """Where the noun phrase after a preposition ends."""
    end = first
    while end < len(found) and (end == first or found[end].low not in STOP or found[end].low == "s"):
        end += 1
    return end
