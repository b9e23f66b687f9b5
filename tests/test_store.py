import numpy as np
import pytest
from index_helpers import article, cut, embed, vector

from qa.database import FILE
from qa.store import Store
from qa.types import (
    Article,
    ArticleError,
    ArticleIndexError,
    IndexBusyError,
    IndexMismatchError,
    IndexMissingError,
    NotFoundError,
)

TEXT = "The first article is about a river. It flows from the hills to the sea, past two towns and a mill."


def opened(folder, **changed):
    return Store(
        folder, **{"encoder": "E1", "passage_settings": "P1", "create": True, "wait": 0.1, **changed}
    )


@pytest.fixture
def store(tmp_path):
    made = opened(tmp_path)
    yield made
    made.close()


def put(store, made, edges=()):
    ranges = cut(made.text)
    return store.put(made, ranges, embed(made.text, ranges), edges)


def on_disk(folder):
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def test_what_is_put_comes_back(store):
    made = article(
        "a", TEXT, title="A", source="/x/a.txt", date="2020-01-31", masks=((0, 4), (9, 12)),
        locators=((0, "page 1"), (40, "page 2")), bytes_sha256="ab" * 32, path="/x/a.txt",
    )  # fmt: skip
    assert put(store, made) == "added"
    assert store.article("a") == made
    assert store.text("a") == store.text("a", made.version[:12]) == TEXT
    (info,) = store.articles()
    expected = ("a", "A", "/x/a.txt", "2020-01-31", made.version, len(TEXT), len(cut(TEXT)))
    assert (
        info.article,
        info.title,
        info.source,
        info.date,
        info.version,
        info.characters,
        info.passages,
    ) == expected
    assert info.added.endswith("+00:00")


@pytest.mark.parametrize(
    "text",
    ["\ufeffwith a mark",
     "line\r\nbreaks\rof\nall kinds\x0b\x0c\x85\u2028", "astral 𝕏 😀", "e\u0301 é", "\ufffd\uffff",
     "tab\tand trailing blanks   ", "'; DROP TABLE texts; --", "\x01\x1f\x7f"],
)  # fmt: skip
def test_text_is_stored_to_the_code_point(store, tmp_path, text):
    put(store, article("a", text))
    assert store.text("a") == text
    store.close()
    again = opened(tmp_path)
    assert again.text("a") == text
    assert again.article("a").version == Article("a", text, "", "").version
    again.close()


@pytest.mark.parametrize(
    "name", ["'; DROP TABLE versions; --", "ümläut", "a b", "%", "_", "日本", "a" * 5000, "?1"]
)
def test_any_id_is_only_a_name(store, name):
    put(store, article("other", TEXT + " Other."))
    put(store, article(name, TEXT))
    assert store.text(name) == TEXT
    assert {info.article for info in store.articles()} == {"other", name}
    store.remove(name, forget=True)
    assert [info.article for info in store.articles()] == ["other"]


def test_putting_again_changes_nothing(store):
    made = article("a", TEXT)
    assert not store.has("a", made.version)
    put(store, made)
    before = store.stamp()
    assert store.has("a", made.version)
    assert store.put(made) == "unchanged"  # no vectors needed
    assert put(store, made) == "unchanged"
    assert store.stamp() == before


def test_other_metadata_need_no_vectors(store):
    put(store, article("a", TEXT), [("head", "the first")])
    added = store.articles()[0].added
    changed = article("a", TEXT, title="New", masks=((0, 3),))
    assert store.put(changed, edges=[("head", "first article")]) == "updated"
    assert store.article("a") == changed
    assert store.articles()[0].added == added
    contents = store.read()
    assert contents.edges == (("a", "head", "first article"),)
    assert len(contents.owner) == len(cut(TEXT))
    assert store.generation() == 2


def test_a_new_version_is_searched_and_the_old_one_kept(store):
    old, new = article("a", TEXT), article("a", TEXT + " And a bridge.")
    put(store, old)
    assert put(store, new) == "updated"
    assert (store.has("a", old.version), store.has("a", new.version)) == (False, True)
    assert store.text("a") == new.text
    assert store.text("a", old.version[:12]) == old.text
    assert len(store.read().owner) == len(cut(new.text))
    assert put(store, old) == "updated"  # and back
    assert store.text("a") == old.text
    assert store.text("a", new.version[:12]) == new.text
    assert len(store.articles()) == 1


