import math
import random

import numpy as np
import pytest

from qa.bm25 import BM25, MOST_RANGES, MOST_TERMS

IDF_1_OF_2 = math.log(1 + (2 - 1 + 0.5) / (1 + 0.5))  # ln 2
IDF_2_OF_2 = math.log(1 + (2 - 2 + 0.5) / (2 + 0.5))  # ln 1.2: never zero, never negative


def made(*texts, **settings):
    return BM25.build(enumerate(texts), **settings)


def saturated(tf, length=1.0, average=1.0, k1=1.2, b=0.75):
    return tf * (k1 + 1) / (tf + k1 * (1 - b + b * length / average))


def listed(found):
    return [(int(row), float(score)) for row, score in zip(*found, strict=True)]


def test_scores_by_hand_in_two_passages_of_equal_length():
    index = made("north korea missile", "north china talks")
    assert listed(index.search("korea", 5)) == [(0, pytest.approx(IDF_1_OF_2, rel=1e-6))]
    # A term of both passages still counts; equal scores come in row order.
    assert listed(index.search("north", 5)) == [(row, pytest.approx(IDF_2_OF_2, rel=1e-6)) for row in (0, 1)]
    both = [(1, pytest.approx(IDF_2_OF_2 + IDF_1_OF_2, rel=1e-6)), (0, pytest.approx(IDF_2_OF_2, rel=1e-6))]
    assert listed(index.search("North China?", 5)) == both


def test_scores_by_hand_with_repeated_words_and_other_lengths():
    index = made("war war war peace", "peace treaty")  # lengths 4 and 2, 3 on average
    assert listed(index.search("war", 5)) == [(0, pytest.approx(IDF_1_OF_2 * saturated(3, 4, 3), rel=1e-6))]
    expected = [
        (1, pytest.approx(IDF_2_OF_2 * saturated(1, 2, 3), rel=1e-6)),
        (0, pytest.approx(IDF_2_OF_2 * saturated(1, 4, 3), rel=1e-6)),
    ]
    assert listed(index.search("peace", 5)) == expected


def test_one_passage_alone():
    assert listed(made("a single passage").search("single", 5)) == [
        (0, pytest.approx(math.log(1 + 0.5 / 1.5)))
    ]


def test_a_word_asked_twice_counts_once():
    index = made("north korea missile", "north china talks")
    assert listed(index.search("korea korea KOREA", 5)) == listed(index.search("korea", 5))


def test_scores_of_given_rows_are_those_of_search():
    random.seed(5)
    words = [f"w{i}" for i in range(60)]
    texts = [" ".join(random.choices(words, k=random.randint(3, 40))) for _ in range(300)]
    index = made(*texts)
    for _ in range(30):
        query = " ".join(random.choices(words, k=random.randint(1, 12)))
        rows, scores = index.search(query, 300)
        everything = index.scores(query, range(300))
        assert np.array_equal(everything[rows], scores)
        assert np.count_nonzero(everything) == len(rows)
        assert np.array_equal(index.scores(query, rows[:7][::-1]), scores[:7][::-1])
        # However few are wanted, they are the same rows with the same scores.
        for k in (1, 10, 50):
            few = index.search(query, k)
            assert np.array_equal(few[0], rows[:k])
            assert np.array_equal(few[1], scores[:k])


def test_scores_keep_the_order_given_and_are_zero_without_a_match():
    index = made("north korea missile", "north china talks")
    assert index.scores("korea", [1, 0, 1, 0]).tolist() == pytest.approx([0, IDF_1_OF_2, 0, IDF_1_OF_2])
    assert index.scores("nothing here", [0, 1]).tolist() == [0, 0]
    assert index.scores("korea", []).shape == (0,)


def test_equal_passages_come_in_row_order_and_exactly_k_of_them():
    index = made(*["the same words"] * 40, "other text")
    for k in (1, 7, 40, 100):
        rows, scores = index.search("same words", k)
        assert rows.tolist() == list(range(min(k, 40)))
        assert len(set(scores.tolist())) == 1


