"""Which passages mean what a question means: cosines by faiss, whose only importer this module is."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import faiss
import numpy as np
from numpy.typing import NDArray

from qa.bm25 import Scored
from qa.types import Range

BACKEND = f"faiss {faiss.__version__} fp16"  # files of another version are built anew


class Dense:
    """Exact cosine search over unit vectors, kept as float16.

    faiss' float16 quantiser rather than its flat index: half the memory, a third of the time (100,000 vectors of 384:
    3.3 against 14.7 ms), and each score depends on its vector alone, not on where it lies.
    """

    def __init__(self, index: faiss.Index) -> None:
        self._index = index

    @classmethod
    def build(cls, vectors: NDArray[np.float16]) -> Dense:
        """Index vectors (n, dim), n > 0; row i is vector i."""
        kind = faiss.ScalarQuantizer.QT_fp16
        index = faiss.IndexScalarQuantizer(vectors.shape[1], kind, faiss.METRIC_INNER_PRODUCT)
        index.add_sa_codes(np.ascontiguousarray(vectors).view(np.uint8))
        return cls(index)

    @classmethod
    def load(cls, path: Path) -> Dense:
        """Open what ``save`` wrote.

        :raises OSError: if it cannot be read.
        """
        try:
            return cls(faiss.read_index(str(path)))
        except RuntimeError as error:
            raise OSError(f"cannot read {path}: {error}") from error

    def save(self, path: Path) -> None:
        """Write to a file.

        :raises OSError: if it cannot be written.
        """
        # Given a name, faiss only prints what goes wrong with its last buffer, and leaves the file cut off.
        untyped: Any = faiss  # its stub lacks the writer
        with path.open("wb") as file:
            faiss.write_index(self._index, untyped.PyCallbackIOWriter(file.write))

    def __len__(self) -> int:
        return int(self._index.ntotal)

    def search(self, vector: NDArray[np.float32], k: int, allowed: Sequence[Range] | None = None) -> Scored:
        """The ``k`` nearest rows, or all where there are fewer; ties in row order.

        :param vector: (dim,) unit vector.
        :param allowed: disjoint half-open ranges of rows to search in; None for all.
        :return: rows (m,) int64 and cosines (m,) float32, best first.
        :raises ValueError: if the vector has another dimension, or holds what is not finite.
        """
        query = self._query(vector)[None]
        inside = np.ones(len(self), bool) if allowed is None else np.zeros(len(self), bool)
        for start, end in allowed or ():
            inside[start:end] = True
        k = min(k, int(inside.sum()))
        if k <= 0:
            return np.empty(0, np.int64), np.empty(0, np.float32)
        bits = np.packbits(inside, bitorder="little")  # not copied by the selector: keep it alive
        parameters = None if allowed is None else _only(bits)
        # The setting belongs to the calling thread. One query is one thread's work, and a pool of idle OpenMP threads
        # would take the cores from the reader.
        faiss.omp_set_num_threads(1)
        scores, rows = (
            found[0] for found in self._index.search(query, min(k + 1, len(self)), params=parameters)
        )
        if len(rows) > k and rows[k] >= 0 and scores[k] == scores[k - 1]:
            # faiss keeps any of equal rows at the cut; take them all, and cut in row order.
            below = float(np.nextafter(scores[k - 1], np.float32(-np.inf)))
            _, scores, rows = self._index.range_search(query, below, params=parameters)
        else:
            scores, rows = scores[:k], rows[:k]
        order = np.lexsort((rows, -scores))[:k]
        return rows[order], scores[order]

    def cosines(
        self, vector: NDArray[np.float32], rows: Sequence[int] | NDArray[np.int64]
    ) -> NDArray[np.float32]:
        """Cosines of given rows, the very numbers ``search`` gives: (len(rows),) float32, in the order given.

        :raises ValueError: as ``search``.
        """
        query = self._query(vector)
        computer: Any = self._index.get_distance_computer()
        computer.set_query(faiss.swig_ptr(query))
        return np.fromiter((computer(int(row)) for row in rows), np.float32, len(rows))

    def _query(self, vector: NDArray[np.float32]) -> NDArray[np.float32]:
        if vector.shape != (self._index.d,):
            raise ValueError(
                f"a question's vector has shape {vector.shape}, the index wants ({self._index.d},)"
            )
        if not np.isfinite(vector).all():
            raise ValueError("a question's vector holds what is not finite")
        return np.ascontiguousarray(vector, np.float32)


def _only(bits: NDArray[np.uint8]) -> faiss.SearchParameters:
    """Search only the rows whose bit is set."""
    selector: Any = faiss.IDSelectorBitmap  # its stub asks for what the wrapper itself adds
    parameters: Any = faiss.SearchParameters
    return cast(faiss.SearchParameters, parameters(sel=selector(bits)))
