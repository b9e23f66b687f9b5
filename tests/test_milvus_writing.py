"""What a writer leaves when it is cut off at any place, and what is seen meanwhile."""

import dataclasses
import threading
import time
from contextlib import suppress

import numpy as np
import pytest
from index_helpers import article, put, vector
from milvus_helpers import kinds, opened, stored

from qa.milvus import catalogue as catalogue_module
from qa.milvus import reading as reading_module
from qa.milvus import searches, writing
from qa.milvus.changes import Changes
from qa.milvus.index import MilvusIndex
from qa.types import ArticleIndexError, IndexBusyError, NotFoundError

RIVER = article(
    "a", "The river flows from the hills to the sea, past two towns and a mill of stone and wood."
)
FROZEN = dataclasses.replace(
    RIVER, text="The river froze, and nobody saw the sea for weeks on end that winter."
)
OTHER = article("b", "A zebra stood on the market place, and nobody knew whose it was.")


class CutOffError(Exception):
    pass


def cut_off_at(index, monkeypatch, number):
    """From the ``number``-th write on, nothing reaches Milvus any more: as if the process had been killed."""
    connection, left = index._connection, [number]

    def stop(call):
        def instead(*arguments, **named):
            left[0] -= 1
            if left[0] < 0:
                raise CutOffError
            return call(*arguments, **named)

        return instead

    for name in ("put", "delete", "drop", "make"):
        monkeypatch.setattr(connection, name, stop(getattr(connection, name)))
    return left


def seen(index):
    """What a reader learns, with every passage looked at."""
    index.refresh()
    snapshot = index.snapshot
    rows, _ = snapshot.dense(vector("x"), 50)
    words, _ = snapshot.bm25("the river sea zebra", 50)
    places = {(snapshot.passage(row).article, snapshot.passage(row).text) for row in [*rows, *words]}
    return [(i.article, i.version, i.passages) for i in snapshot.articles], sorted(places), len(snapshot)


def beside(index):
    """Another worker's view of the same index, which knows nothing of the first."""
    return MilvusIndex(index._connection, {"made": index._made}, 1.0)


def change(index):
    with index.write():
        put(index, FROZEN)
        put(index, OTHER)


@pytest.mark.slow
def test_cut_off_anywhere_all_or_nothing_is_seen_and_a_rerun_mends(tmp_path, monkeypatch):
    """Killed before its first write, its second, ... : each time a reader sees the one or the other, whole."""
    monkeypatch.setattr(writing, "ABANDONED", -1.0)
    with opened(tmp_path / "once") as index:
        put(index, RIVER)
        before = seen(index)
        change(index)
        after = seen(index)
        whole = {name: len(stored(index, name)) for name in ("passages", "texts")}
    outcomes, left = [], [-1]
    while left[0] < 0:
        with opened(tmp_path / str(len(outcomes))) as index:
            put(index, RIVER)
            with monkeypatch.context() as patched:
                left = cut_off_at(index, patched, len(outcomes))
                with suppress(CutOffError):
                    change(index)
            again = beside(index)
            outcomes.append(seen(again))
            assert outcomes[-1] in (before, after)
            change(again)
            put(again, article("c", "Something else altogether, so that there is a commit that mends."))
            again.remove("c", forget=True)
            again.settle()
            assert seen(beside(again))[:2] == after[:2]
            assert len(stored(again, "passages")) == whole["passages"]
            assert len([i for i in stored(again, "texts") if i.startswith("t:")]) == 3
            assert not kinds(again, "open", "merged", "done")
    assert outcomes[-1] == after
    assert outcomes.count(before) >= 3
    assert outcomes.count(after) >= 2


def test_what_others_write_is_not_cleared_away_while_they_may_be_at_it(tmp_path, monkeypatch):
    with opened(tmp_path) as index:
        with monkeypatch.context() as patched:
            cut_off_at(index, patched, 3)
            with pytest.raises(CutOffError):
                put(index, RIVER)
        (left,) = kinds(index, "open")
    with opened(tmp_path) as again:
        put(again, OTHER)
        assert kinds(again, "open") == [left]


