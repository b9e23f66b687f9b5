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
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

STAMP = "stamp.json"
_UNFINISHED = "tmp-"
_ABANDONED = 3600  # seconds after which an unfinished folder is nobody's


def find(root: Path, generation: int, identity: Mapping[str, Any]) -> Path | None:
    """The whole and undamaged folder of a commit, or None.

    :param identity: must equal what it was published with.
    """
    folder = root / str(generation)
    try:
        stamp = json.loads((folder / STAMP).read_bytes())
        if stamp == {"identity": dict(identity), "files": _checksums(folder)}:
            return folder
    except (OSError, ValueError):
        pass
    return None


def publish(
    root: Path, generation: int, identity: Mapping[str, Any], fill: Callable[[Path], None]
) -> Path | None:
    """Make the folder of a commit; older ones are deleted.

    :param fill: writes the files into the empty folder it is given.
    :return: the folder, or None where it cannot be written: a read-only or full disk is no reason not to answer.
    """
    unfinished = root / f"{_UNFINISHED}{secrets.token_hex(8)}"
    folder = root / str(generation)
    try:
        unfinished.mkdir(parents=True)
        fill(unfinished)
        stamp = {"identity": dict(identity), "files": _checksums(unfinished)}
        (unfinished / STAMP).write_text(json.dumps(stamp), encoding="utf-8")
        if find(root, generation, identity) is None:
            shutil.rmtree(folder, ignore_errors=True)
            unfinished.rename(folder)
    except OSError:
        # Another process may have put the same folder there in this very moment.
        return find(root, generation, identity)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    clear(root, keep=generation)
    return folder


def clear(root: Path, *, keep: int) -> None:
    """Delete the folders of commits before ``keep``, and unfinished ones that are abandoned."""
    try:
        for folder in list(root.iterdir()):
            if folder.name.startswith(_UNFINISHED):
                old = time.time() - folder.stat().st_mtime > _ABANDONED
            else:
                old = folder.name.isdecimal() and int(folder.name) < keep
            if old:
                shutil.rmtree(folder, ignore_errors=True)
    except OSError:  # none there, or another process is clearing too
        return


def _checksums(folder: Path) -> dict[str, list[int]]:
    """Size and crc32 of every file but the stamp, by its name in the folder.

    Locks are left out: they are empty, and opening an index may make them.
    """
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.name != STAMP and path.suffix != ".lock":
            size = crc = 0
            with path.open("rb") as file:
                while block := file.read(1 << 20):
                    size, crc = size + len(block), zlib.crc32(block, crc)
            found[path.relative_to(folder).as_posix()] = [size, crc]
    return found
