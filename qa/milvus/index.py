"""An index in Milvus, with the surface of ``qa/index.py``.

Nothing of it is kept on this machine. Any number of processes may read it and write it side by side; what a reader
sees meanwhile is said in ``writing.py``.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from qa import versions
from qa.edges import edges
from qa.milvus.address import Address
from qa.milvus.changes import Changes
from qa.milvus.connection import Connection
from qa.milvus.identity import establish
from qa.milvus.reading import Reading
from qa.milvus.snapshot import MilvusSnapshot
from qa.milvus.writing import Writing
from qa.snapshot import Snapshot
from qa.store import Put
from qa.types import (
    Article,
    ArticleInfo,
    IndexBusyError,
    NotFoundError,
    OldVersion,
    Range,
)

_TRIES = 3  # at a state that nobody changes while it is read


class MilvusIndex:
    """An index in Milvus. Thread-safe; within this process one thread writes at a time.

    Opened with ``open``; closed with ``close`` or as a context manager.
    """

    def __init__(self, connection: Connection, identity: dict[str, str], wait: float) -> None:
        self._connection = connection
        self._made = identity["made"]
        self._wait = wait
        self._reading = Reading(connection)
        self._writing = Writing(self._reading)
        self._lock = threading.RLock()
        self._refreshing = threading.Lock()
        self._changes: Changes | None = None  # of the write that is under way, and
        self._owner: int | None = None  # its thread
        self._snapshot = self._newest()

    @classmethod
    def open(
        cls, address: Address, *, encoder_identity: str, passage_settings: str,
        create: bool = False, rebuild: bool = False, wait: float = 10.0,
    ) -> MilvusIndex:  # fmt: skip
        """Open an index, or make it where there is none.

        :param create: make it where there is none.
        :param rebuild: not possible in place; an index of another encoder gets another name.
        :param wait: how many seconds to wait for another thread that writes.
        :raises IndexMissingError: if there is none and ``create`` is false.
        :raises IndexMismatchError: if it was made with another encoder or other settings.
        :raises IndexBusyError: if it is a Milvus Lite file that is open elsewhere.
        :raises IndexUnreachableError: if no server answers.
        """
        connection = Connection(address, create=create)
        try:
            wanted = {"encoder": encoder_identity, "passage settings": passage_settings}
            return cls(connection, establish(connection, wanted, create=create), wait)
        except BaseException:
            connection.close()
            raise

    # ---- reading

    @property
    def snapshot(self) -> Snapshot:
        """The newest snapshot; hold on to it for a whole question."""
        return self._snapshot

    def refresh(self, *, wait: bool = True) -> bool:
        """Take a new snapshot if anything was committed, here or by another process; as ``Index.refresh``."""
        before = self._snapshot
        if not self._refreshing.acquire(blocking=wait):
            return False
        try:
            if self._reading.stamp(self._made) != before.stamp:
                self._snapshot = self._newest()
            return self._snapshot is not before
        finally:
            self._refreshing.release()

    def _newest(self) -> Snapshot:
        for _ in range(_TRIES):
            stamp, counts = self._reading.stamp(self._made), self._reading.counts()
            if self._reading.stamp(self._made) == stamp:
                break
        # else others commit all the time; the counts are a little newer, and the next look takes the next commit
        return MilvusSnapshot(self._reading, stamp, counts)

    def has(self, article: str, version: str) -> bool:
        """Whether this very version is live: ``put`` it without passages and vectors then."""
        mine = self._changes if self._owner == threading.get_ident() else None
        record = self._reading.record(article) if mine is None else mine.record(article)
        return record is not None and record.find(None) == version

    def stale(self) -> list[str]:
        """No articles wait for passages here: an index of another encoder gets another name."""
        return []

    def articles(self) -> list[ArticleInfo]:
        """The live articles, sorted by id."""
        return self._snapshot_now().articles

    def _snapshot_now(self) -> Snapshot:
        self.refresh()
        return self._snapshot

    def old_versions(self, age: timedelta) -> list[OldVersion]:
        """The versions that ceased to be live at least ``age`` ago, sorted by article and time; with 0 all."""
        before = (datetime.now(UTC) - age).isoformat(timespec="microseconds")
        every = (old for record in self._reading.all_records(removed=True) for old in record.old())
        return sorted((old for old in every if not age or old.retired <= before), key=_by_time)

    def paths(self) -> dict[str, str]:
        """Where the live articles' files lie, by article; without those that came from no file."""
        return {record.article: record.path for record in self._reading.all_records() if record.path}

    def article(self, article: str) -> Article:
        """The live article, as it was put.

        :raises NotFoundError: if there is none.
        """
        record = self._reading.record(article)
        if record is None or record.stored is None:
            raise NotFoundError(f"no article {article[:80]!r} in the index")
        return record.as_article(self._reading.text_of(record.stored.info.version))

    def text(self, article: str, version: str | None = None) -> str:
        """The stored text of an article's live version, or of the version whose sha256 begins so.

        :raises NotFoundError: if there is none.
        """
        record = self._reading.record(article)
        found = record.find(version) if record else None
        if found is None:
            wanted = "" if version is None else f" with a version {version[:12]}"
            raise NotFoundError(f"no article {article[:80]!r}{wanted} in the index")
        return self._reading.text_of(found)

    # ---- writing

    @contextmanager
    def write(self, *, refresh: bool = True) -> Iterator[None]:
        """Group changes: nothing is written before the end, and nothing at all after an error. Nested uses join.

        Up to ``changes.COMMIT_ARTICLES`` articles are one commit; more than that are committed so many at a time.

        :param refresh: take the new snapshot afterwards.
        :raises IndexBusyError: if another thread of this process is writing for longer than ``wait`` seconds.
        :raises IndexUnreachableError: if the connection is lost; what is not committed then is not seen by anybody.
        """
        if not self._lock.acquire(timeout=self._wait):
            raise IndexBusyError(
                f"the index at {self._connection.address.shown} is being written by another thread "
                f"(waited {self._wait:g} s); try again later"
            )
        try:
            if self._changes is not None:
                yield
                return
            self._owner, self._changes = threading.get_ident(), Changes(self._reading, versions.now())
            try:
                yield
                changes, self._changes = self._changes, None
                for part in changes.parts():
                    self._writing.commit(part, self._made, visible=changes.visible)
            finally:
                self._owner = self._changes = None
        finally:
            self._lock.release()
        if refresh:
            self.refresh()

    def _gathered(self) -> Changes:
        assert self._changes is not None
        return self._changes

    def put(
        self, article: Article, passages: Sequence[Range] = (), vectors: NDArray[np.floating] | None = None
    ) -> Put:
        """Add an article, or make this its live version; as ``Index.put``."""
        with self.write():
            return self._gathered().put(article, passages, vectors, edges(article.text, article.masks))

    def remove(self, article: str, *, forget: bool = False) -> None:
        """Take an article out of the search. Its texts stay for ``text``, unless it is to be forgotten.

        :param forget: delete its versions and texts. Milvus wipes their bytes from its disks when it next writes its
            files anew, for which it is asked at once; when it does so is its own affair.
        :raises NotFoundError: if there is no such article.
        """
        with self.write():
            self._gathered().remove(article, forget=forget)
        if forget:
            self._wipe()

    def delete_old(self, age: timedelta) -> list[OldVersion]:
        """Delete the versions that ``old_versions`` names; they are returned. Their bytes go as with ``remove``."""
        with self.write():
            found = self.old_versions(age)
            by_article: dict[str, list[str]] = {}
            for old in found:
                by_article.setdefault(old.article, []).append(old.version)
            for article, gone in by_article.items():
                record = self._gathered().record(article)
                if record is not None:
                    self._gathered().forget(record, gone)
        if found:
            self._wipe()
        return found

    def _wipe(self) -> None:
        self._reading.forget()
        self._snapshot = self._newest()
        for collection in ("texts", "records", *(["passages"] if self._reading.searchable() else [])):
            self._connection.compact(collection)

    def settle(self) -> None:
        """The end of a build: what its commits left becomes one."""
        with self._lock:
            self._writing.merge()

    def close(self) -> None:
        """Close the connection. Snapshots can be searched no more."""
        with self._lock:
            self._writing.close()
        self._connection.close()

    def __enter__(self) -> MilvusIndex:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _by_time(old: OldVersion) -> tuple[str, str, str]:
    return old.article, old.retired, old.version
