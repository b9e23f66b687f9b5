"""An index in Milvus that articles are copied from or to; see ``qa/transfer.py``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from qa import versions
from qa.edges import edges
from qa.milvus.address import Address
from qa.milvus.changes import Changes
from qa.milvus.connection import Connection, matches
from qa.milvus.identity import establish, identity_of
from qa.milvus.reading import Reading
from qa.milvus.rows import Kept, PassageRow, Record, key_of
from qa.milvus.writing import Writing
from qa.transfer import Entry, OldText

_AT_ONCE = 256  # articles whose passages are fetched together


class MilvusShelf:
    """A ``transfer.Shelf`` in Milvus.

    :param made_with: to make an index there if there is none; None to read the one that is there.
    :raises ArticleIndexError: as ``milvus.index.MilvusIndex.open``.
    """

    def __init__(self, address: Address, made_with: dict[str, str] | None = None) -> None:
        self._connection = Connection(address, create=made_with is not None)
        try:
            if made_with is None:
                self._identity = identity_of(self._connection)
            else:
                self._identity = establish(self._connection, made_with, create=True)
        except BaseException:
            self._connection.close()
            raise
        self._reading = Reading(self._connection)
        self._writing = Writing(self._reading)
        self._changes: Changes | None = None

    def made_with(self) -> dict[str, str]:
        """As ``Shelf``."""
        return {key: self._identity[key] for key in ("encoder", "passage settings")}

    def count(self) -> int:
        """As ``Shelf``."""
        return len(self._keys())

    def _keys(self) -> list[str]:
        heads = self._connection.find("records", matches("kind", ["article", "gone"]), ("id",))
        return sorted({head["id"].split(":")[1] for head in heads})

    def entries(self) -> Iterator[Entry]:
        """As ``Shelf``. Each article is whole; what is written meanwhile may be among them or not."""
        keys = self._keys()
        for first in range(0, len(keys), _AT_ONCE):
            records = self._reading.records(keys[first : first + _AT_ONCE])
            passages: dict[str, list[PassageRow]] = {}
            for passage in self._reading.passages_of("article", [k for k, r in records.items() if r.live]):
                passages.setdefault(passage.edition, []).append(passage)
            for record in records.values():
                yield self._entry(
                    record, sorted(passages.get(record.edition, []), key=lambda p: (p.start, p.end))
                )

    def _entry(self, record: Record, passages: list[PassageRow]) -> Entry:
        old = [
            OldText(kept.version, self._reading.text_of(kept.version), kept.added, kept.retired)
            for kept in record.kept
            if kept.retired
        ]
        live = None
        if record.stored is not None:
            live = record.as_article(self._reading.text_of(record.stored.info.version))
        return Entry(
            record.article,
            live,
            record.stored.info.added if record.stored else "",
            [(passage.start, passage.end) for passage in passages],
            np.stack([p.vector for p in passages]) if passages else np.empty((0, 0), np.float16),
            old,
        )

    def holds(self, entry: Entry) -> bool:
        """As ``Shelf``."""
        record = self._reading.records([key_of(entry.id)]).get(key_of(entry.id))
        if record is None or record.live != (entry.live is not None):
            return False
        if record.stored is not None and entry.live is not None:
            same = record.as_article(entry.live.text) == entry.live
            if not same or record.find(None) != entry.live.version or record.stored.info.added != entry.added:
                return False
        return {kept.version for kept in record.kept} >= {old.version for old in entry.old}

    @contextmanager
    def write(self) -> Iterator[None]:
        """As ``Shelf``."""
        self._changes = Changes(self._reading, versions.now())
        try:
            yield
            for part in self._changes.parts():
                self._writing.commit(part, self._identity["made"])
        finally:
            self._changes = None

    def take(self, entry: Entry) -> None:
        """As ``Shelf``."""
        assert self._changes is not None
        record = self._changes.record(entry.id)
        if entry.live is not None:
            article, listed = entry.live, edges(entry.live.text, entry.live.masks)
            self._changes.put(article, entry.passages, entry.vectors, listed, added=entry.added)
        elif record is not None and record.live:
            self._changes.remove(entry.id, forget=False)
        kept = ((Kept(o.version, len(o.text), o.added, o.retired), o.text) for o in entry.old)
        self._changes.keep(entry.id, kept)

    def close(self) -> None:
        """As ``Shelf``."""
        try:
            self._writing.close()
        finally:
            self._connection.close()
