"""Evaluation files in their three forms, and files that are none of them."""

import gzip
import json

import pytest

from qa.evaluation import files
from qa.evaluation.datasets import load_dataset
from qa.types import DatasetError

OIL = "The crisis began in October 1973."  # 33 characters
PRICE = "Prices rose to $12 in 1974."
TEA = "Tea came to London in 1660."


def qa(question, *answers, **more):
    return {"question": question, "answers": [{"text": t, "answer_start": s} for t, s in answers], **more}


def squad(*entries):
    data = [
        {"title": title, "paragraphs": [{"context": c, "qas": qas} for c, qas in paragraphs]}
        for title, paragraphs in entries
    ]
    return {"version": "v2.0", "data": data}


TWO = squad(
    (
        "Oil",
        [
            (
                OIL,
                [qa("When did it begin?", ("October 1973", 20), ("1973", 28), ("October 1973", 20), id="q1")],
            ),
            (PRICE, [qa("What was the price?", ("$12", 15)), qa("Who paid?", is_impossible=True)]),
        ],
    ),
    ("Tea", [(TEA, [qa("When did tea come?", ("1660", 22))])]),
)


def write(path, value):
    path.write_text(value if isinstance(value, str) else json.dumps(value), encoding="utf-8")
    return path


def lines(path, *rows):
    return write(path, "".join(json.dumps(row) + "\n" for row in rows))


def test_squad_makes_one_article_a_title_with_gold_spans_in_it(tmp_path):
    dataset = load_dataset(write(tmp_path / "two.json", TWO))
    assert dataset.name == "two.json"
    assert [a.title for a in dataset.articles] == ["Oil", "Tea"]
    oil, tea = dataset.articles
    assert oil.text == OIL + "\n\n" + PRICE
    assert tea.text == TEA
    begin, price, paid, came = dataset.questions
    assert begin.id == "q1"
    assert begin.answers == ("October 1973", "1973", "October 1973")
    assert begin.spans == ((20, 32), (28, 32))  # each place once
    assert begin.article == price.article == oil.id
    assert price.spans == ((33 + 2 + 15, 33 + 2 + 18),)
    assert oil.text[50:53] == "$12"
    assert price.context == PRICE
    assert (paid.answers, paid.spans) == ((), ())
    assert (came.article, came.spans) == (tea.id, ((22, 26),))
    assert dataset.mismatched == 0


def test_impossible_wins_over_answers_that_stand_beside_it(tmp_path):
    document = squad(("Oil", [(OIL, [qa("Who?", ("1973", 28), is_impossible=True)])]))
    assert load_dataset(write(tmp_path / "x.json", document)).questions[0].answers == ()


def test_one_title_in_two_entries_is_one_article(tmp_path):
    document = squad(
        ("Oil", [(OIL, [])]), ("Tea", [(TEA, [])]), ("Oil", [(PRICE, [qa("Price?", ("$12", 15))])])
    )
    dataset = load_dataset(write(tmp_path / "x.json", document))
    assert [a.text for a in dataset.articles] == [OIL + "\n\n" + PRICE, TEA]
    assert dataset.questions[0].spans == ((50, 53),)


def test_titles_that_make_one_article_id_are_one_article(tmp_path):
    document = squad(("Caf\u00e9", [(OIL, [])]), ("Cafe\u0301", [(PRICE, [qa("Price?", ("$12", 15))])]))
    dataset = load_dataset(write(tmp_path / "x.json", document))
    assert [(a.title, a.text) for a in dataset.articles] == [("Caf\u00e9", OIL + "\n\n" + PRICE)]
    assert dataset.questions[0].article == dataset.articles[0].id


def test_entries_without_title_stay_apart(tmp_path):
    document = squad(("", [(OIL, [qa("When?", ("1973", 28))])]), (None, [(TEA, [])]))
    assert [a.title for a in load_dataset(write(tmp_path / "x.json", document)).articles] == [
        "Untitled 1",
        "Untitled 2",
    ]


@pytest.mark.parametrize("start", [19, -13, 10**30])
def test_spans_that_do_not_fit_are_counted_and_left_out(tmp_path, start):
    assert OIL[-13:][:7] == "October"  # found from the end, that is no place
    document = squad(("Oil", [(OIL, [qa("When?", ("October", start), ("1973", 28))])]))
    dataset = load_dataset(write(tmp_path / "x.json", document))
    assert dataset.mismatched == 1
    assert dataset.questions[0].spans == ((28, 32),)
    assert dataset.questions[0].answers == ("October", "1973")


