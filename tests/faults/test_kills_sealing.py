"""``kill -9`` at any moment of a writer whose index is so large that it is sealed; and damage by chance."""

from __future__ import annotations

import pytest
from index_helpers import SETTINGS, article, put
from processes import child, live_after, told
from sealed_helpers import assert_same, bases, fresh, learned, make_large
from test_kills import check_bytes, kill_often

from qa.index import Index

# Bases are made all the time: after every few commits, and after each forgetting.
WRITER = """
import time
from processes import tell_history
from qa import sealing
sealing.SEAL_FROM, sealing.DELTA_MOST, sealing.DELTA_FAR = 8, 6, 20
folder, seed, pause = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
print("begun", flush=True)
with Index.open(folder, **SETTINGS, create=True) as index:
    for number in tell_history(index, seed, begin=index.snapshot.generation, collect_every=7):
        print(number, flush=True)
        time.sleep(pause)
"""


@pytest.fixture(autouse=True)
def large(monkeypatch):
    make_large(monkeypatch, seal_from=8, delta_most=6)


def check(folder, empty, seed, acknowledged):
    """What is committed is whole, and is one of the two states that it may be; the number of its commits."""
    with Index.open(folder, **SETTINGS, create=True) as index:
        commits = index.snapshot.generation
        assert commits in (acknowledged, acknowledged + 1)
        live = live_after(seed, commits)
        assert {info.article: index.text(info.article) for info in index.articles()} == live
        assert_same(learned(index), fresh(empty, live))
        assert len(bases(folder)) <= 1
    check_bytes(folder)
    return commits


def test_a_writer_killed_at_any_moment(tmp_path):
    assert kill_often(WRITER, tmp_path, 5, 5, pause=0.3, check=check) > 5


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(20, 23))
def test_a_writer_killed_many_times(tmp_path, seed):
    assert kill_often(WRITER, tmp_path, seed, 30, pause=0.3, check=check) > 30


SEALER = """
from qa import sealing
from qa.sealed_dense import SealedDense
sealing.SEAL_FROM = 8
stage = sys.argv[2]
if stage == "vectors":
    SealedDense.build = staticmethod(lambda *a: (print("now", flush=True), sys.stdin.readline()))
elif stage == "published":
    from qa.store import Store
    Store.seal = lambda *a: (print("now", flush=True), sys.stdin.readline())
elif stage == "named":
    from qa import derived
    derived.clear_named = lambda *a, **n: (print("now", flush=True), sys.stdin.readline())
Index.open(sys.argv[1], **SETTINGS)
"""


@pytest.mark.parametrize("stage", ["vectors", "published", "named"])
def test_killed_in_the_midst_of_sealing(tmp_path, monkeypatch, stage):
    texts = {f"a{n}": f"mill{n} river sea bridge town " * (3 + n) for n in range(9)}
    make_large(monkeypatch, seal_from=10**9)
    with Index.open(tmp_path / "index", **SETTINGS, create=True) as index, index.write():
        for name, text in texts.items():
            put(index, article(name, text))
    with child(SEALER, tmp_path / "index", stage) as sealer:
        assert told(sealer) == "now"
        sealer.kill()
    make_large(monkeypatch, seal_from=8)
    with Index.open(tmp_path / "index", **SETTINGS) as index:
        assert_same(learned(index), fresh(tmp_path / "fresh", texts))
    assert len(bases(tmp_path / "index")) == 1
