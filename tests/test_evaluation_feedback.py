"""What people said about answers, as a dataset: on its own, and asked of the articles in ``seeds/``."""

from __future__ import annotations

import json
import logging

import pytest

from qa.evaluation.datasets import load_dataset
from qa.evaluation.runner import evaluate
from qa.pipeline import open_index
from qa.types import DatasetError

REF = "a@0123456789ab#10-18"


def line(question, verdict, answer=None, ref=None, **more):
    return {"schema": 1, "time": "2026-11-22T05:00:00+00:00",
            "question": question, "history": [], "read_as": question,
            "articles": None, "verdict": verdict, "answer": answer, "ref": ref, "confidence": 0.7,
            "index": {"generation": 1}} | more  # fmt: skip


def write(path, *lines):
    path.write_text("".join(json.dumps(row) + "\n" if isinstance(row, dict) else row + "\n" for row in lines))
    return path


def test_what_verdicts_become(tmp_path):
    history = [["who is niu jun", "an expert"], ["and tong", None]]
    file = write(
        tmp_path / "feedback.jsonl",
        line("who", "right", "niu jun", REF, articles=["seeds/*"]),
        line("when", "absent", "in may", REF),
        line("where does he work", "wrong", "seoul", REF, history=history, read_as="where does tong work"),
        line("how", "wrong"),
        line("what", "right"),
    )
    dataset = load_dataset(file)
    assert (dataset.name, dataset.articles) == ("feedback.jsonl", ())
    assert [(q.id, q.text, q.answers, q.ref, q.refused, q.scope) for q in dataset.questions] == [
        ("judged 1", "who", ("niu jun",), REF, (), ("seeds/*",)),
        ("judged 2", "when", (), None, (), None),
        ("judged 3", "where does he work", (), None, ("seoul",), None),
        ("judged 4", "how", (), None, (None,), None),
        ("judged 5", "what", (), None, (), None),
    ]
    assert dataset.questions[2].history == (("who is niu jun", "an expert"), ("and tong", None))


def test_the_last_verdict_on_a_question_counts(tmp_path):
    file = write(
        tmp_path / "f.jsonl",
        line("Who?", "wrong", "a"),
        line("when", "right", "b", REF),
        line("who", "right", "c", REF),
        line("who", "absent", articles=["x"]),  # asked of other articles, it is another question
        line("and he", "wrong", "d", read_as="when "),
    )
    assert [(q.text, q.answers, q.refused, q.scope) for q in load_dataset(file).questions] == [
        ("who", ("c",), (), None),
        ("who", (), (), ("x",)),
        ("and he", (), ("d",), None),
    ]


def test_a_line_that_was_cut_off_is_left_out_with_a_word(tmp_path, caplog):
    file = write(tmp_path / "f.jsonl", line("who", "absent"), '{"schema": 1, "quest', line("when", "absent"))
    with caplog.at_level(logging.WARNING):
        assert [q.text for q in load_dataset(file).questions] == ["who", "when"]
    assert "f.jsonl, line 2: not JSON" in caplog.text


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"verdict": "maybe"}, '"verdict" is one of right, wrong, absent'),
        ({"verdict": 5}, '"verdict" is not text'),
        ({"ref": "nowhere"}, "not a reference: 'nowhere'"),
        ({"answer": 5}, '"answer" is not text'),
        ({"history": [["a"]]}, '"history" is not a list of [question, answer] pairs'),
        ({"history": "a"}, '"history" is not a list'),
        ({"articles": [5]}, '"articles" is not a list of texts'),
        ({"question": " "}, '"question" is blank'),
    ],
)
def test_other_lines_are_one_clear_error(tmp_path, wrong, why):
    file = write(tmp_path / "f.jsonl", line("who", "absent"), line("who", "right", "a", REF) | wrong)
    with pytest.raises(DatasetError) as error:
        load_dataset(file)
    assert f"{file}, line 2: {why}" in str(error.value)
    assert "\n" not in str(error.value)


def test_judged_answers_are_measured_where_they_stand(tmp_path, seeds, loaded_models, caplog):
    with open_index(tmp_path / "index", create=True) as qa:
        qa.add(seeds)
        office = qa.ask("when did rex tillerson take office")
        nauert = qa.ask("who is heather nauert")
        cake = qa.ask("what dessert did trump and xi eat")
        assert (office.answer, nauert.answer, cake.answer) == ("february", "spokeswoman", "chocolate cake")
        again = [["who is rex tillerson", "u s secretary of state"]]
        file = write(
            tmp_path / "feedback.jsonl",
            line("when did he take office", "right", "february", office.citations[0].ref, history=again),
            line("who is heather nauert", "wrong", nauert.answer, nauert.citations[0].ref),
            line("how do you bake sourdough bread", "wrong"),
            line("where does niu jun work", "wrong", "seoul"),
            line("what dessert did trump and xi eat", "right", cake.answer, cake.citations[0].ref),
            line("who won the 2014 world cup", "absent"),
        )
        # The article is put again with more before it: the places move, and are found.
        moved = seeds[0].__class__(seeds[0].id, "More. " + seeds[0].text, seeds[0].title, seeds[0].source)
        qa.add([moved])
    (entry,) = evaluate([file], index=tmp_path / "index", progress=False)
    assert entry["questions"] == 6
    assert entry["retrieval"]["recall@5"] == 1.0
    assert entry["end_to_end"]["forced"]["f1"] == 100.0
    assert entry["end_to_end"]["shipped"] == {
        "em": 100.0, "f1": 100.0, "answered": 0.6667, "wrong_answered": 0.0, "wrongly_declined": 0.0,
    }  # fmt: skip
    assert entry["absent"] == {"declined": 1.0, "wrong_answered": 0.0}
    # Heather Nauert's title is given again, and bread declined again; Niu Jun is no longer said to work in Seoul.
    assert entry["judged_wrong"] == {"given_again": 0.6667}
    with open_index(tmp_path / "index") as qa:
        qa.remove(seeds[0].id, forget=True)
    with caplog.at_level(logging.WARNING):
        (entry,) = evaluate([file], index=tmp_path / "index", progress=False)
    assert "question judged 1" in caplog.text
    assert "is gone from the articles; left out" in caplog.text
    assert entry["questions"] == 4
