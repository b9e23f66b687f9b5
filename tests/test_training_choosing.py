from __future__ import annotations

import numpy as np
import pytest

from qa.training.choosing import LEAST, Trial, best_threshold, choose, pick


def trial(score, right, absent=None):
    right = np.array(right, dtype=bool)
    return Trial(
        np.array(score, dtype=float), right, np.zeros(len(right), bool) if absent is None else absent
    )


def test_what_a_question_is_worth():
    absent = np.array([False, False, False, True, True, False])
    one = trial([3, 2, 0, 3, 0, -np.inf], [True, False, True, False, False, False], absent)
    assert one.worth(1.0).tolist() == [1, -1, 0, -1, 1, 0]
    assert one.worth(-5.0).tolist() == [1, -1, 1, -1, -1, 0]


def test_the_best_threshold_lies_between_scores_and_is_cautious():
    assert best_threshold(trial([1, 2, 3], [False, True, True])) == 1.5
    assert best_threshold(trial([1, 2, 3], [True, False, True])) == 2.5  # as good as .0: the higher
    assert best_threshold(trial([1, 2], [False, False])) == 3.0
    assert best_threshold(trial([-np.inf], [False])) == 0.0


def test_of_equal_trials_the_first_is_picked():
    same = trial([1, 2], [False, True])
    assert pick([same, same]) == (0, 1.5)
    assert pick([same, trial([1, 2], [True, True])]) == (1, 0.0)


def test_what_is_really_better_is_found_and_shown_on_questions_not_seen():
    rng = np.random.default_rng(3)
    score = rng.normal(size=200)
    poor, good = trial(score, rng.random(200) < 0.5), trial(score, rng.random(200) < 0.95)
    found = choose([poor, good], threshold=-9.0)
    assert (found.trial, set(found.picked)) == (1, {1})
    assert found.before == poor.worth(-9.0).mean()
    assert found.gain == pytest.approx(found.held_out - found.before)
    assert found.better
    assert 0.4 < found.interval[0] < found.gain < found.interval[1]


def test_the_luckiest_of_many_alike_is_not_called_better():
    rng = np.random.default_rng(5)
    trials = [trial(rng.normal(size=60), rng.random(60) < 0.6) for _ in range(40)]
    found = choose(trials, threshold=-9.0)
    assert found.seen > found.before + 0.1  # on the questions it was chosen on, luck looks like merit
    assert found.held_out < found.seen
    assert not found.better


def test_too_few_to_choose_by():
    with pytest.raises(ValueError, match=f"39 questions are too few to choose by; {LEAST} are the least"):
        choose([trial([0.0] * 39, [True] * 39)], 0.0)
    assert choose([trial([0.0] * 40, [True] * 40)], -1.0).gain == 0.0
