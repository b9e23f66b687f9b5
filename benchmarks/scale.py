"""How an index behaves as it grows: ``python benchmarks/scale.py FOLDER --real INDEX --data FILE...``.

FOLDER is where the indexes are made, about 3 GB at a million passages; INDEX an index of real passages to recombine
(``scale_corpus.py``), FILE... JSON Lines with questions. Of each size, in a process of its own: opens the index,
asks, adds an article; a question's vector is given, nothing is read by the reader. Times are by the clock, and, on a
machine that is shared, by the processor (``cpu``). Writes FOLDER/scale.json; ``--plots DIR`` draws it.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import scale_corpus as corpus

from qa import sealing
from qa.encoder import load_encoder
from qa.index import Index
from qa.layers import Layers
from qa.retriever import POOL, Retriever

WARM_UP = 30  # questions that are not counted
ADDED = 5  # articles


def main() -> None:
    """Make, measure, write, draw."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--real", type=Path, help="an index of real passages")
    parser.add_argument("--data", type=Path, nargs="+", default=[], help="JSON Lines files with questions")
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--questions", type=int, default=300)
    parser.add_argument(
        "--seal-from", type=int, default=sealing.SEAL_FROM, help="to compare sealed and exact"
    )
    parser.add_argument("--plots", type=Path, help="only draw FOLDER/scale.json into this folder")
    parser.add_argument("--measure", type=int, help=argparse.SUPPRESS)  # one size, in this process
    options = parser.parse_args()
    if options.plots:
        draw(json.loads((options.folder / "scale.json").read_text()), options.plots)
        return
    sealing.SEAL_FROM = options.seal_from
    if options.measure:
        print(json.dumps(measure(options.folder, options.measure)))
        return
    real = prepare(options.folder, options.real, options.data, options.questions)
    results = []
    for size in options.sizes:
        made = build(options.folder, real, size)
        command = [sys.executable, __file__, str(options.folder), "--measure", str(size)]
        command += ["--seal-from", str(options.seal_from)]
        done = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
        results.append(made | json.loads(done.stdout))
        print(json.dumps(results[-1]), flush=True)
        (options.folder / "scale.json").write_text(json.dumps(results, indent=1) + "\n")


def prepare(folder: Path, index: Path, data: list[Path], count: int) -> corpus.Real:
    """The real passages; questions and their vectors are kept in the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    asked = corpus.read_questions(data, -(-(count + WARM_UP) // len(data)))
    asked = [asked[i] for i in np.random.default_rng(0).permutation(len(asked))[: count + WARM_UP]]
    encoder = load_encoder()
    np.save(folder / "questions.npy", np.stack([encoder.encode_question(question) for question in asked]))
    (folder / "questions.json").write_text(json.dumps(asked))
    return corpus.read_real(index)


def settings(folder: Path) -> dict[str, str]:
    """What an index was made with, as ``Index.open`` wants to hear it."""
    real = json.loads((folder / "made.json").read_text())
    return {"encoder_identity": real["encoder"], "passage_settings": real["settings"]}


def build(folder: Path, real: corpus.Real, size: int) -> dict[str, float]:
    """The index of a size, if it is not there yet; how long it takes to write, and to make what is derived."""
    index = folder / str(size)
    (folder / "made.json").write_text(json.dumps({"encoder": real.encoder, "settings": real.settings}))
    started = time.perf_counter()
    if not index.exists():
        corpus.write(index, real, size)
    written = time.perf_counter()
    before = time.process_time()
    Index.open(index, **settings(folder)).close()
    return {
        "passages": size,
        "write_s": round(written - started, 1),
        "derive_s": round(time.perf_counter() - written, 1),
        "derive_cpu_s": round(time.process_time() - before, 1),
        "load_while_deriving": round(os.getloadavg()[0], 1),
        "peak_mb_while_deriving": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000),
        "mb_sqlite": megabytes(index, "articles.sqlite"),
        "mb_derived": megabytes(index, "derived/**/*"),
    }


def megabytes(folder: Path, pattern: str) -> float:
    """What files take on the disk."""
    return round(sum(path.stat().st_size for path in folder.glob(pattern) if path.is_file()) / 1e6, 1)


class Given:
    """Stands where an encoder does: the questions' vectors are known."""

    def __init__(self, asked: list[str], vectors: np.ndarray) -> None:
        self._vectors = dict(zip(asked, vectors, strict=True))

    def encode_question(self, question: str) -> np.ndarray:
        """Its vector."""
        return self._vectors[question]


def measure(folder: Path, size: int) -> dict[str, object]:
    """Open, ask, add; in a fresh process."""
    asked = json.loads((folder / "questions.json").read_text())
    vectors = np.load(folder / "questions.npy")
    empty = memory()
    started = time.perf_counter()
    index = Index.open(folder / str(size), **settings(folder))
    opened = time.perf_counter() - started
    snapshot = index.snapshot
    retriever = Retriever(Given(asked, vectors))
    times: dict[str, list[tuple[float, float]]] = {"search": [], "dense": [], "bm25": []}
    for number, (question, vector) in enumerate(zip(asked, vectors, strict=True)):
        calls = {
            "search": lambda: retriever.retrieve(snapshot, question),  # noqa: B023
            "dense": lambda: snapshot.dense(vector, POOL),  # noqa: B023
            "bm25": lambda: snapshot.bm25(question, POOL),  # noqa: B023
        }
        for name, call in calls.items():
            started, worked = time.perf_counter(), time.process_time()
            call()
            if number >= WARM_UP:
                times[name].append((time.perf_counter() - started, time.process_time() - worked))
    result: dict[str, object] = {
        "sealed": isinstance(snapshot.catalogue, Layers),
        "open_s": round(opened, 3),
        **{f"{name}_ms": quantiles(values) for name, values in times.items()},
        "memory_mb": memory(),
        "memory_mb_before": empty,
        "load": round(os.getloadavg()[0], 1),
    }
    if isinstance(snapshot.catalogue, Layers):
        result["recall@20"] = recall(folder / str(size), snapshot, vectors)
    result["add_s"] = add(index, folder)
    index.close()
    return result


