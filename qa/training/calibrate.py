"""Fit how spans are ranked, and the probability that an answer is right (``python -m qa calibrate``).

Parts of each data file are indexed, and its questions are asked as ``ask`` would. Some have no answer there: those
of articles left out, and, closer to the mark, those of paragraphs left out of an article that is indexed. Libraries
are large and small, since scores differ with size, and half of them raw (lower-cased, without punctuation or line
breaks), for much of what people have is.
"""

from __future__ import annotations

import random
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from qa.answering import candidates, features
from qa.calibration import FILE, Calibration, Ranking
from qa.effort import read_while_unsure
from qa.evaluation.datasets import BETWEEN_PARAGRAPHS, Dataset, Question, load_dataset
from qa.evaluation.metrics import f1
from qa.evaluation.raw import raw
from qa.models import model_folder
from qa.pipeline import Pipeline, open_index
from qa.reader import DEFAULT
from qa.training.sources import only_held_out
from qa.types import Article, DatasetError, Hit, ModelError, Span, sha256

RIGHT = 0.5  # token F1 from which an answer counts as right
FAR, NEAR = 0.2, 0.2  # shares of the questions whose article, or whose paragraph alone, is left out
PARAGRAPHS_KEPT = 0.7  # of an article that has several
# Characters indexed, and whether raw: libraries of some hundred passages, and of a handful.
LIBRARIES = (
    (400_000, False),
    (100_000, True),
    (30_000, False),
    (10_000, True),
    (10_000, False),
    (10_000, True),
)
WITHHELD = 0.14  # of the questions that have an answer, at most so many are declined
RETRIEVAL_GRID = (0.0, 2.0, 4.0, 6.0, 8.0, 10.0, 12.0, 16.0)
CHANCE = 0.002  # of F1: what is nearer than this to the best is as good; two of a thousand questions
NULL_GRID = (0.0, 0.25, 0.5, 0.75)
# The share of questions that have no answer, as the probability takes it: asked in vain one time in five. More of
# them are asked here, to learn what they look like, and weigh less.
ABSENT_PRIOR = 0.2

Tell = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Weights:
    """The words of a question, as ``Snapshot.weigh`` gave them: kept when the index is gone."""

    total: float
    shares: dict[str, float]  # of the passages read

    def __call__(self, text: str) -> float:
        """Share of the question's weight of words in a passage that was read."""
        return self.shares[text]


@dataclass(frozen=True, slots=True)
class Example:
    """What an answer to one question is made from, and what would have been right; no answers: it is not there."""

    source: str
    answers: tuple[str, ...]
    hits: tuple[Hit, ...]
    spans: tuple[Span, ...]
    words: Weights


