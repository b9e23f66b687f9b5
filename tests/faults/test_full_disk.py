"""A disk, a quota or a limit that is used up in mid-write."""

from __future__ import annotations

import errno
import os
import random
import re
import subprocess
from datetime import timedelta

import pytest
from index_helpers import SETTINGS, answers, article, put, vector
from processes import PERSIST_FROM, child, live_after, tell_history

from qa import cli
from qa import exact as index_module
from qa.bm25 import BM25
from qa.dense import Dense
from qa.index import Index
from qa.pipeline import open_index
from qa.types import ArticleIndexError

# What SQLite calls a file that may not grow. A full disk it knows by name.
LIMITED = re.compile(
    r"cannot open or write .*articles\.sqlite \(.*I/O error\); .* and that the disk has room"
)
FULL = "the disk is full: what was being written is not in {0}, all else is; make room, try again"
UNWIPED = "what was to be deleted is deleted, but its bytes stay in {0} while the disk is full; "
UNWIPED += "they go at the next start"

LIMITED_WRITER = """
import resource
from processes import tell_history
from qa.types import ArticleIndexError
folder, seed, limit = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
with Index.open(folder, **SETTINGS, create=True) as index:
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    try:
        for number in tell_history(index, seed, begin=index.snapshot.generation, forget=False):
            print(number, flush=True)
    except ArticleIndexError as error:
        print(f"stopped: {error}")
"""


@pytest.fixture
def persisted(monkeypatch):
    monkeypatch.setattr(index_module, "PERSIST_FROM", PERSIST_FROM)


@pytest.fixture
def disk(tmp_path):
    """A small disk."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)]
    if os.geteuid() or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("only root may make a disk")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(disk, *, leave=0):
    """Use up the disk but for some bytes."""
    state = os.statvfs(disk)
    free = state.f_bavail * state.f_frsize - leave
    with (disk / "filler").open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, free)


def as_fresh(index, folder, seed):
    """The index has what the history gives after as many commits, whole; the number of commits."""
    commits = index.snapshot.generation
    live = live_after(seed, commits)
    with Index.open(folder, **SETTINGS, create=True) as fresh:
        with fresh.write():
            for name, text in live.items():
                put(fresh, article(name, text))
        assert answers(index) == answers(fresh)
    return commits


def until_full(index, seed):
    """Go through the history until there is an error; the number of commits done, and the error."""
    commits = 0
    try:
        for done in tell_history(index, seed, begin=0, forget=False):
            commits = done
    except ArticleIndexError as error:
        return commits, str(error)


@pytest.mark.parametrize("seed", [1, 2])
def test_a_file_that_may_not_grow(tmp_path, persisted, seed):
    """As on a disk with a quota: no error says that it is full."""
    limit = random.Random(seed).randrange(200_000, 350_000)
    with child(LIMITED_WRITER, tmp_path / "index", seed, limit) as writer:
        *printed, stopped = writer.stdout.read().splitlines()
        assert writer.wait(60) == 0
    done = int(printed[-1])
    assert LIMITED.fullmatch(stopped.removeprefix("stopped: "))
    with Index.open(tmp_path / "index", **SETTINGS) as index:
        assert as_fresh(index, tmp_path / "then", seed) == done > 2
        going_on = tell_history(index, seed, begin=done)
        assert [next(going_on) for _ in range(3)] == [done + 1, done + 2, done + 3]
        as_fresh(index, tmp_path / "later", seed)


def test_a_full_disk(disk, tmp_path, persisted):
    with Index.open(disk / "index", **SETTINGS, create=True) as index:
        fill(disk, leave=500_000)
        commits, error = until_full(index, 7)
        assert error == FULL.format(disk / "index" / "articles.sqlite")
        assert as_fresh(index, tmp_path / "then", 7) == commits > 2
        for _ in range(2):  # it stays as it is, and readable
            with pytest.raises(ArticleIndexError, match="the disk is full"):
                put(index, article("more", "word " * 2_000 + "x" * 600_000))
        with Index.open(disk / "index", **SETTINGS) as reader:
            assert answers(reader) == answers(index)
    (disk / "filler").unlink()
    with Index.open(disk / "index", **SETTINGS) as index:
        assert next(tell_history(index, 7, begin=commits)) == commits + 1
        as_fresh(index, tmp_path / "later", 7)


def test_a_disk_too_full_for_wiping(disk):
    folder = disk / "index"
    with Index.open(folder, **SETTINGS, create=True) as index:
        for name, text in ("diary", "zanzibarquux " * 60_000), ("book", "river " * 100_000):
            index.put(article(name, text), [(0, 9)], vector(name)[None])
        index._store._db._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        fill(disk, leave=300_000)  # enough to remove it, not for another copy of the rest
        with pytest.raises(ArticleIndexError) as caught:
            index.remove("diary", forget=True)
        assert str(caught.value) == UNWIPED.format(folder / "articles.sqlite")
        assert [info.article for info in index.snapshot.articles] == ["book"]
        assert b"zanzibarquux" in (folder / "articles.sqlite").read_bytes()
        with Index.open(folder, **SETTINGS) as reader:  # still no room; it opens all the same
            assert [info.article for info in reader.articles()] == ["book"]
    (disk / "filler").unlink()
    with Index.open(folder, **SETTINGS) as index:
        assert index.old_versions(timedelta(0)) == []
        for path in folder.rglob("*"):
            assert not path.is_file() or b"zanzibarquux" not in path.read_bytes(), path


def test_the_command_says_it_in_one_line_and_goes_on_later(disk, tmp_path, loaded_models, capsys):
    news = tmp_path / "news"
    news.mkdir()
    for number in range(6):
        (news / f"{number}.txt").write_text(
            f"The mill of village {number} grinds barley. " + "x" * 300_000 * (number > 3)
        )
    command = ["index", str(news), "--index", str(disk / "index")]
    with open_index(disk / "index", create=True):
        pass
    fill(disk, leave=200_000)
    capsys.readouterr()
    assert cli.main(command) == 1
    assert capsys.readouterr() == ("", f"index: {FULL.format(disk / 'index' / 'articles.sqlite')}\n")
    (disk / "filler").unlink()
    assert cli.main(command) == 0
    assert capsys.readouterr().err.startswith("6 added; the index has 6 articles, ")


@pytest.mark.parametrize("what", [(Dense, "save"), (BM25, "build")], ids=["vectors", "words"])
def test_no_room_for_what_is_made_from_the_index(tmp_path, persisted, monkeypatch, what):
    make = getattr(*what)

    def no_room(*arguments):
        if what[0] is BM25 and len(arguments) < 2:  # in memory
            return make(*arguments)
        raise OSError(errno.ENOSPC, "No space left on device")

    with Index.open(tmp_path / "index", **SETTINGS, create=True) as index:
        with monkeypatch.context() as full:
            full.setattr(*what, no_room)
            told_so_far = tell_history(index, 3, begin=0)
            for _ in range(6):
                next(told_so_far)
            as_fresh(index, tmp_path / "then", 3)
            assert list((tmp_path / "index" / "derived").iterdir()) == []
        next(told_so_far)
        as_fresh(index, tmp_path / "later", 3)
        assert [path.name for path in (tmp_path / "index" / "derived").iterdir()] == ["7"]
