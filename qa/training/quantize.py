"""A reader's weights -> the int8 graph that a CPU runs (``python -m qa quantize``).

Static post-training quantisation by NNCF: weights and activations as int8, with ranges seen on a few hundred
question-passage pairs. The result lies beside the weights as ``int8.xml``, ``int8.bin`` and ``int8.json``, which
names the weights it was made from.
"""

from __future__ import annotations

import json
import os
import random
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from qa.evaluation.datasets import load_dataset
from qa.graph import convert, pad
from qa.models import load_tokenizer, model_folder, weights_sha256
from qa.reader import INT8, MODEL_TOKENS
from qa.types import DatasetError, ModelError

PAIRS = 300


def quantize(reader: str | Path, data: Sequence[Path], *, pairs: int = PAIRS, seed: int = 0) -> Path:
    """Write the int8 graph of a reader into its folder.

    :param data: question-answer files with contexts, for the ranges of activations. Never a development file.
    :returns: the path of the ``.xml``.
    :raises ModelError: if there is no such reader, or NNCF is not installed.
    :raises DatasetError: if the data cannot be read.
    """
    folder = model_folder(reader)
    weights = weights_sha256(folder)
    samples = _samples(folder, data, pairs, seed)
    nncf, ov = _libraries()
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        plain, quantised = Path(scratch) / "plain.xml", Path(scratch) / INT8
        convert(_module(folder), _example(), plain)
        model = nncf.quantize(
            ov.Core().read_model(plain),
            nncf.Dataset(samples),
            model_type=nncf.ModelType.TRANSFORMER,
            subset_size=len(samples),
            # CPUs without VNNI add int8 products in 16 bits: halve the weights' range, so that they cannot overflow.
            advanced_parameters=nncf.AdvancedQuantizationParameters(overflow_fix=nncf.OverflowFix.ENABLE),
        )
        ov.save_model(model, quantised, compress_to_fp16=True)
        note = {"weights": weights, "nncf": nncf.__version__, "pairs": len(samples), "seed": seed}
        quantised.with_suffix(".json").write_text(json.dumps(note, indent=1) + "\n")
        # The note last: until it names these weights, a graph is refused.
        for suffix in (".bin", ".xml", ".json"):
            os.replace(quantised.with_suffix(suffix), (folder / INT8).with_suffix(suffix))
    return folder / INT8


def _libraries() -> tuple[Any, Any]:
    # Without this package NNCF and OpenVINO report nothing to anybody.
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    try:
        import nncf
        import openvino
    except ImportError as error:
        raise ModelError("quantising needs NNCF: pip install -r requirements-train.txt") from error
    return nncf, openvino


def _samples(folder: Path, data: Sequence[Path], pairs: int, seed: int) -> list[dict[str, Any]]:
    tokenizer = load_tokenizer(folder)
    tokenizer.enable_truncation(MODEL_TOKENS, strategy="only_second")
    found = [(q.text, q.context) for path in data for q in load_dataset(path).questions if q.context]
    if not found:
        raise DatasetError(
            "quantising needs questions with contexts, as in SQuAD's files; give some with --data"
        )
    chosen = random.Random(seed).sample(found, min(pairs, len(found)))
    encodings = [tokenizer.encode(question, context) for question, context in chosen]
    return [
        {
            "input_ids": pad([e.ids]),
            "attention_mask": pad([e.attention_mask]),
            "token_type_ids": pad([e.type_ids]),
        }
        for e in encodings
    ]


def _module(folder: Path) -> Any:  # noqa: ANN401
    import torch
    from transformers import AutoModelForQuestionAnswering

    model = AutoModelForQuestionAnswering.from_pretrained(
        folder, dtype=torch.float32, local_files_only=True
    ).eval()

    class Logits(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, input_ids: Any, attention_mask: Any, token_type_ids: Any) -> Any:  # noqa: ANN401
            out = self.model(
                input_ids=input_ids, attention_mask=attention_mask, token_type_ids=token_type_ids
            )
            return out.start_logits, out.end_logits

    return Logits()


def _example() -> dict[str, Any]:
    import torch

    return {
        name: torch.from_numpy(np.ones((2, 16), dtype=np.int64))
        for name in ("input_ids", "attention_mask", "token_type_ids")
    }
