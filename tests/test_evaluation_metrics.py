"""Metrics against scores worked out by hand."""

import numpy as np
import pytest

from qa.evaluation import metrics
from qa.evaluation.metrics import (
    aurc,
    auroc,
    best_over_threshold,
    coverage_at,
    ece,
    exact_match,
    f1,
    first_covering,
    interval,
    mean,
    mrr,
    normalise,
    percentile,
    recall_at,
)  # fmt: skip


def floats(*values):
    return np.array(values, dtype=np.float64)


# One answer


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("The  U.S. Army!", "us army"),
        ("an apple a day", "apple day"),
        ("Theatre, another", "theatre another"),  # articles only as whole words
        ("$12-billion", "12billion"),
        ("«été»", "«été»"),  # official: ASCII punctuation only
        ("a.\tthe", ""),
        ("", ""),
    ],
)
def test_normalise(text, normal):
    assert normalise(text) == normal


def test_exact_match_takes_any_right_answer():
    assert exact_match("The Oil Crisis.", ["1973", "oil crisis"]) == 1.0
    assert exact_match("oil", ["oil crisis"]) == 0.0


def test_f1_is_the_best_over_the_right_answers():
    # 3 words, 2 right: P 2/3, R 1 -> 4/5; against "1973": P 1/3, R 1 -> 1/2
    assert f1("in October 1973", ["1973", "October 1973"]) == pytest.approx(0.8)
    assert f1("in October 1973", ["1973"]) == pytest.approx(0.5)
    # "bone bone" has the one "bone" once right: P 1/2, R 1 -> 2/3
    assert f1("bone bone", ["bone"]) == pytest.approx(2 / 3)
    assert f1("tea", ["oil"]) == 0.0


@pytest.mark.parametrize("score", [exact_match, f1])
def test_no_answer(score):
    assert score(None, []) == 1.0
    assert score("", []) == 1.0
    assert score("1973", []) == 0.0
    assert score(None, ["1973"]) == 0.0
    assert score("the", ["a"]) == 1.0  # official: an answer that normalises to nothing is no answer
    assert score("1973", ["1973", "the"]) == 1.0


def test_first_covering_needs_the_whole_span_in_the_same_article():
    def hit(article, start, end):
        return {"article": article, "start": start, "end": end}

    hits = [hit("b", 0, 99), hit("a", 0, 9), hit("a", 6, 10), hit("a", 0, 50)]
    assert first_covering(hits, "a", [(5, 10)]) == 4
    assert first_covering(hits, "a", [(5, 10), (6, 10)]) == 3
    assert first_covering(hits, "a", [(49, 51)]) == 0
    assert first_covering(hits, "a", []) == 0
    assert first_covering([], "a", [(0, 1)]) == 0


# Many answers


def test_recall_and_mrr():
    ranks = floats(1, 2, 0, 6, 20)
    assert recall_at(1)(ranks) == pytest.approx(0.2)
    assert recall_at(5)(ranks) == pytest.approx(0.4)
    assert recall_at(20)(ranks) == pytest.approx(0.8)
    assert mrr(ranks) == pytest.approx((1 + 1 / 2 + 0 + 1 / 6 + 1 / 20) / 5)


def test_percentile_is_linear_between_neighbours():
    assert percentile(50)(floats(30, 10, 20, 40)) == pytest.approx(25)
    assert percentile(95)(floats(*range(0, 101))) == pytest.approx(95)


@pytest.mark.parametrize(
    ("score", "right", "area"),
    [
        ([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1], 3 / 4),
        ([0.1, 0.5, 0.5, 0.9], [0, 1, 0, 1], 3.5 / 4),  # the tie counts half
        ([0.1, 0.5, 0.5, 0.9], [0, 0, 1, 1], 3.5 / 4),  # whichever comes first
        ([0.3, 0.3, 0.3], [1, 0, 0], 1 / 2),
        ([1, 2], [1, 0], 0),
        ([-np.inf, -np.inf, 2], [1, 0, 1], 3 / 4),
    ],
)
def test_auroc(score, right, area):
    assert auroc(floats(*score), floats(*right)) == pytest.approx(area)


def test_auroc_of_one_kind_alone_is_undefined():
    assert np.isnan(auroc(floats(0.1, 0.2), floats(1, 1)))
    assert np.isnan(auroc(floats(0.1, 0.2), floats(0, 0)))


def test_ece():
    confidence, right = floats(0.9, 0.1, 0.8, 0.2), floats(1, 0, 1, 1)
    # two bins: (.1, .2) with one right: |.3 - 1| = .7; (.8, .9) with two: |1.7 - 2| = .3; over 4 questions
    assert ece(confidence, right, bins=2) == pytest.approx(1.0 / 4)
    # more bins than questions: each by itself, .1 + .8 + .2 + .1
    assert ece(confidence, right) == pytest.approx(1.2 / 4)


def test_ece_has_15_bins_of_equal_mass():
    # 30 questions of confidence i/30; of each two in a row one is right:
    # bin b has |(2b + 2b+1)/30 - 1| = |4b - 29|/30, which add up to 225/30; over 30 questions.
    confidence = np.arange(30) / 30
    assert ece(confidence, np.arange(30) % 2) == pytest.approx(225 / 30 / 30)


@pytest.mark.parametrize("right", [[1, 0, 1, 0], [0, 0, 1, 1]])
def test_equal_confidences_share_what_is_right(right):
    confidence = floats(0.5, 0.5, 0.5, 0.5)
    assert ece(confidence, floats(*right)) == pytest.approx(0)
    assert aurc(confidence, floats(*right)) == pytest.approx(0.5)
    assert coverage_at(0.6)(confidence, floats(*right)) == 0
    assert coverage_at(0.5)(confidence, floats(*right)) == 1


