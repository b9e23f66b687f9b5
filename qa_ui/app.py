"""The page as a Gradio app: layout, what happens on a question, and the endpoints for programs.

No answer is made here: every question goes to ``Pipeline.ask``, and its answer is shown or returned as it is.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from typing import Any, ParamSpec, TypeVar

import gradio as gr

from qa.pipeline import Pipeline
from qa.types import Answer, NotFoundError, QAError, QuestionError, RefError

from . import render, words

P = ParamSpec("P")
T = TypeVar("T")

HERE = Path(__file__).parent
READERS = max(2, min(8, os.cpu_count() or 2))  # questions read at the same time; the others wait their turn
MAX_TURNS = 30  # a longer chat loses its oldest turns: the whole thread travels with every answer
WHOLE_AROUND = 250_000  # characters shown on each side of the quote; keeps a book from freezing the browser
FOR_PEOPLE = (QuestionError, RefError, NotFoundError)  # their message is meant for whoever asked

Shown = tuple[str, Any, str, list[str]]  # thread, what to put into the question box, masthead, turns
KEEP: Any = gr.skip()  # leaves the question box alone: the next question may be half typed


class Desk:
    """One open index, and what the page and the endpoints do with it."""

    def __init__(self, pipeline: Pipeline, index: str = "index") -> None:
        self.pipeline = pipeline
        self.index = index
        # Threads that stay: a reader keeps its buffers by thread.
        self.readers = ThreadPoolExecutor(READERS, thread_name_prefix="reader")

    def run(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call in a reader thread; errors become one line for whoever asked, the rest goes to the terminal."""
        try:
            return self.readers.submit(call, *args, **kwargs).result()
        except Exception as error:
            raise gr.Error(one_line(error), print_exception=False) from error

    # The chat

    def answers(self, question: str, min_confidence: float | None) -> Iterator[str | Answer]:
        """Ask in a reader thread; yield what it is doing, in words, then the answer.

        :raises QAError: as ``Pipeline.ask`` does.
        """
        said: SimpleQueue[str | Future[Answer]] = SimpleQueue()
        done = self.readers.submit(
            self.pipeline.ask, question, min_confidence=min_confidence, progress=said.put
        )
        done.add_done_callback(said.put)
        while isinstance(item := said.get(), str):
            yield item
        yield item.result()

    def chat(self, question: str, how_sure: str, turns: list[str]) -> Iterator[Shown]:
        """Ask the articles; streams the thread and, at the end, the answer with its evidence, as HTML."""
        if question or not turns:
            yield from self._chat(question, how_sure, turns, typed=True)
        else:  # one Enter too many is not a question
            yield "".join(turns), KEEP, self.masthead(), turns

    def chat_click(self, how_sure: str, turns: list[str], event: gr.EventData) -> Iterator[Shown]:
        """An example was clicked, or "show the best guess"."""
        asked = event._data if isinstance(event._data, dict) else {}
        level = "0" if asked.get("any") else how_sure
        yield from self._chat(str(asked.get("question") or ""), level, turns, typed=False)

    def _chat(self, question: str, how_sure: str, turns: list[str], typed: bool) -> Iterator[Shown]:
        before = "".join(turns)
        head = self.masthead()
        yield before + render.waiting(question, words.STARTING), "" if typed else KEEP, head, turns
        box = KEEP
        try:
            for item in self.answers(question, float(how_sure) if how_sure else None):
                if isinstance(item, str):
                    yield before + render.waiting(question, item), KEEP, head, turns
                else:
                    turn = render.turn(question, item, self.pipeline.text)
        except Exception as error:
            turn = render.trouble(question, one_line(error))
            if typed:  # back to where it was typed, to be mended: nothing is lost
                box = question if question.strip() else ""
        turns = [*turns, turn][-MAX_TURNS:]
        yield "".join(turns), box, self.masthead(), turns

    def masthead(self) -> str:
        """Name of the page and size of the library now."""
        info = self.pipeline.info()
        return render.masthead(info["articles"], info["passages"])

    def opening(self) -> tuple[str, str]:
        """Masthead and empty thread, as they are when the page is opened or started over."""
        articles = self.pipeline.info()["articles"]
        if not articles:
            return self.masthead(), render.empty_library(self.index)
        seeds = articles == len(words.SEED_VERSIONS)  # look closer only when it may be so
        seeds = seeds and {a.version for a in self.pipeline.articles()} == words.SEED_VERSIONS
        return self.masthead(), render.first_visit(examples=seeds)

    def start_over(self) -> Shown:
        """An empty thread."""
        head, thread = self.opening()
        return thread, KEEP, head, []

    def whole_article(self, place: dict[str, Any]) -> dict[str, Any]:
        """The article around a place as three texts, for the page's script to show as text."""
        try:
            start, end = int(place["start"]), int(place["end"])
            text = self.pipeline.text(str(place["article"]), str(place["version"]))
        except NotFoundError:
            return {"error": words.WHOLE_GONE}
        except (KeyError, TypeError, ValueError, QAError) as error:
            return {"error": one_line(error)}
        left, right = max(start - WHOLE_AROUND, 0), min(end + WHOLE_AROUND, len(text))
        cut = words.CUT if left > 0 or right < len(text) else ""
        return {"before": text[left:start], "quote": text[start:end], "after": text[end:right], "cut": cut}


