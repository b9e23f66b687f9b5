import doctest
from typing import get_args

import pytest

from qa import wording
from qa.types import Reason, State


def test_examples():
    assert doctest.testmod(wording) == doctest.TestResults(failed=0, attempted=1)


@pytest.mark.parametrize(
    ("probability", "words"),
    [
        (None, "confidence unknown"),
        (0.0, "unsure · 0 %"),
        (0.39, "unsure · 39 %"),
        (0.4, "possible · 40 %"),
        (0.69, "possible · 69 %"),
        (0.7, "likely · 70 %"),
        (0.89, "likely · 89 %"),
        (0.9, "very likely · 90 %"),
        (0.9996, "very likely · 99 %"),
        (1.0, "very likely · 100 %"),
    ],
)
def test_confidence(probability, words):
    assert wording.confidence(probability) == words


def test_every_reason_and_state_has_words():
    assert list(wording.REASONS) == list(get_args(Reason))
    assert list(wording.STATES) == list(get_args(State))
    words = [*wording.REASONS.values(), *wording.STATES.values(), wording.DECLINED]
    assert all(words)
    assert len(set(words)) == len(words)
    assert not any("\n" in line for line in words)


@pytest.mark.parametrize(
    ("count", "articles", "passages"),
    [
        (0, "0 articles", "0 passages"),
        (1, "1 article", "1 passage"),
        (2, "2 articles", "2 passages"),
    ],
)
def test_counts(count, articles, passages):
    assert wording.articles(count) == articles
    assert wording.passages(count) == passages