def test_passages_that_wait_to_be_deleted_hide_nothing(tmp_path, monkeypatch):
    """Many of a replaced edition, nearer than any that is searched: as many hits as wanted come all the same."""
    with opened(tmp_path) as index:
        many = article("a", "river " * 400)
        put(index, many)
        put(index, OTHER)
        monkeypatch.setattr(index._writing, "_clear", lambda token, note: None)
        put(index, dataclasses.replace(many, text="The hills."))
        assert len(stored(index, "passages")) > 50
        snapshot = index.snapshot
        assert {snapshot.passage(row).text for row in snapshot.dense(vector("river"), 2)[0]} <= {
            "The hills.", *(OTHER.text[a : a + 60] for a in (0, 40)),
        }  # fmt: skip
        assert len(snapshot.dense(vector("river"), 2)[0]) == 2
        assert len(snapshot.bm25("river", 5)[0]) == 0
        assert snapshot.holding("river") == []
        assert snapshot.catalogue.rows_of(["a"]) == [(row, row + 1) for row in snapshot.bm25("hills", 1)[0]]


def test_a_question_under_way_sees_an_article_that_was_changed_as_it_is(tmp_path):
    with opened(tmp_path) as index:
        put(index, RIVER)
        snapshot = index.snapshot
        rows, _ = snapshot.bm25("river", 5)
        put(index, FROZEN)
        with pytest.raises(NotFoundError, match="ask again"):
            index.snapshot.passage(int(rows[0]))
        found, _ = snapshot.bm25("river", 5)
        assert {snapshot.passage(int(row)).text for row in found} <= {
            FROZEN.text[a : a + 60] for a in (0, 40)
        }
        assert len(found)


