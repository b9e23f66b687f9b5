"""The same articles, questions and weights through Haystack, txtai, plain BM25 + reader, and this program.

    python benchmarks/peers/run.py squad1_open.json.gz [--questions 200]

Makes an environment for each peer (once; ``--environments DIR``), indexes every second article of a SQuAD file, and
asks as many questions of these as of the articles left out, which nothing answers. All peers are up at once and each
question goes to one after the other, so that a busy machine is as busy for all. Peers get SQuAD's own paragraphs as
passages, which flatters them: every gold answer lies whole within one. The reader's weights are stored in half
precision, which transformers would run as such, slowly; they get them in single. Writes ``results/<commit>.json``,
a table and a plot.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from safetensors.numpy import load_file, save_file

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(ROOT))

from qa.encoder import default_weights  # noqa: E402
from qa.evaluation import metrics  # noqa: E402
from qa.evaluation.datasets import BETWEEN_PARAGRAPHS, Dataset, Question, load_dataset  # noqa: E402
from qa.evaluation.machine import commit, machine  # noqa: E402
from qa.evaluation.report import RIGHT  # noqa: E402

PEERS = ("ours", "haystack", "txtai", "bm25")
WARM_UP = 3
SHARES = ("recall_5", "absent_answered", "misplaced")
COLUMNS = {
    "em": "EM",
    "f1": "F1",
    "shipped_f1": "F1, may decline",
    "recall_5": "recall@5",
    "absent_answered": "absent answered",
    "misplaced": "misplaced",
    "p50_ms": "p50 ms",
    "p95_ms": "p95 ms",
    "cpu_ms": "cpu ms",
    "per_second": "passages/s with loading",
    "memory_mb": "MB",
}


def environment(peer: str, folder: Path) -> Path:
    """The peer's own Python, made if it is not there; this one for this program."""
    if peer == "ours":
        return Path(sys.executable)
    python = folder / peer / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(folder / peer)], check=True)
        wanted = str(HERE / f"requirements-{peer}.txt")
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", "-r", wanted], check=True)
    return python


