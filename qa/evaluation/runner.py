"""Ask the questions of evaluation files through the one pipeline, and measure what comes back."""

from __future__ import annotations

import json
import logging
import math
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self, TypeVar

from tqdm import tqdm

from qa.adding import AddReport
from qa.calibration import Calibration
from qa.evaluation import metrics
from qa.evaluation.datasets import Dataset, Question, load_dataset
from qa.evaluation.errors import count_errors, rank_of_answer, what_went_wrong, worst
from qa.evaluation.raw import raw_dataset
from qa.evaluation.report import Asked, Read, result
from qa.evaluation.slices import slices
from qa.pipeline import open_index
from qa.types import Answer, Article, DatasetError, Hit, QuestionError, RefError, Span, Verification, sha256

SEARCHED = 20  # how deep the retrieval figures look
DEFAULT_INDEX = Path("index")

log = logging.getLogger(__name__)
T = TypeVar("T")


class Model(Protocol):
    """A model, as far as a figure has to name it."""

    @property
    def identity(self) -> str:
        """Name and sha256 of its weights."""


class Pipeline(Protocol):
    """What of the program's core is measured."""

    @property
    def encoder(self) -> Model:
        """What finds passages."""

    @property
    def reader(self) -> Model:
        """What finds answers in them."""

    @property
    def calibration(self) -> Calibration | None:
        """What makes scores a probability."""

    def ask(
        self,
        question: str,
        history: Sequence[Sequence[str | None]] = (),
        articles: Sequence[str] | None = None,
        *,
        min_confidence: float | None = None,
    ) -> Answer:
        """Answer a question."""

    def search(
        self, query: str, top_k: int = 5, articles: Sequence[str] | None = None
    ) -> list[dict[str, Any]]:
        """Passages, best first, as the contract's rows."""

    def evidence(self, question: str) -> tuple[object, Sequence[Hit], Sequence[Span]]:
        """What an answer is made from: the index, what was retrieved, and what was read in it."""

    def verify(self, ref: str) -> Verification:
        """What became of a quote."""

    def read_text(self, question: str, text: str) -> Span | None:
        """The reader's best span in one text."""

    def add(self, articles: Iterable[Article]) -> AddReport:
        """Index articles."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None: ...


Opener = Callable[..., Pipeline]


def evaluate(
    datasets: Sequence[str | Path],
    *,
    index: str | Path | None = None,
    reader_only: bool = False,
    absent: bool = False,
    raw: bool = False,
    encoder: str | None = None,
    reader: str | None = None,
    limit: int | None = None,
    progress: bool | None = None,
    opener: Opener = open_index,
) -> list[dict[str, Any]]:
    """Measure the program on evaluation files; one entry of the contract's JSON each.

    :param index: where questions without articles of their own are asked; ``index`` by default.
    :param reader_only: only give each question's own paragraph to the reader, also the impossible ones.
    :param absent: index every second article, and also ask the questions of the others.
    :param raw: lower-case contexts and gold answers and strip their punctuation, as scraped articles come.
    :param limit: ask only this many questions of a file, evenly spread over it.
    :param progress: show a bar on stderr; by default if that is a terminal.
    :raises DatasetError: if a file cannot be read, or cannot be measured this way; before anything is asked.
    :raises ValueError: if the limit is less than 1.
    """
    if limit is not None and limit < 1:
        raise ValueError(f"limit is {limit}; give 1 or more questions")
    chosen = {"encoder": encoder, "reader": reader}
    loaded = [_checked(load_dataset(path), reader_only, absent, raw) for path in datasets]
    if raw:
        loaded = [raw_dataset(dataset) for dataset in loaded]
    results = []
    for dataset in loaded:
        if dataset.mismatched:
            log.warning("%s: %d gold spans do not fit; left out", dataset.name, dataset.mismatched)
        posed = _posed(dataset, reader_only, limit)
        with ExitStack() as opened:
            if dataset.articles:
                folder = opened.enter_context(tempfile.TemporaryDirectory(prefix="qa-evaluate-"))
                pipeline = opener(Path(folder) / "index", create=True, **chosen)
            else:
                pipeline = opener(DEFAULT_INDEX if index is None else index, **chosen)
            opened.enter_context(pipeline)
            reads = _read_all(pipeline, posed, dataset.name, progress)
            asked = [] if reader_only else _ask_all(pipeline, dataset, posed, absent, progress)
            entry = result(dataset.name, reads, asked, _models(pipeline))
            if asked:
                entry |= {"slices": slices(asked), "went_wrong": count_errors(asked), "errors": worst(asked)}
                entry["per_question"] = [one.to_json() for one in asked]
            results.append(entry)
    return results


def _checked(dataset: Dataset, reader_only: bool, absent: bool, raw: bool) -> Dataset:
    """The dataset, if it can be measured this way."""
    if not dataset.articles and (reader_only or absent or raw):
        flag = "--reader-only" if reader_only else "--absent" if absent else "--raw"
        raise DatasetError(
            f"{dataset.name}: its questions have no contexts, which {flag} needs; leave it out"
        )
    if absent and not reader_only and len(dataset.articles) < 2:
        raise DatasetError(f"{dataset.name}: --absent needs two articles or more; it has one")
    if dataset.articles and not reader_only and not any(q.answers for q in dataset.questions):
        raise DatasetError(f"{dataset.name}: no question has an answer; --reader-only scores impossible ones")
    return dataset


def _models(pipeline: Pipeline) -> dict[str, Any]:
    """What the figures belong to."""
    fitted = pipeline.calibration
    calibration = fitted and {
        "sha256": sha256(json.dumps(asdict(fitted), sort_keys=True)),
        "threshold": fitted.threshold,
    }
    return {
        "encoder": pipeline.encoder.identity,
        "reader": pipeline.reader.identity,
        "calibration": calibration,
    }


def _posed(dataset: Dataset, reader_only: bool, limit: int | None) -> Sequence[Question]:
    """The questions to pose, at most ``limit`` of them and then evenly spread: the first are of one article.

    Impossible questions of a file with contexts are for the reader alone: another article may answer them.
    """
    posed = [q for q in dataset.questions if reader_only or q.answers or not dataset.articles]
    count = min(limit or len(posed), len(posed))
    return [posed[n * len(posed) // count] for n in range(count)]


def _bar(items: Sequence[T], words: str, progress: bool | None) -> Iterable[T]:
    """The items, with a progress bar on stderr; None is tqdm's way to say: on a terminal."""
    bar: Iterable[T] = tqdm(items, desc=words, disable=None if progress is None else not progress)
    return bar