def test_two_writers_side_by_side(tmp_path):
    """As two workers do: each its own connection's state, one collection; both are seen, and counted once."""
    with opened(tmp_path) as index:
        other = beside(index)
        failures = []

        def write(writer, name):
            try:
                for number in range(6):
                    put(writer, article(f"{name}{number}", f"{name} tells story {number} about the river."))
            except Exception as error:
                failures.append(error)

        threads = [threading.Thread(target=write, args=pair) for pair in ((index, "a"), (other, "b"))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []
        for reader in (index, other):
            assert seen(reader) == seen(index)
            assert (reader.snapshot.article_count, len(reader.snapshot)) == (12, 12)
            assert reader.snapshot.weigh("river").weights["river"] == pytest.approx(np.log(1 + 0.5 / 12.5))
        assert index.snapshot.stamp == other.snapshot.stamp


def test_counts_of_many_commits_become_one(tmp_path, monkeypatch):
    monkeypatch.setattr(writing, "_MERGE_AT", 3)
    with opened(tmp_path) as index:
        for number in range(7):
            put(index, article(f"{number}", f"Story {number} about the river."))
        assert len(kinds(index, "clean")) == 1 + (7 - 3) % 2
        assert (index.snapshot.article_count, len(index.snapshot)) == (7, 7)
        index.settle()
        assert len(kinds(index, "clean")) == 1
        assert index.snapshot.weigh("river").weights == index._newest().weigh("river").weights
        assert len([id_ for id_ in stored(index, "texts") if id_.startswith("s:")]) == 1


def test_a_commit_that_takes_too_long_is_given_up(tmp_path, monkeypatch):
    with opened(tmp_path) as index:
        put(index, RIVER)
        before = seen(index)
        monkeypatch.setattr(writing, "LONGEST_COMMIT", -1.0)
        with pytest.raises(ArticleIndexError, match="took longer"):
            put(index, FROZEN)
        assert seen(index) == before
        assert not kinds(index, "open")


def test_one_thread_writes_at_a_time(tmp_path):
    with opened(tmp_path, wait=0.05) as index:
        inside, done = threading.Event(), threading.Event()

        def hold():
            with index.write():
                inside.set()
                done.wait(30)

        thread = threading.Thread(target=hold)
        thread.start()
        assert inside.wait(30)
        with pytest.raises(IndexBusyError, match="another thread"):
            put(index, RIVER)
        done.set()
        thread.join()
        put(index, RIVER)


def test_many_changes_are_committed_in_parts(tmp_path, monkeypatch):
    monkeypatch.setattr("qa.milvus.changes.COMMIT_ARTICLES", 4)
    monkeypatch.setattr("qa.milvus.changes.COMMIT_PASSAGES", 3)
    with opened(tmp_path) as index:
        changes = Changes(index._reading, "2026")
        for number in range(9):
            made = article(f"{number}", "word " * (30 if number == 5 else 5))
            ranges = [(0, 10)] if number != 5 else [(a, a + 9) for a in range(0, 50, 10)]
            changes.put(made, ranges, np.stack([vector("x")] * len(ranges)), ())
        sizes = [[len(change.passages) for change in part] for part in changes.parts()]
        assert sizes == [[1, 1, 1], [1], [1], [5], [1, 1], [1]]


def test_words_that_very_many_passages_have_are_found_by_a_filter(tmp_path, monkeypatch):
    with opened(tmp_path) as index:
        for made in (RIVER, OTHER, article("c", "The river, the river.")):
            put(index, made)
        expected = [index.snapshot.holding(words) for words in ("the river", "nobody", "the", "river zebra")]
        monkeypatch.setattr(searches, "WHOLLY", 0)
        assert [index._newest().holding(w) for w in ("the river", "nobody", "the", "river zebra")] == expected
        assert expected == [["a", "c"], ["b"], ["a", "b", "c"], []]


def test_a_text_that_was_altered_is_not_shown(tmp_path):
    with opened(tmp_path) as index:
        put(index, RIVER)
        (id_,) = (each for each in stored(index, "texts") if each.startswith("t:"))
        (row,) = index._connection.get("texts", [id_], ("id", "kind", "tag", "n", "body"))
        index._connection.put(
            "texts", [{**row, "body": row["body"].replace("sea", "bay"), "nothing": [0.0, 0.0]}]
        )
    with opened(tmp_path) as again, pytest.raises(ArticleIndexError, match=r"damaged: text .* was altered"):
        again.text("a")


def test_a_value_without_all_its_pieces_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr(reading_module, "_TRIES", 2)
    with opened(tmp_path) as index:
        long = article("long", "ქ" * 45_000)
        index.put(long, [(0, 9)], np.stack([vector("x")]))
        index._connection.drop("texts", [f"t:{long.version}:1"])
    with opened(tmp_path) as again, pytest.raises(ArticleIndexError, match="lacks a part"):
        again.text("long")


def test_what_is_forgotten_leaves_the_rows_but_not_what_others_have_too(tmp_path):
    with opened(tmp_path) as index:
        put(index, RIVER)
        put(index, dataclasses.replace(RIVER, id="copy"))
        index.remove("a", forget=True)
        assert index.text("copy") == RIVER.text
        index.remove("copy", forget=True)
        assert [each for each in stored(index, "texts") if each.startswith("t:")] == []
        assert stored(index, "passages") == []
        left = [id_ for id_ in stored(index, "records") if id_[:2] in ("a:", "e:", "u:")]
        assert left == []


def test_generations_go_up_and_a_remade_index_is_another(tmp_path):
    with opened(tmp_path / "1") as one, opened(tmp_path / "2") as two:
        assert one.snapshot.generation == two.snapshot.generation == 0
        assert one.snapshot.stamp != two.snapshot.stamp
        put(one, RIVER)
        put(one, RIVER)
        assert one.snapshot.generation == 1
        assert not one.refresh()
        one._made, time_before = one._made, time.monotonic()
        put(one, FROZEN)
        assert one.snapshot.generation == 2
        assert time.monotonic() >= time_before


def test_edges_are_fetched_at_once_for_what_will_be_read(tmp_path, monkeypatch):
    shared = "Welcome to the daily valley news. "
    rain = "It rained for days, and the roads were as deep as wells, so no cart came through to the market."
    sale = "Whoever had a stall sold it; some, it is said, for three onions, others against a promise of hay."
    with opened(tmp_path) as index:
        put(index, dataclasses.replace(RIVER, text=f"{shared}{RIVER.text} {rain}"))
        put(index, dataclasses.replace(OTHER, text=f"{shared}{OTHER.text} {sale}"))
        snapshot = index._newest()
        snapshot.passages(snapshot.bm25("river zebra", 5)[0].tolist())
        asked = []
        find = index._connection.find
        monkeypatch.setattr(index._connection, "find", lambda *a: asked.append(a) or find(*a))
        assert snapshot.masks("a") == snapshot.masks("b") != ()
        assert asked == []
        assert catalogue_module.Edges(snapshot.catalogue).sharing("head", "welcome to the daily valley") == 2
