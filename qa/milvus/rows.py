"""What the rows of an index in Milvus mean: articles with all their versions, texts in pieces, passages.

``records`` holds, by the beginning of its ids: ``meta``; ``a:`` articles; ``e:`` edges; ``c:`` commits; ``g:`` the
newest generation; ``u:`` which article has which text. ``texts`` holds ``t:`` texts and ``s:`` counts of words. What
is longer than Milvus' limit lies in several rows, numbered from 0.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qa.edges import SHORTEST
from qa.milvus.connection import Row
from qa.rows import StoredArticle
from qa.types import Article, ArticleInfo, OldVersion, Range, sha256

PIECE = 60_000  # bytes; servers count bytes, whatever Milvus Lite does
FIELDS = ("id", "kind", "tag", "n", "body")
PASSAGE = ("id", "article", "edition", "start", "stop", "terms", "vector")
_NOTHING = [0.0, 0.0]


def key_of(article: str) -> str:
    """What an article goes by in rows and filters, whatever its id is made of."""
    return sha256(article)[:32]


def pieces(text: str, most: int = PIECE) -> list[str]:
    """A text cut into pieces of at most so many bytes of UTF-8, at least 4; never through a character.

    >>> pieces("näh", 4), pieces("")
    (['näh'], [''])
    >>> pieces("nähe", 4)
    ['näh', 'e']
    """
    data = text.encode()
    found, start = [], 0
    while len(data) - start > most:
        end = start + most
        while data[end] & 0xC0 == 0x80:  # in the middle of a character
            end -= 1
        found.append(data[start:end].decode())
        start = end
    return [*found, data[start:].decode()]


def row(id_: str, kind: str, tag: str = "", n: int = 0, body: str = "") -> Row:
    """A row of ``records`` or ``texts``."""
    return {"id": id_, "kind": kind, "tag": tag, "n": n, "body": body, "nothing": _NOTHING}


def long_rows(id_: str, kind: str, value: str) -> list[Row]:
    """A value of any length: ``n`` of its rows says how many there are, ``tag`` that they were written together."""
    parts, salt = pieces(value), secrets.token_hex(8)
    rows = (
        row(f"{id_}:{i}", kind if i == 0 else "more", salt, len(parts), part) for i, part in enumerate(parts)
    )
    return list(rows)


def joined(rows: Iterable[Row]) -> str | None:
    """The value whose rows these are; None if some are missing, or of another writing."""
    listed = sorted(rows, key=lambda r: int(r["id"].rpartition(":")[2]))
    if not listed or len(listed) != listed[0]["n"] or len({r["tag"] for r in listed}) != 1:
        return None
    return "".join(r["body"] for r in listed)


@dataclass(frozen=True, slots=True)
class Kept:
    """A version that an article has, or had."""

    version: str
    characters: int
    added: str
    retired: str | None


@dataclass(frozen=True, slots=True)
class Record:
    """An article as Milvus has it. Removed ones stay as long as a version of theirs is kept.

    ``edition`` names its passages: those of another are not searched. A passage's row is never changed.
    """

    article: str
    edition: str
    stored: StoredArticle | None
    path: str | None
    bytes_sha256: str
    edges: tuple[tuple[str, str], ...]
    kept: tuple[Kept, ...]  # in the order they became live

    @property
    def live(self) -> bool:
        """Whether it is searched."""
        return self.stored is not None

    def to_json(self) -> str:
        """To be stored."""
        stored = self.stored
        live = None
        if stored is not None:
            i = stored.info
            info = [i.title, i.source, i.date, i.version, i.characters, i.passages, i.added]
            live = [info, stored.masks, stored.locators]
        kept = [[k.version, k.characters, k.added, k.retired] for k in self.kept]
        value = [self.article, self.edition, live, self.path, self.bytes_sha256, self.edges, kept]
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))

    @classmethod
    def from_json(cls, value: str) -> Record:
        """What ``to_json`` gave."""
        article, edition, live, path, bytes_sha256, edges, kept = json.loads(value)
        stored = None
        if live is not None:
            info, masks, locators = live
            stored = StoredArticle(
                ArticleInfo(article, *info),
                tuple((a, b) for a, b in masks),
                tuple((a, b) for a, b in locators),
            )
        return cls(
            article, edition, stored, path, bytes_sha256, tuple((side, words) for side, words in edges),
            tuple(Kept(*each) for each in kept),
        )  # fmt: skip

    def find(self, prefix: str | None) -> str | None:
        """The live version, or the newest of those whose sha256 begins so."""
        if prefix is None:
            return self.stored.info.version if self.stored else None
        found = [k for k in self.kept if k.version.startswith(prefix)]
        found.sort(key=lambda k: (k.retired is None, k.added))
        return found[-1].version if found else None

    def retired(self, now: str) -> Record:
        """Without a live version."""
        kept = tuple(k if k.retired else replace(k, retired=now) for k in self.kept)
        return replace(self, edition="", stored=None, edges=(), kept=kept, path=None)

    def old(self) -> list[OldVersion]:
        """The versions that are live no more."""
        return [OldVersion(self.article, k.version, k.characters, k.retired) for k in self.kept if k.retired]

    def as_article(self, text: str) -> Article:
        """The live article, as it was put."""
        assert self.stored is not None
        info = self.stored.info
        return Article(
            self.article, text, info.title, info.source, info.date, self.stored.masks, self.stored.locators,
            self.bytes_sha256, self.path,
        )  # fmt: skip

    def rows(self) -> list[Row]:
        """Its rows in ``records``, those of its edges among them."""
        key = key_of(self.article)
        kind = "article" if self.live else "gone"
        found = long_rows(f"a:{key}", kind, self.to_json())
        known = dict(self.edges)
        for side in ("head", "tail"):
            words = known.get(side)
            if words is not None and len(words.encode()) > PIECE // 2:
                words = None  # no words of a language; such an article alone has them
            tag = "" if words is None else group_of(side, words)
            body = "" if words is None else json.dumps([words, self.article])
            found.append(row(f"e:{key}:{side}", "none" if words is None else "edge", tag, 0, body))
        return found


def group_of(side: str, words: str) -> str:
    """What articles have in common whose edges begin with the same few words."""
    first = " ".join(words.split(" ", SHORTEST)[:SHORTEST])
    return sha256(f"{side} {first}")[:32]


@dataclass(frozen=True, slots=True)
class PassageRow:
    """A passage as Milvus has it; ``vector`` (dim,) float16."""

    id: int
    article: str  # its key
    edition: str
    start: int
    end: int
    terms: str
    vector: NDArray[np.float16]

    @classmethod
    def make(
        cls, key: str, edition: str, place: Range, terms: Sequence[str], vector: NDArray[Any]
    ) -> PassageRow:
        """A new one. Its number is 63 bits of a hash: of 100 million, two are the same in one index of 2,000."""
        start, end = place
        digest = blake2b(f"{edition}:{start}:{end}".encode(), digest_size=8).digest()
        clipped = " ".join(terms)
        if len(clipped.encode()) > PIECE:
            clipped = pieces(clipped)[0].rpartition(" ")[0]
        number = int.from_bytes(digest, "big") >> 1
        return cls(number, key, edition, start, end, clipped, np.asarray(vector, np.float16))

    @classmethod
    def from_row(cls, found: Mapping[str, Any]) -> PassageRow:
        """From a row of ``PASSAGE``."""
        return cls(
            int(found["id"]), found["article"], found["edition"], int(found["start"]), int(found["stop"]),
            found["terms"], np.array(found["vector"], np.float16),
        )  # fmt: skip

    def to_row(self) -> Row:
        """To be stored. float16 fits into float32 exactly, and so comes back as it was."""
        return {
            "id": self.id, "article": self.article, "edition": self.edition, "start": self.start,
            "stop": self.end, "terms": self.terms, "vector": self.vector.astype(np.float32).tolist(),
        }  # fmt: skip
