"""``kill -9`` at any moment of a writer's life."""

from __future__ import annotations

import random
import re
import time

import apsw
import pytest
from index_helpers import SETTINGS, answers, article, put
from processes import PERSIST_FROM, child, live_after, told

from qa import exact as index_module
from qa.index import Index

WRITER = """
import time
from processes import tell_history
folder, seed, pause = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
print("begun", flush=True)
with Index.open(folder, **SETTINGS, create=True) as index:
    for number in tell_history(index, seed, begin=index.snapshot.generation, collect_every=5):
        print(number, flush=True)
        time.sleep(pause)
"""


@pytest.fixture
def persisted(monkeypatch):
    monkeypatch.setattr(index_module, "PERSIST_FROM", PERSIST_FROM)


def check(folder, fresh, seed, acknowledged):
    """What is committed is whole, and is one of the two states that it may be; the number of its commits."""
    with Index.open(folder, **SETTINGS, create=True) as index:
        commits = index.snapshot.generation
        assert commits in (acknowledged, acknowledged + 1)
        live = live_after(seed, commits)
        assert {info.article: index.text(info.article) for info in index.articles()} == live
        with Index.open(fresh, **SETTINGS, create=True) as again:
            with again.write():
                for name, text in live.items():
                    put(again, article(name, text))
            assert answers(index) == answers(again)
        made = [path.name for path in (folder / "derived").glob("*") if path.name.isdecimal()]
        assert made == ([str(commits)] if len(index.snapshot) >= PERSIST_FROM else [])
    check_bytes(folder)
    return commits


def check_bytes(folder):
    """What was forgotten or collected is in no file, though the process was killed before or while wiping it."""
    connection = apsw.Connection(str(folder / "articles.sqlite"))
    kept = connection.execute("SELECT text FROM texts").fetchall()
    assert not connection.execute("SELECT count(*) FROM meta WHERE key = 'scrub'").get
    connection.close()
    on_disk = b"".join(path.read_bytes() for path in folder.glob("*") if path.is_file())
    found = set(re.findall(rb"secret\d{5}x\d", on_disk))
    assert found == {text.split(" ", 1)[0].encode() for (text,) in kept}


def kill_often(writer, folder, seed, kills, *, pause, check):
    """Kill a writer so often, each time at a moment within ``pause`` seconds; the number of its commits."""
    rng, commits = random.Random(seed), 0
    for kill in range(kills):
        with child(writer, folder / "index", seed, rng.choice([0, 0, 0.05])) as process:
            assert told(process) == "begun"
            first = rng.random() < 0.7 and told(process)  # else while it opens
            time.sleep(rng.uniform(0, pause))
            process.kill()
            printed = [first, *process.stdout.read().split("\n")[:-1]]  # the last line may be cut off
        commits = check(folder / "index", folder / f"fresh{kill}", seed, int(printed[-1] or commits))
    return commits


@pytest.mark.parametrize("seed", [1, 2])
def test_a_writer_killed_at_any_moment(tmp_path, persisted, seed):
    assert kill_often(WRITER, tmp_path, seed, 6, pause=0.15, check=check) > 6


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10, 13))
def test_a_writer_killed_many_times(tmp_path, persisted, seed):
    assert kill_often(WRITER, tmp_path, seed, 40, pause=0.15, check=check) > 40
