"""What stands before every route: pages, API, files, queue and tools alike.

One layer around the whole application rather than a setting of each part: Gradio's own login does not cover what is
mounted beside it, and some of its routes answer without one.
"""

from __future__ import annotations

import asyncio
import ipaddress
import json
import re
import sys
import time
import traceback
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from . import server_words, uploads
from .access import Credentials
from .uploads import Body, RefusedUploadError, Upload

READY = "/healthz"  # asks for no credentials, and says nothing but that
BODY_BYTES = 1_000_000
CHARGE = "qa.charge"  # in a request's scope: called with what it costs besides the 1 it was let in for
OWED = 100.0  # as much as one request can be charged
CALLERS = 10_000  # remembered for their rate; who asked least recently is forgotten first
WRONG_PASSWORDS = 10  # a minute, of one address

# What the page, its programs and tools need of Gradio's routes; the others (proxying, streaming, its own editor, run
# history, monitoring ...) are not there.
_GRADIO = (
    r"info|openapi\.json|app_id|startup-events|theme\.css|heartbeat/\w+|queue/(join|data)|cancel|reset|login_check|user|"
    r"component_server|(call|run|api|call/v2)/\w+|call/(v2/)?\w+/\w+"
)
_ROUTES = re.compile(
    r"/|/config/?|/theme\.css|/favicon\.ico|/manifest\.json|/robots\.txt|/(static|assets|svelte)/[\w./@+-]+|/mcp|"
    rf"{READY}|/gradio_api/({_GRADIO})/?"
)
_WRITING = re.compile(r"/gradio_api/(upload|upload_progress)|/gradio_api/file=.+")
_STATIC = re.compile(r"/(static|assets|svelte)/|/theme\.css|/favicon\.ico")
_ASKING = re.compile(r"/gradio_api/(queue/join|(call|run|api)/\w+|component_server|upload)|/mcp")

# Where Gradio only takes a request in, or calls at once. The calls' own errors are told in one line each, so what it
# raises here is about what came.
_PARSING = re.compile(r"/gradio_api/(call|run|api|queue/join|cancel|reset|component_server|upload)\b")

HEADERS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
    # Gradio's page is made of inline scripts and styles, and of functions from texts; nothing comes from elsewhere.
    "content-security-policy": "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; media-src 'self' blob:; "
    "connect-src 'self' data: blob:; worker-src 'self' blob:; frame-ancestors 'none'; base-uri 'self'; "
    "form-action 'self'; object-src 'none'",
}
_DROPPED = (b"server", b"x-powered-by")


class Rate:
    """How often each caller may ask: a bucket that fills evenly (token bucket).

    :param minute: how many a minute, and at most at once.
    """

    def __init__(self, minute: float) -> None:
        self._minute = minute
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()  # caller: (level, when)

    def wait(self, caller: str, cost: float = 1.0, owed: float = 0.0) -> float:
        """0 if the caller may, and it is counted; else the seconds until it may.

        :param owed: how far below empty the bucket may be for it.
        """
        now = time.monotonic()
        level, when = self._buckets.pop(caller, (self._minute, now))
        level = min(self._minute, level + (now - when) * self._minute / 60)
        allowed = level >= cost - owed
        self._buckets[caller] = (level - cost if allowed else level, now)
        if len(self._buckets) > CALLERS:
            self._buckets.popitem(last=False)
        return 0.0 if allowed else (cost - owed - level) * 60 / self._minute

    def charge(self, caller: str, cost: float) -> None:
        """Count what a caller was let in for and turned out to cost besides: it waits longer afterwards."""
        self.wait(caller, 0.0)
        level, when = self._buckets[caller]
        self._buckets[caller] = (level - cost, when)