@pytest.mark.parametrize("name", ["x.json.gz", "no_such_suffix"])
def test_gzip_is_known_by_its_bytes(tmp_path, name):
    (tmp_path / name).write_bytes(gzip.compress(json.dumps(TWO).encode()))
    assert len(load_dataset(tmp_path / name).questions) == 4


def test_pretty_printed_squad_and_byte_order_mark(tmp_path):
    path = tmp_path / "x.json"
    path.write_bytes(b"\xef\xbb\xbf" + json.dumps(TWO, indent=2).encode())
    assert len(load_dataset(path).questions) == 4


def test_json_lines_of_texts_bring_no_articles(tmp_path):
    path = lines(
        tmp_path / "q.jsonl",
        {"question": "Who?", "answers": ["Kim", "Kim Jong Un"]},
        {"question": "Why?", "answers": [], "id": 7},
    )
    dataset = load_dataset(path)
    assert dataset.articles == ()
    assert [(q.id, q.text, q.answers, q.article) for q in dataset.questions] == [
        ("line 1", "Who?", ("Kim", "Kim Jong Un"), None),
        ("7", "Why?", (), None),
    ]


def test_blank_lines_and_line_separators_inside_texts(tmp_path):
    rows = [{"question": "Who\u2028is it?", "answers": ["A\x85B"]}, {"question": "Why?", "answers": []}]
    text = "\n" + "\r\n\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    path = tmp_path / "q.jsonl"
    path.write_bytes(text.encode())
    assert [q.text for q in load_dataset(path).questions] == ["Who\u2028is it?", "Why?"]


def test_json_lines_with_contexts_are_like_squad(tmp_path):
    path = lines(
        tmp_path / "train.jsonl",
        {**qa("When?", ("1973", 28)), "id": "a", "source": "s", "context": OIL, "title": "Oil"},
        {**qa("Price?", ("$12", 15)), "id": "b", "source": "s", "context": PRICE, "title": "Oil"},
        {**qa("Again?", ("October", 20)), "id": "c", "source": "s", "context": OIL, "title": "Oil"},
        {**qa("Who?"), "id": "d", "source": "s", "context": TEA},
        {"question": "Tea?", "answers": ["1660"], "context": TEA, "title": None},
    )
    dataset = load_dataset(path)
    assert [(a.title, a.text) for a in dataset.articles] == [
        ("Oil", OIL + "\n\n" + PRICE),
        ("Untitled 1", TEA),
    ]
    assert [q.spans for q in dataset.questions] == [((28, 32),), ((50, 53),), ((20, 27),), (), ()]
    assert dataset.questions[3].article == dataset.questions[4].article == dataset.articles[1].id
    assert dataset.questions[3].context == TEA
    assert dataset.mismatched == 0  # an answer without a place has not a wrong one


def test_what_cannot_be_stored_is_replaced_one_for_one(tmp_path):
    document = squad(("O\udc00", [("\ud800 1973", [qa("W\udfff?\0", ("1973", 2), ("\ud800", 0))])]))
    dataset = load_dataset(write(tmp_path / "x.json", document))
    assert dataset.articles[0].text == "\ufffd 1973"
    assert dataset.articles[0].version  # can be stored and hashed
    assert dataset.questions[0].text == "W\ufffd?\ufffd"
    assert dataset.questions[0].spans == ((2, 6), (0, 1))


