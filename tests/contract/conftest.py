"""Real servers, as processes: one for this machine alone, one that asks who is there."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from qa.pipeline import open_index
from qa_ui import access

ROOT = Path(__file__).parents[2]
SECONDS_TO_START = 180
PASSWORD = "wrong horse battery"


class Server(NamedTuple):
    """A running ``ui.py``."""

    url: str
    process: subprocess.Popen[bytes]
    log: Path
    token: str = ""
    password: str = PASSWORD


@pytest.fixture(scope="session")
def index(tmp_path_factory: pytest.TempPathFactory, seeds) -> Path:
    folder = tmp_path_factory.mktemp("contract") / "index"
    with open_index(folder, create=True) as made:
        made.add(seeds)
    return folder


@pytest.fixture(scope="session")
def start(index: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Server]]:
    """Start ``ui.py`` with these arguments; it is stopped at the end."""
    started: list[Server] = []

    def up(*arguments: str) -> Server:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        log = tmp_path_factory.mktemp("server") / "log"
        command = [sys.executable, "ui.py", "--index", str(index), "--port", str(port), *arguments]
        with log.open("w") as out:
            process = subprocess.Popen(command, cwd=ROOT, stdout=out, stderr=out)
        server = Server(f"http://127.0.0.1:{port}", process, log)
        started.append(server)
        until = time.monotonic() + SECONDS_TO_START
        while time.monotonic() < until:
            assert process.poll() is None, log.read_text()
            try:
                urllib.request.urlopen(f"{server.url}/healthz", timeout=5).close()
            except OSError:
                time.sleep(0.1)
            else:
                return server
        pytest.fail(f"not up after {SECONDS_TO_START} s: {log.read_text()}")

    yield up
    for server in started:
        server.process.terminate()
    for server in started:
        server.process.wait(30)


@pytest.fixture(scope="session")
def open_server(start: Callable[..., Server]) -> Server:
    """For this machine alone, with tools."""
    return start("--mcp")


@pytest.fixture(scope="session")
def closed_server(start: Callable[..., Server], tmp_path_factory: pytest.TempPathFactory) -> Server:
    """Asks for a password or a token, as behind a proxy for others; with tools."""
    folder = tmp_path_factory.mktemp("access")
    access.add(folder / "people", "ada", PASSWORD)
    token = access.add_token(folder / "programs", "robot")
    arguments = ("--auth", str(folder / "people"), "--token", str(folder / "programs"))
    server = start("--mcp", *arguments, "--proxy", "127.0.0.1", "--rate", "100000")
    return server._replace(token=token)
