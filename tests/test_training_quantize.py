"""The int8 graph: made again from the shipped weights, it answers as they do."""

from __future__ import annotations

import gzip
import json
import shutil
from pathlib import Path

import pytest

from qa.reader import DEFAULT, INT8, Reader
from qa.training.quantize import quantize
from qa.types import DatasetError, Hit, Passage

TEXT = (Path(__file__).resolve().parent.parent / "seeds/001_34707f324662fe23.txt").read_text()[3400:4400]
QUESTIONS = ["where does niu jun work", "who is john delury", "what is china s proposal called"]


def test_data_without_contexts_is_refused(tmp_path):
    data = tmp_path / "questions.jsonl"
    data.write_text('{"question": "who", "answers": ["nobody"]}\n')
    with pytest.raises(DatasetError, match="contexts"):
        quantize(DEFAULT, [data])


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of the libraries that trace and quantise
def test_a_graph_made_again_answers_as_the_weights_do(tmp_path):
    folder = tmp_path / "reader"
    folder.mkdir()
    for name in ("config.json", "model.safetensors", "tokenizer.json"):
        shutil.copy(DEFAULT / name, folder / name)
    rows = [
        {"id": str(n), "source": "made", "context": TEXT, "question": q, "answers": []}
        for n, q in enumerate(QUESTIONS)
    ]
    data = tmp_path / "data.jsonl.gz"
    data.write_bytes(gzip.compress("\n".join(map(json.dumps, rows)).encode()))
    path = quantize(folder, [data], pairs=3)
    assert path == folder / INT8
    assert (
        json.loads((folder / "int8.json").read_text())["weights"] == Reader(folder, quantised=False).weights
    )
    hit = Hit(Passage("a", "0" * 64, 0, len(TEXT), TEXT), 1.0, 1.0, 1.0)
    int8, plain = Reader(folder), Reader(folder, quantised=False)
    for question in QUESTIONS:
        ours, theirs = int8.read(question, [hit], best=1)[0], plain.read(question, [hit], best=1)[0]
        assert (ours.start, ours.end) == (theirs.start, theirs.end), question
