"""Moves articles from one index to another with all that was made of them: nothing is embedded again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import apsw
import numpy as np
from numpy.typing import NDArray

from qa.database import Database, fetch
from qa.edges import edges
from qa.rows import ARTICLE, to_article
from qa.store import Store
from qa.types import Article, ArticleIndexError, Range, sha256

_COMMIT_PASSAGES = 2_000  # a copy that is cut off has lost at most so many


@dataclass(frozen=True, slots=True)
class OldText:
    """A text that an article had."""

    version: str
    text: str
    added: str
    retired: str


@dataclass(frozen=True, slots=True)
class Entry:
    """An article with all that an index holds of it; ``live`` is None where it was removed."""

    id: str
    live: Article | None
    added: str
    passages: Sequence[Range]
    vectors: NDArray[np.float16]  # (passages, dim)
    old: Sequence[OldText]


class Shelf(Protocol):
    """An index that articles are taken from or put into."""

    def made_with(self) -> dict[str, str]:
        """The names of its ``encoder`` and ``passage settings``."""

    def count(self) -> int:
        """How many entries there are."""

    def entries(self) -> Iterator[Entry]:
        """All of them."""

    def holds(self, entry: Entry) -> bool:
        """Whether this very entry is here."""

    def write(self) -> AbstractContextManager[None]:
        """One commit."""

    def take(self, entry: Entry) -> None:
        """Put it here, within ``write``, with the times it came with."""

    def close(self) -> None:
        """No use after this."""


def copy(
    source: Shelf, target: Shelf, tell: Callable[[int, int], None] = lambda done, of: None
) -> tuple[int, int]:
    """Copy all entries; those that are there already are passed over, so a copy that was cut off goes on.

    What else the target holds stays.

    :param tell: told how many entries are done, and of how many.
    :return: how many were written, and of how many.
    """
    of, done, written, size = source.count(), 0, 0, 0
    group: list[Entry] = []
    for done, entry in enumerate(source.entries(), 1):
        if not target.holds(entry):
            group.append(entry)
            size += len(entry.passages) + 1
        if size >= _COMMIT_PASSAGES:
            written += _write(target, group)
            group, size = [], 0
        tell(done, max(done, of))
    return written + _write(target, group), done


def _write(target: Shelf, group: Sequence[Entry]) -> int:
    if group:
        with target.write():
            for entry in group:
                target.take(entry)
    return len(group)


# ---- the local index

_ALL = "SELECT DISTINCT article FROM versions ORDER BY article"
_LIVE = ARTICLE.replace("SELECT text", "SELECT version, added, text")
_OLD = """
SELECT version, text, added, retired FROM versions JOIN texts USING(version)
WHERE article = ? AND retired IS NOT NULL ORDER BY retired, version
"""
_PLACES = "SELECT start, stop, vector FROM passages WHERE article = ? ORDER BY start, stop"
_KEEP = "INSERT OR IGNORE INTO versions VALUES(?, ?, '', '', NULL, NULL, '[]', '[]', '', ?, 1, ?, ?)"
_DATE = "UPDATE versions SET added = ?, retired = ? WHERE article = ? AND version = ?"


class LocalShelf:
    """The index of a folder, without what is derived of it.

    :param made_with: to make one there if there is none; None to read the one that is there.
    :raises ArticleIndexError: as ``store.Store``.
    """

    def __init__(self, folder: str | Path, made_with: dict[str, str] | None = None) -> None:
        self._made = _made_with(Path(folder)) if made_with is None else made_with
        self._store = Store(
            folder, encoder=self._made["encoder"], passage_settings=self._made["passage settings"],
            create=made_with is not None,
        )  # fmt: skip

    def made_with(self) -> dict[str, str]:
        """As ``Shelf``."""
        return self._made

    def count(self) -> int:
        """As ``Shelf``."""
        with self._store.database.read() as connection:
            return len(fetch(connection, _ALL))

    def entries(self) -> Iterator[Entry]:
        """As ``Shelf``; all of one commit."""
        with self._store.database.read_transaction() as connection:
            for (article,) in fetch(connection, _ALL):
                yield self._entry(connection, article)

    def _entry(self, connection: apsw.Connection, article: str) -> Entry:
        live, places = fetch(connection, _LIVE, (article,)), fetch(connection, _PLACES, (article,))
        old = [OldText(*row) for row in fetch(connection, _OLD, (article,))]
        texts = [(each.version, each.text) for each in old] + [(row[0], row[2]) for row in live]
        for version, text in texts:
            if sha256(text) != version:
                raise ArticleIndexError(
                    f"the index at {self._store.folder} is damaged: text {version[:12]} was altered; "
                    f"index {article[:80]} again before copying"
                )
        vectors = np.frombuffer(b"".join(blob for _, _, blob in places), "<f2")
        return Entry(
            article,
            to_article(article, live[0][2:]) if live else None,
            live[0][1] if live else "",
            [(start, stop) for start, stop, _ in places],
            vectors.reshape(len(places), -1) if places else np.empty((0, 0), np.float16),
            old,
        )

    def holds(self, entry: Entry) -> bool:
        """As ``Shelf``."""
        with self._store.database.current() as connection:
            here = self._entry(connection, entry.id)
        old = {each.version for each in here.old}
        same = here.live == entry.live and here.added == entry.added
        return same and old >= {each.version for each in entry.old} and bool(here.live or here.old)

    def write(self) -> AbstractContextManager[None]:
        """As ``Shelf``."""
        return self._store.write()

    def take(self, entry: Entry) -> None:
        """As ``Shelf``."""
        with self._store.database.write() as connection:
            if entry.live is not None:
                article = entry.live
                self._store.put(article, entry.passages, entry.vectors, edges(article.text, article.masks))
                connection.execute(_DATE, (entry.added, None, entry.id, article.version))
            elif self._entry(connection, entry.id).live is not None:
                self._store.remove(entry.id)
            for old in entry.old:
                connection.execute("INSERT OR IGNORE INTO texts VALUES(?, ?)", (old.version, old.text))
                row = (entry.id, old.version, len(old.text), old.added, old.retired)
                connection.execute(_KEEP, row)
                connection.execute(_DATE, (old.added, old.retired, entry.id, old.version))

    def close(self) -> None:
        """As ``Shelf``."""
        self._store.close()


def _made_with(folder: Path) -> dict[str, str]:
    """What an index says that it was made with."""
    with closing(Database(folder, create=False, wait=10.0)) as database, database.read() as connection:
        made = dict(fetch(connection, "SELECT key, value FROM meta"))
    return {key: made.get(key, "") for key in ("encoder", "passage settings")}