@pytest.mark.parametrize("many", [1, 2, MOST_RANGES + 5])
def test_allowed_rows_have_the_scores_of_an_unrestricted_search(many):
    texts = [f"common word{i % 7} " + "filler " * (i % 5) for i in range(400)]
    index = made(*texts)
    allowed = [(i * 10, i * 10 + 3) for i in range(many)]
    inside = {row for start, end in allowed for row in range(start, end)}
    expected = [hit for hit in listed(index.search("common word3", 400)) if hit[0] in inside]
    for k in (1, 5, 400):
        assert listed(index.search("common word3", k, allowed)) == expected[:k]
    assert listed(index.search("common", 5, [])) == []


def test_allowed_rows_are_found_behind_any_number_of_better_ones():
    texts = ["common"] * 1000 + [f"common{' filler' * i}" for i in range(1, 101)]
    allowed = [(row, row + 1) for row in range(1001, 1100, 2)]
    assert len(allowed) > MOST_RANGES
    for k in (1, 5, 50, 80):
        rows, scores = made(*texts).search("common", k, allowed)
        assert sorted(rows.tolist()) == [row for row, _ in allowed[:k]]
        assert sorted(scores.tolist(), reverse=True) == scores.tolist()


@pytest.mark.parametrize(
    "query",
    ["", "   ", "?!... --- ''", "\x00", "\ud800\udfff", "😀😀", "\ufeff", "+-&|!(){}[]^\"~*?:\\/", "unknownword"],
)  # fmt: skip
def test_queries_without_a_known_word_find_nothing(query):
    index = made("north korea missile", "north china talks")
    assert listed(index.search(query, 5)) == []
    assert index.scores(query, [0, 1]).tolist() == [0, 0]


@pytest.mark.parametrize(
    "query", ["korea\x00", "\ud800korea", "text:korea AND (", '"korea', "😀korea😀", "KOREA's"]
)
def test_a_query_is_words_and_never_a_query_language(query):
    assert listed(made("north korea missile", "north china talks").search(query, 5))[0][0] == 0


def test_an_empty_index_and_a_k_of_nothing():
    assert listed(BM25.build([]).search("anything", 5)) == []
    assert listed(made("anything").search("anything", 0)) == []


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("金正恩访问北京市", "北京"),
        ("東京タワーの高さ", "タワー"),
        ("대한민국 서울특별시", "서울"),
        ("ประเทศไทย", "ไทย"),
        ("भारत की राजधानी नई दिल्ली", "दिल्ली"),
        ("Die Straße nach Köln", "strasse koln"),
        ("cafe\u0301", "café"),
        ("ｆｕｌｌ　ｗｉｄｔｈ", "width"),
        ("snake_case_name", "case"),
    ],
)
def test_other_scripts_and_forms_are_found(text, query):
    index = made("something else entirely", text)
    assert [row for row, _ in listed(index.search(query, 5))] == [1]


def test_stems_are_a_setting():
    assert listed(made("he was running", "other").search("runs", 5))
    assert not listed(made("he was running", "other", stem=False).search("runs", 5))


def test_a_long_question_is_asked_with_its_rarest_terms():
    words = [f"w{i:03}x" for i in range(MOST_TERMS + 20)]
    # The first 20 words are in both passages, so they are the ones to leave out.
    index = made(" ".join(words), " ".join(words[:20]), stem=False)
    assert sorted(index.terms(" ".join(words))) == words[20:]
    assert len(listed(index.search("lorem " * 2000 + words[-1], 5))) == 1


def test_a_saved_index_gives_the_same(tmp_path):
    texts = [f"passage number {i} about topic{i % 5}" for i in range(50)]
    expected = listed(made(*texts).search("topic3 passage 7", 20))
    assert listed(made(*texts, folder=tmp_path).search("topic3 passage 7", 20)) == expected
    loaded = BM25.load(tmp_path)
    assert len(loaded) == 50
    assert listed(loaded.search("topic3 passage 7", 20)) == expected


def test_a_folder_that_holds_no_index(tmp_path):
    with pytest.raises(OSError, match="cannot open the BM25 index"):
        BM25.load(tmp_path)
    with pytest.raises(OSError, match="cannot build the BM25 index"):
        made("text", folder=tmp_path / "missing")
