"""What benchmarks that ask a dataset's questions begin and end with."""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from qa.evaluation.datasets import load_dataset
from qa.pipeline import Pipeline, open_index


def arguments(description: str, questions: int) -> argparse.Namespace:
    """``DATASET [--questions N] [--json OUT]``."""
    parser = argparse.ArgumentParser(description=description.splitlines()[0])
    parser.add_argument("dataset", type=Path)
    parser.add_argument("--questions", type=int, default=questions, help="evenly spread")
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


@contextmanager
def indexed(options: argparse.Namespace) -> Iterator[tuple[Pipeline, list[str]]]:
    """All articles of the dataset in an index of their own, and the questions to ask."""
    dataset = load_dataset(options.dataset)
    step = max(1, len(dataset.questions) // options.questions)
    questions = [q.text for q in dataset.questions[::step]][: options.questions]
    with tempfile.TemporaryDirectory() as folder, open_index(folder, create=True) as pipeline:
        pipeline.add(dataset.articles)
        yield pipeline, questions


def show(result: Mapping[str, Any], options: argparse.Namespace) -> None:
    """Print the result, and write it where ``--json`` says."""
    result = {"dataset": options.dataset.name, **result}
    print(json.dumps(result, indent=1))
    if options.json:
        options.json.write_text(json.dumps(result, indent=1) + "\n")
