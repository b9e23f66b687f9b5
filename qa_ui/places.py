"""The evidence: each place an answer can be seen at, in its article.

Cut-off text gets its ellipsis from the style sheet: what stands in an element of class ``words`` is the article's
text and nothing else.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from qa.types import Answer, Article, Citation, NotFoundError, VerbatimError

from . import words
from .markup import button, esc, said, small, sure

TextOf = Callable[[str, str], str]  # article, version -> its stored text

FAR = 320  # characters of the article around the passage in the evidence
NEAR = 90  # characters around the quote in the chat
LIKELY = (
    0.05  # other answers that are less likely are left out, unless the answer itself is hardly more likely
)
SNIPPET = 36  # characters around the quote in a list of places
BACK, ON = '<span aria-hidden="true">◂</span>', '<span aria-hidden="true">▸</span>'


@dataclass(frozen=True, slots=True)
class Place:
    """One place the evidence can show: a citation of the answer (group 0), of another answer, or the nearest."""

    citation: Citation
    answer: str
    confidence: float | None
    group: int
    n: int  # counts from 1 within its group
    total: int
    nearest: bool = False
    articles: int = 1  # how many give this answer
    flag: str = ""  # what else is to be said about it


def places_of(answer: Answer) -> list[Place]:
    """All places of an answer and of the likelier others, the answer's own first; the nearest one if it declined."""
    if answer.abstained:
        near = answer.nearest
        return [Place(near, near.text, near.confidence, 0, 1, 1, nearest=True)] if near else []
    groups: list[tuple[str, float | None, Sequence[Citation]]] = [
        (answer.answer or "", answer.confidence, answer.citations)
    ]
    least = min(LIKELY, (answer.confidence or 0) / 2)
    groups += [
        (a.answer, a.confidence, a.citations)
        for a in answer.alternatives
        if a.confidence is None or a.confidence >= least
    ]
    return [
        Place(
            citation,
            answer_,
            confidence,
            group,
            n,
            len(citations),
            articles=len({c.article for c in citations}),
        )
        for group, (answer_, confidence, citations) in enumerate(groups)
        for n, citation in enumerate(citations, 1)
    ]


# Pieces of text


@dataclass(frozen=True, slots=True)
class Setting:
    """The text a quote stands in: the whole article, or the passage alone when the article is gone."""

    text: str
    offset: int  # of text[0] in the article
    whole: bool

    def slice(self, start: int, end: int) -> str:
        """The article's characters ``start`` to ``end``."""
        return self.text[max(start - self.offset, 0) : max(end - self.offset, 0)]


def setting_of(citation: Citation, text_of: TextOf) -> Setting:
    """Fetch the text around a citation and check the quote against it.

    :raises VerbatimError: if the quote is not what stands there.
    """
    try:
        found = Setting(text_of(citation.article, citation.version), 0, whole=True)
    except NotFoundError:  # removed since it was cited: what was quoted can still be shown
        found = Setting(citation.passage.text, citation.passage.start, whole=False)
    if found.slice(citation.start, citation.end) != citation.text:
        raise VerbatimError(f"the quote of {citation.ref} is not the article's text")
    return found


def _window(text: str, start: int, end: int, around: int) -> tuple[int, int]:
    """Widen ``start, end`` by up to ``around`` characters each side, to whole words where there are spaces."""
    left, right = max(start - around, 0), min(end + around, len(text))
    if left > 0:
        space = text.find(" ", left, start)
        left = space + 1 if space >= 0 else left
        while left < start and _joins(text[left]):
            left += 1
    if right < len(text):
        space = text.rfind(" ", end, right)
        right = space if space >= 0 else right
        while right < len(text) and _joins(text[right]):
            right += 1
    return left, right


def _joins(character: str) -> bool:
    """Whether it belongs to the character before it: an accent, a vowel sign, a joiner."""
    return unicodedata.category(character) in ("Mn", "Mc", "Me") or character == "\u200d"


def marked(setting: Setting, citation: Citation, around: int, css: str, mark: str = "mark") -> str:
    """The quote in its surroundings, as one element whose text is the article's."""
    start, end = citation.start - setting.offset, citation.end - setting.offset
    left, right = _window(setting.text, start, end, around)
    cut = (" cut-left" if left > 0 else "") + (" cut-right" if right < len(setting.text) else "")
    return (
        f'<span class="words {css}{cut}" dir="auto">{esc(setting.text[left:start])}'
        f"<{mark}>{esc(setting.text[start:end])}</{mark}>{esc(setting.text[end:right])}</span>"
    )


def quote_with_reference(citation: Citation) -> str:
    """What "Copy quote" puts on the clipboard."""
    about = ", ".join(x for x in (citation.title, citation.source, citation.date, citation.locator) if x)
    return f"“{citation.text}”\n— {about} ({citation.ref})"


def copy_button(citation: Citation) -> str:
    """Copies the quote and its reference."""
    return button(esc(words.COPY), "copy", "quiet", copy=quote_with_reference(citation), done=words.COPIED,
                  failed=words.COPY_FAILED)  # fmt: skip


# The evidence


def place_html(places: Sequence[Place], at: int, text_of: TextOf) -> str:
    """The evidence for ``places[at]``: about the article, the passage with the quote, and the ways on."""
    place = places[at]
    citation = place.citation
    setting = setting_of(citation, text_of)
    return (
        f'<div class="place{" is-nearest" if place.nearest else ""}" data-ref="{esc(citation.ref)}">'
        f"{_about(place, setting)}{_leaf(place, setting)}{_ways(places, at, setting)}{_elsewhere(places, at)}</div>"
    )


