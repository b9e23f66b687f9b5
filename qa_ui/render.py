"""Answers as HTML. Everything from an article, a file name or a question passes through ``esc``; nothing else may.

A turn of the chat is one ``<article class="turn">``. Its places are rendered with it and travel in ``data-places`` as
a list of HTML strings, so that switching the evidence needs no server. Cut-off text gets its ellipsis from the style
sheet: what stands in an element of class ``words`` is the article's text and nothing else.
"""

from __future__ import annotations

import html
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from qa.types import Answer, Citation, NotFoundError, VerbatimError

from . import words

TextOf = Callable[[str, str], str]  # article, version -> its stored text

FAR = 320  # characters of the article around the passage in the evidence
NEAR = 90  # characters around the quote in the chat
SNIPPET = 36  # characters around the quote in a list of places
CHIPS = 2  # other answers named in the chat; the evidence lists them all
CHIP_FROM = 0.05  # and only those at least so likely
LONG_QUESTION = 400  # of a longer question the chat shows the beginning


def esc(text: object) -> str:
    r"""Text for HTML content and attributes, so that it comes out of the browser as it went in.

    NUL and lone surrogates cannot stand in a page and become U+FFFD; CR would be turned into LF and is spelled out.

    >>> esc('<b onclick="x">&amp;')
    '&lt;b onclick=&quot;x&quot;&gt;&amp;amp;'
    """
    plain = "".join("\ufffd" if c == "\0" or "\ud800" <= c <= "\udfff" else c for c in str(text))
    return html.escape(plain, quote=True).replace("\r", "&#13;")


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


def places_of(answer: Answer) -> list[Place]:
    """All places of an answer, the answer's own first; the nearest passage if it declined."""
    if answer.abstained:
        near = answer.nearest
        return [Place(near, near.text, near.confidence, 0, 1, 1, nearest=True)] if near else []
    groups: list[tuple[str, float | None, Sequence[Citation]]] = [
        (answer.answer or "", answer.confidence, answer.citations)
    ]
    groups += [(a.answer, a.confidence, a.citations) for a in answer.alternatives]
    return [
        Place(citation, said, confidence, group, n, len(citations))
        for group, (said, confidence, citations) in enumerate(groups)
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
    if right < len(text):
        space = text.rfind(" ", end, right)
        right = space if space >= 0 else right
    return left, right


def marked(setting: Setting, citation: Citation, around: int, css: str, mark: str = "mark") -> str:
    """The quote in its surroundings, as one element whose text is the article's."""
    start, end = citation.start - setting.offset, citation.end - setting.offset
    left, right = _window(setting.text, start, end, around)
    cut = (" cut-left" if left > 0 else "") + (" cut-right" if right < len(setting.text) else "")
    return (
        f'<span class="words {css}{cut}" dir="auto">{esc(setting.text[left:start])}'
        f"<{mark}>{esc(setting.text[start:end])}</{mark}>{esc(setting.text[end:right])}</span>"
    )


def button(label: str, action: str, css: str = "", **data: object) -> str:
    """A button that the page's script acts on; ``label`` is HTML, ``data`` is not."""
    extra = "".join(f' data-{name}="{esc(value)}"' for name, value in data.items())
    return f'<button type="button" class="{css}" data-action="{action}"{extra}>{label}</button>'


def quote_with_reference(citation: Citation) -> str:
    """What "Copy quote" puts on the clipboard."""
    about = ", ".join(x for x in (citation.title, citation.source, citation.date, citation.locator) if x)
    return f"“{citation.text}”\n— {about} ({citation.ref})"


def copy_button(citation: Citation) -> str:
    """Copies the quote and its reference."""
    return button(esc(words.COPY), "copy", "quiet", copy=quote_with_reference(citation), done=words.COPIED,
                  failed=words.COPY_FAILED)  # fmt: skip


def sure(confidence: float | None, short: bool = False) -> str:
    """``Very likely · 91 %``, in words for people and screen readers alike."""
    if confidence is None:
        return "" if short else words.UNCALIBRATED
    return f"{words.sure_word(confidence)} · {words.percent(confidence)}"


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
    elif place.group:
        said = f'<q class="words" dir="auto">{esc(place.answer)}</q>'
        flag = (
            f'<p class="flag">{esc(words.ALSO_SAYS)} {said} {_small(sure(place.confidence, short=True))}</p>'
        )
    of = "" if place.nearest else f'<span class="of">{esc(words.place_of(place.n, place.total))}</span>'
    return (
        f'<header class="about">{flag}<div class="title-line"><h2 class="words" dir="auto" tabindex="-1">'
        f'{esc(citation.title)}</h2>{of}</div><p class="facts">{facts}</p></header>'
    )


def _said(place: Place) -> str:
    return f'<q class="words" dir="auto">{esc(place.answer)}</q>'


def _small(text: str) -> str:
    return f'<span class="small">{esc(text)}</span>' if text else ""


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
        steps = button(f"◂ {esc(words.PREVIOUS)}", "place", "quiet", place=before, step="previous")
        steps += button(f"{esc(words.NEXT)} ▸", "place", "quiet", place=after, step="next")
    whole = button(
        esc(words.WHOLE), "whole", "quiet", article=citation.article, version=citation.version,
        start=citation.start, end=citation.end, back=words.PASSAGE, failed=words.WHOLE_FAILED,
    )  # fmt: skip
    copy = "" if places[at].nearest else copy_button(citation)
    return f'<nav class="ways">{steps}<span class="push"></span>{copy}{whole if setting.whole else ""}</nav>'


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
        f'{_said(place)}<span class="small" dir="auto">{esc(about)}</span>', "place", "line", place=at
    )


