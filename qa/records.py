"""Byte strings in files, read where they lie: as many as one likes, without reading any when they are opened."""

from __future__ import annotations

import mmap
from bisect import bisect_left
from collections.abc import Sequence
from pathlib import Path
from typing import overload

import numpy as np
from numpy.typing import NDArray


class RecordWriter:
    """Writes ``<name>.bin``, the records one after the other, and ``<name>.npy``, where each begins."""

    def __init__(self, folder: Path, name: str) -> None:
        self._path = folder / name
        self._file = self._path.with_suffix(".bin").open("wb")
        self._bounds = [0]

    def add(self, record: bytes) -> None:
        """Append a record."""
        self._file.write(record)
        self._bounds.append(self._bounds[-1] + len(record))

    def close(self) -> None:
        """Close the file, finished or not."""
        self._file.close()

    def finish(self) -> None:
        """Write the rest.

        :raises OSError: if it cannot be written.
        """
        self._file.close()
        np.save(self._path.with_suffix(".npy"), np.array(self._bounds, np.int64))


class Records(Sequence[bytes]):
    """What a ``RecordWriter`` wrote, mapped into memory.

    :raises OSError: if it cannot be read.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self._bounds = load_array(folder / f"{name}.npy")
        with (folder / f"{name}.bin").open("rb") as file:
            empty = len(self._bounds) < 2 or not self._bounds[-1]
            self._bytes = b"" if empty else mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)

    def __len__(self) -> int:
        return len(self._bounds) - 1

    @overload
    def __getitem__(self, i: int) -> bytes: ...
    @overload
    def __getitem__(self, i: slice) -> list[bytes]: ...
    def __getitem__(self, i: int | slice) -> bytes | list[bytes]:
        if isinstance(i, slice):
            return [self[j] for j in range(*i.indices(len(self)))]
        return self._bytes[int(self._bounds[i]) : int(self._bounds[i + 1])]

    def find(self, record: bytes) -> int | None:
        """Where a record is, if they are sorted and it is there."""
        at = bisect_left(self, record)
        return at if at < len(self) and self[at] == record else None


def load_array(path: Path) -> NDArray[np.int64]:
    """What ``np.save`` wrote, mapped into memory.

    :raises OSError: if it cannot be read.
    """
    try:
        array: NDArray[np.int64] = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise OSError(f"cannot read {path}: {error}") from error
    return array
