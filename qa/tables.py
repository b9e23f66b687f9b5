"""Tables of articles: CSV and JSON Lines -> rows of title, text, source and date."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass

from .extract import Unreadable
from .finding import one_line

NEEDED = "title", "text"
COLUMNS = (*NEEDED, "source", "date")
_DELIMITERS = ",;\t"

# A field is an article; Python's limit, 131,072 characters, is for the whole process and not for one reader.
csv.field_size_limit(2**31 - 1)


@dataclass(frozen=True, slots=True)
class Row:
    """One row as it stands, with the number of the line it begins in; ``wrong`` says why it cannot be read."""

    line: int
    title: str = ""
    text: str = ""
    source: str = ""
    date: str = ""
    wrong: str = ""  # worded to follow "line 7"


def csv_rows(text: str) -> list[Row]:
    """The rows under a header with ``title`` and ``text``, in any order and case; the delimiter is , or ; or tab.

    Other columns than these, ``source`` and ``date`` are passed over, and so are empty lines.

    :raises Unreadable: if there is no such header.
    """
    text = text.removeprefix("\ufeff")
    headers = {delimiter: _header(text, delimiter) for delimiter in _DELIMITERS}
    delimiter = max(headers, key=lambda d: sum(name in headers[d] for name in NEEDED))
    header = headers[delimiter]
    if missing := [name for name in NEEDED if name not in header]:
        widest: list[str] = max(headers.values(), key=len)
        found = one_line(", ".join(widest))[:80]
        raise Unreadable(
            f"has no column {' and no column '.join(missing)} in its first line ({found}); "
            "the columns are title, text and, if you like, source and date"
        )
    return list(_csv_rows(text, header, delimiter))


def _header(text: str, delimiter: str) -> list[str]:
    try:
        first = next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True), [])
    except csv.Error:
        return []
    return [name.strip().lower() for name in first]


def _csv_rows(text: str, header: list[str], delimiter: str) -> Iterator[Row]:
    # Strict: a quotation mark astray is told, where it would otherwise vanish from the text, or swallow rows.
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    next(reader)
    places = {name: header.index(name) for name in COLUMNS if name in header}
    while True:
        line = reader.line_num + 1
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield Row(line, wrong=f"is no CSV ({error}); double the quotation marks within quoted text")
            continue
        if not fields:
            continue
        if len(fields) <= max(places[name] for name in NEEDED) or any(fields[len(header) :]):
            yield Row(
                line, wrong=f"has {len(fields)} columns, not {len(header)}; put text into quotation marks"
            )
            continue
        yield _checked(Row(line, **{name: fields[at] for name, at in places.items() if at < len(fields)}))


def json_rows(text: str) -> list[Row]:
    """The rows of a file with one JSON object a line: ``title``, ``text``, and perhaps ``source`` and ``date``.

    :raises Unreadable: if not one line is such an object.
    """
    lines = enumerate(text.removeprefix("\ufeff").split("\n"), 1)
    rows = [_json_row(number, line) for number, line in lines if line.strip()]
    if rows and all(row.wrong for row in rows):
        raise Unreadable(
            f"has no line with title and text: line {rows[0].line} {rows[0].wrong}; "
            'one looks like {"title": "...", "text": "..."}'
        )
    return rows


def _json_row(number: int, line: str) -> Row:
    try:
        data = json.loads(line)
    except json.JSONDecodeError as error:
        return Row(number, wrong=f"is no JSON ({error.msg}, at character {error.pos + 1})")
    except (ValueError, RecursionError):  # a number of thousands of digits, brackets within brackets
        return Row(number, wrong="is no JSON that can be read")
    if not isinstance(data, dict):
        return Row(number, wrong="is no JSON object")
    if not isinstance(data.get("text"), str):
        return Row(number, wrong="has no text")
    values = {}
    for name in COLUMNS:
        value = data.get(name)
        if not isinstance(value, str | int | float | None) or isinstance(value, bool):
            return Row(number, wrong=f"has a {name} that is no text")
        values[name] = "" if value is None else str(value)
    return _checked(Row(number, **values))


def _checked(row: Row) -> Row:
    """A row needs a name to be known by; that it has text is seen where it becomes an article."""
    return (
        row
        if row.title.strip() or row.source.strip()
        else Row(row.line, wrong="has neither title nor source")
    )
