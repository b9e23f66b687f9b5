"""A base and what changed since give what an exact index of the same articles gives."""

from __future__ import annotations

import random

import pytest
from index_helpers import article, listed, put, vector
from sealed_helpers import ByHash, assert_same, bases, fill, fresh, learned, make_large, opened, text

from qa import sealing
from qa.layers import Layers
from qa.retriever import Retriever
from qa.types import NotFoundError


@pytest.fixture(autouse=True)
def large(monkeypatch):
    make_large(monkeypatch)


def never(*arguments, **named):
    raise AssertionError("sealed")


def test_from_some_size_on_an_index_is_sealed(tmp_path):
    with opened(tmp_path) as index:
        fill(index, [1])
        assert not isinstance(index.snapshot.catalogue, Layers)
        assert not (tmp_path / "derived").exists()
        fill(index, range(12))
        assert isinstance(index.snapshot.catalogue, Layers)
        assert len(bases(tmp_path)) == 1
        assert_same(learned(index), fresh(tmp_path / "fresh", {f"a{n:03}": text(n) for n in range(12)}))


def test_changes_are_laid_over_the_base_and_nothing_is_sealed(tmp_path, monkeypatch):
    texts = {f"a{number:03}": text(number) for number in range(12)}
    with opened(tmp_path) as index:
        fill(index, range(12))
    base = bases(tmp_path)
    make_large(monkeypatch, delta_most=200)
    with opened(tmp_path) as index:
        monkeypatch.setattr(index._sealer, "_seal", never)
        for name, made in (
            ("a0035", text(99)),
            ("a004", text(77)),
            ("a005", text(5) + " more"),
            ("0", "Short."),
        ):
            put(index, article(name, made))
            texts[name] = made
        index.remove("a007")
        del texts["a007"]
        assert len(index.snapshot.catalogue.dead) == 3
        expected = fresh(tmp_path / "fresh", texts)
        assert_same(learned(index), expected)
        put(index, article("a007", text(7)))  # back, as it was
        index.remove("a007")
        assert_same(learned(index), expected)
        with pytest.raises(NotFoundError, match="no article 'a007'"):
            index.snapshot.article("a007")
        for nobody in ("", "a", "a00", "zzz", "\ud800"):
            assert not index.snapshot.has(nobody)
    with opened(tmp_path) as index:
        assert_same(learned(index), expected)
    assert bases(tmp_path) == base


def test_a_new_title_is_seen_though_no_passage_changed(tmp_path):
    with opened(tmp_path) as index:
        fill(index, range(12))
        index.put(article("a003", text(3), title="Another"))
        assert index.snapshot.article("a003").info.title == "Another"
        assert [info.title for info in index.snapshot.articles][2:5] == ["a002", "Another", "a004"]


def test_ties_are_in_the_order_of_their_places_across_base_and_delta(tmp_path):
    with opened(tmp_path) as index:
        with index.write():
            for number in range(30):
                put(index, article(f"b{number:02}", "the very same words"))
        put(index, article("a", "the very same words"))
        put(index, article("b055", "the very same words"))
        put(index, article("c", "the very same words"))
        hits = Retriever(ByHash()).retrieve(index.snapshot, "the very same words")
        names = [
            "a",
            *(f"b{number:02}" for number in range(6)),
            "b055",
            *(f"b{n:02}" for n in range(6, 30)),
            "c",
        ]
        assert [hit.passage.article for hit in hits] == names
        assert {hit.bm25 for hit in hits} == {hits[0].bm25}


def test_much_that_changed_is_sealed_in_the_background(tmp_path):
    texts = {f"a{number:03}": text(number) for number in range(12)}
    with opened(tmp_path) as index:
        fill(index, range(12))
        first = bases(tmp_path)
        fill(index, range(20, 26))
        texts |= {f"a{number:03}": text(number) for number in range(20, 26)}
        expected = fresh(tmp_path / "fresh", texts)
        assert_same(learned(index), expected)
        index.settle()
        assert bases(tmp_path) != first
        assert len(bases(tmp_path)) == 1
        assert index.snapshot.catalogue.delta.articles == 0
        assert_same(learned(index), expected)


