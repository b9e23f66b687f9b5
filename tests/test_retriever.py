import doctest

import numpy as np
import pytest
from index_helpers import article

from qa import retriever
from qa.index import Index
from qa.passages import split
from qa.retriever import DENSE, POOL, Retriever, fuse
from qa.tuned import Tuned

HALF = float(np.sqrt(0.75))


class ByHand:
    """An encoder of questions whose vectors are given."""

    def __init__(self, **vectors):
        self.vectors = vectors

    def encode_question(self, text):
        return np.array(self.vectors[text.split()[0]], dtype=np.float32)


def filled(folder, passages):
    """An index of ``name -> (text, vector)``; every article is one passage."""
    index = Index.open(folder, encoder_identity="by hand", passage_settings="none", create=True)
    with index.write():
        for name, (text, vector) in passages.items():
            index.put(article(name, text), [(0, len(text))], np.array([vector], dtype=np.float32))
    return index


def names(hits):
    return [hit.passage.article for hit in hits]


@pytest.fixture
def few(tmp_path):
    """Cosines with the question's vector (1, 0): 1, .5, 0, -1. Only "c" has a word of ``mill ...``."""
    passages = {
        "a": ("the river flows", (1, 0)),
        "b": ("a tower stands", (0.5, HALF)),
        "c": ("an old mill", (0, 1)),
        "d": ("nobody knows", (-1, 0)),
    }
    with filled(tmp_path, passages) as index:
        yield index.snapshot


ASKED = Retriever(ByHand(mill=(1, 0), boat=(1, 0), south=(-0.6, -0.8), away=(-1, 0)))


def test_examples():
    assert doctest.testmod(retriever) == doctest.TestResults(failed=0, attempted=1)


# --- fusion, by hand


@pytest.mark.parametrize(
    ("cosines", "words", "dense", "expected"),
    [
        ([0.2, 0.6, 0.4], [0, 3, 6], 0.5, [0, 0.75, 0.75]),
        ([0.2, 0.6, 0.4], [0, 3, 6], 0.25, [0, 0.625, 0.875]),
        ([0.2, 0.6, 0.4], [0, 0, 0], 0.6, [0, 0.6, 0.3]),
        ([0.5, 0.5], [0, 8], 0.6, [0.6, 1]),
        ([-0.5, -0.5], [2, 2], 0.6, [0.4, 0.4]),
        ([0.3], [0], 0.6, [0.6]),
        ([0.3], [7], 0.6, [1]),
        ([-0.3], [0], 0.6, [0]),
        ([], [], 0.6, []),
    ],
)
def test_fusion(cosines, words, dense, expected):
    assert fuse(np.array(cosines, float), np.array(words, float), dense).tolist() == expected


def test_fusion_does_not_mind_the_scale_of_words():
    cosines, words = np.array([0.1, 0.5, 0.2]), np.array([3.0, 0.0, 1.0])
    assert fuse(cosines, words).tolist() == fuse(cosines, words * 1000).tolist()
    assert fuse(cosines, words).tolist() == fuse(cosines + 7, words).tolist()


# --- retrieval, by hand


def test_hits_carry_raw_and_fused_scores(few):
    hits = ASKED.retrieve(few, "mill")
    assert names(hits) == ["a", "c", "b"]  # "d" is below both floors
    assert [hit.dense for hit in hits] == pytest.approx([1, 0, 0.5], abs=1e-3)
    word = float(few.bm25_scores("mill", [2])[0])
    assert [hit.bm25 for hit in hits] == [0, pytest.approx(word, abs=1e-5), 0]
    assert [hit.score for hit in hits] == pytest.approx([DENSE, 1 - DENSE, DENSE / 2], abs=1e-3)
    assert [hit.passage.text for hit in hits] == ["the river flows", "an old mill", "a tower stands"]


def test_nothing_that_is_neither_near_nor_shares_a_word(few):
    assert names(ASKED.retrieve(few, "boat")) == ["a", "b"]  # "c" has a cosine of 0
    assert ASKED.retrieve(few, "boat", ["c", "d"]) == []
    assert ASKED.retrieve(few, "south", ["a", "b", "c"]) == []
    assert names(ASKED.retrieve(few, "south mill", ["a", "b", "c"])) == ["c"]


