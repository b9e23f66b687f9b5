"""Evaluation files -> questions with their right answers, and the articles they were asked about.

Four forms are told apart by what is in the file, plain or gzipped:

- SQuAD JSON 1.1 or 2.0 (``is_impossible``), which brings its own articles: one per title, the paragraphs
  joined by blank lines. Gold spans become offsets in that article, so that they survive any way of cutting.
- JSON Lines ``{"question", "answers": [str, ...]}``, asked of an index; ``[]`` says: not in the articles.
  A ``history`` of [question, answer] pairs may go with it, as ``ask`` takes it.
- The page's feedback file (``feedback.py``), which also asks an index.
- JSON Lines that also have a ``context``, perhaps a ``title``, ``answers`` of ``{"text", "answer_start"}``:
  as SQuAD, and ``[]`` is ``is_impossible``.

SQuAD: Rajpurkar et al. 2016, https://arxiv.org/abs/1606.05250, and 2018, https://arxiv.org/abs/1806.03822.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from qa.articles import article_id
from qa.evaluation.feedback import History, is_feedback, read_feedback, read_history
from qa.evaluation.files import FORMS, an_object, filled, get, parse, read_text
from qa.formats import sanitize
from qa.types import Article, DatasetError, Range

BETWEEN_PARAGRAPHS = "\n\n"
UNTITLED = "Untitled "  # and a number: the title of an article whose file gives none

log = logging.getLogger(__name__)
Gold = tuple[str, int | None]  # a right answer, and where it starts in its context if that is said


@dataclass(frozen=True, slots=True)
class Question:
    """A question, its right answers (none: nothing to find), and where they stand.

    ``spans`` are offsets in the text of ``article``; only those whose text was checked are there.
    ``history`` and ``scope`` are asked along.
    """

    id: str
    text: str
    answers: tuple[str, ...]
    article: str | None = None
    context: str | None = None
    spans: tuple[Range, ...] = ()
    history: History = ()
    scope: tuple[str, ...] | None = None  # ask only these articles
    ref: str | None = None  # a place that says the answer, in the index that is asked
    refused: tuple[
        str | None, ...
    ] = ()  # answers that are wrong, where nobody said what is right; None: declining

    @property
    def judged_wrong(self) -> bool:
        """Whether it is only known what is wrong."""
        return bool(self.refused)


@dataclass(frozen=True, slots=True)
class Dataset:
    """The questions of one file, with the articles it brings; none means that an index is asked."""

    name: str
    questions: tuple[Question, ...]
    articles: tuple[Article, ...] = ()
    mismatched: int = 0  # gold spans left out, since the context says something else at that place


@dataclass(slots=True)
class _Collector:
    """Questions and paragraphs as they are read, until the articles are whole."""

    name: str
    questions: list[Question] = field(default_factory=list)
    titles: dict[str, str] = field(default_factory=dict)  # article -> title
    paragraphs: dict[str, dict[str, int]] = field(default_factory=dict)  # article -> context -> its offset
    lengths: dict[str, int] = field(default_factory=dict)
    mismatched: int = 0

    def place(self, title: str, context: str) -> tuple[str, int]:
        """The context's article, which grows by it unless it is there already, and its offset there."""
        article = article_id(title)
        self.titles.setdefault(article, title)
        known = self.paragraphs.setdefault(article, {})
        if context not in known:
            known[context] = self.lengths[article] + len(BETWEEN_PARAGRAPHS) if known else 0
            self.lengths[article] = known[context] + len(context)
        return article, known[context]

    def add(self, row_id: str, text: str, golds: list[Gold], title: str, context: str) -> None:
        """One question on a context."""
        article, offset = self.place(title, context)
        spans: dict[Range, None] = {}  # annotators agree often: each place once, in order
        for answer, start in golds:
            if start is None:
                continue
            if start >= 0 and context[start : start + len(answer)] == answer:
                spans[offset + start, offset + start + len(answer)] = None
            else:
                self.mismatched += 1
        answers = tuple(answer for answer, _ in golds)
        self.questions.append(Question(row_id, text, answers, article, context, tuple(spans)))

    def dataset(self) -> Dataset:
        """What was collected; the articles in the order in which they first came."""
        articles = tuple(
            Article(article, BETWEEN_PARAGRAPHS.join(self.paragraphs[article]), title=title, source=title)
            for article, title in self.titles.items()
        )
        return Dataset(self.name, tuple(self.questions), articles, self.mismatched)


