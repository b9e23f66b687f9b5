"""Questions that a passage nearly answers."""

from __future__ import annotations

import random

import pytest

from qa.training.swaps import swap, without_answer

TEXT = (
    "In 1995 the largest dam was opened by King Harald in March. In 2004 Queen Sonja closed 12 of its 30 gates. "
    "The Norwegian Museum in Oslo shows both."
)


def made(question, answer, text=TEXT):
    span = (text.index(answer), text.index(answer) + len(answer))
    return {swap(question, text, [span], random.Random(seed)) for seed in range(60)}


@pytest.mark.parametrize(
    ("question", "answer", "expected"),
    [
        ("What happened in 1995?", "opened", {"What happened in 2004?"}),
        ("How many of 30 stayed?", "1995", {"How many of 12 stayed?", "How many of 2004 stayed?", None}),
        ("How many of 30 stayed?", "12", {"How many of 1995 stayed?", "How many of 2004 stayed?", None}),
        (
            "Which is the most northern?",
            "dam",
            {"Which is the least northern?", "Which is the most southern?"},
        ),
        ("What does it show?", "both", {None}),
        ("When was it?", "1995", {None}),
    ],
)
def test_one_thing_is_swapped(question, answer, expected):
    assert made(question, answer) == expected


def test_a_month_is_swapped_for_one_of_the_passage_or_else_for_any():
    results = made("What was it in March?", "dam")
    assert len(results) == 11
    assert "What was it in March?" not in results
    assert made("What was it in March?", "dam", TEXT + " It shut in June.") == {"What was it in June?"}


def test_a_name_is_swapped_for_another_of_the_passage_but_not_for_the_answer():
    results = made("What did King Harald do?", "opened")
    assert results == {"What did Queen Sonja do?", "What did Norwegian Museum do?", "What did Oslo do?"}
    assert "What did Oslo do?" not in made("What did King Harald do?", "Oslo")


def test_the_answering_sentence_is_taken_out():
    span = (TEXT.index("12 of"), TEXT.index("12 of") + 2)
    rest = without_answer(TEXT, [span])
    assert rest == (
        "In 1995 the largest dam was opened by King Harald in March. The Norwegian Museum in Oslo shows both."
    )
    # "in" stands elsewhere too; and of one sentence nothing is left.
    assert without_answer(TEXT, [(0, 2)]) is None
    assert without_answer("Kim left in May.", [(12, 15)]) is None
    assert without_answer("Kim left in May", [(12, 15), (12, 15)]) is None
