"""From examples to batches of tokens: where the network should point, and what goes together."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest

from qa.models import load_tokenizer
from qa.reader import DEFAULT
from qa.training.readings import Reading, batches, collate, encode, readings
from qa.training.settings import Settings
from qa.training.sources import Example

TEXT = (
    "Busan is the second largest city of South Korea. Its port handled 22 million containers in 2021. "
    "The city lies on the Nakdong River, and its best known beach is Haeundae. A film festival began in 1996."
)
PLAIN = Settings(raw=0, cut=0, stray=0, styles=0, retrieved=0, swapped=0, removed=0)


@pytest.fixture(scope="module")
def tokenizer():
    return load_tokenizer(DEFAULT)


def example(question, answer="", context=TEXT, weight=1.0):
    spans = ((context.index(answer), context.index(answer) + len(answer)),) if answer else ()
    return Example("some", "Busan", context, question, spans, weight)


PORT = example("How many containers did it handle in 2021?", "22 million")


def test_as_they_are():
    first, second = readings([PORT, example("Who is its mayor?")], {}, PLAIN, 0)
    assert first == Reading(0, PORT.question, TEXT, PORT.spans[0])
    assert second == Reading(1, "Who is its mayor?", TEXT, None)


def test_weights_are_how_often():
    heavy, light = replace(PORT, weight=2.25), replace(PORT, weight=0.25)
    assert 160 < len(readings([light] * 800, {}, PLAIN, 0)) < 240
    assert 1760 < len(readings([heavy] * 800, {}, PLAIN, 0)) < 1840


def test_passes_differ_and_each_is_repeatable():
    mixed = [PORT] * 50
    once, again, next_ = (readings(mixed, {}, Settings(), n) for n in (0, 0, 1))
    assert once == again != next_


def test_a_passage_in_vain_is_read_in_the_same_group():
    vain = {PORT.question: ["Incheon has a port as well."]}
    made = readings([PORT], vain, replace(PLAIN, retrieved=1.0), 0)
    assert [(r.group, r.passage, r.span) for r in made] == [
        (0, TEXT, PORT.spans[0]),
        (0, "Incheon has a port as well.", None),
    ]


def test_what_is_nearly_answered_is_a_group_of_its_own():
    made = readings([PORT], {}, replace(PLAIN, swapped=1.0, removed=1.0), 0)
    assert [(r.group, r.span is None) for r in made] == [(0, False), (1, True), (2, True)]
    assert made[1].question == "How many containers did it handle in 1996?"
    assert made[1].passage == TEXT
    assert "22 million" not in made[2].passage
    assert made[2].question == PORT.question


def test_raw_passages_come_with_raw_company():
    vain = {PORT.question: ["Incheon, too, has a port."]}
    made = readings([PORT], vain, replace(PLAIN, raw=1.0, retrieved=1.0, swapped=1.0), 0)
    assert [r.passage for r in made[1:]] == ["incheon too has a port", made[0].passage]
    assert made[0].passage[slice(*made[0].span)] == "22 million"
    assert made[0].passage == made[0].passage.lower()


def decoded(tokenizer, encoded, start, end):
    return tokenizer.decode(encoded.ids[start : end + 1].tolist())


def test_tokens_point_at_the_answer(tokenizer):
    one, none = encode(
        [Reading(0, "How many?", TEXT, PORT.spans[0]), Reading(1, "Who?", TEXT, None)],
        tokenizer,
        256,
        random.Random(0),
    )
    assert decoded(tokenizer, one, one.start, one.end) == "22 million"
    assert (none.start, none.end) == (0, 0)
    assert one.ids.tolist() == tokenizer.encode("How many?", TEXT).ids


def test_of_a_long_passage_a_window_around_the_answer_is_read(tokenizer):
    long = " ".join([TEXT.replace("22 million", "many"), TEXT, TEXT.replace("22 million", "many")])
    at = long.index("22 million")
    first = set()
    for seed in range(40):
        (one,) = encode([Reading(0, "How many?", long, (at, at + 10))], tokenizer, 48, random.Random(seed))
        assert len(one.ids) == 48
        assert decoded(tokenizer, one, one.start, one.end) == "22 million"
        assert one.ids[0] == 101
        assert one.ids[-1] == 102
        assert one.types.tolist() == [0] * 5 + [1] * 43
        first.add(one.start)
    assert len(first) > 10
    windows = {
        tuple(encode([Reading(0, "How?", long, None)], tokenizer, 48, random.Random(s))[0].ids)
        for s in range(9)
    }
    assert len(windows) > 3


def test_what_cannot_be_read_is_left_out(tokenizer):
    hopeless = [
        Reading(0, "How many?", "", None),
        Reading(1, "word " * 60, TEXT, None),  # no room for a passage
        Reading(2, "How many?", TEXT, (0, len(TEXT))),  # longer than the window
    ]
    assert encode(hopeless, tokenizer, 48, random.Random(0)) == []


def test_batches_are_whole_groups_of_one_length_within_the_budget(tokenizer):
    rng = random.Random(1)
    vain = {PORT.question: ["Incheon has a port as well. " * 8]}
    made = encode(readings([PORT] * 300, vain, Settings(), 0), tokenizer, 256, rng)
    plan = batches(made, 1024, rng)
    assert sorted(i for batch in plan for i in batch) == list(range(len(made)))
    where = {}
    for number, batch in enumerate(plan):
        for i in batch:
            assert where.setdefault(made[i].group, number) == number
    padded = sum(max(len(made[i].ids) for i in batch) * len(batch) for batch in plan)
    assert all(max(len(made[i].ids) for i in b) * len(b) <= 1024 for b in plan)
    assert padded < 1.25 * sum(len(e.ids) for e in made)


def test_a_batch_is_padded_and_says_what_is_passage(tokenizer):
    made = encode(
        [Reading(7, "How many?", "A b c.", (2, 3)), Reading(7, "How many?", "D.", None), Reading(9, "Q", "E.", None)],
        tokenizer, 256, random.Random(0),
    )  # fmt: skip
    batch = collate(made, pad=0)
    assert batch.ids.shape == (3, 10)  # [CLS] how many ? [SEP] a b c . [SEP]
    assert batch.passage.astype(int).tolist() == [
        [0, 0, 0, 0, 0, 1, 1, 1, 1, 0],
        [0, 0, 0, 0, 0, 1, 1, 0, 0, 0],
        [0, 0, 0, 1, 1, 0, 0, 0, 0, 0],
    ]
    assert batch.mask.sum(axis=1).tolist() == [10, 8, 6]
    assert batch.starts.tolist() == batch.ends.tolist() == [6, 0, 0]
    assert batch.groups.tolist() == [0, 0, 1]
    assert not np.any(batch.ids[batch.mask == 0])
