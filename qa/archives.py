"""Zip archives -> the bytes of what is in them. Nothing is ever unpacked to the disk; names are only names."""

from __future__ import annotations

import io
import os
import re
import stat
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO

from .extract import Unreadable
from .finding import complaint, kind, printable

ENTRIES = 100_000
UNPACKED_BYTES = 2_000_000_000  # of all entries that are read; they are read one after the other
RATIO = 200  # text packs 3:1 to 20:1
RATIO_FROM_BYTES = 10_000_000
_DIRECTORY_BYTES = 32_000_000  # the list of entries, which Python reads whole
_PIECE = 1 << 20

_UNPACK = "unpack it and index the folder"


@dataclass(frozen=True, slots=True)
class Entry:
    """A file in an archive: its name, without anything that climbs or cannot be printed, and its directory entry."""

    name: str
    info: zipfile.ZipInfo


class Archive:
    """The files of supported kinds in an archive, in its order, and the names of the others."""

    def __init__(self, unzipped: zipfile.ZipFile) -> None:
        self._zip = unzipped
        self.entries: list[Entry] = []
        self.others: list[str] = []
        for info in unzipped.infolist():
            # Some programs write backslashes. A part ".." can mean nothing where nothing is unpacked.
            parts = [part for part in re.split(r"[\\/]+", info.filename) if part not in ("", ".", "..")]
            if (
                info.is_dir()
                or not parts
                or any(part.startswith(".") or part == "__MACOSX" for part in parts)
            ):
                continue
            name = printable("/".join(parts))
            if kind(name):
                self.entries.append(Entry(name, info))
            else:
                self.others.append(name)

    def read(self, entry: Entry, limit: int) -> bytes:
        """The bytes of a file.

        :raises Unreadable: if it is larger than ``limit``, packed suspiciously well or in a rare way, protected by a
            password, a link, an archive, or damaged.
        """
        info = entry.info
        if stat.S_ISLNK(info.external_attr >> 16):
            raise Unreadable("is a link, which is not followed; pack the file itself")
        if kind(entry.name) == "zip":
            raise Unreadable("is an archive within an archive; unpack that one first")
        if info.flag_bits & 1:
            raise Unreadable("is protected by a password; pack it without one")
        # Python unpacks other methods in pieces of any size, whatever size is declared.
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise Unreadable("is packed by another method than deflate; pack it anew")
        if info.file_size > limit:
            raise Unreadable(f"is larger than {limit // 1_000_000} MB; split it into parts")
        if info.file_size > RATIO_FROM_BYTES and info.file_size > RATIO * info.compress_size:
            raise Unreadable(f"unpacks to more than {RATIO} times its size, which no text does; {_UNPACK}")
        try:
            with self._zip.open(info) as file:
                # No more than the declared size is read, and then the checksum has to be right.
                return b"".join(iter(lambda: file.read(_PIECE), b""))
        except Exception as error:
            raise Unreadable(f"cannot be unpacked ({complaint(error)}); pack it anew") from error


class _Guarded(io.BufferedReader):
    """A file of which Python's zip reader cannot read a directory of any size into the memory."""

    def read(self, size: int | None = -1, /) -> bytes:
        if size is not None and size > _DIRECTORY_BYTES:
            raise Unreadable(f"has too long a list of entries; {_UNPACK}")
        return super().read(size)


@contextmanager
def open_archive(path: str | os.PathLike[str]) -> Iterator[Archive]:
    """Open a zip archive for as long as its files are read.

    :raises Unreadable: if it is damaged or none, has too many entries, or unpacks to too much.
    :raises OSError: if the file cannot be opened.
    """
    with io.FileIO(path) as raw, _Guarded(raw) as file:
        archive = _listed(file)
        if (count := len(archive.entries) + len(archive.others)) > ENTRIES:
            raise Unreadable(f"has {count:,} files, more than {ENTRIES:,}; {_UNPACK}")
        if (size := sum(entry.info.file_size for entry in archive.entries)) > UNPACKED_BYTES:
            raise Unreadable(
                f"unpacks to {size / 1e6:,.0f} MB, more than {UNPACKED_BYTES / 1e6:,.0f}; {_UNPACK}"
            )
        yield archive


def _listed(file: BinaryIO) -> Archive:
    try:
        return Archive(zipfile.ZipFile(file))
    except Unreadable:
        raise
    except Exception as error:  # zipfile raises half a dozen kinds
        raise Unreadable(f"is not a readable zip file ({complaint(error)}); pack it anew") from error
