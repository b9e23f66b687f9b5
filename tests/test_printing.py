from __future__ import annotations

import json

import pytest

from qa import printing
from qa.adding import AddReport
from qa.folders import Report
from qa.printing import (
    counts,
    say,
    show_answer,
    show_articles,
    show_json,
    show_old_versions,
    show_passages,
    show_rehearsal,
    show_report,
    show_verification,
)
from qa.types import Answer, ArticleInfo, Citation, OldVersion, Passage, Verification


def test_data_go_to_stdout_and_words_to_stderr(capsys):
    say("a word")
    show_json({"ä": "a\nb"})
    out, said = capsys.readouterr()
    assert (out, said) == ('{"ä": "a\\nb"}\n', "a word\n")
    assert json.loads(out) == {"ä": "a\nb"}


def test_a_passage_is_cut_and_stays_on_one_line(capsys):
    show_passages([{"score": 0.5, "title": "T", "ref": "a@0#0-9", "text": "two\nlines " * 99}])
    head, text = capsys.readouterr().out.splitlines()
    assert head == "0.500  T  [a@0#0-9]"
    assert text.strip().startswith("two lines two lines")
    assert 150 < len(text) < 180
    show_passages([])
    assert capsys.readouterr() == ("", "nothing found\n")


def test_articles_one_a_line(capsys):
    show_articles([ArticleInfo("a", "A", "x/a.txt", None, "0" * 64, 9, 1, "now")])
    assert capsys.readouterr() == ("a  9 characters, 1 passage  x/a.txt\n", "")


def test_a_report_is_the_failures_and_one_line(capsys):
    report = Report(
        ["a", "b"], ["c"], [], [("x/d.txt", "x/d.txt is empty"), ("e", "no\x1bwords")], removed=["f"]
    )
    assert counts(report) == {"added": 2, "updated": 1, "removed": 1, "failed": 2}
    show_report(report, {"articles": 1, "passages": 2})
    assert capsys.readouterr() == ("", (
        "failed: x/d.txt is empty\nfailed: e: no\ufffdwords\n"
        "2 added, 1 updated, 1 removed, 2 failed; the index has 1 article, 2 passages\n"
    ))  # fmt: skip
    show_report(AddReport(), {"articles": 0, "passages": 0})
    assert capsys.readouterr().err == "nothing found to index; the index has 0 articles, 0 passages\n"


def test_a_rehearsal_is_an_article_a_line(capsys):
    show_rehearsal(Report(["a"], ["b"], ["c"], [("x/d.txt", "x/d.txt is empty")], removed=["e"]))
    assert capsys.readouterr() == ("add a\nupdate b\nremove e\n", "would fail: x/d.txt is empty\n")


def test_old_versions_one_a_line(capsys):
    show_old_versions([OldVersion("a\x1b", "0123456789abcdef" * 4, 9, "2026-01-02T03:04:05.678901+00:00")])
    assert capsys.readouterr().out == "a\ufffd@0123456789ab  9 characters, live until 2026-01-02 03:04 UTC\n"


def test_a_quote_that_moved_shows_where_it_is_now(capsys):
    place = ("a", "1" * 64, 5, 9, "here")
    now = Citation("a", "A", "a.txt", None, None, *place[1:], Passage(*place), None)
    show_verification(Verification("a@000000000000#0-4", "moved", "here", now))
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("moved: ")
    assert lines[1:] == ["  “here”", f"  now: “here”  [{now.ref}]"]


def test_no_character_of_an_article_steers_the_terminal(capsys):
    """An escape sequence, a C1 control and a bidi override, in text and title."""
    evil = "\x1b[2Jgone \x9b31m \u202etxet"
    place = Passage("a", "1" * 64, 0, len(evil), evil)
    citation = Citation("a", evil, "a.txt", None, evil, *("1" * 64, 0, len(evil), evil), place, 0.5)
    show_answer(Answer("q", "q", evil, 0.5, False, None, (citation,), warnings=(evil,)))
    show_json({"answer": evil})
    out, said = capsys.readouterr()
    assert not set(out + said) & set("\x1b\x9b\u202e")
    assert json.loads(out.splitlines()[-1]) == {"answer": evil}
    assert "\ufffd[2Jgone \ufffd31m \ufffdtxet" in out


ESCAPED = "\x1b[1m"


@pytest.mark.parametrize(
    ("terminal", "environment", "bold"),
    [
        (True, {}, True),
        (False, {}, False),
        (True, {"NO_COLOR": "1"}, False),
        (True, {"NO_COLOR": ""}, True),
        (True, {"TERM": "dumb"}, False),
    ],
)
def test_bold_only_on_a_terminal_that_wants_it(monkeypatch, capsys, terminal, environment, bold):
    for name in ("NO_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("sys.stdout.isatty", lambda: terminal)
    printing._show("a ", printing._Strong("b"), " c")
    assert capsys.readouterr().out == ("a \x1b[1mb\x1b[0m c\n" if bold else "a b c\n")


def test_what_a_text_holds_steers_no_terminal_even_where_we_do(monkeypatch, capsys):
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    printing._show(ESCAPED, printing._Strong(f"{ESCAPED}x"))
    assert capsys.readouterr().out == "\ufffd[1m\x1b[1m\ufffd[1mx\x1b[0m\n"
