import json
import shutil
import sys
import threading
import time

import pytest
from index_helpers import SETTINGS, answers, article, listed, put, vector

from qa import derived
from qa import exact as index_module
from qa.bm25 import BM25
from qa.database import Database
from qa.edges import EdgeRows, EdgeTable, body, edges
from qa.exact import Exact
from qa.index import Index
from qa.types import (
    ArticleIndexError,
    IndexBusyError,
    IndexMismatchError,
    IndexMissingError,
    NotFoundError,
)

TEXT = "The first article is about a river. It flows from the hills to the sea, past two towns and a mill."


def opened(folder, **changed):
    return Index.open(folder, **{**SETTINGS, "create": True, **changed})


@pytest.fixture(params=["in memory", "persisted"])
def kept(request, monkeypatch):
    """Small indexes are searched in memory; pretend that they are large, too."""
    if request.param == "persisted":
        monkeypatch.setattr(index_module, "PERSIST_FROM", 1)
    return request.param


@pytest.fixture
def persisted(monkeypatch):
    monkeypatch.setattr(index_module, "PERSIST_FROM", 1)


# ---- the whole


def test_put_search_remove(tmp_path, kept):
    with opened(tmp_path) as index:
        made = article("a", TEXT)
        assert put(index, made) == "added"
        assert put(index, made) == "unchanged"
        assert index.has("a", made.version)
        snapshot = index.snapshot
        assert snapshot.generation == 1
        rows, scores = snapshot.dense(vector(TEXT[:60]), 1)
        assert snapshot.passage(int(rows[0])).text == TEXT[:60]
        assert scores[0] == pytest.approx(1, abs=1e-3)
        assert index.text("a") == index.text("a", made.version[:12]) == index.article("a").text == TEXT
        assert [info.article for info in index.articles()] == ["a"]
        index.remove("a")
        assert index.articles() == index.snapshot.articles == []
        assert len(index.snapshot.dense(vector("x"), 5)[0]) == 0
        assert index.text("a", made.version[:12]) == TEXT
        with pytest.raises(NotFoundError):
            index.remove("a")


def test_one_snapshot_after_a_group_and_none_if_not_wanted(tmp_path):
    with opened(tmp_path) as index:
        with index.write():
            put(index, article("a", TEXT))
            put(index, article("b", TEXT))
            assert index.snapshot.generation == 0
        assert (index.snapshot.generation, len(index.snapshot.articles)) == (1, 2)
        with index.write(refresh=False):
            put(index, article("c", TEXT))
        assert index.snapshot.generation == 1
        assert index.refresh()
        assert (index.snapshot.generation, len(index.snapshot.articles)) == (2, 3)
        assert not index.refresh()


def test_other_processes_commits_are_seen_by_refresh(tmp_path, kept):
    with opened(tmp_path) as one, opened(tmp_path) as other:
        put(one, article("a", TEXT))
        assert other.snapshot.articles == []
        assert other.refresh()
        assert answers(other) == answers(one)
        with one.write(), pytest.raises(IndexBusyError):
            opened(tmp_path, wait=0.1).remove("a")


def test_errors_of_opening(tmp_path):
    with pytest.raises(IndexMissingError, match="python -m qa index --index"):
        opened(tmp_path / "none", create=False)
    opened(tmp_path).close()
    with pytest.raises(IndexMismatchError, match="encoder 'by-hash 1', not 'other'"):
        opened(tmp_path, encoder_identity="other")


def test_rebuilding_for_another_encoder(tmp_path, kept):
    with opened(tmp_path) as index:
        put(index, article("a", TEXT))
        put(index, article("b", TEXT + " More."))
    with opened(tmp_path, encoder_identity="other", rebuild=True) as index:
        assert index.stale() == ["a", "b"]
        assert len(index.snapshot) == 0
        for name in index.stale():
            made = index.article(name)
            index.put(made, [(0, 10)], vector(name, 3)[None])
        assert index.stale() == []
        assert index.snapshot.dense(vector("b", 3), 1)[0].tolist() == [1]


STRAY = "common words of all these pages"


def test_masks_follow_the_other_articles(tmp_path):
    with opened(tmp_path) as index:
        texts = {
            f"a{i}": f"{STRAY} " + " ".join(f"w{(i * 37 + j * j) % 211}" for j in range(80)) for i in range(3)
        }
        with index.write():
            for name, text in texts.items():
                put(index, article(name, text))
        rows = [(name, side, listed) for name, text in texts.items() for side, listed in edges(text)]
        table = EdgeTable(EdgeRows(rows), 3, lambda name: body(texts[name]))
        for name, text in texts.items():
            assert index.snapshot.masks(name) == table.masks(name, text) == ((0, len(STRAY)),)