# The chat


def _asked(question: str) -> str:
    if not question.strip():
        return ""
    shown = question if len(question) <= LONG_QUESTION else question[:LONG_QUESTION] + " …"
    return (
        f'<h2 class="asked" dir="auto"><span class="unseen">{esc(words.YOU_ASKED)}: </span>{esc(shown)}</h2>'
    )


def waiting(question: str, doing: str) -> str:
    """A question being worked on, and what is being done."""
    return (
        f'<article class="turn working" data-say="{esc(doing)}">{_asked(question)}'
        f'<p class="doing">{esc(doing)}</p></article>'
    )


def trouble(question: str, message: str) -> str:
    """A question that could not be asked, and why, in one line."""
    return (
        f'<article class="turn" data-say="{esc(message)}">{_asked(question)}'
        f'<div class="card trouble"><p>{esc(message)}</p></div></article>'
    )


def turn(question: str, answer: Answer, text_of: TextOf) -> str:
    """One question with its answer, or with the honest no, and all its evidence."""
    places = places_of(answer)
    packed = json.dumps([place_html(places, i, text_of) for i in range(len(places))])
    if answer.abstained:
        card = _declined(answer, text_of)
        say = words.DECLINED
    else:
        card = _answered(answer, places, text_of)
        say = words.spoken_answer(answer.answer or "", sure(answer.confidence))
    read_as = ""
    if not question.strip().startswith(answer.read_as):  # trimmed or cut is still the same question
        read_as = f'<p class="read-as">{esc(words.READ_AS)} <bdi>{esc(answer.read_as)}</bdi></p>'
    return (
        f'<article class="turn" data-say="{esc(say)}" data-places="{esc(packed)}">'
        f"{_asked(question)}{read_as}{card}{_notes(answer.warnings)}</article>"
    )


def _answered(answer: Answer, places: Sequence[Place], text_of: TextOf) -> str:
    best = answer.citations[0]
    context = marked(setting_of(best, text_of), best, NEAR, "context")
    articles = len({c.article for c in answer.citations})
    told = words.agreement(len(answer.citations), articles)
    heads = [
        (i, place)
        for i, place in enumerate(places)
        if place.group and place.n == 1 and (place.confidence is None or place.confidence >= CHIP_FROM)
    ]
    chips = "".join(
        button(f"{_said(p)}{_small(sure(p.confidence, short=True))}", "open", "chip", place=i)
        for i, p in heads[:CHIPS]
    )
    if chips:
        own = {c.article for c in answer.citations}
        elsewhere = all(p.citation.article not in own for _, p in heads[:CHIPS])
        lead = words.ANOTHER_SAYS if elsewhere else words.ALSO_SAYS
        chips = f'<div class="chips"><span>{esc(lead)}</span>{chips}</div>'
    return (
        f'<div class="card answered"><blockquote class="words quote" dir="auto">{esc(answer.answer)}</blockquote>'
        f'<p class="around">{context}</p>{_confidence(answer.confidence, told)}'
        f'<div class="does">{button(esc(words.SHOW), "open", "chief", place=0)}{copy_button(best)}</div>{chips}</div>'
    )


