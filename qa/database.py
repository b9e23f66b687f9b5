"""The SQLite file of an index: how it is opened, locked, changed, and left without traces.

One transaction at a time writes; readers never wait for it (write-ahead log). Every error of SQLite leaves
here as one of the program's own, in one line. What the tables mean is ``store.py``'s business.
"""

from __future__ import annotations

import secrets
import shutil
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import Any

import apsw

from qa import schema
from qa.sqlite_errors import busy, index_command, plain_errors
from qa.types import ArticleIndexError, IndexBusyError, IndexMissingError, IndexTooNewError

FILE = "articles.sqlite"
DERIVED = "derived"  # the folder beside it of all that was made from it


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
        self._owner: int | None = None  # the thread that writes
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
        ours, tables = self._look()
        if not ours:
            # No tables at all: a new file, or one whose making was cut off before its only commit.
            if tables:
                raise ArticleIndexError(
                    f"{self.path} is an SQLite file of another program; choose another --index"
                )
            if not create:
                raise self._missing()
        self._use_wal()
        if not ours:
            self._make_tables()
        found = schema.version(self._writer)
        if found > schema.VERSION:
            raise IndexTooNewError(
                f"the index at {self.folder} has format {found}, and this program knows {schema.VERSION}: "
                "update the program, or choose another --index"
            )
        if found < schema.VERSION:
            with self.write() as connection:
                schema.upgrade(connection)

    def _look(self) -> tuple[bool, int]:
        """If the file has our mark, and how many tables; both of one moment, since others may be making it."""
        self._writer.execute("BEGIN")
        try:
            ours = self._writer.pragma("application_id") == schema.APPLICATION
            return ours, self._writer.execute("SELECT count(*) FROM sqlite_schema").get
        finally:
            if self._writer.in_transaction:  # SQLite itself rolls back after some errors
                self._writer.execute("ROLLBACK")

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
            if connection.pragma("application_id") != schema.APPLICATION:  # else another process was faster
                schema.make(connection)

    def _plain_errors(self) -> AbstractContextManager[None]:
        return plain_errors(self.path, self.wait)

    def _missing(self) -> IndexMissingError:
        return IndexMissingError(f"no index at {self.folder}; make one: {index_command(self.folder)}")

    # ---- reading and writing

    @contextmanager
    def read(self) -> Iterator[apsw.Connection]:
        """The shared connection for short reads; a caller fetches all its rows before it leaves."""
        with self._read_lock, self._plain_errors():
            yield self._reader

    @contextmanager
    def current(self) -> Iterator[apsw.Connection]:
        """As ``read``; within this thread's own ``write``, what it has changed so far is seen."""
        if self._owner == threading.get_ident():
            with self._plain_errors():
                yield self._writer
        else:
            with self.read() as connection:
                yield connection

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
            raise busy(self.folder, self.wait)
        self._owner = threading.get_ident()
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
            if not self._depth:
                self._owner = None
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
        """Finish a wiping that was cut off; quietly leave it to a later start while something is in its way."""
        with self.read() as connection:
            due = connection.execute("SELECT value FROM meta WHERE key = 'scrub'").get
        if due:
            try:
                self.scrub()
            except ArticleIndexError:
                return

    def scrub(self) -> None:
        """Rewrite the file without its free pages, and empty the write-ahead log, which holds old pages.

        What was made from the file holds the same words, so it goes too, and is made again when it is needed.

        :raises IndexBusyError: if other processes keep the file or its log in use.
        :raises ArticleIndexError: if there is no room for rewriting it.
        """
        with self._write_lock, self._read_lock, self._plain_errors():
            shutil.rmtree(self.folder / DERIVED, ignore_errors=True)
            try:
                self._writer.execute("VACUUM")
                busy, _, _ = fetch(self._writer, "PRAGMA wal_checkpoint(TRUNCATE)")[0]
                if busy:
                    raise apsw.BusyError("log in use")
                self._writer.execute("DELETE FROM meta WHERE key = 'scrub'")
            except (apsw.BusyError, apsw.LockedError) as error:
                raise IndexBusyError(self._unwiped("another process uses the index")) from error
            except (apsw.FullError, apsw.IOError) as error:
                raise ArticleIndexError(self._unwiped("the disk is full")) from error

    def _unwiped(self, why: str) -> str:
        return (
            f"what was to be deleted is deleted, but its bytes stay in {self.path} while {why}; "
            "they go at the next start"
        )

    def close(self) -> None:
        """Close the connections. No use after this."""
        with self._write_lock, self._read_lock, self._plain_errors():
            self._reader.close()
            self._writer.close()
