"""Makes large indexes without embedding: real passages and vectors, recombined. For ``scale.py``.

A passage is made of the sentences of two real ones, its vector of their two vectors in the same shares, with noise,
scaled to length 1 again. Eight passages are an article. All is written through ``Store``, in large transactions.
"""

from __future__ import annotations

import gzip
import json
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import apsw
import numpy as np

from qa.edges import edges
from qa.store import Store
from qa.types import Article

PASSAGES_AN_ARTICLE = 8
NOISE = 0.3  # length of what is added to a vector of length 1
_ARTICLES_A_COMMIT = 2500


@dataclass(frozen=True)
class Real:
    """Real passages, cut into sentences, with their vectors (n, dim), and what the index was made with."""

    passages: list[list[str]]
    vectors: np.ndarray
    encoder: str
    settings: str


def read_real(index: Path) -> Real:
    """From an index made by ``python -m qa index``."""
    connection = apsw.Connection(str(index / "articles.sqlite"), flags=apsw.SQLITE_OPEN_READONLY)
    meta = dict(connection.execute("SELECT key, value FROM meta").fetchall())
    rows = connection.execute(
        "SELECT substr(text, start + 1, stop - start), vector FROM passages JOIN versions USING(article) "
        "JOIN texts USING(version) WHERE retired IS NULL ORDER BY article, start"
    ).fetchall()
    vectors = np.frombuffer(b"".join(vector for _, vector in rows), np.float16).reshape(len(rows), -1)
    passages = [re.split(r"(?<=[.!?])\s+", text) for text, _ in rows]
    return Real(passages, vectors.astype(np.float32), meta["encoder"], meta["passage settings"])


def read_questions(paths: list[Path], each: int) -> list[str]:
    """Some questions of each JSON Lines file, always the same."""
    found: list[str] = []
    for path in paths:
        with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open() as file:
            asked = [json.loads(line)["question"] for line in file]
        found += random.Random(1).sample(asked, min(each, len(asked)))
    return found


def articles(
    real: Real, count: int, seed: int = 0
) -> Iterator[tuple[Article, list[tuple[int, int]], np.ndarray]]:
    """Articles of ``count`` passages together, with ranges and vectors; the same for the same seed."""
    rng, noise = random.Random(seed), np.random.default_rng(seed)
    for number, first in enumerate(range(0, count, PASSAGES_AN_ARTICLE)):
        ranges, vectors, text = [], [], ""
        for _ in range(min(PASSAGES_AN_ARTICLE, count - first)):
            passage, vector = _recombined(real, rng, noise)
            text += "\n\n" if text else ""
            ranges.append((len(text), len(text) + len(passage)))
            text += passage
            vectors.append(vector)
        name = f"s{seed}-{number:07}"
        yield Article(name, text, f"Article {number}", f"{name}.txt"), ranges, np.stack(vectors)


def _recombined(real: Real, rng: random.Random, noise: np.random.Generator) -> tuple[str, np.ndarray]:
    one, other = rng.randrange(len(real.passages)), rng.randrange(len(real.passages))
    share = rng.uniform(0.55, 0.95)
    sentences = [
        *_some(real.passages[one], share, rng),
        *_some(real.passages[other], 1 - share, rng),
    ]
    vector = share * real.vectors[one] + (1 - share) * real.vectors[other]
    vector += noise.standard_normal(len(vector)).astype(np.float32) * (NOISE / len(vector) ** 0.5)
    return " ".join(sentences), vector / np.linalg.norm(vector)


def _some(sentences: list[str], share: float, rng: random.Random) -> list[str]:
    kept = rng.sample(range(len(sentences)), max(1, round(share * len(sentences))))
    return [sentences[i] for i in sorted(kept)]


def write(folder: Path, real: Real, count: int) -> None:
    """Make an index of ``count`` passages; nothing is derived of it yet."""
    store = Store(folder, encoder=real.encoder, passage_settings=real.settings, create=True)
    made = articles(real, count)
    more = True
    while more:
        more = False
        with store.write():
            for _, (article, ranges, vectors) in zip(range(_ARTICLES_A_COMMIT), made):  # noqa: B905
                store.put(article, ranges, vectors, edges(article.text))
                more = True
    store.close()