BAD = {
    "empty.jsonl": ("", "is empty"),
    "blank.jsonl": ("\n \n", "is empty"),
    "text.jsonl": ("Who is it?\n", "line 1: not JSON"),
    "second.jsonl": ('{"question": "a?", "answers": []}\n\n{"question": "b?"\n', "line 3: not JSON"),
    "first.jsonl": ('{"question": "a?"\n{"question": "b?", "answers": []}\n', "line 1: not JSON"),
    "list.jsonl": ("[1]\n", "line 1: is not a JSON object"),
    "number.jsonl": ("1\n2\n", "line 1: is not a JSON object"),
    "null.json": ("null", "line 1: is not a JSON object"),
    "no_question.jsonl": ('{"answers": []}', 'line 1: has no "question"'),
    "no_answers.jsonl": ('{"question": "a?"}', 'line 1: has no "answers"'),
    "blank_question.jsonl": ('{"question": "  ", "answers": []}', 'line 1: "question" is blank'),
    "number_question.jsonl": ('{"question": 3, "answers": []}', 'line 1: "question" is not text'),
    "text_answers.jsonl": ('{"question": "a?", "answers": "b"}', 'line 1: "answers" is not a list'),
    "number_answer.jsonl": (
        '{"question": "a?", "answers": ["b", 3]}',
        "line 1, answer 2: is not a JSON object",
    ),
    "blank_answer.jsonl": ('{"question": "a?", "answers": [""]}', 'line 1, answer 1: "text" is blank'),
    "start.jsonl": (
        '{"question": "a?", "context": "b", "answers": [{"text": "b", "answer_start": true}]}',
        'answer 1: "answer_start" is not a whole number',
    ),
    "mixed.jsonl": (
        '{"question": "a?", "answers": []}\n{"question": "a?", "answers": [], "context": "b"}',
        "line 2: all lines need",
    ),
    "context.jsonl": ('{"question": "a?", "answers": [], "context": []}', '"context" is not text'),
    "title.jsonl": ('{"question": "a?", "answers": [], "context": "b", "title": 3}', '"title" is not text'),
    "nested.jsonl": ("[" * 200_000, "line 1: JSON nested too deeply"),
    "nested_object.json": ('{"data":' * 100_000 + "\n1", "nested too deeply"),
    "digits.jsonl": ('{"question": ' + "9" * 5000 + "}", "line 1: not usable JSON"),
    "cut.json": (json.dumps(TWO, indent=1)[:-40], "not JSON"),
    "other.json": ('{\n"version": "1.1"\n}', 'has no "data"'),
    "data.json": ('{"data": {}}', '"data" is not a list'),
    "entry.json": ('{"data": [[]]}', "data[0]: is not a JSON object"),
    "paragraphs.json": ('{"data": [{"title": "a"}]}', 'data[0]: has no "paragraphs"'),
    "qas.json": (
        '{"data": [{"paragraphs": [{"context": "b", "qas": [1]}]}]}',
        "data[0].paragraphs[0].qas[0]",
    ),
    "impossible.json": (
        '{"data": [{"paragraphs": [{"context": "b", "qas": [{"question": "a?", "is_impossible": 1}]}]}]}',
        '"is_impossible" is not true or false',
    ),
    "none.json": ('{"data": [{"title": "a", "paragraphs": []}]}', "holds no question"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_dataset_is_refused_in_one_line_that_names_file_and_place(tmp_path, name):
    content, said = BAD[name]
    path = write(tmp_path / name, content)
    with pytest.raises(DatasetError) as caught:
        load_dataset(path)
    message = str(caught.value)
    assert message.startswith(str(path))
    assert said in message
    assert "\n" not in message
    assert ";" in message  # the way out


def test_the_line_of_an_error_in_a_document_over_many_lines(tmp_path):
    path = write(tmp_path / "x.json", '{\n "data": [\n  oops\n ]\n}')
    with pytest.raises(DatasetError, match=r"line 3: not JSON .*column 3"):
        load_dataset(path)


def test_the_line_of_bytes_that_are_not_utf_8(tmp_path):
    path = tmp_path / "x.jsonl"
    path.write_bytes(b'{"question": "a?", "answers": []}\n{"question": "caf\xe9", "answers": []}\n')
    with pytest.raises(DatasetError, match="line 2: not UTF-8"):
        load_dataset(path)


@pytest.mark.parametrize(
    "damage", [lambda b: b[: len(b) // 2], lambda b: b[:12] + b"\xff" * 40, lambda b: b[:2]]
)
def test_broken_gzip(tmp_path, damage):
    path = tmp_path / "x.json.gz"
    path.write_bytes(damage(gzip.compress(json.dumps(TWO).encode())))
    with pytest.raises(DatasetError, match="is a broken gzip file"):
        load_dataset(path)


def test_missing_file_folder_and_impossible_name(tmp_path):
    with pytest.raises(DatasetError, match="is not there"):
        load_dataset(tmp_path / "none.json")
    with pytest.raises(DatasetError, match="is not a file"):
        load_dataset(tmp_path)
    with pytest.raises(DatasetError, match=r"not there|cannot read"):
        load_dataset("a\0b")


def test_what_unpacks_without_end_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "MAX_BYTES", 2**20)
    path = tmp_path / "bomb.json.gz"
    path.write_bytes(gzip.compress(b" " * (2**20 + 1)))
    with pytest.raises(DatasetError, match="more than 1 MiB"):
        load_dataset(path)
