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
