"""Raw forms: every place in the raw text is that of the same letters in the clean one."""

from __future__ import annotations

import json

import pytest

from qa.evaluation.datasets import load_dataset
from qa.evaluation.raw import raw, raw_dataset, raw_text

TEXT = "North Korea’s Kim Jong-un — on 3 May, 2017 — said: “No.”\n\nHe paid $1,200.50 (twice)!"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("...", ""),
        ("  A  b\tC\n", "a b c"),
        ("İstanbul's ÄRA", "İstanbul s ära"),  # İ lower-cased would be two characters
        (TEXT, "north korea s kim jong un on 3 may 2017 said no he paid 1 200 50 twice"),
    ],
)
def test_raw(text, expected):
    assert raw(text) == expected


@pytest.mark.parametrize("joined", [False, True])
def test_every_span_keeps_its_letters(joined):
    bare = raw_text(TEXT, joined=joined)
    assert len(bare.places) == len(TEXT) + 1
    letters = lambda text: "".join(c for c in text.lower() if c.isalnum())  # noqa: E731
    checked = 0
    for start in range(len(TEXT)):
        for end in range(start + 1, len(TEXT) + 1):
            moved = bare.move([(start, end)])
            if letters(TEXT[start:end]):
                ((a, b),) = moved
                assert letters(bare.text[a:b]) == letters(TEXT[start:end])
                assert bare.text[a:b] == bare.text[a:b].strip()
                checked += 1
            else:
                assert moved == []
    assert checked > 3000


def test_joined_leaves_no_blank_within_words_only():
    assert raw_text("Kim's 1,200.5 - u.s. o' clock", joined=True).text == "kims 12005 us o clock"


def test_a_dataset_is_made_raw_as_a_whole(tmp_path):
    first, second = "It rained. Kim Jong-un left.", "In May, Seoul; in June, Busan."
    quote = "Kim Jong-un"
    data = {
        "data": [
            {
                "title": "Kim",
                "paragraphs": [
                    {"context": first, "qas": [
                        {"id": "1", "question": "Who left?",
                         "answers": [{"text": quote, "answer_start": first.index(quote)}]},
                        {"id": "2", "question": "What ends it?",
                         "answers": [{"text": ".", "answer_start": len(first) - 1}]},
                    ]},
                    {"context": second, "qas": [
                        {"id": "3", "question": "Where in June?",
                         "answers": [{"text": "Busan.", "answer_start": second.index("Busan")}]},
                        {"id": "4", "question": "Where in July?", "is_impossible": True, "answers": []},
                    ]},
                ],
            }
        ]
    }  # fmt: skip
    path = tmp_path / "squad.json"
    path.write_text(json.dumps(data))
    made = raw_dataset(load_dataset(path))
    assert [a.text for a in made.articles] == ["it rained kim jong un left in may seoul in june busan"]
    assert [(q.id, q.text, q.answers, q.context) for q in made.questions] == [
        ("1", "Who left?", ("kim jong un",), "it rained kim jong un left"),
        ("3", "Where in June?", ("busan",), "in may seoul in june busan"),
        ("4", "Where in July?", (), "in may seoul in june busan"),
    ]
    text = made.articles[0].text
    assert [[text[a:b] for a, b in q.spans] for q in made.questions] == [["kim jong un"], ["busan"], []]
