"""What the page's script may call on the server. All that comes in is untrusted; errors go back as one line."""

from __future__ import annotations

import functools
from collections.abc import Callable, Container
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import gradio as gr

from qa.scope import Scope
from qa.types import ArticleError, Citation, NotFoundError, QAError, QuestionError

from . import places, shell, words
from .desk import Desk
from .errors import one_line
from .jobs import Jobs
from .shelf import ROWS, outcome, shelf

WHOLE_AROUND = 250_000  # characters shown on each side of the quote; keeps a book from freezing the browser

Data = dict[str, Any]
Call = Callable[..., Any]


def calls(desk: Desk, uploaded: Callable[[], Container[str]]) -> list[Call]:
    """All functions of the page.

    :param uploaded: the paths of files that were uploaded here: no other path is ever opened.
    """
    reading = [_start(desk), _state(desk), *_chat(desk), *_articles(desk)]
    return reading + (_intake(desk, Jobs(desk.library), uploaded) if desk.writable else [])


def answering(call: Callable[[Data], Data]) -> Call:
    """Wrap a call: what goes wrong is ``{"error": one line}``, never an exception that the page cannot show."""

    # Gradio marks what the browser may call, and finds the request by its annotation.
    def wrapped(data: object, request: gr.Request) -> Data:
        try:
            same_page(request)
            return call(data if isinstance(data, dict) else {})
        except (KeyError, TypeError, ValueError):
            return {"error": one_line(QuestionError(words.NOT_FROM_PAGE))}
        except Exception as error:
            return {"error": one_line(error)}

    functools.update_wrapper(wrapped, call, assigned=("__name__", "__doc__"), updated=())
    del wrapped.__wrapped__  # type: ignore[attr-defined]  # or its annotations would be looked at
    return wrapped


def same_page(request: gr.Request) -> None:
    """See that a browser calls from this page, not from another site that happens to know the address.

    :raises QuestionError: if it does not.
    """
    origin = request.headers.get("origin")
    if origin:
        hosts = {request.headers.get("host"), request.headers.get("x-forwarded-host")}
        if urlsplit(origin).netloc not in hosts:
            raise QuestionError(words.ELSEWHERE)


def opening(desk: Desk) -> Data:
    """What stands in the chat before the first question, as HTML, and what the index holds."""
    articles = desk.pipeline.articles()  # looks whether another process added some
    seeds = {info.version for info in articles} == words.SEED_VERSIONS
    html = shell.first_visit(seeds) if articles else shell.empty_library(desk.index, desk.writable)
    return {"html": html, **_counts(desk)}


def _start(desk: Desk) -> Call:
    @answering
    def start(data: Data) -> Data:
        return opening(desk)

    return start


def _counts(desk: Desk) -> Data:
    info = desk.pipeline.info()
    return {"counts": desk.counts(), "generation": info["generation"], "articles": info["articles"]}


def _state(desk: Desk) -> Call:
    @answering
    def state(data: Data) -> Data:
        desk.pipeline.index.refresh(wait=False)
        return {**_counts(desk), "known": desk.knows(str(data.get("token") or ""))}

    return state


def _chat(desk: Desk) -> list[Call]:
    @answering
    def cancel(data: Data) -> Data:
        return {"cancelled": desk.cancel(str(data["token"]))}

    @answering
    def verdict(data: Data) -> Data:
        desk.judge(str(data["token"]), str(data["verdict"]))
        return {}

    @answering
    def whole_article(data: Data) -> Data:
        return whole(desk, str(data["article"]), str(data["version"]), int(data["start"]), int(data["end"]))

    @answering
    def place(data: Data) -> Data:
        return linked(desk, str(data["ref"]))

    return [cancel, verdict, whole_article, place]


def whole(desk: Desk, article: str, version: str, start: int, end: int) -> Data:
    """The article around a place as three texts, for the page's script to show as text."""
    try:
        text = desk.pipeline.text(article, version)
    except NotFoundError:
        return {"error": words.WHOLE_GONE}
    left, right = max(start - WHOLE_AROUND, 0), min(end + WHOLE_AROUND, len(text))
    cut = words.CUT if left > 0 or right < len(text) else ""
    return {"before": text[left:start], "quote": text[start:end], "after": text[end:right], "cut": cut}


def linked(desk: Desk, ref: str) -> Data:
    """The evidence a link names, as it stands now, flagged for what became of it."""
    checked = desk.pipeline.verify(ref)
    if checked.now is None:
        return {"html": "", "flag": words.LINK_STATES["gone"]}
    return {"html": alone(desk, checked.now, words.LINK_STATES[checked.state]), "flag": ""}


def alone(desk: Desk, citation: Citation, flag: str) -> str:
    """One place by itself as evidence."""
    only = places.Place(citation, citation.text, None, 0, 1, 1, flag=flag)
    return places.place_html([only], 0, desk.pipeline.text)


def _articles(desk: Desk) -> list[Call]:
    @answering
    def listing(data: Data) -> Data:
        found = desk.library.find(str(data.get("find") or "")[:200])
        scope = Scope((), str(data.get("since") or "") or None, str(data.get("until") or "") or None)
        found = [info for info in found if scope.within(info.date)]
        everything = desk.pipeline.articles()
        titles = {info.article: info.title for info in everything}
        chosen = [str(article) for article in data.get("chosen") or ()]
        html = shelf(
            found, max(ROWS, int(data.get("most") or 0)), len(everything), set(chosen), desk.writable
        )
        there = {article: titles[article] for article in chosen if article in titles}
        return {"html": html, "found": len(found), "chosen": there, **_counts(desk)}

    @answering
    def article(data: Data) -> Data:
        return {
            "html": places.article_html(desk.pipeline.index.article(str(data["article"])), 2 * WHOLE_AROUND)
        }

    return [listing, article]


def _intake(desk: Desk, jobs: Jobs, uploaded: Callable[[], Container[str]]) -> list[Call]:
    """What changes the index."""

    @answering
    def add(data: Data) -> Data:
        path = str(data["path"])
        if path not in uploaded():
            raise ArticleError(words.NOT_UPLOADED)
        return {"job": jobs.add(Path(path), str(data["name"])[:300])}

    @answering
    def look(data: Data) -> Data:
        return {"jobs": jobs.look([str(name) for name in data["jobs"]])}

    @answering
    def stop(data: Data) -> Data:
        jobs.stop(str(data["job"]))
        return {}

    @answering
    def paste(data: Data) -> Data:
        taken = desk.library.add_text(
            str(data["title"]), str(data["text"]), str(data.get("date") or "") or None
        )
        return {"html": outcome(taken, False, ""), "failed": bool(taken.failed)}

    @answering
    def remove(data: Data) -> Data:
        return {"undo": desk.library.remove([str(article) for article in data["articles"]])}

    @answering
    def restore(data: Data) -> Data:
        report = desk.library.restore(str(data["undo"]))
        if report.failed:
            raise QAError(report.failed[0][1])
        return {}

    return [add, look, stop, paste, remove, restore]
