from __future__ import annotations

import json

from qa.printing import say, show_answer, show_articles, show_json, show_passages, show_verification
from qa.types import Answer, ArticleInfo, Citation, Passage, Verification


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
