"""Fit how spans are ranked, and the probability that an answer is right (``python -m qa calibrate``).

Each data file's contexts are indexed, every second article left out, and its questions are asked as ``ask`` would:
those of the articles left out have no answer. Half of the files' questions are asked over raw text (lower-cased,
without punctuation or line breaks), for much of what people have is raw.
"""

from __future__ import annotations

import random
import string
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from qa.answering import candidates, features
from qa.calibration import FILE, Calibration, Ranking
from qa.evaluation.datasets import Dataset, Question, load_dataset
from qa.evaluation.metrics import f1
from qa.models import model_folder
from qa.pipeline import READ_MOST, SETTINGS, Pipeline, open_index
from qa.reader import DEFAULT
from qa.types import Article, DatasetError, Hit, ModelError, Span, sha256

RIGHT = 0.5  # token F1 from which an answer counts as right
ABSENT_SHARE = 0.3
ARTICLE_CHARACTERS = 500_000  # of a file that are indexed: some hundred passages are a fair search
_PUNCTUATION = str.maketrans(dict.fromkeys(string.punctuation + "–—“”‘’…", " "))

Tell = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Example:
    """What an answer to one question is made from, and what would have been right; no answers: it is not there."""

    source: str
    answers: tuple[str, ...]
    hits: tuple[Hit, ...]
    spans: tuple[Span, ...]
    coverage: dict[str, float]  # passage text -> share of the question's words


def raw(text: str) -> str:
    """Lower-cased, without punctuation and line breaks: as scraped articles often come.

    >>> raw("North Korea's\\n\\ntests, in 2017.")
    'north korea s tests in 2017'
    """
    return " ".join(text.lower().translate(_PUNCTUATION).split())


