from __future__ import annotations

import random
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from index_helpers import SETTINGS, article, put, vector

from qa.index import Index
from qa.quoting import LONGEST, MOST_PLACES, Change, check_quote, words_of
from qa.types import QuestionError

MILL = (
    "The river flows from the hills to the sea. Anna Petrova built the mill in 1732, and it burned down in 1810. "
    "Nobody knows how old the river is; “nobody at all”, said Anna Petrova."
)
RAW = "the mill was built by anna petrova in 1732 said the miller it doesn t grind any more"
CN = "他们在山谷里建了一座磨坊，后来磨坊被烧毁了。"


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory):
    with Index.open(tmp_path_factory.mktemp("quotes"), **SETTINGS, create=True) as made:
        for name, text in {"mill": MILL, "raw": RAW, "cn": CN}.items():
            put(made, article(name, text, locators=((0, "page 1"),)))
        yield made.snapshot


def check(snapshot, quote, allowed=None):
    """The check; whatever it points at is the text that stands there, and the diff is the quote and that text."""
    found = check_quote(snapshot, quote, allowed)
    assert (found.state == "absent") == (not found.places)
    for place in found.places:
        c = place.citation
        assert snapshot.text(c.article)[c.start : c.end] == c.text
        assert c.passage.text == snapshot.text(c.article)[c.passage.start : c.passage.end]
        only_same = place.diff == (Change("same", found.quote, found.quote),)
        assert (c.text == found.quote) == (found.state == "exact") == only_same
        assert [w for w, _, _ in words_of(" ".join(d.claimed for d in place.diff))] == [
            w for w, _, _ in words_of(found.quote)
        ]
        assert [w for w, _, _ in words_of(" ".join(d.article for d in place.diff))] == [
            w for w, _, _ in words_of(c.text)
        ]
    return found


def places(found):
    return [(p.citation.article, p.citation.start, p.citation.end) for p in found.places]


def test_exact_at_every_place_with_its_punctuation(snapshot):
    found = check(snapshot, " Anna Petrova ")
    assert (found.state, found.quote) == ("exact", "Anna Petrova")
    assert places(found) == [("mill", 43, 55), ("mill", 165, 177)]
    assert found.places[0].citation.ref == f"mill@{found.places[0].citation.version[:12]}#43-55"
    assert found.places[0].citation.locator == "page 1"
    found = check(snapshot, "“nobody at all”, said")
    assert (found.state, places(found)) == ("exact", [("mill", 143, 164)])


@pytest.mark.parametrize(
    ("quote", "place"),
    [
        ("anna petrova BUILT the mill", ("mill", 43, 70)),
        ("Anna Petrova built: the mill!", ("mill", 43, 70)),
        ("Anna   Petrova\nbuilt the mill", ("mill", 43, 70)),
        ("It doesn't grind any more.", ("raw", 59, 84)),
    ],
)
def test_near_in_case_punctuation_and_spacing_alone(snapshot, quote, place):
    found = check(snapshot, quote)
    assert (found.state, places(found), found.places[0].similarity) == ("near", [place], 1.0)
    assert found.places[0].diff == (Change("form", quote, snapshot.text(place[0])[place[1] : place[2]]),)


def test_an_exact_place_comes_alone_though_others_are_near(snapshot):
    assert places(check(snapshot, "the mill")) == [("mill", 62, 70), ("raw", 0, 8)]
    assert places(check(snapshot, "The mill")) == [("mill", 62, 70), ("raw", 0, 8)]
    assert check(snapshot, "The mill").state == "near"


def test_a_changed_number_is_shown_beside_the_true_one(snapshot):
    found = check(snapshot, "Anna Petrova built the mill in 1723")
    assert (found.state, places(found)[0]) == ("near", ("mill", 43, 78))
    assert found.places[0].diff == (
        Change("same", "Anna Petrova built the mill in", "Anna Petrova built the mill in"),
        Change("replace", "1723", "1732"),
    )
    assert found.places[0].similarity == 0.943  # of 35 characters two differ


def test_words_left_out_and_put_in(snapshot):
    found = check(snapshot, "the river always flows from the hills to the sea", ["mill"])
    assert [(d.op, d.claimed, d.article) for d in found.places[0].diff] == [
        ("form", "the river", "The river"),
        ("delete", "always", ""),
        ("same", "flows from the hills to the sea", "flows from the hills to the sea"),
    ]
    found = check(snapshot, "Nobody knows old the river is", ["mill"])
    assert [(d.op, d.claimed, d.article) for d in found.places[0].diff] == [
        ("same", "Nobody knows", "Nobody knows"),
        ("insert", "", "how"),
        ("same", "old the river is", "old the river is"),
    ]


def test_a_long_quote_with_a_few_words_changed(snapshot):
    claimed = MILL.replace("flows", "runs").replace("burned down", "was flooded").replace("old", "deep")
    found = check(snapshot, claimed)
    assert (found.state, places(found)) == ("near", [("mill", 0, len(MILL) - 1)])
    changed = [(d.claimed, d.article) for d in found.places[0].diff if d.op == "replace"]
    assert changed == [("runs", "flows"), ("was flooded", "burned down"), ("deep", "old")]
    assert found.places[0].similarity > 0.85


