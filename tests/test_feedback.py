from __future__ import annotations

import json
import multiprocessing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from qa.feedback import FILE, VERDICTS, feedback, record
from qa.types import Answer, ArticleIndexError, Citation, Passage, QuestionError

TEXT = "Ada Hill keeps the lock."
CITATION = Citation("floods", "Floods", "floods.txt", None, None, "ab" * 32, 0, 8, "Ada Hill",
                    Passage("floods", "ab" * 32, 0, len(TEXT), TEXT), 0.9)  # fmt: skip
ANSWER = Answer("and who?", "who keeps the lock?", "Ada Hill", 0.9, False, None, (CITATION,),
                index={"generation": 3, "articles": 1, "passages": 1})  # fmt: skip


def lines(folder: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (folder / FILE).read_text("utf-8").splitlines()]


@pytest.mark.parametrize("verdict", VERDICTS)
def test_a_line_says_what_was_asked_answered_and_thought(tmp_path: Path, verdict: str) -> None:
    record(
        tmp_path,
        feedback(
            ANSWER, verdict, token="t", history=[["what", "this"]], articles=["floods"], min_confidence=0.2
        ),
    )
    (line,) = lines(tmp_path)
    told = datetime.fromisoformat(str(line.pop("time")))
    assert abs((datetime.now(UTC) - told).total_seconds()) < 60
    assert line == {
        "schema": 1, "id": "t", "question": "and who?", "history": [["what", "this"]],
        "read_as": "who keeps the lock?", "articles": ["floods"], "min_confidence": 0.2, "verdict": verdict,
        "answer": "Ada Hill", "ref": "floods@abababababab#0-8", "confidence": 0.9, "reason": None,
        "index": {"generation": 3, "articles": 1, "passages": 1},
    }  # fmt: skip


def test_a_refusal_can_be_judged_too(tmp_path: Path) -> None:
    declined = Answer("who?", "who?", None, 0.04, True, "low_confidence")
    record(tmp_path, feedback(declined, "absent", token="t"))
    (line,) = lines(tmp_path)
    assert (line["answer"], line["ref"], line["reason"], line["articles"]) == (
        None,
        None,
        "low_confidence",
        None,
    )


def test_a_verdict_is_one_of_three() -> None:
    with pytest.raises(QuestionError, match="right, wrong, absent"):
        feedback(ANSWER, "perhaps", token="t")


def test_odd_characters_stay_one_line(tmp_path: Path) -> None:
    odd = Answer('a\nb\u2028c\ud800 "é" 🙂', "x", None, None, True, "no_span")
    record(tmp_path, feedback(odd, "wrong", token="t"))
    raw = (tmp_path / FILE).read_bytes()
    assert raw.count(b"\n") == 1
    assert json.loads(raw)["question"] == 'a\nb\u2028c? "é" 🙂'


def test_a_line_that_was_cut_off_spoils_no_other(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text('{"schema": 1, "que')
    record(tmp_path, feedback(ANSWER, "right", token="t"))
    _, whole = (tmp_path / FILE).read_text().splitlines()
    assert json.loads(whole)["verdict"] == "right"


def write_many(folder: Path, name: str) -> None:
    for _ in range(50):
        record(folder, feedback(ANSWER, "right", token=name * 500))


def test_several_processes_write_whole_lines(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=write_many, args=(tmp_path, name)) for name in "ab"]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(120)
        assert writer.exitcode == 0
    assert sorted(str(line["id"])[0] for line in lines(tmp_path)) == ["a"] * 50 + ["b"] * 50


def test_a_folder_that_is_gone_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(ArticleIndexError, match="cannot be written: no such file"):
        record(tmp_path / "gone", feedback(ANSWER, "right", token="t"))
