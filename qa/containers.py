"""Any file -> the articles it holds: one, or as many as an archive has files and a table rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from .archives import Archive, Entry, open_archive
from .articles import (
    MAX_BYTES,
    check_file,
    check_size,
    from_bytes,
    from_text,
    read_bytes,
    read_file,
    stored_path,
)
from .decoding import decode
from .extract import Unreadable, iso_date
from .finding import MANY, SUPPORTED, article_id, kind, one_line, printable, reason, stem
from .tables import Row, csv_rows, json_rows
from .types import Article, ArticleError

TABLE_BYTES = 200_000_000

_ROWS = {"CSV": csv_rows, "JSON Lines": json_rows}


@dataclass(frozen=True, slots=True)
class Failure:
    """What gave no article. ``why`` is one line that names it and the way out.

    ``scope`` is the source of the article it would have been, or of all those it may have been: none of the articles
    of that source, or whose sources begin with it and a slash, can be said to have left.
    """

    name: str
    why: str
    scope: str


@dataclass(frozen=True, slots=True)
class Notice:
    """What a person should know about a file that was read: one line that names it."""

    why: str


Item = Article | Failure | Notice
More = Callable[[int], None]


def read_articles(path: Path, *, source: str, more: More | None = None) -> Iterator[Item]:
    """Read a file of any supported kind: each article in it, each failure, and what else is to be said.

    An article of many in one file goes by the file's source and its own name: "news/old.zip/may/a.txt" for a file in
    an archive, "news/all.csv/Le Monde" for a row, whose name is its ``source`` or else its title. Of several rows of
    one name the second one is "Le Monde (2)", and so on in their order. ``path`` is where the file lies that holds
    them.

    :param source: the name the file goes by, as ``find_files`` gives it.
    :param more: told how many more articles and failures than one are to come, before they come.
    """
    source = printable(source)
    notices: list[str] = []
    reading = _Reading(stored_path(path), more or (lambda count: None))
    try:
        if kind(path.name) == "zip":
            yield from reading.archive(path, source)
        elif kind(path.name) in MANY:
            yield from reading.table(read_bytes(path, TABLE_BYTES), path.name, source)
        else:
            yield read_file(path, source=source, on_notice=notices.append)
            yield from (Notice(f"{source} {words}") for words in notices)
    except Unreadable as why:
        yield Failure(source, f"{source} {why}", source)
    except ArticleError as error:
        yield Failure(source, str(error), source)


class _Reading:
    """One file that holds many articles, and the names that are taken in it."""

    def __init__(self, path: str | None, more: More) -> None:
        self._path = path
        self._more = more
        self._taken: set[str] = set()
        self._counts: dict[str, int] = {}

    def archive(self, path: Path, source: str) -> Iterator[Item]:
        """What is in an archive; the files of no supported kind are one notice."""
        check_file(path)
        try:
            with open_archive(path) as archive:
                self._more(len(archive.entries) - 1)
                for entry in archive.entries:
                    yield from self._member(archive, entry, f"{source}/{entry.name}")
                if archive.others:
                    yield _passed_over(source, archive)
        except OSError as error:
            raise Unreadable(f"cannot be opened: {reason(error)}") from None

    def _member(self, archive: Archive, entry: Entry, name: str) -> Iterator[Item]:
        notices: list[str] = []
        try:
            if name in self._taken:
                raise Unreadable("goes by the same name as another file in the archive; rename one")
            self._taken.add(name)
            if kind(name) in _ROWS:
                yield from self.table(archive.read(entry, TABLE_BYTES), name, name)
                return
            data = archive.read(entry, MAX_BYTES)
            article = from_bytes(data, name=name, source=name, path=self._path, on_notice=notices.append)
            yield self._own(article)
            yield from (Notice(f"{name} {words}") for words in notices)
        except Unreadable as why:
            yield Failure(name, f"{name} {why}", name)
        except ArticleError as error:
            yield Failure(name, str(error), name)

    def table(self, data: bytes, name: str, source: str) -> Iterator[Item]:
        """The rows of a table; dates that are none are one notice."""
        check_size(data, TABLE_BYTES)
        rows = _ROWS[kind(name)](decode(data))
        self._more(len(rows) - 1)
        undated: list[Row] = []
        for row in rows:
            line = f"{source} line {row.line}"
            if row.wrong:
                yield Failure(line, f"{line} {row.wrong}", source)
                continue
            own = self._unused(f"{source}/{_name(row)}")
            date = iso_date(row.date)
            if row.date.strip() and date is None:
                undated.append(row)
            title = one_line(row.title) or one_line(stem(own))
            try:
                yield self._own(from_text(row.text, title=title, source=own, date=date))
            except ArticleError as error:
                yield Failure(line, f"{line}: {error}", own)
        if undated:
            example = f"line {undated[0].line}: {one_line(undated[0].date)[:40]!r}"
            what = "a date that is none" if len(undated) == 1 else f"{len(undated)} dates that are none"
            words = f"has {what} ({example}); one looks like 2024-05-31"
            yield Notice(f"{source} {words}")

    def _own(self, article: Article) -> Article:
        return replace(article, id=article_id(article.source, member=True), path=self._path)

    def _unused(self, name: str) -> str:
        """A name that no other article of the file has; the same ones for the same rows in the same order."""
        unused = name
        while unused in self._taken:
            self._counts[name] = self._counts.get(name, 1) + 1
            unused = f"{name} ({self._counts[name]})"
        self._taken.add(unused)
        return unused


def _name(row: Row) -> str:
    return one_line(row.source) or one_line(row.title).replace("/", "-")


def _passed_over(source: str, archive: Archive) -> Notice:
    count = len(archive.others)
    files = "1 file" if count == 1 else f"{count:,} files"
    return Notice(f"{source}: passed over {files}, such as {archive.others[0]}: not one of {SUPPORTED}")
