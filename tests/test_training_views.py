"""Views keep the answer: at its new place stand the same words."""

from __future__ import annotations

import random

import pytest

from qa.training.views import cut_view, question_view, stray_view

TEXT = (
    "Busan is the second largest city of South Korea. Its port, the busiest of the country, handled 22 million "
    "containers in 2021. The city lies on the Nakdong River, and its best known beach is Haeundae, which draws "
    "crowds each summer. A film festival has been held there since 1996, mostly in October."
)
QUOTES = ("22 million", "Haeundae")
SPANS = [(TEXT.index(q), TEXT.index(q) + len(q)) for q in QUOTES]


@pytest.mark.parametrize("view", [cut_view, stray_view])
def test_the_answers_are_carried_along(view):
    seen = set()
    for seed in range(200):
        text, spans = view(TEXT, SPANS, random.Random(seed))
        assert [text[a:b] for a, b in spans] == list(QUOTES)
        seen.add(text)
    assert len(seen) > 50


def test_a_cut_takes_from_both_ends_and_no_words_apart():
    begins, ends = set(), set()
    for seed in range(200):
        text, _ = cut_view(TEXT, SPANS, random.Random(seed))
        assert text in TEXT
        assert f" {text} " in f" {TEXT} "
        assert len(text.split()) >= 25
        begins.add(text.split()[0])
        ends.add(text.split()[-1])
    assert min(len(begins), len(ends)) > 5
    assert cut_view("Too short to cut.", [(0, 3)], random.Random(0)) == ("Too short to cut.", [(0, 3)])


def test_without_an_answer_a_cut_still_leaves_words():
    for seed in range(50):
        assert len(cut_view(TEXT, [], random.Random(seed))[0].split()) >= 25


def test_stray_words_stand_outside_answers_and_nothing_is_lost():
    places = set()
    for seed in range(200):
        text, _ = stray_view(TEXT, SPANS, random.Random(seed))
        words, rest = text.split(), iter(text.split())
        assert all(word in rest for word in TEXT.split())  # in order
        assert 3 <= len(words) - len(TEXT.split()) <= 14
        places.add("start" if text.endswith(TEXT) else "end" if text.startswith(TEXT) else "inside")
    assert places == {"start", "end", "inside"}


def test_a_question_is_typed_in_many_ways_and_never_empty():
    made = {
        question_view("What is the name of the king of Norway?", random.Random(seed)) for seed in range(300)
    }
    assert "what is the name of the king of norway" in made
    assert "what name king norway" in made
    assert "What is the name of the king of Norway" in made
    typed = [q for q in made if "Norway?" in q or q.endswith("?")]
    assert typed  # with an error in it, since nothing else keeps the mark
    assert all(question_view("???", random.Random(seed)) for seed in range(20))
    assert all(question_view("Is it?", random.Random(seed)) for seed in range(20))