def test_a_removed_article_can_still_be_verified(store):
    made = article("a", TEXT)
    put(store, made, [("head", "the first")])
    store.remove("a")
    assert store.articles() == []
    contents = store.read()
    assert (len(contents.owner), contents.edges) == (0, ())
    assert store.text("a", made.version[:12]) == TEXT
    with pytest.raises(NotFoundError, match="no article 'a' in the index"):
        store.text("a")
    with pytest.raises(NotFoundError, match="no article 'a' in the index"):
        store.remove("a")
    with pytest.raises(NotFoundError):
        store.article("a")
    assert put(store, made) == "added"
    assert store.text("a") == TEXT


def test_unknown_articles_and_versions(store):
    put(store, article("a", TEXT))
    for call in (lambda: store.text("b"), lambda: store.article("b"), lambda: store.remove("b", forget=True)):
        with pytest.raises(NotFoundError, match="no article 'b' in the index"):
            call()
    with pytest.raises(NotFoundError, match="no article 'a' with a version 000000000000 in the index"):
        store.text("a", "000000000000")
    with pytest.raises(NotFoundError, match="removed for good"):
        store.text_of("0" * 64)


def test_forgetting_leaves_no_bytes(store, tmp_path):
    secret = article("diary", "Zanzibarquux " * 3000, title="Quuxtitle", source="Quuxsource")
    put(store, article("a", TEXT))
    put(store, secret, [("head", "zanzibarquux")])
    put(store, article("diary", "Zanzibarquux was here"))
    put(store, article("b", TEXT + " B."))
    assert b"anzibarquux" in on_disk(tmp_path)
    store.remove("diary", forget=True)
    left = on_disk(tmp_path)
    for word in (
        b"anzibarquux",
        b"Quuxtitle",
        b"Quuxsource",
        b"diary",
        vector(secret.text[:60]).astype("<f2").tobytes(),
    ):
        assert word not in left
    assert [info.article for info in store.articles()] == ["a", "b"]
    assert store.text("a") == TEXT


def test_forgetting_what_was_removed_before(store, tmp_path):
    put(store, article("diary", "Zanzibarquux " * 30))
    store.remove("diary")
    assert b"Zanzibarquux" in on_disk(tmp_path)
    store.remove("diary", forget=True)
    assert b"Zanzibarquux" not in on_disk(tmp_path)


def test_forgetting_keeps_a_text_that_another_article_has(store):
    put(store, article("a", TEXT))
    put(store, article("b", TEXT))
    store.remove("a", forget=True)
    assert store.text("b") == TEXT


def test_vectors_become_halves_in_article_and_start_order(store):
    one = np.array([[0.6, 0.8], [1 / 3, 0.9]], np.float32)
    store.put(article("b", "x" * 20), [(10, 20), (0, 10)], one)
    store.put(article("a", "y" * 20), [(5, 20)], np.array([[1, 0]], np.float16))
    contents = store.read()
    assert [info.info.article for info in contents.articles] == ["a", "b"]
    assert contents.owner.tolist() == [0, 1, 1]
    assert list(zip(contents.starts.tolist(), contents.ends.tolist(), strict=True)) == [
        (5, 20),
        (0, 10),
        (10, 20),
    ]
    assert contents.vectors.dtype == np.float16
    # 0.6 = 1229 / 2048 in float16
    assert contents.vectors[2].tolist() == [1229 / 2048, np.float16(0.8)]
    assert contents.vectors[1].tolist() == one[1].astype(np.float16).tolist()
    assert store.read(vectors=False).vectors is None


def test_an_empty_index_reads_as_empty(store):
    contents = store.read()
    assert (contents.articles, contents.vectors.shape, contents.stamp.generation) == ((), (0, 0), 0)


@pytest.mark.parametrize(
    ("ranges", "vectors", "message"),
    [
        ([(0, 5)], None, "1 passages need as many vectors, got shape None"),
        ([(0, 5)], np.zeros((2, 4), np.float32), r"1 passages need as many vectors, got shape \(2, 4\)"),
        ([(0, 5)], np.zeros(4, np.float32), r"got shape \(4,\)"),
        ([(0, 5), (0, 5)], np.zeros((2, 4), np.float32), "two passages have the same range"),
        ([(0, 1000)], np.zeros((1, 4), np.float32), "outside the text"),
        ([(5, 5)], np.zeros((1, 4), np.float32), "or empty"),
        ([(-1, 5)], np.zeros((1, 4), np.float32), "outside the text"),
        ([(0, 5)], np.array([[np.nan, 1]], np.float32), "not finite"),
        ([(0, 5)], np.array([[1e6, 1]], np.float32), "not finite in float16"),
        ([(0, 5)], np.ones((1, 3), np.float32), "vectors of 3 dimensions, but the index has 16"),
    ],
)
@pytest.mark.filterwarnings("ignore:overflow")
def test_what_does_not_fit_is_refused_and_changes_nothing(store, ranges, vectors, message):
    put(store, article("a", TEXT))
    before = store.stamp()
    with pytest.raises(ValueError, match=message):
        store.put(article("b", TEXT), ranges, vectors)
    with store.write(), pytest.raises(ValueError, match=message):  # the caller may go on with the group
        store.put(article("a", TEXT + " New."), ranges, vectors)
    assert store.stamp() == before
    assert store.text("a") == TEXT


