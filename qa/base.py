"""The tables of a sealed base: articles, passages and edges of one commit, in files that are read where they lie.

Opening them reads nothing an article; a question touches a few pages of each. Rows number the passages in (article,
start, end) order, articles are numbered in the order of their ids.
"""

from __future__ import annotations

import json
from bisect import bisect_left
from contextlib import closing
from pathlib import Path
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from qa.edges import SIDES, Side
from qa.reading import Record, Walk
from qa.records import Records, RecordWriter, load_array
from qa.rows import StoredArticle, to_stored
from qa.types import Range

_IDS, _INFOS, _FIRST, _STARTS, _ENDS = "ids", "infos", "first.npy", "starts.npy", "ends.npy"


class BaseWriter:
    """Writes the tables of a base into a folder, from all records of a walk in their order; used in a ``with``.

    :raises OSError: where it cannot be written; so do the methods.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ids, self._infos = RecordWriter(folder, _IDS), RecordWriter(folder, _INFOS)
        self._first: list[int] = [0]
        self._starts: list[NDArray[np.int64]] = []
        self._ends: list[NDArray[np.int64]] = []

    def __enter__(self) -> BaseWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ids.close()
        self._infos.close()

    def add(self, record: Record) -> None:
        """The next article."""
        self._ids.add(record.info[0].encode())
        self._infos.add(json.dumps(record.info, ensure_ascii=False).encode())
        self._first.append(self._first[-1] + len(record.passages))
        self._starts.append(np.array([start for start, _, _ in record.passages], np.int64))
        self._ends.append(np.array([end for _, end, _ in record.passages], np.int64))

    def finish(self, walk: Walk) -> None:
        """Write the rest: the edges, sorted by their words."""
        self._ids.finish()
        self._infos.finish()
        np.save(self._folder / _FIRST, np.array(self._first, np.int64))
        np.save(self._folder / _STARTS, np.concatenate([np.empty(0, np.int64), *self._starts]))
        np.save(self._folder / _ENDS, np.concatenate([np.empty(0, np.int64), *self._ends]))
        ids = Records(self._folder, _IDS)
        for side in SIDES:
            owners = []
            with closing(RecordWriter(self._folder, side)) as words:
                for joined, article in walk.edges(side):
                    owner = ids.find(article.encode())
                    assert owner is not None
                    words.add(joined.encode())
                    owners.append(owner)
                words.finish()
            np.save(self._folder / f"{side}-owners.npy", np.array(owners, np.int64))


class Base:
    """What a ``BaseWriter`` wrote.

    :raises OSError: if it cannot be read.
    """

    def __init__(self, folder: Path) -> None:
        self.ids = Records(folder, _IDS)
        self._infos = Records(folder, _INFOS)
        self.first = load_array(folder / _FIRST)  # (articles + 1,) the first row of each
        self._starts, self._ends = load_array(folder / _STARTS), load_array(folder / _ENDS)
        self._words = {side: Records(folder, side) for side in SIDES}
        self.owners = {side: load_array(folder / f"{side}-owners.npy") for side in SIDES}
        if not len(self.ids) == len(self._infos) == len(self.first) - 1 or not len(self) == len(self._ends):
            raise OSError(f"the tables in {folder} do not fit each other")

    def __len__(self) -> int:
        """How many rows there are."""
        return len(self._starts)

    def number(self, article: str) -> int | None:
        """An article's number, if it is there."""
        try:
            return self.ids.find(article.encode())
        except UnicodeEncodeError:  # a half of a character, in what a question was restricted to
            return None

    def rows(self, number: int) -> Range:
        """The rows of an article."""
        return int(self.first[number]), int(self.first[number + 1])

    def owner(self, row: int) -> int:
        """The number of the article whose passage a row is."""
        return int(np.searchsorted(self.first, row, "right")) - 1

    def stored(self, number: int) -> StoredArticle:
        """What is known about an article."""
        return to_stored(json.loads(self._infos[number]))

    def place(self, row: int) -> Range:
        """From where to where in its article a passage goes."""
        return int(self._starts[row]), int(self._ends[row])

    def sharing(self, side: Side, run: str) -> Range:
        """Who have a run: a stretch of ``owners[side]``; see ``edges.Listing``."""
        words = self._words[side]
        return bisect_left(words, run.encode()), bisect_left(words, f"{run}!".encode())
