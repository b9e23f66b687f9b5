"""The page's feedback file -> questions with what people said about their answers.

One JSON object a line: ``question``, ``history``, ``articles`` as they were asked, ``read_as``, ``answer`` and the
``ref`` of its best place, and a ``verdict``: "right", "wrong", or "absent" (it is not in the articles). Of several
verdicts on one question the last counts. What they become:

- right: the answer is a gold one, and its place is known by the reference; without an answer, declining was right
- absent: a question with nothing to find
- wrong: that answer is refused. Nobody said what is right, so only giving it again is known to be wrong; without an
  answer, declining was wrong
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from qa.evaluation.files import an_object, filled, get
from qa.formats import sanitize
from qa.types import DatasetError, RefError, parse_ref

VERDICTS = ("right", "wrong", "absent")

log = logging.getLogger(__name__)
History = tuple[tuple[str, str | None], ...]


class Judged(NamedTuple):
    """One line: a question as it was asked, and the verdict on its answer."""

    question: str
    history: History
    scope: tuple[str, ...] | None  # the articles that were asked; None for all
    verdict: str
    answer: str | None
    ref: str | None


def is_feedback(row: object) -> bool:
    """Whether a line is of a feedback file."""
    return isinstance(row, dict) and "verdict" in row


def read_feedback(rows: Iterable[tuple[str, object]]) -> list[Judged]:
    """The last verdict on each question, in the order of these.

    :param rows: the place of each line, for messages, and what it holds.
    :raises DatasetError: if a line is not of this form.
    """
    last: dict[tuple[str, tuple[str, ...] | None], Judged] = {}
    for where, value in rows:
        row = an_object(value, where)
        judged = _judged(row, where)
        read_as = row.get("read_as")
        asked = read_as if isinstance(read_as, str) and read_as.strip() else judged.question
        key = (" ".join(asked.casefold().split()).rstrip(" ?"), judged.scope)
        last.pop(key, None)
        last[key] = judged
    return list(last.values())


def _judged(row: Mapping[str, Any], where: str) -> Judged:
    verdict = get(row, "verdict", str, where)
    if verdict not in VERDICTS:
        raise DatasetError(f'{where}: "verdict" is one of {", ".join(VERDICTS)}, not {verdict[:20]!r}')
    answer = None if row.get("answer") is None else filled(row, "answer", where)
    ref = None if row.get("ref") is None else get(row, "ref", str, where)
    if ref is not None:
        try:
            parse_ref(ref)
        except RefError as error:
            raise DatasetError(f"{where}: {error}") from None
    return Judged(
        filled(row, "question", where), read_history(row, where), _scope(row, where), verdict, answer, ref
    )


def read_history(row: Mapping[str, Any], where: str) -> History:
    """Earlier turns of a line, as ``ask`` takes them; none if it has none.

    :raises DatasetError: if they are not [question, answer] pairs.
    """
    turns = [] if row.get("history") is None else get(row, "history", list, where)
    history: list[tuple[str, str | None]] = []
    for turn in turns:
        fits = isinstance(turn, list) and len(turn) == 2 and isinstance(turn[0], str)
        if not fits or not isinstance(turn[1], str | None):
            raise DatasetError(f'{where}: "history" is not a list of [question, answer] pairs')
        history.append((sanitize(turn[0]), None if turn[1] is None else sanitize(turn[1])))
    return tuple(history)


def _scope(row: Mapping[str, Any], where: str) -> tuple[str, ...] | None:
    if row.get("articles") is None:
        return None
    articles = get(row, "articles", list, where)
    if not all(isinstance(name, str) for name in articles):
        raise DatasetError(f'{where}: "articles" is not a list of texts')
    return tuple(map(sanitize, articles))
