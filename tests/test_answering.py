import math
from dataclasses import replace

import pytest
from index_helpers import SETTINGS, article, put

from qa.answering import (
    Candidate,
    answer_words,
    candidates,
    cite,
    cite_range,
    decide,
    features,
    nearest,
    span_score,
)
from qa.calibration import FEATURES, Calibration, Ranking
from qa.index import Index
from qa.types import Answer, Hit, NotFoundError, Passage, Span, VerbatimError

PLAIN = Ranking(null=0.0, retrieval=0.0)  # spans are ordered by their own score


def hit(article="a", start=0, end=1000, fused=0.0, dense=0.5, bm25=1.0, text=""):
    return Hit(Passage(article, "v", start, end, text), fused, dense, bm25)


def span(text, score=0.0, start=0, article="a", null=0.0, of=None):
    return Span(of or hit(article), start, start + len(text), text, score, null)


def merged(*spans, ranking=PLAIN):
    """(score, words, places) of each answer."""
    return [
        (c.score, " ".join(c.words), [(s.hit.passage.article, s.start, s.end) for s in c.spans])
        for c in candidates(spans, ranking)
    ]


# --- scores


def test_a_spans_score():
    one = span("x", 8.0, null=3.0, of=hit(fused=0.75))
    assert span_score(one, Ranking(null=0.5, retrieval=10.0)) == 8 - 0.5 * 3 + 10 * 0.75 == 14
    assert span_score(one, PLAIN) == 8


def test_the_ranking_decides_the_order():
    sure, near = span("one", 5.0, 0, of=hit(fused=0.1)), span("two", 4.0, 50, of=hit("b", fused=0.9))
    assert [c.best.text for c in candidates([sure, near], PLAIN)] == ["one", "two"]
    assert [c.best.text for c in candidates([sure, near], Ranking(0, 10))] == ["two", "one"]
    denied = span("one", 5.0, 0, null=4.0)
    assert [c.best.text for c in candidates([denied, near], Ranking(0.5, 0))] == ["two", "one"]


# --- merging


def test_no_spans():
    assert candidates([], PLAIN) == []


def test_places_that_overlap_are_one():
    assert merged(
        span("xi jinping", 5.0, 10),
        span("president xi jinping", 4.0, 0),
        span("jinping spoke", 3.0, 13),
    ) == [(5.0, "xi jinping", [("a", 10, 20)])]


def test_the_same_place_from_two_windows_is_one():
    first, second = hit(start=0, end=100), hit(start=50, end=150)
    assert merged(span("1723", 4.0, 60, of=first), span("1723", 5.0, 60, of=second)) == [
        (5.0, "1723", [("a", 60, 64)])
    ]


def test_places_that_touch_or_lie_in_two_articles_do_not_overlap():
    assert [c[2] for c in merged(span("one", 2.0, 0), span("two", 1.0, 3))] == [[("a", 0, 3)], [("a", 3, 6)]]
    assert len(merged(span("one", 2.0, 0), span("two", 1.0, 0, article="b"))) == 2


def test_what_a_lesser_place_overlaps_is_not_lost():
    # "b c" gives way to "a b"; "c d" overlaps only "b c", which is not shown.
    assert merged(span("aa bb", 3.0, 0), span("bb cc", 2.0, 3), span("cc dd", 1.0, 6)) == [
        (3.0, "aa bb", [("a", 0, 5)]),
        (1.0, "cc dd", [("a", 6, 11)]),
    ]


def test_the_same_words_are_one_answer_with_all_its_places():
    assert merged(
        span("The Mill", 3.0, 100, article="b"),
        span("mill.", 4.0, 5),
        span("a tower", 3.5, 40),
        span("MILL", 1.0, 70),
    ) == [
        (4.0, "mill", [("a", 5, 10), ("b", 100, 108), ("a", 70, 74)]),
        (3.5, "tower", [("a", 40, 47)]),
    ]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("nikki haley", "ambassador nikki haley", True),
        ("haley", "nikki haley", True),  # half of it
        ("haley", "ambassador nikki haley", False),  # a third
        ("nikki haley", "u n ambassador nikki haley", False),  # two of five
        ("ambassador haley", "ambassador nikki haley", False),  # not together
        ("haley nikki", "nikki haley", False),
        ("40 percent", "40", True),
        ("40 percent", "90 percent", False),
        ("40", "400", False),
        ("the mill", "Mill!", True),
        ("the", "The", True),
        ("the", "a", False),
    ],
)
def test_when_two_wordings_are_one_answer(one, other, same):
    for first, second in ((one, other), (other, one)):
        found = merged(span(first, 2.0, 0), span(second, 1.0, 100))
        assert len(found) == (1 if same else 2)
        assert found[0][1] == " ".join(answer_words(first))


