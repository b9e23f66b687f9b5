"""Both kinds of index promise the same: the same articles, the same questions, the same answers and references."""

from __future__ import annotations

import dataclasses
from datetime import timedelta

import pytest
from index_helpers import SETTINGS, article, cut, embed, vector

pytest.importorskip("milvus_lite", reason="needs pip install -r requirements-milvus.txt")

from qa import folders
from qa.articles import from_text
from qa.backend import open_backend
from qa.pipeline import open_index
from qa.types import NotFoundError

pytestmark = pytest.mark.slow

PLACES = ("index", "index.db")  # a folder, and a Milvus Lite
SLOGAN = "Welcome to the daily valley news. "
STORIES = [
    "The mill at Orlo was built by Anna Petrova in 1732. It burnt down in the great fire of 1801, and stayed a ruin.",
    "The bridge of Tarn carries 9,000 carts a day. Its keeper is Olaf Brandt, who has no deputy and wants none.",
    "A tower of 312 metres stands at Almora. Greta Lindqvist drew it on the back of a menu, between two courses.",
]
JAPANESE = "東京タワーは1958年に完成した。高さは333メートルである。設計者は内藤多仲。"
ASKED = (
    "where does niu jun work", "who is rex tillerson", "who built the mill", "when did the mill burn down",
    "who is the keeper of the bridge", "how tall is the tower", "what did greta lindqvist draw",
    "東京タワーの高さは", "who swam across the lake", "missile", "how many carts cross the bridge of tarn each day",
)  # fmt: skip


def texts():
    """Articles of every kind: with a shared beginning, without blanks, very long, of many bytes a character."""
    made = [from_text(SLOGAN + story, title=f"Story {n}") for n, story in enumerate(STORIES)]
    made.append(from_text(JAPANESE, title="塔"))
    # Words of 360 bytes, each one token: very long for Milvus, and quickly embedded.
    long = " ".join("ქ" * 120 + str(n) for n in range(400))
    assert len(long.encode()) > 2 * 65_535
    made.append(from_text(f"{long} The last sack went to Beatrix Holm.", title="Ledger"))
    made.append(
        dataclasses.replace(
            made[0], id="masked", title="Masked", masks=((35, 60),), locators=((35, "page 2"),)
        )
    )
    return made


def shown(answer):
    return near({name: value for name, value in answer.to_json().items() if name != "timings_ms"})


def near(value):
    """The same, with its numbers rounded: the order of a sum may change its last bits."""
    if isinstance(value, float):
        return pytest.approx(value, abs=2e-3)
    if isinstance(value, dict):
        return {name: near(each) for name, each in value.items()}
    return [near(each) for each in value] if isinstance(value, list) else value


@pytest.fixture(scope="module")
def pipelines(tmp_path_factory, seeds):
    """Both, with the same articles put into them in the same order."""
    folder = tmp_path_factory.mktemp("both")
    with (
        open_index(folder / PLACES[0], create=True) as local,
        open_index(folder / PLACES[1], create=True) as other,
    ):
        for pipeline in (local, other):
            pipeline.add([*seeds, *texts()])
        yield local, other


def test_the_same_answers_and_references(pipelines):
    local, other = pipelines
    answered = 0
    for question in ASKED:
        expected = shown(local.ask(question))
        assert shown(other.ask(question)) == expected
        answered += not expected["abstained"]
    assert answered >= 6


def test_the_same_in_some_articles_and_after_a_question(pipelines):
    local, other = pipelines
    some = [info.article for info in local.articles()][::2]
    history = [["who built the mill", "Anna Petrova"]]
    for question in ASKED[:4]:
        assert shown(other.ask(question, articles=some)) == shown(local.ask(question, articles=some))
    assert shown(other.ask("when did it burn down", history)) == shown(
        local.ask("when did it burn down", history)
    )
    assert other.search("the mill", 20) == near(local.search("the mill", 20))
    pattern = next(info.source for info in local.articles() if info.title == "Ledger")[:-1] + "*"
    assert shown(other.ask("who", articles=[pattern])) == shown(local.ask("who", articles=[pattern]))


def test_the_same_of_quotes_and_references(pipelines):
    local, other = pipelines
    cited = [c.ref for question in ASKED for c in local.ask(question).citations]
    assert cited
    for ref in cited:
        assert other.verify(ref) == local.verify(ref)
        assert other.verify(ref).state == "unchanged"
    for quote in (
        "drew it on the back of a menu",
        "drew it on the back of a napkin",
        "never said",
        "設計者は内藤多仲",
    ):
        assert other.verify_quote(quote) == local.verify_quote(quote)


def test_long_texts_come_back_whole(pipelines):
    for pipeline in pipelines:
        for made in texts():
            assert pipeline.text(made.id) == made.text
            assert pipeline.index.article(made.id) == made
    local, other = pipelines
    slogan = ((0, len(f"{SLOGAN}The")),)
    for pipeline in pipelines:
        assert pipeline.index.snapshot.masks(texts()[1].id) == slogan
    timed = [[dataclasses.replace(info, added="") for info in pipeline.articles()] for pipeline in pipelines]
    assert timed[0] == timed[1]
    assert other.info() == local.info()
    assert other.index.paths() == local.index.paths() != {}


# ---- changes


