"""Question -> ranked Hits: dense and BM25, fused.

Both searches give their best ``POOL`` passages. Over the union, the exact cosine and the exact BM25 score of
every passage are scaled to 0..1 (min-max) and added, ``DENSE`` to 1 - ``DENSE`` (a convex combination; Bruch et al.
2022, "An Analysis of Fusion Functions for Hybrid Retrieval"). The pool is fixed: how many hits a caller wants
changes neither their order nor their scores.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from qa.encoder import Encoder
from qa.graph import Array
from qa.snapshot import Snapshot
from qa.types import Hit

POOL = 50
DENSE = 0.55
# Below both there is nothing to read: a passage this far from the question, and not a word in common with it.
COSINE_FLOOR = 0.05

# Follow-ups made of SQuAD training questions, recall@1 without / with / searched as if the context were asked:
# .80 / .88 / .89 where the question before is on the same paragraph (150), .74 / .72 / .25 where it is not (120).
CONTEXT = 0.5


class Retriever:
    """Searches a snapshot for a question. Thread-safe.

    :param encoder: the one the snapshot's vectors were made with.
    :param dense: the share of the cosine in the fusion.
    """

    def __init__(self, encoder: Encoder, dense: float = DENSE) -> None:
        self._encoder = encoder
        self._dense = dense

    def retrieve(
        self,
        snapshot: Snapshot,
        question: str,
        allowed: Sequence[str] | None = None,
        limit: int = POOL,
        context: str = "",
    ) -> list[Hit]:
        """At most ``POOL`` hits, best first; ties by article and place.

        :param allowed: ids of the articles to search in; None for all.
        :param context: what was said before a follow-up; it brings the passages that were spoken of forward. Only the
            order depends on it: the scores are the question's own, which a calibration was fitted to.
        """
        vector = self._encoder.encode_question(question)
        near, _ = snapshot.dense(vector, POOL, allowed)
        shared, _ = snapshot.bm25(question, POOL, allowed)
        rows = snapshot.in_order(np.union1d(near, shared))
        # Rounded, so that the last bits of a sum cannot order equals.
        cosines = np.round(snapshot.cosines(vector, rows).astype(np.float64), 6)
        words = np.round(snapshot.bm25_scores(question, rows).astype(np.float64), 5)
        kept = (cosines >= COSINE_FLOOR) | (words > 0)
        rows, cosines, words = rows[kept], cosines[kept], words[kept]
        fused = fuse(cosines, words, self._dense)
        wanted = fused
        if context:
            broad = f"{question} {context}"
            near_it = np.round(
                snapshot.cosines(self._encoder.encode_question(broad), rows).astype(np.float64), 6
            )
            shared_with_it = np.round(snapshot.bm25_scores(broad, rows).astype(np.float64), 5)
            wanted = np.round(fused + CONTEXT * fuse(near_it, shared_with_it, self._dense), 6)
        order = np.argsort(-wanted, kind="stable")[: min(limit, POOL)]
        return [
            Hit(passage, float(fused[i]), float(cosines[i]), float(words[i]))
            for i, passage in zip(order, snapshot.passages(rows[order].tolist()), strict=True)
        ]


def fuse(cosines: Array, words: Array, dense: float = DENSE) -> Array:
    """``dense`` x min-max(cosines) + (1 - ``dense``) x min-max(BM25 scores); both (n,), so is the result, 0..1.

    >>> fuse(np.array([0.2, 0.6, 0.4]), np.array([0.0, 3.0, 6.0]), dense=0.5).tolist()
    [0.0, 0.75, 0.75]
    """
    return np.round(dense * _min_max(cosines) + (1 - dense) * _min_max(words), 6)


def _min_max(scores: Array) -> Array:
    """To 0..1; all 1 where all are equal and positive, since a lone candidate is no worse for being alone."""
    if len(scores) == 0:
        return scores
    low, high = scores.min(), scores.max()
    return (scores - low) / (high - low) if high > low else np.full(len(scores), float(high > 0))
