"""A reader's, or the default encoder's, weights -> the int8 graph that a CPU runs (``python -m qa quantize``).

Static post-training quantisation by NNCF: weights and activations as int8, with ranges seen on a few hundred
question-passage pairs. The result is ``int8.xml``, ``int8.bin`` and ``int8.json``, which names the weights it was
made from: a reader's lie beside its weights, the encoder's in ``models/encoder/``.
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

from qa.encoder import DEFAULT as ENCODER
from qa.encoder import DEFAULT_SHA256 as ENCODER_SHA256
from qa.encoder import FOLDER as ENCODER_FOLDER
from qa.encoder import default_weights, graph_sha256
from qa.evaluation.datasets import load_dataset
from qa.graph import convert, pad
from qa.models import load_tokenizer, model_folder, weights_sha256
from qa.passages import PassageSettings
from qa.reader import INT8, MODEL_TOKENS
from qa.types import DatasetError, ModelError

PAIRS = 300
QUESTIONS = 5  # of the texts for the encoder, one in so many is a question; the others are passages


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
    note = {"weights": weights, "pairs": len(samples), "seed": seed}
    return _write(folder, _logits(folder), samples, note)


def quantize_encoder(
    data: Sequence[Path], *, name: str = ENCODER, folder: Path = ENCODER_FOLDER,
    pairs: int = PAIRS, seed: int = 0,
) -> Path:  # fmt: skip
    """Write the int8 graph of the default encoder.

    :param data: as for ``quantize``; each pair gives a passage or a question.
    :returns: the path of the ``.xml``.
    :raises ModelError: if another encoder is named, or NNCF is not installed.
    :raises DatasetError: if the data cannot be read.
    """
    if name != ENCODER:
        raise ModelError(f"only {ENCODER} has an int8 graph; other encoders run as they are")
    base = default_weights()
    tokenizer = load_tokenizer(base)
    tokenizer.enable_truncation(PassageSettings().longest + 2)  # [CLS], [SEP]
    texts = [
        question if number % QUESTIONS == 0 else context
        for number, (question, context) in enumerate(_pairs(data, pairs, seed))
    ]
    samples = [
        {"input_ids": pad([e.ids]), "attention_mask": pad([e.attention_mask])}
        for e in map(tokenizer.encode, texts)
    ]
    folder.mkdir(parents=True, exist_ok=True)
    note = {"weights": ENCODER_SHA256, "texts": len(samples), "seed": seed}
    return _write(folder, _mean_pooled(base), samples, note)


def _write(folder: Path, module: Any, samples: list[dict[str, Any]], note: dict[str, Any]) -> Path:  # noqa: ANN401
    """Quantise a torch module; the graph and its note are put into the folder, each file whole."""
    import torch

    nncf, ov = _libraries()
    example = {name: torch.ones(2, 16, dtype=torch.long) for name in samples[0]}
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        plain, quantised = Path(scratch) / "plain.xml", Path(scratch) / INT8
        convert(module, example, plain)
        model = nncf.quantize(
            ov.Core().read_model(plain),
            nncf.Dataset(samples),
            model_type=nncf.ModelType.TRANSFORMER,
            subset_size=len(samples),
            # CPUs without VNNI add int8 products in 16 bits: halve the weights' range, so that they cannot overflow.
            advanced_parameters=nncf.AdvancedQuantizationParameters(overflow_fix=nncf.OverflowFix.ENABLE),
        )
        ov.save_model(model, quantised, compress_to_fp16=True)
        note = {**note, "nncf": nncf.__version__, "graph": graph_sha256(quantised)}
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
    encodings = [tokenizer.encode(question, context) for question, context in _pairs(data, pairs, seed)]
    return [
        {
            "input_ids": pad([e.ids]),
            "attention_mask": pad([e.attention_mask]),
            "token_type_ids": pad([e.type_ids]),
        }
        for e in encodings
    ]


def _pairs(data: Sequence[Path], pairs: int, seed: int) -> list[tuple[str, str]]:
    """Questions with their contexts, drawn from all files alike."""
    found = [(q.text, q.context) for path in data for q in load_dataset(path).questions if q.context]
    if not found:
        raise DatasetError(
            "quantising needs questions with contexts, as in SQuAD's files; give some with --data"
        )
    return random.Random(seed).sample(found, min(pairs, len(found)))


def _logits(folder: Path) -> Any:  # noqa: ANN401
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


def _mean_pooled(folder: Path) -> Any:  # noqa: ANN401
    import torch
    from transformers import AutoModel

    transformer = AutoModel.from_pretrained(folder, dtype=torch.float32, local_files_only=True).eval()

    class MeanPooled(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.transformer = transformer

        def forward(self, input_ids: Any, attention_mask: Any) -> Any:  # noqa: ANN401
            hidden = self.transformer(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
            weight = attention_mask.unsqueeze(-1).to(hidden.dtype)  # (B, T, 1)
            mean = (hidden * weight).sum(1) / weight.sum(1).clamp(min=1e-9)
            return torch.nn.functional.normalize(mean, dim=-1)  # (B, 384)

    return MeanPooled().eval()
