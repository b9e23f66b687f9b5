"""Folders that hold what was made from a commit: whole or absent, and never used for another commit.

``<index>/derived/<generation>/`` is written beside its place and renamed into it, so a kill leaves nothing or all of
it. ``stamp.json`` in it names the commit, what made it, and each file's size and checksum; whatever does not agree is
as good as missing, for all of it can be made again.
"""

from __future__ import annotations

import json
import secrets
import shutil
import time
import zlib
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

STAMP = "stamp.json"
_UNFINISHED = "tmp-"
_ABANDONED = 3600  # seconds after which an unfinished folder is nobody's


def find(
    root: Path, name: int | str, identity: Mapping[str, Any], unread: Collection[str] = ()
) -> Path | None:
    """The whole and undamaged folder of a commit, or None.

    :param name: the commit's generation, or another name that the folder was published by.
    :param identity: must equal what it was published with.
    :param unread: files too large to be read for their checksums each time: their sizes must do.
    """
    folder = root / str(name)
    try:
        stamp = json.loads((folder / STAMP).read_bytes())
        if stamp == {"identity": dict(identity), "files": _checksums(folder, unread)}:
            return folder
    except (OSError, ValueError):
        pass
    return None


def publish(
    root: Path, name: int | str, identity: Mapping[str, Any], fill: Callable[[Path], None],
    unread: Collection[str] = (),
) -> Path | None:  # fmt: skip
    """Make the folder of a commit; older ones are deleted, if it is named by its generation.

    The other parameters are those of ``find``.

    :param fill: writes the files into the empty folder it is given.
    :return: the folder, or None where it cannot be written: a read-only or full disk is no reason not to answer.
    """
    unfinished = root / f"{_UNFINISHED}{secrets.token_hex(8)}"
    folder = root / str(name)
    try:
        unfinished.mkdir(parents=True)
        fill(unfinished)
        stamp = {"identity": dict(identity), "files": _checksums(unfinished, unread)}
        (unfinished / STAMP).write_text(json.dumps(stamp), encoding="utf-8")
        if find(root, name, identity, unread) is None:
            shutil.rmtree(folder, ignore_errors=True)
            unfinished.rename(folder)
    except OSError:
        # Another process may have put the same folder there in this very moment.
        return find(root, name, identity, unread)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
        if isinstance(name, int):
            clear(root, keep=name)  # on a full disk, too: there may be room the next time
    return folder


def clear(root: Path, *, keep: int) -> None:
    """Delete the folders of commits before ``keep``, and unfinished ones that are abandoned."""
    _delete(root, lambda name: name.isdecimal() and int(name) < keep)


def clear_named(root: Path, prefix: str, *, keep: str | None) -> None:
    """Delete the folders whose names begin so, but for one, and unfinished ones that are abandoned."""
    _delete(root, lambda name: name.startswith(prefix) and name != keep)


def _delete(root: Path, old: Callable[[str], bool]) -> None:
    try:
        for folder in list(root.iterdir()):
            unfinished = folder.name.startswith(_UNFINISHED)
            if (unfinished and time.time() - folder.stat().st_mtime > _ABANDONED) or old(folder.name):
                shutil.rmtree(folder, ignore_errors=True)
    except OSError:  # none there, or another process is clearing too
        return


def _checksums(folder: Path, unread: Collection[str] = ()) -> dict[str, list[int]]:
    """Size and crc32 of every file but the stamp, by its name in the folder; of those ``unread`` only the size.

    Locks are left out: they are empty, and opening an index may make them.
    """
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.name != STAMP and path.suffix != ".lock":
            name = path.relative_to(folder).as_posix()
            found[name] = [path.stat().st_size] if name in unread else _sum(path)
    return found


def _sum(path: Path) -> list[int]:
    size = crc = 0
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            size, crc = size + len(block), zlib.crc32(block, crc)
    return [size, crc]
