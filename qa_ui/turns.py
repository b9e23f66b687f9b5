"""The chat: a question with its answer or its honest no, as one ``<article class="turn">``.

Its places are rendered with it and travel in ``data-places`` as a list of HTML strings, so that switching the
evidence needs no server.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from qa.question_kinds import Kind, asks_for, has_number
from qa.types import Answer, Citation

from . import words
from .markup import button, esc, said, small, sure
from .places import NEAR, Place, TextOf, copy_button, marked, place_html, places_of, setting_of

CHIPS = 2  # other answers named in the chat; the evidence lists them all
LISTED = 4  # and where the question asks for a list
EVEN = 0.5  # an answer that is less likely is a guess
LONG_QUESTION = 400  # of a longer question the chat shows the beginning


def _asked(question: str) -> str:
    if not question.strip():
        return ""
    shown = question if len(question) <= LONG_QUESTION else question[:LONG_QUESTION] + " …"
    return f'<h2 class="asked" dir="auto"><bdi class="unseen">{esc(words.YOU_ASKED)}: </bdi>{esc(shown)}</h2>'


def waiting(question: str, doing: str) -> str:
    """A question being worked on, and what is being done."""
    return (
        f'<article class="turn working" data-say="{esc(doing)}">{_asked(question)}'
        f'<p class="doing">{esc(doing)}</p></article>'
    )


def glimpse(citation: Citation, text_of: TextOf) -> str:
    """The nearest passage, while it is being read."""
    context = marked(setting_of(citation, text_of), citation, 0, "context", "span")
    return (
        f'<div class="near glimpse"><h3>{esc(words.GLIMPSE)} · <strong>{esc(words.NOT_YET)}</strong></h3>'
        f'<p class="around clamp">{context}</p></div>'
    )


def trouble(question: str, message: str) -> str:
    """A question that could not be asked, and why, in one line."""
    message = message[:1].upper() + message[1:]
    again = button(esc(words.AGAIN), "again", "chief") if question.strip() else ""
    return (
        f'<article class="turn" data-say="{esc(message)}">{_asked(question)}'
        f'<div class="card trouble"><p>{esc(message)}</p>{again}</div></article>'
    )


def cancelled(question: str) -> str:
    """A question that was called off."""
    return (
        f'<article class="turn" data-say="{esc(words.CANCELLED)}">{_asked(question)}'
        f'<div class="card"><p class="why">{esc(words.CANCELLED)}</p>{button(esc(words.AGAIN), "again", "quiet")}'
        "</div></article>"
    )


def turn(
    question: str, answer: Answer, text_of: TextOf, token: str = "", deciding: Answer | None = None
) -> str:
    """One question with its answer, or with the honest no, and all its evidence.

    :param token: names the answer, for what the person says about it; without one they are not asked.
    :param deciding: the same question answered at any price, where a quote cannot be the answer but may decide it.
    """
    kind = asks_for(answer.read_as)
    shown = answer if deciding is None else deciding
    places = places_of(shown)
    packed = json.dumps([place_html(places, i, text_of) for i in range(len(places))])
    if deciding is not None:
        card, say = _deciding(kind, deciding, places, text_of), words.DECIDES[kind or "yes_no"]
    elif answer.abstained:
        card, say = _declined(answer, kind, text_of), words.DECLINED
    else:
        card = _answered(answer, kind, places, text_of)
        say = words.spoken_answer(answer.answer or "", sure(answer.confidence))
    lead = words.OPINION if deciding is None else words.OPINION_DECIDES
    opinion = _opinion(lead, shown.abstained, token) if token and answer.reason != "empty_index" else ""
    return (
        f'<article class="turn" data-say="{esc(say)}" data-places="{esc(packed)}">{_asked(question)}'
        f"{_read_as(question, answer)}{card}{_notes(answer.warnings)}{opinion}</article>"
    )


def _read_as(question: str, answer: Answer) -> str:
    if question.strip().startswith(answer.read_as):  # trimmed or cut is still the same question
        return ""
    undo = button(esc(words.AS_WRITTEN), "alone", "quiet")
    return f'<p class="read-as"><span>{esc(words.READ_AS)} <bdi>{esc(answer.read_as)}</bdi></span>{undo}</p>'


def _quote(answer: Answer, places: Sequence[Place], text_of: TextOf, told: str) -> str:
    """The quote, its surroundings, how sure, and what one can do with it."""
    best = answer.citations[0]
    context = marked(setting_of(best, text_of), best, NEAR, "context")
    does = button(esc(words.SHOW), "open", "chief", place=0) + copy_button(best)
    does += button(esc(words.COPY_LINK), "link", "quiet", done=words.COPIED, failed=words.LINK_FAILED)
    return (
        f'<blockquote class="words quote" dir="auto">{esc(answer.answer)}</blockquote>'
        f'<p class="around">{context}</p>{_confidence(answer.confidence, told)}<div class="does">{does}</div>'
    )


def _answered(answer: Answer, kind: Kind | None, places: Sequence[Place], text_of: TextOf) -> str:
    notes = [words.GUESS] if _is_guess(answer) else []
    if kind and not (kind == "count" and has_number(answer.answer or "")):
        notes.append(words.DECIDES[kind])
    note = f'<p class="decides">{esc(" ".join(notes))}</p>' if notes else ""
    return (
        f'<div class="card answered">{note}{_quote(answer, places, text_of, _agreement(answer, places))}'
        f"{_chips(answer, places, LISTED if kind == 'list' else CHIPS)}</div>"
    )


def _deciding(kind: Kind | None, answer: Answer, places: Sequence[Place], text_of: TextOf) -> str:
    """The place that decides a question which a quote cannot answer; plainly not an answer itself."""
    kind = kind or "yes_no"
    note = f'<p class="no">{esc(words.DECIDES_TITLE[kind])}</p><p class="why">{esc(words.DECIDES[kind])}</p>'
    return (
        f'<div class="card answered deciding">{note}{_quote(answer, places, text_of, "")}'
        f"{_chips(answer, places, LISTED if kind == 'list' else CHIPS)}</div>"
    )


def _is_guess(answer: Answer) -> bool:
    """Whether the answer was only given because the person wanted one at any price."""
    return answer.confidence is not None and answer.confidence < EVEN


def _agreement(answer: Answer, places: Sequence[Place]) -> str:
    """How many say so; where more than one place does, a chip that goes through them."""
    articles = len({c.article for c in answer.citations})
    told = words.agreement(len(answer.citations), articles, _is_guess(answer))
    same = [i for i, place in enumerate(places) if place.group == 0]
    if len(same) < 2:
        return f'<span class="told">{esc(told)}</span>'
    return button(esc(told), "cycle", "chip", places=" ".join(map(str, same)))


def _chips(answer: Answer, places: Sequence[Place], most: int) -> str:
    """The first of the other answers, each a button that shows its place."""
    heads = [(i, place) for i, place in enumerate(places) if place.group and place.n == 1][:most]
    own = {c.article for c in answer.citations}
    elsewhere = [(i, p) for i, p in heads if p.citation.article not in own]
    here = [(i, p) for i, p in heads if p.citation.article in own]
    return _chip_line(words.ANOTHER_SAYS, elsewhere) + _chip_line(words.ALSO_SAYS, here)


def _chip_line(lead: str, heads: Iterable[tuple[int, Place]]) -> str:
    chips = "".join(button(f"{said(p.answer)}{small(_told(p))}", "open", "chip", place=i) for i, p in heads)
    return f'<div class="chips"><span>{esc(lead)}</span>{chips}</div>' if chips else ""


def _told(head: Place) -> str:
    """How sure another answer is, and how many articles give it."""
    several = words.several(head.articles) if head.articles > 1 else ""
    return " · ".join(part for part in (sure(head.confidence, short=True), several) if part)


def _confidence(confidence: float | None, told: str) -> str:
    """In words and per cent first; a thin bar second. ``told`` is HTML."""
    bar = ""
    if confidence is not None:
        width = f"width:{100 * confidence:.0f}%"
        bar = f'<span class="bar-line" aria-hidden="true"><span class="bar"><i style="{width}"></i></span></span>'
    return f'<p class="sure"><span>{esc(sure(confidence))}</span>{told}{bar}</p>'


def _declined(answer: Answer, kind: Kind | None, text_of: TextOf) -> str:
    why = words.why_not(answer.reason or "", answer.confidence)
    if kind and answer.reason in ("no_span", "low_confidence"):
        why += " " + words.QUOTES_ONLY[kind]
    near = ""
    if answer.nearest:
        context = marked(setting_of(answer.nearest, text_of), answer.nearest, NEAR, "context", "span")
        near = (
            f'<div class="near"><h3>{esc(words.NEAREST)} · <strong>{esc(words.NOT_AN_ANSWER)}</strong></h3>'
            f'<p class="around clamp">{context}</p>{button(esc(words.SHOW_NEAREST), "open", "quiet", place=0)}</div>'
        )
    ways = ""
    if answer.reason == "low_confidence":
        ways += button(esc(words.BEST_GUESS), "guess", "chief")
    ways += button(esc(words.ASK_ALL), "everywhere", "quiet in-scope")
    if answer.reason == "empty_index":
        tries = f'<div class="does">{button(esc(words.ARTICLES), "articles", "chief")}</div>'
    else:
        tips = "".join(f"<li>{esc(tip)}</li>" for tip in words.TRIES[answer.reason or "no_span"])
        tries = (
            f'<div class="try"><h3>{esc(words.TRY)}</h3><ul>{tips}</ul><div class="does">{ways}</div></div>'
        )
    return (
        f'<div class="card declined"><p class="no">{esc(words.DECLINED)}</p><p class="why">{esc(why)}</p>'
        f"{near}{tries}</div>"
    )


def _opinion(lead: str, declined: bool, token: str) -> str:
    """Was it right? Each verdict is one button."""
    verdicts = words.VERDICTS_DECLINED if declined else words.VERDICTS
    buttons = "".join(
        f'<button type="button" class="quiet" data-action="verdict" data-verdict="{verdict}" aria-pressed="false">'
        f"{esc(label)}</button>"
        for verdict, label in verdicts
    )
    return (
        f'<div class="opinion" role="group" aria-label="{esc(lead)}" data-token="{esc(token)}">'
        f'<span class="lead">{esc(lead)}</span>{buttons}<span class="thanks"></span></div>'
    )


def _notes(warnings: Sequence[str]) -> str:
    return "".join(f'<p class="note">{esc(words.NOTES)}: {esc(w)}</p>' for w in warnings)