def test_very_much_that_changed_is_sealed_at_once(tmp_path, monkeypatch):
    monkeypatch.setattr(sealing, "DELTA_FAR", 50)
    with opened(tmp_path) as index:
        fill(index, range(12))
        fill(index, range(20, 32))
        assert index.snapshot.catalogue.delta.articles == 0
        assert index.snapshot.article_count == 24


def test_where_others_change_more_than_can_be_sealed_it_opens_all_the_same(tmp_path, monkeypatch):
    with opened(tmp_path) as index:
        fill(index, range(12))
        expected = learned(index)
    monkeypatch.setattr(sealing, "DELTA_FAR", -1)  # always too much
    with opened(tmp_path) as index:
        assert_same(learned(index), expected)


def test_a_question_does_not_wait_for_sealing(tmp_path, monkeypatch):
    """Another process made the index very large: a question goes on with what it has."""
    with opened(tmp_path) as reader:
        monkeypatch.setattr(sealing, "SEAL_FROM", 10**9)
        with opened(tmp_path) as writer:
            fill(writer, range(12))
        monkeypatch.setattr(sealing, "SEAL_FROM", 20)
        assert not reader.refresh(wait=False)
        assert reader.snapshot.articles == []
        reader.settle()
        assert isinstance(reader.snapshot.catalogue, Layers)
        assert reader.snapshot.article_count == 12


def test_an_index_that_shrank_is_exact_again(tmp_path):
    with opened(tmp_path) as index:
        fill(index, range(12))
        with index.write():
            for number in range(1, 12):
                index.remove(f"a{number:03}")
        assert not isinstance(index.snapshot.catalogue, Layers)
        assert_same(learned(index), fresh(tmp_path / "fresh", {"a000": text(0)}))


def test_another_process_seals_and_changes(tmp_path):
    with opened(tmp_path) as one, opened(tmp_path) as other:
        fill(one, range(12))
        assert other.refresh()
        held = other.snapshot
        before = learned(other)
        assert_same(before, learned(one))
        put(one, article("z", text(50)))
        fill(one, range(20, 26))
        one.settle()
        assert other.refresh()
        assert_same(learned(other), learned(one))
        assert held.article_count == 12  # an old one stays as it was, on files that are deleted
        assert listed(held.bm25("zebra", 5))
        assert len(held.dense(vector("x"), 5)[0]) == 5


def test_rebuilding_for_another_encoder_drops_the_base(tmp_path):
    with opened(tmp_path) as index:
        fill(index, range(12))
    with opened(tmp_path, encoder_identity="other", rebuild=True) as index:
        assert len(index.snapshot) == 0
        for name in index.stale():
            made = index.article(name)
            index.put(made, [(0, 10)], vector(name, 3)[None])
        assert listed(index.snapshot.dense(vector("a003", 3), 1))[0][0] == 3


def random_changes(index, texts, rng, steps):
    for _ in range(steps):
        name = f"a{rng.randrange(40):03}"
        with index.write():
            if name in texts and rng.random() < 0.3:
                index.remove(name)
                del texts[name]
            else:
                texts[name] = text(rng.randrange(10**6), words=rng.randrange(1, 90))
                put(index, article(name, texts[name]))


@pytest.mark.parametrize(
    "seed", [1, pytest.param(2, marks=pytest.mark.slow), pytest.param(3, marks=pytest.mark.slow)]
)
def test_any_history_gives_what_an_exact_index_gives(tmp_path, seed):
    rng, texts = random.Random(seed), {}
    with opened(tmp_path / "worn") as index:
        fill(index, range(30))
        texts |= {f"a{number:03}": text(number) for number in range(30)}
        for round_ in range(4):
            random_changes(index, texts, rng, 4)
            if round_ == 2:
                index.settle()
            assert_same(learned(index), fresh(tmp_path / f"fresh{round_}", texts))
