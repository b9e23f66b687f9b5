from datetime import timedelta

import pytest
from index_helpers import article, cut, embed

from qa.store import Store

TEXT = "A keeper of a mill, and a river that nobody knows the age of; it flows from the hills to the sea."


@pytest.fixture
def store(tmp_path):
    made = Store(tmp_path, encoder="e", passage_settings="s", create=True)
    yield made
    made.close()


def put(store, name, text=TEXT, **known):
    store.put(article(name, text, **known), cut(text), embed(text, cut(text)), [("head", "a b c d e")])


def walked(store):
    with store.walk() as walk:
        return [record.info[0] for record in walk.records], walk


def test_what_changes_after_a_walk_is_logged(store):
    put(store, "a")
    put(store, "b")
    names, walk = walked(store)
    assert names == ["a", "b"]
    assert store.changes("base-1") is None
    assert store.seal("base-1", walk)
    assert store.sealed() == "base-1"
    assert store.changes("base-1").touched == ()
    put(store, "b", TEXT + " More.")
    put(store, "c")
    store.remove("a")
    put(store, "0", title="Nought")
    changes = store.changes("base-1")
    assert changes.touched == ("0", "a", "b", "c")
    assert [stored.info.article for stored in changes.contents.articles] == ["0", "b", "c"]
    assert changes.contents.vectors.shape == (len(changes.contents.owner), 16)
    assert [edge[0] for edge in changes.contents.edges] == ["0", "b", "c"]
    assert changes.contents.stamp == store.stamp()
    assert store.changed_passages() == len(changes.contents.owner)
    assert store.changes("base-2") is None


def test_putting_what_is_there_is_no_change_and_a_new_title_is(store):
    put(store, "a")
    assert store.seal("base-1", walked(store)[1])
    put(store, "a")
    assert store.changes("base-1").touched == ()
    put(store, "a", title="Another")
    assert store.changes("base-1").touched == ("a",)


def test_deleting_old_versions_is_no_change(store):
    """It leaves the generation as it is: logged under the next, it would outlive every base."""
    put(store, "a")
    assert store.seal("base-1", walked(store)[1])
    put(store, "a", TEXT + " More.")
    assert store.seal("base-2", walked(store)[1])
    assert [gone.article for gone in store.delete_old(timedelta(0))] == ["a"]
    assert store.changes("base-2").touched == ()
    store.remove("a", forget=True)
    assert store.changes("base-2").touched == ("a",)


def test_what_changed_during_a_walk_stays_in_the_log(store):
    put(store, "a")
    with store.walk() as walk:
        put(store, "b")
        assert [record.info[0] for record in walk.records] == ["a"]
    assert store.seal("base-1", walk)
    assert store.changes("base-1").touched == ("b",)
    _, walk = walked(store)
    put(store, "c")
    assert store.seal("base-2", walk)
    assert store.changes("base-1") is None
    assert store.changes("base-2").touched == ("c",)


def test_a_base_that_may_hold_what_was_deleted_for_good_is_refused(store):
    put(store, "a")
    put(store, "b")
    _, walk = walked(store)
    store.remove("a", forget=True)
    assert not store.seal("base-1", walk)
    assert store.sealed() is None


def test_a_walk_has_all_that_is_searched(store):
    put(store, "b")
    put(store, "a", "Short: a keeper of a mill.")
    with store.walk() as walk:
        assert (walk.dimension, walk.stamp) == (16, store.stamp())
        one, other = walk.records
        assert (one.text, [place[:2] for place in one.passages]) == ("Short: a keeper of a mill.", [(0, 26)])
        assert [place[:2] for place in other.passages] == cut(TEXT)
        assert other.passages[0][2] == embed(TEXT, cut(TEXT)).astype("<f2")[0].tobytes()
        assert list(walk.edges("head")) == [("a b c d e", "a"), ("a b c d e", "b")]
        assert list(walk.edges("tail")) == []
