import dataclasses

import numpy as np
import pytest
from index_helpers import SETTINGS, article, cut, embed, put, vector

pytest.importorskip("milvus_lite", reason="needs pip install -r requirements-milvus.txt")

from datetime import timedelta

import apsw

from qa import transfer
from qa.backend import open_backend, open_shelf
from qa.cli import main
from qa.transfer import copy
from qa.types import ArticleIndexError, IndexMismatchError, IndexMissingError

pytestmark = pytest.mark.slow

KINDS = ("folder", "file.db")
RIVER = article(
    "a", "The river flows from the hills to the sea, past two towns and a mill of stone.", path="/a.txt"
)
NEWER = dataclasses.replace(
    RIVER, text="The river froze, and the mill stood still.", masks=((4, 9),), date="2026-01-02"
)
STORY = article("b", "A zebra stood on the market place. " * 4, locators=((0, "page 1"), (40, "page 2")))
GONE = article("c", "This was here once, and is kept for references to it.")
LONG = article("d", "ქ" * 70_000 + " and the end.")


def fill(place):
    """An index with an edited article, a removed one, and one that is very long."""
    with open_backend(place, **SETTINGS, create=True) as index:
        for made in (RIVER, STORY, NEWER, GONE):
            put(index, made)
        index.put(
            LONG, [(0, 100), (69_990, len(LONG.text))], embed(LONG.text, [(0, 100), (69_990, len(LONG.text))])
        )
        index.remove("c")


def content(place):
    """All that an index holds, to the last bit, and the places of what is found."""
    with open_backend(place, **SETTINGS) as index:
        infos = index.articles()
        snapshot = index.snapshot
        rows, cosines = snapshot.dense(vector("river"), 50)
        found = [(snapshot.passage(int(row)), float(c)) for row, c in zip(rows, cosines, strict=True)]
        return {
            "infos": infos,
            "articles": [index.article(info.article) for info in infos],
            "old": index.old_versions(timedelta(0)),
            "texts": [
                index.text(name, made.version) for name, made in (("a", RIVER), ("a", NEWER), ("c", GONE))
            ],
            "found": found,
            "words": snapshot.weigh("the river mill zebra nothing").weights,
            "masks": {info.article: snapshot.masks(info.article) for info in infos},
        }


def copied(source, target, tell=lambda done, of: None):
    one = open_shelf(source)
    try:
        other = open_shelf(target, one.made_with())
        try:
            return copy(one, other, tell)
        finally:
            other.close()
    finally:
        one.close()


@pytest.mark.parametrize("source", KINDS)
@pytest.mark.parametrize("target", KINDS)
def test_a_copy_holds_the_same(tmp_path, source, target):
    one, other = tmp_path / f"one-{source}", tmp_path / f"other-{target}"
    fill(one)
    told = []
    assert copied(one, other, lambda done, of: told.append((done, of))) == (4, 4)
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert content(other) == content(one)
    assert copied(one, other) == (0, 4)
    assert content(other) == content(one)


def test_there_and_back(tmp_path):
    fill(tmp_path / "one")
    copied(tmp_path / "one", tmp_path / "two.db")
    copied(tmp_path / "two.db", tmp_path / "three")
    assert content(tmp_path / "three") == content(tmp_path / "one")


@pytest.mark.parametrize(("source", "target"), [KINDS, KINDS[::-1]])
def test_a_copy_that_was_cut_off_goes_on(tmp_path, monkeypatch, source, target):
    one, other = tmp_path / source, tmp_path / target
    monkeypatch.setattr(transfer, "_COMMIT_PASSAGES", 1)
    fill(one)

    def stop(done, of):
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        copied(one, other, stop)
    assert copied(one, other) == (2, 4)
    assert content(other) == content(one)


@pytest.mark.parametrize(("source", "target"), [KINDS, KINDS[::-1]])
def test_a_copy_follows_what_changed(tmp_path, source, target):
    one, other = tmp_path / source, tmp_path / target
    fill(one)
    copied(one, other)
    with open_backend(one, **SETTINGS) as index:
        put(index, dataclasses.replace(STORY, title="Another title"))
        put(index, RIVER)
        put(index, article("e", "Nothing but the sea."))
    with open_backend(other, **SETTINGS) as index:
        put(index, article("mine", "This was here, and stays."))
    assert copied(one, other) == (3, 5)
    with open_backend(other, **SETTINGS) as index:
        assert [info.article for info in index.articles()] == ["a", "b", "d", "e", "mine"]
        index.remove("mine", forget=True)
    assert content(other) == content(one)
    with open_backend(one, **SETTINGS) as index:
        index.remove("e")
    assert copied(one, other) == (1, 5)
    assert content(other) == content(one)


def test_an_index_of_another_encoder_is_refused(tmp_path):
    fill(tmp_path / "one")
    for name in KINDS:
        open_backend(tmp_path / name, encoder_identity="other", passage_settings="60/40", create=True).close()
        with pytest.raises(IndexMismatchError, match="other"):
            copied(tmp_path / "one", tmp_path / name)
    with pytest.raises(IndexMissingError):
        open_shelf(tmp_path / "nothing")


def test_a_text_that_was_altered_is_not_copied(tmp_path):
    fill(tmp_path / "one")
    connection = apsw.Connection(str(tmp_path / "one" / "articles.sqlite"))
    connection.execute("UPDATE texts SET text = replace(text, 'zebra', 'horse')")
    connection.close()
    with pytest.raises(ArticleIndexError, match=r"damaged: text .* was altered"):
        copied(tmp_path / "one", tmp_path / "two.db")


def test_vectors_are_those_that_were_made(tmp_path):
    fill(tmp_path / "one")
    copied(tmp_path / "one", tmp_path / "two.db")
    shelf = open_shelf(tmp_path / "two.db")
    entries = {entry.id: entry for entry in shelf.entries()}
    shelf.close()
    ranges = cut(STORY.text)
    assert entries["b"].passages == ranges
    assert entries["b"].vectors.dtype == np.float16
    assert (entries["b"].vectors == embed(STORY.text, ranges).astype(np.float16)).all()
    assert entries["c"].live is None
    assert [old.text for old in entries["c"].old] == [GONE.text]


def test_the_command(tmp_path, capsys):
    fill(tmp_path / "one")
    for said in (
        "copied 4 articles to {}; 0 were there already",
        "copied 0 articles to {}; 4 were there already",
    ):
        assert main(["copy", str(tmp_path / "one"), str(tmp_path / "two.db")]) == 0
        assert said.format(tmp_path / "two.db") in capsys.readouterr().err
    assert main(["copy", str(tmp_path / "none"), str(tmp_path / "two.db")]) == 1
    assert capsys.readouterr().err.startswith("copy: no index at ")
    assert main(["copy", str(tmp_path / "one"), "milvus://nowhere"]) == 1
    assert "is not milvus://HOST:PORT/NAME" in capsys.readouterr().err
