"""Processes that write to an index, made to be killed, starved and watched by the tests of faults."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
PERSIST_FROM = 8  # passages; so few that files are made of nearly every commit

# Before whatever a child process runs: the modules of the tests, and small indexes that are kept in files.
PRELUDE = f"""
import sys
sys.path[:0] = {[str(ROOT), str(HERE.parent), str(HERE)]!r}
from index_helpers import SETTINGS, article, put
from qa import exact as index_module
from qa.index import Index
index_module.PERSIST_FROM = {PERSIST_FROM}
"""

Step = tuple[str, str, str]  # "put", "remove" or "forget"; article; text


@contextmanager
def child(code: str, *arguments: object, **options: Any) -> Iterator[subprocess.Popen[str]]:
    """``PRELUDE`` and ``code`` in a process of its own, killed at the end if it still runs."""
    command = [sys.executable, "-c", PRELUDE + code, *map(str, arguments)]
    options = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "cwd": ROOT} | options
    with subprocess.Popen(command, **options) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                os.kill(process.pid, signal.SIGKILL)


def told(process: subprocess.Popen[str]) -> str:
    """The next line a child prints, without its end."""
    assert process.stdout
    return process.stdout.readline().rstrip("\n")


def tell(process: subprocess.Popen[str], words: str) -> str:
    """Say a line to a child, and hear its answer."""
    assert process.stdin
    process.stdin.write(words + "\n")
    process.stdin.flush()
    return told(process)


# ---- a history that is the same whenever it is told


def history(seed: int) -> Iterator[list[Step]]:
    """Commit after commit without end: articles added, edited, removed and forgotten. Each changes something."""
    rng = random.Random(seed)
    live: set[str] = set()
    number = 0
    while True:
        number += 1
        steps: list[Step] = []
        for _ in range(rng.choice([1, 1, 2, 4])):
            name = f"a{rng.randrange(6)}"
            if name in live and rng.random() < 0.4:
                live.discard(name)
                steps.append((rng.choice(["remove", "forget"]), name, ""))
            else:
                live.add(name)
                steps.append(("put", name, _text(rng, number, len(steps))))
        yield steps


def _text(rng: random.Random, number: int, step: int) -> str:
    words = " ".join(
        rng.choice(["river", "sea", "mill", "bridge", "town"]) for _ in range(rng.randrange(4, 90))
    )
    # Of one width, so that what happens to stand behind a name on the disk is not read as part of it.
    return f"secret{number:05}x{step} {words} end{number}"


def live_after(seed: int, commits: int) -> dict[str, str]:
    """The texts of the live articles after so many commits."""
    live: dict[str, str] = {}
    told = history(seed)
    for _ in range(commits):
        for kind, name, text in next(told):
            if kind == "put":
                live[name] = text
            else:
                del live[name]
    return live


def tell_history(
    index: Any, seed: int, *, begin: int, forget: bool = True, collect_every: int = 0
) -> Iterator[int]:
    """Do what the history says from commit ``begin`` on; yields the number of commits done.

    :param forget: if false, what would be forgotten is only removed.
    :param collect_every: after so many commits, delete all old texts.
    """
    from index_helpers import article, put

    told = history(seed)
    for _ in range(begin):
        next(told)
    for number, steps in enumerate(told, begin + 1):
        with index.write():
            for kind, name, text in steps:
                if kind == "put":
                    put(index, article(name, text))
                else:
                    index.remove(name, forget=forget and kind == "forget")
        yield number
        if collect_every and number % collect_every == 0:
            index.delete_old(timedelta(0))
