"""Question-answer files -> the examples a reader is trained on, and the ones kept back from it.

What is kept back is chosen by title (by paragraph, where a file has no titles, or thousands of paragraphs under
one), so that no paragraph, and no article that two files share, is on both sides. A calibration is fitted on the part
kept back, and recipes are compared on it.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from qa.evaluation.datasets import BETWEEN_PARAGRAPHS, UNTITLED, Dataset, load_dataset
from qa.types import DatasetError, Range

HELD_OUT = 16  # one title in so many is kept back
_ONE_TITLE = 300  # paragraphs; a title with more is no article but a collection

# How often a question of a file is read in one pass over the data, by the beginning of the file's name; 1 where
# nothing is said. One-sentence contexts and those furthest from articles count less; benchmarks/LOG.md has what was
# measured.
WEIGHTS: Mapping[str, float] = {
    "squad1_train_du": 1.5,
    "squad1_train_cs224n": 1.5,
    "squad1_train_emptycity": 1.5,
    "squad1_train_sentences": 0.4,
    "squad2_train": 1.5,
    "shifts_new_wiki": 1.3,
    "shifts_reddit": 0.6,
    "shifts_amazon": 0.4,
    "qamr": 0.1,
    "tweetqa": 0.2,
    "policyqa": 0.15,
    "hotpot": 0.6,
    "covidqa": 0.5,
}
# Files of whole paragraphs of articles, among which passages that look right are searched; by the same beginnings.
PARAGRAPHS = (
    "squad1_train_du", "squad1_train_cs224n", "squad1_train_emptycity", "squad2_train", "train-v", "nq_qed",
    "shifts_new_wiki",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Example:
    """A question on a context. ``spans`` are in the context, once for each annotator; none: no answer there."""

    source: str
    title: str
    context: str
    question: str
    spans: tuple[Range, ...]
    weight: float = 1.0


def load_examples(
    data: Sequence[Path], weights: Mapping[str, float] | None = None, human: float = 1.0
) -> list[Example]:
    """All questions that have a context, each once: files that share articles repeat each other's.

    :param weights: instead of, or beside, the default ``WEIGHTS``; by the beginning of a file's name.
    :param human: times that, for a question to which people found no answer in its context: there are few.
    :raises DatasetError: if a file cannot be read, or none has contexts.
    """
    examples: dict[tuple[str, str], Example] = {}
    for path in data:
        for example in _examples(load_dataset(path), {**WEIGHTS, **(weights or {})}, human):
            examples.setdefault((plain(example.context), plain(example.question)), example)
    if not examples:
        raise DatasetError(
            "training needs questions with contexts, as in SQuAD's files; give some with --data"
        )
    return list(examples.values())


def _examples(dataset: Dataset, weights: Mapping[str, float], human: float) -> list[Example]:
    offsets, titles = paragraph_offsets(dataset), _titles(dataset)
    # The longest beginning that fits says most.
    fitting = [name for name in weights if dataset.name.startswith(name)]
    weight = weights[max(fitting, key=len)] if fitting else 1.0
    out = []
    for q in dataset.questions:
        if q.context is None or q.article is None or weight <= 0:
            continue
        at = offsets[q.article, q.context]
        spans = tuple((start - at, end - at) for start, end in q.spans)
        if bool(q.answers) != bool(spans):
            continue  # answered, but nowhere: its spans were wrong
        votes = Counter(q.answers)
        repeated = tuple(s for s in spans for _ in range(votes[q.context[s[0] : s[1]]] or 1))
        out.append(
            Example(
                dataset.name, titles[q.article], q.context, q.text, repeated,
                weight * (1 if spans else human),
            )
        )  # fmt: skip
    return out


def paragraph_offsets(dataset: Dataset) -> dict[tuple[str, str], int]:
    """Where each (article, context) begins in its article's text: the contexts joined in order of appearance."""
    offsets: dict[tuple[str, str], int] = {}
    ends: dict[str, int] = {}
    for question in dataset.questions:
        if question.context is None or question.article is None:
            continue
        key = (question.article, question.context)
        if key not in offsets:
            offsets[key] = ends.get(question.article, 0)
            ends[question.article] = offsets[key] + len(question.context) + len(BETWEEN_PARAGRAPHS)
    return offsets


def _titles(dataset: Dataset) -> dict[str, str]:
    """The title of each article, by id; "" for what has none, and for a collection that is no article."""
    sizes = Counter(article for article, _ in paragraph_offsets(dataset))
    return {
        a.id: "" if a.title.startswith(UNTITLED) or sizes[a.id] > _ONE_TITLE else a.title
        for a in dataset.articles
    }


def divide(examples: Sequence[Example]) -> tuple[list[Example], list[Example]]:
    """Those to train on, and those kept back."""
    kept = _held((e.title, e.context) for e in examples)
    trained = [e for e in examples if plain(e.context) not in kept]
    return trained, [e for e in examples if plain(e.context) in kept]


def only_held_out(dataset: Dataset) -> Dataset:
    """The same articles, with the questions that training keeps back."""
    titles = _titles(dataset)
    asked = [q for q in dataset.questions if q.context is not None and q.article is not None]
    kept = _held((titles[q.article or ""], q.context or "") for q in asked)
    return replace(dataset, questions=tuple(q for q in asked if plain(q.context or "") in kept))


def _held(pairs: Iterable[tuple[str, str]]) -> set[str]:
    """Of (title, context) pairs, the contexts kept back, as ``plain`` writes them; under two titles, if either is.

    The choice depends on the title, or the context that has none, alone: it is the same whatever else is read.
    """
    return {plain(context) for title, context in set(pairs) if _chosen(plain(title) or plain(context))}


def _chosen(name: str) -> bool:
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8]) % HELD_OUT == 0


def plain(text: str) -> str:
    """Letters and digits alone: the same paragraph, title or question in another file's spelling."""
    return re.sub(r"\W+", " ", text.lower()).strip()
