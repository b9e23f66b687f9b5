"""What ``ask`` and ``search`` take, checked: a question that can be read, articles that are there."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fnmatch import fnmatchcase

from qa.conversation import CHARACTERS, TURNS
from qa.retriever import POOL
from qa.snapshot import Snapshot
from qa.types import ArticleInfo, QuestionError

TOP_K = POOL  # answers or passages returned at most
QUESTION_CHARACTERS = 2000  # a question is read this far; 96 tokens of it reach the reader


def check_question(question: str, top_k: int, min_confidence: float | None) -> tuple[str, tuple[str, ...]]:
    """The question without what nothing can search for, and what to tell about that.

    :raises QuestionError: if it cannot be read, or an argument is out of range.
    """
    if not isinstance(question, str):
        raise QuestionError("the question must be a text")
    asked = _sanitised(question)
    if not asked:
        raise QuestionError("the question is empty; ask something")
    if isinstance(top_k, bool) or not isinstance(top_k, int) or not 1 <= top_k <= TOP_K:
        raise QuestionError(f"top_k must be a whole number from 1 to {TOP_K}, not {_shown(top_k)}")
    if min_confidence is not None and not (
        isinstance(min_confidence, int | float)
        and not isinstance(min_confidence, bool)
        and 0 <= min_confidence <= 1
    ):
        raise QuestionError(f"min_confidence must be from 0 to 1, not {_shown(min_confidence)}")
    warnings: list[str] = []
    if len(asked) > QUESTION_CHARACTERS:
        asked = asked[:QUESTION_CHARACTERS]
        warnings.append(
            f"the question is very long: only its first {QUESTION_CHARACTERS} characters were looked at"
        )
    return asked, tuple(warnings)


def check_history(history: Sequence[Sequence[str | None]]) -> list[tuple[str, str]]:
    """The last turns of a conversation, as much of them as is looked at; a declined answer is "".

    :raises QuestionError: if it is not a list of [question, answer] pairs of texts.
    """
    wrong = "history must be a list of [question, answer] pairs"
    if not isinstance(history, list | tuple):
        raise QuestionError(wrong)
    turns: list[tuple[str, str]] = []
    for number, turn in enumerate(history, 1):
        if not isinstance(turn, list | tuple) or len(turn) != 2:
            raise QuestionError(f"{wrong}; number {number} is none")
        asked, answer = turn
        if not isinstance(asked, str) or not (answer is None or isinstance(answer, str)):
            raise QuestionError(f"{wrong}, of texts; number {number} holds something else")
        if len(history) - number < TURNS and asked.strip():
            turns.append((_sanitised(asked[:CHARACTERS]), _sanitised((answer or "")[:CHARACTERS])))
    return turns


def _sanitised(text: str) -> str:
    """Without what neither SQLite nor tantivy nor a tokenizer takes: one sanitiser for whatever searches."""
    return re.sub("[\0\ud800-\udfff]", " ", text).strip()


def resolve_articles(snapshot: Snapshot, wanted: Sequence[str] | None) -> list[str] | None:
    """Ids of the articles that ids or globs of sources name.

    :raises QuestionError: if one of them names none: an answer from fewer articles than meant would mislead.
    """
    if wanted is None:
        return None
    if not isinstance(wanted, list | tuple) or not all(isinstance(name, str) for name in wanted):
        raise QuestionError("articles must be a list of article ids or source patterns")
    found: list[str] = []
    infos: list[ArticleInfo] | None = None  # all of them, only where a source is to be looked for
    for name in wanted:
        if snapshot.has(name):
            found.append(name)
            continue
        if infos is None:
            infos = snapshot.articles
        matching = [i.article for i in infos if fnmatchcase(i.source, name)]
        if not matching:
            raise QuestionError(f"no article matches {name[:80]!r}; see the list of articles")
        found += matching
    return sorted(set(found))


def _shown(value: object) -> str:
    """Whatever a program sent, on one short line."""
    return ascii(value)[:60]
