"""Question + Hits -> Spans, with the reader's own score for "not in this passage".

A reader is any ``AutoModelForQuestionAnswering``: two logits a token, for "the answer starts here" and "it ends
here". What transformers' question-answering pipeline did around such a model, and no longer does, is done here:

- **windows**: a passage too long for the model is read in overlapping windows; the question is never cut short for
  it, unless it alone takes more than ``QUESTION_TOKENS``;
- **decoding**: the best spans with start <= end, at most ``SPAN_TOKENS`` long, on whole words, off the masks;
- **null**: start + end logit at [CLS], where SQuAD 2 readers put "no answer" (Devlin et al. 2019, section 4.3).

Scores are sums of logits, **not** normalised by passage: a softmax over one passage makes a hopeless passage's best
span look as good as the right one's (Clark & Gardner 2018, "Simple and Effective Multi-Paragraph Reading
Comprehension").
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from tokenizers import Encoding

from qa.graph import Array, Graph, available_cpus, pad, padded
from qa.models import gpu_at_hand, load_tokenizer, model_folder, weights_sha256
from qa.passages import PassageSettings, split
from qa.sharing import Shared
from qa.types import Hit, ModelError, Range, Span

DEFAULT = Path(__file__).resolve().parent.parent / "models" / "reader"
INT8 = "int8.xml"  # the quantised graph beside the weights; int8.json names the weights it was made from

MODEL_TOKENS = 512
QUESTION_TOKENS = 96
SPAN_TOKENS = 30
BATCH = 8
TOGETHER = 4  # windows of several questions in one batch: on one core more of them are read no faster
CROWDED = 0.5  # seconds after two were reading at once in which more are expected

Masks = Callable[[Hit], Sequence[Range]]


class Backend(Protocol):
    """Runs the network: token numbers in, start and end logits out."""

    def __call__(self, encodings: Sequence[Encoding], /) -> list[tuple[Array, Array]]:
        """One (start, end) pair of float32 arrays (tokens,) for each encoding."""


@dataclass(frozen=True, slots=True)
class _Window:
    hit: int  # which of the hits
    offset: int  # of the window's text in the article
    encoding: Encoding


class Reader:
    """Reads passages. Thread-safe: the model is only called.

    :param name: a folder or Hugging Face id (from the local cache) of an extractive question-answering model.
    :raises ModelError: if there is no such model, or it is incomplete.
    """

    def __init__(self, name: str | Path | None = None, *, quantised: bool = True) -> None:
        folder = self.folder = model_folder(name or DEFAULT)
        self.name = folder.name if name is None or Path(name).is_dir() else str(name)
        self.weights = weights_sha256(folder)
        self._tokenizer = load_tokenizer(folder)
        gpu = gpu_at_hand()
        if quantised and not gpu and (folder / INT8).is_file():
            self._backend: Backend = _OpenVINO(folder, self.weights)
        else:
            self._backend = _Torch(folder, gpu)

    @property
    def identity(self) -> str:
        """The weights; what a calibration belongs to."""
        return f"{self.name}@{self.weights[:16]}"

    def offsets(self, text: str) -> list[Range]:
        """Where each of this reader's tokens stands in a text."""
        return list(self._tokenizer.encode(text, add_special_tokens=False).offsets)

    def cut(self, question: str) -> str:
        """The question, or as much of its beginning as ``QUESTION_TOKENS`` hold."""
        offsets = self.offsets(question)
        return question if len(offsets) <= QUESTION_TOKENS else question[: offsets[QUESTION_TOKENS - 1][1]]

    def read(
        self, question: str, hits: Sequence[Hit], masks: Masks | None = None, best: int = 3
    ) -> list[Span]:
        """The ``best`` spans of each window of each hit, highest score first; ties by article and place.

        Spans of one window do not overlap each other. Windows and passages that overlap may propose the same
        characters twice: merging is for the caller, who sees all passages.

        :param masks: for a hit, ranges of its article that no answer may touch.
        """
        question = self.cut(question)
        windows = [
            _Window(number, hit.passage.start + start, encoding)
            for number, hit in enumerate(hits)
            for start, encoding in self._windows(question, hit.passage.text)
        ]
        spans: list[Span] = []
        for window, (starts, ends) in zip(windows, self._logits([w.encoding for w in windows]), strict=True):
            hit = hits[window.hit]
            spans += _spans(hit, window, starts, ends, masks(hit) if masks else (), best)
        return sorted(spans, key=lambda s: (-s.score, s.hit.passage.article, s.start, s.end))

    def _windows(self, question: str, text: str) -> list[tuple[int, Encoding]]:
        """Where each window begins in the text, and the window; one for a text that fits."""
        whole = self._tokenizer.encode(question, text)
        if len(whole.ids) <= MODEL_TOKENS:
            return [(0, whole)]
        room = MODEL_TOKENS - len(self._tokenizer.encode(question, "").ids)
        # Slack, since a window's text alone may break into tokens otherwise than within the whole.
        ranges = split(text, self.offsets, PassageSettings(room - 16, room // 3, room - 16))
        return [(start, self._tokenizer.encode(question, text[start:end])) for start, end in ranges]

    def _logits(self, encodings: Sequence[Encoding]) -> list[tuple[Array, Array]]:
        """In batches of nearly equal length: padding is computed for nothing."""
        order = sorted(range(len(encodings)), key=lambda i: len(encodings[i].ids))
        out: list[tuple[Array, Array]] = [(np.empty(0), np.empty(0))] * len(encodings)
        for first in range(0, len(order), BATCH):
            batch = order[first : first + BATCH]
            for i, logits in zip(batch, self._backend([encodings[i] for i in batch]), strict=True):
                out[i] = logits
        return out


def _spans(
    hit: Hit, window: _Window, starts: Array, ends: Array, masks: Sequence[Range], best: int
) -> list[Span]:
    """Decode one window: from logits (tokens,) to spans with their places in the article."""
    encoding, passage = window.encoding, hit.passage
    first, last, segments = _context(encoding, window.offset, masks)
    null = float(starts[0] + ends[0])
    spans: list[Span] = []
    for i, j, score in decode(
        starts[first:last], ends[first:last], segments, _words(encoding, first, last), best
    ):
        start = window.offset + encoding.offsets[first + i][0]
        end = window.offset + encoding.offsets[first + j][1]
        text = passage.text[start - passage.start : end - passage.start]
        # Some tokenizers count the blank before a word as part of it.
        start, end = start + len(text) - len(text.lstrip()), end - (len(text) - len(text.rstrip()))
        if start < end:
            spans.append(Span(hit, start, end, text.strip(), score, null))
    return spans


def _context(encoding: Encoding, offset: int, masks: Sequence[Range]) -> tuple[int, int, Array]:
    """Range of tokens that hold the passage, and for each its segment; -1 on a mask, +1 after each mask."""
    inside = [i for i, sequence in enumerate(encoding.sequence_ids) if sequence == 1]
    if not inside:
        return 0, 0, np.empty(0, dtype=np.int64)
    first, last = inside[0], inside[-1] + 1
    spans = np.array(encoding.offsets[first:last], dtype=np.int64) + offset  # (tokens, 2)
    segments = np.zeros(last - first, dtype=np.int64)
    for _, end in masks:
        segments[spans[:, 0] >= end] += 1
    for start, end in masks:
        segments[(spans[:, 0] < end) & (spans[:, 1] > start)] = -1
    return first, last, segments


def _words(encoding: Encoding, first: int, last: int) -> Array:
    """The word each token of the passage belongs to."""
    return np.array([-1 if word is None else word for word in encoding.word_ids[first:last]], dtype=np.int64)


def decode(
    starts: Array, ends: Array, segments: Array, words: Array, best: int, longest: int = SPAN_TOKENS
) -> list[tuple[int, int, float]]:
    """The ``best`` spans of one window that do not overlap, as (first token, last token, score), best first.

    score(i, j) = starts[i] + ends[j] over i <= j < i + ``longest`` within one segment, from a word's first token to
    a word's last. All arrays are (tokens,); a negative segment takes part in no span.

    >>> decode(np.array([0.0, 3.0, 0.0]), np.array([0.0, 1.0, 2.0]), np.zeros(3), np.arange(3), best=2)
    [(1, 2, 5.0), (0, 0, 0.0)]
    """
    count = len(starts)
    if count == 0:
        return []
    begins = np.append(True, words[1:] != words[:-1]) & (segments >= 0)
    finishes = np.append(words[1:] != words[:-1], True) & (segments >= 0)
    scores = np.where(begins, starts, -np.inf)[:, None] + np.where(finishes, ends, -np.inf)[None, :]
    place = np.arange(count)
    length = place[None, :] - place[:, None]
    scores[(length < 0) | (length >= longest) | (segments[None, :] != segments[:, None])] = -np.inf
    found: list[tuple[int, int, float]] = []
    while len(found) < best:
        i, j = divmod(int(scores.argmax()), count)
        if not np.isfinite(scores[i, j]):
            break
        found.append((i, j, float(scores[i, j])))
        scores[: j + 1, i:] = -np.inf  # whatever begins before this one's end and ends after its start
    return found


class _OpenVINO:
    """The int8 graph, on the CPU."""

    def __init__(self, folder: Path, weights: str) -> None:
        try:
            made_from = json.loads((folder / INT8).with_suffix(".json").read_text())["weights"]
        except (OSError, ValueError, KeyError, TypeError):
            made_from = None
        if made_from != weights:
            how = f"run: python -m qa quantize --reader {folder} --data FILE"
            raise ModelError(f"{folder / INT8} belongs to other weights; {how}")
        self._path = folder / INT8
        self._one = Graph(self._path)
        self._many: Backend | None = None
        self._lock = threading.Lock()
        self._running = 0
        self._crowded_until = 0.0

    def __call__(self, encodings: Sequence[Encoding]) -> list[tuple[Array, Array]]:
        with self._way() as read:
            return read(encodings)

    @contextmanager
    def _way(self) -> Iterator[Backend]:
        """All cores for the only caller; among several, a core for each batch of what they all want read."""
        with self._lock:
            self._running += 1
            if self._running > 1:
                self._crowded_until = time.monotonic() + CROWDED
                self._many = self._many or self._shared()
            crowded = time.monotonic() < self._crowded_until
            way = self._many if crowded and self._many is not None else self._alone
        try:
            yield way
        finally:
            with self._lock:
                self._running -= 1

    def _alone(self, encodings: Sequence[Encoding], /) -> list[tuple[Array, Array]]:
        return _logits(self._one, encodings)

    def _shared(self) -> Backend:
        graph, cores = Graph(self._path, streams=available_cpus()), available_cpus()
        return Shared(
            lambda encodings: _logits(graph, encodings),
            lambda e: padded(len(e.ids)),
            runners=cores,
            most=TOGETHER,
        )


class _Torch:
    """The weights as they are: bfloat16 on a GPU, float32 on the CPU."""

    def __init__(self, folder: Path, gpu: bool) -> None:
        # Seconds to import, and the int8 graph does without.
        import torch
        from safetensors import SafetensorError
        from transformers import AutoModelForQuestionAnswering
        from transformers.utils import logging

        logging.disable_progress_bar()
        logging.set_verbosity_error()
        self._torch = torch
        self._device = "cuda" if gpu and torch.cuda.is_available() else "cpu"
        dtype = torch.bfloat16 if self._device == "cuda" else torch.float32
        try:
            self.model, report = AutoModelForQuestionAnswering.from_pretrained(
                folder, dtype=dtype, local_files_only=True, output_loading_info=True
            )
        except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
            raise ModelError(
                f"{folder} is not a question-answering model; it needs config.json and weights"
            ) from error
        if report["missing_keys"]:  # any encoder loads so, with a head of random numbers
            raise ModelError(f"{folder} is not a question-answering model; it lacks the weights of its head")
        self.model = self.model.eval().to(self._device)
        self._takes_types = getattr(self.model.config, "type_vocab_size", 0) > 1

    def __call__(self, encodings: Sequence[Encoding]) -> list[tuple[Array, Array]]:
        torch = self._torch
        arrays = _inputs(encodings)
        if not self._takes_types:
            del arrays["token_type_ids"]
        with torch.inference_mode():
            out = self.model(**{k: torch.from_numpy(v).to(self._device) for k, v in arrays.items()})
        starts, ends = out.start_logits.float().cpu().numpy(), out.end_logits.float().cpu().numpy()
        return [(starts[i, : len(e.ids)], ends[i, : len(e.ids)]) for i, e in enumerate(encodings)]


def _logits(graph: Graph, encodings: Sequence[Encoding]) -> list[tuple[Array, Array]]:
    starts, ends = graph(_inputs(encodings))
    return [(starts[i, : len(e.ids)], ends[i, : len(e.ids)]) for i, e in enumerate(encodings)]


def _inputs(encodings: Sequence[Encoding]) -> dict[str, Array]:
    return {
        "input_ids": pad([e.ids for e in encodings]),
        "attention_mask": pad([e.attention_mask for e in encodings]),
        "token_type_ids": pad([e.type_ids for e in encodings]),
    }