def one_line(error: Exception) -> str:
    """What a person is told about an error; what is a defect, or this machine's business, goes to the terminal."""
    if isinstance(error, FOR_PEOPLE):
        return " ".join(str(error).split())
    traceback.print_exception(error, file=sys.stderr)
    return words.FAILED


# The endpoints for programs


def endpoints(desk: Desk) -> None:
    """Register ``/ask``, ``/search``, ``/articles`` and ``/verify``: stateless, the contract's JSON."""
    pipeline = desk.pipeline

    def ask(
        question: str,
        history: list[list[str]] = [],  # noqa: B006  (the contract's default, shown to programs; never changed)
        articles: list[str] | None = None,
        top_k: int = 5,
        min_confidence: float | None = None,
    ) -> dict[str, Any]:
        """Ask the articles a question; get a verbatim quote with its exact place, or an honest no.

        Parameters:
            question: the question, in words
            history: earlier turns as [question, answer] pairs, oldest first
            articles: ask only these, by id or by a pattern of their source such as "2024/*.txt"
            top_k: how many different answers to return at most; changes neither the best one nor its confidence
            min_confidence: decline below this probability, 0 to 1; left out, the calibrated threshold
        Returns:
            the answer, schema 1: answer, confidence, citations with offsets, alternatives, or the reason for none
        """
        return desk.run(pipeline.ask, question, history, articles, top_k, min_confidence).to_json()

    def search(query: str, top_k: int = 5, articles: list[str] | None = None) -> list[dict[str, Any]]:
        """Find the passages nearest to a query, best first, without reading them for an answer.

        Parameters:
            query: what to look for
            top_k: how many passages to return at most
            articles: look only in these, by id or by a pattern of their source
        Returns:
            one row a passage: article, title, start, end, text, score, dense, bm25, ref
        """
        return desk.run(pipeline.search, query, top_k, articles)

    def articles() -> list[dict[str, Any]]:
        """List the articles of the index.

        Returns:
            one row an article: article, title, source, date, version, characters, passages, added
        """
        return [info.to_json() for info in desk.run(pipeline.articles)]

    def verify(ref: str) -> dict[str, Any]:
        """Check a reference made earlier against the articles as they are now.

        Parameters:
            ref: a citation's ref: article@version#start-end
        Returns:
            ref, state (unchanged, moved, edited or gone), the quoted text, and where it stands now
        """
        return desk.run(pipeline.verify, ref).to_json()

    for endpoint in (ask, search, articles, verify):
        gr.api(endpoint, api_name=endpoint.__name__, concurrency_id="reader", concurrency_limit=READERS)


# The page


def how_sure_choices(usual: float | None) -> list[tuple[str, str]]:
    """The threshold control: words and values; the empty value leaves it to the pipeline."""
    as_measured = words.SURE_USUAL + (f" ({words.percent(usual)})" if usual is not None else "")
    levels = [(words.sure_level(level), str(level)) for level in words.SURE_LEVELS]
    return [(as_measured, ""), (words.SURE_ANY, "0"), *levels]


