"""Many questions, one by one and side by side: ``python -m benchmarks.batch DATASET [--questions N] [--json OUT]``.

Indexes the dataset's articles, then asks the same questions both ways, in turns of a hundred, which keeps a noisy
machine fair. Prints questions a second of both, their ratio, and how many answers or places differ.
"""

from __future__ import annotations

import time

from benchmarks.asking import arguments, indexed, show
from qa.graph import available_cpus

TURN = 100


def main() -> None:
    """Measure and print."""
    options = arguments(__doc__, questions=500)
    with indexed(options) as (pipeline, questions):
        list(pipeline.ask_many(questions[:20]))  # warm up
        alone = together = 0.0
        different = 0
        for first in range(0, len(questions), TURN):
            some = questions[first : first + TURN]
            started = time.perf_counter()
            one_by_one = [pipeline.ask(question) for question in some]
            between = time.perf_counter()
            side_by_side = list(pipeline.ask_many(some))
            alone += between - started
            together += time.perf_counter() - between
            different += sum(map(differ, one_by_one, side_by_side))
    result = {
        "questions": len(questions), "cores": available_cpus(),
        "one_by_one_per_second": round(len(questions) / alone, 1),
        "side_by_side_per_second": round(len(questions) / together, 1),
        "ratio": round(alone / together, 2), "different": different,
    }  # fmt: skip
    show(result, options)


def differ(one, other) -> bool:
    """Whether two answers or their places differ."""
    return (one.answer, [c.ref for c in one.citations]) != (other.answer, [c.ref for c in other.citations])


if __name__ == "__main__":
    main()
