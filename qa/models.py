"""Where models lie and what they are: folders, the identity of weights, tokenizers."""

from __future__ import annotations

import json
import os
from pathlib import Path

# Before any Hugging Face library is imported: at run time nothing is fetched and nothing phones home.
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")

from tokenizers import Tokenizer

from qa.types import ModelError, sha256


def model_folder(name: str | Path) -> Path:
    """The folder of a model: the one given, or that of a Hugging Face id in the local cache.

    :raises ModelError: if there is neither.
    """
    if os.path.isdir(name):  # False, not an error, for what can be no path
        return Path(name)
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError, OfflineModeIsEnabled

    try:
        return Path(snapshot_download(str(name), local_files_only=True))
    except (LocalEntryNotFoundError, HFValidationError, OfflineModeIsEnabled, OSError) as error:
        raise ModelError(
            f"no model at {str(name)!r}; give a folder, or an id that is in the local cache"
        ) from error


def weights_sha256(folder: Path) -> str:
    """sha256 of a model's weights, of the list of their sha256s where there are several files.

    :raises ModelError: if the folder holds none.
    """
    for pattern in ("*.safetensors", "pytorch_model*.bin"):
        if files := sorted(folder.glob(pattern)):
            digests = [sha256(file.read_bytes()) for file in files]
            return digests[0] if len(digests) == 1 else sha256(json.dumps(digests))
    raise ModelError(f"no weights (*.safetensors) in {folder}; is it a whole model folder?")


def load_tokenizer(folder: Path) -> Tokenizer:
    """The fast tokenizer of a model, with neither padding nor truncation.

    :raises ModelError: if there is none; slow tokenizers know no offsets.
    """
    path = folder / "tokenizer.json"
    if not path.is_file():
        raise ModelError(f"{folder} has no tokenizer.json; save its fast tokenizer there")
    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises bare Exception
        raise ModelError(f"{path} is not a tokenizer: {error}") from error
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def gpu_at_hand() -> bool:
    """Whether a GPU driver's device file is there; asking torch would cost its import, which takes seconds."""
    return any(Path(device).exists() for device in ("/dev/nvidiactl", "/dev/kfd"))