def learned(index, questions=("river", "common words of all", "the sea", "zebra", "a b c d e f g h i j")):
    """All that a question can learn, by places: rows number passages each kind in its own way."""
    snapshot = index.snapshot
    names = [info.article for info in snapshot.articles]
    found = [(info.article, info.version, info.passages) for info in snapshot.articles]
    values: list[float] = []
    for question in questions:
        found.append(dict(snapshot.weigh(question).weights))
        found.append(snapshot.holding(question))
        for allowed in (None, names[::2], ["nobody", "\ud800"]):
            nearest = snapshot.dense(vector(question), 5, allowed)
            words = snapshot.bm25(question, 5, allowed)
            for rows, scores in (nearest, words):
                found.append([snapshot.passage(row) for row in rows])
                values += scores.tolist()
            rows = snapshot.in_order(words[0])
            values += snapshot.bm25_scores(question, rows).tolist()
            values += snapshot.cosines(vector(question), rows).tolist()
    found.append({name: snapshot.masks(name) for name in names})
    return [found, len(snapshot), snapshot.article_count, snapshot.generation], values


def put(index, made):
    ranges = cut(made.text)
    return index.put(made, ranges, embed(made.text, ranges))


def several(index):
    with index.write():
        put(index, article("d", "The zebra drinks from the river at dawn, and the sea is far away."))
        put(index, article("d", "The zebra drinks from the sea."))
        index.remove("b")


def undone(index):
    def fail():
        with index.write():
            put(index, article("never", "The sea was never here."))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()


A = article(
    "a", f"{SLOGAN} The river flows from the hills to the sea, past two towns and a mill of stone, and on."
)
B = article("b", f"{SLOGAN} Nobody had seen a zebra in the valley before the circus came there by train.")
STEPS = [
    lambda index: put(index, A),
    lambda index: put(index, B),
    lambda index: put(index, A),
    lambda index: put(index, dataclasses.replace(A, title="Other title", masks=((60, 66),))),
    lambda index: put(index, dataclasses.replace(A, text=A.text + " And the river froze.")),
    several,
    undone,
    lambda index: put(index, article("f", "Forget the river, forget the sea.")),
    lambda index: index.remove("f", forget=True),
    lambda index: put(index, A),
    lambda index: index.delete_old(timedelta(0)),
    lambda index: put(index, B),
]  # fmt: skip


def test_the_same_after_every_change(tmp_path):
    """One step after another, in both; what each says it did is the same, too."""
    with (
        open_and_close(tmp_path / PLACES[0]) as local,
        open_and_close(tmp_path / PLACES[1]) as other,
    ):
        masked = False
        for number, step in enumerate(STEPS):
            said = [step(index) for index in (local, other)]
            if isinstance(said[0], list):
                said = [[(old.article, old.version, old.characters) for old in each] for each in said]
            assert said[0] == said[1], number
            (found, values), (expected, scores) = learned(other), learned(local)
            assert found == expected, number
            masked = masked or any(found[0][-1].values())
            assert values == pytest.approx(scores, abs=2e-5), number
            kept = [[(o.article, o.version) for o in i.old_versions(timedelta(0))] for i in (local, other)]
            assert kept[0] == kept[1], number
        assert masked


def open_and_close(place):
    return open_backend(place, **SETTINGS, create=True)


@pytest.mark.parametrize("place", PLACES)
def test_what_is_gone(tmp_path, place):
    with open_and_close(tmp_path / place) as index:
        put(index, A)
        newer = dataclasses.replace(A, text="Quite another text about the river.")
        put(index, newer)
        assert index.text("a", A.version[:12]) == A.text
        index.remove("a")
        assert index.text("a", newer.version[:12]) == newer.text
        assert not index.has("a", newer.version)
        for call in (index.article, index.text, index.remove):
            with pytest.raises(NotFoundError, match="no article 'a'"):
                call("a")
        index.remove("a", forget=True)
        with pytest.raises(NotFoundError, match="version"):
            index.text("a", A.version[:12])
        with pytest.raises(NotFoundError):
            index.remove("a", forget=True)
        assert put(index, A) == "added"
        assert index.text("a") == A.text
    with open_backend(tmp_path / place, **SETTINGS) as again:
        assert [info.article for info in again.articles()] == ["a"]
        assert again.snapshot.bm25("river", 5)[0].size


@pytest.mark.parametrize("place", PLACES)
def test_a_put_is_refused_whole(tmp_path, place):
    with open_and_close(tmp_path / place) as index:
        for ranges, vectors in (
            ([(0, 5)], None),
            ([(0, 5), (0, 5)], embed(A.text, [(0, 5), (0, 5)])),
            ([(0, 10**6)], embed("x", [(0, 1)])),
        ):
            with pytest.raises(ValueError, match="passage"):
                index.put(A, ranges, vectors)
        assert index.articles() == []
        assert len(index.snapshot) == 0


# ---- workers


@pytest.mark.usefixtures("loaded_models")
def test_two_shards_fill_one_index(tmp_path):
    """One worker after another: in this order or that, and again; the same as one alone."""
    folder = tmp_path / "articles"
    folder.mkdir()
    for number, story in enumerate(STORIES):
        (folder / f"{number}.txt").write_text(SLOGAN + story, encoding="utf-8")
    with open_index(tmp_path / PLACES[0], create=True) as whole:
        folders.run(whole, folders.plan(whole, [folder]))
        expected = [shown(whole.ask(question)) for question in ASKED[2:5]]
    added = []
    for worker in (2, 1, 1, 2):
        with open_index(tmp_path / PLACES[1], create=True) as shard:
            report = folders.run(shard, folders.plan(shard, [folder], shard=(worker, 2)))
            added.append(len(report.added))
            assert not report.failed
            answers = [shown(shard.ask(question)) for question in ASKED[2:5]]
    assert added[2:] == [0, 0]
    assert sum(added) == 3
    for answer, other in zip(answers, expected, strict=True):
        assert {**answer, "index": None} == {**other, "index": None}
