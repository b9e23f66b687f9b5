"""A real server, a real Chromium, and a guard on every page: no request leaves the host, no script error."""

from __future__ import annotations

import functools
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hostile import HOSTILE, SOURCE, TRICKS, WORLD
from running import SERVERS

from qa.articles import find_files, from_text, read_file
from qa.pipeline import open_index
from qa.types import Article

ROOT = Path(__file__).parents[2]
SECONDS_TO_START = 120
# ui.py on a machine that reads slowly.
SLOW = """
import runpy, sys, time
from qa.reader import Reader
read = Reader.read
Reader.read = lambda *given, **known: (time.sleep(1.5), read(*given, **known))[1]
runpy.run_path("ui.py", run_name="__main__")
"""


@pytest.fixture(scope="session")
def chrome() -> Iterator[Any]:
    """Debian's Chromium. Without it these tests are skipped; where CI is true they fail."""
    path = os.environ.get("CHROMIUM") or shutil.which("chromium") or "/usr/bin/chromium"
    if not Path(path).exists():
        say = f"no Chromium at {path}: apt-get install chromium, or set CHROMIUM"
        if os.environ.get("CI") == "true":
            pytest.fail(say)
        pytest.skip(say)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], str]]:
    """Start ``ui.py`` on an index, once for each; returns the address."""
    servers: dict[str, tuple[subprocess.Popen[bytes], str]] = {}
    SERVERS.clear()

    def start(name: str) -> str:
        if name not in servers:
            folder = tmp_path_factory.mktemp(name)
            with open_index(folder / "index", create=True) as pipeline:
                assert not pipeline.add(library(name)).failed
            servers[name] = launch(folder, ["-c", SLOW] if name == "slow" else ["ui.py"])
            SERVERS[name] = servers[name][0], folder / "index"
        return servers[name][1]

    yield start
    for server, _ in servers.values():
        server.terminate()
        server.wait(30)


def library(name: str) -> Iterator[Article]:
    """The articles of one of the test's indexes."""
    if name in ("seeds", "slow"):
        yield from (read_file(found.path, source=found.source) for found in find_files([ROOT / "seeds"]))
    elif name == "hostile":
        yield from_text(HOSTILE, title="".join(TRICKS[:4]), source=SOURCE)
    elif name == "world":
        for title, text in WORLD.items():
            yield from_text(text, title=title, date="2024-05-31" if title == "The lock" else None)
    else:
        assert name in ("empty", "own")


def launch(folder: Path, program: list[str]) -> tuple[subprocess.Popen[bytes], str]:
    """Run ``ui.py`` until it answers."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = folder / "log"
    command = [sys.executable, *program, "--index", str(folder / "index"), "--port", str(port)]
    with log.open("w") as out:
        server = subprocess.Popen(command, cwd=ROOT, stdout=out, stderr=out)
    url = f"http://127.0.0.1:{port}/"
    until = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < until:
        assert server.poll() is None, log.read_text()
        try:
            urllib.request.urlopen(url, timeout=5).close()
        except OSError:
            time.sleep(0.2)
        else:
            return server, url
    server.kill()
    pytest.fail(f"ui.py is not up after {SECONDS_TO_START} s: {log.read_text()}")


@pytest.fixture(scope="session")
def context_of(chrome: Any) -> Callable[..., Any]:
    """A browser context for each kind of screen, kept for all tests: its cache holds Gradio's scripts."""

    @functools.cache
    def make(width: int, height: int, **options: Any) -> Any:
        made = chrome.new_context(viewport={"width": width, "height": height}, **options)
        made.grant_permissions(["clipboard-read", "clipboard-write"])
        return made

    return make


@pytest.fixture
def visit(context_of: Callable[..., Any], serve: Callable[[str], str]) -> Iterator[Callable[..., Any]]:
    """Open the page on one of the indexes; afterwards, check what it asked for and what its scripts said."""
    pages, outside, errors = [], [], []

    def open_page(
        index: str = "seeds", width: int = 1280, height: int = 800, link: str = "", **options: Any
    ) -> Any:
        url = serve(index)
        page = context_of(width=width, height=height, **options).new_page()
        pages.append(page)
        page.set_default_timeout(45_000)  # the machine may be busy
        page.on("request", lambda r: r.url.startswith((url, "data:", "blob:")) or outside.append(r.url))
        page.on("websocket", lambda w: outside.append(w.url))
        page.on("pageerror", lambda e: errors.append(str(e)))
        page.on("dialog", lambda d: (errors.append(f"dialog: {d.message}"), d.dismiss()))
        page.goto(url + link)
        page.wait_for_selector("#thread .card" if link else "#thread .welcome")
        return page

    yield open_page
    for page in pages:
        page.close()
    assert outside == []
    assert errors == []
