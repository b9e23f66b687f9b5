"""What every peer's process does: index what comes first on stdin, then answer a question a line; no libraries.

In: ``{"reader": folder, "encoder": folder, "passages": [{"id", "article", "start", "end", "text"}], "articles":
[...]}``, then ``{"question"}``. Out: ``{"passages", "seconds"}``, then for each question what ``ask`` gives, with its
``ms`` by the clock, ``cpu_ms`` of all threads, and ``memory`` (the most this process held so far, MB).
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from collections.abc import Callable
from typing import Any, Protocol

for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_HUB_DISABLE_TELEMETRY", "TOKENIZERS_PARALLELISM"):
    os.environ[name] = "false" if name == "TOKENIZERS_PARALLELISM" else "1"
os.environ["HAYSTACK_TELEMETRY_ENABLED"] = "False"


class Peer(Protocol):
    """A program that answers."""

    count: int  # passages indexed

    def ask(self, question: str) -> dict[str, Any]:
        """``forced`` and ``shipped`` answers (None: none, or declined), and the ``place`` of the forced one.

        The place is [passage id or article, start, end], offsets in that text, None where it gives none.
        """

    def hits(self, question: str) -> list[Any]:
        """The five best passages: ids, or [article, start, end]. Not timed."""


def serve(make: Callable[[dict[str, Any]], Peer]) -> None:
    """Run one peer on stdin and stdout. What libraries print goes to stderr."""
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    def say(row: dict[str, Any]) -> None:
        out.write(json.dumps(row) + "\n")
        out.flush()

    task = json.loads(sys.stdin.readline())
    started, cpu = time.perf_counter(), time.process_time()
    peer = make(task)
    say({"passages": peer.count, "seconds": time.perf_counter() - started, "cpu": time.process_time() - cpu})
    for line in sys.stdin:
        question = json.loads(line)["question"]
        started, cpu = time.perf_counter(), time.process_time()
        row = peer.ask(question)
        row |= {"ms": 1000 * (time.perf_counter() - started), "cpu_ms": 1000 * (time.process_time() - cpu)}
        row["hits"] = peer.hits(question)
        row["memory"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        say(row)