def test_a_lone_candidate_is_not_certain(few):
    (hit,) = ASKED.retrieve(few, "boat", ["b"])
    assert (hit.dense, hit.bm25) == (0.5, 0)
    assert hit.score == pytest.approx(DENSE)  # of 1: it shares no word


def test_only_the_allowed_articles(few):
    assert names(ASKED.retrieve(few, "mill", ["c", "b", "b", "unknown"])) == ["b", "c"]
    assert ASKED.retrieve(few, "mill", []) == []
    assert ASKED.retrieve(few, "mill", ["unknown"]) == []


def test_an_empty_index(tmp_path):
    with filled(tmp_path, {}) as index:
        assert ASKED.retrieve(index.snapshot, "mill") == []


def test_ties_go_by_article_and_place(tmp_path):
    order = ["m", "c", "x", "a", "k"]
    with filled(tmp_path, dict.fromkeys(order, ("an old mill", (1, 0)))) as index:
        hits = ASKED.retrieve(index.snapshot, "mill")
        assert names(hits) == sorted(order)
        assert len({(hit.score, hit.dense, hit.bm25) for hit in hits}) == 1
        text = "mill mill mill"
        index.put(article("c", text), [(10, 14), (0, 4), (5, 9)], np.array([[1, 0]] * 3, np.float32))
        hits = [hit for hit in ASKED.retrieve(index.snapshot, "mill") if hit.passage.article == "c"]
        assert [hit.passage.start for hit in hits] == [0, 5, 10]


def test_the_limit_changes_neither_order_nor_scores(tmp_path):
    angles = np.linspace(0, 1.2, 70)
    passages = {
        f"{i:02}": ("an old mill" if i % 7 == 0 else "the river", (np.cos(a), np.sin(a)))
        for i, a in enumerate(angles)
    }
    with filled(tmp_path, passages) as index:
        every = ASKED.retrieve(index.snapshot, "mill")
        assert POOL == 50
        assert len(every) == 50
        assert [hit.score for hit in every] == sorted((hit.score for hit in every), reverse=True)
        assert names(every)[:3] == ["00", "07", "14"]
        for limit in (1, 2, 7, 49, 50, 51, 1000):
            assert ASKED.retrieve(index.snapshot, "mill", limit=limit) == every[:limit]
        # Words bring in what is too far for the nearest fifty.
        assert "63" in names(every)
        assert "64" not in names(every)


def test_settings_name_what_a_calibration_depends_on():
    assert Tuned().name.startswith(f"pool={POOL} dense={DENSE} ")


def test_what_was_said_before_changes_the_order_and_no_score(tmp_path):
    passages = {"a": ("an old mill", (1, 0)), "b": ("a mill tower", (1, 0)), "c": ("the river", (0, 1))}
    with filled(tmp_path, passages) as index:
        alone = ASKED.retrieve(index.snapshot, "mill")
        after = ASKED.retrieve(index.snapshot, "mill", context="the tower")
        first = ASKED.retrieve(index.snapshot, "mill", context="the tower", limit=1)
    assert names(alone) == ["a", "b"]
    assert after == alone[::-1]
    assert first == after[:1]


# --- retrieval, with real models


def test_real_questions(encoder, seeds, tmp_path):
    with Index.open(tmp_path, encoder_identity=encoder.identity, passage_settings="x", create=True) as index:
        for one in seeds:
            ranges = split(one.text, encoder.offsets)
            index.put(one, ranges, encoder.encode([one.text[start:end] for start, end in ranges]))
        asked = Retriever(encoder)
        for question, place, said in (
            ("how big was the trade deficit with china", 0, "347 billion"),
            ("what did xi and trump eat together", 0, "chocolate cake"),
            ("who is the ambassador to the united nations", 1, "nikki haley"),
            ("how many american soldiers are in south korea", 1, "30 000"),
        ):
            best = asked.retrieve(index.snapshot, question)[0]
            assert best.passage.article == seeds[place].id
            assert said in best.passage.text
            vector = encoder.encode_question(question)
            stored = encoder.encode([best.passage.text])[0].astype(np.float16).astype(np.float32)
            assert best.dense == pytest.approx(float(vector @ stored), abs=1e-5)
            lone = asked.retrieve(index.snapshot, question, [seeds[1 - place].id])
            assert {hit.passage.article for hit in lone} == {seeds[1 - place].id}