def _read_all(pipeline: Pipeline, posed: Sequence[Question], name: str, progress: bool | None) -> list[Read]:
    """Each question with a paragraph of its own, read on that."""
    reads = []
    for question in _bar([q for q in posed if q.context], f"{name}: reading", progress):
        try:
            span = pipeline.read_text(question.text, question.context or "")
        except QuestionError as error:
            log.warning("question %s was refused: %s", question.id, error)
            span = None
        margin = -math.inf if span is None else span.score - span.null
        reads.append(Read(question, span.text if span else None, margin))
    return reads


def _ask_all(
    pipeline: Pipeline, dataset: Dataset, posed: Sequence[Question], absent: bool, progress: bool | None
) -> list[Asked]:
    """Each question asked over all articles; or over every second one, by title, if ``absent``."""
    indexed = sorted(dataset.articles, key=lambda article: article.title)[:: 2 if absent else 1]
    if indexed:
        added = pipeline.add(_bar(indexed, f"{dataset.name}: indexing", progress))
        for name, why in added.failed:
            log.warning("%s: not indexed: %s: %s", dataset.name, name, why)
    here = {article.id for article in indexed}
    titles = {article.id: article.title for article in dataset.articles}
    asked = []
    for question in _bar(posed, f"{dataset.name}: asking", progress):
        placed = _placed(pipeline, question)
        if placed is None:
            continue
        question = placed
        findable = bool(question.answers) and (not indexed or question.article in here)
        asked.append(_ask(pipeline, question, findable, titles))
    return asked


def _placed(pipeline: Pipeline, question: Question) -> Question | None:
    """The question with its answer's place as the index has it now; None where the answer is no longer there."""
    if question.ref is None:
        return question
    try:
        found = pipeline.verify(question.ref)
    except RefError as error:
        log.warning("question %s: %s; its place is not known", question.id, error)
        return question
    if found.now is None:
        log.warning("question %s: %s is gone from the articles; left out", question.id, question.ref)
        return None
    answers = dict.fromkeys((*question.answers, found.now.text))  # an edited article words it differently
    spans = ((found.now.start, found.now.end),)
    return replace(question, answers=tuple(answers), article=found.now.article, spans=spans)


def _ask(pipeline: Pipeline, question: Question, findable: bool, titles: Mapping[str, str]) -> Asked:
    """Ask as a user does; and once more for the best guess where that is declined."""
    said = question.text, question.history, question.scope
    started = time.perf_counter()
    try:
        shipped = pipeline.ask(*said)
    except QuestionError as error:  # one question it refuses is a decline, and no reason to lose the others
        log.warning("question %s was refused: %s", question.id, error)
        return Asked(question, findable, None, None, None, 0 if findable and question.spans else None, None)
    ms = 1000 * (time.perf_counter() - started)
    forced = pipeline.ask(*said, min_confidence=0.0) if shipped.answer is None else shipped
    # Searched after it was asked, so that nothing of the search is cached when the answer is timed.
    rank = None
    hits: list[dict[str, Any]] = []
    if findable and question.spans:
        hits = pipeline.search(forced.read_as, SEARCHED, question.scope)
        rank = metrics.first_covering(hits, question.article, question.spans)
    best = forced.citations[0] if forced.citations else None
    asked = Asked(
        question, findable, forced.answer, forced.confidence, shipped.answer, rank, ms, forced.read_as,
        best.passage.text if best else None, titles.get(question.article or "") or (best.title if best else None),
    )  # fmt: skip
    return asked if what_went_wrong(asked) is None else _looked_into(pipeline, asked, hits)


def _looked_into(pipeline: Pipeline, asked: Asked, hits: list[dict[str, Any]]) -> Asked:
    """With what an error is explained by: what was retrieved, where the answer is among it, and how much was read."""
    question = asked.question
    hits = hits or pipeline.search(asked.read_as, SEARCHED, question.scope)
    said_at = asked.rank if asked.rank is not None else rank_of_answer(hits, asked.answers)
    read = 0
    if said_at and not asked.right(asked.forced):
        read = len(
            {(s.hit.passage.article, s.hit.passage.start) for s in pipeline.evidence(asked.read_as)[2]}
        )
    return replace(asked, hits=tuple(hits), said_at=said_at, read=read)
