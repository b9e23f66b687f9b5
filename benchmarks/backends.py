"""The same questions in a folder and in Milvus: ``python benchmarks/backends.py FOLDER --data F``.

F is SQuAD JSON; its articles are indexed in FOLDER/real, and, filled up with real passages recombined
(``scale_corpus.py``), in FOLDER/local. ``qa copy`` takes that to FOLDER/milvus.db and back to FOLDER/back. Then each
is asked in a process of its own, one question at a time. Writes FOLDER/backends.json.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from itertools import islice
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import scale_corpus as corpus

from qa import open_index
from qa.edges import edges
from qa.evaluation.datasets import load_dataset
from qa.store import Store
from qa.transfer import LocalShelf, copy

ROOT = Path(__file__).resolve().parent.parent
WARM_UP = 5  # questions that are not counted


def main() -> None:
    """Make, copy, ask, compare."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--data", type=Path, required=True, help="SQuAD JSON")
    parser.add_argument("--passages", type=int, default=100_000)
    parser.add_argument("--questions", type=int, default=100)
    parser.add_argument("--ask", help=argparse.SUPPRESS)  # one index, in this process
    options = parser.parse_args()
    if options.ask:
        print(json.dumps(ask(options.folder / options.ask, options.data, options.questions)))
        return
    options.folder.mkdir(parents=True, exist_ok=True)
    build(options.folder, options.data, options.passages)
    result: dict[str, object] = {"passages": options.passages}
    for source, target in (("local", "milvus.db"), ("milvus.db", "back")):
        result[f"copy to {target}"] = timed(
            ["-m", "qa", "copy", str(options.folder / source), str(options.folder / target)]
        )
    asked = {}
    for name in ("local", "milvus.db", "back"):
        command = [
            __file__,
            str(options.folder),
            "--data",
            str(options.data),
            "--questions",
            str(options.questions),
        ]
        done = subprocess.run(
            [sys.executable, *command, "--ask", name], stdout=subprocess.PIPE, check=True, text=True
        )
        asked[name] = json.loads(done.stdout)
        result[name] = {key: value for key, value in asked[name].items() if key != "answers"}
        print(name, json.dumps(result[name]), flush=True)
    for name in ("milvus.db", "back"):
        pairs = list(zip(asked["local"]["answers"], asked[name]["answers"], strict=True))
        result[f"as local: {name}"] = {
            "whole JSON": sum(a == b for a, b in pairs),
            "answer and refs": sum(gist(a) == gist(b) for a, b in pairs),
            "of": len(pairs),
            "different": [[a["question"], gist(a), gist(b)] for a, b in pairs if gist(a) != gist(b)][:5],
        }
        print(name, json.dumps(result[f"as local: {name}"]), flush=True)
    (options.folder / "backends.json").write_text(json.dumps(result, indent=1) + "\n")


def gist(answer: dict) -> list[object]:
    """What a person sees: the answer, its places and how sure it is."""
    return [answer["answer"], [c["ref"] for c in answer["citations"]], round(answer["confidence"] or 0, 3)]


def timed(command: list[str]) -> dict[str, float]:
    """Run a command; seconds, and its peak memory."""
    started = time.perf_counter()
    subprocess.run([sys.executable, *command], check=True, cwd=ROOT)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1000
    took = {
        "s": round(time.perf_counter() - started, 1),
        "peak_mb_so_far": round(peak),
        "load": os.getloadavg()[0],
    }
    print(command[-1], took, flush=True)
    return took


def build(folder: Path, data: Path, passages: int) -> None:
    """The local index: the data's articles, and recombined ones until there are so many passages."""
    if not (folder / "real").exists():
        with open_index(folder / "real", create=True) as pipeline:
            pipeline.add(sorted(load_dataset(data).articles, key=lambda article: article.id))
    if (folder / "local").exists():
        return
    real = corpus.read_real(folder / "real")
    source = LocalShelf(folder / "real")
    target = LocalShelf(folder / "local", source.made_with())
    copy(source, target)
    target.close()
    source.close()
    store = Store(folder / "local", encoder=real.encoder, passage_settings=real.settings)
    made = corpus.articles(real, passages - len(real.passages))
    while part := list(islice(made, 2_500)):
        with store.write():
            for article, ranges, vectors in part:
                store.put(article, ranges, vectors, edges(article.text))
    store.close()


def ask(index: Path, data: Path, count: int) -> dict[str, object]:
    """Answers, time a question, and how often one of the first five passages holds the gold answer."""
    posed = [q for q in load_dataset(data).questions if q.answers and q.spans]
    posed = [posed[n * len(posed) // (count + WARM_UP)] for n in range(count + WARM_UP)]
    started = time.perf_counter()
    with open_index(index) as pipeline:
        opened = time.perf_counter() - started
        answers, times, retrieved, found = [], [], [], []
        for number, question in enumerate(posed):
            started = time.perf_counter()
            answer = pipeline.ask(question.text)
            took = time.perf_counter() - started
            if number < WARM_UP:
                continue
            times.append(took)
            retrieved.append(answer.timings_ms["retrieve"])
            found.append(any(covers(row, question) for row in pipeline.search(question.text, 5)))
            answers.append({k: v for k, v in answer.to_json().items() if k not in ("timings_ms", "index")})
        info = pipeline.info()
    p50, p95 = np.percentile(1000 * np.array(times), [50, 95])
    return {
        "index": info, "open_s": round(opened, 1), "p50_ms": round(p50), "p95_ms": round(p95),
        "retrieve_p50_ms": round(float(np.median(retrieved))), "recall@5": float(np.mean(found)),
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000), "load": os.getloadavg()[0],
        "answers": answers,
    }  # fmt: skip


def covers(row: dict, question) -> bool:
    """Whether a passage holds a gold answer at its place."""
    inside = (row["start"] <= start and end <= row["end"] for start, end in question.spans)
    return row["article"] == question.article and any(inside)


if __name__ == "__main__":
    main()
