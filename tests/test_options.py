from __future__ import annotations

import re
import shlex
from dataclasses import fields
from datetime import timedelta
from pathlib import Path

import pytest

from qa import cli
from qa.examples import EXAMPLES
from qa.finding import KINDS
from qa.options import _parser, misused, parse
from qa.training.settings import Settings

SMALLEST = {
    "index": [], "ask": [], "search": ["x"], "articles": [], "remove": ["x"], "gc": ["--older-than", "0d"],
    "verify": ["x"], "evaluate": ["x"], "train": ["--data", "x", "--out", "y"], "calibrate": ["--data", "x"],
    "quantize": ["--data", "x"], "average": ["x", "y", "--out", "z"], "copy": ["x", "y"], "tune": ["x"],
}  # fmt: skip


@pytest.mark.parametrize("command", SMALLEST)
def test_a_command_is_parsed_to_its_name_and_has_a_function(command):
    options = parse([command, *SMALLEST[command]])
    assert options.command == command
    assert not [value for value in vars(options).values() if callable(value)]
    assert SMALLEST.keys() == cli._COMMANDS.keys()


@pytest.mark.parametrize("command", SMALLEST)
def test_help_shows_examples_that_can_be_typed_so(command, capsys):
    with pytest.raises(SystemExit) as left:
        parse([command, "--help"])
    assert left.value.code == 0
    helped = capsys.readouterr().out
    assert EXAMPLES.keys() == SMALLEST.keys()
    for typed, words in EXAMPLES[command]:
        assert f"  python -m qa {typed}\n      {words}\n" in helped
        line = re.split(r" [|<>] ", typed)[0]
        assert parse(shlex.split(line)).command == command
    assert max(map(len, helped.splitlines())) < 100


def test_every_flag_says_what_it_is_for(capsys):
    for command in SMALLEST:
        parser = next(iter(_parser()._subparsers._group_actions)).choices[command]
        for action in parser._actions:
            assert action.help, (command, action.dest)


def test_values_have_their_types():
    options = parse(
        ["ask", "x", "--top-k", "50", "--min-confidence", "1", "--articles", "a", "b/*", "--json"]
    )
    assert (options.top_k, options.min_confidence, options.articles) == (50, 1.0, ["a", "b/*"])
    assert (options.question, options.batch, options.index, options.json) == ("x", None, "index", True)
    options = parse(["verify", "--quote", "x", "--articles", "a"])
    assert (options.ref, options.quote, options.articles) == (None, "x", ["a"])
    options = parse(["index", "a", "b", "--shard", "2/4"])
    assert (options.paths, options.shard, options.sync) == (["a", "b"], (2, 4), False)
    options = parse(["quantize", "--data", "a", "--pairs", "7", "--seed", "3"])
    assert (options.data, options.pairs, options.seed) == ([Path("a")], 7, 3)
    options = parse(
        ["train", "--data", "a", "b", "--out", "c", "--weight", "qamr=.5", "x=y=2", "--tokens", "64"]
    )
    assert (options.data, options.out, options.base) == ([Path("a"), Path("b")], Path("c"), None)
    assert (options.weight, options.tokens, options.rate) == ([("qamr", 0.5), ("x=y", 2.0)], 64, 1e-4)
    assert parse(["calibrate", "--data", "a", "--held-out"]).held_out


def test_help_and_readme_name_every_kind_of_file(capsys):
    with pytest.raises(SystemExit):
        parse(["index", "--help"])
    helped = capsys.readouterr().out
    readme = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")
    for suffix in KINDS:
        assert re.search(re.escape(suffix) + r"\b", helped), suffix
        assert f"`{suffix}`" in readme, suffix


def test_every_setting_of_training_is_an_option_with_its_default():
    options = vars(parse(["train", "--data", "a", "--out", "b"]))
    assert Settings(**{choice.name: options[choice.name] for choice in fields(Settings)}) == Settings()


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--weight", "qamr"], "NAME=W"),
        (["--weight", "=1"], "NAME=W"),
        (["--weight", "qamr=-1"], "NAME=W"),
        (["--weight", "qamr=nan"], "NAME=W"),
        (["--rate", "fast"], "--rate"),
        (["--raw", "1.5"], "--raw 1.5 is out of range"),
        (["--raw", "nan"], "--raw nan is out of range"),
        (["--rate", "0"], "--rate 0 is out of range"),
        (["--passes", "inf"], "--passes inf is out of range"),
        (["--longest", "513"], "--longest 513 is out of range"),
        (["--tokens", "100"], "holds not even one reading"),
        (["--mined", "-1"], "--mined -1 is out of range"),
    ],
)
def test_settings_out_of_range_are_bad_usage(flags, words, capsys, tmp_path):
    with pytest.raises(SystemExit) as stop:
        cli.main(["train", "--data", "x", "--out", str(tmp_path / "out"), *flags])
    said = capsys.readouterr().err
    assert (stop.value.code, said.count("\n")) == (2, 1)
    assert words in said
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("value", "hours"),
    [("12h", 12), ("30d", 720), ("2w", 336), ("0d", 0), ("007d", 168), ("99999w", 16_799_832)],
)
def test_an_age_is_hours_days_or_weeks(value, hours):
    assert parse(["gc", "--older-than", value]).older_than == timedelta(hours=hours)


@pytest.mark.parametrize(
    "value", ["", "30", "d", "-1d", "1.5d", "30 d", "30m", "30D", "٣d", "100000d", "1d\n"]
)
def test_what_is_no_age_is_bad_usage(value, capsys):
    with pytest.raises(SystemExit) as stop:
        parse(["gc", f"--older-than={value}"])
    said = capsys.readouterr().err
    assert (stop.value.code, said.count("\n")) == (2, 1)
    assert "is not a number of hours, days or weeks, such as 12h, 30d or 2w" in said


@pytest.mark.parametrize("value", ["0", "51", "-1", "1.5", "٣x", "", "9" * 5000])
def test_top_k_is_what_the_pipeline_takes(value, capsys):
    with pytest.raises(SystemExit) as stop:
        parse(["search", "x", f"--top-k={value}"])
    said = capsys.readouterr().err
    assert (stop.value.code, said.count("\n")) == (2, 1)
    assert "--top-k" in said


def test_misuse_that_is_noticed_later_looks_like_any_other(capsys):
    with pytest.raises(SystemExit) as stop:
        misused("ask", "give one of them")
    assert stop.value.code == 2
    assert capsys.readouterr() == ("", "python -m qa ask: give one of them; see python -m qa ask --help\n")
