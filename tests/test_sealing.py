"""Bases: made whole or not at all, used only with the log that belongs to them, and made again when damaged."""

from __future__ import annotations

import fcntl
import json
import os
import shutil

import pytest
from index_helpers import article, put
from sealed_helpers import assert_same, bases, fill, learned, make_large, opened

from qa import derived, sealing
from qa.sealed_dense import SealedDense
from qa.sealing import Sealer
from qa.types import NotFoundError


@pytest.fixture(autouse=True)
def large(monkeypatch):
    make_large(monkeypatch)


def base_of(folder):
    (name,) = bases(folder)
    return folder / "derived" / name


def scribble(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 255
    path.write_bytes(content)


def of_another(folder):
    stamp = json.loads((folder / derived.STAMP).read_text())
    stamp["identity"]["base"] = "base-0123456789abcdef"
    (folder / derived.STAMP).write_text(json.dumps(stamp))


def sealed_with_garbage(folder):
    """Whole by its checksums, and yet nothing that can be read."""
    (folder / "quantised.faiss").write_bytes(b"no vectors")
    stamp = json.loads((folder / derived.STAMP).read_text())
    stamp["files"] = derived._checksums(folder, sealing._UNREAD)
    (folder / derived.STAMP).write_text(json.dumps(stamp))


@pytest.mark.parametrize(
    "damage",
    [
        shutil.rmtree,
        lambda folder: shutil.rmtree(folder.parent),
        lambda folder: shutil.rmtree(folder / "bm25"),
        lambda folder: os.truncate(folder / "vectors.f16", 64),
        lambda folder: (folder / "ids.bin").unlink(),
        lambda folder: scribble(folder / "quantised.faiss"),
        lambda folder: scribble(folder / "infos.bin"),
        lambda folder: scribble(folder / "starts.npy"),
        lambda folder: [scribble(path) for path in (folder / "bm25").glob("*.idx")],
        lambda folder: folder.rename(folder.with_name("base-0")),
        of_another,
        sealed_with_garbage,
    ],
)
def test_a_damaged_base_is_made_again_without_a_word(tmp_path, capfd, damage):
    with opened(tmp_path) as index:
        fill(index, range(12))
        put(index, article("a005", "Edited since, by the keeper of the mill."))
        expected = learned(index)
    folder = base_of(tmp_path)
    damage(folder)
    for _ in range(2):
        with opened(tmp_path) as index:
            assert_same(learned(index), expected)
    assert base_of(tmp_path) != folder
    assert capfd.readouterr() == ("", "")


def test_the_base_of_another_history_is_not_used(tmp_path):
    """A copy of the file from before the sealing is put back: what was logged since is not in it."""
    with opened(tmp_path) as index:
        fill(index, range(6))
    shutil.copy(tmp_path / "articles.sqlite", tmp_path / "copy")
    with opened(tmp_path) as index:
        fill(index, range(6, 12))
        put(index, article("a000", "Edited."))
    (tmp_path / "copy").replace(tmp_path / "articles.sqlite")
    for path in tmp_path.glob("articles.sqlite-*"):
        path.unlink()
    with opened(tmp_path) as index:
        assert index.snapshot.article_count == 6
        with opened(tmp_path / "fresh") as again:
            fill(again, range(6))
            assert_same(learned(index), learned(again))


def test_an_index_of_the_first_format_is_upgraded(tmp_path):
    with opened(tmp_path) as index:
        fill(index, [1, 2])
        with index._store._db.write() as connection:
            for event in ("INSERT", "UPDATE", "DELETE"):
                connection.execute(f"DROP TRIGGER log_{event}")
            connection.execute("DROP TABLE touched")
            connection.execute("UPDATE meta SET value = '1' WHERE key = 'schema'")
    with opened(tmp_path) as index:
        assert index.snapshot.article_count == 2
        fill(index, range(12))
        index.remove("a003")
        assert index.snapshot.article_count == 11
        assert index.snapshot.catalogue.dead.tolist() == [3]


def test_forgetting_leaves_no_bytes_anywhere(tmp_path):
    with opened(tmp_path) as index:
        fill(index, range(12))
        put(index, article("diary", "zanzibarquux wrote this " * 20))
        fill(index, range(20, 26))
        index.settle()  # the diary is in the base now
        assert any(
            b"zanzibarquux" in path.read_bytes() for path in base_of(tmp_path).rglob("*") if path.is_file()
        )
        (tmp_path / "derived" / "tmp-cut-off").mkdir()
        index.remove("diary", forget=True)
        for path in tmp_path.rglob("*"):
            assert not path.is_file() or b"zanzibarquux" not in path.read_bytes(), path
        assert index.snapshot.article_count == 18
        with pytest.raises(NotFoundError):
            index.text("diary", "0" * 12)
        assert learned(index)


def test_forgetting_while_a_base_is_made_of_it(tmp_path, monkeypatch):
    build = SealedDense.build

    def slow(folder, *arguments):
        build(folder, *arguments)
        monkeypatch.setattr(SealedDense, "build", build)
        with monkeypatch.context() as early:  # the wiping looked at the folder before the files were in it
            early.setattr(shutil, "rmtree", lambda *arguments, **named: None)
            early.setattr(Sealer, "seal", lambda self, **named: True)
            other._store.remove("diary", forget=True)

    with opened(tmp_path) as index, opened(tmp_path) as other:
        put(index, article("diary", "zanzibarquux wrote this " * 20))
        monkeypatch.setattr(SealedDense, "build", staticmethod(slow))
        fill(index, range(12))
        for path in (tmp_path / "derived").rglob("*"):
            assert not path.is_file() or b"zanzibarquux" not in path.read_bytes(), path
        assert index.snapshot.article_count == 12


def test_one_at_a_time(tmp_path):
    with opened(tmp_path) as index:
        fill(index, range(12))
        made = bases(tmp_path)
        with (tmp_path / "sealing.lock").open("wb") as file:
            fcntl.flock(file, fcntl.LOCK_EX)  # as another process does
            assert index._sealer.seal(wait=False)
        assert bases(tmp_path) == made
        assert index._sealer.seal()
        assert bases(tmp_path) != made


def test_where_nothing_can_be_written_all_is_in_memory(tmp_path):
    (tmp_path / "derived").write_text("a file where the folder should be")
    with opened(tmp_path) as index:
        fill(index, range(12))
        expected = learned(index)
    (tmp_path / "derived").unlink()
    with opened(tmp_path) as index:
        assert bases(tmp_path)
        assert_same(learned(index), expected)


def test_closing_stops_what_is_made(tmp_path, monkeypatch):
    with opened(tmp_path) as index:
        fill(index, range(12))
        made = bases(tmp_path)
        index._sealer._stop.set()
        assert index._sealer.seal()  # "look again": it was stopped
        assert bases(tmp_path) == made
        assert [path.name for path in (tmp_path / "derived").iterdir()] == made