def test_answers_come_best_first():
    assert [c[:2] for c in merged(span("one", 1.0, 0), span("two", 3.0, 10), span("three", 2.0, 20))] == [
        (3.0, "two"),
        (2.0, "three"),
        (1.0, "one"),
    ]


def test_ties_go_by_article_and_place():
    tied = [
        span("one", 1.0, 10, "b"),
        span("two", 1.0, 30),
        span("three", 1.0, 20),
        span("four", 1.00001, 0, "c"),
    ]
    for spans in (tied, tied[::-1]):
        assert [c[1] for c in merged(*spans)] == ["three", "two", "one", "four"]


def test_punctuation_is_no_answer():
    assert merged(span("...", 9.0, 0), span("—", 8.0, 10), span("1723", 1.0, 20)) == [
        (1.0, "1723", [("a", 20, 24)])
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("The U.S. Mill", ("u", "s", "mill")),
        ("a mill, an ox & the Fox", ("mill", "ox", "fox")),
        ("the", ("the",)),
        ("Straße", ("strasse",)),
        ("北京", ("北京",)),
        ("...", ()),
    ],
)
def test_words_as_they_compare(text, words):
    assert answer_words(text) == words


# --- features


class Weights:
    """Of the words of a question, 4 in all: the share that a text holds."""

    def __init__(self, total=4.0, **shares):
        self.total, self._shares = total, shares

    def __call__(self, text):
        return self._shares[text]


WORDS = Weights(near=0.25, far=0.75)
HITS = [hit("a", fused=1.0, dense=0.4, bm25=3.0, text="near"), hit("b", dense=0.6, bm25=0.0, text="far")]
FIRST = [span("xi jinping", 8.0, 0, null=2.0, of=HITS[0]), span("xi", 3.0, 0, null=4.0, of=HITS[1])]


def found():
    return [
        Candidate(FIRST, 18.0, ("xi", "jinping")),
        Candidate([span("kim", 5.0, 50, of=HITS[0])], 14.5, ("kim",)),
        Candidate([span("wang", -9.0, 70, of=HITS[0])], 1.0, ("wang",)),
    ]


def test_features_of_the_best_place_of_the_best_answer():
    every = found()
    assert tuple(features(every[0], FIRST[0], every, HITS, WORDS)) == FEATURES
    assert features(every[0], FIRST[0], every, HITS, WORDS) == {
        "margin": 6.0,
        "score": 8.0,
        "cosine": 0.4,
        "bm25": 0.75,
        "coverage": 0.25,
        "best_cosine": 0.6,
        "rank": 0.0,
        "gap": 3.0,
        "agreement": math.log(2),
        "length": math.log(2),
    }


def test_features_of_another_place_and_another_answer():
    every = found()
    place = features(every[0], FIRST[1], every, HITS, WORDS)
    assert (place["margin"], place["cosine"], place["bm25"], place["coverage"]) == (-1, 0.6, 0, 0.75)
    assert (place["rank"], place["gap"]) == (math.log(2), -2)
    other = features(every[1], every[1].best, every, HITS, WORDS)
    assert (other["gap"], other["agreement"], other["length"]) == (-3, 0, 0)


def test_the_gap_has_a_limit_and_a_lone_answer_none():
    every = found()
    assert features(every[2], every[2].best, every, HITS, WORDS)["gap"] == -10
    assert features(every[0], FIRST[0], every[::2], HITS, WORDS)["gap"] == 10
    assert features(every[0], FIRST[0], every[:1], HITS, WORDS)["gap"] == 0


def test_a_question_whose_words_are_nowhere():
    every = found()
    assert features(every[0], FIRST[0], every, HITS, Weights(0.0, near=0.0))["bm25"] == 0


# --- citations

TEXT = "Nobody knows. " + "The mill was built in 1723 by Anna Petrova. " * 30


@pytest.fixture
def snapshot(tmp_path):
    with Index.open(tmp_path, **SETTINGS, create=True) as index:
        known = {"title": "The mill", "source": "news/mill.txt", "date": "2020-01-02"}
        put(index, article("mill", TEXT, locators=((0, "page 1"), (100, "page 2"), (500, "page 3")), **known))
        put(index, article("bare", "1723 it was"))
        yield index.snapshot


