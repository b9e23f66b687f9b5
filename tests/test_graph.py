import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from qa.graph import BUCKET, Graph, available_cpus, convert, pad
from qa.types import ModelError


class Weighted(torch.nn.Module):
    """(B, T) numbers -> (B, T): three times a plus b; and (B,): the sum of a."""

    def forward(self, a, b):
        return 3.0 * a.float() + b.float(), a.float().sum(1)


def inputs(a, b=0):
    a = np.atleast_2d(np.array(a, dtype=np.int64))
    return {"a": a, "b": np.zeros_like(a) + b, "not an input": a}


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = tmp_path_factory.mktemp("graph") / "weighted.xml"
    example = torch.ones(2, 4, dtype=torch.long)
    convert(Weighted(), {"a": example, "b": example}, path)
    return path


@pytest.fixture(scope="module")
def weighted(path):
    return Graph(path)


def test_a_graph_computes_what_its_module_does(weighted):
    assert weighted.inputs == {"a", "b"}
    tripled, sums = weighted(inputs([[1, 2, 3], [4, 5, 6]], b=1))
    assert tripled.tolist() == [[4, 7, 10], [13, 16, 19]]
    assert sums.tolist() == [6, 15]


def test_results_stay_when_the_graph_is_called_again(weighted):
    first, _ = weighted(inputs([1, 2, 3]))
    second, _ = weighted(inputs([7, 8, 9]))
    assert first.tolist() == [[3, 6, 9]]
    assert second.tolist() == [[21, 24, 27]]


def test_threads_do_not_disturb_each_other(weighted):
    with ThreadPoolExecutor(4) as pool:
        results = pool.map(lambda n: weighted(inputs([n] * (1 + n % 5)))[0].tolist(), range(200))
        assert list(results) == [[[3 * n] * (1 + n % 5)] for n in range(200)]


def test_map_keeps_the_order(path):
    many = Graph(path, streams=2, threads=2)
    results = list(many.map([inputs([n] * (1 + n % 7)) for n in range(50)]))
    assert [number for number, _ in results] == list(range(50))
    assert [row.tolist() for _, row in results] == [[[3 * n] * (1 + n % 7)] for n in range(50)]
    assert list(many.map([])) == []


def test_map_of_a_generator_that_fails(path):
    many = Graph(path, streams=2, threads=2)

    def batches():
        yield inputs([1])
        raise ValueError("no more")

    with pytest.raises(ValueError, match="no more"):
        list(many.map(batches()))
    assert [row.tolist() for _, row in many.map([inputs([1])])] == [[[3]]]


def test_missing_files(path, tmp_path):
    with pytest.raises(ModelError, match="no OpenVINO model at"):
        Graph(tmp_path / "none.xml")
    (tmp_path / "half.xml").write_bytes(path.read_bytes())
    with pytest.raises(ModelError, match=r"its \.bin must both be there"):
        Graph(tmp_path / "half.xml")


def test_a_damaged_file(tmp_path):
    (tmp_path / "broken.xml").write_text('<?xml version="1.0"?><net name="x" version="11">')
    (tmp_path / "broken.bin").write_bytes(b"")
    with pytest.raises(ModelError) as caught:
        Graph(tmp_path / "broken.xml")
    assert str(caught.value) == f"{tmp_path / 'broken.xml'} is not a model OpenVINO can read; make it again"


def test_pad():
    rows = pad([[5, 6, 7], [8]], fill=9)
    assert rows.dtype == np.int64
    assert rows.tolist() == [[5, 6, 7] + [9] * 13, [8] + [9] * 15]
    assert pad([[1] * BUCKET]).shape == (1, 16)
    assert pad([[1] * (BUCKET + 1), [1]]).shape == (2, 32)
    assert pad([[1] * 17]).sum() == 17


def test_only_the_cores_this_process_may_use(monkeypatch):
    assert available_cpus() >= 1
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {3, 5, 7}, raising=False)
    assert available_cpus() == 3
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert available_cpus() == 1


def test_openvino_has_no_telemetry():
    code = (
        "import qa.graph, sys\n"
        "print(sys.modules['openvino_telemetry'])\n"
        "from openvino.tools.ovc import telemetry_utils\n"
        "print(telemetry_utils.tm.__name__)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["None", "openvino.tools.ovc.telemetry_stub"]
