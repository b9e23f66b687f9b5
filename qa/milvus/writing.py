"""Commits to an index in Milvus, which knows no transactions over many rows.

A commit first notes what it is about to add (``c:``, *open*), then adds passages, texts and counts of words, which
nobody sees yet, and then writes, in one request, the articles' records with the names of their new passages, and that
it is done. What the new passages replace is deleted last. So a reader sees each article as it was or as it is,
whatever is under way; and what a writer left half-done, killed or cut off, is not seen, and is cleared away by a
later one.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from qa.milvus.connection import Row, matches
from qa.milvus.counts import Counts
from qa.milvus.reading import SLOTS, Reading
from qa.milvus.rows import FIELDS, PassageRow, Record, key_of, long_rows, row
from qa.types import ArticleIndexError, IndexUnreachableError

LONGEST_COMMIT = 300.0  # seconds; a commit that takes longer is given up
ABANDONED = 2 * LONGEST_COMMIT  # after so many seconds a commit that is not done is nobody's any more
_MERGE_AT = 32  # counts of so many commits become one


@dataclass(frozen=True, slots=True)
class Change:
    """What becomes of an article.

    :param passages: of a new edition; empty where the old one's stay.
    :param texts: by version, those that are new.
    :param forgotten: versions to be deleted for good.
    """

    before: Record | None
    after: Record | None  # None: nothing of it is to stay
    passages: Sequence[PassageRow] = ()
    texts: Mapping[str, str] | None = None
    forgotten: Sequence[str] = ()

    @property
    def dropped(self) -> str:
        """The edition that is searched no more."""
        old = self.before.edition if self.before else ""
        return old if self.after is None or old != self.after.edition else ""


class Writing:
    """Writes one index. Many may do so side by side, each other articles. One thread at a time."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._connection = reading.connection
        self._slot = f"g:{secrets.randbelow(SLOTS):02}"
        self._mine: list[str] = []  # commits whose counts can be merged
        self._mended = False

    def commit(self, changes: Sequence[Change], made: str, *, visible: bool = True) -> None:
        """All of it, or nothing that is seen.

        :param visible: whether what is searched changes, and so the generation.
        :raises IndexUnreachableError: if the connection is lost.
        :raises ArticleIndexError: if it takes too long, or Milvus refuses.
        """
        if not self._mended:
            self._mend()
            self._mended = True
        started, token = time.monotonic(), secrets.token_hex(16)
        note = _note_of(changes)
        self._connection.put("records", self._note(token, "open", note))
        try:
            self._prepare(token, changes, note["dropped"])
            if time.monotonic() - started > LONGEST_COMMIT:
                raise ArticleIndexError(f"writing took longer than {LONGEST_COMMIT:.0f} s and was given up")
        except BaseException:
            self._undo(token, note)
            raise
        clean = not (note["dropped"] or note["forgotten"] or note["gone"])
        rows = [each for change in changes for each in _records(change)]
        rows += self._note(token, "clean" if clean else "done", note)
        if visible:
            generation = self._reading.stamp(made).generation + 1
            rows.append(row(self._slot, "generation", "", generation, token))
        self._connection.put("records", rows, together=True)
        if not clean:
            self._clear(token, note)
        self._mine.append(token)
        if len(self._mine) >= _MERGE_AT:
            self.merge()

    def _prepare(self, token: str, changes: Sequence[Change], dropped: Sequence[str]) -> None:
        """What nobody sees before the commit is done."""
        added = [passage for change in changes for passage in change.passages]
        old = [p.terms.split() for p in self._reading.passages_of("edition", dropped, ("id", "terms"))]
        before = sum(change.before is not None and change.before.live for change in changes)
        after = sum(change.after is not None and change.after.live for change in changes)
        new = Counts.of(after, (passage.terms.split() for passage in added))
        counts = Counts.sum([new], taken=[Counts.of(before, old)])
        texts = [
            each
            for c in changes
            for v, text in (c.texts or {}).items()
            for each in long_rows(f"t:{v}", "text", text)
        ]
        self._connection.put("texts", [*texts, *long_rows(f"s:{token}", "counts", counts.to_text())])
        if added:
            self._connection.make("passages", len(added[0].vector))
            self._reading.searchable()
            self._connection.put("passages", [passage.to_row() for passage in added])

    @staticmethod
    def _note(token: str, kind: str, note: Mapping[str, object]) -> list[Row]:
        """A commit's rows; its first says in ``n`` when it was begun."""
        rows = long_rows(f"c:{token}", "note", json.dumps(note))
        return [row(f"c:{token}", kind, "", int(time.time())), *rows]

    # ---- clearing away

    def _undo(self, token: str, note: Mapping[str, list[str]]) -> None:
        """Take back what nobody has seen; where that fails too, a later writer does."""
        try:
            if note["added"] and self._reading.searchable():
                self._connection.delete("passages", matches("edition", note["added"]))
            self._drop_commits([token])
        except ArticleIndexError:
            return

    def _clear(self, token: str, note: Mapping[str, list[str]]) -> None:
        """Delete what a commit that is done replaced."""
        if note["dropped"] and self._reading.searchable():
            self._connection.delete("passages", matches("edition", note["dropped"]))
        for key in note["gone"]:
            self._drop_values("records", [f"a:{key}"])
            self._connection.drop("records", [f"e:{key}:head", f"e:{key}:tail"])
        for name in note["forgotten"]:
            version, _, key = name.partition(":")
            self._connection.drop("records", [f"u:{name}"])
            users = self._connection.find("records", matches("tag", [version]), ("id",))
            if next(users, None) is None:
                self._drop_values("texts", [f"t:{version}"])
        self._connection.put("records", [row(f"c:{token}", "clean", "", int(time.time()))])

    def _drop_values(self, collection: str, ids: Sequence[str]) -> None:
        first = self._connection.get(collection, [f"{id_}:0" for id_ in ids], FIELDS)
        names = [f"{r['id'][:-2]}:{i}" for r in first for i in range(r["n"])]
        self._connection.drop(collection, names)

    def _drop_commits(self, tokens: Sequence[str]) -> None:
        self._drop_values("texts", [f"s:{token}" for token in tokens])
        self._drop_values("records", [f"c:{token}" for token in tokens])
        self._connection.drop("records", [f"c:{token}" for token in tokens])

    def _mend(self) -> None:
        """Clear away what other writers left half-done."""
        rows = list(self._connection.find("records", matches("kind", ["open", "done", "merged"]), FIELDS))
        old = [r for r in rows if time.time() - r["n"] > ABANDONED]
        notes = self._reading.values("records", [r["id"] for r in old])
        for each in old:
            token, note = each["id"][2:], json.loads(notes[each["id"]][1]) if each["id"] in notes else None
            if each["kind"] == "done" and note is not None:
                self._clear(token, note)
            elif each["kind"] == "open" and note is not None:
                self._undo(token, note)
            else:
                self._drop_commits([token])

    def merge(self) -> None:
        """Make the counts of this writer's commits one."""
        if len(self._mine) < 2:
            return
        token, old = secrets.token_hex(16), self._mine
        values = self._reading.values("texts", [f"s:{each}" for each in old])
        counts = Counts.sum(Counts.from_text(value) for _, value in values.values())
        self._connection.put("texts", long_rows(f"s:{token}", "counts", counts.to_text()))
        now = int(time.time())
        rows = [row(f"c:{each}", "merged", "", now) for each in old]
        self._connection.put("records", [row(f"c:{token}", "clean", "", now), *rows], together=True)
        self._mine = [token]
        self._drop_commits(old)

    def close(self) -> None:
        """Leave as few rows as can be; a connection that is lost is no reason to fail now."""
        try:
            self.merge()
        except IndexUnreachableError:
            return


def _note_of(changes: Sequence[Change]) -> dict[str, list[str]]:
    """What has to be undone if a commit fails, and deleted when it is done."""
    keys = [(key_of(_article(change)), change) for change in changes]
    return {
        "added": [change.after.edition for _, change in keys if change.after and change.passages],
        "dropped": [change.dropped for _, change in keys if change.dropped],
        "gone": [key for key, change in keys if change.after is None],
        "forgotten": [f"{version}:{key}" for key, change in keys for version in change.forgotten],
    }


def _article(change: Change) -> str:
    record = change.after or change.before
    assert record is not None
    return record.article


def _records(change: Change) -> Iterable[Row]:
    """The rows of an article as it is to be seen. What is to be deleted is first made invisible."""
    if change.after is not None:
        key = key_of(change.after.article)
        uses = (row(f"u:{kept.version}:{key}", "use", kept.version) for kept in change.after.kept)
        return [*change.after.rows(), *uses]
    assert change.before is not None
    return Record(change.before.article, "", None, None, "", (), ()).rows()
