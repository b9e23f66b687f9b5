"""The page itself, put into the HTML that Gradio serves, so that it is there before any of Gradio's scripts.

Gradio's scripts take a second or two to arrive and to start. Until then the page is drawn, says what the index holds
and takes a question; it is sent when the component in ``app.py`` connects it.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from qa.finding import SUFFIXES
from qa.library import UPLOAD_BYTES, UPLOAD_FILES

from . import words
from .calls import opening
from .desk import Desk
from .shell import shell

HERE = Path(__file__).parent
STYLES = ("page", "parts", "chat", "composer", "evidence", "articles", "narrow")
SCRIPTS = ("page", "evidence", "chat", "articles", "memory", "start")
BEFORE = (b"</head>", b"<gradio-app")  # where the styles go in, and the page


def assets(kind: str, names: tuple[str, ...]) -> str:
    """The files of one kind, one after the other."""
    return "\n".join((HERE / kind / f"{name}.{kind}").read_text("utf-8") for name in names)


def styles() -> str:
    """The page's style sheet, for the head."""
    return f"<style>{assets('css', STYLES)}</style>"


def page(desk: Desk) -> str:
    """The page as it is now, with its script; of articles it holds nothing but their number."""
    first = opening(desk)
    settings = {
        "words": words.SCRIPT, "writable": desk.writable, "kinds": sorted(SUFFIXES), "most_bytes": UPLOAD_BYTES,
        "most_files": UPLOAD_FILES, "opening": first,
    }  # fmt: skip
    frame = shell(desk.pipeline.default_min_confidence, desk.writable, first["html"], first["counts"])
    return (
        f'<div id="page">{frame}</div><script type="application/json" id="settings">{inert(settings)}</script>'
        f'<script>(() => {{\n"use strict";\n{assets("js", SCRIPTS)}\n}})();</script>'
    )


def inert(data: dict[str, Any]) -> str:
    """JSON that cannot end the element it stands in."""
    return json.dumps(data).replace("<", "\\u003c")


@dataclass(slots=True)
class Front:
    """An ASGI application that puts the page into the HTML which ``app`` serves at ``/``.

    :param page: draws the page as it is now; called in a thread.
    """

    app: ASGIApp
    page: Callable[[], str]
    _styles: str = field(default_factory=styles)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http" or scope["path"] != "/" or scope["method"] != "GET":
            await self.app(scope, receive, send)
            return
        start: Message = {}
        parts: list[bytes] = []

        async def collect(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start":
                start = message
                return
            parts.append(message.get("body", b""))
            if not message.get("more_body"):
                await self._send(start, b"".join(parts), send)

        await self.app(scope, receive, collect)

    async def _send(self, start: Message, body: bytes, send: Send) -> None:
        if start["status"] == 200:
            drawn = (self._styles, await asyncio.to_thread(self.page))
            for mark, part in zip(BEFORE, drawn, strict=True):
                body = body.replace(mark, part.encode() + mark, 1)
            headers = [(name, value) for name, value in start["headers"] if name.lower() != b"content-length"]
            start = {**start, "headers": [*headers, (b"content-length", str(len(body)).encode())]}
        await send(start)
        await send({"type": "http.response.body", "body": body})