# ---- what is derived


def derived_folder(folder):
    (found,) = (folder / "derived").iterdir()
    return found


def test_small_indexes_need_no_files(tmp_path):
    with opened(tmp_path) as index:
        put(index, article("a", TEXT))
    assert not (tmp_path / "derived").exists()


def test_files_are_used_and_only_the_newest_kept(tmp_path, persisted, monkeypatch):
    with opened(tmp_path) as index:
        put(index, article("a", TEXT))
        put(index, article("b", TEXT + " More."))
        expected = answers(index)
    assert derived_folder(tmp_path).name == "2"
    monkeypatch.setattr(Exact, "_built", None)  # opening again builds nothing
    with opened(tmp_path) as index:
        assert answers(index) == expected


def scribble(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 255
    path.write_bytes(content)


def other_generation(folder):
    shutil.copytree(folder, folder.parent / "7")
    shutil.rmtree(folder)
    (folder.parent / "7").rename(folder)
    (folder / "stamp.json").write_text(
        (folder / "stamp.json").read_text().replace('"generation": 1', '"generation": 7')
    )


@pytest.mark.parametrize(
    "damage",
    [
        lambda folder: shutil.rmtree(folder),
        lambda folder: shutil.rmtree(folder / "bm25"),
        lambda folder: (folder / "vectors.faiss").write_bytes(b""),
        lambda folder: (folder / "vectors.faiss").write_bytes((folder / "vectors.faiss").read_bytes()[:60]),
        lambda folder: scribble(folder / "vectors.faiss"),
        lambda folder: [scribble(path) for path in (folder / "bm25").glob("*.idx")],
        lambda folder: (folder / "stamp.json").write_text("{"),
        other_generation,
    ],
)
def test_damaged_files_are_made_again_without_a_word(tmp_path, persisted, capfd, damage):
    with opened(tmp_path) as index:
        put(index, article("a", TEXT))
        expected = answers(index)
    damage(derived_folder(tmp_path))
    for _ in range(2):
        with opened(tmp_path) as index:
            assert answers(index) == expected
    assert derived_folder(tmp_path).name == "1"
    assert capfd.readouterr() == ("", "")


def test_files_that_are_whole_and_cannot_be_read_are_replaced(tmp_path, persisted):
    with opened(tmp_path) as index:
        put(index, article("a", TEXT))
        expected = answers(index)
    folder = derived_folder(tmp_path)
    (folder / "vectors.faiss").write_bytes(b"no vectors")
    stamp = json.loads((folder / derived.STAMP).read_text())
    stamp["files"] = derived._checksums(folder)
    (folder / derived.STAMP).write_text(json.dumps(stamp))
    with opened(tmp_path) as index:
        assert answers(index) == expected
    assert (derived_folder(tmp_path) / "vectors.faiss").read_bytes() != b"no vectors"


def test_files_of_a_remade_index_with_the_same_generation_are_not_used(tmp_path, persisted):
    with opened(tmp_path) as index:
        put(index, article("a", TEXT))
    for path in tmp_path.glob("articles.sqlite*"):
        path.unlink()
    with opened(tmp_path) as index:
        put(
            index, article("a", TEXT.replace("river", "hound"))
        )  # of the same size, in a commit of the same number
        assert index.snapshot.generation == 1
        assert listed(index.snapshot.bm25("hound", 5))
        assert not listed(index.snapshot.bm25("river", 5))


def test_a_folder_that_cannot_be_written_is_searched_in_memory(tmp_path, persisted):
    (tmp_path / "derived").write_text("a file where the folder should be")
    with opened(tmp_path) as index:
        put(index, article("a", TEXT))
        assert listed(index.snapshot.bm25("river", 5))


def test_forgetting_leaves_no_bytes_anywhere(tmp_path, kept):
    with opened(tmp_path) as index:
        put(index, article("a", TEXT))
        put(index, article("diary", "zanzibarquux wrote this " * 20))
        (tmp_path / "derived" / "tmp-cut-off").mkdir(parents=True)
        (tmp_path / "derived" / "tmp-cut-off" / "words").write_text("zanzibarquux")
        index.remove("diary", forget=True)
        for path in tmp_path.rglob("*"):
            assert not path.is_file() or b"zanzibarquux" not in path.read_bytes(), path
        assert [info.article for info in index.snapshot.articles] == ["a"]
        with pytest.raises(NotFoundError):
            index.text("diary", "0" * 12)
        assert answers(index)


def test_forgetting_while_another_reader_makes_its_files(tmp_path, persisted, monkeypatch):
    build = BM25.build

    def slow(rows, folder=None):
        made = build(rows, folder)
        monkeypatch.setattr(BM25, "build", build)
        # The wiping looked at the folder before the files were in it.
        with monkeypatch.context() as early:
            early.setattr(shutil, "rmtree", lambda *arguments, **named: None)
            other.remove("diary", forget=True)  # after the texts were read, before the files are published
        return made

    with opened(tmp_path) as index, opened(tmp_path) as other:
        put(other, article("a", TEXT))
        put(other, article("diary", "zanzibarquux wrote this " * 20))
        shutil.rmtree(tmp_path / "derived")
        monkeypatch.setattr(BM25, "build", slow)
        index.refresh()
        # No files with the diary's words, and nothing is searched that has them.
        assert [path.name for path in (tmp_path / "derived").iterdir()] == ["3"]
        assert index.snapshot.generation == 3
        assert answers(index) == answers(other)


def test_forgetting_that_is_cut_off_is_made_up_for(tmp_path, kept, monkeypatch):
    with opened(tmp_path) as index:
        put(index, article("a", TEXT))
        put(index, article("diary", "zanzibarquux wrote this " * 20))
        with monkeypatch.context() as killed:
            killed.setattr(Database, "scrub", lambda self: sys.exit("killed"))
            with pytest.raises(SystemExit):
                index.remove("diary", forget=True)
    with opened(tmp_path) as index:
        assert [info.article for info in index.snapshot.articles] == ["a"]
        for path in tmp_path.rglob("*"):
            assert not path.is_file() or b"zanzibarquux" not in path.read_bytes(), path


def test_forgetting_that_readers_delay_still_removes_the_article(tmp_path):
    with opened(tmp_path, wait=0.1) as index, opened(tmp_path) as reader:
        put(index, article("diary", TEXT))
        with reader._store._db.read_transaction() as connection:
            connection.execute("SELECT count(*) FROM texts").fetchall()
            with pytest.raises(IndexBusyError, match="they go at the next start"):
                index.remove("diary", forget=True)
            assert index.snapshot.articles == []
            with pytest.raises(NotFoundError):
                index.article("diary")


# ---- many threads


def test_readers_go_on_while_a_writer_writes(tmp_path, kept):
    errors, stop = [], threading.Event()

    def read(index):
        while not stop.is_set():
            try:
                index.refresh(wait=False)
                snapshot = index.snapshot
                names = {info.article for info in snapshot.articles}
                for rows, _ in (snapshot.dense(vector("x"), 4), snapshot.bm25("river", 4)):
                    found = [snapshot.passage(int(row)) for row in rows]
                    assert {passage.article for passage in found} <= names
                    assert all(snapshot.text(p.article)[p.start : p.end] == p.text for p in found)
                for name in names:
                    snapshot.masks(name)
            except Exception as error:
                errors.append(error)
                raise

    with opened(tmp_path) as index:
        threads = [threading.Thread(target=read, args=(index,)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for i in range(15):
            put(index, article(f"a{i % 4}", f"{TEXT} Number {i}."))
        stop.set()
        for thread in threads:
            thread.join()
        assert errors == []
        assert index.snapshot.generation == 15


def test_writing_does_not_hold_up_a_question(tmp_path):
    with opened(tmp_path) as index:
        put(index, article("a", TEXT))
        inside, done = threading.Event(), threading.Event()

        def write():
            with index.write():
                put(index, article("b", TEXT))
                inside.set()
                done.wait(10)

        thread = threading.Thread(target=write)
        thread.start()
        inside.wait(10)
        started = time.monotonic()
        index.refresh()
        assert [info.article for info in index.snapshot.articles] == ["a"]
        assert listed(index.snapshot.bm25("river", 5))
        assert index.text("a") == TEXT
        assert time.monotonic() - started < 1
        done.set()
        thread.join()
        assert len(index.snapshot.articles) == 2


def test_use_after_close(tmp_path):
    index = opened(tmp_path)
    index.close()
    with pytest.raises(ArticleIndexError, match="is closed"):
        put(index, article("a", TEXT))
