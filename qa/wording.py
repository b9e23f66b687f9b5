"""What the command line tells a person about an answer, in words."""

from __future__ import annotations

from qa.quoting import QuoteState
from qa.types import Reason, State

DECLINED = "The articles don't say."
REASONS: dict[Reason, str] = {
    "empty_index": "There are no articles yet; add some: python -m qa index FOLDER",
    "nothing_retrieved": "Nothing in them seems to be about this.",
    "no_span": "Something is near, but holds no answer.",
    "low_confidence": "Something is near, but it is too unsure to be given as an answer.",
}
STATES: dict[State, str] = {
    "unchanged": "the article says these words at this place",
    "moved": "the article says these words at another place",
    "edited": "the article now words it differently",
    "gone": "the article, or these words in it, are no longer there",
}
QUOTE_STATES: dict[QuoteState, str] = {
    "exact": "these very words stand here",
    "near": "something near stands here",
    "absent": "no article says this, or anything near it",
}
_LEVELS = ((0.9, "very likely"), (0.7, "likely"), (0.4, "possible"), (0.0, "unsure"))


def confidence(probability: float | None) -> str:
    """A probability in a word and percent: "very likely · 91 %".

    >>> confidence(0.912), confidence(None)
    ('very likely · 91 %', 'confidence unknown')
    """
    if probability is None:
        return "confidence unknown"
    word = next(word for floor, word in _LEVELS if probability >= floor)
    # Never 100 % for what is not certain.
    return f"{word} · {min(round(100 * probability), 99 if probability < 1 else 100)} %"


def articles(count: int) -> str:
    """Such as "1 article"."""
    return f"{count} {'article' if count == 1 else 'articles'}"


def old_versions(count: int) -> str:
    """Such as "2 old texts"."""
    return f"{count} old {'text' if count == 1 else 'texts'}"


def passages(count: int) -> str:
    """Such as "2 passages"."""
    return f"{count} {'passage' if count == 1 else 'passages'}"
