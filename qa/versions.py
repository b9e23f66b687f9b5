"""The texts an index keeps: the live one of each article, and older ones until they are deleted for good.

An older text is not searched; it is there so that a reference to it can be verified.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import apsw

from qa.database import fetch
from qa.types import OldVersion


def now() -> str:
    """Of fixed width and in UTC, so that such times compare as texts."""
    return _written(datetime.now(UTC))


def _written(time: datetime) -> str:
    return time.isoformat(timespec="microseconds")


def retire(connection: apsw.Connection, article: str, *, but: str = "") -> None:
    """Make an article's live version an old one, unless it is ``but``."""
    sql = "UPDATE versions SET retired = ? WHERE article = ? AND retired IS NULL AND version <> ?"
    connection.execute(sql, (now(), article, but))


def find(connection: apsw.Connection, article: str, prefix: str | None) -> str | None:
    """An article's live version, or the newest of its versions whose sha256 begins with ``prefix``."""
    condition = "retired IS NULL" if prefix is None else "substr(version, 1, length(?)) = ?"
    values = (article,) if prefix is None else (article, prefix, prefix)
    sql = (
        f"SELECT version FROM versions WHERE article = ? AND {condition} "
        "ORDER BY retired IS NOT NULL, added DESC, version LIMIT 1"
    )
    found = fetch(connection, sql, values)
    return str(found[0][0]) if found else None


def old(connection: apsw.Connection, age: timedelta) -> list[OldVersion]:
    """The versions that have not been live for at least ``age``, sorted by article and time; with 0 all of them.

    A clock that was set back may have put their end into the future, hence no comparison with 0.
    """
    condition, values = "retired IS NOT NULL", list[str]()
    if age:
        condition, values = "retired <= ?", [_written(datetime.now(UTC) - age)]
    sql = (
        f"SELECT article, version, characters, retired FROM versions WHERE {condition} "
        "ORDER BY article, retired, version"
    )
    return [OldVersion(*row) for row in fetch(connection, sql, values)]


def delete(connection: apsw.Connection, versions: Iterable[tuple[str, str]]) -> None:
    """Delete versions, given by article and sha256, and the texts that no version is left of."""
    connection.executemany("DELETE FROM versions WHERE article = ? AND version = ?", list(versions))
    connection.execute("DELETE FROM texts WHERE version NOT IN (SELECT version FROM versions)")
