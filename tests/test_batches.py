from __future__ import annotations

import threading
from queue import Queue

import pytest

from qa.batches import ask_many, side_by_side
from qa.types import QuestionError


def test_results_come_in_the_order_of_the_items():
    first_may_go = threading.Event()

    def call(n):
        if n == 0:
            assert first_may_go.wait(20)
        elif n == 3:
            first_may_go.set()
        return n * n

    assert list(side_by_side(call, range(50), workers=4)) == [n * n for n in range(50)]


def test_as_many_at_a_time_as_there_are_workers():
    together = threading.Barrier(3, timeout=20)
    assert len(list(side_by_side(lambda n: together.wait(), range(3), workers=3))) == 3


def test_who_waits_for_an_answer_before_asking_on_gets_it():
    questions: Queue[int | None] = Queue()
    answers = side_by_side(lambda n: -n, iter(questions.get, None), workers=2)
    for n in range(5):
        questions.put(n)
        assert next(answers) == -n
    questions.put(None)
    assert list(answers) == []


def test_no_more_is_taken_than_is_soon_needed():
    taken = []
    answers = side_by_side(lambda n: n, (taken.append(n) or n for n in range(1000)), workers=2)
    assert next(answers) == 0
    answers.close()
    assert len(taken) < 50


def test_what_a_call_or_the_items_raise_comes_in_its_place():
    def items():
        yield 1
        yield 0
        yield 2

    answers = side_by_side(lambda n: 1 / n, items(), workers=2)
    assert next(answers) == 1
    with pytest.raises(ZeroDivisionError):
        next(answers)

    def broken():
        yield 1
        raise OSError("the pipe is gone")

    answers = side_by_side(lambda n: n, broken())
    assert next(answers) == 1
    with pytest.raises(OSError, match="the pipe is gone"):
        next(answers)


def test_a_question_that_cannot_be_asked_is_answered_by_its_error():
    def ask(question, top_k=5):
        if not question:
            raise QuestionError("empty")
        return f"{question} {top_k}"

    first, second, third = ask_many(ask, ["a", "", {"question": "b", "top_k": 2}])
    assert (first, third) == ("a 5", "b 2")
    assert isinstance(second, QuestionError)


def test_the_same_answers_as_one_by_one(pipeline):
    questions = [
        "where does niu jun work",
        "who is nikki haley",
        "who won the football world cup",
        "",
        "who is heather nauert",
    ]
    alone = [pipeline.ask(q) if q else None for q in questions]
    for one, other in zip(alone, pipeline.ask_many(questions), strict=True):
        if one is None:
            assert str(other) == "the question is empty; ask something"
            continue
        assert (one.answer, one.reason) == (other.answer, other.reason)
        assert [c.ref for c in one.citations] == [c.ref for c in other.citations]
        assert one.confidence == pytest.approx(other.confidence, abs=0.01)