def _confidence(confidence: float | None, told: str) -> str:
    bar = ""
    if confidence is not None:
        width = f"width:{100 * confidence:.0f}%"
        bar = f'<span class="bar-line" aria-hidden="true"><span class="bar"><i style="{width}"></i></span></span>'
    return (
        f'<p class="sure"><span>{esc(sure(confidence))}</span><span class="told">{esc(told)}</span>{bar}</p>'
    )


def _declined(answer: Answer, text_of: TextOf) -> str:
    why = words.why_not(answer.reason or "", answer.confidence)
    near = ""
    if answer.nearest:
        context = marked(setting_of(answer.nearest, text_of), answer.nearest, NEAR, "context", "span")
        near = (
            f'<div class="near"><h3>{esc(words.NEAREST)} · <strong>{esc(words.NOT_AN_ANSWER)}</strong></h3>'
            f'<p class="around clamp">{context}</p>{button(esc(words.SHOW_NEAREST), "open", "quiet", place=0)}</div>'
        )
    tries = "" if answer.reason == "empty_index" else f'<p class="try">{esc(words.TRY)}</p>'
    if answer.reason == "low_confidence":
        tries += button(esc(words.BEST_GUESS), "ask", "chief guess", question=answer.question, any="yes")
    return (
        f'<div class="card declined"><p class="no">{esc(words.DECLINED)}</p><p class="why">{esc(why)}</p>'
        f"{near}{tries}</div>"
    )


def _notes(warnings: Sequence[str]) -> str:
    return "".join(f'<p class="note">{esc(words.NOTES)}: {esc(w)}</p>' for w in warnings)


# The page's other states


def masthead(articles: int, passages: int) -> str:
    """Name and size of the library."""
    return f'<h1>{esc(words.TITLE)}</h1><p class="counts">{esc(words.counts(articles, passages))}</p>'


def first_visit(examples: bool) -> str:
    """What stands in the chat before the first question."""
    body = f'<p class="hint">{esc(words.GENERIC_HINT)}</p>'
    if examples:
        rows = [button(esc(q), "ask", "example", question=q) for q in words.EXAMPLES]
        absent = f'{esc(words.EXAMPLE_NOT_THERE)}<span class="small">{esc(words.EXAMPLES_NOT_THERE)}</span>'
        rows.append(button(absent, "ask", "example", question=words.EXAMPLE_NOT_THERE))
        body = f"<h3>{esc(words.EXAMPLES_TITLE)}</h3><ul>{''.join(f'<li>{row}</li>' for row in rows)}</ul>"
    return f'<div class="welcome"><p class="intro">{esc(words.INTRO)}</p>{body}</div>'


def empty_library(index: str) -> str:
    """What stands there when the index holds no article: what to do."""
    return (
        f'<div class="welcome"><p class="intro">{esc(words.EMPTY_TITLE)}</p>'
        f'<p class="hint">{esc(words.EMPTY_HOW)}</p>'
        f"<pre>{esc(words.empty_command(index))}</pre></div>"
    )


def evidence_shell() -> str:
    """The evidence before there is any; the page's script fills ``.holder``."""
    return (
        f'<section id="evidence" aria-label="{esc(words.EVIDENCE_LABEL)}">'
        f"{button(esc(words.CLOSE), 'close', 'close')}"
        f'<div class="holder"></div><p class="nothing">{esc(words.EVIDENCE_EMPTY)}</p></section>'
        f'<p id="said" class="unseen" role="status" aria-live="polite"></p>'
    )