def _about(place: Place, setting: Setting) -> str:
    """Title, source, date and position; what this place is, when it is not the answer's own."""
    citation = place.citation
    characters = words.position(citation.start, citation.end, len(setting.text) if setting.whole else None)
    known = [citation.source, citation.date, citation.locator, characters]
    facts = " · ".join(f"<bdi>{esc(fact)}</bdi>" for fact in known if fact)
    flag = ""
    if place.nearest:
        flag = f'<p class="flag">{esc(words.NEAREST)} · <strong>{esc(words.NOT_AN_ANSWER)}</strong></p>'
    elif place.flag:
        flag = f'<p class="flag">{esc(place.flag)}</p>'
    elif place.group:
        sureness = small(sure(place.confidence, short=True))
        flag = f'<p class="flag">{esc(words.ALSO_SAYS)} {said(place.answer)} {sureness}</p>'
    of = "" if place.total == 1 else f'<span class="of">{esc(words.place_of(place.n, place.total))}</span>'
    return (
        f'<header class="about">{flag}<div class="title-line"><h2 class="words" dir="auto" tabindex="-1">'
        f'{esc(citation.title)}</h2>{of}</div><p class="facts">{facts}</p></header>'
    )


def _leaf(place: Place, setting: Setting) -> str:
    """The passage in full ink and some of the article around it in lighter ink."""
    citation, passage = place.citation, place.citation.passage
    start, end = passage.start - setting.offset, passage.end - setting.offset
    left, right = _window(setting.text, start, end, FAR) if setting.whole else (start, end)
    cut = (" cut-left" if left > 0 else "") + (" cut-right" if right < len(setting.text) else "")
    mark = "span" if place.nearest else "mark"
    inner = (
        f"{esc(setting.slice(passage.start, citation.start))}"
        f'<{mark} class="here">{esc(citation.text)}</{mark}>{esc(setting.slice(citation.end, passage.end))}'
    )
    return (
        f'<div class="leaf" tabindex="0" role="group" aria-label="{esc(words.EVIDENCE_LABEL)}">'
        f'<div class="words{cut}" dir="auto"><span class="far">{esc(setting.text[left:start])}</span>'
        f'<span class="passage">{inner}</span><span class="far">{esc(setting.text[end:right])}</span></div></div>'
    )


def _ways(places: Sequence[Place], at: int, setting: Setting) -> str:
    """Previous and next place of the same answer, the whole article, and copying."""
    citation, group = places[at].citation, places[at].group
    first = next(i for i, p in enumerate(places) if p.group == group)
    total = places[at].total
    steps = ""
    if total > 1:
        before, after = first + (at - first - 1) % total, first + (at - first + 1) % total
        steps = button(f"{BACK} {esc(words.PREVIOUS)}", "place", "quiet", place=before, step="previous")
        steps += button(f"{esc(words.NEXT)} {ON}", "place", "quiet", place=after, step="next")
    whole = button(
        esc(words.WHOLE), "whole", "quiet", article=citation.article, version=citation.version,
        start=citation.start, end=citation.end, back=words.PASSAGE, failed=words.WHOLE_FAILED,
    )  # fmt: skip
    copy = "" if places[at].nearest else copy_button(citation)
    link = button(esc(words.COPY_LINK), "link", "quiet", done=words.COPIED, failed=words.LINK_FAILED)
    rest = f'<span class="push"></span>{copy}{link}{whole if setting.whole else ""}'
    return f'<nav class="ways" aria-label="{esc(words.WAYS)}">{steps}{rest}</nav>'


def _elsewhere(places: Sequence[Place], at: int) -> str:
    """Lists of the other places of this answer, and of the other answers."""
    group = places[at].group
    same = [i for i, p in enumerate(places) if p.group == group and i != at]
    others = [i for i, p in enumerate(places) if p.group != group and p.n == 1]
    parts = ""
    if same:
        parts += _list(words.OTHER_PLACES, (_place_row(i, places[i]) for i in same))
    if others:
        parts += _list(words.OTHER_ANSWERS, (_answer_row(i, places[i]) for i in others))
    return f'<div class="elsewhere">{parts}</div>' if parts else ""


def _list(title: str, rows: Iterable[str]) -> str:
    return f"<section><h3>{esc(title)}</h3><ul>{''.join(f'<li>{row}</li>' for row in rows)}</ul></section>"


def _place_row(at: int, place: Place) -> str:
    passage = place.citation.passage
    around = marked(Setting(passage.text, passage.start, whole=False), place.citation, SNIPPET, "", "b")
    about = " · ".join(x for x in (place.citation.title, place.citation.locator) if x)
    return button(f'{around}<span class="small" dir="auto">{esc(about)}</span>', "place", "line", place=at)


def _answer_row(at: int, place: Place) -> str:
    about = " · ".join(x for x in (sure(place.confidence, short=True), place.citation.title) if x)
    return button(
        f'{said(place.answer)}<span class="small" dir="auto">{esc(about)}</span>', "place", "line", place=at
    )


def article_html(article: Article, most: int) -> str:
    """A whole article by itself, to be read; of a very long one the first ``most`` characters."""
    known = [article.source, article.date, words.characters(len(article.text))]
    facts = " · ".join(f"<bdi>{esc(fact)}</bdi>" for fact in known if fact)
    cut = f'<p class="flag">{esc(words.CUT_END)}</p>' if len(article.text) > most else ""
    return (
        f'<div class="place" data-article="{esc(article.id)}"><header class="about"><div class="title-line">'
        f'<h2 class="words" dir="auto" tabindex="-1">{esc(article.title)}</h2></div><p class="facts">{facts}</p>'
        f'</header><div class="leaf" tabindex="0" role="group" aria-label="{esc(words.EVIDENCE_LABEL)}">'
        f'<div class="words" dir="auto">{esc(article.text[:most])}</div>{cut}</div></div>'
    )
