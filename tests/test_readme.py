"""The examples in the README run as they stand, and print what they should."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from qa.pipeline import open_index

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def examples(heading: str, language: str) -> list[str]:
    """The fenced blocks of a language under a heading."""
    section = README.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return re.findall(rf"^```{language}\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)


@pytest.fixture
def in_a_folder_with_an_index(tmp_path, monkeypatch, loaded_models, seeds):
    with open_index(tmp_path / "index", create=True) as made:
        made.add(seeds)
    monkeypatch.chdir(tmp_path)


def test_from_python(in_a_folder_with_an_index, capsys):
    first, second = examples("From Python", "python")
    exec(compile(first, "README.md", "exec"), {})
    answer, ref, check = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"peking university 0\.\d+", answer)
    assert ref == "001_34707f324662fe23-7752956a@27c04ac46719#2866-2883"
    assert check.startswith("near [('Niu Jun, an expert at', 'niu jun an expert at'), ('Harvard', 'peking')")
    exec(compile(second, "README.md", "exec"), {"__name__": "__main__"})
    assert capsys.readouterr().out == "['peking university', 'Anna Petrova']\n"
