"""What ``ask`` and ``search`` take, checked: a question that can be read, articles that are there."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fnmatch import fnmatchcase

from qa.retriever import POOL
from qa.snapshot import Snapshot
from qa.types import QuestionError

TOP_K = POOL  # answers or passages returned at most
QUESTION_CHARACTERS = 2000  # a question is read this far; 96 tokens of it reach the reader


def check_question(
    question: str, history: Sequence[Sequence[str]], top_k: int, min_confidence: float | None
) -> tuple[str, tuple[str, ...]]:
    """The question as it will be read, and what to tell about that.

    :raises QuestionError: if it cannot be read, or an argument is out of range.
    """
    if not isinstance(question, str):
        raise QuestionError("the question must be a text")
    # One sanitiser for whatever searches: neither SQLite nor tantivy nor a tokenizer takes these.
    asked = re.sub("[\0\ud800-\udfff]", " ", question).strip()
    if not asked:
        raise QuestionError("the question is empty; ask something")
    if isinstance(top_k, bool) or not isinstance(top_k, int) or not 1 <= top_k <= TOP_K:
        raise QuestionError(f"top_k must be a whole number from 1 to {TOP_K}, not {top_k!r}")
    if min_confidence is not None and not (
        isinstance(min_confidence, int | float)
        and not isinstance(min_confidence, bool)
        and 0 <= min_confidence <= 1
    ):
        raise QuestionError(f"min_confidence must be from 0 to 1, not {min_confidence!r}")
    if not isinstance(history, list | tuple) or not all(
        isinstance(turn, list | tuple) and len(turn) == 2 for turn in history
    ):
        raise QuestionError("history must be a list of [question, answer] pairs")
    warnings: list[str] = []
    if len(asked) > QUESTION_CHARACTERS:
        asked = asked[:QUESTION_CHARACTERS]
        warnings.append(
            f"the question is very long: only its first {QUESTION_CHARACTERS} characters were looked at"
        )
    if history:
        warnings.append(
            "the question was read by itself: earlier questions and answers were not taken into account"
        )
    return asked, tuple(warnings)


def resolve_articles(snapshot: Snapshot, wanted: Sequence[str] | None) -> list[str] | None:
    """Ids of the articles that ids or globs of sources name.

    :raises QuestionError: if one of them names none: an answer from fewer articles than meant would mislead.
    """
    if wanted is None:
        return None
    if not isinstance(wanted, list | tuple) or not all(isinstance(name, str) for name in wanted):
        raise QuestionError("articles must be a list of article ids or source patterns")
    found: list[str] = []
    for name in wanted:
        matching = [i.article for i in snapshot.articles if i.article == name or fnmatchcase(i.source, name)]
        if not matching:
            raise QuestionError(f"no article matches {name[:80]!r}; see the list of articles")
        found += matching
    return sorted(set(found))
