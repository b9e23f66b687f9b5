"""Passages that the program's own retriever returns for a question, and that do not answer it.

They are what the reader meets when it is asked over a whole index: near in words and in meaning, and wrong. Random
paragraphs are told apart too easily to teach anything.
"""

from __future__ import annotations

import json
import os
import random
from collections.abc import Callable, Sequence
from pathlib import Path

from qa.pipeline import open_index
from qa.training.sources import PARAGRAPHS, Example, plain
from qa.types import Article, sha256

LOOK_AT = 8  # hits of each question
KEEP = 3  # of these, at most so many that do not answer it
FILE = "negatives.jsonl"

Tell = Callable[[str, int, int], None]  # what is done, how much of it, of how much

Negatives = dict[str, list[str]]  # question -> passages


def mine(
    examples: Sequence[Example], folder: Path, *, questions: int, paragraphs: int, seed: int = 0,
    tell: Tell | None = None,
) -> Negatives:  # fmt: skip
    """For each of some questions, up to ``KEEP`` passages that look right and do not hold its answer.

    Kept in ``folder``, with the index they come from, and found there the next time: a run that is cut off does not
    embed twice.

    :param paragraphs: search among so many, chosen at random.
    :param questions: for so many, chosen at random among the answered ones on these paragraphs.
    """
    tell = tell or (lambda what, done, of: None)
    rng = random.Random(f"{seed} negatives")
    examples = [e for e in examples if e.source.startswith(PARAGRAPHS) and e.spans]
    everything = list(dict.fromkeys(e.context for e in examples))
    contexts = rng.sample(everything, min(paragraphs, len(everything)))
    among = {sha256(context)[:16]: context for context in contexts}
    kept = set(contexts)
    answered = [e for e in examples if e.context in kept]
    chosen = rng.sample(answered, min(questions, len(answered)))
    found = _read(folder / FILE)
    todo = [e for e in chosen if e.question not in found]
    if not todo:
        return found
    with open_index(folder / "index", create=True) as pipeline, (folder / FILE).open("a") as out:
        done = 0

        def added(article: Article) -> None:
            nonlocal done
            done += 1
            tell("embedding paragraphs", done, len(contexts))

        pipeline.add((Article(name, c, title="", source="") for name, c in among.items()), added)
        for number, example in enumerate(todo, 1):
            hits = [
                row["text"] for row in pipeline.search(example.question, LOOK_AT) if row["article"] in among
            ]
            found[example.question] = wrong(example, hits)
            row = {"question": example.question, "passages": found[example.question]}
            out.write(json.dumps(row) + "\n")
            tell("searching passages that look right", number, len(todo))
    return found


def _read(file: Path) -> Negatives:
    """What was found before; a last line that was cut off is taken off the file."""
    if not file.is_file():
        return {}
    written = file.read_bytes()
    whole = written[: written.rfind(b"\n") + 1]
    if whole != written:
        os.truncate(file, len(whole))
    rows = [json.loads(line) for line in whole.splitlines()]
    return {row["question"]: row["passages"] for row in rows}


def wrong(example: Example, passages: Sequence[str]) -> list[str]:
    """The first ``KEEP`` of the passages that hold no answer of the example, whatever the case and punctuation."""
    answers = {plain(example.context[start:end]) for start, end in example.spans}
    keep = []
    for passage in passages:
        words = f" {plain(passage)} "
        # An answer without letters or digits ("%") is found nowhere, and says nothing.
        if not any(f" {answer} " in words for answer in answers) and passage not in example.context:
            keep.append(passage)
    return keep[:KEEP]
