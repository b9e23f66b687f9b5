"""A process that writes to a Milvus Lite is killed: what it said was committed is there, and a rerun mends it."""

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("milvus_lite", reason="needs pip install -r requirements-milvus.txt")

from index_helpers import article, put
from milvus_helpers import opened, stored

from qa.milvus import writing

pytestmark = pytest.mark.slow

TESTS = Path(__file__).resolve().parent.parent
WRITER = """
import sys; sys.path[:0] = [{tests!r}, {root!r}]
from pathlib import Path
from faults.test_kills_milvus import story
from index_helpers import put
from milvus_helpers import opened
index = opened(Path({folder!r}))
for number in range(1000):
    put(index, story(number))
    print(number, flush=True)
"""


def story(number):
    """Every third is a new text of the one before."""
    name = f"{number - number % 3 // 2}"
    return article(
        name, f"Story {number} of the river, which flows from the hills to the sea, past {number} towns."
    )


@pytest.mark.parametrize("committed", [1, 8])
def test_killed_while_writing(tmp_path, monkeypatch, committed):
    program = WRITER.format(tests=str(TESTS), root=str(TESTS.parent), folder=str(tmp_path))
    writer = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    try:
        for _ in range(committed):
            number = int(writer.stdout.readline())
    finally:
        writer.kill()
        said = writer.stdout.read().split()
        writer.stdout.close()
        writer.wait()
    last = int(said[-1]) if said else number
    expected = {story(n).id: story(n) for n in range(last + 1)}
    monkeypatch.setattr(writing, "ABANDONED", -1.0)
    with opened(tmp_path) as index:
        found = {info.article: index.article(info.article) for info in index.articles()}
        after = {
            **expected,
            story(last + 1).id: story(last + 1),
        }  # it may have been committed, and not said so yet
        assert found in (expected, after)
        snapshot = index.snapshot
        rows, _ = snapshot.bm25("river", 100)
        assert {snapshot.passage(int(row)).article for row in rows} == set(found)
        for n in range(last + 3):
            put(index, story(n))
        assert index.snapshot.article_count == len({story(n).id for n in range(last + 3)})
        assert len(stored(index, "passages")) == len(index.snapshot)
