"""JSON files that anyone may have written -> values of known types, or one line: what is wrong, and where."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from qa.formats import sanitize
from qa.types import DatasetError

MAX_BYTES = 2**30  # unpacked; SQuAD's training set has 42 MB, and a packed bomb has to end somewhere
FORMS = 'give SQuAD JSON, or JSON Lines of {"question": "...", "answers": ["...", ...]}'

_NAMES = {str: "text", list: "a list", dict: "an object", int: "a whole number", bool: "true or false"}
T = TypeVar("T")


def read_text(path: Path) -> str:
    """The file's text, unpacked if it is gzip's, whatever its name says.

    :raises DatasetError: if it cannot be read, unpacked or decoded.
    """
    try:
        if not path.is_file():
            raise DatasetError(f"{path} is {'not a file' if path.exists() else 'not there'}; {FORMS}")
        with path.open("rb") as file:
            packed = file.read(2) == b"\x1f\x8b"
        with gzip.open(path) if packed else path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DatasetError(f"{path} is a broken gzip file ({_brief(error)}); fetch it again") from error
    except (OSError, ValueError) as error:  # ValueError: a NUL byte in the path
        raise DatasetError(f"cannot read {str(path)!r}: {_brief(error)}; check the path") from error
    if len(data) > MAX_BYTES:
        raise DatasetError(f"{path} unpacks to more than {MAX_BYTES >> 20} MiB; split it into smaller files")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise DatasetError(f"{path}, line {line}: not UTF-8 ({error.reason}); save it as UTF-8") from error


def parse(text: str, path: Path, line: int = 1) -> object:
    """JSON from text that begins at ``line`` of the file.

    :raises DatasetError: if it is no JSON.
    """
    try:
        value: object = json.loads(text)
    except json.JSONDecodeError as error:
        where = f"{path}, line {line + error.lineno - 1}"
        raise DatasetError(f"{where}: not JSON ({error.msg}, column {error.colno}); {FORMS}") from error
    except RecursionError as error:
        raise DatasetError(f"{path}, line {line}: JSON nested too deeply; {FORMS}") from error
    except ValueError as error:  # a number of thousands of digits
        raise DatasetError(f"{path}, line {line}: not usable JSON ({_brief(error)}); {FORMS}") from error
    return value


def an_object(value: object, where: str) -> Mapping[str, Any]:
    """The value, if it is a JSON object.

    :raises DatasetError: if it is something else.
    """
    if not isinstance(value, dict):
        raise DatasetError(f"{where}: is not a JSON object; {FORMS}")
    return value


def get(row: Mapping[str, Any], key: str, kind: type[T], where: str) -> T:
    """A field that has to be there and of one type; a text is sanitized, which moves no offset.

    :raises DatasetError: if it is missing or of another type.
    """
    if key not in row:
        raise DatasetError(f'{where}: has no "{key}"; {FORMS}')
    value = row[key]
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise DatasetError(f'{where}: "{key}" is not {_NAMES[kind]}; {FORMS}')
    return sanitize(value) if isinstance(value, str) else value  # type: ignore[return-value]


def filled(row: Mapping[str, Any], key: str, where: str) -> str:
    """A text that says something.

    :raises DatasetError: if it is missing, blank or no text.
    """
    value = get(row, key, str, where)
    if not value.strip():
        raise DatasetError(f'{where}: "{key}" is blank; fill it in or take this entry out')
    return value


def _brief(error: BaseException) -> str:
    """An error in a few words on one line."""
    said = (error.strerror if isinstance(error, OSError) else None) or str(error)
    return " ".join(said.split())[:80]
