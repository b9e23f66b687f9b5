from __future__ import annotations

import doctest
import json

import pytest

from qa import cli
from qa.evaluation import compare as module
from qa.evaluation.compare import FLIPS, compare, format_comparison, mcnemar
from qa.types import DatasetError


def row(number, right, f1=None, given="x"):
    return {"id": f"q{number}", "question": f"question {number}?", "right": right, "f1": f1, "given": given}


def write(path, *rows, dataset="a.jsonl"):
    path.write_text(json.dumps([{"dataset": dataset, "per_question": list(rows)}]))
    return path


@pytest.fixture
def two(tmp_path):
    before = [row(1, True, 1.0), row(2, False, 0.0, None), row(3, True, 0.5), row(4, True), row(9, True)]
    after = [row(1, True, 1.0), row(2, True, 1.0), row(3, False, 0.0, "y"), row(4, True), row(8, False)]
    return write(tmp_path / "a.json", *before), write(tmp_path / "b.json", *after)


def test_examples():
    assert doctest.testmod(module) == doctest.TestResults(failed=0, attempted=1)


def test_the_exact_test_by_hand():
    assert mcnemar(1, 8) == pytest.approx(2 * (1 + 9) / 512)
    assert mcnemar(8, 1) == mcnemar(1, 8)
    assert mcnemar(3000, 2000) < 1e-40  # beyond what floats alone could count


def test_only_shared_questions_are_compared_pair_by_pair(two):
    (found,) = compare(*two)
    assert (found.dataset, found.questions) == ("a.jsonl", 4)
    assert (found.right, found.difference, found.chance) == ((0.75, 0.75), 0.0, 1.0)
    assert found.interval[0] < 0 < found.interval[1]
    assert found.f1 == (50.0, pytest.approx(66.6667, abs=1e-3))
    assert found.f1_difference == pytest.approx(16.6667, abs=1e-3)
    assert [flip["after"]["id"] for flip in found.better] == ["q2"]
    assert [flip["after"]["id"] for flip in found.worse] == ["q3"]
    shown = format_comparison([found]).splitlines()
    assert shown[0] == "a.jsonl: 4 questions in both"
    assert "0.750 -> 0.750   +0.000" in shown[1]
    assert "1 better, 1 worse; p = 1.000: it may be chance" in shown[1]
    assert "50.0 -> 66.7   +16.7" in shown[2]
    assert shown[3:] == ["  better: question 2? | (declined) -> x", "  worse: question 3? | x -> y"]


def test_many_flips_to_one_side_are_hardly_chance(tmp_path):
    before = write(tmp_path / "a.json", *(row(n, False) for n in range(FLIPS + 2)))
    after = write(tmp_path / "b.json", *(row(n, True) for n in range(FLIPS + 2)))
    (found,) = compare(before, after)
    assert (found.difference, found.f1) == (1.0, None)
    shown = format_comparison([found])
    assert "hardly by chance" in shown
    assert shown.endswith("... and 2 more better")


def test_other_files_are_one_clear_error(two, tmp_path):
    before = two[0]
    wrong = {
        "{}": "not a list of results",
        "[5]": "is not a JSON object",
        '[{"dataset": "a.jsonl"}]': "has no single questions",
        '[{"dataset": "a.jsonl", "per_question": [{"right": 1}]}]': '"right" is not true or false',
        '[{"dataset": "b.jsonl", "per_question": []}]': "have no dataset in common",
        '[{"dataset": "a.jsonl", "per_question": []}]': "have no question in common",
        "[": "not JSON",
    }
    for text, why in wrong.items():
        path = tmp_path / "c.json"
        path.write_text(text)
        with pytest.raises(DatasetError, match=why) as error:
            compare(before, path)
        assert "\n" not in str(error.value)


def test_the_command(two, capsys):
    assert cli.main(["evaluate", "--compare", *map(str, two)]) == 0
    assert capsys.readouterr().out.startswith("a.jsonl: 4 questions in both\n")
    for wrong in (["evaluate"], ["evaluate", "x.jsonl", "--compare", *map(str, two)]):
        with pytest.raises(SystemExit) as left:
            cli.main(wrong)
        assert left.value.code == 2
        assert "give either DATASET or --compare" in capsys.readouterr().err
