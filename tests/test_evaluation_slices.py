from __future__ import annotations

import pytest

from qa.evaluation.datasets import Question
from qa.evaluation.report import Asked
from qa.evaluation.slices import (
    SOURCES,
    answer_kind,
    format_slices,
    passage_length,
    question_word,
    slices,
    text_kind,
)


def asked(text="who", answers=("a",), shipped="a", *, context=None, findable=True, **more):
    question = Question("1", text, answers, context=context, refused=more.pop("refused", ()))
    more = {"forced": shipped, "confidence": 0.9, "rank": 1, "ms": 1.0} | more
    return Asked(question, findable, shipped=shipped, **more)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("Who is it?", "who"), ("whose is it", "who"), ("in which year", "which"), ("how many are there", "how many"),
        ("how much", "how much"), ("How old is he", "how"), ("name the president", "other"),
        ("trump visited what", "what"),
        ("", "other"),
    ],
)  # fmt: skip
def test_question_words(text, word):
    assert question_word(asked(text)) == word


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ("in november", "date"), ("1973", "date"), ("$347 billion", "number"), ("four", "number"),
        ("30 000", "number"),
        ("niu jun", "short"), ("to stop dealing with north korea", "long"),
        ("a month after the talks of 1973 had failed in may", "long"),
    ],
)  # fmt: skip
def test_kinds_of_answers(answer, kind):
    assert answer_kind(asked(answers=(answer,))) == kind


def test_nothing_to_find_is_a_kind():
    assert answer_kind(asked(answers=())) == "none"
    assert answer_kind(asked(findable=False)) == "none"


def test_lengths_and_kinds_of_texts():
    lengths = [passage_length(asked(context="word " * n)) for n in (99, 100, 199, 200)]
    assert lengths == ["under 100", "100 to 199", "100 to 199", "200 and more"]
    assert passage_length(asked()) is None
    assert text_kind(asked(context="all of it is raw 12")) == "raw"
    assert text_kind(asked(context="Not all of it")) == "clean"
    assert text_kind(asked(passage="not, this")) == "clean"
    assert text_kind(asked(passage="but this")) == "raw"
    assert text_kind(asked()) is None


def test_figures_of_each_slice_by_hand():
    rows = [
        asked("who", source="A"),
        asked("who", shipped="b", source="A"),
        asked("who", shipped=None, forced="a", source="B"),
        asked("when", ("in 1973",), "1973"),
        asked("when", (), "x", findable=False),
        asked("why", (), "x", refused=("x",)),  # nobody said what is right: in no slice
    ]
    found = slices(rows)
    assert list(found) == ["question", "answer", "passage", "text", "source"]
    assert {value: figures["questions"] for value, figures in found["question"].items()} == {
        "who": 3,
        "when": 2,
    }
    who = found["question"]["who"]
    assert {key: who[key] for key in ("f1", "answered", "wrong_answered", "wrongly_declined")} == {
        "f1": pytest.approx(66.6667), "answered": 0.6667, "wrong_answered": 0.3333, "wrongly_declined": 0.3333,
    }  # fmt: skip
    assert who["ci"]["answered"] == [0.0, 1.0]
    assert found["question"]["when"]["f1"] == pytest.approx(66.6667)  # "in 1973" and "1973"
    assert found["answer"]["none"]["f1"] is None
    assert found["answer"]["none"]["wrong_answered"] == 1.0
    assert list(found["source"]) == ["A", "B"]
    assert found["passage"] == {}
    table = format_slices({"slices": found})
    assert "question: who" in table
    assert "66.7 [0.0, 100.0]" in table


def test_only_the_most_frequent_sources_are_kept():
    rows = [asked(source=f"{n:02}") for n in range(SOURCES + 5)] + [asked(source="often")] * 2
    assert list(slices(rows)["source"]) == ["often", *(f"{n:02}" for n in range(SOURCES - 1))]