def in_mill(start, end, text=None):
    passage = Passage("mill", "v", 0, 200, TEXT[:200])
    return Span(Hit(passage, 0, 0, 0), start, end, TEXT[start:end] if text is None else text, 1.0, 0.0)


def test_citations_name_place_article_and_page(snapshot):
    second = TEXT.index("1723", 100)
    bare = Span(hit("bare"), 0, 4, "1723", 0.5, 0.0)
    first, other, last = cite(
        snapshot, Candidate([in_mill(36, 40), in_mill(second, second + 4), bare]), [0.9877, None, 0]
    )
    assert (first.start, first.end, first.text, first.locator, first.confidence) == (
        36,
        40,
        "1723",
        "page 1",
        0.9877,
    )
    assert (other.start, other.text, other.locator, other.confidence) == (second, "1723", "page 2", None)
    assert (first.title, first.source, first.date) == ("The mill", "news/mill.txt", "2020-01-02")
    assert first.version == snapshot.article("mill").info.version
    assert first.passage == Passage("mill", "v", 0, 200, TEXT[:200])
    assert first.ref == f"mill@{first.version[:12]}#36-40"
    assert (last.article, last.locator, last.date, last.confidence) == ("bare", None, None, 0)


def test_a_quote_that_is_not_the_articles_text_is_never_shown(snapshot):
    for wrong in (
        in_mill(36, 40, "1724"),
        in_mill(35, 39, "1723"),
        in_mill(36, 40, "1723 "),
        in_mill(36, 40, ""),
    ):
        with pytest.raises(VerbatimError, match="mill@") as caught:
            cite(snapshot, Candidate([in_mill(36, 40), wrong]), [0.5, 0.5])
        assert "\n" not in str(caught.value)


def test_every_place_needs_its_probability(snapshot):
    with pytest.raises(ValueError, match="shorter"):
        cite(snapshot, Candidate([in_mill(36, 40), in_mill(80, 84)]), [0.5])


def test_an_article_that_is_not_there(snapshot):
    with pytest.raises(NotFoundError, match="'none'"):
        cite_range(snapshot, "none", 0, 4)


@pytest.mark.parametrize(("place", "page"), [(0, "page 1"), (99, "page 1"), (100, "page 2"), (501, "page 3")])
def test_the_page_of_a_place(snapshot, place, page):
    assert cite_range(snapshot, "mill", place, place + 3).locator == page


def test_some_text_around_a_place_without_a_passage(snapshot):
    middle = cite_range(snapshot, "mill", 600, 604).passage
    assert (middle.start, middle.end, middle.text) == (300, 904, TEXT[300:904])
    assert middle.version == snapshot.article("mill").info.version
    early, late = (
        cite_range(snapshot, "mill", 36, 40).passage,
        cite_range(snapshot, "mill", 1300, 1310).passage,
    )
    assert (early.start, early.end) == (0, 340)
    assert (late.start, late.end) == (1000, len(TEXT))


def test_the_nearest_passage(snapshot):
    row = next(r for r in range(len(snapshot)) if snapshot.passage(r).article == "mill")
    passage = snapshot.passage(row + 1)
    shown = nearest(snapshot, Hit(passage, 0.5, 0.5, 0.5))
    assert (shown.start, shown.end, shown.text) == (passage.start, passage.end, passage.text)
    assert shown.passage == passage
    assert shown.confidence is None


# --- the decision

BASE = Answer("when?", "when?", None, None, True, None, warnings=("long",), index={"articles": 2})
BY_MARGIN = Calibration({}, PLAIN, {"margin": (0.0, 1.0, 1.0)}, 0.0, threshold=0.75)  # 1 / (1 + exp(-margin))
MILL = Hit(Passage("mill", "v", 0, 200, TEXT[:200]), 1.0, 0.5, 2.0)
BARE = Hit(Passage("bare", "v", 0, 11, "1723 it was"), 0.0, 0.4, 0.0)


def said(words, score, null=0.0, of=MILL, after=0):
    start = (TEXT if of is MILL else "1723 it was").index(words, after)
    return Span(of, start, start + len(words), words, score, null)


SPANS = [
    said("1723", 2.0),
    said("1723", 1.0, of=BARE),
    said("Anna Petrova", 1.5, null=3.0),
    said("Nobody", -4.0),
]


def decided(snapshot, spans=SPANS, hits=(MILL, BARE), calibration=BY_MARGIN, why=None, top_k=5, least=None):
    return decide(BASE, snapshot, hits, spans, calibration, why, top_k, least)


