"""From the page, the endpoints and the tools to one server, with the guard before it."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import gradio as gr
import uvicorn
from fastapi import FastAPI
from fastapi.responses import JSONResponse
from starlette.routing import Route

from qa.pipeline import Pipeline

from .access import Credentials
from .app import build, launch_options
from .front import Front
from .guard import READY, Guard, Rate
from .load import Line

LOOPBACK = ("127.0.0.1", "localhost", "::1")
RATE = 60  # requests a minute of each caller
# Seconds that an idle connection is kept: longer than proxies and clients keep theirs, or they would now and then
# send a request into one that is just being closed.
KEPT = 75
GRACE = 3  # seconds that open requests are given at the end


@dataclass(frozen=True, slots=True)
class Settings:
    """How the page is served.

    :param proxy: address of a reverse proxy that is believed what it says of callers.
    :param rate: requests a minute of each caller; None for ``RATE``, or no limit where only this machine can call.
    """

    host: str = LOOPBACK[0]
    port: int = 7860
    index: str = "index"
    mcp: bool = False
    credentials: Credentials | None = None
    proxy: str | None = None
    rate: float | None = None
    writable: bool | None = None  # None: where only this machine can call

    @property
    def alone(self) -> bool:
        """Whether only this machine can call."""
        return self.host in LOOPBACK and self.proxy is None

    @property
    def may_write(self) -> bool:
        """Whether callers may change the index."""
        return self.alone if self.writable is None else self.writable


def application(pipeline: Pipeline, settings: Settings) -> Guard:
    """All of it as one ASGI application."""
    blocks = build(pipeline, settings.index, **_taken(build, writable=settings.may_write))
    line: Line = blocks.line
    inner = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, lifespan=None)

    @inner.get(READY)
    def ready() -> JSONResponse:
        return JSONResponse({"status": "ready"})

    stack = []
    if settings.mcp:
        from .mcp import PATH, Tools  # seconds to import

        tools = Tools(pipeline, line)
        inner.router.routes.append(Route(PATH, tools))  # an ASGI application of its own, whatever the method
        stack.append(tools.running)
    options = launch_options()
    blocks.max_threads = options.get("max_threads", 40)
    blocks.state_session_capacity = options.get("state_session_capacity", 1000)
    gr.mount_gradio_app(
        inner, blocks, path="/", server_name=settings.host, server_port=settings.port,
        **_taken(gr.mount_gradio_app, **options),
    )  # fmt: skip
    inner.router.lifespan_context = _with(inner.router.lifespan_context, stack, line)
    rate = settings.rate if settings.rate is not None else None if settings.alone else RATE
    return Guard(
        Front(inner, blocks.drawn),
        credentials=settings.credentials,
        rate=None if not rate else Rate(rate),
        hosts=frozenset({*LOOPBACK, "testserver"}) if settings.alone else None,
        writable=settings.may_write,
    )


def _taken(call: Callable[..., object], **options: object) -> dict[str, object]:
    """Those of the options that a function takes: Gradio's launching and its mounting take not quite the same."""
    return {name: value for name, value in options.items() if name in inspect.signature(call).parameters}


def _with(
    lifespan: Callable[..., object], more: list[Callable[..., object]], line: Line
) -> Callable[..., object]:
    @asynccontextmanager
    async def all_of_them(app: FastAPI) -> AsyncIterator[object]:
        async with AsyncExitStack() as stack:
            for each in more:
                await stack.enter_async_context(each())
            state = await stack.enter_async_context(lifespan(app))
            try:
                yield state
            finally:
                line.close()

    return all_of_them


class Server(uvicorn.Server):
    """Serves until SIGINT or SIGTERM, and is gone within seconds of it."""

    def __init__(self, app: Guard, settings: Settings, on_ready: Callable[[], None] = lambda: None) -> None:
        proxied = {"proxy_headers": settings.proxy is not None, "forwarded_allow_ips": settings.proxy or ""}
        config = uvicorn.Config(
            app, host=settings.host, port=settings.port, log_level="critical", access_log=False, lifespan="on",
            server_header=False, date_header=False, ws="none", timeout_graceful_shutdown=GRACE,
            timeout_keep_alive=KEPT,
            h11_max_incomplete_event_size=64_000, **proxied,
        )  # fmt: skip
        super().__init__(config)
        self._on_ready = on_ready

    async def startup(self, sockets: list[object] | None = None) -> None:
        """Tell when it answers."""
        await super().startup(sockets)  # type: ignore[arg-type]
        if self.started:
            self._on_ready()
