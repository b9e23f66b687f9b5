"""Nearest vectors among very many: a quantised index in a file proposes, exact cosines decide.

The index (faiss, inverted lists over 8-bit codes) lies in a file that is mapped into memory, and so do not the exact
float16 vectors beside it: the few that are wanted are read from their places, which keeps them out of the process.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import faiss
import numpy as np
from numpy.typing import NDArray

from qa.bm25 import Scored
from qa.dense import Dense
from qa.types import Range

BACKEND = f"faiss {faiss.__version__} ivf-sq8"  # files of another version are built anew

VECTORS = "vectors.f16"
_QUANTISED = "quantised.faiss"
_CANDIDATES = 4  # times as many are rescored as are wanted
_ALL_PROBED_UP_TO = 1 << 16  # vectors
_MOST_LISTS = 2048  # else four times the root of the number of vectors
_LEAST_A_LIST = 39  # vectors; faiss warns of fewer
_PROBED = 256  # lists; benchmarks/scale.md
_TRAINED_WITH = 48  # vectors a list
_CHUNK = 1 << 15  # vectors at a time
_EXACT_UP_TO = 1 << 15  # passages of the articles that a question is restricted to


def _lists(vectors: int) -> int:
    """How many inverted lists so many vectors are put into: while all are probed, nothing near is missed."""
    return _PROBED if vectors <= _ALL_PROBED_UP_TO else min(_MOST_LISTS, 4 * math.isqrt(vectors))


def sync(file: BinaryIO) -> None:
    """Bring a file of vectors to the disk: its checksum is not looked at when it is opened."""
    file.flush()
    os.fsync(file.fileno())


class SealedDense:
    """Approximate search with exact cosines over the vectors in a folder. Immutable; safe to use from many threads.

    :param folder: what ``build`` filled.
    :raises OSError: if it cannot be read.
    """

    def __init__(self, folder: Path) -> None:
        untyped: Any = faiss
        try:
            self._index: Any = untyped.read_index(str(folder / _QUANTISED), faiss.IO_FLAG_MMAP)
        except RuntimeError as error:
            raise OSError(f"cannot read {folder / _QUANTISED}: {error}") from error
        # It would start 32 threads a question to read ahead: 2.1 instead of 0.5 ms of the processor.
        untyped.downcast_InvertedLists(self._index.invlists).prefetch_nthread = 0
        self.dimension = int(self._index.d)
        self._file = os.open(folder / VECTORS, os.O_RDONLY)
        if os.fstat(self._file).st_size != len(self) * self.dimension * 2:
            raise OSError(f"{folder / VECTORS} holds other vectors than {_QUANTISED}")

    def __del__(self) -> None:
        if hasattr(self, "_file"):
            os.close(self._file)

    @staticmethod
    def build(folder: Path, dimension: int, check: Callable[[], None] = lambda: None) -> None:
        """Make the quantised index of the vectors in the folder.

        :param check: called now and then; what it raises ends the making.
        :raises OSError: if it cannot be written, or there are no vectors.
        """
        if not (folder / VECTORS).stat().st_size:
            raise OSError("no vectors")
        vectors = np.memmap(folder / VECTORS, np.float16, "r").reshape(-1, dimension)
        lists = max(1, min(_lists(len(vectors)), len(vectors) // _LEAST_A_LIST))
        coarse = faiss.IndexFlatIP(dimension)
        index: Any = faiss.IndexIVFScalarQuantizer(
            coarse, dimension, lists, faiss.ScalarQuantizer.QT_8bit, faiss.METRIC_INNER_PRODUCT, False
        )
        some = np.random.default_rng(0).choice(
            len(vectors), min(len(vectors), lists * _TRAINED_WITH), replace=False
        )
        index.cp.niter = 8
        index.train(vectors[np.sort(some)].astype(np.float32))
        for start in range(0, len(vectors), _CHUNK):
            check()
            index.add(vectors[start : start + _CHUNK].astype(np.float32))
        untyped: Any = faiss
        with (folder / _QUANTISED).open("wb") as file:  # see Dense.save
            faiss.write_index(index, untyped.PyCallbackIOWriter(file.write))

    def __len__(self) -> int:
        return int(self._index.ntotal)

    def exact(self, rows: NDArray[np.int64]) -> Dense:
        """The vectors of these rows, at least one, for an exact search; its row i is ``rows[i]``."""
        size = self.dimension * 2
        read = b"".join([os.pread(self._file, size, row * size) for row in rows.tolist()])
        return Dense.build(np.frombuffer(read, np.float16).reshape(len(rows), self.dimension))

    def search(
        self, vector: NDArray[np.float32], k: int, inside: NDArray[np.bool_] | None, few: Sequence[Range]
    ) -> Scored:
        """The ``k`` nearest rows, nearly all of them, with exact cosines; best first, ties in row order.

        :param inside: (n,) which rows to search among; None for all.
        :param few: the same as ranges, where they are so few that exact search is faster; else empty.
        """
        if few:
            rows = np.concatenate([np.arange(start, end) for start, end in few])
        else:
            rows = self._candidates(vector, min(k * _CANDIDATES, len(self)), inside)
        if not len(rows):
            return np.empty(0, np.int64), np.empty(0, np.float32)
        found, cosines = self.exact(rows).search(vector, k)
        return rows[found], cosines

    def _candidates(
        self, vector: NDArray[np.float32], count: int, inside: NDArray[np.bool_] | None
    ) -> NDArray[np.int64]:
        """Rows, ascending."""
        untyped: Any = faiss
        selector = None if inside is None else np.packbits(inside, bitorder="little")  # kept alive below
        parameters = untyped.SearchParametersIVF(
            nprobe=min(_PROBED, self._index.nlist),
            **({} if selector is None else {"sel": untyped.IDSelectorBitmap(selector)}),
        )
        faiss.omp_set_num_threads(1)  # see Dense.search
        query = np.ascontiguousarray(vector, np.float32)[None]
        rows = self._index.search(query, count, params=parameters)[1][0]
        # -1 where fewer were found; anything else outside comes from a damaged file.
        return np.sort(rows[(rows >= 0) & (rows < len(self))])


class LayeredDense:
    """As ``dense.Dense``; a row below the base's length is one of the base, one above it of the delta.

    :param delta: the vectors since, in order; None if there are none.
    :param gone_rows: rows of the base that are out of date, disjoint ranges.
    """

    def __init__(self, base: SealedDense, delta: Dense | None, gone_rows: Sequence[Range]) -> None:
        self._base, self._delta = base, delta
        self._live = np.ones(len(base), bool)
        for start, end in gone_rows:
            self._live[start:end] = False
        self._gone = bool(gone_rows)

    def search(self, vector: NDArray[np.float32], k: int, allowed: Sequence[Range] | None = None) -> Scored:
        """As ``Dense``, but nearly all of the nearest."""
        border = len(self._base)
        self._check(vector)
        inside, few = self._live if self._gone else None, list[Range]()
        searched = True
        in_delta = None
        if allowed is not None:  # of live articles, so nothing that is gone
            in_base = [(start, min(end, border)) for start, end in allowed if start < border]
            in_delta = [(max(start - border, 0), end - border) for start, end in allowed if end > border]
            searched = bool(in_base)
            if sum(end - start for start, end in in_base) <= _EXACT_UP_TO:
                few = in_base
            else:
                inside = np.zeros(border, bool)
                for start, end in in_base:
                    inside[start:end] = True
        found = [self._base.search(vector, k, inside, few)] if searched and k > 0 else []
        if self._delta is not None:
            rows, cosines = self._delta.search(vector, k, in_delta)
            found.append((rows + border, cosines))
        if not found:
            return np.empty(0, np.int64), np.empty(0, np.float32)
        rows, cosines = (np.concatenate(parts) for parts in zip(*found, strict=True))
        order = np.lexsort((rows, -cosines))[: max(k, 0)]
        return rows[order], cosines[order]

    def cosines(
        self, vector: NDArray[np.float32], rows: Sequence[int] | NDArray[np.int64]
    ) -> NDArray[np.float32]:
        """As ``Dense``."""
        self._check(vector)
        wanted = np.asarray(rows, np.int64)
        result = np.empty(len(wanted), np.float32)
        old = wanted < len(self._base)
        if old.any():
            result[old] = self._base.exact(wanted[old]).cosines(vector, range(int(old.sum())))
        if not old.all():
            assert self._delta is not None
            result[~old] = self._delta.cosines(vector, wanted[~old] - len(self._base))
        return result

    def _check(self, vector: NDArray[np.float32]) -> None:
        """:raises ValueError: as ``Dense.search``."""
        if vector.shape != (self._base.dimension,):
            raise ValueError(
                f"a question's vector has shape {vector.shape}, the index wants ({self._base.dimension},)"
            )
        if not np.isfinite(vector).all():
            raise ValueError("a question's vector holds what is not finite")
