"""The SQLite file of an index: how it is opened, locked, changed, and left without traces.

One transaction at a time writes; readers never wait for it (write-ahead log). Every error of SQLite leaves
here as one of the program's own, in one line. What the tables mean is ``store.py``'s business.
"""

from __future__ import annotations

import secrets
import shlex
import shutil
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import apsw

from qa.types import ArticleIndexError, IndexBusyError, IndexMissingError, IndexTooNewError

FILE = "articles.sqlite"
DERIVED = "derived"  # the folder beside it of all that was made from it
SCHEMA_VERSION = 1  # raise it with every change of _TABLES, and upgrade older files in _prepare
_APPLICATION = 0x41534B41  # "ASKA": tells our files from other SQLite files

# The newest version of an article has retired IS NULL and is the only one searched; older ones stay so that a
# reference to them can be verified. `embedded` is 0 while an article waits for the vectors of a new encoder.
_TABLES = """
CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE texts(version TEXT PRIMARY KEY, text TEXT NOT NULL) STRICT;
CREATE TABLE versions(
    article TEXT NOT NULL, version TEXT NOT NULL REFERENCES texts(version), title TEXT NOT NULL, source TEXT NOT NULL,
    path TEXT, date TEXT, masks TEXT NOT NULL, locators TEXT NOT NULL, bytes_sha256 TEXT NOT NULL,
    characters INTEGER NOT NULL, embedded INTEGER NOT NULL, added TEXT NOT NULL, retired TEXT,
    PRIMARY KEY(article, version)) STRICT;
CREATE UNIQUE INDEX live ON versions(article) WHERE retired IS NULL;
CREATE INDEX users ON versions(version);
CREATE TABLE passages(
    id INTEGER PRIMARY KEY AUTOINCREMENT, article TEXT NOT NULL, start INTEGER NOT NULL, stop INTEGER NOT NULL,
    vector BLOB NOT NULL) STRICT;
CREATE UNIQUE INDEX places ON passages(article, start, stop);
CREATE TABLE edges(article TEXT NOT NULL, side TEXT NOT NULL, words TEXT NOT NULL,
    PRIMARY KEY(article, side)) STRICT, WITHOUT ROWID;
"""


def index_command(folder: Path) -> str:
    """The shell command that makes the index in ``folder``."""
    return f"python -m qa index --index {shlex.quote(str(folder))}"


def fetch(connection: apsw.Connection, sql: str, values: Sequence[str | int] = ()) -> list[tuple[Any, ...]]:
    """All rows of a query, at once: a cursor left open would hold its read transaction open."""
    return connection.execute(sql, values).fetchall()


