"""Run a network on the CPU through OpenVINO: compile once, one infer request per thread.

The only importer of ``openvino``.
"""

from __future__ import annotations

import os
import sys
import threading
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

# OpenVINO's converter reports its use to a server when this package can be imported. Nothing may phone home,
# and without the package OpenVINO takes its own do-nothing stand-in.
sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]

import openvino as ov  # noqa: E402

from qa.types import ModelError  # noqa: E402

# Ever new input shapes make OpenVINO's memory grow: lengths are rounded up to a multiple of this.
BUCKET = 16

Array = np.ndarray[Any, np.dtype[Any]]


def available_cpus() -> int:
    """Number of cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def pad(rows: Sequence[Sequence[int]], fill: int = 0) -> Array:
    """Rows of token numbers as one int64 array (len(rows), L), L a multiple of ``BUCKET``."""
    length = -(-max(len(row) for row in rows) // BUCKET) * BUCKET
    out = np.full((len(rows), length), fill, dtype=np.int64)
    for i, row in enumerate(rows):
        out[i, : len(row)] = row
    return out


class Graph:
    """A compiled network. Call it with named int64 arrays; it returns its outputs in order.

    :param path: the ``.xml`` of an OpenVINO model, its ``.bin`` beside it.
    :param precision: ``f32``, ``bf16`` ...: what floating-point layers compute in. int8 layers stay int8.
    :raises ModelError: if the file is missing or is not a model.
    """

    def __init__(
        self, path: Path, *, precision: str = "f32", streams: int = 1, threads: int | None = None
    ) -> None:
        if not path.is_file() or not path.with_suffix(".bin").is_file():
            raise ModelError(f"no OpenVINO model at {path}; it and its .bin must both be there")
        settings = {
            "PERFORMANCE_HINT": "LATENCY" if streams == 1 else "THROUGHPUT",
            "NUM_STREAMS": streams,
            "INFERENCE_NUM_THREADS": threads or available_cpus(),
            "INFERENCE_PRECISION_HINT": precision,
        }
        try:
            self._compiled = ov.Core().compile_model(str(path), "CPU", settings)
        except RuntimeError as error:
            raise ModelError(f"{path} is not a model OpenVINO can read; make it again") from error
        self.inputs = frozenset(name for port in self._compiled.inputs for name in port.names)
        self._streams = streams
        self._local = threading.local()

    def __call__(self, inputs: dict[str, Array]) -> list[Array]:
        """Infer once, in this thread's own request. Outputs are copies: the request is used again."""
        request = getattr(self._local, "request", None)
        if request is None:
            request = self._local.request = self._compiled.create_infer_request()
        result = request.infer({name: inputs[name] for name in self.inputs})
        return [np.array(result[port]) for port in self._compiled.outputs]

    def map(self, batches: Sequence[dict[str, Array]]) -> Iterator[tuple[int, Array]]:
        """First output of each batch, ``(number of the batch, output)``, in the order given.

        Batches run side by side, one a stream, so each result depends on its own batch alone.
        """
        done: dict[int, Array] = {}
        queue = ov.AsyncInferQueue(self._compiled, self._streams)
        queue.set_callback(
            lambda request, number: done.__setitem__(number, np.array(request.get_output_tensor(0).data))
        )
        for number, batch in enumerate(batches):
            queue.start_async({name: batch[name] for name in self.inputs}, number)
        queue.wait_all()
        yield from sorted(done.items())


def convert(module: Any, example: dict[str, Any], path: Path) -> None:  # noqa: ANN401
    """Write a torch module as an OpenVINO model at ``path``; weights as float16."""
    with (
        warnings.catch_warnings()
    ):  # of tracing: lengths are dynamic in the result, and tests compare outputs
        warnings.simplefilter("ignore")
        model = ov.convert_model(module, example_input=example)
    ov.save_model(model, str(path), compress_to_fp16=True)