def test_an_answer_with_its_places_and_the_others(snapshot):
    answer = decided(snapshot)
    assert (answer.answer, answer.confidence, answer.abstained, answer.reason) == (
        "1723",
        0.8808,
        False,
        None,
    )
    assert [(c.article, c.start, c.text, c.confidence) for c in answer.citations] == [
        ("mill", 36, "1723", 0.8808),
        ("bare", 0, "1723", 0.7311),
    ]
    assert [(a.answer, a.confidence, len(a.citations)) for a in answer.alternatives] == [
        ("Anna Petrova", 0.1824, 1),
        ("Nobody", 0.018, 1),
    ]
    assert (answer.nearest, answer.warnings, answer.index) == (None, ("long",), {"articles": 2})


def test_the_calibrations_ranking_is_used(snapshot):
    null = Calibration({}, Ranking(null=-1.0, retrieval=0.0), BY_MARGIN.features, 0.0, 0.0)
    assert decided(snapshot, calibration=null).answer == "Anna Petrova"  # 1.5 + 3


def test_declined_below_the_threshold(snapshot):
    for least, declined in (
        (None, False),
        (0.88, False),
        (0.8808, False),
        (0.881, True),
        (1, True),
        (0, False),
    ):
        assert decided(snapshot, least=least).abstained is declined
    answer = decided(snapshot, spans=SPANS[2:])
    assert (answer.answer, answer.confidence, answer.abstained) == (None, 0.1824, True)
    assert (answer.reason, answer.citations, answer.alternatives) == ("low_confidence", (), ())
    assert (answer.nearest.start, answer.nearest.end, answer.nearest.text) == (0, 200, TEXT[:200])
    assert decided(snapshot, spans=SPANS[2:], least=0).answer == "Anna Petrova"


def test_nothing_found(snapshot):
    answer = decided(snapshot, hits=(), spans=())
    assert (answer.abstained, answer.reason, answer.nearest, answer.confidence) == (
        True,
        "nothing_retrieved",
        None,
        None,
    )
    for spans in ((), [said(".", 9.0)]):
        answer = decided(snapshot, spans=spans)
        assert (answer.abstained, answer.reason, answer.nearest.text) == (True, "no_span", TEXT[:200])


def test_nothing_near(snapshot):
    """Far in meaning and in words; no word of the question is in either passage."""

    def asked(cosine, spans, least=None):
        far = {hit.passage.article: replace(hit, dense=cosine) for hit in (MILL, BARE)}
        spans = [replace(span, hit=far[span.hit.passage.article]) for span in spans]
        return decided(snapshot, spans=spans, hits=tuple(far.values()), least=least)

    for spans in (SPANS[2:], ()):
        answer = asked(0.29, spans)
        assert (answer.reason, answer.nearest, answer.confidence) == ("nothing_retrieved", None, None)
    assert asked(0.29, SPANS[2:], least=0).answer == "Anna Petrova"
    assert asked(0.31, SPANS[2:]).reason == "low_confidence"
    assert asked(0.31, ()).reason == "no_span"
    # One that is likely is near enough, whoever wants it to be likelier.
    assert asked(0.29, SPANS, least=0.9).reason == "low_confidence"


def test_without_a_calibration_only_the_null_score_declines(snapshot):
    answer = decided(snapshot, calibration=None, why="not calibrated")
    assert (answer.answer, answer.confidence, answer.warnings) == ("1723", None, ("long", "not calibrated"))
    assert [c.confidence for c in answer.citations] == [None, None]
    denied = [said("1723", 2.0, null=2.0)]
    answer = decided(snapshot, spans=denied, calibration=None, why="not calibrated")
    assert (answer.answer, answer.confidence, answer.reason) == (None, None, "low_confidence")
    assert answer.warnings == ("long", "not calibrated")
    assert decided(snapshot, spans=denied, calibration=None, least=0).answer == "1723"
    assert decided(snapshot, spans=[said("1723", 2.1, null=2.0)], calibration=None).answer == "1723"


def test_top_k_limits_only_the_others(snapshot):
    words = ["Nobody", "knows", "mill", "built", "1723", "Anna", "Petrova"]
    spans = [said(word, 9.0 - i) for i, word in enumerate(words)]
    every = decided(snapshot, spans=spans, top_k=50)
    assert [a.answer for a in every.alternatives] == words[1:5]
    for top_k in (1, 2, 3, 5, 50):
        answer = decided(snapshot, spans=spans, top_k=top_k)
        assert (answer.answer, answer.confidence) == (every.answer, every.confidence) == ("Nobody", 0.9999)
        assert answer.alternatives == every.alternatives[: top_k - 1]
