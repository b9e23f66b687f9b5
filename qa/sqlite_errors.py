"""SQLite's errors as the program's own, one line each, which a person can act on."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import apsw

from qa.types import ArticleIndexError, IndexBusyError


def index_command(folder: Path) -> str:
    """The shell command that makes the index in ``folder``."""
    return f"python -m qa index --index {shlex.quote(str(folder))}"


def busy(folder: Path, wait: float) -> IndexBusyError:
    """What to say when another writer did not finish within ``wait`` seconds."""
    return IndexBusyError(
        f"the index at {folder} is being written by another process or thread "
        f"(waited {wait:g} s); try again later"
    )


@contextmanager
def plain_errors(path: Path, wait: float) -> Iterator[None]:
    """Turn SQLite's errors with the file at ``path`` into the program's own.

    :param wait: how many seconds other writers were waited for.
    """
    folder = path.parent
    try:
        yield
    except (apsw.BusyError, apsw.LockedError) as error:
        raise busy(folder, wait) from error
    except (apsw.NotADBError, apsw.CorruptError, apsw.FormatError) as error:
        raise ArticleIndexError(
            f"{path} is damaged, or not an index ({error}); move it away and make it anew: "
            f"{index_command(folder)}"
        ) from error
    except apsw.FullError as error:
        raise ArticleIndexError(
            f"the disk is full: what was being written is not in {path}, all else is; make room, try again"
        ) from error
    except (apsw.ReadOnlyError, apsw.CantOpenError, apsw.IOError, apsw.PermissionsError) as error:
        raise ArticleIndexError(
            f"cannot open or write {path} ({error}); check its permissions, and that the disk has room"
        ) from error
    except apsw.ConnectionClosedError as error:
        raise ArticleIndexError(f"the index at {folder} is closed") from error
    except apsw.SQLError as error:
        raise ArticleIndexError(f"{path} lacks what an index has ({error}); move it away") from error
