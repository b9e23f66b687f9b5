import math

import numpy as np
import pytest
from index_helpers import SETTINGS, article, cut, embed, put, vector

from qa.index import Index
from qa.types import NotFoundError

RIVER = (
    "The river flows from the hills to the sea, past two towns and a mill, and nobody knows how old it is."
)
TOWER = (
    "A tower of iron stands in the middle of the town; it was built for a fair and never taken down again."
)


@pytest.fixture
def index(tmp_path):
    with Index.open(tmp_path, **SETTINGS, create=True) as made:
        with made.write():
            put(made, article("tower", TOWER))
            put(made, article("river", RIVER, masks=((0, 9),)))
        yield made


def test_rows_are_in_article_and_start_order(index):
    snapshot = index.snapshot
    assert len(snapshot) == len(cut(RIVER)) + len(cut(TOWER)) == 6
    places = [(p.article, p.start, p.end) for p in map(snapshot.passage, range(len(snapshot)))]
    assert places == [("river", *place) for place in cut(RIVER)] + [("tower", *place) for place in cut(TOWER)]
    for row in range(len(snapshot)):
        passage = snapshot.passage(row)
        assert passage.text == snapshot.text(passage.article)[passage.start : passage.end]
        assert passage.version == snapshot.article(passage.article).info.version


def test_each_passage_is_nearest_to_itself(index):
    snapshot = index.snapshot
    for row in range(len(snapshot)):
        text = snapshot.passage(row).text
        rows, cosines = snapshot.dense(vector(text), 10)
        assert rows[0] == row
        assert len(rows) == len(snapshot)
        halves = vector(text).astype(np.float16).astype(np.float32)
        assert cosines[0] == pytest.approx(float(halves @ vector(text)), abs=1e-6)
        assert np.array_equal(snapshot.cosines(vector(text), rows[::-1]), cosines[::-1])


def test_allowed_articles(index):
    snapshot, query = index.snapshot, vector("anything")
    everything = list(zip(*(found.tolist() for found in snapshot.dense(query, 10)), strict=True))
    for allowed, first, last in ((["river"], 0, 3), (["tower"], 3, 6), (["tower", "river", "tower"], 0, 6)):
        rows, cosines = snapshot.dense(query, 10, allowed)
        found = list(zip(rows.tolist(), cosines.tolist(), strict=True))
        assert found == [hit for hit in everything if first <= hit[0] < last]
        assert set(snapshot.bm25("the", 10, allowed)[0].tolist()) == set(
            snapshot.bm25("the", 10)[0].tolist()
        ) & set(range(first, last))
    for nothing in ([], ["unknown"]):
        assert len(snapshot.dense(query, 10, nothing)[0]) == 0
        assert len(snapshot.bm25("the", 10, nothing)[0]) == 0


def test_words(index):
    rows, scores = index.snapshot.bm25("iron", 10)
    assert [index.snapshot.passage(int(row)).article for row in rows] == ["tower"]
    assert index.snapshot.bm25_scores("iron", [0, int(rows[0])]).tolist() == [0, scores[0]]
    assert scores[0] == pytest.approx(
        math.log(1 + 3.5 / 1.5), rel=0.2
    )  # one of four passages, of like length


def test_masks_are_the_articles_own_and_those_of_shared_edges(index):
    stray = "apitalism struggles during covid pandemic"
    assert index.snapshot.masks("river") == ((0, 9),)
    assert index.snapshot.masks("tower") == ()
    before = index.snapshot
    put(index, article("a", f"{stray} {RIVER}"))
    put(index, article("b", f"{stray} {TOWER}", masks=((41, 44), (60, 70))))
    assert index.snapshot.masks("a") == ((0, 41),)
    assert index.snapshot.masks("b") == ((0, 44), (60, 70))  # touching ranges are one
    index.remove("a")
    assert index.snapshot.masks("b") == ((41, 44), (60, 70))
    assert before.masks("river") == ((0, 9),)  # an old snapshot stays what it was


def test_unknown_articles(index):
    for call in (index.snapshot.article, index.snapshot.text, index.snapshot.masks):
        with pytest.raises(NotFoundError, match="no article 'nobody' in the index"):
            call("nobody")


def test_a_snapshot_outlives_a_commit_but_not_forgetting(index):
    snapshot = index.snapshot
    index.remove("river")
    assert snapshot.passage(0).article == "river"
    assert snapshot.bm25("hills", 5)[0].tolist() == [0]
    index.remove("river", forget=True)
    with pytest.raises(NotFoundError, match="removed for good"):
        snapshot.passage(0)


@pytest.mark.parametrize("bad", [np.zeros(3), np.zeros((1, 16)), np.full(16, np.nan), np.full(16, np.inf)])
def test_a_vector_that_does_not_fit(index, bad):
    with pytest.raises(ValueError, match="question's vector"):
        index.snapshot.dense(bad.astype(np.float32), 5)
    with pytest.raises(ValueError, match="question's vector"):
        index.snapshot.cosines(bad.astype(np.float32), [0])


def test_an_empty_index(tmp_path):
    with Index.open(tmp_path / "empty", **SETTINGS, create=True) as index:
        snapshot = index.snapshot
        assert (len(snapshot), snapshot.articles, snapshot.generation) == (0, [], 0)
        for rows, scores in (snapshot.dense(vector("x"), 5), snapshot.bm25("x", 5)):
            assert rows.shape == scores.shape == (0,)
        assert snapshot.cosines(vector("x"), []).shape == snapshot.bm25_scores("x", []).shape == (0,)
        assert embed("x", [(0, 1)]).shape == (1, 16)
