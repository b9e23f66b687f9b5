"""Which quantised index proposes the candidates: ``python benchmarks/quantisers.py FOLDER --size 1000000``.

FOLDER is one that ``scale.py`` filled: its vectors and questions are used. For each kind of faiss index: the time to
make it, its file, and for each setting of its search how many of the exact 20 nearest are among 100, 200 and 400
candidates, with the time a search takes on one thread. Prints a table in Markdown.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import faiss
import numpy as np

KINDS = {  # faiss' own names: https://github.com/facebookresearch/faiss/wiki/The-index-factory
    "IVF, SQ8": "IVF{lists},SQ8",
    "IVF, RaBitQ fast-scan": "IVF{lists},RaBitQfs",
    "IVF, PQ fast-scan": "IVF{lists},PQ96x4fs",
    "HNSW, SQ8": "HNSW32,SQ8",
}
CANDIDATES = (100, 200, 400)
K = 20
_CHUNK = 1 << 15


def main() -> None:
    """Make and measure one kind after the other."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--size", type=int, default=100_000)
    parser.add_argument("--questions", type=int, default=150)
    parser.add_argument("--threads", type=int, default=2, help="while making")
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS))
    options = parser.parse_args()
    (path,) = (options.folder / str(options.size)).glob("derived/base-*/vectors.f16")
    questions = np.load(options.folder / "questions.npy")[: options.questions]
    vectors = np.memmap(path, np.float16, "r").reshape(-1, questions.shape[1])
    gold = nearest(vectors, questions)
    print(
        "| kind | made in | file | searched with | recall@20 of " + " / ".join(map(str, CANDIDATES)), end=""
    )
    print(" candidates | p50 |\n|---|---|---|---|---|---|")
    for kind in options.kinds:
        faiss.omp_set_num_threads(options.threads)
        started = time.perf_counter()
        index = make(KINDS[kind], vectors)
        made, size = time.perf_counter() - started, faiss.serialize_index(index).nbytes
        faiss.omp_set_num_threads(1)
        for words, parameters in searches(index):
            shares, p50 = measure(index, questions, gold, parameters)
            cells = (kind, f"{made:.0f} s", f"{size / 1e6:.0f} MB", words, shares, f"{p50:.1f} ms")
            print("| " + " | ".join(cells) + " |", flush=True)


def nearest(vectors: np.ndarray, questions: np.ndarray) -> np.ndarray:
    """The exact ``K`` nearest rows of each question, (questions, K)."""
    flat = faiss.IndexFlatIP(questions.shape[1])
    for start in range(0, len(vectors), _CHUNK):
        flat.add(vectors[start : start + _CHUNK].astype(np.float32))
    return flat.search(questions, K)[1]


def make(factory: str, vectors: np.ndarray) -> Any:
    """The index, trained with some vectors and holding all."""
    lists = min(2048, 4 * int(len(vectors) ** 0.5))
    index = faiss.index_factory(vectors.shape[1], factory.format(lists=lists), faiss.METRIC_INNER_PRODUCT)
    some = np.random.default_rng(0).choice(len(vectors), min(len(vectors), lists * 48), replace=False)
    index.train(vectors[np.sort(some)].astype(np.float32))
    for start in range(0, len(vectors), _CHUNK):
        index.add(vectors[start : start + _CHUNK].astype(np.float32))
    return index


def searches(index: Any) -> Iterator[tuple[str, Any]]:
    """In words, and as faiss' parameters."""
    if isinstance(index, faiss.IndexHNSW):
        for width in (100, 200, 400, 800):
            yield f"ef {width}", faiss.SearchParametersHNSW(efSearch=width)
        return
    for probed in (64, 128, 256):
        yield f"{probed} lists", faiss.SearchParametersIVF(nprobe=probed)


def measure(index: Any, questions: np.ndarray, gold: np.ndarray, parameters: Any) -> tuple[str, float]:
    """Recall for each number of candidates; the median search in milliseconds, with the fewest."""
    shares, times = [], []
    for count in CANDIDATES:
        found = []
        for question in questions:
            started = time.perf_counter()
            found.append(index.search(question[None], count, params=parameters)[1][0])
            if count == CANDIDATES[0]:
                times.append(time.perf_counter() - started)
        hits = [np.isin(right, rows).mean() for right, rows in zip(gold, found, strict=True)]
        shares.append(f"{np.mean(hits):.3f}")
    return " / ".join(shares), 1000 * float(np.median(times))


if __name__ == "__main__":
    main()
