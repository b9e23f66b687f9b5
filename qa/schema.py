"""The tables of an index's SQLite file, and how the file of an older version becomes one of this.

What the tables mean is ``store.py``'s business.
"""

from __future__ import annotations

import secrets

import apsw

VERSION = 2  # raise it with every change of the tables, and upgrade older files in ``upgrade``
APPLICATION = 0x41534B41  # "ASKA": tells our files from other SQLite files

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

# Which articles were put or removed since the log was begun, and in which commit last (``log.py``). Every change of
# an article changes its row in `versions`; triggers see them all, whatever code makes them. Old versions are deleted
# in commits that leave the generation as it is, and what is searched: that is no change.
_LOGGED = (
    "INSERT INTO touched SELECT {}.article, value + 1 FROM meta WHERE key = 'generation' "
    "ON CONFLICT DO UPDATE SET generation = excluded.generation"
)
_WHEN = "WHEN EXISTS (SELECT 1 FROM meta WHERE key = 'log')"
_LIVE = f"{_WHEN} AND old.retired IS NULL"
_LOG = (
    "CREATE TABLE touched(article TEXT PRIMARY KEY, generation INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    + "".join(
        f"CREATE TRIGGER log_{event} AFTER {event} ON versions {when} BEGIN {_LOGGED.format(row)}; END;"
        for event, row, when in (("INSERT", "new", _WHEN), ("UPDATE", "new", _WHEN), ("DELETE", "old", _LIVE))
    )
)


def make(connection: apsw.Connection) -> None:
    """Make all tables in an empty file; within a transaction."""
    connection.execute(_TABLES + _LOG)
    first = [("schema", str(VERSION)), ("generation", "0"), ("commit", secrets.token_hex(16))]
    connection.executemany("INSERT INTO meta VALUES(?, ?)", first)
    connection.pragma("application_id", APPLICATION)


def version(connection: apsw.Connection) -> int:
    """Of which version the file's tables are."""
    return int(connection.execute("SELECT value FROM meta WHERE key = 'schema'").get or 0)


def upgrade(connection: apsw.Connection) -> None:
    """Bring an older file's tables to this version; within a transaction. What is searched stays the same."""
    if version(connection) == 1:
        connection.execute(_LOG)
        connection.execute("UPDATE meta SET value = '2' WHERE key = 'schema'")
