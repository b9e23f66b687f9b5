from __future__ import annotations

import pytest

from qa.question_kinds import asks_for, has_number


@pytest.mark.parametrize(
    "question",
    [
        "Is Nikki Haley an ambassador?",
        "did china sign the treaty",
        "Can North Korea's missiles reach Alaska?",
        "and is it true",
        "Can you tell me: was he invited or not?",
        "HAS THE RIVER RISEN?",
    ],
)
def test_questions_for_yes_or_no(question: str) -> None:
    assert asks_for(question) == "yes_no"


@pytest.mark.parametrize(
    "question",
    ["How many came?", "how often did it rain", "What is the number of boats?", "Do you know how many came"],
)
def test_questions_for_a_count(question: str) -> None:
    assert asks_for(question) == "count"


@pytest.mark.parametrize(
    "question",
    [
        "Which countries are mentioned?",
        "who are the professors",
        "List the universities",
        "Name all the people who spoke",
        "What are the sanctions?",
        "which experts are quoted",
    ],
)
def test_questions_for_a_list(question: str) -> None:
    assert asks_for(question) == "list"


@pytest.mark.parametrize(
    "question",
    [
        "who is nikki haley",
        "Is it red or blue?",
        "Can you tell me who he is?",
        "Could you please say where she lives",
        "What is the name of the president?",
        "which is larger",
        "what was decided",
        "what does he want",
        "How much of the trade does China account for?",
        "Which bus goes there?",
        "name of the president",
        "Will?",
        "can you tell me",
        "",
        "?!",
        "谁是主席",
    ],
)
def test_questions_that_words_of_an_article_can_answer(question: str) -> None:
    assert asks_for(question) is None


@pytest.mark.parametrize(
    ("text", "says"), [("3 boats", True), ("Twenty-two", True), ("90", True), ("many", False)]
)
def test_numbers_in_digits_and_words(text: str, says: bool) -> None:
    assert has_number(text) is says
