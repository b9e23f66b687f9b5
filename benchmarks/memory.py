"""Does memory stay flat? ``python -m benchmarks.memory [--index DIR] [--questions N] [--callers N] [--json OUT]``.

Asks in one process what the page's endpoints ask, by the same calls in the same line: a few questions over and over,
each with a number at its end so that none is asked twice. Prints the slope of the resident memory, MB per 1,000
questions, without the first fifth: at first buffers are made, for each thread and length of text.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
from pathlib import Path

from benchmarks.load import QUESTIONS
from qa.pipeline import Pipeline, open_index
from qa_ui.api import Calls
from qa_ui.load import Line

EVERY = 50  # questions between two looks


def resident_mb() -> float:
    """Of this process."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 1e6


async def ask(pipeline: Pipeline, questions: int, callers: int) -> list[tuple[int, float]]:
    """Ask; (questions so far, MB) every ``EVERY`` questions."""
    line = Line()
    calls = Calls(pipeline, line)
    asked = iter(range(questions))
    seen: list[tuple[int, float]] = []

    async def caller() -> None:
        for number in asked:
            question = f"{QUESTIONS[number % len(QUESTIONS)]} {number}"
            await calls.ask(question, [], None, 5, None)
            if number % EVERY == 0:
                seen.append((number, resident_mb()))

    await asyncio.gather(*(caller() for _ in range(callers)))
    line.close(wait=True)
    return sorted(seen)


def slope(seen: list[tuple[int, float]]) -> float:
    """MB per 1,000 questions, without the first fifth."""
    later = [one for one in seen if one[0] >= seen[-1][0] / 5]
    return 1000 * statistics.linear_regression([n for n, _ in later], [mb for _, mb in later]).slope


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--index", default="index")
    parser.add_argument("--questions", type=int, default=5000)
    parser.add_argument("--callers", type=int, default=8)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with open_index(options.index) as pipeline:
        seen = asyncio.run(ask(pipeline, options.questions, options.callers))
    result = {
        "questions": options.questions, "callers": options.callers, "mb_at_first": round(seen[0][1]),
        "mb_at_last": round(seen[-1][1]), "mb_per_1000_questions": round(slope(seen), 2),
    }  # fmt: skip
    print(json.dumps(result, indent=1))
    if options.json:
        options.json.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
