"""What the rows of an index's tables mean: the records they become, and how articles and vectors become rows.

``store.py`` reads and writes them; here nothing is read or written.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qa.types import Article, ArticleError, ArticleInfo, Range

# The columns of INFO and ARTICLE are those that to_info, to_contents and to_article expect, in this order; those of
# LIVE, but for the second, and of PUT, between article and characters, those that to_row gives.
_INFO = """
SELECT article, title, source, date, version, characters,
       (SELECT count(*) FROM passages p WHERE p.article = v.article), added, masks, locators
FROM versions v WHERE retired IS NULL {} ORDER BY article
"""
INFO = _INFO.format("")
TOUCHED = _INFO.format("AND article IN (SELECT article FROM touched)")
LIVE = """
SELECT version, embedded, title, source, path, date, masks, locators, bytes_sha256
FROM versions WHERE article = ? AND retired IS NULL
"""
PUT = """
INSERT INTO versions VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1, ?, NULL) ON CONFLICT DO UPDATE SET
title = excluded.title, source = excluded.source, path = excluded.path, date = excluded.date, masks = excluded.masks,
locators = excluded.locators, bytes_sha256 = excluded.bytes_sha256,
added = iif(retired IS NULL, added, excluded.added), embedded = 1, retired = NULL
"""
ARTICLE = """
SELECT text, title, source, date, masks, locators, bytes_sha256, path
FROM versions JOIN texts USING(version) WHERE article = ? AND retired IS NULL
"""


@dataclass(frozen=True, slots=True)
class Stamp:
    """Which commit: its number, and a token that no other commit has, even in a remade index."""

    generation: int
    token: str


@dataclass(frozen=True, slots=True)
class StoredArticle:
    """What is known about a live article, without its text."""

    info: ArticleInfo
    masks: tuple[Range, ...]
    locators: tuple[tuple[int, str], ...]


@dataclass(frozen=True, slots=True)
class Contents:
    """All that is searched, from one read transaction; passages in (article, start, end) order."""

    stamp: Stamp
    articles: tuple[StoredArticle, ...]  # sorted by id
    owner: NDArray[np.int32]  # (n,) position in `articles`
    starts: NDArray[np.int64]  # (n,)
    ends: NDArray[np.int64]  # (n,)
    vectors: NDArray[np.float16] | None  # (n, dim), or None if not asked for
    edges: tuple[tuple[str, str, str], ...]  # article, side, words


Row = tuple[Any, ...]


def to_info(row: Row) -> ArticleInfo:
    """From a row of ``INFO``."""
    return ArticleInfo(*row[:8])


def to_stored(row: Row) -> StoredArticle:
    """From a row of ``INFO``."""
    return StoredArticle(to_info(row), _ranges(row[8]), _locators(row[9]))


def to_article(article: str, row: Row) -> Article:
    """From a row of ``ARTICLE``: the article as it was put."""
    text, title, source, date, masks, locators, bytes_sha256, path = row
    return Article(
        article, text, title, source, date, _ranges(masks), _locators(locators), bytes_sha256, path
    )


def to_contents(
    stamp: Stamp, infos: Sequence[Row], places: Sequence[Row], edges: Sequence[Row], dimension: int | None
) -> Contents:
    """From all rows of one commit.

    :param infos: of ``INFO``.
    :param places: article, start, stop, vector; sorted.
    :param edges: article, side, words.
    :param dimension: of the vectors; None if they were not asked for.
    """
    articles = tuple(to_stored(row) for row in infos)
    position = {article.info.article: i for i, article in enumerate(articles)}
    matrix = None
    if dimension is not None:
        flat = np.frombuffer(b"".join(place[3] for place in places), np.float16)
        matrix = flat.reshape(len(places), dimension)
    return Contents(
        stamp,
        articles,
        np.fromiter((position[place[0]] for place in places), np.int32, len(places)),
        np.fromiter((place[1] for place in places), np.int64, len(places)),
        np.fromiter((place[2] for place in places), np.int64, len(places)),
        matrix,
        tuple((article, side, words) for article, side, words in edges),
    )


def to_row(article: Article) -> tuple[str, str, str, str | None, str | None, str, str, str]:
    """Columns version .. bytes_sha256.

    Names of files may hold bytes that are no characters (lone surrogates in Python); SQLite cannot store those.

    :raises ArticleError: if the text or the id holds such.
    """
    try:
        version = article.version
        article.id.encode()
    except UnicodeEncodeError as error:
        raise ArticleError(
            f"{article.title[:80]!r} holds what is no Unicode character: decode it anew"
        ) from error
    title, source, path, date = (
        value if value is None else value.encode("utf-8", "replace").decode()
        for value in (article.title, article.source, article.path, article.date)
    )
    masks, locators = json.dumps(article.masks), json.dumps(article.locators)
    return version, title or "", source or "", path, date, masks, locators, article.bytes_sha256


def to_blobs(
    passages: Sequence[Range], vectors: NDArray[np.float32] | NDArray[np.float16] | None, length: int
) -> list[bytes]:
    """The vectors as stored, after checking that they and the ranges make sense.

    :raises ValueError: if they do not.
    """
    if vectors is None or vectors.ndim != 2 or len(vectors) != len(passages):
        shape = None if vectors is None else vectors.shape
        raise ValueError(f"{len(passages)} passages need as many vectors, got shape {shape}")
    if len(set(passages)) != len(passages):
        raise ValueError("two passages have the same range")
    for start, end in passages:
        if not 0 <= start < end <= length:
            raise ValueError(f"passage {start}-{end} is outside the text of {length} characters, or empty")
    halves = np.ascontiguousarray(vectors, dtype="<f2")
    if not np.isfinite(halves).all():
        raise ValueError("a vector holds a number that is not finite in float16")
    return [half.tobytes() for half in halves]


def _ranges(stored: str) -> tuple[Range, ...]:
    return tuple((start, end) for start, end in json.loads(stored))


def _locators(stored: str) -> tuple[tuple[int, str], ...]:
    return tuple((start, label) for start, label in json.loads(stored))
