from __future__ import annotations

import pytest

from qa.salience import Memory, Turn, groups


def best(kind, *turns, **known):
    return Memory([Turn(*turn) for turn in turns], **known).best(kind)


@pytest.mark.parametrize(
    ("kind", "turns", "what"),
    [
        ("person", [("who is nikki haley", "u n ambassador")], "nikki haley"),
        ("person", [("who visited china", "wilbur ross")], "wilbur ross"),
        ("person", [("when is trump going to china", "november")], "trump"),
        ("place", [("when is trump going to china", "november")], "china"),
        ("place", [("where did they meet", "at the mar a lago resort")], "mar a lago resort"),
        ("thing", [("what is the dual suspension proposal", "a ploy")], "the dual suspension proposal"),
        ("thing", [("which country launched a missile", "north korea")], "north korea"),
        ("thing", [("how many chinese banks has the u s blacklisted", "one")], "the chinese banks"),
        ("several", [("what did trump and xi eat", "chocolate cake")], "trump and xi"),
        ("several", [("where did trump host xi", "florida")], "trump and xi"),
        ("several", [("who spoke", "Delury and Tong")], "Delury and Tong"),
        ("any", [("where does niu jun work", "peking university")], "niu jun"),
        ("person", [("what is the boiling point", "100")], None),
        ("person", [], None),
    ],
)
def test_what_a_pronoun_most_likely_stands_for(kind, turns, what):
    assert best(kind, *turns) == what


def test_the_last_turn_counts_most_and_the_fuller_name_is_taken():
    turns = [("who is niu jun", "an expert"), ("who is tong zhao", "an associate")]
    assert best("person", *turns) == "tong zhao"
    assert best("person", turns[1], ("where does tong work", "beijing")) == "tong zhao"


def test_what_a_pronoun_stood_for_it_stands_for_again():
    turn = ("what is the bank accused of", "illicit dealings with north korea")
    assert best("thing", turn) == "illicit dealings with north korea"
    assert best("thing", (*turn, (("thing", "the bank"),)), ("what is the bank", "")) == "the bank"


def test_articles_tell_who_is_a_person():
    turn = ("what links seoul with delury", "a university")
    assert best("person", turn) == "seoul"
    assert best("person", turn, evidence="said john delury in seoul; delury said no") == "delury"


def test_a_title_that_is_a_name_counts_and_one_that_is_a_headline_does_not():
    turn = ("what happened in 1977", "a tour")
    assert best("person", turn, topic="Billy Joel") == "Billy Joel"
    assert best("person", turn, topic="Trump to visit China in November") is None


def test_names_joined_by_and_are_one_mention():
    assert [(m.text, m.first, m.last) for m in groups("when did trump and xi jinping meet")] == [
        ("trump and xi jinping", 2, 6)
    ]
    assert list(groups("trump met xi")) == []
