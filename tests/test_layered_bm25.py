"""Scores over layers, against ones computed by hand."""

import math

import numpy as np
import pytest

from qa.bm25 import BM25, kept
from qa.layered_bm25 import LayeredBM25

BASE = ["river river mill", "mill town", "sea sea sea sea town bridge", "town"]
DELTA = ["river sea", "bridge bridge hill"]


@pytest.fixture
def layers():
    """Of the base the second passage is out of date."""
    gone = BM25.build([(0, BASE[1])])
    return LayeredBM25(BM25.build(enumerate(BASE)), BM25.build(enumerate(DELTA)), gone, [(1, 2)])


def test_statistics_are_those_of_what_is_live(layers):
    # Live: 3 passages of 3, 6 and 1 terms, and 2 of 2 and 3: 5 passages, 15 terms, 3 on average.
    weights = layers.weigh("river mill town hill zebra").weights
    dfs = {"river": 2, "mill": 1, "town": 2, "hill": 1, "zebra": 0}
    assert weights == {term: math.log(1 + (5 - df + 0.5) / (df + 0.5)) for term, df in dfs.items()}


def test_scores_by_hand(layers):
    idf = math.log(1 + 3.5 / 2.5)  # "river" and "sea" are in two of five
    river_river = idf * 2 * 2.2 / (2 + 1.2 * (0.25 + 0.75 * 3 / 3))
    river = idf * 1 * 2.2 / (1 + 1.2 * (0.25 + 0.75 * 2 / 3))
    sea_4 = idf * 4 * 2.2 / (4 + 1.2 * (0.25 + 0.75 * 6 / 3))
    rows, scores = layers.search("the river", 10)
    assert rows.tolist() == [0, 4]
    assert scores.tolist() == pytest.approx([river_river, river], abs=1e-6)
    rows, scores = layers.search("river sea", 10)
    assert rows.tolist() == [4, 2, 0]
    assert scores.tolist() == pytest.approx([2 * river, sea_4, river_river], abs=1e-6)
    assert layers.scores("river", [5, 4, 0, 2]).tolist() == pytest.approx(
        [0, river, river_river, 0], abs=1e-6
    )
    assert layers.scores("river", [4, 0, 4]).tolist() == pytest.approx([river, river_river, river], abs=1e-6)
    assert layers.scores("river", []).tolist() == []
    assert layers.search("mill", 10)[0].tolist() == [0]
    assert layers.search("nowhere", 10)[0].tolist() == layers.search("", 10)[0].tolist() == []
    assert layers.search("river", 0)[0].tolist() == []


def test_allowed_rows_of_both_layers(layers):
    for allowed, expected in (
        ([(0, 1)], [0]),
        ([(3, 6)], [4]),
        ([(0, 5)], [0, 4]),
        ([(2, 4), (5, 6)], []),
        ([], []),
    ):
        assert layers.search("river", 10, allowed)[0].tolist() == expected


def test_ever_more_is_fetched_until_enough_is_live():
    base = BM25.build((row, "mill") for row in range(500))
    gone = BM25.build((row, "mill") for row in range(480))
    layers = LayeredBM25(base, None, gone, [(0, 480)])
    assert layers.search("mill", 10)[0].tolist() == list(range(480, 490))


def test_frequencies_are_whole_and_right():
    texts = ["mill " * n + "river " * (n % 3) + "x " * (7 * n) for n in range(1, 60)]
    index = BM25.build(enumerate(texts))
    rows = np.array([40, 3, 58, 7])
    assert index.frequencies(["mill", "river", "zebra"], rows).tolist() == [
        [41, 4, 59, 8], [41 % 3, 4 % 3, 59 % 3, 8 % 3], [0, 0, 0, 0],
    ]  # fmt: skip
    assert index.lengths[rows].tolist() == [8 * n + n % 3 for n in (41, 4, 59, 8)]


def test_lengths_are_kept_as_tantivy_keeps_them():
    assert kept(np.array([0, 1, 39, 40, 41, 42, 55, 56, 59, 60, 1000])).tolist() == [
        0, 1, 39, 40, 40, 42, 54, 56, 56, 60, 984,
    ]  # fmt: skip
    texts = [f"mill {'x ' * n}" for n in range(0, 300, 7)]
    index = BM25.build(enumerate(texts))
    layers = LayeredBM25(index, None, None, [])
    rows = range(len(texts))
    assert layers.scores("mill x", rows).tolist() == pytest.approx(
        index.scores("mill x", rows).tolist(), rel=1e-5
    )
