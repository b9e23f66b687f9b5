import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.extract import Unreadable
from qa.tables import Row, csv_rows, json_rows


def refusal(read, text):
    with pytest.raises(Unreadable) as caught:
        read(text)
    return str(caught.value)


# --- CSV


def test_rows_of_csv():
    text = (
        "\ufeffid,Date, TEXT ,Title,source\r\n"
        '1,2024-05-31,"A ""big"" text,\r\nover  lines.\r\n",The title,s/1\r\n'
        "\r\n"
        "2,, plain ,Two,\r\n"
    )
    assert csv_rows(text) == [
        Row(2, "The title", 'A "big" text,\r\nover  lines.\r\n', "s/1", "2024-05-31"),
        Row(6, "Two", " plain ", "", ""),
    ]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_the_delimiter_is_the_headers(delimiter):
    text = f'title{delimiter}text\nOne{delimiter}"a, b; c\td"\n'
    assert csv_rows(text) == [Row(2, "One", "a, b; c\td")]


def test_a_header_with_nothing_below_it():
    assert csv_rows("title,text") == []


def test_a_long_field():
    assert csv_rows(f"title,text\nT,{'x' * 1_000_000}\n") == [Row(2, "T", "x" * 1_000_000)]


FIELDS = st.text(st.characters(codec="utf-8")).filter(lambda text: not text.startswith("\ufeff"))


@given(
    st.lists(st.tuples(FIELDS.filter(str.strip), FIELDS)),
    st.sampled_from(",;\t"),
    st.sampled_from(["\n", "\r\n"]),
)
def test_what_was_written_is_what_is_read(rows, delimiter, line_end):
    file = io.StringIO(newline="")
    writer = csv.writer(file, delimiter=delimiter, lineterminator=line_end, quoting=csv.QUOTE_ALL)
    writer.writerows([("title", "text"), *rows])
    assert [(row.title, row.text, row.wrong) for row in csv_rows(file.getvalue())] == [
        (*row, "") for row in rows
    ]


COLUMNS = "the columns are title, text and, if you like, source and date"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name;text\na;b\n", f"has no column title in its first line (name, text); {COLUMNS}"),
        ("title,words\na,b\n", f"has no column text in its first line (title, words); {COLUMNS}"),
        ("a\nb\n", f"has no column title and no column text in its first line (a); {COLUMNS}"),
        ("", f"has no column title and no column text in its first line (); {COLUMNS}"),
        ('"open\n', f"has no column title and no column text in its first line (); {COLUMNS}"),
    ],
)
def test_a_table_without_the_columns(text, message):
    assert refusal(csv_rows, text) == message


def test_bad_rows_are_numbered_by_the_line_they_begin_in():
    text = (
        'title,text,date\nOne,"first\nrow",2024-01-01\nTwo\n'
        'Three,He said, so\nFour,"a "quoted" word",\nFive,fine\nSix,six,,,\n ,\u00a0no name,\nSeven,"open\n'
    )
    assert csv_rows(text) == [
        Row(2, "One", "first\nrow", "", "2024-01-01"),
        Row(4, wrong="has 1 columns, not 3; put text into quotation marks"),
        Row(5, "Three", "He said", "", " so"),
        Row(6, wrong="is no CSV (',' expected after '\"'); double the quotation marks within quoted text"),
        Row(7, "Five", "fine"),
        Row(8, "Six", "six"),
        Row(9, wrong="has neither title nor source"),
        Row(10, wrong="is no CSV (unexpected end of data); double the quotation marks within quoted text"),
    ]
    assert csv_rows("title,text\nOne,a,b\n") == [
        Row(2, wrong="has 3 columns, not 2; put text into quotation marks")
    ]


# --- JSON Lines


def test_rows_of_json_lines():
    text = (
        '\ufeff{"title": "One", "text": "a\\nb\u2028c\\ud83d\\ude00", '
        '"source": "s/1", "date": "2024-05-31", "x": []}\r\n'
        "\n"
        '{"text": "", "title": 1984, "source": null}'
    )
    assert json_rows(text) == [Row(1, "One", "a\nb\u2028c😀", "s/1", "2024-05-31"), Row(3, "1984", "")]


def test_bad_lines_are_numbered():
    good = '{"title": "T", "text": "x"}'
    text = "\n".join([good, "{", "", "[1]", '{"title": "T"}', '{"title": ["T"], "text": "x"}',
                      '{"title": " ", "text": "x"}', "[" * 100_000,
                      '{"text": "x", "title": true}', good])  # fmt: skip
    assert json_rows(text) == [
        Row(1, "T", "x"),
        Row(2, wrong="is no JSON (Expecting property name enclosed in double quotes, at character 2)"),
        Row(4, wrong="is no JSON object"),
        Row(5, wrong="has no text"),
        Row(6, wrong="has a title that is no text"),
        Row(7, wrong="has neither title nor source"),
        Row(8, wrong="is no JSON that can be read"),
        Row(9, wrong="has a title that is no text"),
        Row(10, "T", "x"),
    ]


def test_lines_of_something_else():
    assert refusal(json_rows, '\n{"question": "Who?", "answers": []}\n{}') == (
        'has no line with title and text: line 2 has no text; one looks like {"title": "...", "text": "..."}'
    )
    assert json_rows("\n \n") == []
