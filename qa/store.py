"""The one source of truth of an index: articles, their versions, passages and vectors, in SQLite.

A text is immutable and named by its sha256; an article's newest version is live, older ones are kept so that a
reference to them can be verified. Everything else of an index (FAISS, BM25) can be made again from here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Literal

import apsw
import numpy as np
from numpy.typing import NDArray

from qa import log, reading, versions
from qa.database import Database, fetch
from qa.reading import Changes, Walk
from qa.rows import (
    ARTICLE,
    INFO,
    LIVE,
    PUT,
    Contents,
    Stamp,
    to_article,
    to_blobs,
    to_info,
    to_row,
)
from qa.sqlite_errors import index_command
from qa.types import (
    Article,
    ArticleIndexError,
    ArticleInfo,
    IndexMismatchError,
    NotFoundError,
    OldVersion,
    Range,
    sha256,
)

Put = Literal["added", "updated", "unchanged"]
Edge = tuple[str, str]  # side ("head" or "tail"), its words from the outside in; see edges.py


class Store:
    """The articles of one index. Usable from any thread: many read, one writes.

    :param encoder: what made the vectors: name and weights' sha256 in one string.
    :param passage_settings: what cut the passages.
    :param create: make the index where there is none.
    :param rebuild: where the index was made with another encoder or other settings, take the new ones: its passages
        are dropped, its articles kept, and ``stale`` names those to ``put`` again.
    :param wait: how many seconds to wait for another writer.
    :raises IndexMissingError: if there is no index and ``create`` is false.
    :raises IndexMismatchError: if it was made with others, and ``rebuild`` is false.
    :raises IndexTooNewError: if a newer version of this program made it.
    :raises IndexBusyError: if it stays locked for longer than ``wait``.
    :raises ArticleIndexError: if the file is damaged, not ours, or cannot be opened.
    """

    def __init__(
        self, folder: str | Path, *, encoder: str, passage_settings: str,
        create: bool = False, rebuild: bool = False, wait: float = 10.0,
    ) -> None:  # fmt: skip
        self.folder = Path(folder)
        self._db = Database(self.folder, create=create, wait=wait)
        try:
            self._check_identity({"encoder": encoder, "passage settings": passage_settings}, rebuild)
            self._db.scrub_if_due()
        except BaseException:
            self._db.close()
            raise

    @property
    def database(self) -> Database:
        """The file itself, for what moves articles from one index to another (``transfer.py``)."""
        return self._db

    def _check_identity(self, wanted: dict[str, str], rebuild: bool) -> None:
        with self._db.read() as connection:
            made = dict(fetch(connection, "SELECT key, value FROM meta"))
        different = [key for key in wanted if made.get(key) != wanted[key]]
        if not different:
            return
        if "encoder" in made and not rebuild:
            key = different[0]
            raise IndexMismatchError(
                f"the index at {self.folder} was made with {key} {made[key]!r}, not {wanted[key]!r}; "
                f"use those, or rebuild it: {index_command(self.folder)} --rebuild"
            )
        with self._db.write() as connection:
            connection.executemany("INSERT OR REPLACE INTO meta VALUES(?, ?)", wanted.items())
            connection.execute("DELETE FROM meta WHERE key = 'dimension'")
            connection.execute("DELETE FROM passages")
            log.drop(connection)
            connection.execute("UPDATE versions SET embedded = 0")
            if "encoder" in made:
                self._db.changed()

    # ---- writing

    @contextmanager
    def write(self) -> Iterator[None]:
        """Group changes into one commit: all or nothing, one generation. Nested uses join the outermost.

        :raises IndexBusyError: if another thread or process is still writing after ``wait`` seconds.
        """
        with self._db.write():
            yield

    def put(
        self, article: Article, passages: Sequence[Range] = (),
        vectors: NDArray[np.floating] | None = None, edges: Sequence[Edge] = (),
    ) -> Put:  # fmt: skip
        """Add an article, or make this its live version. Where ``has`` says so, passages and vectors may be left out.

        :param passages: half-open ranges of the text, no two alike.
        :param vectors: one unit vector a passage, (n, dim); stored as float16.
        :return: "unchanged" if the very same article is live already; "updated" also if only its metadata differ.
        :raises ValueError: if ranges or vectors do not fit the text, each other or the index.
        :raises ArticleError: if the text holds what is no Unicode character.
        """
        row = to_row(article)
        with self._db.write() as connection:
            live = fetch(connection, LIVE, (article.id,))
            known = bool(live) and live[0][:2] == (row[0], 1)
            old_edges = fetch(connection, "SELECT side, words FROM edges WHERE article = ?", (article.id,))
            if known and live[0][2:] == row[1:] and sorted(old_edges) == sorted(edges):
                return "unchanged"
            if not known:
                self._put_passages(connection, article, row[0], passages, vectors)
            connection.execute(PUT, (article.id, *row, len(article.text), versions.now()))
            connection.execute("DELETE FROM edges WHERE article = ?", (article.id,))
            rows = ((article.id, side, words) for side, words in edges)
            connection.executemany("INSERT INTO edges VALUES(?, ?, ?)", rows)
            self._db.changed()
            return "updated" if live else "added"

    def _put_passages(
        self, connection: apsw.Connection, article: Article, version: str,
        passages: Sequence[Range], vectors: NDArray[np.floating] | None,
    ) -> None:  # fmt: skip
        """Store the text, and these passages instead of those the article had."""
        blobs = to_blobs(passages, vectors, len(article.text))  # before anything is changed
        self._check_dimension(connection, vectors)
        connection.execute("INSERT OR IGNORE INTO texts VALUES(?, ?)", (version, article.text))
        self._retire(connection, article.id, but=version)
        rows = ((article.id, start, end, blob) for (start, end), blob in zip(passages, blobs, strict=True))
        connection.executemany("INSERT INTO passages(article, start, stop, vector) VALUES(?, ?, ?, ?)", rows)

    def remove(self, article: str, *, forget: bool = False) -> None:
        """Take an article out of the search. Its texts stay for ``verify``, unless it is to be forgotten.

        :param forget: delete all its versions and whatever text no other article has, and wipe their bytes from the
            disk; also for an article that was removed before.
        :raises NotFoundError: if there is no such article.
        :raises IndexBusyError: if other processes' readers delay the wiping; the article is gone, and the wiping is
            made up for at the next start.
        """
        with self._db.write() as connection:
            condition = "article = ?" if forget else "article = ? AND retired IS NULL"
            if not connection.execute(f"SELECT count(*) FROM versions WHERE {condition}", (article,)).get:
                raise NotFoundError(_not_found(article))
            self._retire(connection, article)
            connection.execute("DELETE FROM edges WHERE article = ?", (article,))
            if forget:
                mine = fetch(
                    connection, "SELECT article, version FROM versions WHERE article = ?", (article,)
                )
                versions.delete(connection, mine)
                log.count_wiping(connection)
                self._db.scrub_after_commit()
            self._db.changed()

    def _retire(self, connection: apsw.Connection, article: str, *, but: str = "") -> None:
        """Take an article's passages away, and its live version unless it is ``but``."""
        versions.retire(connection, article, but=but)
        connection.execute("DELETE FROM passages WHERE article = ?", (article,))

    def delete_old(self, age: timedelta) -> list[OldVersion]:
        """Delete the versions that ``old_versions`` names, and wipe their bytes from the disk.

        What is searched stays the same, and so does the generation.

        :return: what was deleted.
        :raises IndexBusyError: as ``remove``.
        """
        with self._db.write() as connection:
            found = versions.old(connection, age)
            if found:
                versions.delete(connection, ((gone.article, gone.version) for gone in found))
                log.count_wiping(connection)
                self._db.scrub_after_commit()
        return found

    def _check_dimension(self, connection: apsw.Connection, vectors: NDArray[np.floating] | None) -> None:
        if vectors is None or not len(vectors):
            return
        found = str(vectors.shape[1])
        connection.execute("INSERT OR IGNORE INTO meta VALUES('dimension', ?)", (found,))
        stored = connection.execute("SELECT value FROM meta WHERE key = 'dimension'").get
        if stored != found:
            raise ValueError(f"vectors of {found} dimensions, but the index has {stored}")

    # ---- reading

    def stamp(self) -> Stamp:
        """Which commit is the newest."""
        with self._db.read() as connection:
            return reading.stamp(connection)

    def generation(self) -> int:
        """How many commits changed this index."""
        return self.stamp().generation

    def has(self, article: str, version: str) -> bool:
        """Whether this very version is live and embedded, so that ``put`` needs no vectors.

        Within ``write`` it is asked of what was put so far: an article may be put twice in one commit.
        """
        with self._db.current() as connection:
            sql = "SELECT count(*) FROM versions WHERE article = ? AND version = ? AND retired IS NULL AND embedded"
            return bool(connection.execute(sql, (article, version)).get)

    def stale(self) -> list[str]:
        """Articles that a rebuild left without passages: to be ``put`` again."""
        sql = "SELECT article FROM versions WHERE retired IS NULL AND NOT embedded ORDER BY article"
        with self._db.read() as connection:
            return [article for (article,) in fetch(connection, sql)]

    def articles(self) -> list[ArticleInfo]:
        """The live articles, sorted by id."""
        with self._db.read() as connection:
            return [to_info(row) for row in fetch(connection, INFO)]

    def old_versions(self, age: timedelta) -> list[OldVersion]:
        """The versions that ceased to be live at least ``age`` ago, sorted by article and time; with 0 all."""
        with self._db.read() as connection:
            return versions.old(connection, age)

    def paths(self) -> dict[str, str]:
        """Where the live articles' files lie, by article; without those that came from no file."""
        sql = "SELECT article, path FROM versions WHERE retired IS NULL AND path IS NOT NULL ORDER BY article"
        with self._db.read() as connection:
            return dict(fetch(connection, sql))

    def version(self, article: str, prefix: str | None = None) -> str:
        """The sha256 of an article's live text, or of the newest of its texts whose sha256 begins with ``prefix``.

        :raises NotFoundError: if there is none.
        """
        with self._db.read() as connection:
            found = versions.find(connection, article, prefix)
        if found is None:
            raise NotFoundError(_not_found(article, prefix))
        return found

    def text_of(self, version: str) -> str:
        """The text of that sha256.

        :raises NotFoundError: if it is not stored, or was forgotten.
        :raises ArticleIndexError: if the stored text is not the one its name promises.
        """
        with self._db.read() as connection:
            found = fetch(connection, "SELECT text FROM texts WHERE version = ?", (version,))
        if not found:
            raise NotFoundError(f"no text {version[:12]} in the index; it may have been removed for good")
        text = str(found[0][0])
        if sha256(text) != version:
            raise ArticleIndexError(
                f"the index at {self.folder} is damaged: text {version[:12]} was altered; "
                f"move it away and make it anew: {index_command(self.folder)}"
            )
        return text

    def text(self, article: str, version_prefix: str | None = None) -> str:
        """The text of an article's live version, or of the version whose sha256 begins so (removed ones too).

        :raises NotFoundError: if there is none.
        """
        return self.text_of(self.version(article, version_prefix))

    def article(self, article: str) -> Article:
        """The live article, as it was put.

        :raises NotFoundError: if there is none.
        """
        with self._db.read() as connection:
            found = fetch(connection, ARTICLE, (article,))
        if not found:
            raise NotFoundError(_not_found(article))
        return to_article(article, found[0])

    # ---- reading in bulk

    def read(self, *, vectors: bool = True) -> Contents:
        """All that is searched, in one read transaction.

        :raises ArticleIndexError: if the file is damaged.
        """
        with self._db.read_transaction() as connection:
            return reading.everything(connection, vectors=vectors)

    def passages(self) -> int:
        """How many passages there are."""
        with self._db.read() as connection:
            return int(connection.execute("SELECT count(*) FROM passages").get)

    def sealed(self) -> str | None:
        """Name of the newest base of what is derived (``sealing.py``), or None."""
        with self._db.read() as connection:
            return log.sealed(connection)

    def changed_passages(self) -> int:
        """How many passages the articles have that changed since that base was made."""
        with self._db.read() as connection:
            return reading.changed_passages(connection)

    def changes(self, base: str) -> Changes | None:
        """What changed since a base was made, in one read transaction; None if it is not the newest."""
        with self._db.read_transaction() as connection:
            return reading.changes(connection, base)

    @contextmanager
    def walk(self) -> Iterator[Walk]:
        """All that is searched, article by article, in one read transaction; what changes later is logged."""
        with self._db.write() as connection:
            log.begin(connection)
        with self._db.read_transaction() as connection:
            yield reading.walk(connection)

    def seal(self, name: str, walk: Walk) -> bool:
        """Make a base the newest that was made of a walk; False if it must not be used (``log.seal``)."""
        with self._db.write() as connection:
            return log.seal(connection, name, walk.stamp.generation, walk.wiped)

    def close(self) -> None:
        """Close the file. No use after this."""
        self._db.close()


def _not_found(article: str, prefix: str | None = None) -> str:
    version = f" with a version {prefix[:12]}" if prefix is not None else ""
    return f"no article {article[:80]!r}{version} in the index"
