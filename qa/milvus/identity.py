"""What an index in Milvus was made with, and how one is made."""

from __future__ import annotations

import json
import secrets

from qa.milvus.connection import Connection
from qa.milvus.rows import FIELDS, row
from qa.types import IndexMismatchError, IndexTooNewError

SCHEMA = 1  # raise it with every change of the collections


def establish(connection: Connection, wanted: dict[str, str], *, create: bool) -> dict[str, str]:
    """What the index is made with, which is what is wanted of it; and ``made``, which no other index has.

    :param wanted: ``encoder`` and ``passage settings``.
    :param create: make it where there is none.
    :raises IndexMissingError: if there is none and ``create`` is false.
    :raises IndexMismatchError: if it was made with others.
    :raises IndexTooNewError: if a newer version of this program made it.
    """
    shown = connection.address.shown
    if create and not _read(connection):
        _make(connection, wanted)
    made = identity_of(connection)
    for key, value in wanted.items():
        if made.get(key) != value:
            raise IndexMismatchError(
                f"the index at {shown} was made with {key} {made.get(key)!r}, not {value!r}; use those, or "
                "index the articles under another NAME: an index in Milvus is not rebuilt in place"
            )
    return made


def identity_of(connection: Connection) -> dict[str, str]:
    """What an index says that it was made with.

    :raises IndexMissingError: if there is none.
    :raises IndexTooNewError: as ``establish``.
    """
    shown, found = connection.address.shown, _read(connection)
    if not found:
        raise connection.missing()
    if int(found["schema"]) > SCHEMA:
        raise IndexTooNewError(
            f"the index at {shown} has format {found['schema']}, and this program knows {SCHEMA}: "
            "use a newer version of this program"
        )
    return found


def _read(connection: Connection) -> dict[str, str]:
    """Empty if nothing, or not all of it, was made."""
    if not connection.has("records") or not connection.has("texts"):
        return {}
    for collection in ("records", "texts"):
        connection.load(collection)
    rows = connection.get("records", ["meta"], FIELDS)
    return dict(json.loads(rows[0]["body"])) if rows else {}


def _make(connection: Connection, wanted: dict[str, str]) -> None:
    """Make the collections, and note what the index is made with."""
    for collection in ("records", "texts"):
        connection.make(collection, 0)
        connection.load(collection)
    identity = {"schema": str(SCHEMA), "made": secrets.token_hex(16), **wanted}
    connection.put("records", [row("meta", "meta", "", SCHEMA, json.dumps(identity))])
