"""``python -m qa average``: the mean of weights, and what does not fit is refused."""

from __future__ import annotations

import json
import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file

from qa.reader import DEFAULT, Reader
from qa.training.average import average
from qa.types import Hit, ModelError, Passage


@pytest.fixture
def two(tmp_path):
    """The shipped reader with two biases of its head."""
    folders = []
    for name, bias in (("one", [0.25, -0.5]), ("two", [1.25, 1.0])):
        folder = tmp_path / name
        folder.mkdir()
        for file in ("config.json", "tokenizer.json", "tokenizer_config.json"):
            shutil.copyfile(DEFAULT / file, folder / file)
        weights = load_file(DEFAULT / "model.safetensors")
        weights["qa_outputs.bias"] = torch.tensor(bias)
        save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
        folders.append(folder)
    (folders[0] / "training.json").write_text('{"steps": 7}')
    return folders


def test_each_weight_is_the_mean_and_the_result_reads(two, tmp_path):
    out = average(two, tmp_path / "out")
    made, one = load_file(out / "model.safetensors"), load_file(two[0] / "model.safetensors")
    assert made["qa_outputs.bias"].tolist() == [0.75, 0.25]
    name = "bert.encoder.layer.0.output.dense.weight"
    assert torch.equal(made[name], one[name].half())
    assert {tensor.dtype for tensor in made.values()} == {torch.float16}
    text = "Kim Park of Dover left on Monday."
    hit = Hit(Passage("", "", 0, len(text), text), 0.0, 0.0, 0.0)
    assert Reader(out).read("Who left on Monday?", [hit], best=1)[0].text == "Kim Park of Dover"
    (first, second) = json.loads((out / "training.json").read_text())["average"]
    assert first["steps"] == 7
    assert set(second) == {"weights"}
    assert first["weights"] != second["weights"]


def test_one_reader_is_no_average(two, tmp_path):
    with pytest.raises(ModelError, match="two readers or more"):
        average(two[:1], tmp_path / "out")


def test_a_folder_with_a_reader_is_not_written_over(two, tmp_path):
    before = (two[1] / "model.safetensors").read_bytes()
    with pytest.raises(ModelError, match="holds a reader already"):
        average(two, two[1])
    assert (two[1] / "model.safetensors").read_bytes() == before


def test_other_shapes_are_refused_and_nothing_is_written(two, tmp_path):
    weights = load_file(two[1] / "model.safetensors")
    weights["qa_outputs.bias"] = torch.zeros(3)
    save_file(weights, two[1] / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelError, match="different architectures"):
        average(two, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_other_tokenizers_are_refused(two, tmp_path):
    tokenizer = json.loads((two[1] / "tokenizer.json").read_text())
    tokenizer["model"]["vocab"]["another"] = len(tokenizer["model"]["vocab"])
    (two[1] / "tokenizer.json").write_text(json.dumps(tokenizer))
    with pytest.raises(ModelError, match="different tokenizers"):
        average(two, tmp_path / "out")