def load_dataset(path: str | Path) -> Dataset:
    """Read an evaluation file in any of the three forms.

    :raises DatasetError: if it is not of these forms; one line that names the file and the place in it.
    """
    path = Path(path)
    text = read_text(path)
    # Not splitlines: a text may hold U+2028 and the like, which end no line of JSON.
    lines = [(number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    if not lines:
        raise DatasetError(f"{path} is empty; {FORMS}")
    number, first = lines[0]
    try:
        row = parse(first, path, number)
    except DatasetError:
        if len(lines) == 1 or ".jsonl" in path.suffixes:
            raise
        row = parse(text, path)  # one document over many lines; or broken, and then this error has the line
        lines = []
    collector = _Collector(path.name)
    if isinstance(row, dict) and "data" in row and len(lines) <= 1:
        _read_squad(row, collector, str(path))
    elif is_feedback(row):
        collector.questions += _feedback(lines, path)
    elif lines:
        _read_lines(((n, parse(line, path, n)) for n, line in lines), collector, path)
    else:
        raise DatasetError(f'{path} has no "data" list of articles; {FORMS}')
    if not collector.questions:
        raise DatasetError(f"{path} holds no question; {FORMS}")
    return collector.dataset()


def _id(row: Mapping[str, Any], otherwise: str) -> str:
    return sanitize(str(row["id"]))[:80] if isinstance(row.get("id"), str | int) else otherwise


def _golds(row: Mapping[str, Any], where: str) -> list[Gold]:
    """The right answers, texts or SQuAD's objects; none if the question is marked impossible."""
    if "is_impossible" in row and get(row, "is_impossible", bool, where):
        return []
    golds: list[Gold] = []
    for number, value in enumerate(get(row, "answers", list, where), 1):
        at = f"{where}, answer {number}"
        answer = {"text": value} if isinstance(value, str) else an_object(value, at)
        start = get(answer, "answer_start", int, at) if "answer_start" in answer else None
        golds.append((filled(answer, "text", at), start))
    return golds


def _title(row: Mapping[str, Any], where: str) -> str:
    """The title, or "" where there is none."""
    return "" if row.get("title") is None else get(row, "title", str, where).strip()


def _read_squad(document: Mapping[str, Any], collector: _Collector, file: str) -> None:
    for a, value in enumerate(get(document, "data", list, file)):
        where = f"{file}, data[{a}]"
        entry = an_object(value, where)
        title = _title(entry, where) or f"{UNTITLED}{a + 1}"
        for p, block in enumerate(get(entry, "paragraphs", list, where)):
            at = f"{where}.paragraphs[{p}]"
            paragraph = an_object(block, at)
            context = filled(paragraph, "context", at)
            collector.place(title, context)  # searched all the same if nothing is asked about it
            for q, asked in enumerate(get(paragraph, "qas", list, at)):
                spot = f"{at}.qas[{q}]"
                row = an_object(asked, spot)
                question = filled(row, "question", spot)
                collector.add(_id(row, f"{a}-{p}-{q}"), question, _golds(row, spot), title, context)


def _read_lines(rows: Iterable[tuple[int, object]], collector: _Collector, path: Path) -> None:
    with_context: bool | None = None
    titles: dict[str, str] = {}  # of contexts that have none: each is an article of its own
    for number, value in rows:
        where = f"{path}, line {number}"
        row = an_object(value, where)
        text, golds = filled(row, "question", where), _golds(row, where)
        if with_context is None:
            with_context = "context" in row
        elif with_context != ("context" in row):
            raise DatasetError(f'{where}: all lines need a "context", or none may; split the file in two')
        row_id = _id(row, f"line {number}")
        if with_context:
            context = filled(row, "context", where)
            title = _title(row, where) or titles.setdefault(context, f"{UNTITLED}{len(titles) + 1}")
            collector.add(row_id, text, golds, title, context)
        else:
            answers = tuple(answer for answer, _ in golds)
            collector.questions.append(Question(row_id, text, answers, history=read_history(row, where)))


def _feedback(lines: Sequence[tuple[int, str]], path: Path) -> Iterator[Question]:
    """The questions that people judged, by the last verdict on each."""
    rows: list[tuple[str, object]] = []
    for number, line in lines:
        try:
            rows.append((f"{path}, line {number}", parse(line, path, number)))
        except DatasetError as error:  # cut off as it was written; those after it are whole
            log.warning("%s; left out", error)
    for number, judged in enumerate(read_feedback(rows), 1):
        right = judged.verdict == "right" and judged.answer is not None
        yield Question(
            f"judged {number}",
            judged.question,
            (judged.answer or "",) if right else (),
            history=judged.history,
            scope=judged.scope,
            ref=judged.ref if right else None,
            refused=(judged.answer,) if judged.verdict == "wrong" else (),
        )