def quantiles(values: list[tuple[float, float]]) -> dict[str, float]:
    """p50 and p95 of clock and processor, in milliseconds."""
    clock, cpu = (1000 * np.array(column) for column in zip(*values, strict=True))
    found = {f"p{p}": np.percentile(clock, p) for p in (50, 95)}
    found |= {f"cpu_p{p}": np.percentile(cpu, p) for p in (50, 95)}
    return {name: round(float(value), 2) for name, value in found.items()}


def memory() -> dict[str, float]:
    """Resident memory of this process in MB: all; its own; of files that are mapped."""
    lines = Path("/proc/self/status").read_text().splitlines()
    found = dict(line.split(":", 1) for line in lines)
    return {name: round(int(found[name].split()[0]) / 1000, 1) for name in ("VmRSS", "RssAnon", "RssFile")}


def recall(index: Path, snapshot, vectors: np.ndarray, k: int = 20) -> float:
    """Share of the exact ``k`` nearest that the search finds."""
    (path,) = index.glob("derived/base-*/vectors.f16")
    stored = np.memmap(path, np.float16, "r").reshape(-1, vectors.shape[1])
    best = np.full((len(vectors), k), -np.inf, np.float32)
    for start in range(0, len(stored), 1 << 16):
        cosines = vectors @ stored[start : start + (1 << 16)].astype(np.float32).T
        best = -np.partition(-np.concatenate([best, cosines], axis=1), k - 1, axis=1)[:, :k]
    least = best.min(axis=1) - 1e-6
    found = [(snapshot.dense(vector, k)[1] >= low).sum() for vector, low in zip(vectors, least, strict=True)]
    return round(float(np.mean(found)) / k, 4)


def add(index: Index, folder: Path) -> dict[str, float]:
    """Seconds until a new article of eight passages is found, its vectors given; they are removed again."""
    stored = [index.article(info.article) for info in index.snapshot.articles[:ADDED]]
    times = []
    for number, article in enumerate(stored):
        text = f"quuxzanzibar {article.text}"
        ranges = [(i * len(text) // 8, (i + 1) * len(text) // 8) for i in range(8)]
        vectors = np.roll(np.load(folder / "questions.npy"), number, axis=0)[:8]
        made = type(article)(f"new-{number}", text, "New", "new.txt")
        started = time.perf_counter()
        index.put(made, ranges, vectors)
        rows, _ = index.snapshot.bm25("quuxzanzibar", ADDED)
        assert made.id in {index.snapshot.passage(int(row)).article for row in rows}
        times.append(time.perf_counter() - started)
    with index.write():
        for number in range(len(stored)):
            index.remove(f"new-{number}")
    return {"median": round(float(np.median(times)), 3), "most": round(max(times), 3)}


def draw(results: list[dict], folder: Path) -> None:
    """One small SVG: latency, memory, opening and adding, recall, against size."""
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "scale"
    from matplotlib import pyplot

    sizes = [result["passages"] for result in results]
    figure, axes = pyplot.subplots(2, 2, figsize=(9, 6), layout="constrained")

    def line(axis, label: str, values: list, style: str = "o-") -> None:
        axis.plot(sizes, values, style, label=label)

    for name in ("search", "dense", "bm25"):
        line(axes[0, 0], f"{name} p50", [r[f"{name}_ms"]["p50"] for r in results])
    line(axes[0, 0], "search p95", [r["search_ms"]["p95"] for r in results], "o--")
    axes[0, 0].set_title("a question, ms")
    for name, label in (("VmRSS", "all"), ("RssAnon", "its own"), ("RssFile", "files, mapped")):
        line(axes[0, 1], label, [r["memory_mb"][name] for r in results])
    axes[0, 1].set_title("resident memory, MB")
    line(axes[1, 0], "opening", [r["open_s"] for r in results])
    line(axes[1, 0], "adding an article", [r["add_s"]["median"] for r in results])
    axes[1, 0].set_title("seconds")
    line(axes[1, 1], "recall@20 of exact search", [r.get("recall@20", 1.0) for r in results])
    axes[1, 1].set_title("share")
    axes[1, 1].set_ylim(0.95, 1.002)
    for axis in axes.flat:
        axis.set_xscale("log")
        axis.set_xlabel("passages")
        axis.grid(alpha=0.3)
        axis.legend()
    for axis in axes.flat[:3]:
        axis.set_ylim(bottom=0)
    folder.mkdir(parents=True, exist_ok=True)
    figure.savefig(folder / "scale.svg", metadata={"Date": None})


if __name__ == "__main__":
    main()
