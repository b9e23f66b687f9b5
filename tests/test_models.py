import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from qa.models import gpu_at_hand, load_tokenizer, model_folder, weights_sha256
from qa.reader import DEFAULT
from qa.types import ModelError, sha256


def test_a_folder_is_itself(tmp_path):
    assert model_folder(tmp_path) == tmp_path
    assert model_folder(str(tmp_path)) == tmp_path


@pytest.mark.parametrize("name", ["no/such-model", "/no/such/folder", "a b c", "x" * 300, "x\0y"])
def test_what_is_nowhere(name):
    with pytest.raises(ModelError) as caught:
        model_folder(name)
    assert str(caught.value) == f"no model at {name!r}; give a folder, or an id that is in the local cache"


def test_a_model_in_the_local_cache(tmp_path):
    commit = "0123456789abcdef0123456789abcdef01234567"
    home = tmp_path / "models--someone--small"
    (home / "snapshots" / commit).mkdir(parents=True)
    (home / "refs").mkdir()
    (home / "refs" / "main").write_text(commit)
    code = "import sys; from qa.models import model_folder; print(model_folder('someone/small'))"
    environment = {**os.environ, "HF_HUB_CACHE": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    )
    assert done.stdout.strip() == str(home / "snapshots" / commit)


def test_nothing_is_fetched():
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
    code = (
        "import qa.models; from huggingface_hub import constants as c\n"
        "print(c.HF_HUB_OFFLINE, c.HF_HUB_DISABLE_TELEMETRY)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    )
    assert done.stdout.split() == ["True", "True"]


def test_weights_are_named_by_their_bytes(tmp_path):
    with pytest.raises(ModelError, match="no weights") as caught:
        weights_sha256(tmp_path)
    assert str(tmp_path) in str(caught.value)
    (tmp_path / "pytorch_model.bin").write_bytes(b"old")
    assert weights_sha256(tmp_path) == sha256(b"old")
    (tmp_path / "model-00002-of-00002.safetensors").write_bytes(b"two")
    assert weights_sha256(tmp_path) == sha256(b"two")  # where there are both, safetensors is what is loaded
    (tmp_path / "model-00001-of-00002.safetensors").write_bytes(b"one")
    assert weights_sha256(tmp_path) == sha256(json.dumps([sha256(b"one"), sha256(b"two")]))


def test_a_tokenizer_neither_cuts_nor_pads(tmp_path):
    stored = json.loads((DEFAULT / "tokenizer.json").read_text())
    stored["truncation"] = {"direction": "Right", "max_length": 8, "strategy": "LongestFirst", "stride": 0}
    stored["padding"] = {
        "strategy": {"Fixed": 8}, "direction": "Right", "pad_to_multiple_of": None,
        "pad_id": 0, "pad_type_id": 0, "pad_token": "[PAD]",
    }  # fmt: skip
    (tmp_path / "tokenizer.json").write_text(json.dumps(stored))
    tokenizer = load_tokenizer(tmp_path)
    assert len(tokenizer.encode("word " * 1000).ids) == 1002
    assert tokenizer.encode("The mill").tokens == ["[CLS]", "the", "mill", "[SEP]"]


def test_no_tokenizer(tmp_path):
    with pytest.raises(ModelError) as caught:
        load_tokenizer(tmp_path)
    assert str(caught.value) == f"{tmp_path} has no tokenizer.json; save its fast tokenizer there"


@pytest.mark.parametrize("stored", ["", "{}", "no JSON", '{"model": {"type": "Unheard"}}'])
def test_a_broken_tokenizer(tmp_path, stored):
    (tmp_path / "tokenizer.json").write_text(stored)
    with pytest.raises(ModelError, match=r"tokenizer\.json is not a tokenizer: ") as caught:
        load_tokenizer(tmp_path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("devices", "expected"), [((), False), (("/dev/nvidiactl",), True), (("/dev/kfd",), True)]
)
def test_a_gpu_is_known_by_its_driver(monkeypatch, devices, expected):
    monkeypatch.setattr(Path, "exists", lambda path, **_: str(path) in devices)
    assert gpu_at_hand() is expected
