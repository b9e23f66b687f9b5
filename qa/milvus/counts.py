"""How often words occur in an index in Milvus, which does not tell: what BM25 scores and confidences are made from.

Each commit leaves the counts of what it changed; their sum is that of the index. A term is counted under 64 bits of
its hash: 12 bytes a distinct term in memory, and no word of a text is kept here.
"""

from __future__ import annotations

import json
from base64 import b85decode, b85encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from zlib import compress, decompress

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Counts:
    """Sums over passages, or changes of them.

    ``hashes`` (n,) uint64, ascending; ``passages_with`` (n,) int32, in how many passages each occurs.
    """

    articles: int
    passages: int
    tokens: int
    hashes: NDArray[np.uint64]
    passages_with: NDArray[np.int32]

    @classmethod
    def of(cls, articles: int, passages: Iterable[Sequence[str]]) -> Counts:
        """Of articles whose passages have these terms.

        >>> counts = Counts.of(1, [["rain", "rain", "sun"], ["rain"]])
        >>> counts.passages, counts.tokens, counts.df("rain"), counts.df("sun"), counts.df("snow")
        (2, 4, 2, 1, 0)
        """
        number = tokens = 0
        seen: list[int] = []
        for terms in passages:
            number += 1
            tokens += len(terms)
            seen += [_hash(term) for term in set(terms)]
        hashes, times = np.unique(np.array(seen, np.uint64), return_counts=True)
        return cls(articles, number, tokens, hashes, times.astype(np.int32))

    @classmethod
    def sum(cls, parts: Iterable[Counts], taken: Iterable[Counts] = ()) -> Counts:
        """Some together, less others.

        >>> one, two = Counts.of(1, [["rain", "sun"]]), Counts.of(1, [["rain"]])
        >>> left = Counts.sum([one, two], taken=[one])
        >>> left.articles, left.passages, left.df("rain"), left.df("sun"), len(left.hashes)
        (1, 1, 1, 0, 1)
        """
        signed = [*((part, 1) for part in parts), *((part, -1) for part in taken)]
        hashes = np.concatenate([np.empty(0, np.uint64), *(part.hashes for part, _ in signed)])
        values = np.concatenate(
            [np.empty(0, np.int64), *(part.passages_with * sign for part, sign in signed)]
        )
        distinct, place = np.unique(hashes, return_inverse=True)
        sums = np.bincount(place, values, len(distinct)).astype(np.int32)
        return cls(
            sum(part.articles * sign for part, sign in signed),
            sum(part.passages * sign for part, sign in signed),
            sum(part.tokens * sign for part, sign in signed),
            distinct[sums != 0],
            sums[sums != 0],
        )

    def df(self, term: str) -> int:
        """In how many passages a term occurs."""
        sought = np.uint64(_hash(term))
        at = int(np.searchsorted(self.hashes, sought))
        return int(self.passages_with[at]) if at < len(self.hashes) and self.hashes[at] == sought else 0

    def to_text(self) -> str:
        """As text, to be stored."""
        head = json.dumps([self.articles, self.passages, self.tokens])
        arrays = self.hashes.astype("<u8").tobytes() + self.passages_with.astype("<i4").tobytes()
        return f"{head} {b85encode(compress(arrays)).decode()}"

    @classmethod
    def from_text(cls, stored: str) -> Counts:
        """What ``to_text`` gave.

        :raises ValueError: if it is something else.
        """
        head, _, packed = stored.rpartition(" ")
        articles, passages, tokens = json.loads(head)
        arrays = decompress(b85decode(packed))
        number = len(arrays) // 12
        hashes = np.frombuffer(arrays, "<u8", number).astype(np.uint64)
        times = np.frombuffer(arrays, "<i4", number, 8 * number).astype(np.int32)
        return cls(articles, passages, tokens, hashes, times)


def _hash(term: str) -> int:
    return int.from_bytes(blake2b(term.encode(), digest_size=8).digest(), "little")