class Peer:
    """A peer's process."""

    def __init__(self, name: str, python: Path, task: dict[str, Any]) -> None:
        self.name, self.rows = name, []
        self._process = subprocess.Popen(
            [str(python), str(HERE / f"peer_{name}.py")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            encoding="utf-8", cwd=HERE,
        )  # fmt: skip
        self.built = self._say(task)

    def ask(self, question: str) -> None:
        """Ask, and keep what it says."""
        self.rows.append(self._say({"question": question}))

    def close(self) -> None:
        """End it."""
        self._process.stdin.close()
        self._process.wait(60)

    def _say(self, row: dict[str, Any]) -> dict[str, Any]:
        self._process.stdin.write(json.dumps(row) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit(f"{self.name} ended; its last words are above")
        return json.loads(line)


def single_precision(folder: Path) -> Path:
    """The shipped reader in ``folder``, its weights in float32 and without the int8 graph."""
    source = ROOT / "models" / "reader"
    shutil.copytree(source, folder, ignore=shutil.ignore_patterns("int8.*", "model.safetensors"))
    weights = {
        name: array.astype("float32") for name, array in load_file(source / "model.safetensors").items()
    }
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    config = json.loads((folder / "config.json").read_text())
    config |= {"dtype": "float32"}
    config.pop("torch_dtype", None)
    (folder / "config.json").write_text(json.dumps(config))
    return folder


def prepare(dataset: Dataset, count: int, reader: Path) -> tuple[dict[str, Any], list[Question], set[str]]:
    """What is indexed, what is asked (present and absent in turns), and the articles that are there."""
    here = sorted(dataset.articles, key=lambda article: article.title)[::2]
    present = [q for q in dataset.questions if q.answers and q.spans and q.article in {a.id for a in here}]
    absent = [q for q in dataset.questions if q.answers and q.article not in {a.id for a in here}]
    half = min(count // 2, len(present), len(absent))
    asked = []
    for n in range(half):
        asked += [present[n * len(present) // half], absent[n * len(absent) // half]]
    passages = []
    for article in here:
        at = 0
        for number, text in enumerate(article.text.split(BETWEEN_PARAGRAPHS)):
            place = {"article": article.id, "start": at, "end": at + len(text)}
            passages.append({"id": f"{article.id}/{number}", "text": text, **place})
            at += len(text) + len(BETWEEN_PARAGRAPHS)
    articles = [{k: getattr(a, k) for k in ("id", "text", "title", "source")} for a in here]
    weights = {"reader": str(reader), "encoder": str(default_weights())}
    return {"articles": articles, "passages": passages, **weights}, asked, {a.id for a in here}


def figures(peer: Peer, task: dict[str, Any], asked: list[Question], here: set[str]) -> dict[str, Any]:
    """What one peer came to, with 95 % bootstrap intervals of F1."""
    texts = {a["id"]: a["text"] for a in task["articles"]} | {p["id"]: p["text"] for p in task["passages"]}
    places = {p["id"]: (p["article"], p["start"], p["end"]) for p in task["passages"]}
    pairs = list(zip(asked, peer.rows, strict=True))
    present = [(q, row) for q, row in pairs if q.article in here]
    absent = [row for q, row in pairs if q.article not in here]
    f1 = [100 * metrics.f1(row["forced"], q.answers) for q, row in present]
    mean = lambda values: sum(values) / len(values)  # noqa: E731

    def recalled(question: Question, row: dict[str, Any]) -> bool:
        hits = [places[hit] if isinstance(hit, str) else hit for hit in row["hits"]]
        rows = [{"article": a, "start": s, "end": e} for a, s, e in hits]
        return metrics.first_covering(rows, question.article, question.spans) > 0

    answered = [row for _, row in pairs if row["forced"] is not None]
    warm = peer.rows[WARM_UP:]
    return {
        "em": mean([100 * metrics.exact_match(row["forced"], q.answers) for q, row in present]),
        "f1": mean(f1),
        "f1_interval": metrics.interval(metrics.mean, _array(f1)),
        "shipped_f1": mean([100 * metrics.f1(row["shipped"], q.answers) for q, row in present]),
        "shipped_right": mean([metrics.f1(row["shipped"], q.answers) >= RIGHT for q, row in present]),
        "recall_5": mean([recalled(q, row) for q, row in present]),
        "absent_answered": mean([row["shipped"] is not None for row in absent]),
        "misplaced": mean([_misplaced(row, texts) for row in answered]) if answered else None,
        "failed": sum(row.get("failed", False) for _, row in pairs),
        "offsets": any(row["place"] and row["place"][1] is not None for row in answered),
        "p50_ms": float(metrics.percentile(50)(_array([row["ms"] for row in warm]))),
        "p95_ms": float(metrics.percentile(95)(_array([row["ms"] for row in warm]))),
        "cpu_ms": float(metrics.percentile(50)(_array([row["cpu_ms"] for row in warm]))),
        "passages": peer.built["passages"],
        "per_second": peer.built["passages"] / peer.built["seconds"],
        "per_cpu_second": peer.built["passages"] / peer.built["cpu"],
        "memory_mb": peer.rows[-1]["memory"],
    }


def _array(values: list[float]) -> Any:
    import numpy as np

    return np.array(values, dtype=np.float64)


def _misplaced(row: dict[str, Any], texts: dict[str, str]) -> bool:
    """Whether the place it gives does not read as its answer; without offsets: the text it names does not hold it."""
    if row["place"] is None or row["place"][0] not in texts:
        return True
    name, start, end = row["place"]
    return row["forced"] not in texts[name] if start is None else texts[name][start:end] != row["forced"]


def table(results: dict[str, dict[str, Any]]) -> str:
    """The figures as Markdown."""
    lines = ["| | " + " | ".join(COLUMNS.values()) + " |", "|---" * (len(COLUMNS) + 1) + "|"]
    for name, found in results.items():
        cells = []
        for key in COLUMNS:
            digits = (
                2
                if key in ("recall_5", "absent_answered", "misplaced")
                else 0
                if key.endswith(("ms", "mb"))
                else 1
            )
            value = found[key]
            low_high = found.get(f"{key}_interval")
            shown = "-" if value is None else f"{value:.{digits}f}"
            cells.append(shown + (f" [{low_high[0]:.1f}, {low_high[1]:.1f}]" if low_high else ""))
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def plot(results: dict[str, dict[str, Any]], path: Path) -> None:
    """F1 by time per question."""
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "peers"
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(6, 3.6), layout="constrained")
    for name, found in results.items():
        low, high = found["f1_interval"]
        reach = [[max(0.0, found["f1"] - low)], [max(0.0, high - found["f1"])]]
        axes.errorbar(found["p50_ms"], found["f1"], yerr=reach, fmt="o", capsize=3)
        axes.annotate(name, (found["p50_ms"], found["f1"]), xytext=(7, 5), textcoords="offset points")
    axes.set_xscale("log")
    times = [found["p50_ms"] for found in results.values()]
    axes.set_xlim(min(times) / 1.4, max(times) * 1.7)  # room for the names
    ticks = [n * 10**power for power in range(5) for n in (1, 2, 5) if n * 10**power > min(times) / 1.4]
    axes.set_xticks([tick for tick in ticks if tick < max(times) * 1.7], minor=False)
    axes.minorticks_off()
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_xlabel("milliseconds a question (p50), all in turns on the same machine")
    axes.set_ylabel("token F1, never declining")
    axes.grid(alpha=0.3)
    figure.savefig(path, metadata={"Date": None})


def main() -> None:
    """Run all."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("dataset", type=Path)
    parser.add_argument("--questions", type=int, default=200)
    parser.add_argument("--peers", nargs="+", choices=PEERS, default=list(PEERS))
    parser.add_argument("--environments", type=Path, default=HERE / ".venvs")
    parser.add_argument("--out", type=Path, default=HERE / "results")
    options = parser.parse_args()
    code = commit()  # of what is run; it may have moved on by the end
    reader = single_precision(Path(tempfile.mkdtemp(prefix="peers-")) / "reader")
    task, asked, here = prepare(load_dataset(options.dataset), options.questions, reader)
    peers = [Peer(name, environment(name, options.environments), task) for name in options.peers]
    for number, question in enumerate(asked, 1):
        for peer in peers:
            peer.ask(question.text)
        if number % 10 == 0:
            print(f"{number} of {len(asked)}", file=sys.stderr)
    for peer in peers:
        peer.close()
    shutil.rmtree(reader.parent)
    results = {peer.name: figures(peer, task, asked, here) for peer in peers}
    options.out.mkdir(parents=True, exist_ok=True)
    whole = {
        "schema": 1, "dataset": options.dataset.name, "questions": len(asked), "commit": code,
        "machine": machine(), "peers": results,
    }  # fmt: skip
    path = options.out / f"{whole['commit'][:12]}.json"
    path.write_text(json.dumps(whole, indent=1) + "\n", encoding="utf-8")
    plot(results, options.out / "peers.svg")
    print(table(results))
    print(f"wrote {path}", file=sys.stderr)


if __name__ == "__main__":
    main()
