"""Time per question against plain torch: ``python -m benchmarks.speed DATASET [--questions N] [--json OUT]``.

Indexes the dataset's articles, then takes turns, question by question in one process and with the same number of
threads: ``ask`` (retrieve, read, decide), and a plain torch fp32 model with the same weights reading the question's
ten best passages in one padded batch. Prints both medians and their ratio; turns keep a noisy machine fair.
"""

from __future__ import annotations

import platform
import time

import numpy as np
import torch
from transformers import AutoModelForQuestionAnswering, AutoTokenizer

from benchmarks.asking import arguments, indexed, show
from qa.graph import available_cpus
from qa.models import model_folder
from qa.reader import DEFAULT

PASSAGES = 10


def main() -> None:
    """Measure and print."""
    options = arguments(__doc__, questions=200)
    with indexed(options) as (pipeline, questions):
        ours, plain = measure(pipeline, questions)
        info = pipeline.info()
    result = {
        "passages": info["passages"],
        "questions": len(questions),
        "threads": available_cpus(),
        "machine": platform.processor() or platform.machine(),
        "ask_ms": quantiles(ours),
        f"torch_fp32_reads_{PASSAGES}_ms": quantiles(plain),
        "ratio_p50": round(float(np.median(plain) / np.median(ours)), 2),
    }
    show(result, options)


def measure(pipeline, questions: list[str]) -> tuple[list[float], list[float]]:
    """Milliseconds of each question, ours and plain torch's, in turns."""
    torch.set_num_threads(available_cpus())
    folder = model_folder(DEFAULT)
    model = AutoModelForQuestionAnswering.from_pretrained(
        folder, dtype=torch.float32, local_files_only=True
    ).eval()
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    ours: list[float] = []
    plain: list[float] = []
    for number, question in enumerate([*questions[:5], *questions]):  # the first five warm up
        started = time.perf_counter()
        pipeline.ask(question)
        asked = time.perf_counter()
        texts = [row["text"] for row in pipeline.search(question, PASSAGES)]
        ready = time.perf_counter()
        inputs = tokenizer(
            [question] * len(texts),
            texts,
            return_tensors="pt",
            padding=True,
            truncation="only_second",
            max_length=512,
        )
        with torch.inference_mode():
            model(**inputs)
        finished = time.perf_counter()
        if number >= 5:
            ours.append(1000 * (asked - started))
            plain.append(1000 * (finished - ready))
    return ours, plain


def quantiles(times: list[float]) -> dict[str, float]:
    """p50 and p95, in ms."""
    return {f"p{p}": round(float(np.percentile(times, p)), 1) for p in (50, 95)}


if __name__ == "__main__":
    main()
