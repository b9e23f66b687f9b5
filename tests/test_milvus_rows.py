import json
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from index_helpers import SETTINGS, vector

from qa.backend import open_backend, open_shelf
from qa.milvus.address import parse_address
from qa.milvus.counts import Counts
from qa.milvus.rows import PIECE, Kept, PassageRow, Record, joined, key_of, long_rows, pieces
from qa.rows import StoredArticle
from qa.types import ArticleIndexError, ArticleInfo

# ---- addresses


def test_addresses_of_servers_and_files(tmp_path):
    server = parse_address("milvus://db.example.org:19531/news_2")
    assert (server.uri, server.name, server.lite) == ("http://db.example.org:19531", "news_2", False)
    assert parse_address("milvus://10.0.0.7/n").uri == "http://10.0.0.7:19530"
    assert parse_address("milvus+tls://[::1]:7/n/").uri == "https://[::1]:7"
    file = parse_address(tmp_path / "my.db")
    assert (file.uri, file.name, file.lite) == (str(tmp_path / "my.db"), "articles", True)
    assert file.shown == str(tmp_path / "my.db")
    assert parse_address(tmp_path / "index") is None
    (tmp_path / "old.db").mkdir()
    (tmp_path / "old.db" / "articles.sqlite").touch()
    assert parse_address(tmp_path / "old.db") is None  # a folder of the local kind, whatever it is called


@pytest.mark.parametrize(
    "wrong",
    [
        "milvus://host", "milvus://host:19530", "milvus://host:99999/n", "milvus://host:19530/a-b", "milvus:///n",
        "milvus://host/a/b", "milvus:x.db", "milvus://host/1st", 'milvus://host/n"; drop', "milvus://h/é",
    ],
)  # fmt: skip
def test_what_is_no_address(wrong):
    with pytest.raises(ArticleIndexError, match="is not milvus://HOST:PORT/NAME"):
        parse_address(wrong)


def test_a_password_does_not_belong_into_an_address():
    with pytest.raises(ArticleIndexError, match="MILVUS_TOKEN") as refused:
        parse_address("milvus://ada:secret@host/n")
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("place", ["a.db", "milvus://127.0.0.1:1/news"])
def test_without_the_libraries_one_line_says_what_to_install(tmp_path, monkeypatch, place):
    monkeypatch.setitem(sys.modules, "pymilvus", None)
    monkeypatch.chdir(tmp_path)
    for opens in (lambda: open_backend(place, **SETTINGS, create=True), lambda: open_shelf(place)):
        with pytest.raises(ArticleIndexError, match=r"pip install -r requirements-milvus\.txt"):
            opens()
    assert list(tmp_path.iterdir()) == []


# ---- values in pieces


@settings(deadline=None, database=None)
@given(some.text(max_size=60), some.integers(4, 9))
def test_pieces_are_short_and_make_the_text_again(text, most):
    found = pieces(text, most)
    assert "".join(found) == text
    assert all(len(piece.encode()) <= most for piece in found)
    assert all(found[:-1])


def test_pieces_count_bytes():
    text = "ქ" * 50_000  # 150,000 bytes
    assert [len(piece.encode()) for piece in pieces(text)] == [60_000, 60_000, 30_000]


def test_long_values_are_made_again_only_from_their_own_pieces():
    text = "x" * PIECE + "ö" + "y" * PIECE
    rows = long_rows("t:1", "text", text)
    assert [(row["id"], row["kind"], row["n"]) for row in rows] == [
        ("t:1:0", "text", 3), ("t:1:1", "more", 3), ("t:1:2", "more", 3),
    ]  # fmt: skip
    assert joined(reversed(rows)) == text
    assert joined(rows[:2]) is joined(rows[1:]) is joined([]) is None
    assert joined([rows[0], long_rows("t:1", "text", text)[1], rows[2]]) is None  # of another writing
    assert joined(long_rows("t:2", "text", "")) == ""
    many = long_rows("t:3", "text", "z" * (11 * PIECE))
    assert joined(sorted(many, key=lambda row: row["id"])) == "z" * (11 * PIECE)  # "10" sorts before "2"


# ---- records


def test_a_record_comes_back():
    info = ArticleInfo("a/ü", "Title", "a.txt", None, "f" * 64, 9, 2, "2026-01-02T03:04:05.000006+00:00")
    kept = (Kept("e" * 64, 4, "2025", "2026"), Kept("f" * 64, 9, "2026", None))
    stored = StoredArticle(info, ((0, 3),), ((0, "page 1"),))
    record = Record("a/ü", "edition", stored, "/a.txt", "d" * 64, (("head", "a b c d e f"),), kept)
    assert Record.from_json(record.to_json()) == record
    assert record.find(None) == record.find("f") == record.find("") == "f" * 64
    assert (record.find("e"), record.find("1")) == ("e" * 64, None)
    gone = record.retired("2027")
    assert (gone.live, gone.find(None), gone.find("f")) == (False, None, "f" * 64)
    assert [(old.version[0], old.retired) for old in gone.old()] == [("e", "2026"), ("f", "2027")]
    by_id = {row["id"]: row for row in record.rows()}
    key = key_of("a/ü")
    assert set(by_id) == {f"a:{key}:0", f"e:{key}:head", f"e:{key}:tail"}
    assert json.loads(by_id[f"e:{key}:head"]["body"]) == ["a b c d e f", "a/ü"]
    assert (by_id[f"e:{key}:tail"]["kind"], by_id[f"e:{key}:tail"]["tag"]) == ("none", "")


def test_a_passage_comes_back_with_the_very_same_vector():
    made = PassageRow.make("k" * 32, "e" * 32, (3, 9), ["a", "b"], vector("x"))
    again = PassageRow.from_row(made.to_row())
    assert again.vector.dtype == np.float16
    assert (again.vector == vector("x").astype(np.float16)).all()
    assert (again.id, again.start, again.end, again.terms) == (made.id, 3, 9, "a b")
    assert 0 <= made.id < 2**63
    assert made.id != PassageRow.make("k" * 32, "e" * 32, (3, 10), ["a", "b"], vector("x")).id
    long = PassageRow.make("k", "e", (0, 1), ["w" * 199] * 1000, vector("x"))
    assert len(long.terms) < PIECE
    assert set(long.terms.split()) == {"w" * 199}  # none is cut through


# ---- counts


def test_counts_are_those_of_what_is_left():
    one, two = [["a", "b", "b"], ["b"]], [["a", "c"]]
    both = Counts.sum([Counts.of(1, one), Counts.of(1, two)])
    assert [both.df(term) for term in "abcd"] == [2, 2, 1, 0]
    assert (both.articles, both.passages, both.tokens) == (2, 3, 6)
    left = Counts.sum([Counts.sum([], taken=[Counts.of(1, one)]), both])
    assert [left.df(term) for term in "abcd"] == [1, 0, 1, 0]
    assert (left.articles, left.passages, left.tokens, len(left.hashes)) == (1, 1, 2, 2)
    assert Counts.sum([]).df("a") == 0


def test_counts_come_back_negative_ones_too():
    taken = Counts.sum([Counts.of(1, [["a"]])], taken=[Counts.of(2, [["b", "b"], ["b"]])])
    again = Counts.from_text(taken.to_text())
    assert (again.articles, again.passages, again.tokens) == (-1, -1, -2)
    assert [again.df(term) for term in "abc"] == [1, -2, 0]
    assert "b" not in taken.to_text().partition(" ")[0]
    assert len(Counts.from_text(Counts.sum([]).to_text()).hashes) == 0
