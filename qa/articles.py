"""Files and pasted text -> articles: each is read, decoded, extracted and masked in one step."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from .boilerplate import line_masks
from .decoding import decode
from .extract import Extract, Unreadable, iso_date, sanitize
from .finding import KINDS, SUFFIXES, SUPPORTED, FoundFile, article_id, find_files, printable, reason, stem
from .formats import markdown, pdf, plain, word
from .html_page import html_page
from .types import Article, ArticleError, merge_ranges, sha256

__all__ = ["SUFFIXES", "FoundFile", "article_id", "find_files", "from_text", "read_file"]

MAX_BYTES = 50_000_000
TITLE_CHARACTERS = 200

_FROM_TEXT = {"text": plain, "Markdown": markdown, "HTML": html_page}

_EMPTY = "is empty; nothing to index"
_TOO_LARGE = f"is larger than {MAX_BYTES // 1_000_000} MB; split it into parts"


def _read_bytes(path: Path) -> bytes:
    if path.suffix.lower() not in SUFFIXES:
        raise Unreadable(f"is of no supported kind; supported are {SUPPORTED}")
    try:
        if not path.is_file():  # a pipe would be waited for without end
            raise Unreadable("is not a file" if path.exists() else "does not exist; check the spelling")
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise Unreadable(f"cannot be opened: {reason(error)}") from None
    if not data:
        raise Unreadable(_EMPTY)
    if len(data) > MAX_BYTES:
        raise Unreadable(_TOO_LARGE)
    return data


def _extract(data: bytes, suffix: str) -> Extract:
    kind = KINDS[suffix]
    try:
        if kind == "PDF":
            return pdf(data)
        if kind == "Word":
            return word(data)
        text = decode(data, declares=kind == "HTML")
        return _FROM_TEXT[kind](text)
    except Unreadable:
        raise
    except Exception as error:  # what a parser raises on a broken file is anyone's guess
        complaint = _one_line(str(error))[:100] or type(error).__name__
        raise Unreadable(f"is not a readable {kind} file ({complaint}); open it and save it anew") from error


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


def read_file(path: Path, *, source: str) -> Article:
    """Read one file as an article; ``source`` is the name it goes by, as ``find_files`` gives it.

    Plain text and Markdown are kept exactly as decoded (byte order mark and line ends too), of other formats the
    extracted text; ``bytes_sha256`` names the file's own bytes. ``path`` is None where the file's name is in no
    encoding, since such a path cannot be stored.

    :raises ArticleError: if the file cannot be read, is of no supported kind, larger than 50 MB, binary, broken,
        protected by a password, or holds no text. The message names the file and the way out, on one line.
    """
    source = printable(source)
    place = os.path.abspath(path)
    try:
        data = _read_bytes(path)
        extract = _extract(data, path.suffix.lower())
        return _article(
            extract,
            title=_one_line(extract.title or "") or _one_line(stem(source)) or source,
            source=source,
            digest=sha256(data),
            path=place if place == sanitize(place) else None,
        )
    except Unreadable as why:
        raise ArticleError(f"{source} {why}") from why.__cause__


def from_text(text: str, *, title: str, source: str | None = None, date: str | None = None) -> Article:
    """An article from pasted text; without a ``source`` it goes by its title, so that pasting again replaces it.

    Lone surrogates and NULs, which can be pasted but not stored, are replaced by U+FFFD, one for one.

    :raises ArticleError: if the text is blank or too long, or the date is none.
    """
    title = _one_line(title) or "Untitled"
    source = printable(source) if source else f"pasted/{title.replace('/', '-')}"
    text = sanitize(text)
    data = text.encode()
    try:
        if len(data) > MAX_BYTES:
            raise Unreadable(_TOO_LARGE)
        if date is not None and iso_date(date) is None:
            raise Unreadable(
                f"has a date that is none: {_one_line(str(date))[:40]!r}; one looks like 2024-05-31"
            )
        extract = replace(plain(text), date=iso_date(date))
        return _article(extract, title=title, source=source, digest=sha256(data), path=None)
    except Unreadable as why:
        raise ArticleError(f"{source} {why}") from None


def _one_line(words: str) -> str:
    return " ".join(printable(" ".join(words.split())).split())[:TITLE_CHARACTERS].strip()
