"""Reads many rows at once, within one transaction: all that is searched, or what changed since a base was made."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter

import apsw

from qa import log
from qa.database import fetch
from qa.rows import INFO, TOUCHED, Contents, Row, Stamp, to_contents

_PLACES = "SELECT article, start, stop, {} FROM passages {} ORDER BY article, start, stop"
_EDGES = "SELECT article, side, words FROM edges {} ORDER BY article, side"
_SIDE = "SELECT words, article FROM edges WHERE side = ? ORDER BY words, article"


@dataclass(frozen=True, slots=True)
class Changes:
    """What became of the articles that were put or removed since a base was made."""

    base: str  # its name
    touched: tuple[str, ...]  # ids, sorted: whatever the base holds of them is out of date
    contents: Contents  # those of them that are live


@dataclass(frozen=True, slots=True)
class Record:
    """A live article with all that is searched of it."""

    info: Row  # of ``INFO``
    text: str
    passages: list[tuple[int, int, bytes]]  # start, end, float16 vector; sorted


@dataclass(frozen=True, slots=True)
class Walk:
    """All records of one commit, sorted by article, read one at a time."""

    stamp: Stamp
    wiped: int
    dimension: int
    records: Iterator[Record]
    edges: Callable[[str], Iterator[tuple[str, str]]]  # of a side: words, article; sorted by their UTF-8


def stamp(connection: apsw.Connection) -> Stamp:
    """Which commit is the newest."""
    values = dict(fetch(connection, "SELECT key, value FROM meta"))
    return Stamp(int(values["generation"]), values["commit"])


def _dimension(connection: apsw.Connection) -> int:
    return int(connection.execute("SELECT value FROM meta WHERE key = 'dimension'").get or 0)


def everything(connection: apsw.Connection, *, vectors: bool) -> Contents:
    """All that is searched."""
    infos, edges = fetch(connection, INFO), fetch(connection, _EDGES.format(""))
    places = fetch(connection, _PLACES.format("vector" if vectors else "NULL", ""))
    return to_contents(stamp(connection), infos, places, edges, _dimension(connection) if vectors else None)


def changes(connection: apsw.Connection, base: str) -> Changes | None:
    """What changed since a base was made; None if it is not the newest."""
    if log.sealed(connection) != base:
        return None
    which = "WHERE article IN (SELECT article FROM touched)"
    places = fetch(connection, _PLACES.format("vector", which))
    edges = fetch(connection, _EDGES.format(which))
    contents = to_contents(
        stamp(connection), fetch(connection, TOUCHED), places, edges, _dimension(connection)
    )
    return Changes(base, tuple(log.touched(connection)), contents)


def changed_passages(connection: apsw.Connection) -> int:
    """How many passages the articles in the log have now."""
    sql = "SELECT count(*) FROM passages WHERE article IN (SELECT article FROM touched)"
    return int(connection.execute(sql).get)


def walk(connection: apsw.Connection) -> Walk:
    """All that is searched, to be used up within the transaction."""
    return Walk(
        stamp(connection), log.times_wiped(connection), _dimension(connection), _records(connection),
        lambda side: iter(connection.execute(_SIDE, (side,))),
    )  # fmt: skip


def _records(connection: apsw.Connection) -> Iterator[Record]:
    rows = connection.execute(_PLACES.format("vector", ""))
    groups = groupby(rows, key=itemgetter(0))
    group = next(groups, None)
    for info in connection.execute(INFO):
        text = connection.execute("SELECT text FROM texts WHERE version = ?", (info[4],)).get
        passages: list[tuple[int, int, bytes]] = []
        if group is not None and group[0] == info[0]:
            passages = [row[1:] for row in group[1]]
            group = next(groups, None)
        yield Record(info, str(text), passages)