def test_text_that_is_no_unicode(store):
    with pytest.raises(ArticleError, match="no Unicode character"):
        store.put(article("a", "bad \ud800", title="Bad"), [(0, 3)], np.zeros((1, 2), np.float32))
    name = "file\udcff.txt"  # a file name that is not UTF-8
    put(store, article("a", TEXT, title=name, source=name))
    assert store.article("a").title == "file?.txt"
    put(store, article("a", TEXT, title=name, source=name))
    assert store.generation() == 1


def test_several_puts_are_one_commit_or_none(store):
    with store.write():
        put(store, article("a", TEXT))
        put(store, article("b", TEXT))
    assert store.generation() == 1

    def fail_after():
        with store.write():
            put(store, article("c", TEXT))
            store.remove("a")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_after()
    assert store.generation() == 1
    assert [info.article for info in store.articles()] == ["a", "b"]


def test_a_read_sees_one_commit_while_another_writes(store, tmp_path):
    writer = opened(tmp_path)
    put(store, article("a", TEXT))
    with writer.write():
        put(writer, article("b", TEXT))
        assert [info.article for info in store.articles()] == ["a"]
        assert len(store.read().articles) == 1
        with pytest.raises(IndexBusyError):
            put(store, article("c", TEXT))
    assert [info.article for info in store.articles()] == ["a", "b"]
    assert store.stamp() == writer.stamp()
    writer.close()


def test_a_missing_index(tmp_path):
    with pytest.raises(IndexMissingError, match="python -m qa index --index"):
        opened(tmp_path / "none", create=False)


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"encoder": "E2"}, "encoder 'E1', not 'E2'"),
        ({"passage_settings": "P2"}, "passage settings 'P1', not 'P2'"),
    ],
)
def test_another_encoder_or_other_settings_are_refused(tmp_path, changed, named):
    opened(tmp_path).close()
    with pytest.raises(
        IndexMismatchError, match=f"made with {named}; use those, or rebuild it: python -m qa index"
    ):
        opened(tmp_path, **changed)
    opened(tmp_path).close()


def test_rebuilding_keeps_the_articles_and_asks_for_vectors(tmp_path):
    store = opened(tmp_path)
    made = article("a", TEXT, title="A")
    put(store, made)
    put(store, article("b", TEXT))
    store.remove("b")
    token, added = store.stamp().token, store.articles()[0].added
    store.close()
    store = opened(tmp_path, encoder="E2", rebuild=True)
    assert store.stamp().token != token
    assert store.stale() == ["a"]
    assert store.article("a") == made
    assert not store.has("a", made.version)
    assert len(store.read().owner) == 0
    store.put(made, [(0, 9)], np.ones((1, 5), np.float32))  # of another dimension, too
    assert (store.stale(), store.articles()[0].added) == ([], added)
    store.close()
    with pytest.raises(IndexMismatchError):
        opened(tmp_path)
    opened(tmp_path, encoder="E2", rebuild=True).close()  # nothing to rebuild, nothing lost
    store = opened(tmp_path, encoder="E2")
    assert len(store.read().owner) == 1
    store.close()


def test_an_altered_text_is_noticed(store, tmp_path):
    put(store, article("a", TEXT))
    store.close()
    content = (tmp_path / FILE).read_bytes()
    (tmp_path / FILE).write_bytes(content.replace(b"about a river", b"about a liver"))
    damaged = opened(tmp_path)
    with pytest.raises(ArticleIndexError, match="was altered; move it away"):
        damaged.text("a")
    damaged.close()


def test_pages_of_garbage_are_one_clear_error(store, tmp_path):
    for i in range(30):
        put(store, article(f"a{i}", TEXT * 20 + str(i)))
    store.close()
    size = (tmp_path / FILE).stat().st_size
    with (tmp_path / FILE).open("r+b") as file:
        file.seek(8192)
        file.write(b"\xff" * (size - 8192))
    with pytest.raises(ArticleIndexError) as caught:
        opened(tmp_path).read()
    assert "\n" not in str(caught.value)