def collect(
    data: Sequence[Path], *, reader: str | Path | None = None, encoder: str | None = None, questions: int = 300,
    seed: int = 0, tell: Tell | None = None,
) -> list[Example]:  # fmt: skip
    """Ask up to ``questions`` questions of each file, half of them over its raw form.

    :raises DatasetError: if a file cannot be read or brings no articles.
    """
    examples: list[Example] = []
    for path in data:
        dataset = load_dataset(path)
        if not dataset.articles:
            raise DatasetError(f"{path} brings no articles; calibrating needs questions with their contexts")
        for form in ("clean", "raw"):
            rng = random.Random(f"{seed} {dataset.name} {form}")
            indexed, asked = _choose(dataset, questions // 2, rng)
            with (
                tempfile.TemporaryDirectory() as folder,
                open_index(folder, create=True, encoder=encoder, reader=reader) as pipeline,
            ):
                pipeline.add(_raw_article(a) if form == "raw" else a for a in indexed)
                present = {a.id for a in indexed}
                for question in asked:
                    examples.append(_example(pipeline, f"{dataset.name} {form}", question, present, rng))
                    if tell:
                        tell(1)
    return examples


def _choose(dataset: Dataset, count: int, rng: random.Random) -> tuple[list[Article], list[Question]]:
    """Articles to index, and questions: of these, and of articles left out."""
    articles = rng.sample(dataset.articles, len(dataset.articles))
    inside: list[Article] = []
    size = 0
    for article in articles[: max(1, (len(articles) + 1) // 2)]:
        if inside and size + len(article.text) > ARTICLE_CHARACTERS:
            break
        inside.append(article)
        size += len(article.text)
    ids = {article.id for article in inside}
    there = [q for q in dataset.questions if q.article in ids]
    absent = [q for q in dataset.questions if q.article not in ids]
    missing = min(len(absent), round(count * ABSENT_SHARE))
    asked = rng.sample(there, min(len(there), count - missing)) + rng.sample(absent, missing)
    return inside, asked


def _raw_article(article: Article) -> Article:
    return replace(article, text=raw(article.text), masks=(), locators=())


def _example(
    pipeline: Pipeline, source: str, question: Question, present: set[str], rng: random.Random
) -> Example:
    text = question.text
    if rng.random() < 0.3:  # as typed into a search box
        text = raw(text)
    snapshot, hits, spans = pipeline.evidence(text, most=READ_MOST)
    coverage = snapshot.coverage(text)
    answers = question.answers if question.article in present else ()
    shares = {hit.passage.text: coverage(hit.passage.text) for hit in hits[:READ_MOST]}
    return Example(source, answers, tuple(hits), tuple(spans), shares)


def rank_weights(examples: Sequence[Example]) -> Ranking:
    """The weights, of a grid, with which the first candidate's mean F1 over present answers is highest."""
    grid = [
        Ranking(null, retrieval)
        for null in (0.0, 0.25, 0.5, 0.75)
        for retrieval in (0.0, 2, 4, 6, 8, 10, 12, 16)
    ]
    there = [e for e in examples if e.answers]
    return max(grid, key=lambda ranking: float(np.mean([_forced_f1(e, ranking) for e in there])))


def _forced_f1(example: Example, ranking: Ranking) -> float:
    found = candidates(example.spans, ranking)
    return f1(found[0].best.text, example.answers) if found else 0.0


def training_rows(
    examples: Sequence[Example], ranking: Ranking
) -> tuple[list[dict[str, float]], np.ndarray[Any, Any]]:
    """Features of each question's first candidate (n), and whether it is right (n,)."""
    rows, right = [], []
    for example in examples:
        found = candidates(example.spans, ranking)
        if not found:
            continue
        rows.append(features(found[0], found[0].best, found, example.hits, example.coverage.__getitem__))
        right.append(bool(example.answers) and f1(found[0].best.text, example.answers) >= RIGHT)
    return rows, np.array(right)


def fit(examples: Sequence[Example], belongs_to: dict[str, str], note: dict[str, Any]) -> Calibration:
    """Ranking weights, then a logistic regression on standardised features, then the threshold.

    :raises DatasetError: if all answers are right, or all wrong.
    """
    try:
        from sklearn.linear_model import LogisticRegression
    except ImportError as error:
        raise ModelError("calibrating needs scikit-learn: pip install -r requirements-train.txt") from error
    ranking = rank_weights(examples)
    rows, right = training_rows(examples, ranking)
    if len(set(right.tolist())) < 2:
        raise DatasetError("calibrating needs right and wrong answers; give more questions")
    names = list(rows[0])
    matrix = np.array([[row[name] for name in names] for row in rows])  # (n, features)
    means, scales = matrix.mean(axis=0), np.maximum(matrix.std(axis=0), 1e-6)
    model = LogisticRegression(C=1.0, max_iter=1000).fit((matrix - means) / scales, right)
    weights = {
        name: (float(m), float(s), float(w))
        for name, m, s, w in zip(names, means, scales, model.coef_[0], strict=True)
    }
    calibration = Calibration(belongs_to, ranking, weights, float(model.intercept_[0]), 0.5, note)
    return replace(calibration, threshold=_threshold(examples, rows, right, calibration))


def _threshold(
    examples: Sequence[Example],
    rows: Sequence[dict[str, float]],
    right: np.ndarray[Any, Any],
    calibration: Calibration,
) -> float:
    """Where (share of present questions answered right + share of absent ones declined) is highest.

    Both failures cost the same, whatever the data's share of absent questions.
    """
    found = [e for e in examples if candidates(e.spans, calibration.ranking)]
    absent = np.array([not e.answers for e in found])
    chances = np.array([calibration.probability(row) for row in rows])
    grid = np.arange(0.05, 0.96, 0.01)
    gain = [
        float(np.mean(right[~absent] & (chances[~absent] >= t)) + np.mean(chances[absent] < t)) for t in grid
    ]
    return round(float(grid[int(np.argmax(gain))]), 2)


def calibrate(
    data: Sequence[Path], *, reader: str | Path | None = None, encoder: str | None = None, questions: int = 300,
    seed: int = 0, tell: Tell | None = None,
) -> tuple[Path, Calibration]:  # fmt: skip
    """Fit a calibration and write it beside the reader's weights.

    :param data: question-answer files with contexts; best such as the reader was not fitted on, and never one that
        results are reported on.
    :raises DatasetError: if the data cannot be used.
    :raises ModelError: if a model cannot be loaded, or scikit-learn is missing.
    """
    examples = collect(data, reader=reader, encoder=encoder, questions=questions, seed=seed, tell=tell)
    with (
        tempfile.TemporaryDirectory() as folder,
        open_index(folder, create=True, encoder=encoder, reader=reader) as p,
    ):
        belongs_to = {"reader": p.reader.identity, "encoder": p.encoder.identity, "settings": SETTINGS}
    files = {path.name: sha256(path.read_bytes())[:16] for path in data}
    note = {"files": files, "questions": len(examples), "seed": seed}
    calibration = fit(examples, belongs_to, note)
    path = model_folder(reader or DEFAULT) / FILE
    calibration.save(path)
    return path, calibration
