"""What tests of very large indexes share: bases of some dozen passages, and what can be asked of them."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from index_helpers import SETTINGS, article, put, vector

from qa import sealing
from qa.index import Index

WORDS = [
    "river",
    "sea",
    "mill",
    "bridge",
    "town",
    "iron",
    "barley",
    "zebra",
    "keeper",
    "hill",
    "the",
    "of",
    "and",
]
QUESTIONS = ("river", "the keeper of the mill", "zebra barley zebra", "common words of all", "nowhere")
STRAY = "common words of all these pages"


def make_large(monkeypatch, seal_from=20, delta_most=30):
    """From now on, so few passages are very many."""
    monkeypatch.setattr(sealing, "SEAL_FROM", seal_from)
    monkeypatch.setattr(sealing, "DELTA_MOST", delta_most)
    monkeypatch.setattr(sealing, "DELTA_FAR", 8 * delta_most)


def opened(folder, **changed):
    return Index.open(folder, **{**SETTINGS, "create": True, **changed})


def text(number, words=60, seed=0):
    """A text that depends on its number alone; every fifth begins like the others of these."""
    rng = random.Random(f"{seed} {number}")
    body = " ".join(rng.choice(WORDS) for _ in range(words))
    return f"{STRAY} {body}" if number % 5 == 0 else f"{body} end{number}"


def fill(index, numbers, **kind):
    with index.write():
        for number in numbers:
            put(index, article(f"a{number:03}", text(number, **kind)))


class ByHash:
    """Stands where an encoder does."""

    @staticmethod
    def encode_question(question):
        return vector(question)


def places(snapshot, found):
    """What a search found: scores by place, whatever the rows are."""
    return {
        (p.article, p.version, p.start, p.end, p.text): score
        for row, score in zip(*(values.tolist() for values in found), strict=True)
        for p in [snapshot.passage(row)]
    }


def assert_same(ones, others):
    """Two results of ``learned``; scores may differ in their last bits."""
    assert len(ones) == len(others)
    for one, other in zip(ones, others, strict=True):
        assert one == (pytest.approx(other, abs=1e-4) if isinstance(other, dict) else other)


def learned(index, questions=QUESTIONS):
    """All that questions can learn from an index, whether it is sealed or not; without the times of adding."""
    return learned_of(index.snapshot, questions)


def learned_of(snapshot, questions=QUESTIONS):
    """As ``learned``, of a snapshot."""
    every = len(snapshot)
    names = [info.article for info in snapshot.articles]
    infos = [snapshot.article(name) for name in names]
    assert [stored.info for stored in infos] == snapshot.articles
    result = [
        snapshot.article_count, every, [replace(info, added="") for info in snapshot.articles],
        [(snapshot.masks(name), snapshot.text(name)) for name in names],
        [(stored.masks, stored.locators) for stored in infos],
    ]  # fmt: skip
    for question in questions:
        result.append(dict(snapshot.weigh(question).weights))
        result.append(snapshot.holding(question))
        result.append(snapshot.holding(question, names[::2]))
        for allowed in (None, names[::2], names[:1], []):
            near = snapshot.dense(vector(question), every, allowed)
            assert snapshot.cosines(vector(question), near[0]).tolist() == near[1].tolist()
            result.append(places(snapshot, near))
            shared = snapshot.bm25(question, every, allowed)
            assert snapshot.bm25_scores(question, shared[0]).tolist() == shared[1].tolist()
            result.append(places(snapshot, shared))
    return result


def fresh(folder, texts):
    """What an exact index of these texts, by article, has learned."""
    with opened(folder) as index:
        with index.write():
            for name, made in texts.items():
                put(index, article(name, made))
        return learned_of(index._exact.newest())


def bases(folder):
    return sorted(path.name for path in (folder / "derived").glob("base-*"))
