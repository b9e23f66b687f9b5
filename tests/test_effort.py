from __future__ import annotations

import pytest

from qa.calibration import Ranking
from qa.effort import OF_MORE, OF_TWO, hopeless, read_while_unsure, saying, sure
from qa.types import Hit, Passage, Span

PLAIN = Ranking(0.0, 0.0)
SURE, HOPELESS = OF_MORE.sure, OF_MORE.hopeless


def hits(*scores: float) -> list[Hit]:
    return [Hit(Passage(f"a{n}", "", 0, 10, "the words."), score, 0.0, 0.0) for n, score in enumerate(scores)]


def span(hit: Hit, score: float, null: float = 0.0) -> Span:
    return Span(hit, 0, 3, "the", score, null)


def test_the_best_span_counts():
    (one, other) = hits(0.0, 0.0)
    spans = [span(one, SURE + 5, null=4.0), span(other, SURE + 5.5, null=6.0)]
    assert not sure([], PLAIN, 0.0)
    assert sure(spans[:1], PLAIN, 0.0)
    assert not sure(spans[1:], PLAIN, 0.0)
    assert not sure(spans, PLAIN, 0.0)
    assert sure(spans, Ranking(1.0, 0.0), 0.0)  # then it is the first
    assert not sure([span(one, SURE + 4, null=4.0)], PLAIN, 0.0)


def test_the_lead_of_its_passage_counts():
    (one,) = hits(0.8)
    ranking = Ranking(0.0, 10.0)
    assert sure([span(one, SURE - 1)], ranking, 0.69)
    assert not sure([span(one, SURE - 1)], ranking, 0.71)


@pytest.mark.parametrize(
    ("at", "in_all"),
    [(0, 2), (1, 2), (2, 3), (3, 4), (4, 6), (5, 6), (6, 8), (7, 8), (8, 10), (9, 10), (10, 10)],
)
def test_reads_on_until_sure(at, in_all):
    found = hits(*[0.5] * 20)
    spans = read_while_unsure(
        found,
        PLAIN,
        lambda part: [span(hit, OF_TWO.sure + 0.1 if hit == found[at] else 1.0) for hit in part],
    )
    assert [s.hit for s in spans] == found[:in_all]


@pytest.mark.parametrize(("margin", "in_all"), [(8.1, 2), (8.0, 3), (4.1, 3), (4.0, 10)])
def test_two_passages_must_be_surer_than_three(margin, in_all):
    found = hits(*[0.5] * 20)
    spans = read_while_unsure(
        found, PLAIN, lambda part: [span(hit, margin if hit == found[0] else 1.0) for hit in part]
    )
    assert [s.hit for s in spans] == found[:in_all]


@pytest.mark.parametrize(("margin", "in_all"), [(-6.1, 2), (-6.0, 3), (-2.1, 3), (-2.0, 10)])
def test_two_passages_must_be_more_hopeless_than_three(margin, in_all):
    found = hits(*[0.5] * 20)
    spans = read_while_unsure(found, PLAIN, lambda part: [span(hit, margin) for hit in part])
    assert [s.hit for s in spans] == found[:in_all]


@pytest.mark.parametrize(("at", "in_all"), [(0, 10), (1, 10), (2, 10), (3, 3)])  # one that is not hopeless
def test_one_that_is_not_hopeless_is_enough(at, in_all):
    found = hits(*[0.5] * 20)
    spans = read_while_unsure(
        found, PLAIN, lambda part: [span(hit, HOPELESS - 0.1 * (hit != found[at])) for hit in part]
    )
    assert [s.hit for s in spans] == found[:in_all]


def test_where_else_the_answer_stands_is_read_too():
    texts = [
        "In 1990 the mill burned down.",
        "Nothing.",
        "It burned in 1990, they say",
        "1990s",
        "(1990)",
        *["-"] * 4,
        "1990",
    ]
    found = [Hit(Passage(f"a{n}", "", 0, len(t), t), 0.5, 0.0, 0.0) for n, t in enumerate([*texts, "1990"])]
    asked = []

    def read(part):
        asked.append(list(part))
        return [Span(hit, 0, 4, "1990", OF_TWO.sure + 1 if hit == found[0] else 1.0, 0.0) for hit in part]

    read_while_unsure(found, PLAIN, read)
    assert asked == [found[:2], [found[2], found[4], found[9]]]  # of the first ten


def test_the_answer_is_looked_for_as_answers_compare():
    (one, *others) = [
        Hit(Passage("a", "", 0, len(text), text), 0.5, 0.0, 0.0)
        for text in ("The U.S. envoy", "a U.S. Envoy spoke", "the us envoy", "u s envoys", "... u s envoy")
    ]
    assert saying("the U.S. envoy", [one, *others]) == [one, others[0], others[3]]
    assert saying("envoy", [one, *others]) == [one, others[0], others[1], others[3]]
    assert saying("...", [one, *others]) == []


def test_the_best_guess_is_looked_for_in_all():
    found = hits(*[0.5] * 20)
    spans = read_while_unsure(
        found, PLAIN, lambda part: [span(hit, OF_TWO.hopeless - 1) for hit in part], may_decline=False
    )
    assert [s.hit for s in spans] == found[:10]


def test_hopeless_is_each_passage_by_itself():
    (one, other) = hits(0.0, 0.0)
    assert hopeless([span(one, 3.0, null=5.1), span(other, -3.0, null=-0.9)])
    assert not hopeless([span(one, 3.0, null=5.1), span(other, -3.0, null=-1.1)])
    assert not hopeless([])  # nothing could be read yet


def test_few_hits():
    assert read_while_unsure([], PLAIN, lambda part: []) == []
    few = hits(0.5, 0.5, 0.5, 0.5)
    assert len(read_while_unsure(few, PLAIN, lambda part: [span(hit, 0.0) for hit in part])) == 4
