"""Articles, passages and vectors that need no model, for the tests of the index."""

from __future__ import annotations

import hashlib

import numpy as np

from qa.types import Article

DIMENSION = 16
SETTINGS = {"encoder_identity": "by-hash 1", "passage_settings": "60/40"}


def vector(text: str, dimension: int = DIMENSION) -> np.ndarray:
    """A unit vector (dim,) float32 that depends on the text alone."""
    seed = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
    values = np.random.default_rng(seed).standard_normal(dimension)
    return (values / np.linalg.norm(values)).astype(np.float32)


def cut(text: str, size: int = 60, step: int = 40) -> list[tuple[int, int]]:
    return [
        (start, min(start + size, len(text))) for start in range(0, max(len(text) - size + step, 1), step)
    ]


def embed(text: str, ranges: list[tuple[int, int]]) -> np.ndarray:
    return np.stack([vector(text[start:end]) for start, end in ranges])


def article(name: str, text: str, **known) -> Article:
    return Article(name, text, known.pop("title", name), known.pop("source", f"{name}.txt"), **known)


def put(index, made: Article):
    """Put an article as a pipeline would: embed only if that is needed."""
    if index.has(made.id, made.version):
        return index.put(made)
    ranges = cut(made.text)
    return index.put(made, ranges, embed(made.text, ranges))


def listed(found):
    return list(zip(*(values.tolist() for values in found), strict=True))


def answers(index, questions=("river", "common words of all", "the sea", "zebra")):
    """All that a question can learn from an index: rows with their places and scores, masks, weights of words."""
    snapshot = index.snapshot
    learned = [(info.article, info.version, info.passages) for info in snapshot.articles]
    for question in questions:
        every = range(len(snapshot))
        learned.append(snapshot.cosines(vector(question), every).tolist())
        learned.append(snapshot.bm25_scores(question, every).tolist())
        learned.append(dict(snapshot.weigh(question).weights))
        some = [info.article for info in snapshot.articles][::2]
        for allowed in (None, some):
            for rows, scores in (
                snapshot.dense(vector(question), 5, allowed),
                snapshot.bm25(question, 5, allowed),
            ):
                learned.append([(row, snapshot.passage(row), score) for row, score in listed((rows, scores))])
    learned.append({info.article: snapshot.masks(info.article) for info in snapshot.articles})
    return learned
