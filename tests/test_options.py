from __future__ import annotations

from pathlib import Path

import pytest

from qa import cli
from qa.options import misused, parse

SMALLEST = {
    "index": [], "ask": [], "search": ["x"], "articles": [], "remove": ["x"], "verify": ["x"], "evaluate": ["x"],
    "calibrate": ["--data", "x"], "quantize": ["--data", "x"],
}  # fmt: skip


@pytest.mark.parametrize("command", SMALLEST)
def test_a_command_is_parsed_to_its_name_and_has_a_function(command):
    options = parse([command, *SMALLEST[command]])
    assert options.command == command
    assert not [value for value in vars(options).values() if callable(value)]
    assert SMALLEST.keys() == cli._COMMANDS.keys()


def test_values_have_their_types():
    options = parse(
        ["ask", "x", "--top-k", "50", "--min-confidence", "1", "--articles", "a", "b/*", "--json"]
    )
    assert (options.top_k, options.min_confidence, options.articles) == (50, 1.0, ["a", "b/*"])
    assert (options.question, options.batch, options.index, options.json) == ("x", None, "index", True)
    options = parse(["index", "a", "b", "--shard", "2/4"])
    assert (options.paths, options.shard, options.sync) == (["a", "b"], (2, 4), False)
    options = parse(["quantize", "--data", "a", "--pairs", "7", "--seed", "3"])
    assert (options.data, options.pairs, options.seed) == ([Path("a")], 7, 3)


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
