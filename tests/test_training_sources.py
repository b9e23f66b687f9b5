"""What is trained on and what is kept back."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from qa.evaluation.datasets import load_dataset
from qa.training import sources
from qa.training.sources import divide, load_examples, only_held_out, plain
from qa.types import DatasetError


def write(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def row(context, question, *answers, title=None):
    found = [{"text": a, "answer_start": context.index(a)} for a in answers]
    return {"context": context, "question": question, "answers": found, **({"title": title} if title else {})}


def test_spans_are_places_in_the_context_one_for_each_annotator(tmp_path):
    path = write(
        tmp_path / "some.jsonl",
        [
            row("It rained.", "What did it do?", "rained", title="Weather"),
            row("Kim left in May.", "When did Kim leave?", "May", "in May", "May", title="Weather"),
            row("Kim left in May.", "When did Lee leave?", title="Weather"),
        ],
    )
    first, second, third = load_examples([path], human=3.0)
    assert first.context[slice(*first.spans[0])] == "rained"
    assert [second.context[a:b] for a, b in second.spans] == ["May", "May", "in May"]
    assert third.spans == ()
    assert (first.weight, third.weight) == (1.0, 3.0)
    assert (first.title, first.source) == ("Weather", "some.jsonl")


def test_a_question_that_two_files_share_comes_once(tmp_path):
    one = write(tmp_path / "a.jsonl", [row("Kim left in May.", "When did Kim leave?", "May")])
    two = write(
        tmp_path / "b.jsonl",
        [
            row("Kim left, in May!", "when did Kim leave", "May"),
            row("Kim left in May.", "Who left?", "Kim"),
        ],
    )
    assert [(e.source, e.question) for e in load_examples([one, two])] == [
        ("a.jsonl", "When did Kim leave?"),
        ("b.jsonl", "Who left?"),
    ]


def test_weights_go_by_the_longest_beginning_of_the_name(tmp_path):
    rows = [row("Kim left in May.", "When?", "May")]
    paths = [
        write(tmp_path / "qamr_x.jsonl", rows),
        write(tmp_path / "other.jsonl", [row("A b c.", "q?", "b")]),
    ]
    assert [e.weight for e in load_examples(paths)] == [sources.WEIGHTS["qamr"], 1.0]
    given = {"qamr_x": 0.5, "q": 7.0, "other": 0.0}
    assert [(e.source, e.weight) for e in load_examples(paths, given)] == [("qamr_x.jsonl", 0.5)]


def test_no_contexts_is_said(tmp_path):
    path = tmp_path / "plain.jsonl"
    path.write_text('{"question": "Who?", "answers": ["Kim"]}\n')
    with pytest.raises(DatasetError, match="questions with contexts"):
        load_examples([path])


def many(count, titled):
    return [
        row(
            f"Paragraph {i} says that Kim left.",
            f"Who left in {i}?",
            "Kim",
            title=f"T{i // 3}" if titled else None,
        )
        for i in range(count)
    ]


def test_titles_are_kept_back_whole_whatever_else_is_read(tmp_path):
    titled = write(tmp_path / "titled.jsonl", many(600, True))
    untitled = write(
        tmp_path / "untitled.jsonl", [dict(r, context=r["context"] + " Now.") for r in many(400, False)]
    )
    alone, _ = divide(load_examples([titled]))
    trained, kept = divide(load_examples([titled, untitled]))
    assert {e.question for e in alone} == {e.question for e in trained if e.source == "titled.jsonl"}
    assert not {e.title for e in trained if e.title} & {e.title for e in kept if e.title}
    share = Counter(e.source for e in kept)
    assert 600 / 40 < share["titled.jsonl"] < 600 / 8
    assert 400 / 40 < share["untitled.jsonl"] < 400 / 8


def test_a_paragraph_kept_back_under_one_title_is_not_trained_on_under_another(tmp_path):
    rows = many(600, True)
    _, kept = divide(load_examples([write(tmp_path / "a.jsonl", rows)]))
    context = kept[0].context
    copied = write(tmp_path / "b.jsonl", [row(context.upper(), "Who?", "KIM", title="T1")])
    trained, _ = divide(load_examples([tmp_path / "a.jsonl", copied]))
    assert plain(context) not in {plain(e.context) for e in trained}
    assert any(e.title == "T1" for e in trained)  # that title is trained on otherwise


def test_what_is_kept_back_is_what_a_calibration_asks(tmp_path):
    path = write(tmp_path / "a.jsonl", many(600, True))
    _, kept = divide(load_examples([path]))
    dataset = only_held_out(load_dataset(path))
    assert {q.text for q in dataset.questions} == {e.question for e in kept}
    assert len(dataset.articles) == 200


def test_a_collection_under_one_title_is_divided_by_paragraph(tmp_path):
    rows = [dict(r, title="reddit") for r in many(400, True)]
    trained, kept = divide(load_examples([write(tmp_path / "a.jsonl", rows)]))
    assert trained
    assert kept