@dataclass(slots=True)
class Guard:
    """An ASGI application that lets through to ``app`` what may come.

    :param hosts: names in the Host header that are served, without ports; None for any. A page elsewhere whose name
        is made to point at this machine cannot call it then.
    :param rate: requests a minute of each caller; None for no limit.
    """

    app: ASGIApp
    credentials: Credentials | None = None
    rate: Rate | None = None
    hosts: frozenset[str] | None = None
    writable: bool = False
    _wrong: Rate = field(default_factory=lambda: Rate(WRONG_PASSWORDS))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or have it answered."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
        elif scope["type"] == "http":
            await self._http(scope, receive, send)
        else:  # there are no websockets
            await send({"type": "websocket.close", "code": 1008})

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        uploading = scope["path"] == uploads.PATH and scope["method"] == "POST"
        body = Body(receive, uploads.UPLOAD_BYTES if uploading else BODY_BYTES)
        answer = _Answer(send, body, scope["path"])
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        refused = await self._refused(scope, headers)
        if refused is not None:
            status, more = refused
            await answer.refuse(status, more)
            return
        if body.announced(headers):
            await answer.refuse(413)
            return
        try:
            if uploading:
                types = [value for name, value in scope["headers"] if name == b"content-type"]
                body.upload = Upload(body.counted, types)
            await self.app(scope, body, answer)
        except asyncio.CancelledError:
            return  # the server ends, and this page was still open
        except RefusedUploadError as error:
            await answer.fail(error.status)
        except Exception as error:
            if not body.refused:
                traceback.print_exception(error, file=sys.stderr)
            await answer.fail()

    async def _refused(self, scope: Scope, headers: Mapping[str, str]) -> tuple[int, dict[str, str]] | None:
        """The status that a request is turned away with, and headers with it; None to let it through."""
        path = scope["path"]
        if not self._is_for_us(headers):
            return 403, {}
        if ".." in path or not (_ROUTES.fullmatch(path) or (self.writable and _WRITING.fullmatch(path))):
            return 404, {}
        caller = _caller(scope)
        if self.credentials is not None and path != READY:
            name = await self._who(headers.get("authorization", ""), caller)
            if isinstance(name, float):
                return 429, _after(name)
            if name is None:
                return 401, {"www-authenticate": 'Basic realm="articles", charset="UTF-8"'}
            caller = f"name {name}"
        if self.rate is not None:
            asking = scope["method"] == "POST" and _ASKING.match(path)
            if asking:
                seconds = self.rate.wait(caller)
            else:  # the answers to a batch are fetched though it has yet to be made up for
                seconds = self.rate.wait(caller, 0.01 if _STATIC.match(path) else 0.1, OWED)
            if seconds:
                return 429, _after(seconds)
            scope[CHARGE] = partial(self.rate.charge, caller)
        return None

    async def _who(self, authorization: str, caller: str) -> str | float | None:
        """The caller's name; None without credentials or with wrong ones; seconds to wait after too many of these."""
        assert self.credentials is not None
        if not authorization:
            return None
        name = await asyncio.to_thread(self.credentials.who, authorization)
        return name if name is not None else (self._wrong.wait(caller) or None)

    def _is_for_us(self, headers: Mapping[str, str]) -> bool:
        """Whether the request names this place as its goal, and no page of another place as its origin."""
        host = headers.get("host", "")
        if self.hosts is not None and (urlsplit(f"//{host}").hostname or "") not in self.hosts:
            return False
        origin = headers.get("origin")
        if origin is not None and urlsplit(origin).netloc.lower() != host.lower():
            return False
        return headers.get("sec-fetch-site") != "cross-site" or headers.get("sec-fetch-mode") == "navigate"


def _caller(scope: Scope) -> str:
    """The address; of IPv6 the network that one customer is given."""
    host = (scope.get("client") or ("unknown", 0))[0]
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return str(host)
    return str(ipaddress.ip_network((address, 64), strict=False) if address.version == 6 else address)


def _after(seconds: float) -> dict[str, str]:
    return {"retry-after": str(int(seconds) + 1)}


class _Answer:
    """``send`` that adds our headers, and gives every error our own words instead of what libraries say."""

    def __init__(self, send: Send, body: Body, path: str) -> None:
        self._send = send
        self._body = body
        self._least = 500 if path.startswith("/mcp") else 400  # the protocol's own errors are for its clients
        self._own = 422 if _PARSING.match(path) else 500
        self._replaced = self._streams = self._started = self._ended = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            if self._body.refused:
                self._replaced = True
                await self.refuse(self._body.refused)
                return
            if message["status"] >= self._least:
                self._replaced = True
                await self.refuse(self._own if message["status"] == 500 else message["status"])
                return
            kept = [
                (name, value) for name, value in message["headers"]
                if name.lower() not in _DROPPED and not name.lower().startswith(b"access-control-")
                and name.lower().decode("latin-1") not in HEADERS
            ]  # fmt: skip
            self._started = True
            self._streams = any(value.startswith(b"text/event-stream") for _, value in kept)
            await self._send({**message, "headers": [*kept, *_encoded(HEADERS)]})
        elif not self._replaced:
            self._ended = not message.get("more_body")
            await self._send(message)

    async def fail(self, status: int = 0) -> None:
        """Tell that it went wrong, as far as that can still be told."""
        if not self._started:
            await self.refuse(status or self._body.refused or self._own)
        elif self._streams and not self._ended:
            self._ended = True
            event = f"event: error\ndata: {json.dumps({'error': server_words.HTTP_ERRORS[422]})}\n\n"
            await self._send({"type": "http.response.body", "body": event.encode()})

    async def refuse(self, status: int, more: Mapping[str, str] | None = None) -> None:
        """An error with one line for whoever asked."""
        self._started = self._ended = True
        errors = server_words.HTTP_ERRORS
        body = json.dumps({"detail": errors.get(status, errors[400])}).encode()
        headers = {
            "content-type": "application/json",
            "content-length": str(len(body)),
            **HEADERS,
            **(more or {}),
        }
        await self._send({"type": "http.response.start", "status": status, "headers": _encoded(headers)})
        await self._send({"type": "http.response.body", "body": body})


def _encoded(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
