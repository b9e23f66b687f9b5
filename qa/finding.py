"""Files and folders -> the files to read, and the names and ids they go by."""

from __future__ import annotations

import os
import re
import stat
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from .types import ArticleError, sha256

ID_CHARACTERS = 60
TITLE_CHARACTERS = 200
# Of the digest in an id. A table can have a hundred thousand rows of one slug ("index"), where 32 bits would not do.
_DIGITS, _MEMBER_DIGITS = 8, 16

# What the format of each suffix is called in messages; it also chooses the extractor.
KINDS = {
    ".txt": "text",
    ".text": "text",
    ".md": "Markdown",
    ".markdown": "Markdown",
    ".html": "HTML",
    ".htm": "HTML",
    ".pdf": "PDF",
    ".docx": "Word",
    ".srt": "subtitles",
    ".vtt": "subtitles",
    ".csv": "CSV",
    ".jsonl": "JSON Lines",
    ".zip": "zip",
}
MANY = frozenset({"CSV", "JSON Lines", "zip"})  # kinds of which one file holds any number of articles
SUFFIXES = frozenset(KINDS)
SUPPORTED = ", ".join(KINDS)

_LEADS_OUT = "a link that leads out of the folder"

OnSkip = Callable[[Path, str], None]


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file to read: where it lies, and the name it goes by in the index ("articles/a/b.txt")."""

    path: Path
    source: str


# --- names ----------------------------------------------------------------------------------------------------


def printable(name: str) -> str:
    """A name on one line, in NFC, without characters that steer a terminal or turn the text around."""
    name = unicodedata.normalize("NFC", name)
    return re.sub("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]", "\ufffd", name)


def one_line(words: str) -> str:
    """Words for a title or a message: printable, on one line, at most 200 characters."""
    return " ".join(printable(" ".join(words.split())).split())[:TITLE_CHARACTERS].strip()


def stem(source: str) -> str:
    """The last part of a source without the suffix of a format."""
    name = source.rstrip("/").rpartition("/")[2]
    base, suffix = os.path.splitext(name)
    return base if suffix.lower() in SUFFIXES else name


def kind(name: str) -> str:
    """What the format of a file of that name is called; empty if it is not supported."""
    return KINDS.get(os.path.splitext(name)[1].lower(), "")


def article_id(source: str, *, member: bool = False) -> str:
    """A stable, readable id: "seeds/Le Monde.txt" -> "Le-Monde-1a2b3c4d", in letters, digits, ``_ . -`` only.

    :param member: whether it is one of many articles of one file; their ids are longer.
    """
    source = printable(source)
    slug = re.sub(r"[^\w.-]+", "-", stem(source))[:ID_CHARACTERS].strip("-.")
    return f"{slug or 'article'}-{sha256(source)[: _MEMBER_DIGITS if member else _DIGITS]}"


# --- finding files --------------------------------------------------------------------------------------------


def find_files(paths: Iterable[str | Path], on_skip: OnSkip | None = None) -> Iterator[FoundFile]:
    """All files of a supported kind under some files and folders, sorted, each file once.

    A file's source begins with the name of the folder given, or of the one it lies in: the same either way. Hidden
    files and folders, other kinds of file, links that lead out of their folder, what cannot be looked into, and a
    second file by the same source are passed over; ``on_skip`` is told each such path and why. A folder without any
    yields nothing.

    :raises ArticleError: if a path does not exist or cannot be looked into, or is a file of another kind.
    """
    told = on_skip or (lambda path, why: None)
    seen: set[Path] = set()
    taken: dict[str, Path] = {}
    for given in paths:
        path = Path(os.path.abspath(os.path.expanduser(given)))
        for found in _find(path, told):
            if found.path in seen:
                continue
            seen.add(found.path)
            other = taken.setdefault(found.source, found.path)
            if other == found.path:
                yield found
            else:
                same = f"would go by the same name as {printable(str(other))}"
                told(found.path, f"{same}; index a folder above both")


def _find(path: Path, told: OnSkip) -> Iterator[FoundFile]:
    shown = printable(str(path))
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            os.scandir(path).close()  # a folder that was named must open; one inside it may not
    except (FileNotFoundError, NotADirectoryError, ValueError):  # ValueError: a NUL in the path
        raise ArticleError(f"no such file or folder: {shown}; check the spelling") from None
    except OSError as error:  # permission, a loop of links, a name too long
        raise ArticleError(f"{shown} cannot be opened: {reason(error)}") from None
    if stat.S_ISDIR(mode):
        yield from _walk(path, told)
        return
    if not stat.S_ISREG(mode):
        raise ArticleError(f"{shown} is neither a file nor a folder")
    if path.suffix.lower() not in SUFFIXES:
        raise ArticleError(f"{shown} is of no supported kind; supported are {SUPPORTED}")
    yield FoundFile(path, printable(f"{path.parent.name}/{path.name}".lstrip("/")))


def _walk(root: Path, told: OnSkip) -> Iterator[FoundFile]:
    found: list[FoundFile] = []
    for folder, folders, files in os.walk(root, onerror=lambda e: told(Path(e.filename), reason(e))):
        here = Path(folder)
        kept = []
        for name in folders:
            path = here / name
            if name.startswith("."):
                told(path, "hidden")
            elif path.is_symlink():
                inside = path.resolve().is_relative_to(root.resolve())
                told(path, "a link to a folder that is read anyway" if inside else _LEADS_OUT)
            else:
                kept.append(name)
        folders[:] = kept
        for name in files:
            path = here / name
            if why := _why_not(path, root):
                told(path, why)
            else:
                source = f"{root.name}/{path.relative_to(root).as_posix()}".lstrip("/")
                found.append(FoundFile(path, printable(source)))
    yield from sorted(found, key=lambda file: file.source)


def _why_not(path: Path, root: Path) -> str:
    """Why a file inside a folder is passed over; empty if it is not."""
    if path.name.startswith("."):
        return "hidden"
    if path.suffix.lower() not in SUFFIXES:
        return f"not one of {SUPPORTED}"
    try:
        if path.is_symlink():
            target = path.resolve(strict=True)
            if not target.is_relative_to(root.resolve()):
                return _LEADS_OUT
            inside = target.relative_to(root.resolve())
            if target.suffix.lower() in SUFFIXES and not any(part.startswith(".") for part in inside.parts):
                return "a link to a file that is read anyway"
        return "" if path.is_file() else "not a regular file"
    except PermissionError as error:
        return reason(error)
    except (OSError, RuntimeError):  # RuntimeError: a loop of links, before Python 3.13
        return "a link that leads nowhere"


def complaint(error: Exception) -> str:
    """What a parser had against a file, in a few words."""
    return one_line(str(error))[:100] or type(error).__name__


def reason(error: OSError) -> str:
    """Why something cannot be opened, in a few words."""
    if isinstance(error, PermissionError):
        return "permission denied; check who may read it"
    return (error.strerror or type(error).__name__).lower()
