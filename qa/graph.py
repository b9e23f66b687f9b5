"""Run a network on the CPU through OpenVINO: compile once, one infer request per thread.

The only importer of ``openvino``.
"""

from __future__ import annotations

import os
import sys
import threading
import warnings
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
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

# OpenVINO's table of NumPy's types is made at the first look into a tensor, in C++ that lets go of Python's lock
# meanwhile: two threads whose first look comes at the same time wait for each other for ever. So look once, here,
# where the import lock lets in only one.
_ = ov.Tensor(np.zeros(1, np.int64)).data


def available_cpus() -> int:
    """Number of cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def padded(length: int) -> int:
    """A length rounded up to a multiple of ``BUCKET``."""
    return -(-length // BUCKET) * BUCKET


def pad(rows: Sequence[Sequence[int]], fill: int = 0) -> Array:
    """Rows of token numbers as one int64 array (len(rows), L), L a multiple of ``BUCKET``."""
    length = padded(max(len(row) for row in rows))
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
        self._pool: ThreadPoolExecutor | None = None
        self._local = threading.local()

    def __call__(self, inputs: dict[str, Array]) -> list[Array]:
        """Infer once, in this thread's own request. Outputs are copies: the request is used again."""
        request = getattr(self._local, "request", None)
        if request is None:
            request = self._local.request = self._compiled.create_infer_request()
        result = request.infer({name: inputs[name] for name in self.inputs})
        return [np.array(result[port]) for port in self._compiled.outputs]

    def map(self, batches: Iterable[dict[str, Array]]) -> Iterator[tuple[int, Array]]:
        """First output of each batch, ``(number of the batch, output)``, in the order given.

        Batches run side by side, one a stream, so each result depends on its own batch alone. They are taken one
        by one: given a generator, the next is made while those before it are computed.
        """
        # Threads of our own rather than OpenVINO's queue: its callbacks may still hold Python's objects when the
        # network is taken down, which then waits for them, and they for Python's lock, for ever.
        if self._pool is None:
            self._pool = ThreadPoolExecutor(self._streams, thread_name_prefix="graph")
        running: deque[Future[list[Array]]] = deque()
        number = 0
        try:
            for batch in batches:
                running.append(self._pool.submit(self, batch))
                if len(running) > self._streams:
                    yield number, running.popleft().result()[0]
                    number += 1
            while running:
                yield number, running.popleft().result()[0]
                number += 1
        finally:  # also when a batch cannot be made: nothing may still be running
            wait(running)


def convert(module: Any, example: dict[str, Any], path: Path) -> None:  # noqa: ANN401
    """Write a torch module as an OpenVINO model at ``path``; weights as float16."""
    with (
        warnings.catch_warnings()
    ):  # of tracing: lengths are dynamic in the result, and tests compare outputs
        warnings.simplefilter("ignore")
        model = ov.convert_model(module, example_input=example)
    ov.save_model(model, str(path), compress_to_fp16=True)
