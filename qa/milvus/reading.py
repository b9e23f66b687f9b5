"""What is read of an index in Milvus: articles, texts, passages, counts of words, and which commit is the newest."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Generic, TypeVar

from qa.milvus.connection import Connection, matches
from qa.milvus.counts import Counts
from qa.milvus.rows import FIELDS, PASSAGE, PassageRow, Record, joined, key_of
from qa.rows import Stamp
from qa.types import ArticleIndexError, NotFoundError, sha256

SLOTS = 64  # of the newest generation: writers do not wait for one another
_GENERATION = [f"g:{slot:02}" for slot in range(SLOTS)]
_TRIES = 5  # at a value that is being written anew while it is read

K = TypeVar("K")
V = TypeVar("V")


class Recent(Generic[K, V]):
    """The values asked for last, fetched many at a time. Usable from any thread.

    :param fetch: gives those of some keys that there are.
    """

    def __init__(self, size: int, fetch: Callable[[list[K]], dict[K, V]]) -> None:
        self._size, self._fetch = size, fetch
        self._known: OrderedDict[K, V] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, keys: Iterable[K]) -> dict[K, V]:
        """The values of these keys, without those that there are none of."""
        wanted = list(dict.fromkeys(keys))
        with self._lock:
            found = {key: self._known[key] for key in wanted if key in self._known}
        missing = [key for key in wanted if key not in found]
        if missing:
            found |= self._fetch(missing)
        self.keep(found)
        return found

    def keep(self, values: dict[K, V]) -> None:
        """Remember values that came by another way."""
        with self._lock:
            for key, value in values.items():
                self._known[key] = value
                self._known.move_to_end(key)
            while len(self._known) > self._size:
                self._known.popitem(last=False)

    def clear(self) -> None:
        """Forget it all."""
        with self._lock:
            self._known.clear()


class Reading:
    """Reads one index. What never changes (texts, passages, a commit's counts) is remembered for a while."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._texts: Recent[str, str] = Recent(256, self._fetch_texts)
        self.passages: Recent[int, PassageRow] = Recent(2048, self._fetch_passages)
        self._commits: dict[str, Counts] = {}
        self._lock = threading.Lock()
        self._searched = False

    def searchable(self) -> bool:
        """Whether there are passages to search, or there were once."""
        if not self._searched and self.connection.has("passages"):
            self.connection.load("passages")
            self._searched = True
        return self._searched

    def forget(self) -> None:
        """Drop what is remembered of texts."""
        self._texts.clear()
        self.passages.clear()

    # ---- values of any length

    def values(self, collection: str, ids: Sequence[str]) -> dict[str, tuple[str, str]]:
        """Kind and value of each id that there is.

        :raises ArticleIndexError: if pieces of one are missing.
        """
        found: dict[str, tuple[str, str]] = {}
        wanted = list(ids)
        for _ in range(_TRIES):
            rows = self.connection.get(collection, [f"{id_}:0" for id_ in wanted], FIELDS)
            first = {row["id"][:-2]: row for row in rows}
            more = [f"{id_}:{i}" for id_, row in first.items() for i in range(1, row["n"])]
            rest: dict[str, list[dict[str, object]]] = {}
            for row in self.connection.get(collection, more, FIELDS) if more else []:
                rest.setdefault(row["id"].rpartition(":")[0], []).append(row)
            wanted = []
            for id_, row in first.items():
                value = joined([row, *rest.get(id_, [])])
                if value is None:
                    wanted.append(id_)
                else:
                    found[id_] = (row["kind"], value)
            if not wanted:
                return found
        raise ArticleIndexError(
            f"the index at {self.connection.address.shown} lacks a part of {wanted[0]}; index its articles again"
        )

    # ---- articles

    def records(self, keys: Iterable[str]) -> dict[str, Record]:
        """The articles of these keys, removed ones too, as they are now."""
        found = self.values("records", [f"a:{key}" for key in keys])
        return {id_[2:]: Record.from_json(value) for id_, (_, value) in found.items()}

    def record(self, article: str) -> Record | None:
        """An article, if it is or was there."""
        try:
            key = key_of(article)
        except UnicodeEncodeError:  # a half of a character, in what a question was restricted to
            return None
        return self.records([key]).get(key)

    def all_records(self, *, removed: bool = False) -> Iterator[Record]:
        """All articles, sorted by id.

        :param removed: also those that are searched no more.
        """
        kinds = ["article", "more", *(["gone"] if removed else [])]
        groups: dict[str, list[dict[str, object]]] = {}
        for row in self.connection.find("records", matches("kind", kinds), FIELDS):
            groups.setdefault(row["id"].rpartition(":")[0], []).append(row)
        found: list[Record] = []
        torn: list[str] = []
        for id_, rows in groups.items():
            if all(row["kind"] == "more" for row in rows):
                continue  # of an article that is gone, or was longer before
            value = joined([row for row in rows if row["tag"] == rows[0]["tag"]])
            if value is None:
                torn.append(id_)
            else:
                found.append(Record.from_json(value))
        found += (
            [Record.from_json(value) for _, value in self.values("records", torn).values()] if torn else []
        )
        return iter(sorted(found, key=lambda record: record.article))

    # ---- texts

    def text_of(self, version: str) -> str:
        """The text of that sha256.

        :raises NotFoundError: if it is not stored, or was forgotten.
        :raises ArticleIndexError: if the stored text is not the one its name promises.
        """
        found = self._texts.take([version])
        if version not in found:
            raise NotFoundError(f"no text {version[:12]} in the index; it may have been removed for good")
        return found[version]

    def load_texts(self, versions: Iterable[str]) -> None:
        """Fetch texts at once that will be asked for one by one."""
        self._texts.take(versions)

    def _fetch_texts(self, versions: list[str]) -> dict[str, str]:
        found = self.values("texts", [f"t:{version}" for version in versions])
        texts = {id_[2:]: value for id_, (_, value) in found.items()}
        for version, text in texts.items():
            if sha256(text) != version:
                raise ArticleIndexError(
                    f"the index at {self.connection.address.shown} is damaged: text {version[:12]} was altered; "
                    "index its article again under another NAME"
                )
        return texts

    # ---- passages

    def _fetch_passages(self, ids: list[int]) -> dict[int, PassageRow]:
        rows = self.connection.get("passages", ids, PASSAGE)
        return {int(row["id"]): PassageRow.from_row(row) for row in rows}

    def passages_of(
        self, field: str, values: Sequence[str], fields: Sequence[str] = PASSAGE
    ) -> Iterator[PassageRow]:
        """The passages whose article, or edition, is one of these; in no order."""
        empty = {"vector": (), "terms": "", "edition": "", "start": 0, "stop": 0, "article": ""}
        if values and self.searchable():
            for row in self.connection.find("passages", matches(field, values), fields):
                yield PassageRow.from_row(empty | row)

    # ---- commits

    def stamp(self, made: str) -> Stamp:
        """Which commit is the newest.

        :param made: what no other index has in common with this one.
        """
        slots = {row["id"]: row for row in self.connection.get("records", _GENERATION, FIELDS)}
        tokens = [slots[id_]["body"] for id_ in _GENERATION if id_ in slots]
        generation = max((int(row["n"]) for row in slots.values()), default=0)
        return Stamp(generation, sha256("".join([made, *tokens])))

    def counts(self) -> Counts:
        """Of the whole index: the sum of what its commits changed."""
        with self._lock:
            for _ in range(_TRIES):
                rows = self.connection.find("records", matches("kind", ["done", "clean"]), ("id",))
                tokens = [row["id"][2:] for row in rows]
                missing = [token for token in tokens if token not in self._commits]
                values = self.values("texts", [f"s:{token}" for token in missing])
                known = self._commits | {
                    id_[2:]: Counts.from_text(value) for id_, (_, value) in values.items()
                }
                if len(values) == len(missing):
                    self._commits = {token: known[token] for token in tokens}
                    return Counts.sum(self._commits.values())
                # else a writer made several of them one, just now
        raise ArticleIndexError(
            f"the index at {self.connection.address.shown} lacks its counts of words; "
            "index its articles again under another NAME"
        )
