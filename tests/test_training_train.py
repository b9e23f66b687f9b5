"""A whole small run: what it writes, that it learns, and that a kill loses nothing."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file

from qa.reader import Reader
from qa.training import train as module
from qa.training.settings import Settings
from qa.training.train import train
from qa.types import Hit, ModelError, Passage, sha256

PEOPLE = [
    "Kim",
    "Lee",
    "Park",
    "Choi",
    "Jung",
    "Kang",
    "Cho",
    "Yoon",
    "Jang",
    "Lim",
    "Han",
    "Oh",
    "Seo",
    "Shin",
]
PLACES = ["Busan", "Seoul", "Daegu", "Ulsan", "Suwon", "Jeju", "Gwangju", "Daejeon", "Incheon", "Mokpo"]
SMALL = Settings(tokens=512, mined=0, passes=1.0, rate=3e-4)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "towns.jsonl"
    with path.open("w") as out:
        for i, person in enumerate(PEOPLE):
            for j, place in enumerate(PLACES):
                context = (
                    f"In {1900 + 7 * i + j} the painter {person} moved to {place} and opened a school there."
                )
                answer = {"text": place, "answer_start": context.index(place)}
                row = {"context": context, "question": f"Where did {person} move?", "answers": [answer]}
                out.write(json.dumps(row) + "\n")
    return path


@pytest.fixture(scope="module")
def whole(data, tmp_path_factory):
    out = tmp_path_factory.mktemp("whole") / "reader"
    told = []
    train([data], out, settings=SMALL, tell=lambda *step: told.append(step))
    return out, told


@pytest.fixture(scope="module")
def brief(data, tmp_path_factory):
    """A run of a few steps, which teaches nothing."""
    out = tmp_path_factory.mktemp("brief") / "reader"
    told = []
    train([data], out, settings=replace(SMALL, passes=0.1), tell=lambda *step: told.append(step))
    return out, told


def weights(folder):
    return load_file(folder / "model.safetensors")


@pytest.mark.slow
def test_it_learns_what_the_data_teach(whole):
    out, told = whole
    text = "In 1850 the painter Novak moved to Praha and opened a school there."
    span = Reader(out, quantised=False).read(
        "Where did Novak move?", [Hit(Passage("", "", 0, len(text), text), 0, 0, 0)]
    )[0]
    assert span.text == "Praha"
    losses = [float(what.split()[-1]) for what, _, _ in told]
    assert losses[-1] < losses[0] / 1.5


def test_it_says_what_it_was_made_from(brief, data):
    out, told = brief
    assert told[-1][1:] == (len(told), len(told))
    record = json.loads((out / "training.json").read_text())
    assert record["data"] == {"towns.jsonl": sha256(data.read_bytes())}
    assert record["settings"]["rate"] == 3e-4
    assert record["steps"] == len(told)
    assert len(record["base_sha256"]) == 64
    assert {v.dtype for v in weights(out).values()} == {torch.float16}
    assert {p.name for p in out.iterdir()} == {
        "config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json", "training.json",
        *(name for name in ("special_tokens_map.json", "vocab.txt") if (out / name).exists()),
    }  # fmt: skip


@pytest.mark.slow
def test_killed_and_taken_up_it_ends_at_the_same_weights(whole, data, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "CHECKPOINT_SECONDS", 0.0)
    out, steps = tmp_path / "reader", []

    def cut_off(what, done, of):
        steps.append(done)
        if done == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train([data], out, settings=SMALL, tell=cut_off)
    assert not (out / "model.safetensors").exists()
    with pytest.raises(ModelError, match="other settings or data"):
        train([data], out, settings=Settings(tokens=512, mined=0, rate=1e-4))
    train([data], out, settings=SMALL, tell=lambda what, done, of: steps.append(done))
    assert steps[:6] == [1, 2, 3, 4, 4, 5]  # the fourth was told before it was kept
    for name, value in weights(whole[0]).items():
        torch.testing.assert_close(weights(out)[name], value, atol=2e-3, rtol=2e-3)
    with pytest.raises(ModelError, match="holds a reader already"):
        train([data], out, settings=SMALL)


def test_the_rate_rises_and_falls_in_lines():
    shares = [module._share(n, 100, 0.1) for n in range(100)]
    assert shares[0] == pytest.approx(0.1)
    assert shares[9] == shares[10] == 1.0
    assert shares[55] == pytest.approx(0.5)
    assert shares[99] == pytest.approx(1 / 90)
    assert module._share(0, 1, 0.0) == 1.0


def test_no_model_to_start_from_is_said(data, tmp_path):
    with pytest.raises(ModelError, match="no model at"):
        train([data], tmp_path / "out", base="no/such-model")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ModelError, match="no weights"):
        train([data], tmp_path / "out", base=tmp_path / "empty")
