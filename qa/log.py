"""What changed since a base was sealed (``sealing.py``): the log of touched articles, and the base it belongs to.

The triggers of ``schema.py`` write the log, from ``begin`` on. A base is usable with what is in the log as long as
the same transaction sees its name here: ``seal`` names a new base and shortens the log in one commit.
"""

from __future__ import annotations

import apsw

from qa.database import fetch


def begin(connection: apsw.Connection) -> None:
    """Log changes from this transaction on, if they are not logged already."""
    connection.execute("INSERT OR IGNORE INTO meta VALUES('log', 'on')")


def sealed(connection: apsw.Connection) -> str | None:
    """Name of the newest base, or None."""
    name = connection.execute("SELECT value FROM meta WHERE key = 'sealed'").get
    return None if name is None else str(name)


def seal(connection: apsw.Connection, name: str, generation: int, wiped: int) -> bool:
    """Make a base the newest; what it holds leaves the log.

    :param generation: of the commit that the base was made from.
    :param wiped: what ``wiped`` said in the transaction that it was made in.
    :return: False if something was deleted for good since, or the log was dropped: then the base must not be used.
    """
    if wiped != times_wiped(connection) or not _logging(connection):
        return False
    connection.execute("INSERT OR REPLACE INTO meta VALUES('sealed', ?)", (name,))
    connection.execute("DELETE FROM touched WHERE generation <= ?", (generation,))
    return True


def drop(connection: apsw.Connection) -> None:
    """No base is usable any more, and nothing is logged."""
    connection.execute("DELETE FROM meta WHERE key IN ('log', 'sealed')")
    connection.execute("DELETE FROM touched")


def _logging(connection: apsw.Connection) -> bool:
    return bool(connection.execute("SELECT count(*) FROM meta WHERE key = 'log'").get)


def touched(connection: apsw.Connection) -> list[str]:
    """The articles put or removed since the base was made, sorted."""
    return [article for (article,) in fetch(connection, "SELECT article FROM touched ORDER BY article")]


def times_wiped(connection: apsw.Connection) -> int:
    """How often something was deleted for good."""
    return int(connection.execute("SELECT value FROM meta WHERE key = 'wiped'").get or 0)


def count_wiping(connection: apsw.Connection) -> None:
    """Called in a transaction that deletes for good: a base that is being made of an earlier one must not appear."""
    connection.execute("INSERT OR REPLACE INTO meta VALUES('wiped', ?)", (str(times_wiped(connection) + 1),))
