from __future__ import annotations

import pytest

from qa.scope import Scope
from qa.types import ArticleInfo, QuestionError


def info(name: str, date: str | None = None) -> ArticleInfo:
    return ArticleInfo(name, name, f"{name}.txt", date, "0" * 64, 10, 1, "2024-01-01T00:00:00+00:00")


KNOWN = [info("a", "2024-01-31"), info("b", "2024-02-01"), info("c", "2024-03-05"), info("d")]


@pytest.mark.parametrize(
    ("scope", "found"),
    [
        (Scope(), None),
        (Scope(("b", "d")), ["b", "d"]),
        (Scope(since="2024-02-01"), ["b", "c"]),
        (Scope(until="2024-02-01"), ["a", "b"]),
        (Scope(since="2024-01-31", until="2024-02-01"), ["a", "b"]),
        (Scope(("a", "b", "d"), since="2024-02-01"), ["b"]),
        (Scope(("a", "removed since")), ["a"]),
    ],
)
def test_articles_within(scope: Scope, found: list[str] | None) -> None:
    assert scope.resolve(KNOWN) == found
    assert bool(scope) == (found is not None)


@pytest.mark.parametrize(
    ("scope", "why"),
    [
        (Scope(("gone",)), "none of the chosen articles is in the index any more; choose others"),
        (Scope(since="2025-01-01"),
         "none of the articles is dated from 2025-01-01; 1 of them have no date; choose other dates"),
        (Scope(("a",), until="2023-01-01"), "none of the chosen articles is dated to 2023-01-01; choose other dates"),
    ],
)  # fmt: skip
def test_nothing_left_to_ask_is_one_line(scope: Scope, why: str) -> None:
    with pytest.raises(QuestionError) as caught:
        scope.resolve(KNOWN)
    assert str(caught.value) == why


@pytest.mark.parametrize(
    "days",
    [
        {"since": "yesterday"},
        {"until": "2024-13-01"},
        {"since": "2024-2-1"},
        {"since": "2024-02-02", "until": "2024-02-01"},
    ],
)
def test_days_that_are_none(days: dict[str, str]) -> None:
    with pytest.raises(QuestionError, match=r"date|first day"):
        Scope(**days)