def collect(
    data: Sequence[Path], *, reader: str | Path | None = None, encoder: str | None = None, questions: int = 300,
    held_out: bool = False, seed: int = 0, tell: Tell | None = None,
) -> list[Example]:  # fmt: skip
    """Ask up to ``questions`` questions of each file, over libraries of several sizes and forms.

    :param held_out: only such as training keeps back; in libraries of them and of other paragraphs.
    :raises DatasetError: if a file cannot be read or brings no articles.
    """
    examples: list[Example] = []
    for path in data:
        dataset = load_dataset(path)
        if not dataset.articles:
            raise DatasetError(f"{path} brings no articles; calibrating needs questions with their contexts")
        asking = only_held_out(dataset) if held_out else dataset
        for number, (characters, is_raw) in enumerate(LIBRARIES):
            rng = random.Random(f"{seed} {dataset.name} {number}")
            articles, kept = library(asking, characters, rng)
            asked = choose(asking, kept, {a.id for a in articles}, questions // len(LIBRARIES), rng)
            if held_out:
                articles += others(dataset, asking, characters - sum(len(a.text) for a in articles), rng)
            with (
                tempfile.TemporaryDirectory() as folder,
                open_index(folder, create=True, encoder=encoder, reader=reader) as pipeline,
            ):
                pipeline.add(_raw_article(a) if is_raw else a for a in articles)
                for question in asked:
                    examples.append(_example(pipeline, dataset.name, question, question.context in kept, rng))
                    if tell:
                        tell(1)
    return examples


def library(dataset: Dataset, characters: int, rng: random.Random) -> tuple[list[Article], set[str]]:
    """Random articles of about so many characters in all, some of their paragraphs left out; and those kept."""
    contexts: dict[str, dict[str, None]] = {}  # of each article, in order
    for question in dataset.questions:
        contexts.setdefault(question.article or "", {})[question.context or ""] = None
    articles = [article for article in dataset.articles if article.id in contexts]
    order = rng.sample(articles, len(articles))
    chosen: list[Article] = []
    kept: set[str] = set()
    for article in order[: max(1, (len(order) + 1) // 2)]:  # the other half is surely absent
        paragraphs = list(contexts[article.id])
        if len(paragraphs) > 2:
            # Of a long article a stretch, so that a small library is one of several articles.
            most = max(3, characters // 4 // max(1, len(article.text) // len(paragraphs)))
            first = rng.randrange(max(1, len(paragraphs) - most + 1))
            some = [p for p in paragraphs[first : first + most] if rng.random() < PARAGRAPHS_KEPT]
            paragraphs = some or paragraphs[:1]
        kept.update(paragraphs)
        chosen.append(replace(article, text=BETWEEN_PARAGRAPHS.join(paragraphs), masks=(), locators=()))
        characters -= len(chosen[-1].text)
        if characters <= 0:
            break
    return chosen, kept


def others(dataset: Dataset, asking: Dataset, characters: int, rng: random.Random) -> list[Article]:
    """Random articles that nothing is asked about, of about so many characters in all."""
    asked = {q.article for q in asking.questions}
    left = [a for a in dataset.articles if a.id not in asked]
    chosen = []
    for article in rng.sample(left, len(left)):
        if characters <= 0:
            break
        # No article makes up a library alone.
        text = article.text[: max(1000, min(characters, len(article.text)))]
        chosen.append(replace(article, text=text, masks=(), locators=()))
        characters -= len(text)
    return chosen


def choose(
    dataset: Dataset, kept: set[str], indexed: set[str], count: int, rng: random.Random
) -> list[Question]:
    """Questions of paragraphs that are there, of those left out, and of articles left out."""
    there = [q for q in dataset.questions if q.context in kept]
    near = [q for q in dataset.questions if q.context not in kept and q.article in indexed]
    far = [q for q in dataset.questions if q.article not in indexed]
    asked = rng.sample(near, min(len(near), round(count * NEAR)))
    asked += rng.sample(far, min(len(far), round(count * (NEAR + FAR)) - len(asked)))
    return asked + rng.sample(there, min(len(there), count - len(asked)))


def _raw_article(article: Article) -> Article:
    return replace(article, text=raw(article.text))


def _example(
    pipeline: Pipeline, source: str, question: Question, present: bool, rng: random.Random
) -> Example:
    text = question.text
    if rng.random() < 0.3:  # as typed into a search box
        text = raw(text)
    snapshot, hits, spans = pipeline.evidence(text, whole=True)
    weigh = snapshot.weigh(text)
    shares = {span.hit.passage.text: weigh(span.hit.passage.text) for span in spans}
    return Example(
        source, question.answers if present else (), tuple(hits), tuple(spans), Weights(weigh.total, shares)
    )


def as_read(example: Example, ranking: Ranking) -> Example:
    """With the spans of those passages alone that are read where spans are ranked so."""

    def read(part: Sequence[Hit]) -> list[Span]:
        return [span for span in example.spans if span.hit in part]

    return replace(example, spans=tuple(read_while_unsure(example.hits, ranking, read)))


def rank_weights(examples: Sequence[Example]) -> Ranking:
    """Of a grid of weights, those with which least is read, of those that answer best but for ``CHANCE``.

    How well: the first candidate's mean F1 over present answers, of the passages that are read with these weights.
    """
    there = [e for e in examples if e.answers]
    tried = []
    for ranking in (Ranking(null, weight) for null in NULL_GRID for weight in RETRIEVAL_GRID):
        read = [as_read(e, ranking) for e in there]
        f1s = [_forced_f1(e, ranking) for e in read]
        passages = [len({span.hit.passage for span in e.spans}) for e in read]
        tried.append((ranking, float(np.mean(f1s)), float(np.mean(passages))))
    best = max(f1_ for _, f1_, _ in tried)
    return min((t for t in tried if t[1] >= best - CHANCE), key=lambda t: t[2])[0]


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
        rows.append(features(found[0], found[0].best, found, example.hits, example.words))
        right.append(bool(example.answers) and f1(found[0].best.text, example.answers) >= RIGHT)
    return rows, np.array(right)


def fit(examples: Sequence[Example], belongs_to: dict[str, str], note: dict[str, Any]) -> Calibration:
    """Ranking weights, of all that was read; then, of what is read with them, logistic regression and threshold.

    The regression is on standardised features.

    :param belongs_to: reader, encoder and settings, as the calibration will name them.
    :param note: what it was fitted on.

    :raises DatasetError: if all answers are right, or all wrong.
    """
    try:
        from sklearn.linear_model import LogisticRegression
    except ImportError as error:
        raise ModelError("calibrating needs scikit-learn: pip install -r requirements-train.txt") from error
    ranking = rank_weights(examples)
    examples = [as_read(example, ranking) for example in examples]
    rows, right = training_rows(examples, ranking)
    absent = np.array([not e.answers for e in examples if candidates(e.spans, ranking)])
    if len(set(right.tolist())) < 2 or not absent.any():
        raise DatasetError(
            "calibrating needs right and wrong answers, and questions without one; give more data"
        )
    names = list(rows[0])
    matrix = np.array([[row[name] for name in names] for row in rows])  # (n, features)
    means, scales = matrix.mean(axis=0), np.maximum(matrix.std(axis=0), 1e-6)
    scaled = (matrix - means) / scales
    # First all questions alike, to tell right from wrong best; then, of the same order, probabilities that fit the
    # share of absent ones (Platt 1999, of one score).
    model = LogisticRegression(C=1.0, max_iter=1000).fit(scaled, right)
    prior = ABSENT_PRIOR / (1 - ABSENT_PRIOR) * float((~absent).sum()) / int(absent.sum())
    platt = LogisticRegression(C=1e6, max_iter=1000)
    platt.fit(model.decision_function(scaled)[:, None], right, sample_weight=np.where(absent, prior, 1.0))
    slope, shift = float(platt.coef_[0, 0]), float(platt.intercept_[0])
    weights = {
        name: (float(m), float(s), slope * float(w))
        for name, m, s, w in zip(names, means, scales, model.coef_[0], strict=True)
    }
    calibration = Calibration(
        belongs_to, ranking, weights, slope * float(model.intercept_[0]) + shift, 0.5, note
    )
    return replace(calibration, threshold=_threshold(rows, absent, calibration))


def _threshold(
    rows: Sequence[dict[str, float]], absent: np.ndarray[Any, Any], calibration: Calibration
) -> float:
    """The highest probability with which no more than ``WITHHELD`` of the questions that have an answer are declined.

    As cautious as can be at that price. An answer withheld costs a look at the nearest passage, a wrong one may be
    printed; but who is declined too often stops asking.
    """
    chances = np.array([calibration.probability(row) for row in rows])[~absent]
    return next(
        (round(float(t), 2) for t in np.arange(0.95, 0.04, -0.01) if (chances < t).mean() <= WITHHELD), 0.05
    )


def calibrate(
    data: Sequence[Path], *, reader: str | Path | None = None, encoder: str | None = None, questions: int = 300,
    held_out: bool = False, seed: int = 0, tell: Tell | None = None,
) -> tuple[Path, Calibration]:  # fmt: skip
    """Fit a calibration and write it beside the reader's weights.

    :param data: question-answer files with contexts; never one that results are reported on.
    :param held_out: of files the reader was trained on, ask only what training keeps back.
    :raises DatasetError: if the data cannot be used.
    :raises ModelError: if a model cannot be loaded, or scikit-learn is missing.
    """
    examples = collect(
        data, reader=reader, encoder=encoder, questions=questions, held_out=held_out, seed=seed, tell=tell
    )
    with (
        tempfile.TemporaryDirectory() as folder,
        open_index(folder, create=True, encoder=encoder, reader=reader) as p,
    ):
        belongs_to = p.belongs_to
    files = {path.name: sha256(path.read_bytes())[:16] for path in data}
    note = {"files": files, "questions": len(examples), "held_out": held_out, "seed": seed}
    calibration = fit(examples, belongs_to, note)
    path = model_folder(reader or DEFAULT) / FILE
    calibration.save(path)
    return path, calibration
