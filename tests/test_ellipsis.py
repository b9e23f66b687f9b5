from __future__ import annotations

import pytest

from qa.ellipsis import complete

HOST = "where did trump host xi"


@pytest.mark.parametrize(
    ("question", "before", "answer", "whole"),
    [
        ("when", HOST, "mar a lago", "when did trump host xi"),
        ("and when exactly?", HOST, "mar a lago", "when exactly did trump host xi?"),
        ("when was that", HOST, "mar a lago", "when did trump host xi"),
        ("when did that happen?", HOST, "mar a lago", "when did trump host xi?"),
        ("why?", "did trump host xi", "", "why did trump host xi?"),
        ("why", "what did trump eat", "chocolate cake", "why did trump eat chocolate cake"),
        ("why", "who visited china", "wilbur ross", "why wilbur ross visited china"),
        ("why", "who should carry the burden", "china", "why should china carry the burden"),
        ("why", "who is trump", "a man", "why is trump a man"),
        ("how many", "which dialogues did they plan", "high level ones", "how many dialogues did they plan"),
        ("how many?", "what did they plan", "four dialogues", "how many four dialogues did they plan?"),
        ("what about tong zhao", "where does niu jun work", "x", "where does tong zhao work"),
        ("and tong zhao?", "where does niu jun work?", "x", "where does tong zhao work?"),
        ("what about the south?", "what does the north want", "x", "what does the south want?"),
        ("and in seoul", "what happened in beijing in may", "x", "what happened in beijing in seoul"),
        ("in april?", "what did he say", "x", "what did he say in april?"),
        ("and the next day", "what did trump say on tuesday", "x", "what did trump say the next day"),
        ("what about trade", "how is it", "x", "how is it trade"),
    ],
)  # fmt: skip
def test_what_is_left_out_comes_from_the_question_before(question, before, answer, whole):
    assert complete(question, before, answer) == whole


@pytest.mark.parametrize(
    "question",
    [
        "who is niu jun", "how many banks are there", "when did he leave", "why is that a problem",
        "us commerce secretary name",
        "what is it about", "which of them is older", "and who is he", "chocolate cake", "how old is he", "", "?!",
    ],
)  # fmt: skip
def test_a_question_with_a_verb_of_its_own_leaves_nothing_out(question):
    assert complete(question, HOST, "mar a lago") is None


def test_without_a_question_before_there_is_nothing_to_take():
    assert complete("why", "", "") is None
