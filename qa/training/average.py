"""Average readers that were fine-tuned from the same weights (``python -m qa average``).

Wortsman et al. 2022, "Model soups": the mean of the weights of runs that share their beginning is often better than
each of them, and costs nothing when it answers.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from qa.models import model_folder, weights_sha256
from qa.types import ModelError

RECORD = "training.json"
WEIGHTS = "model.safetensors"


def average(readers: Sequence[str | Path], out: Path) -> Path:
    """Write the mean of several readers' weights to a folder, ready for ``quantize`` and ``calibrate``.

    :param readers: two or more folders or ids, of one architecture and one tokenizer.
    :returns: the folder: weights (float16), tokenizer, and training.json with how each of them was made.
    :raises ModelError: if a reader cannot be loaded, they do not fit each other, or the folder holds a reader.
    """
    if len(readers) < 2:
        raise ModelError("an average needs two readers or more")
    folders = [model_folder(reader) for reader in readers]
    if (out / WEIGHTS).exists():
        raise ModelError(f"{out} holds a reader already; give another folder with --out")
    tokenizers = {(folder / "tokenizer.json").read_text(encoding="utf-8") for folder in folders}
    if len({json.dumps(json.loads(text)["model"], sort_keys=True) for text in tokenizers}) > 1:
        raise ModelError(
            "these readers have different tokenizers; average such as began with the same weights"
        )
    mean = _mean(folders)
    out.mkdir(parents=True, exist_ok=True)
    record = {"average": [{"weights": weights_sha256(folder), **_record(folder)} for folder in folders]}
    (out / RECORD).write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    for name in (
        "config.json",
        "tokenizer.json",
        "tokenizer_config.json",
        "special_tokens_map.json",
        "vocab.txt",
    ):
        if (folders[0] / name).is_file():
            shutil.copyfile(folders[0] / name, out / name)
    from safetensors.torch import save_file

    save_file(mean, out / WEIGHTS, metadata={"format": "pt"})  # last: it says that this is a reader
    return out


def _mean(folders: Sequence[Path]) -> dict[str, Any]:
    """Of each tensor, in float32, as float16."""
    from safetensors.torch import load_file

    try:
        weights = [load_file(folder / WEIGHTS) for folder in folders]
    except (OSError, RuntimeError) as error:
        raise ModelError(f"an average needs readers with {WEIGHTS} ({error})") from error
    shapes = {tuple((name, tuple(tensor.shape)) for name, tensor in sorted(each.items())) for each in weights}
    if len(shapes) > 1:
        raise ModelError(
            "these readers are of different architectures; average such as began with the same weights"
        )
    count = len(weights)
    return {name: (sum(each[name].float() for each in weights) / count).half() for name in weights[0]}


def _record(folder: Path) -> dict[str, Any]:
    path = folder / RECORD
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
