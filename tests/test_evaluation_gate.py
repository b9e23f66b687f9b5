from __future__ import annotations

import json
import math
import shutil
from pathlib import Path

import pytest

from qa import cli
from qa.evaluation.gate import Gate, failures, load_gates
from qa.reader import DEFAULT
from qa.types import DatasetError

QUESTIONS = Path(__file__).resolve().parent / "questions"
SHIPPED = QUESTIONS / "gates.toml"
ENTRY = {
    "dataset": "seeds.jsonl",
    "questions": 80,
    "end_to_end": {"shipped": {"wrong_answered": 0.1, "f1": 80}},
    "absent": {"declined": 0.85},
    "reader": None,
    "ci": {},
}


def gates(tmp_path, text):
    path = tmp_path / "gates.toml"
    path.write_text(text, encoding="utf-8")
    return load_gates(path)


def test_limits_are_read_in_their_order(tmp_path):
    text = '["a.jsonl"]\n"x.y" = { least = 1 }\n"x.z" = { most = 0.5, least = 0 }\n[b]\nq = { most = 2 }\n'
    assert gates(tmp_path, text) == [
        Gate("a.jsonl", "x.y", 1.0, math.inf),
        Gate("a.jsonl", "x.z", 0.0, 0.5),
        Gate("b", "q", -math.inf, 2.0),
    ]


@pytest.mark.parametrize(
    ("limit", "line"),
    [
        ('"absent.declined" = { least = 0.85 }', None),
        ('"absent.declined" = { least = 0.86 }', "absent.declined is 0.85, and must be at least 0.86"),
        ('"end_to_end.shipped.wrong_answered" = { most = 0.1 }', None),
        (
            '"end_to_end.shipped.wrong_answered" = { most = 0.09 }',
            "end_to_end.shipped.wrong_answered is 0.1, and must be at most 0.09",
        ),
        ('"end_to_end.shipped.f1" = { least = 80, most = 80 }', None),
        ('"reader.f1" = { least = 1 }', "reader.f1 was not measured"),
        ('"absent.nothing" = { least = 1 }', "absent.nothing was not measured"),
        ('"absent" = { least = 1 }', "absent was not measured"),
        ('"absent.declined.x" = { least = 1 }', "absent.declined.x was not measured"),
    ],
)
def test_what_is_past_its_limit_or_was_not_measured_is_a_line(tmp_path, limit, line):
    found = failures(gates(tmp_path, f'["seeds.jsonl"]\n{limit}\n'), [ENTRY])
    assert found == ([] if line is None else [f"seeds.jsonl: {line}"])


def test_a_dataset_that_was_not_given_fails(tmp_path):
    found = failures(gates(tmp_path, '["other.json"]\nx = { least = 1 }\n'), [ENTRY])
    assert found == ["other.json: x was not measured: no such dataset was given"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "holds no gate"), ("[a]", "holds no gate"), ("x = 1", '"x" is not a table'), ("[", "not TOML"),
        ("[a]\nx = 1", '"a", "x": a gate is'), ("[a]\nx = {}", '"a", "x": a gate is'),
        ("[a]\nx = { least = 1, lest = 2 }", '"a", "x": a gate is'),
        ('[a]\nx = { most = "1" }', "'1' is not a number"),
        ("[a]\nx = { most = nan }", "'nan' is not a number"), ("[a]\nx = { most = true }", "'True' is not a number"),
    ],
)  # fmt: skip
def test_other_files_are_one_clear_error(tmp_path, text, why):
    with pytest.raises(DatasetError) as error:
        gates(tmp_path, text)
    assert why in str(error.value)
    assert "\n" not in str(error.value)
    with pytest.raises(DatasetError, match="is not there"):
        load_gates(tmp_path / "none.toml")


def test_the_command_fails_with_a_line_for_each_closed_gate(tmp_path, monkeypatch, capsys):
    asked = []
    monkeypatch.setattr("qa.evaluation.runner.evaluate", lambda *args, **known: asked.append(args) or [ENTRY])
    monkeypatch.setattr("qa.evaluation.report.format_table", lambda results: "the table")
    path, out = tmp_path / "gates.toml", tmp_path / "out.json"

    def run(text):
        path.write_text(text, encoding="utf-8")
        status = cli.main(["evaluate", "seeds.jsonl", "--gate", str(path), "--json", str(out)])
        return status, *map(str.splitlines, capsys.readouterr())

    assert run('["seeds.jsonl"]\n"absent.declined" = { least = 0.8 }\n') == (0, ["the table"], [])
    assert run('["seeds.jsonl"]\n"absent.declined" = { least = 0.9 }\nx = { most = 1 }\n') == (
        1,
        ["the table"],
        [
            "gate: seeds.jsonl: absent.declined is 0.85, and must be at least 0.9",
            "gate: seeds.jsonl: x was not measured",
        ],
    )
    assert json.loads(out.read_text()) == [ENTRY]
    before = len(asked)
    status, _, said = run("[")
    assert (status, len(asked)) == (1, before)  # looked at before anything is asked
    assert said[0].startswith(f"evaluate: {path}: not TOML")


def test_the_shipped_gates_are_on_wrong_answers_and_wrong_refusals_too():
    figures = {gate.figure: gate for gate in load_gates(SHIPPED) if gate.dataset == "seeds.jsonl"}
    assert figures["end_to_end.shipped.wrong_answered"].most < 0.2
    assert figures["end_to_end.shipped.wrongly_declined"].most < 0.2
    assert figures["absent.declined"].least >= 0.75
    assert figures["end_to_end.forced.f1"].least >= 70


def broken_reader(folder):
    """The shipped reader, its words numbered one off: weights and calibration are as ever, nothing else sees it."""
    shutil.copytree(DEFAULT, folder)
    path = folder / "tokenizer.json"
    tokenizer = json.loads(path.read_text(encoding="utf-8"))
    words = tokenizer["model"]["vocab"]
    ids = sorted(number for number in words.values() if number >= 1000)  # below are [CLS] and the like
    following = dict(zip(ids, [*ids[1:], ids[0]], strict=True))
    tokenizer["model"]["vocab"] = {word: following.get(number, number) for word, number in words.items()}
    path.write_text(json.dumps(tokenizer), encoding="utf-8")
    return folder


@pytest.mark.slow
def test_the_shipped_gates_close_on_a_broken_reader(tmp_path, capsys):
    index = str(tmp_path / "index")
    assert cli.main(["index", str(QUESTIONS.parents[1] / "seeds"), "--index", index]) == 0
    ask = [
        "evaluate",
        str(QUESTIONS / "seeds.jsonl"),
        "--index",
        index,
        "--gate",
        str(SHIPPED),
        "--limit",
        "20",
    ]
    capsys.readouterr()
    assert cli.main([*ask, "--reader", str(broken_reader(tmp_path / "reader"))]) == 1
    closed = [line for line in capsys.readouterr().err.splitlines() if line.startswith("gate: ")]
    print("\n".join(closed))
    assert any("end_to_end.forced.f1 is " in line and line.endswith("at least 86") for line in closed)
    assert len(closed) >= 2
