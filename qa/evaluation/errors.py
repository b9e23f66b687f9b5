"""What went wrong, question by question: the worst first, each with where on its way it got lost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from qa.evaluation.report import Asked

WORST = 50
OF_EACH = 15  # of the other ways to go wrong, so that a rare one can be looked at too
PASSAGES = 3  # retrieved passages shown with each
_SHOWN = 1500  # characters of each: all of most passages, so that the answer can be seen in them
What = Literal[
    "not retrieved", "retrieved but not read", "read wrong", "wrongly declined", "wrongly answered"
]


def what_went_wrong(asked: Asked) -> What | None:
    """Where a question got lost; None if it did not.

    - not retrieved: no passage that says the answer is among the first ``SEARCHED``
    - retrieved but not read: one is, but the reader stopped before it
    - read wrong: it was read, and something else was taken
    - wrongly declined: the best answer was right, and not given
    - wrongly answered: there is nothing to find, and something was given; or what people called wrong was given again
    """
    if asked.question.judged_wrong:
        return (
            None
            if not asked.wrong_again
            else "wrongly declined"
            if asked.shipped is None
            else "wrongly answered"
        )
    if not asked.findable:
        return "wrongly answered" if asked.shipped is not None else None
    if asked.right(asked.shipped):
        return None
    if asked.right(asked.forced):
        return "wrongly declined"
    if not asked.said_at:
        return "not retrieved"
    return "read wrong" if asked.said_at <= asked.read else "retrieved but not read"


def worst(asked: Iterable[Asked], most: int = WORST) -> list[dict[str, Any]]:
    """The worst questions as JSON: wrong answers that were given, the surest first; then what was declined.

    After these, of each way to go wrong that has fewer than ``OF_EACH`` among them, as many as make up that number.
    """
    wrong = [(one, what) for one in asked if (what := what_went_wrong(one)) is not None]
    wrong.sort(key=lambda pair: (pair[0].shipped is None, -(pair[0].confidence or 0.0), pair[0].question.id))
    shown = wrong[:most]
    seen = Counter(what for _, what in shown)
    for one, what in wrong[most:]:
        if seen[what] < OF_EACH:
            seen[what] += 1
            shown.append((one, what))
    return [_row(one, what) for one, what in shown]


def count_errors(asked: Iterable[Asked]) -> dict[str, int]:
    """How many questions went wrong in which way."""
    return dict(Counter(what for one in asked if (what := what_went_wrong(one)) is not None).most_common())


def _row(asked: Asked, what: What) -> dict[str, Any]:
    return {
        "id": asked.question.id,
        "question": asked.question.text,
        "read_as": asked.read_as,
        "what": what,
        "answers": list(asked.answers),
        "refused": list(asked.question.refused),
        "best": asked.forced,
        "given": asked.shipped is not None,
        "confidence": asked.confidence,
        "said_at": asked.said_at,
        "read": asked.read,
        "passages": [_passage(hit) for hit in asked.hits[:PASSAGES]],
    }


def _passage(hit: Mapping[str, Any]) -> dict[str, Any]:
    shown = {key: hit.get(key) for key in ("article", "start", "end", "score", "ref")}
    return {**shown, "text": str(hit.get("text", ""))[:_SHOWN]}


def rank_of_answer(hits: Sequence[Mapping[str, Any]], answers: Iterable[str]) -> int:
    """Rank, from 1, of the first passage in which a right answer's words stand; 0 if none has them."""
    wanted = [" ".join(answer.casefold().split()) for answer in answers]
    for rank, hit in enumerate(hits, 1):
        text = " ".join(str(hit["text"]).casefold().split())
        if any(answer in text for answer in wanted):
            return rank
    return 0
