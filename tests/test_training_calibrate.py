"""Fitting a calibration: what is asked over what, and the fit itself on evidence made by hand."""

from __future__ import annotations

import json
import math
import random
from dataclasses import replace

import pytest

from qa.calibration import Ranking, load_calibration
from qa.evaluation.datasets import load_dataset
from qa.training.calibrate import Example, Weights, choose, fit, library, others, rank_weights, training_rows
from qa.types import DatasetError, Hit, Passage, Span


def example(number, answers, score, null=0.0, *, cosine=0.5, fused=0.5, said="berlin", other=None):
    """One passage that says ``said``, and perhaps ``other``, with these scores."""
    text = f"{said} and {other or 'nothing'}"
    hit = Hit(Passage(f"a{number}", "0" * 64, 0, len(text), text), fused, cosine, 2.0)
    spans = [Span(hit, 0, len(said), said, score, null)]
    if other:
        start = text.index(other, len(said))
        spans.append(Span(hit, start, start + len(other), other, score - 1, null))
    return Example("made", answers, (hit,), tuple(spans), Weights(4.0, {text: 0.5}))


@pytest.fixture
def dataset(tmp_path):
    """Four articles of six paragraphs, a question on each paragraph."""
    data = []
    for a in range(4):
        contexts = [f"Paragraph {a}{p} tells of thing{a}{p}." for p in range(6)]
        data.append(
            {
                "title": f"Title {a}",
                "paragraphs": [
                    {
                        "context": context,
                        "qas": [
                            {
                                "id": f"{a}{p}",
                                "question": f"What does paragraph {a}{p} tell of?",
                                "answers": [{"text": f"thing{a}{p}", "answer_start": context.index("thing")}],
                            }
                        ],
                    }
                    for p, context in enumerate(contexts)
                ],
            }
        )
    path = tmp_path / "made.json"
    path.write_text(json.dumps({"data": data}))
    return load_dataset(path)


def test_a_library_leaves_paragraphs_and_half_the_articles_out(dataset):
    articles, kept = library(dataset, 10_000, random.Random(1))
    assert len(articles) == 2
    for article in articles:
        paragraphs = article.text.split("\n\n")
        assert set(paragraphs) <= kept
        whole = next(a for a in dataset.articles if a.id == article.id)
        assert [p for p in whole.text.split("\n\n") if p in kept] == paragraphs  # in order, none made up
    assert 0 < len(kept) < 12


def test_a_small_library_ends_when_it_is_full(dataset):
    articles, _ = library(dataset, 1, random.Random(1))
    assert len(articles) == 1


def test_questions_are_of_what_is_there_nearly_there_and_not_there(dataset):
    articles, kept = library(dataset, 10_000, random.Random(1))
    indexed = {a.id for a in articles}
    asked = choose(dataset, kept, indexed, 10, random.Random(1))
    near = [q for q in asked if q.context not in kept and q.article in indexed]
    far = [q for q in asked if q.article not in indexed]
    assert len(asked) == len({q.id for q in asked}) == min(10, 4 + len(kept))
    assert (len(near), len(near) + len(far)) == (min(2, 12 - len(kept)), 4)


def test_beside_what_is_asked_stand_articles_nothing_is_asked_about(dataset):
    some = replace(
        dataset, questions=tuple(q for q in dataset.questions if q.article == dataset.articles[0].id)
    )
    articles, _ = library(some, 10_000, random.Random(1))
    assert [a.id for a in articles] == [dataset.articles[0].id]
    length = len(dataset.articles[1].text)  # all are alike
    beside = others(dataset, some, length + 1, random.Random(1))
    assert len(beside) == 2
    assert not {a.id for a in beside} & {a.id for a in articles}
    assert all(a.text in {b.text for b in dataset.articles} for a in beside)
    assert others(dataset, some, 0, random.Random(1)) == []


def test_rank_weights_pick_what_makes_the_first_candidate_right():
    """The right span scores one less, in a passage that is retrieved far better: only its weight brings it first."""
    examples = []
    for number in range(4):
        good = example(number, ("paris",), 5.0, fused=1.0, said="paris")
        bad = example(number + 100, (), 6.0, fused=0.0, said="rome")
        shares = {**good.words.shares, **bad.words.shares}
        hits, spans = (*good.hits, *bad.hits), (*good.spans, *bad.spans)
        examples.append(Example("made", ("paris",), hits, spans, Weights(4.0, shares)))
    assert rank_weights(examples).retrieval >= 2


def test_an_answer_is_right_from_half_the_words_on_and_never_where_there_is_none():
    examples = [
        example(0, ("berlin",), 5.0),
        example(1, ("berlin mitte station",), 5.0),  # F1 = 2 * 1 * (1/3) / (1 + 1/3) = .5
        example(2, ("berlin a1 a2 a3",), 5.0),  # F1 = .4
        example(3, (), 5.0),
    ]
    rows, right = training_rows(examples, Ranking())
    assert right.tolist() == [True, True, False, False]
    assert rows[0]["margin"] == 5.0
    assert rows[0]["bm25"] == 0.5
    assert rows[0]["agreement"] == 0.0


def test_fit_makes_probabilities_that_match_the_shares_right(tmp_path):
    """Where the margin is 8 nine of ten are right, where it is 0 one of ten is."""
    examples = []
    for number in range(400):
        sure, lucky = number % 2, number // 2 % 10 == 0
        right = not lucky if sure else lucky
        said = "berlin" if right else "rome"
        examples.append(example(number, ("berlin",), 8.0 if sure else 0.0, said=said))
    examples += [example(number, (), -8.0) for number in range(100)]
    calibration = fit(examples, {"reader": "r", "encoder": "e", "settings": "s"}, {"questions": 400})
    rows, right = training_rows(examples, calibration.ranking)
    chances = [calibration.probability(row) for row in rows]
    for margin, share in ((8.0, 0.9), (0.0, 0.1)):
        there = [chance for chance, row in zip(chances, rows, strict=True) if row["margin"] == margin]
        assert math.isclose(sum(there) / len(there), share, abs_tol=0.03)
    calibration.save(tmp_path / "calibration.json")
    assert (
        0.05 <= calibration.threshold <= 0.9
    )  # declines all that is absent, and none of what is mostly right
    loaded, warning = load_calibration(tmp_path, {"reader": "r", "encoder": "e", "settings": "s"})
    assert warning is None
    assert loaded == calibration


def test_fit_wants_right_and_wrong_answers():
    with pytest.raises(DatasetError, match="right and wrong"):
        fit([example(n, ("berlin",), 5.0) for n in range(5)], {}, {})


def test_fit_wants_questions_without_an_answer():
    examples = [example(n, ("berlin",), 5.0, said="berlin" if n % 2 else "rome") for n in range(10)]
    with pytest.raises(DatasetError, match="without one"):
        fit(examples, {}, {})
