"""How the reader bears other forms of questions and texts: ``python -m benchmarks.forms DATASET --readers ...``.

The same questions on their own paragraphs, read by each reader: as they are; the questions without a question mark,
bare (lower-cased, without punctuation), as typed into a search box, with a typing error; the texts cut off at both
ends, with a stray line inside, raw. Gold answers are in the text's form. Prints F1 of each as a table in Markdown.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from qa.evaluation.datasets import Question, load_dataset
from qa.evaluation.metrics import f1
from qa.evaluation.raw import raw, raw_text
from qa.reader import DEFAULT, Reader
from qa.training.views import cut_view, mistyped, searched, stray_view
from qa.types import Hit, Passage

ASKED: dict[str, Callable[[str, random.Random], str]] = {
    "as they are": lambda question, rng: question,
    "no question mark": lambda question, rng: question.rstrip("? "),
    "bare": lambda question, rng: raw(question),
    "as a search": lambda question, rng: searched(question) or question,
    "a typing error": mistyped,
}
Case = tuple[str, str, tuple[str, ...]]  # question, text, gold answers


def main() -> None:
    """Read all, print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("dataset", type=Path)
    parser.add_argument("--readers", nargs="+", default=[DEFAULT], help="folders of readers")
    parser.add_argument("--questions", type=int, default=800, help="evenly spread")
    options = parser.parse_args()
    posed = [q for q in load_dataset(options.dataset).questions if q.answers and q.context]
    posed = posed[:: max(1, len(posed) // options.questions)]
    readers = [Reader(folder) for folder in options.readers]
    print(f"{len(posed)} questions, F1\n\n| form | " + " | ".join(map(str, options.readers)) + " |")
    print("|---" * (1 + len(readers)) + "|")
    for name, cases in forms(posed):
        figures = [100 * float(np.mean([_f1(reader, *case) for case in cases])) for reader in readers]
        print(f"| {name} | " + " | ".join(f"{figure:.1f}" for figure in figures) + " |", flush=True)


def forms(posed: list[Question]) -> Iterator[tuple[str, list[Case]]]:
    """Each form by name, with its cases."""
    for name, change in ASKED.items():
        rng = random.Random(name)
        yield f"questions {name}", [(change(q.text, rng), q.context or "", q.answers) for q in posed]
    for name, view in (("cut off at both ends", cut_view), ("with a stray line", stray_view)):
        rng = random.Random(name)
        texts = [view(q.context or "", _places(q), rng)[0] for q in posed]
        yield f"texts {name}", [(q.text, text, q.answers) for q, text in zip(posed, texts, strict=True)]
    raws = [(q.text, raw_text(q.context or "").text, tuple(map(raw, q.answers))) for q in posed]
    yield "texts raw", raws


def _places(question: Question) -> list[tuple[int, int]]:
    """Where the gold answers first stand in the question's paragraph."""
    found = [((question.context or "").find(answer), answer) for answer in question.answers]
    return [(start, start + len(answer)) for start, answer in found if start >= 0]


def _f1(reader: Reader, question: str, text: str, golds: tuple[str, ...]) -> float:
    hit = Hit(Passage("", "", 0, len(text), text), 0.0, 0.0, 0.0)
    span = next(iter(reader.read(question, [hit], best=1)), None)
    return f1(span.text if span else "", golds)


if __name__ == "__main__":
    main()