class Database:
    """Connections to ``<folder>/articles.sqlite``; usable from any thread.

    :param create: make the folder and the file where there is none.
    :param wait: how many seconds to wait for another writer.
    :raises IndexMissingError: if there is no index and ``create`` is false.
    :raises IndexTooNewError: if a newer version of this program wrote the file.
    :raises IndexBusyError: if another process keeps the file locked for longer than ``wait``.
    :raises ArticleIndexError: if the file is damaged, not ours, or cannot be opened.
    """

    def __init__(self, folder: Path, *, create: bool, wait: float) -> None:
        self.folder = folder
        self.path = folder / FILE
        self.wait = wait
        self._read_lock = threading.Lock()
        self._write_lock = threading.RLock()
        self._depth = 0
        self._changed = False
        self._scrub_due = False
        try:
            if not self.path.exists():
                if not create:
                    raise self._missing()
                folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ArticleIndexError(
                f"cannot open or make the index folder {folder}: {error.strerror}"
            ) from error
        with self._plain_errors():
            self._writer = self._connect()
            try:
                self._prepare(create)
                self._reader = self._connect()
            except BaseException:
                self._writer.close()
                raise

    # ---- opening

    def _connect(self) -> apsw.Connection:
        flags = apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE
        connection = apsw.Connection(str(self.path), flags=flags)
        connection.set_busy_timeout(round(self.wait * 1000))
        # FULL rather than NORMAL: in WAL mode both survive kill -9, but only FULL also keeps the last commit when the
        # power goes, for one fsync a commit, and commits are few (one a group of articles).
        connection.pragma("synchronous", "FULL")
        return connection

    def _prepare(self, create: bool) -> None:
        """Check that the file is ours and readable by us, or make its tables if it has none yet."""
        ours = self._writer.pragma("application_id") == _APPLICATION
        if not ours:
            # No tables at all: a new file, or one whose making was cut off before its only commit.
            if self._writer.execute("SELECT count(*) FROM sqlite_schema").get:
                raise ArticleIndexError(
                    f"{self.path} is an SQLite file of another program; choose another --index"
                )
            if not create:
                raise self._missing()
        self._use_wal()
        if not ours:
            self._make_tables()
        schema = int(self._writer.execute("SELECT value FROM meta WHERE key = 'schema'").get or 0)
        if schema > SCHEMA_VERSION:
            raise IndexTooNewError(
                f"the index at {self.folder} has format {schema}, and this program knows {SCHEMA_VERSION}: "
                "update the program, or choose another --index"
            )

    def _use_wal(self) -> None:
        """Switch to write-ahead logging; SQLite does not wait for others here, so wait by hand."""
        deadline = time.monotonic() + self.wait
        while True:
            try:
                self._writer.pragma("journal_mode", "WAL")
                return
            except apsw.BusyError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.02)

    def _make_tables(self) -> None:
        with self.write() as connection:
            if connection.pragma("application_id") == _APPLICATION:
                return  # another process was faster
            connection.execute(_TABLES)
            first = [("schema", str(SCHEMA_VERSION)), ("generation", "0"), ("commit", secrets.token_hex(16))]
            connection.executemany("INSERT INTO meta VALUES(?, ?)", first)
            connection.pragma("application_id", _APPLICATION)

    def _missing(self) -> IndexMissingError:
        return IndexMissingError(f"no index at {self.folder}; make one: {index_command(self.folder)}")

    # ---- reading and writing

    @contextmanager
    def read(self) -> Iterator[apsw.Connection]:
        """The shared connection for short reads; a caller fetches all its rows before it leaves."""
        with self._read_lock, self._plain_errors():
            yield self._reader

    @contextmanager
    def read_transaction(self) -> Iterator[apsw.Connection]:
        """A connection of its own in one read transaction, so that a long read holds up nobody."""
        with self._plain_errors(), closing(self._connect()) as connection:
            connection.execute("BEGIN")
            try:
                yield connection
            finally:
                connection.execute("ROLLBACK")

    @contextmanager
    def write(self) -> Iterator[apsw.Connection]:
        """One write transaction: all or nothing, even after ``kill -9``. Nested uses join the outermost.

        :raises IndexBusyError: if another thread or process is still writing after ``wait`` seconds.
        """
        if not self._write_lock.acquire(timeout=self.wait):
            raise self._busy()
        try:
            with self._plain_errors():
                if self._depth == 0:
                    self._writer.execute("BEGIN IMMEDIATE")
                    self._changed = False
                self._depth += 1
                try:
                    yield self._writer
                except BaseException:
                    self._leave(commit=False)
                    raise
                self._leave(commit=True)
        finally:
            self._write_lock.release()

    def changed(self) -> None:
        """Called within a write that changes what readers see: its commit will raise the generation."""
        self._changed = True

    def _leave(self, *, commit: bool) -> None:
        self._depth -= 1
        if self._depth:
            return
        if not commit:
            self._scrub_due = False
            if self._writer.in_transaction:  # SQLite itself rolls back on a full disk
                self._writer.execute("ROLLBACK")
            return
        if self._changed:
            # The token tells this commit from one of the same number in a restored or remade index.
            self._writer.execute(
                "UPDATE meta SET value = CAST(value AS INTEGER) + 1 WHERE key = 'generation'"
            )
            self._writer.execute("UPDATE meta SET value = ? WHERE key = 'commit'", (secrets.token_hex(16),))
        try:
            self._writer.execute("COMMIT")
        except apsw.Error:
            if self._writer.in_transaction:
                self._writer.execute("ROLLBACK")
            raise
        if self._scrub_due:
            self._scrub_due = False
            self.scrub()

    # ---- leaving no traces

    def scrub_after_commit(self) -> None:
        """Called within a write that deletes for good: after its commit the bytes are wiped from the disk.

        The wish is part of the transaction, so a process killed before the wiping leaves it to the next one.
        """
        self._scrub_due = True
        self._writer.execute("INSERT OR REPLACE INTO meta VALUES('scrub', 'due')")

    def scrub_if_due(self) -> None:
        """Finish a wiping that was cut off; quietly leave it to a later start while others are reading."""
        with self.read() as connection:
            due = connection.execute("SELECT value FROM meta WHERE key = 'scrub'").get
        if due:
            try:
                self.scrub()
            except IndexBusyError:
                return

    def scrub(self) -> None:
        """Rewrite the file without its free pages, and empty the write-ahead log, which holds old pages.

        What was made from the file holds the same words, so it goes too, and is made again when it is needed.

        :raises IndexBusyError: if readers of other processes keep the log in use.
        """
        with self._write_lock, self._read_lock, self._plain_errors():
            shutil.rmtree(self.folder / DERIVED, ignore_errors=True)
            self._writer.execute("VACUUM")
            self._empty_log()
            self._writer.execute("DELETE FROM meta WHERE key = 'scrub'")

    def _empty_log(self) -> None:
        busy, _, _ = self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()[0]
        if busy:
            raise IndexBusyError(
                f"the article is removed, but its bytes stay in {self.path}-wal while another process reads the "
                "index; they go at the next start"
            )

    def close(self) -> None:
        """Close the connections. No use after this."""
        with self._write_lock, self._read_lock, self._plain_errors():
            self._reader.close()
            self._writer.close()

    # ---- errors

    def _busy(self) -> IndexBusyError:
        return IndexBusyError(
            f"the index at {self.folder} is being written by another process or thread "
            f"(waited {self.wait:g} s); try again later"
        )

    @contextmanager
    def _plain_errors(self) -> Iterator[None]:
        """Turn SQLite's errors into the program's own, one line each."""
        try:
            yield
        except (apsw.BusyError, apsw.LockedError) as error:
            raise self._busy() from error
        except (apsw.NotADBError, apsw.CorruptError, apsw.FormatError) as error:
            raise ArticleIndexError(
                f"{self.path} is damaged, or not an index ({error}); move it away and make it anew: "
                f"{index_command(self.folder)}"
            ) from error
        except apsw.FullError as error:
            raise ArticleIndexError(f"the disk is full: nothing was changed in {self.path}") from error
        except (apsw.ReadOnlyError, apsw.CantOpenError, apsw.IOError, apsw.PermissionsError) as error:
            raise ArticleIndexError(
                f"cannot open or write {self.path} ({error}); check its permissions"
            ) from error
        except apsw.ConnectionClosedError as error:
            raise ArticleIndexError(f"the index at {self.folder} is closed") from error
        except apsw.SQLError as error:
            raise ArticleIndexError(f"{self.path} lacks what an index has ({error}); move it away") from error
