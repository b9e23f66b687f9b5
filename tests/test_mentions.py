from __future__ import annotations

import pytest

from qa.mentions import is_cased, is_common, names, phrases, words


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("where does niu jun work", ["niu jun"]),
        ("what is china s trade with the u s", ["china", "u s"]),
        ("who spoke at peking university in beijing", ["peking university", "beijing"]),
        ("how many troops are in the south china sea", ["south china sea"]),
        ("what did the united nations say about the us", ["united nations", "us"]),
        ("tell us about the summit", []),
        ("what remains a major obstacle to further cooperation", []),
        ("what do leaders hope for", []),
        ("When did Zappa and the Mothers of Invention disband?", ["Zappa", "Mothers of Invention"]),
        ("Who won Super Bowl 50 in Santa Clara?", ["Super Bowl 50", "Santa Clara"]),
        ("it was cold. Suddenly Xi left Paris on Monday", ["Xi", "Paris"]),
        ("What is a Car?", ["Car"]),
        ("Where does niu jun work?", ["niu jun"]),
        ("", []),
        ("北朝鲜 2017 ?! ''s", ["北朝鲜"]),
    ],
)
def test_names_with_and_without_capitals(text, found):
    assert [mention.text for mention in names(text)] == found


def test_a_mention_knows_its_words():
    text = "where does Niu Jun work"
    (mention,) = names(text)
    assert (mention.first, mention.last, mention.key, mention.name) == (2, 4, ("niu", "jun"), True)
    assert [word.low for word in words(text)[2:4]] == ["niu", "jun"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("what is the dual suspension proposal", ["the dual suspension proposal"]),
        ("how many high level dialogues did they plan", ["the high level dialogues"]),
        ("which american food will be let in", ["the american food"]),
        ("what happened then", []),
        ("what is the u s", []),
        ("whose book did she read", ["book"]),
    ],
)
def test_noun_phrases(text, found):
    assert [mention.text for mention in phrases(text)] == found


def test_a_possessive_ending_is_a_word_of_its_own():
    assert [(w.text, w.low, w.start, w.end) for w in words("Xi's plan")] == [
        ("Xi", "xi", 0, 2),
        ("'s", "s", 2, 4),
        ("plan", "plan", 5, 9),
    ]
    assert [w.opens for w in words("He left. She stayed, Ann too")] == [
        True,
        False,
        True,
        False,
        False,
        False,
    ]


def test_common_words_and_their_forms():
    assert all(
        map(
            is_common,
            ["leader", "leaders", "blacklisted", "stopped", "taking", "companies", "the", "november"],
        )
    )
    assert not any(map(is_common, ["niu", "tillerson", "seoul", "yinhong", "jinping"]))


def test_capitals_count_only_where_they_tell_names_from_other_words():
    assert is_cased(words("Where does Niu Jun work"))
    assert not is_cased(words("Where does niu jun work"))
    assert not is_cased(words("WHERE DOES NIU JUN WORK"))
