from __future__ import annotations

import pytest
from report_entries import ask, entry

from qa.evaluation.curves import BINS, IN_A_BIN, latency, recall, reliability, risk_coverage, wilson


def test_risk_and_coverage_by_hand():
    asked = [
        ask(1, ("a",), "a", 0.9),
        ask(2, ("a",), "b", 0.8),
        ask(3, ("a",), "a", 0.8),  # no threshold parts it from the one before
        ask(4, (), "x", 0.4),  # whatever is said where there is nothing to find is wrong
        ask(5, ("a",), None, None),  # never answered: in the whole, and in no share
        ask(6, (), "x", 0.99, refused=("x",)),  # nobody knows what is right
    ]
    points = risk_coverage(entry(asked))
    assert points == [(1 / 5, 0.0, 0.9), (3 / 5, pytest.approx(1 / 3), 0.8), (4 / 5, 0.5, 0.4)]


def test_reliability_by_hand():
    sure = [ask(n, ("a",), "a" if n % 4 else "b", 0.7) for n in range(IN_A_BIN)]
    unsure = [ask(n, ("a",), "b", 0.1) for n in range(IN_A_BIN)]
    low, high = reliability(entry(sure + unsure))
    assert low[:3] == (IN_A_BIN, pytest.approx(0.1), 0.0)
    assert high[:3] == (IN_A_BIN, pytest.approx(0.7), 0.75)
    assert (low.low, low.high) == wilson(0.0, IN_A_BIN)
    assert len(reliability(entry(sure[:5]))) == 1
    assert len(reliability(entry(sure * 40))) == BINS


def test_the_interval_of_a_share():
    # Newcombe 1998, table I: 81 of 263, 15 of 148, 0 of 20, 1 of 29
    for right, count, low, high in [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ]:
        assert wilson(right / count, count) == pytest.approx((low, high), abs=1e-4)
    assert wilson(1.0, 3)[1] == 1.0


def test_recall_by_hand():
    asked = [ask(n, ("a",), "a", 0.5, rank=rank) for n, rank in enumerate([1, 2, 0, None, 20])]
    values = recall(entry(asked))
    assert values[0] == 1 / 4
    assert values[1:19] == [2 / 4] * 18
    assert values[19] == 3 / 4
    assert len(values) == 20


def test_the_histogram_leaves_out_the_first_and_counts_the_slowest():
    times = [900.0, 900.0, 900.0, *[1.0] * 99, 3.1, None, 500.0]
    found = latency(entry([ask(n, ("a",), "a", 0.5, ms=ms) for n, ms in enumerate(times)]))
    assert found.slower == 1
    assert sum(found.counts) == 100
    assert found.counts[-1] == 1
    assert found.edges[0] == 0.0
    assert found.edges[-1] == pytest.approx(3.1)
    assert len(found.edges) == len(found.counts) + 1


def test_nothing_to_draw():
    bare = entry([ask(1, ("a",), None, None, rank=None, ms=None)])
    assert risk_coverage(bare) == reliability(bare) == recall(bare) == []
    assert latency(bare) is None
    assert recall({}) == []  # --reader-only asks nothing
