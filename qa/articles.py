"""Files and pasted text -> articles: each is read, decoded, extracted and masked in one step."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from .boilerplate import line_masks
from .decoding import decode
from .extract import Extract, Unreadable, iso_date, sanitize
from .finding import (
    MANY,
    SUFFIXES,
    SUPPORTED,
    FoundFile,
    article_id,
    complaint,
    find_files,
    kind,
    one_line,
    printable,
    reason,
    stem,
)
from .formats import markdown, pdf, plain, word
from .html_page import html_page
from .transcripts import transcript
from .types import Article, ArticleError, merge_ranges, sha256

__all__ = ["SUFFIXES", "FoundFile", "article_id", "find_files", "from_bytes", "from_text", "read_file"]

MAX_BYTES = 50_000_000

_FROM_BYTES = {"PDF": pdf, "Word": word}
_FROM_TEXT = {"text": plain, "Markdown": markdown, "HTML": html_page, "subtitles": transcript}

_EMPTY = "is empty; nothing to index"

OnNotice = Callable[[str], None]


def _nobody(words: str) -> None:
    pass


def check_file(path: Path) -> None:
    """See that there is a file of a supported kind.

    :raises Unreadable: if there is not.
    """
    if not kind(path.name):
        raise Unreadable(f"is of no supported kind; supported are {SUPPORTED}")
    try:
        if not path.is_file():  # a pipe would be waited for without end
            raise Unreadable("is not a file" if path.exists() else "does not exist; check the spelling")
    except OSError as error:
        raise Unreadable(f"cannot be opened: {reason(error)}") from None


def read_bytes(path: Path, limit: int) -> bytes:
    """What a file of a supported kind holds.

    :raises Unreadable: if it cannot be opened, is empty, or holds more than ``limit`` bytes.
    """
    check_file(path)
    try:
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except OSError as error:
        raise Unreadable(f"cannot be opened: {reason(error)}") from None
    check_size(data, limit)
    return data


def check_size(data: bytes, limit: int) -> None:
    """See that there is something, and not too much.

    :raises Unreadable: if there is nothing, or more than ``limit`` bytes.
    """
    if not data:
        raise Unreadable(_EMPTY)
    if len(data) > limit:
        raise Unreadable(f"is larger than {limit // 1_000_000} MB; split it into parts")


def _extract(data: bytes, name: str) -> Extract:
    what = kind(name)
    try:
        if what in MANY:
            raise Unreadable(f"holds many articles; read_articles reads {what} files")
        if what in _FROM_BYTES:
            return _FROM_BYTES[what](data)
        return _FROM_TEXT[what](decode(data, declares=what == "HTML"))
    except Unreadable:
        raise
    except Exception as error:  # what a parser raises on a broken file is anyone's guess
        raise Unreadable(
            f"is not a readable {what} file ({complaint(error)}); open it and save it anew"
        ) from error


def _article(extract: Extract, *, title: str, source: str, digest: str, path: str | None) -> Article:
    """The article of what was extracted.

    :raises Unreadable: if there is no text.
    """
    if not extract.text.strip("\ufeff").strip():
        raise Unreadable(_EMPTY)
    return Article(
        id=article_id(source),
        text=extract.text,
        title=title,
        source=source,
        date=extract.date,
        masks=merge_ranges([*extract.masks, *line_masks(extract.text)]),
        locators=extract.locators,
        bytes_sha256=digest,
        path=path,
    )


def stored_path(path: Path) -> str | None:
    """Where a file lies, as it is stored; None where its name is in no encoding, which cannot be stored."""
    place = os.path.abspath(path)
    return place if place == sanitize(place) else None


def read_file(path: Path, *, source: str, on_notice: OnNotice = _nobody) -> Article:
    """Read one file as one article; ``source`` is the name it goes by, as ``find_files`` gives it.

    Plain text and Markdown are kept exactly as decoded (byte order mark and line ends too), of other formats the
    extracted text; ``bytes_sha256`` names the file's own bytes. ``path`` is None where the file's name is in no
    encoding, since such a path cannot be stored.

    :param on_notice: told what of the file is missing in the article, worded to follow its name.
    :raises ArticleError: if the file cannot be read, is of no supported kind, larger than 50 MB, binary, broken,
        protected by a password, holds no text, or many articles (``containers.read_articles`` reads those). The
        message names the file and the way out, on one line.
    """
    source = printable(source)
    try:
        data = read_bytes(path, MAX_BYTES)
    except Unreadable as why:
        raise ArticleError(f"{source} {why}") from why.__cause__
    return from_bytes(data, name=path.name, source=source, path=stored_path(path), on_notice=on_notice)


def from_bytes(
    data: bytes, *, name: str, source: str, path: str | None, on_notice: OnNotice = _nobody
) -> Article:
    """The article of a file's bytes; the suffix of ``name`` says what they are.

    The other parameters and errors are those of ``read_file``.
    """
    try:
        check_size(data, MAX_BYTES)
        extract = _extract(data, name)
        title = one_line(extract.title or "") or one_line(stem(source)) or source
        article = _article(extract, title=title, source=source, digest=sha256(data), path=path)
    except Unreadable as why:
        raise ArticleError(f"{source} {why}") from why.__cause__
    if extract.notice:
        on_notice(extract.notice)
    return article


def from_text(text: str, *, title: str, source: str | None = None, date: str | None = None) -> Article:
    """An article from pasted text; without a ``source`` it goes by its title, so that pasting again replaces it.

    Lone surrogates and NULs, which can be pasted but not stored, are replaced by U+FFFD, one for one.

    :raises ArticleError: if the text is blank or too long, or the date is none.
    """
    title = one_line(title) or "Untitled"
    source = printable(source).strip() if source else ""
    source = source or f"pasted/{title.replace('/', '-')}"
    text = sanitize(text)
    data = text.encode()
    try:
        check_size(data, MAX_BYTES)
        if date is not None and iso_date(date) is None:
            raise Unreadable(
                f"has a date that is none: {one_line(str(date))[:40]!r}; one looks like 2024-05-31"
            )
        extract = replace(plain(text), date=iso_date(date))
        return _article(extract, title=title, source=source, digest=sha256(data), path=None)
    except Unreadable as why:
        raise ArticleError(f"{one_line(source)} {why}") from None
