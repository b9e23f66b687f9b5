"""The connection to a Milvus, whose only importer this module is: a server, or Milvus Lite within this process.

Every error leaves here as one of the program's own, in one line.
"""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

from qa.milvus import collections
from qa.milvus.address import TOKEN, Address
from qa.types import ArticleIndexError, IndexBusyError, IndexMissingError, IndexUnreachableError

TIMEOUT = 60.0  # seconds, of one call with all its retries; the client waits longer between them each time
TIMEOUT_LITE = (
    1800.0  # nothing can be lost within a process, but writing its files takes minutes on a busy machine
)
CONNECT = 10.0  # seconds until a server that is not there is given up
MOST_HITS = 16_384  # of one search: Milvus' limit
_AT_ONCE = 1_000  # rows by id
_WRITTEN = 8_000_000  # bytes in a request, about; servers take 64 MB

INSTALL = "pip install -r requirements-milvus.txt"
Row = dict[str, Any]


def quoted(values: Sequence[str] | str) -> str:
    """Values as a filter's literals; only names that this program made go into filters."""
    return json.dumps(values)


class Connection:
    """One index's collections in a Milvus: ``passages``, ``records`` and ``texts``. Usable from any thread.

    :param create: make a Milvus Lite file that is not there.
    :raises ArticleIndexError: if the libraries are not installed, or it cannot be opened.
    :raises IndexMissingError: if there is no such file, and ``create`` is false.
    :raises IndexBusyError: if another process has the Milvus Lite file open.
    :raises IndexUnreachableError: if no server answers.
    """

    def __init__(self, address: Address, *, create: bool = True) -> None:
        self.address = address
        self.timeout = TIMEOUT_LITE if address.lite else TIMEOUT
        self._server: Any = None
        self._database: Any = None
        try:
            import pymilvus
        except ModuleNotFoundError as error:
            raise ArticleIndexError(f"an index in Milvus needs more libraries: {INSTALL}") from error
        # What goes wrong reaches the caller as an exception; the libraries print it too, with a stack.
        quiet = ("pymilvus", "milvus_lite", "grpc._server") if address.lite else ("pymilvus",)
        for library in quiet:
            logging.getLogger(library).setLevel(logging.CRITICAL + 1)
        self._milvus = pymilvus
        if address.lite and not create and not Path(address.uri).exists():
            raise self.missing()
        uri = self._serve() if address.lite else address.uri
        try:
            with self._plain_errors():
                token = "" if address.lite else os.environ.get(TOKEN, "")
                self._client = pymilvus.MilvusClient(uri=uri, token=token, timeout=CONNECT)
        except BaseException:
            self._stop()
            raise

    def missing(self) -> IndexMissingError:
        """What to say where there is no index."""
        shown = self.address.shown
        return IndexMissingError(f"no index at {shown}; make one: python -m qa index PATH --index {shown}")

    def _serve(self) -> str:
        """Start Milvus Lite: threads of this process behind a port of this machine's own; its address."""
        try:
            from milvus_lite.adapter.grpc.server import start_server_in_thread
            from milvus_lite.exceptions import DataDirLockedError
        except ModuleNotFoundError as error:
            raise ArticleIndexError(f"a Milvus Lite file needs more libraries: {INSTALL}") from error
        try:
            self._server, self._database, port = start_server_in_thread(self.address.uri)
        except DataDirLockedError as error:
            raise IndexBusyError(
                f"{self.address.shown} is open elsewhere, and a Milvus Lite file is for one at a time; "
                "end that, or use a Milvus server"
            ) from error
        except Exception as error:
            raise ArticleIndexError(f"cannot open {self.address.shown}: {_one_line(error)}") from error
        return f"http://127.0.0.1:{port}"

    def close(self) -> None:
        """Close it; a Milvus Lite ends too. No use after this."""
        with self._plain_errors():
            self._client.close()
        self._stop()

    def _stop(self) -> None:
        if self._server is not None:
            self._server.stop(grace=2).wait()
            self._database.close()
            self._server = self._database = None

    def __enter__(self) -> Connection:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # ---- collections

    def name(self, collection: str) -> str:
        """What a collection of this index is called in Milvus."""
        return f"{self.address.name}_{collection}"

    def has(self, collection: str) -> bool:
        """Whether there is such a collection."""
        with self._plain_errors():
            return bool(self._client.has_collection(self.name(collection), timeout=self.timeout))

    def make(self, collection: str, dimension: int) -> None:
        """Make a collection unless it is there: ``passages`` of vectors so long; for the others any."""
        if self.has(collection):
            return
        schema, indexes = collections.described(self._milvus, collection, dimension, lite=self.address.lite)
        try:
            with self._plain_errors():
                self._client.create_collection(
                    self.name(collection), schema=schema, index_params=indexes, timeout=self.timeout,
                    consistency_level="Strong",
                )  # fmt: skip
        except ArticleIndexError:
            for _ in range(50):  # another worker may be at it, and not have done yet
                if self.has(collection):
                    return
                time.sleep(0.1)
            raise

    def load(self, collection: str) -> None:
        """Make a collection ready to be read."""
        with self._plain_errors():
            self._client.load_collection(self.name(collection), timeout=self.timeout)

    # ---- rows

    def get(self, collection: str, ids: Sequence[str] | Sequence[int], fields: Sequence[str]) -> list[Row]:
        """The rows of these ids, as many as there are, in no order."""
        found: list[Row] = []
        for first in range(0, len(ids), _AT_ONCE):
            with self._plain_errors():
                found += self._client.get(
                    self.name(collection), list(ids[first : first + _AT_ONCE]), output_fields=list(fields),
                    timeout=self.timeout,
                )  # fmt: skip
        return found

    def find(self, collection: str, condition: str, fields: Sequence[str]) -> Iterator[Row]:
        """All rows that a filter is true of, however many, in no order."""
        with self._plain_errors():
            rows = self._client.query_iterator(
                self.name(collection), batch_size=_AT_ONCE, filter=condition, output_fields=list(fields),
                timeout=self.timeout,
            )  # fmt: skip
        try:
            while True:
                with self._plain_errors():
                    some = rows.next()
                if not some:
                    return
                yield from some
        finally:
            with self._plain_errors():
                rows.close()

    def put(self, collection: str, rows: Sequence[Row], *, together: bool = False) -> None:
        """Write rows, in place of those of the same ids.

        :param together: in one request, so that all of them are there at once or none.
        """
        part: list[Row] = []
        size = 0
        for row in rows:
            part.append(row)
            size += sum(len(value) * 4 for value in row.values() if hasattr(value, "__len__"))
            if size > _WRITTEN and not together:
                self._put(collection, part)
                part, size = [], 0
        self._put(collection, part)

    def _put(self, collection: str, rows: list[Row]) -> None:
        if rows:
            with self._plain_errors():
                self._client.upsert(self.name(collection), rows, timeout=self.timeout)

    def delete(self, collection: str, condition: str) -> None:
        """Delete the rows that a filter is true of."""
        with self._plain_errors():
            self._client.delete(self.name(collection), filter=condition, timeout=self.timeout)

    def drop(self, collection: str, ids: Sequence[str]) -> None:
        """Delete rows by their ids."""
        for first in range(0, len(ids), _AT_ONCE):
            with self._plain_errors():
                part = list(ids[first : first + _AT_ONCE])
                self._client.delete(self.name(collection), ids=part, timeout=self.timeout)

    def search(
        self, field: str, wanted: Sequence[float] | str, limit: int, condition: str, fields: Sequence[str]
    ) -> list[Row]:
        """The best passages by a field (``vector`` or ``words``), as rows of these fields and ``id``."""
        with self._plain_errors():
            hits = self._client.search(
                self.name("passages"), data=[wanted], anns_field=field, limit=min(limit, MOST_HITS),
                filter=condition, output_fields=list(fields), timeout=self.timeout,
            )[0]  # fmt: skip
        return [{"id": hit["id"], **hit["entity"]} for hit in hits]

    def compact(self, collection: str) -> None:
        """Ask Milvus to write its files anew without what was deleted."""
        with self._plain_errors():
            self._client.flush(self.name(collection), timeout=self.timeout)
            self._client.compact(self.name(collection), timeout=self.timeout)

    @contextmanager
    def _plain_errors(self) -> Iterator[None]:
        import grpc

        shown = self.address.shown
        try:
            yield
        except (grpc.RpcError, grpc.FutureTimeoutError, ConnectionError, TimeoutError) as error:
            raise self._unreachable() from error
        except ValueError as error:  # what grpc says to a channel that was closed
            raise ArticleIndexError(f"the index at {shown} is closed: {_one_line(error)}") from error
        except self._milvus.MilvusException as error:
            if _is_lost(error):
                raise self._unreachable() from error
            raise ArticleIndexError(f"Milvus at {shown} refuses: {_one_line(error)}") from error

    def _unreachable(self) -> IndexUnreachableError:
        return IndexUnreachableError(
            f"no answer from Milvus at {self.address.shown}: is it running, and reachable from here? What was "
            "committed is safe; run the same again to go on"
        )


def _is_lost(error: Exception) -> bool:
    words = f"{type(error).__name__} {error}".casefold()
    signs = (
        "unavailable",
        "deadline",
        "timeout",
        "timed out",
        "fail connecting",
        "retry run out",
        "connectexc",
    )
    return any(sign in words for sign in signs)


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__


def matches(field: str, values: Sequence[str]) -> str:
    """A filter: the field is one of some values."""
    return f"{field} in {quoted(list(values))}"
