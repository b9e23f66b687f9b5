"""The page's frame, and what stands in the chat before the first question."""

from __future__ import annotations

from . import words
from .markup import button, esc


def shell(usual: float | None, writable: bool, thread: str, counts: str) -> str:
    """The frame that the page's script fills: our own words alone, nothing of an article.

    :param usual: the calibrated threshold, if there is one.
    :param writable: whether articles can be added and removed here.
    :param thread: what stands in the chat, as HTML.
    :param counts: what the index holds, in words.
    """
    return (
        f'<a class="skip" href="#box">{esc(words.SKIP)}</a>{_masthead(usual, counts)}'
        f'<main id="desk"><section id="talk" aria-label="{esc(words.CHAT_LABEL)}">'
        f'<div id="offline" role="alert" hidden></div><div id="thread">{thread}</div>{_composer()}</section>'
        f'<div id="side">{_evidence()}{_articles(writable)}</div></main>'
        '<p id="said" class="unseen" role="status" aria-live="polite"></p>'
    )


def _masthead(usual: float | None, counts: str) -> str:
    at = "" if usual is None else f"{usual:.4f}"
    return (
        f'<header id="masthead"><div id="head"><h1>{esc(words.TITLE)}</h1><p class="counts">{esc(counts)}</p></div>'
        f"{button(esc(words.ARTICLES), 'articles', 'tool', opens='articles')}"
        f'<div id="sure-box"><button type="button" class="tool" data-action="sure" aria-expanded="false" '
        f'aria-controls="sure-menu">{esc(words.HOW_SURE)}: <b id="sure-now">{esc(words.SURE_USUAL)}</b></button>'
        f'<div id="sure-menu" hidden role="group" aria-label="{esc(words.HOW_SURE)}">'
        f'<label for="sure-range">{esc(words.SURE_LEAD)}</label>'
        f'<output id="sure-said" for="sure-range"></output>'
        f'<input id="sure-range" type="range" min="0" max="95" step="5" data-usual="{at}">'
        f'<div class="ends" aria-hidden="true"><span>{esc(words.SURE_ANY)}</span>'
        f"<span>{esc(words.SURE_MOST)}</span></div>"
        f'<p class="small">{esc(words.SURE_HINT)}</p>'
        f"{button(esc(words.sure_back(usual)), 'usual', 'quiet')}</div></div>"
        f"{button(esc(words.START_OVER), 'over', 'tool')}"
        f'<button type="button" class="tool icon" data-action="scheme" aria-label="{esc(words.SCHEME)}" '
        f'title="{esc(words.SCHEME)}"><span aria-hidden="true">◐</span></button></header>'
    )


def _composer() -> str:
    return (
        f'<form id="question"><div id="scope" hidden><span class="about-scope"></span>'
        f"{button(esc(words.SCOPE_OFF), 'everywhere', 'quiet')}</div>"
        f'<div class="line-in"><label class="unseen" for="box">{esc(words.ASK_LABEL)}</label>'
        f'<textarea id="box" rows="1" dir="auto" placeholder="{esc(words.ASK_PLACEHOLDER)}" autocomplete="off" '
        f'enterkeyhint="send"></textarea>'
        f'<button type="submit" class="submit-button" aria-label="{esc(words.ASK)}">'
        '<svg viewBox="0 0 20 20" aria-hidden="true"><path d="M10 16V4M5 9l5-5 5 5" fill="none" '
        'stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round"/></svg>'
        "</button></div></form>"
    )


def _evidence() -> str:
    return (
        f'<section id="evidence" aria-label="{esc(words.EVIDENCE_LABEL)}"><div class="holder"></div>'
        f'<p class="nothing">{esc(words.EVIDENCE_EMPTY)}</p>'
        f"{button(esc(words.CLOSE), 'close', 'close')}</section>"
    )


def _articles(writable: bool) -> str:
    """The articles' panel: adding, looking through, choosing, removing."""
    taking = _taking() if writable else f'<p class="hint">{esc(words.READ_ONLY)}</p>'
    return (
        f'<section id="articles" aria-label="{esc(words.ARTICLES)}" hidden><header class="panel-head">'
        f'<h2 tabindex="-1">{esc(words.ARTICLES)}</h2><p class="counts small"></p>'
        f'{button(esc(words.CLOSE), "close", "quiet")}</header><div class="panel-body">{taking}'
        '<ul id="jobs"></ul><div id="undo" role="status"></div>'
        f'<div class="sift"><label class="unseen" for="find">{esc(words.FIND)}</label>'
        f'<input id="find" type="search" dir="auto" placeholder="{esc(words.FIND)}" autocomplete="off">'
        f'<fieldset class="days"><legend>{esc(words.DAYS)}</legend>'
        f'<label>{esc(words.SINCE)} <input id="since" type="date"></label>'
        f'<label>{esc(words.UNTIL)} <input id="until" type="date"></label></fieldset></div>'
        f'<div class="chosen" hidden><span></span>{button(esc(words.SCOPE_OFF), "everywhere", "quiet")}</div>'
        '<div id="shelf"></div></div>'
        f"{button(esc(words.CLOSE), 'close', 'close')}</section>"
    )


def _taking() -> str:
    """Where articles come in: files dropped or chosen, and text pasted."""
    return (
        f'<div id="drop"><p><label class="chief pick" for="files">{esc(words.CHOOSE_FILES)}</label>'
        f'<input id="files" class="unseen" type="file" multiple> '
        f'<span class="dropping-too">{esc(words.OR_DROP)}</span></p>'
        f'<p class="small">{esc(words.KINDS)}</p>'
        f'<details id="paste"><summary>{esc(words.PASTE)}</summary><form>'
        f'<label>{esc(words.PASTE_TITLE)}<input name="title" maxlength="200" dir="auto" autocomplete="off"></label>'
        f'<label>{esc(words.PASTE_DATE)}<input name="date" type="date"></label>'
        f'<label class="wide">{esc(words.PASTE_TEXT)}<textarea name="text" rows="6" dir="auto" required></textarea>'
        "</label>"
        f'<button type="submit" class="chief">{esc(words.PASTE_ADD)}</button></form></details></div>'
    )


def first_visit(examples: bool) -> str:
    """What stands in the chat before the first question."""
    body = f'<p class="hint">{esc(words.GENERIC_HINT)}</p>'
    if examples:
        rows = [button(esc(q), "ask", "example", question=q) for q in words.EXAMPLES]
        absent = f'{esc(words.EXAMPLE_NOT_THERE)}<span class="small">{esc(words.EXAMPLES_NOT_THERE)}</span>'
        rows.append(button(absent, "ask", "example", question=words.EXAMPLE_NOT_THERE))
        body = f"<h2>{esc(words.EXAMPLES_TITLE)}</h2><ul>{''.join(f'<li>{row}</li>' for row in rows)}</ul>"
    return f'<div class="welcome"><p class="intro">{esc(words.INTRO)}</p>{body}</div>'


def empty_library(index: str, writable: bool) -> str:
    """What stands there when the index holds no article: what to do."""
    here = ""
    if writable:
        here = (
            f'<p class="hint">{esc(words.EMPTY_HERE)}</p>'
            f'<p class="does">{button(esc(words.EMPTY_ADD), "articles", "chief")}</p>'
        )
    return (
        f'<div class="welcome"><p class="intro">{esc(words.EMPTY_TITLE)}</p>{here}'
        f'<p class="hint">{esc(words.EMPTY_HOW)}</p><pre tabindex="0">{esc(words.empty_command(index))}</pre></div>'
    )
