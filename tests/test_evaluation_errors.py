from __future__ import annotations

import pytest

from qa.evaluation.datasets import Question
from qa.evaluation.errors import OF_EACH, WORST, count_errors, rank_of_answer, what_went_wrong, worst
from qa.evaluation.report import Asked


def asked(shipped, forced=None, answers=("right",), *, refused=(), id="1", **more):
    question = Question(id, "who", answers, refused=refused)
    known = {"confidence": 0.5, "rank": None, "ms": 1.0} | more
    return Asked(question, bool(answers), forced or shipped, shipped=shipped, **known)


@pytest.mark.parametrize(
    ("one", "what"),
    [
        (asked("right"), None),
        (asked(None, "right"), "wrongly declined"),
        (asked("false", said_at=0, read=3), "not retrieved"),
        (asked("false", said_at=4, read=3), "retrieved but not read"),
        (asked("false", said_at=3, read=3), "read wrong"),
        (asked(None, "false", said_at=3, read=3), "read wrong"),
        (asked("x", answers=()), "wrongly answered"),
        (asked(None, "x", answers=()), None),
        (asked("x", answers=(), refused=("x",)), "wrongly answered"),
        (asked("y", answers=(), refused=("x",)), None),
        (asked(None, "x", answers=(), refused=(None,)), "wrongly declined"),
        (asked("y", answers=(), refused=(None,)), None),
    ],
)
def test_where_a_question_got_lost(one, what):
    assert what_went_wrong(one) == what


def test_the_worst_are_the_surest_wrong_answers():
    hits = tuple(
        {"article": "a", "start": 0, "end": 1600, "score": 1.0, "ref": "r", "text": "x" * 1600}
        for _ in range(5)
    )
    rows = [
        asked(None, "right", id="declined"),
        asked("false", confidence=0.6, id="unsure"),
        asked("right", id="right"),
        asked("false", confidence=0.9, id="sure", hits=hits, said_at=2, read=3),
        asked("false", confidence=None, id="uncalibrated"),
    ]
    found = worst(rows)
    assert [row["id"] for row in found] == ["sure", "unsure", "uncalibrated", "declined"]
    first = found[0]
    assert (first["what"], first["best"], first["given"], first["said_at"]) == (
        "read wrong",
        "false",
        True,
        2,
    )
    assert [len(hit["text"]) for hit in first["passages"]] == [1500, 1500, 1500]
    assert count_errors(rows) == {"not retrieved": 2, "wrongly declined": 1, "read wrong": 1}


def test_the_rank_of_an_answer_whose_place_nobody_wrote_down():
    hits = [{"text": "the river"}, {"text": "An  Old\nMill"}]
    assert rank_of_answer(hits, ["an old mill", "x"]) == 2
    assert rank_of_answer(hits, ["tower"]) == 0
    assert rank_of_answer(hits, []) == 0


def test_of_a_rare_way_to_go_wrong_there_are_some_too():
    rows = [asked("false", confidence=0.9)] * 60 + [asked(None, "right", confidence=0.2)] * 20
    found = [row["what"] for row in worst(rows)]
    assert found == ["not retrieved"] * WORST + ["wrongly declined"] * OF_EACH
    assert (WORST, OF_EACH) == (50, 15)
    assert len(worst(rows[:30] + rows[60:])) == 50