def test_aurc():
    # risks of the 1, 2, 3, 4 most confident: 0, 1/2, 1/3, 1/4
    assert aurc(floats(0.6, 0.9, 0.7, 0.8), floats(1, 1, 1, 0)) == pytest.approx(13 / 12 / 4)
    assert aurc(floats(0.9, 0.8), floats(1, 1)) == 0
    assert aurc(floats(0.9, 0.8), floats(0, 0)) == 1


def test_coverage_at():
    confidence, right = floats(0.9, 0.8, 0.7, 0.6, 0.5), floats(1, 1, 1, 0, 1)
    assert coverage_at(0.80)(confidence, right) == pytest.approx(5 / 5)  # 4 of 5 is .8
    assert coverage_at(0.95)(confidence, right) == pytest.approx(3 / 5)
    # 3 of 4 is enough for .75, but 2 of 3 on the way is not: the largest share counts
    assert coverage_at(0.75)(floats(4, 3, 2, 1), floats(1, 0, 1, 1)) == 1
    assert coverage_at(0.95)(floats(1), floats(0)) == 0


def test_coverage_takes_ties_together():
    assert coverage_at(0.95)(floats(0.9, 0.5, 0.5), floats(1, 1, 0)) == pytest.approx(1 / 3)
    assert coverage_at(0.95)(floats(0.9, 0.5, 0.5), floats(1, 0, 1)) == pytest.approx(1 / 3)


def test_coverage_counts_what_was_never_answered_in_the_whole_alone():
    confidence, right = floats(0.9, -np.inf), floats(1, 0)
    assert coverage_at(0.95)(confidence, right) == pytest.approx(1 / 2)
    assert coverage_at(0.50)(confidence, right) == pytest.approx(1 / 2)


def test_best_over_threshold():
    # declining all: 2 of 4. Then one by one: +1, -1, +.5, 0 -> the best is 3 of 4, after the first.
    no_answer, gain, impossible = floats(-3, -1, 2, 5), floats(1, -1, 0.5, 0), floats(0, 1, 0, 1)
    assert best_over_threshold(no_answer, gain, impossible) == pytest.approx(75)
    # If the first two tie, no threshold parts them: 2, then 2.5 of 4.
    assert best_over_threshold(floats(-1, -1, 2, 5), gain, impossible) == pytest.approx(62.5)
    # Best to decline everything.
    assert best_over_threshold(floats(1, 2), floats(-1, 0.5), floats(1, 0)) == pytest.approx(50)


def test_best_over_threshold_is_the_best_of_all_thresholds():
    rng = np.random.default_rng(1)
    no_answer = rng.integers(-5, 5, 60).astype(float)  # many ties
    impossible = (rng.random(60) < 0.5).astype(float)
    gain = np.where(impossible == 1, -1.0, rng.random(60))
    scores = []
    for threshold in range(-7, 6):
        answered = no_answer <= threshold
        scores.append(np.where(answered, np.where(impossible == 1, 0, gain), impossible).mean())
    assert best_over_threshold(no_answer, gain, impossible) == pytest.approx(100 * max(scores))


STATISTICS = [
    (mean, 1), (recall_at(5), 1), (mrr, 1), (percentile(95), 1), (auroc, 2), (ece, 2), (aurc, 2),
    (coverage_at(0.8), 2), (best_over_threshold, 3),
]  # fmt: skip


@pytest.mark.parametrize(("statistic", "columns"), STATISTICS)
def test_a_block_of_resamples_is_measured_row_by_row(statistic, columns):
    rng = np.random.default_rng(2)
    block = [
        rng.integers(0, 7, (5, 40)) / 4,
        *(rng.integers(0, 2, (5, 40)) * 1.0 for _ in range(columns - 1)),
    ]
    together = statistic(*block)
    alone = [statistic(*(column[row] for column in block)) for row in range(5)]
    assert together.shape == (5,)
    assert together == pytest.approx(np.array(alone))


# Chance


def test_interval_of_a_share_is_near_the_normal_one():
    low, high = interval(mean, floats(*[1, 0] * 200))
    assert low == pytest.approx(0.5 - 1.96 * 0.025, abs=0.004)  # sqrt(.25 / 400) = .025
    assert high == pytest.approx(0.5 + 1.96 * 0.025, abs=0.004)


def test_interval_of_what_never_varies_has_no_width():
    assert interval(mean, floats(*[0.3] * 50)) == pytest.approx((0.3, 0.3))


def test_interval_draws_the_columns_of_a_question_together():
    # Right goes with confidence throughout, so every resample that has both kinds separates them perfectly.
    right = floats(*[0, 1] * 30)
    assert interval(auroc, right + 0.1, right) == (1.0, 1.0)


def test_interval_does_not_depend_on_the_order_of_the_questions_or_the_block(monkeypatch):
    rng = np.random.default_rng(3)
    confidence, right = rng.permutation(80) / 80, rng.integers(0, 2, 80) * 1.0
    once = interval(aurc, confidence, right)
    shuffle = rng.permutation(80)
    assert interval(aurc, confidence[shuffle], right[shuffle]) == once
    monkeypatch.setattr(metrics, "BLOCK", 80 * 7)
    assert interval(aurc, confidence, right) == once
    assert interval(aurc, confidence, right, seed=1) != once


def test_interval_of_what_is_never_defined():
    assert interval(auroc, floats(0.1, 0.2), floats(1, 1)) is None


def test_interval_leaves_undefined_resamples_out():
    low, high = interval(auroc, floats(0.1, 0.9), floats(0, 1))  # half the resamples draw one question twice
    assert (low, high) == (1.0, 1.0)
