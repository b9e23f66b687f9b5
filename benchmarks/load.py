"""Many callers at once: ``python benchmarks/load.py URL [--callers N] [--seconds S] [--alone S]
[--turns N] [--pid PID] [--token T]``.

Each caller asks ``/ask`` over HTTP, waits for its answer, and asks on. Every answer is held against the one a single
caller got to the same question before. One caller and many take turns, to be fair on a noisy machine. Prints answers
a second alone and together, errors, mixed-up answers, each caller's median at its fastest and slowest, and with
``--pid`` how the server's memory grows (MB per 1,000 answers).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import time
from dataclasses import dataclass, field
from pathlib import Path

import httpx

QUESTIONS = [
    "where does niu jun work", "who is nikki haley", "who is heather nauert", "where is john delury a professor",
    "how much of north korea s trade does china account for", "who won the football world cup",
    "what is the capital of france", "when was the missile launched", "who is the president of south korea",
    "what did trump say about china",
]  # fmt: skip
ALONE = 60  # seconds of one caller without pause, in all


@dataclass(slots=True)
class Outcome:
    """What callers met with."""

    answers: int = 0
    busy: int = 0
    errors: list[str] = field(default_factory=list)
    mixed_up: int = 0
    seconds: dict[int, list[float]] = field(default_factory=dict)  # by caller
    memory: list[tuple[int, float]] = field(default_factory=list)  # answers, MB


async def ask(client: httpx.AsyncClient, question: str) -> tuple[str | None, list[str]]:
    """Answer and places; raises what went wrong."""
    begun = await client.post("/gradio_api/call/v2/ask", json={"question": question})
    begun.raise_for_status()
    event = begun.json()["event_id"]
    found = (await client.get(f"/gradio_api/call/ask/{event}")).raise_for_status().text
    kind, _, data = found.strip().rpartition("event: ")[2].partition("\ndata: ")
    if kind != "complete":
        raise RuntimeError(f"{kind}: {data[:200]}")
    (answer,) = json.loads(data)
    return answer["answer"], [citation["ref"] for citation in answer["citations"]]


async def caller(
    number: int, client: httpx.AsyncClient, until: float, expected: dict, outcome: Outcome
) -> None:
    """Ask without pause."""
    mine = outcome.seconds.setdefault(number, [])
    turn = number
    while time.monotonic() < until:
        question = QUESTIONS[turn % len(QUESTIONS)]
        turn += 1
        begun = time.monotonic()
        try:
            found = await ask(client, question)
        except (httpx.HTTPError, RuntimeError, ValueError) as error:
            if "busy" in str(error) or "503" in str(error):
                outcome.busy += 1
            else:
                outcome.errors.append(f"{type(error).__name__}: {error}"[:200])
            continue
        mine.append(time.monotonic() - begun)
        outcome.answers += 1
        outcome.mixed_up += found != expected.setdefault(question, found)


async def watch(pid: int | None, outcome: Outcome) -> None:
    """The server's memory, each second."""
    while pid:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        outcome.memory.append((outcome.answers, pages * 4096 / 1e6))
        await asyncio.sleep(1)


async def load(
    url: str,
    callers: int,
    seconds: float,
    *,
    alone: float = ALONE,
    turns: int = 1,
    pid: int | None = None,
    token: str | None = None,
) -> dict:
    """One caller, then many, ``turns`` times; the figures."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    limits = httpx.Limits(max_connections=callers, max_keepalive_connections=callers)
    async with httpx.AsyncClient(base_url=url, timeout=300, headers=headers, limits=limits) as client:
        expected: dict = {}
        for question in QUESTIONS:
            expected[question] = await ask(client, question)
        single, many = Outcome(), Outcome()
        single_took = many_took = 0.0
        by_turn = []
        for _ in range(turns):
            before = single.answers, many.answers
            begun = time.monotonic()
            await caller(0, client, begun + alone / turns, expected, single)
            between = time.monotonic()
            watching = asyncio.create_task(watch(pid, many))
            until = between + seconds / turns
            await asyncio.gather(*(caller(n, client, until, expected, many) for n in range(callers)))
            watching.cancel()
            ended = time.monotonic()
            single_took += between - begun
            many_took += ended - between
            rates = (
                (single.answers - before[0]) / (between - begun), (many.answers - before[1]) / (ended - between)
            )  # fmt: skip
            by_turn.append([round(rate, 2) for rate in rates])
    medians = [statistics.median(mine) for mine in many.seconds.values() if mine]
    result = {
        "callers": callers, "seconds": round(many_took, 1), "answers": many.answers, "busy": many.busy,
        "errors": len(many.errors), "first_error": (many.errors or [None])[0],
        "mixed_up": single.mixed_up + many.mixed_up,
        "alone_per_second": round(single.answers / single_took, 2),
        "together_per_second": round(many.answers / many_took, 2),
        "ratio": round(many.answers / many_took / (single.answers / single_took), 2) if single.answers else None,
        "alone_and_together_by_turn": by_turn,
        "median_s_fastest_caller": round(min(medians), 3) if medians else None,
        "median_s_slowest_caller": round(max(medians), 3) if medians else None,
    }  # fmt: skip
    later = many.memory[len(many.memory) // 4 :]  # buffers of threads are made at first
    if len(later) > 5 and later[-1][0] > later[0][0]:
        slope = statistics.linear_regression([a for a, _ in later], [m for _, m in later]).slope
        result["memory_mb_per_1000_answers"] = round(1000 * slope, 2)
    return result


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("url")
    parser.add_argument("--callers", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=180)
    parser.add_argument("--alone", type=float, default=ALONE)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--pid", type=int)
    parser.add_argument("--token")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    result = asyncio.run(
        load(
            options.url, options.callers, options.seconds,
            alone=options.alone, turns=options.turns, pid=options.pid, token=options.token,
        )
    )  # fmt: skip
    print(json.dumps(result, indent=1))
    if options.json:
        options.json.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