def build(pipeline: Pipeline, index: str = "index") -> gr.Blocks:
    """The whole app, ready for ``launch(**launch_options())``."""
    desk = Desk(pipeline, index)

    def whole_article(place: dict[str, Any]) -> dict[str, Any]:
        return desk.whole_article(place)  # Gradio marks what the browser may call, and cannot mark a method

    whole_page: dict[str, Any] = {"fill_height": True, "fill_width": True, "delete_cache": (3600, 3600)}
    with gr.Blocks(title=words.TITLE, analytics_enabled=False, **whole_page) as app:
        turns = gr.State([], time_to_live=24 * 3600)
        with gr.Row(elem_id="masthead", equal_height=True):
            head = gr.HTML(elem_id="head", padding=False, apply_default_css=False)
            how_sure = gr.Dropdown(
                how_sure_choices(pipeline.default_min_confidence), value="", label=words.HOW_SURE, filterable=False,
                elem_id="how-sure", min_width=120,
            )  # fmt: skip
            again = gr.Button(words.START_OVER, size="sm", elem_id="start-over", min_width=60)
        with gr.Row(elem_id="desk"):
            with gr.Column(elem_id="talk", min_width=0):
                thread = gr.HTML(
                    elem_id="thread", padding=False, apply_default_css=False,
                    js_on_load=(HERE / "page.js").read_text("utf-8"), server_functions=[whole_article],
                    send=words.ASK,
                )  # fmt: skip
                question = gr.Textbox(
                    label=words.ASK_LABEL, placeholder=words.ASK_PLACEHOLDER, show_label=False, container=False,
                    lines=1, max_lines=5, submit_btn=True, elem_id="question",
                )  # fmt: skip
            with gr.Column(elem_id="evidence-side", min_width=0):
                gr.HTML(render.evidence_shell(), padding=False, apply_default_css=False)
        _events(desk, app, turns, head, how_sure, again, thread, question)
        endpoints(desk)
    # The chat, the examples and /ask share one limit: what is scarce is the reader.
    return app.queue(max_size=128, default_concurrency_limit=READERS)


def _events(
    desk: Desk,
    app: gr.Blocks,
    turns: gr.State,
    head: gr.HTML,
    how_sure: gr.Dropdown,
    again: gr.Button,
    thread: gr.HTML,
    question: gr.Textbox,
) -> None:
    """What happens on a question, an example, starting over and opening the page."""
    shown = [thread, question, head, turns]
    quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
    limit: dict[str, Any] = {"concurrency_id": "reader", "concurrency_limit": READERS}
    # Enter pressed while it works is not lost: what then stands in the box is asked next.
    question.submit(
        desk.chat, [question, how_sure, turns], shown, api_name="chat", trigger_mode="always_last",
        show_progress="hidden", **limit,
    )  # fmt: skip
    thread.ask(desk.chat_click, [how_sure, turns], shown, **quiet, **limit)
    again.click(desk.start_over, None, shown, queue=False, **quiet)
    app.load(desk.opening, None, [head, thread], queue=False, **quiet)


def launch_options() -> dict[str, Any]:
    """How the app is served: nothing leaves this machine, and nothing of it is served but the page."""
    return {
        "theme": _theme(),
        "head": f"<style>{(HERE / 'page.css').read_text('utf-8')}</style>",
        "footer_links": ["api"],
        "run_history": False,
        "share": False,
        "ssr_mode": False,
        "pwa": False,
        "mcp_server": False,
        "enable_monitoring": False,
        "show_error": False,  # gr.Error's one line is shown all the same
        "max_threads": 32,
        "max_file_size": "1mb",  # the page takes no uploads
        "state_session_capacity": 1000,
        "quiet": True,
    }


def _theme() -> gr.themes.Base:
    """Gradio's own parts in the page's colours and system fonts; nothing is fetched for them."""
    theme = gr.themes.Base(
        primary_hue="stone", secondary_hue="stone", neutral_hue="stone",
        font=("-apple-system", "BlinkMacSystemFont", "Segoe UI", "Roboto", "Liberation Sans", "sans-serif"),
        font_mono=("ui-monospace", "Consolas", "Liberation Mono", "monospace"),
    )  # fmt: skip
    # The same paper and ink as in page.css: the page has them before its styles have arrived.
    return theme.set(
        body_background_fill="#f8f5ee", body_background_fill_dark="#161512",
        body_text_color="#211d17", body_text_color_dark="#ebe6da",
    )  # fmt: skip
