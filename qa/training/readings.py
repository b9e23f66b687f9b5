"""Examples -> the readings of one pass over the data: what the network sees, and where it should point.

A reading is one question on one passage. The readings of one question on several passages are a group, and stay
together in a batch, so that spans of all of them are compared (Clark & Gardner 2018, section 3.3, "shared-norm").
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from tokenizers import Encoding, Tokenizer

from qa.evaluation.raw import raw_text
from qa.training.negatives import Negatives
from qa.training.settings import Settings
from qa.training.sources import Example
from qa.training.swaps import swap, without_answer
from qa.training.views import cut_view, question_view, stray_view
from qa.types import Range

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Reading:
    """A question on a passage; no span: the passage does not answer it."""

    group: int
    question: str
    passage: str
    span: Range | None


@dataclass(frozen=True, slots=True)
class Encoded:
    """A reading as tokens. ``start`` and ``end`` are places among them; both 0, at [CLS], for no answer."""

    group: int
    ids: NDArray[np.int32]
    types: NDArray[np.int8]
    start: int
    end: int


def readings(
    examples: Sequence[Example], negatives: Negatives, settings: Settings, number: int
) -> list[Reading]:
    """Those of pass ``number`` over the data: each example about ``weight`` times, each time in another view."""
    rng = random.Random(f"{settings.seed} pass {number}")
    out: list[Reading] = []
    group = 0
    for example in examples:
        times = int(example.weight) + (rng.random() < example.weight % 1)
        for _ in range(times):
            for made in _groups(example, negatives, settings, rng):
                out += [Reading(group, question, passage, span) for question, passage, span in made]
                group += 1
    return out


_Made = list[tuple[str, str, Range | None]]


def _groups(
    example: Example, negatives: Negatives, settings: Settings, rng: random.Random
) -> Iterator[_Made]:
    """The question on its passage, perhaps beside a wrong one; and perhaps a question it nearly answers."""
    raw = rng.random() < settings.raw
    joined = rng.random() < 0.5
    spans = [rng.choice(example.spans)] if example.spans else []
    question = question_view(example.question, rng) if rng.random() < settings.styles else example.question

    def view(text: str, places: Sequence[Range]) -> tuple[str, list[Range]]:
        if rng.random() < settings.cut:
            text, places = cut_view(text, places, rng)
        if rng.random() < settings.stray:
            text, places = stray_view(text, places, rng)
        if not raw:
            return text, list(places)
        bare = raw_text(text, joined=joined)
        return bare.text, bare.move(places)

    passage, places = view(example.context, spans)
    if len(places) == len(spans) and passage:
        made: _Made = [(question, passage, places[0] if places else None)]
        wrong = negatives.get(example.question)
        if wrong and rng.random() < settings.retrieved:
            other, _ = view(rng.choice(wrong), ())
            made.append((question, other, None))
        yield made
    if spans and rng.random() < settings.swapped:
        near = swap(example.question, example.context, example.spans, rng)
        if near is not None:
            asked = question_view(near, rng) if rng.random() < settings.styles else near
            # All of the passage, as a rule: what was swapped in should be there.
            text = raw_text(example.context, joined=joined).text if raw else example.context
            yield [(asked, text, None)]
    if spans and rng.random() < settings.removed:
        rest = without_answer(example.context, example.spans)
        if rest is not None:
            yield [(question, view(rest, ())[0], None)]


def encode(made: Sequence[Reading], tokenizer: Tokenizer, longest: int, rng: random.Random) -> list[Encoded]:
    """Tokens of each reading, at most ``longest``: of a longer passage, a window at random around the answer."""
    out: list[Encoded] = []
    for first in range(0, len(made), 4096):
        part = made[first : first + 4096]
        encodings = tokenizer.encode_batch([(r.question, r.passage) for r in part])
        for reading, encoding in zip(part, encodings, strict=True):
            encoded = _encoded(reading, encoding, longest, rng)
            if encoded is not None:
                out.append(encoded)
    return out


def _encoded(reading: Reading, encoding: Encoding, longest: int, rng: random.Random) -> Encoded | None:
    # Each of these attributes makes its list anew.
    ids, types, offsets, words = encoding.ids, encoding.type_ids, encoding.offsets, encoding.word_ids
    inside = [i for i, sequence in enumerate(encoding.sequence_ids) if sequence == 1]
    if not inside:
        return None
    first, last = inside[0], inside[-1] + 1  # of the passage
    start = end = 0
    if reading.span is not None:
        low, high = reading.span
        there = [i for i in inside if offsets[i][0] < high and offsets[i][1] > low]
        if not there:
            return None
        start, end = there[0], there[-1]
    room = longest - first - (len(ids) - last)
    if room < 8 or (start and end - start >= room):
        return None
    begin, finish = first, last
    if last - first > room:
        earliest = max(first, end + 1 - room) if start else first
        begin = rng.randint(earliest, min(start, last - room) if start else last - room)
        while begin > earliest and words[begin] == words[begin - 1]:
            begin -= 1  # windows begin with whole words
        finish = begin + room
    keep = [*range(first), *range(begin, finish), *range(last, len(ids))]
    moved = begin - first
    return Encoded(
        reading.group,
        np.array([ids[i] for i in keep], dtype=np.int32),
        np.array([types[i] for i in keep], dtype=np.int8),
        start - moved if start else 0,
        end - moved if start else 0,
    )


@dataclass(frozen=True, slots=True)
class Batch:
    """``readings`` by ``tokens``: numbers of tokens, types, what is no padding, and what belongs to the passage.

    ``starts``, ``ends``, ``groups``: (readings,); groups are numbered from 0 within the batch.
    """

    ids: Ints
    types: Ints
    mask: Ints
    passage: NDArray[np.bool_]
    starts: Ints
    ends: Ints
    groups: Ints


def batches(encoded: Sequence[Encoded], tokens: int, rng: random.Random) -> list[list[int]]:
    """Which readings go together: whole groups, of nearly one length, about ``tokens`` with the padding.

    Sorted by length within stretches of some dozens of batches, and then shuffled: hardly any padding, and no two
    passes alike.
    """
    members: dict[int, list[int]] = {}
    for number, one in enumerate(encoded):
        members.setdefault(one.group, []).append(number)
    groups = list(members.values())
    rng.shuffle(groups)
    lengths = {group[0]: max(len(encoded[i].ids) for i in group) for group in groups}
    out: list[list[int]] = []
    stretch = 2048
    for first in range(0, len(groups), stretch):
        batch: list[int] = []
        for group in sorted(groups[first : first + stretch], key=lambda g: lengths[g[0]]):
            if batch and lengths[group[0]] * (len(batch) + len(group)) > tokens:
                out.append(batch)
                batch = []
            batch += group
        if batch:
            out.append(batch)
    rng.shuffle(out)
    return out


def collate(encoded: Sequence[Encoded], pad: int) -> Batch:
    """One batch as arrays."""
    rows, width = len(encoded), max(len(e.ids) for e in encoded)
    ids = np.full((rows, width), pad, dtype=np.int64)
    types, mask = np.zeros((rows, width), dtype=np.int64), np.zeros((rows, width), dtype=np.int64)
    for row, one in enumerate(encoded):
        ids[row, : len(one.ids)] = one.ids
        types[row, : len(one.ids)] = one.types
        mask[row, : len(one.ids)] = 1
    passage = types.astype(bool)
    passage[np.arange(rows), mask.sum(axis=1) - 1] = False  # the last [SEP] has the passage's type
    _, groups = np.unique([e.group for e in encoded], return_inverse=True)
    return Batch(
        ids, types, mask, passage,
        np.array([e.start for e in encoded]), np.array([e.end for e in encoded]), groups,
    )  # fmt: skip
