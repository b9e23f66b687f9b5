"""The page as a Gradio app.

The page (``front.py``) asks and calls through one component, which draws nothing itself: it connects the page's
script with ``calls.py`` and ``ask``. No answer is made here: every question goes to ``Pipeline.ask``, and its answer
is shown or returned as it is.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

import gradio as gr

from qa.library import UPLOAD_BYTES
from qa.pipeline import Pipeline

from . import words
from .api import endpoints
from .calls import calls
from .desk import Desk
from .front import page as drawn
from .load import READERS, WAITING

CONNECT = 'window.connectPage?.({ server, watch, props, ask: (asked) => trigger("ask", asked) })'
ASKING = 20  # questions that may wait for a reader: each holds one of the server's threads, which are more


# The page


def build(pipeline: Pipeline, index: str = "index", writable: bool = True) -> gr.Blocks:
    """The whole app, ready for ``launch(**launch_options())``.

    :param writable: whether the page may add and remove articles.
    """
    desk = Desk(pipeline, index, writable)

    def asked_here(event: gr.EventData) -> Iterator[dict[str, Any]]:
        asked = event._data
        yield from desk.ask(asked if isinstance(asked, dict) else {})

    whole_page: dict[str, Any] = {"fill_height": True, "fill_width": True, "delete_cache": (3600, 3600)}
    with gr.Blocks(title=words.TITLE, analytics_enabled=False, **whole_page) as app:
        page = gr.HTML(
            {}, html_template="", js_on_load=CONNECT, padding=False, apply_default_css=False,
            server_functions=calls(desk, lambda: app.upload_file_set),
        )  # fmt: skip
        page.ask(
            asked_here, None, page, show_progress="hidden", api_visibility="private", trigger_mode="multiple",
            concurrency_limit=ASKING,
        )  # fmt: skip
        _chat(desk)
        endpoints(pipeline, desk.readers, desk.library if writable else None)
    # For who serves it: the page to put in front, and the line of those who ask.
    app.drawn, app.line = functools.partial(drawn, desk), desk.readers
    return app.queue(max_size=WAITING, default_concurrency_limit=READERS)


def _chat(desk: Desk) -> None:
    """``/chat``, for programs; its parts are not on the page."""
    shown = gr.State([], time_to_live=24 * 3600)
    thread, head = gr.HTML(visible=False), gr.HTML(visible=False)
    question = gr.Textbox(label=words.ASK_LABEL, visible=False)
    how_sure = gr.Textbox("", label=words.HOW_SURE, visible=False)
    question.submit(
        desk.chat, [question, how_sure, shown], [thread, question, head, shown], api_name="chat",
        concurrency_id="reader", concurrency_limit=READERS,
    )  # fmt: skip


def launch_options() -> dict[str, Any]:
    """How the app is served: nothing leaves this machine, and nothing of it is served but the page."""
    return {
        "theme": _theme(),
        "footer_links": ["api"],
        "run_history": False,
        "share": False,
        "ssr_mode": False,
        "pwa": False,
        "mcp_server": False,
        "enable_monitoring": False,
        "show_error": False,  # gr.Error's one line is shown all the same
        "max_threads": 32,
        "max_file_size": UPLOAD_BYTES,
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
    # The same paper and ink as in page.css.
    return theme.set(
        body_background_fill="#f8f5ee", body_background_fill_dark="#161512",
        body_text_color="#211d17", body_text_color_dark="#ebe6da",
    )  # fmt: skip
