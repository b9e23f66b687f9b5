"""The int8 graph: made again from the shipped weights, it answers as they do."""

from __future__ import annotations

import gzip
import json
import shutil
from pathlib import Path

import pytest

from qa import encoder as encoder_module
from qa.encoder import DEFAULT_SHA256, MiniLM
from qa.reader import DEFAULT, INT8, Reader
from qa.training.quantize import quantize, quantize_encoder
from qa.types import DatasetError, Hit, ModelError, Passage

TEXT = (Path(__file__).resolve().parent.parent / "seeds/001_34707f324662fe23.txt").read_text()[3400:4400]
QUESTIONS = ["where does niu jun work", "who is john delury", "what is china s proposal called"]


def test_data_without_contexts_is_refused(tmp_path):
    data = tmp_path / "questions.jsonl"
    data.write_text('{"question": "who", "answers": ["nobody"]}\n')
    with pytest.raises(DatasetError, match="contexts"):
        quantize(DEFAULT, [data])
    with pytest.raises(DatasetError, match="contexts"):
        quantize_encoder([data], folder=tmp_path / "encoder")
    assert list(tmp_path.iterdir()) == [data]


def test_another_encoder_is_not_quantised(tmp_path):
    with pytest.raises(ModelError, match="only all-MiniLM-L6-v2 has an int8 graph"):
        quantize_encoder([], name="another", folder=tmp_path)


def training_file(folder):
    rows = [
        {"id": str(n), "source": "made", "context": TEXT, "question": q, "answers": []}
        for n, q in enumerate(QUESTIONS)
    ]
    data = folder / "data.jsonl.gz"
    data.write_bytes(gzip.compress("\n".join(map(json.dumps, rows)).encode()))
    return data


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of the libraries that trace and quantise
def test_a_graph_made_again_answers_as_the_weights_do(tmp_path):
    folder = tmp_path / "reader"
    folder.mkdir()
    for name in ("config.json", "model.safetensors", "tokenizer.json"):
        shutil.copy(DEFAULT / name, folder / name)
    path = quantize(folder, [training_file(tmp_path)], pairs=3)
    assert path == folder / INT8
    assert (
        json.loads((folder / "int8.json").read_text())["weights"] == Reader(folder, quantised=False).weights
    )
    hit = Hit(Passage("a", "0" * 64, 0, len(TEXT), TEXT), 1.0, 1.0, 1.0)
    int8, plain = Reader(folder), Reader(folder, quantised=False)
    for question in QUESTIONS:
        ours, theirs = int8.read(question, [hit], best=1)[0], plain.read(question, [hit], best=1)[0]
        # The same place; with ranges seen on three pairs alone, an end may move by a word.
        assert max(ours.start, theirs.start) < min(ours.end, theirs.end), question


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of the libraries that trace and quantise
def test_an_encoder_graph_made_again_is_near_the_shipped_one(tmp_path, monkeypatch, encoder):
    path = quantize_encoder([training_file(tmp_path)], folder=tmp_path / "encoder", pairs=3)
    assert path == tmp_path / "encoder" / INT8
    note = json.loads(path.with_suffix(".json").read_text())
    assert (note["weights"], note["texts"]) == (DEFAULT_SHA256, 3)
    monkeypatch.setattr(encoder_module, "FOLDER", path.parent)
    made = MiniLM()
    assert made.graph == note["graph"] != encoder.graph
    for text in [TEXT[:600], *QUESTIONS]:
        assert made.encode_question(text) @ encoder.encode_question(text) > 0.95
