"""Passages that the retriever returns in vain."""

from __future__ import annotations

import json

from qa.training.negatives import FILE, KEEP, mine, wrong
from qa.training.sources import Example

PARAGRAPHS = {
    "Busan": "The port of Busan handled 22 million containers in 2021, more than any other port of South Korea.",
    "Incheon": "The port of Incheon handled 3 million containers in 2021 and ships cars from South Korea.",
    "Ulsan": "The port of Ulsan is the largest for oil in South Korea, with refineries beside its docks.",
    "Bees": "A worker bee lives for six weeks in summer and visits several thousand flowers each day.",
}


def example(title, question, answer, source="nq_qed.jsonl"):
    context = PARAGRAPHS[title]
    start = context.index(answer)
    return Example(source, title, context, question, ((start, start + len(answer)),))


EXAMPLES = [
    example("Busan", "How many containers did the port of Busan handle in 2021?", "22 million"),
    example("Incheon", "What does the port of Incheon ship?", "cars"),
    example("Ulsan", "Where is the largest port for oil?", "South Korea"),
    example("Bees", "How long does a bee live?", "six weeks"),
    example("Bees", "Is a tweet mined?", "six weeks", source="tweetqa.jsonl"),
]


def test_what_holds_the_answer_is_not_in_vain():
    busan = EXAMPLES[0]
    passages = [
        "It was 22 Million, they say.",
        "122 million",
        PARAGRAPHS["Busan"][:40],
        "One.",
        "Two.",
        "Three.",
    ]
    assert wrong(busan, passages) == ["122 million", "One.", "Two."]
    assert KEEP == 3


def test_mined_by_the_retriever_and_found_again(tmp_path):
    told = []
    found = mine(EXAMPLES, tmp_path, questions=10, paragraphs=10, tell=lambda *step: told.append(step))
    assert set(found) == {e.question for e in EXAMPLES[:4]}
    assert found[EXAMPLES[0].question][0] == PARAGRAPHS["Incheon"]  # the nearest wrong one first
    assert found[EXAMPLES[2].question] == [PARAGRAPHS["Bees"]]  # the other ports are in South Korea as well
    assert told[3] == ("embedding paragraphs", 4, 4)
    assert told[-1] == ("searching passages that look right", 4, 4)

    def never(*step):
        raise AssertionError(step)

    assert mine(EXAMPLES, tmp_path, questions=10, paragraphs=10, tell=never) == found


def test_a_run_that_was_cut_off_searches_only_the_rest(tmp_path):
    whole = mine(EXAMPLES, tmp_path, questions=10, paragraphs=10)
    lines = (tmp_path / FILE).read_text().splitlines()
    (tmp_path / FILE).write_text(lines[0] + "\n" + lines[1][:20])
    told = []
    again = mine(EXAMPLES, tmp_path, questions=10, paragraphs=10, tell=lambda *step: told.append(step))
    assert again == whole
    assert [step for step in told if step[0].startswith("searching")][-1][2] == 3
    rows = [json.loads(line) for line in (tmp_path / FILE).read_text().splitlines()]
    assert {row["question"]: row["passages"] for row in rows} == whole