@pytest.mark.parametrize("quote", ["in 173", "ill in 1732, and it", "iver flows", "he hill"])
def test_part_of_a_word_is_not_what_the_article_says(snapshot, quote):
    assert quote in MILL
    assert check(snapshot, quote).state != "exact"


def test_absent(snapshot):
    assert check(snapshot, "Olaf Brandt sold the brewery to a bank").to_json() == {
        "quote": "Olaf Brandt sold the brewery to a bank", "state": "absent", "places": [], "warnings": []
    }  # fmt: skip
    assert check(snapshot, "grind").state == "exact"
    assert check(snapshot, "grind", ["mill"]).state == "absent"
    assert check(snapshot, "grind", []).state == "absent"


def test_a_script_without_blanks(snapshot):
    assert places(check(snapshot, "建了一座磨坊")) == [("cn", 6, 12)]
    found = check(snapshot, "他们在河谷里建了一座磨坊")
    assert (found.state, places(found)) == ("near", [("cn", 0, 12)])
    assert [(d.claimed, d.article) for d in found.places[0].diff if d.op == "replace"] == [("河", "山")]


def test_accents_composed_or_not(tmp_path):
    with Index.open(tmp_path, **SETTINGS, create=True) as index:
        put(index, article("cafe", "The Cafe\u0301 de Flore was nearly empty, and the stra\u00dfe too."))
        found = check(index.snapshot, "caf\u00e9 de flore was")
        assert (found.state, places(found)) == ("near", [("cafe", 4, 22)])
        found = check(index.snapshot, "the STRASSE too")
        assert (found.state, found.places[0].diff[0].op) == ("near", "form")


def test_across_passages(tmp_path):
    text = " ".join(f"word{i}" for i in range(200))
    with Index.open(tmp_path, **SETTINGS, create=True) as index:
        starts = [text.index(f"word{i}") for i in range(0, 200, 7)]
        ranges = list(zip(starts, [*starts[1:], len(text)], strict=True))
        index.put(article("a", text), ranges, np.stack([vector(str(r)) for r in ranges]))
        for first in range(0, 190, 7):
            quote = " ".join(f"word{i}" for i in range(first, first + 9))
            assert places(check(index.snapshot, quote)) == [
                ("a", text.index(quote), text.index(quote) + len(quote))
            ]


def test_more_places_than_are_given(tmp_path):
    with Index.open(tmp_path, **SETTINGS, create=True) as index:
        put(index, article("a", "so it goes. " * 30))
        found = check(index.snapshot, "So it goes")
        assert len(found.places) == MOST_PLACES
        assert found.warnings == (f"30 places in all; the first {MOST_PLACES} are given",)


@pytest.mark.parametrize("quote", ["", "  \n", "... !", "\0", 7, None])
def test_what_cannot_be_checked(snapshot, quote):
    with pytest.raises(QuestionError, match="the quote"):
        check_quote(snapshot, quote)


def test_too_long(snapshot):
    check(snapshot, "x" * LONGEST)
    with pytest.raises(QuestionError, match=f"{LONGEST + 1} characters; check at most {LONGEST}"):
        check_quote(snapshot, "x" * (LONGEST + 1))


def test_an_empty_index(tmp_path):
    with Index.open(tmp_path, **SETTINGS, create=True) as index:
        assert check(index.snapshot, "anything").state == "absent"


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_whatever_stands_there_is_found_and_nothing_breaks(snapshot, data):
    text = data.draw(st.sampled_from([MILL, RAW, CN]))
    words = words_of(text)
    first = data.draw(st.integers(0, len(words) - 1))
    last = data.draw(st.integers(first, len(words) - 1))
    quote = text[words[first][1] : words[last][2]]
    assert check(snapshot, quote).state == "exact"
    assert check_quote(snapshot, quote.upper()).state in ("exact", "near")
    anything = data.draw(st.text(max_size=200))
    if words_of(anything.replace("\0", " ")):
        check(snapshot, anything)


def test_fast_over_thousands_of_articles(tmp_path):
    """Well under a second, also for a claim whose words are common and which no article makes."""
    draw = random.Random(5)
    vocabulary = [
        "".join(draw.choices("abcdefghijklmnopqrstuvwxyz", k=draw.randint(2, 9))) for _ in range(5000)
    ]
    weights = [1 / (rank + 1) for rank in range(5000)]
    with Index.open(tmp_path, **SETTINGS, create=True) as index:
        with index.write():
            for number in range(3000):
                text = " ".join(draw.choices(vocabulary, weights, k=300))
                index.put(article(f"a{number:04}", text), [(0, len(text))], vector("any")[None])
        snapshot = index.snapshot
        some = snapshot.text("a1234").split()
        quotes = {
            "exact": " ".join(some[100:130]),
            "near": " ".join([*some[100:110], "otherwise", *some[111:130]]),
            "absent": "Olaf Brandt sold the brewery",
        }
        for state, quote in quotes.items():
            started = time.perf_counter()
            assert check(snapshot, quote).state == state
            assert time.perf_counter() - started < 2, state
        assert places(check(snapshot, quotes["near"]))[0][0] == "a1234"
        started = time.perf_counter()
        check(snapshot, " ".join(vocabulary[i] for i in (0, 1, 0, 2, 1, 3, 0)))
        assert time.perf_counter() - started < 5
