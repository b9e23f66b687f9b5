"""The benchmark of large indexes, in a small form."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def scale(folder, *options):
    command = [sys.executable, str(ROOT / "benchmarks" / "scale.py"), str(folder), *map(str, options)]
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True, timeout=280)


def test_small_sizes_exact_and_sealed(tmp_path, pipeline):
    questions = ["where does niu jun work", "what is tested", "who said so", "what happened in korea"]
    (tmp_path / "questions.jsonl").write_text(
        "".join(json.dumps({"question": q}) + "\n" for q in questions * 9)
    )
    index = pipeline.index._store.folder
    options = ["--real", index, "--data", tmp_path / "questions.jsonl", "--sizes", 100, 400, "--questions", 3]
    scale(tmp_path / "made", *options, "--seal-from", 300)
    small, large = json.loads((tmp_path / "made" / "scale.json").read_text())
    assert (small["passages"], small["sealed"]) == (100, False)
    assert (large["passages"], large["sealed"]) == (400, True)
    assert large["recall@20"] >= 0.98
    assert large["mb_derived"] > 400 * 2 * 384 / 1e6
    for result in (small, large):
        assert 0 < result["search_ms"]["cpu_p50"] < 1000
        assert result["memory_mb"]["VmRSS"] > result["memory_mb"]["RssAnon"] > 10
        assert result["add_s"]["most"] > 0
    assert len(list((tmp_path / "made" / "400" / "derived").glob("base-*"))) == 1
    pytest.importorskip("matplotlib", reason="requirements-benchmarks.txt")
    scale(tmp_path / "made", "--plots", tmp_path / "plots")
    assert b"resident memory" in (tmp_path / "plots" / "scale.svg").read_bytes()
