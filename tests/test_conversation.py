from __future__ import annotations

import json
import random
import time
from pathlib import Path

import pytest

from qa.conversation import CHARACTERS, TURNS, read

HERE = Path(__file__).resolve().parent
TALKS = [
    json.loads(line)["turns"]
    for line in (HERE / "questions" / "conversations.jsonl").read_text("utf-8").splitlines()
]
NIU = ("where does niu jun work", "peking university")
ROSS = ("who visited china", "wilbur ross")
HOST = ("where did trump host xi", "mar a lago")
SUMMIT = ("what did north korea do after the april summit in florida", "continued to test missiles")


@pytest.mark.parametrize(
    ("question", "history", "read_as"),
    [
        # pronouns and possessives
        ("what is his title", [NIU], "what is niu jun's title"),
        ("What is his title?", [NIU], "What is niu jun's title?"),
        ("who is he", [("who said so", "tong zhao")], "who is tong zhao"),
        ("when did he arrive", [ROSS], "when did wilbur ross arrive"),
        ("who wrote about her", [("who is nikki haley", "ambassador")], "who wrote about nikki haley"),
        ("where is her office", [("who is nikki haley", "ambassador")], "where is nikki haley's office"),
        ("what did they eat", [HOST], "what did trump and xi eat"),
        ("what was said there", [("where did they meet", "in seoul")], "what was said in seoul"),
        ("why is that a problem", [("what is lost", "export revenue")], "why is export revenue a problem"),
        ("did he like it", [ROSS, ("what is the big deal", "a plan")], "did wilbur ross like the big deal"),
        # what is left out
        ("when", [HOST], "when did trump host xi"),
        ("and tong zhao?", [NIU], "where does tong zhao work?"),
        ("what about his wife", [("who is xi", "a leader")], "who is xi's wife"),
        # a chain: each question is read after those before it
        ("what did he say there", [NIU, ("and tong zhao", "in beijing")], "what did tong zhao say in beijing"),
        # definite references
        ("who was at the summit", [SUMMIT], "who was at the april summit in florida"),
        ("where did the two leaders meet", [HOST, ("who met", "trump and xi")], "where did trump and xi meet"),
        # too thin to stand alone
        ("any other reasons?", [("why did china close banks", "sanctions")], "any other reasons (china)?"),
        ("what happened in 1977", [("who is Billy Joel", "a singer")], "what happened in 1977 (Billy Joel)"),
    ],
)  # fmt: skip
def test_a_follow_up_is_made_stand_alone(question, history, read_as):
    assert read(question, history) == read_as


@pytest.mark.parametrize(
    "question",
    [
        "where does tong zhao work", "what did xi say in his speech", "what would north korea lose if it failed",
        "is it true that trump left", "how long does it take to learn the piano", "are there troops in syria",
        "what is inflation", "what remains a major obstacle to further cooperation", "us commerce secretary name",
        "besides his tweets what did trump write", "what is the boiling point of water",
        "who came this week to china",
        "why does delury say it is easy for china", "who said there had been wishful thinking", "北朝鲜的领导人是谁",
    ],
)  # fmt: skip
def test_what_stands_alone_is_left_alone_to_the_letter(question):
    assert read(question, [NIU, HOST, SUMMIT]) == question
    assert read(question + "  ?", [NIU]) == question + "  ?"


def test_a_question_that_says_much_stands_alone_whatever_it_refers_to():
    question = "how long is the plan for trade talks that the two leaders agreed on"
    assert read(question, [("who met", "trump and xi")]) == question
    assert (
        read("where did the two leaders meet", [("who met", "trump and xi")]) == "where did trump and xi meet"
    )


def test_without_a_history_nothing_is_changed():
    assert read("who is he", []) == "who is he"
    assert read("who is he", [("", "")]) == "who is he"


def test_every_stand_alone_question_on_the_seeds_is_left_alone_after_any_other():
    rows = [
        json.loads(line)
        for name in ("seeds.jsonl", "seeds_second.jsonl")
        for line in (HERE / "questions" / name).read_text("utf-8").splitlines()
    ]
    answered = [(row["question"], row["answers"][0]) for row in rows if row["answers"]]
    chance = random.Random(7)
    changed = {
        row["question"]: made
        for row in rows
        if (made := read(row["question"], chance.sample(answered, 2))) != row["question"]
    }
    assert changed == {}


def test_the_conversations_on_the_seeds_are_read_with_the_right_names():
    evidence = " ".join(path.read_text("utf-8") for path in sorted((HERE.parent / "seeds").iterdir()))
    wrong = []
    for turns in TALKS:
        history: list[tuple[str, str]] = []
        for turn in turns:
            made = read(turn["question"], history, evidence)
            wanted = turn.get("names")
            if history and not (
                all(n in made.lower() for n in wanted) if wanted else made == turn["question"]
            ):
                wrong.append((turn["question"], made))
            history.append((turn["question"], (turn["answers"] or [""])[0]))
    assert wrong == []


def test_only_the_last_turns_count():
    old = [("who is nikki haley", "ambassador")]
    filler = [("what is 7 x 7", "49")] * TURNS
    assert read("where was she born", old + filler[1:]) == "where was nikki haley born"
    assert read("where was she born", old + filler) == "where was she born"


def test_hostile_histories_cost_bounded_time_and_never_fail():
    chance = random.Random(1)
    pieces = [
        "it",
        "he",
        "they",
        "two",
        "and",
        "what",
        "about",
        "why",
        "?",
        "'s",
        "’",
        "A",
        "Xi",
        "of",
        "the",
        "there",
        "that",
        "1",
        "İ",
        "ß",
        "北",
        "<b>",
        "how",
        "many",
        "u",
        "s",
    ]
    pieces += [" ", "\n", "\u202e"]

    def noise(length: int) -> str:
        return " ".join(chance.choice(pieces) for _ in range(length))

    for _ in range(300):
        history = [
            (noise(chance.randint(0, 12)), noise(chance.randint(0, 12))) for _ in range(chance.randint(0, 8))
        ]
        made = read(noise(chance.randint(0, 12)), history)
        assert len(made) < 4 * CHARACTERS
    started = time.perf_counter()
    for word in ("it ", "Xi ", "the ", "u s ", "' ", "and "):
        read(word * 500, [(word * 50_000, word * 50_000)] * 1000, word * 1000)
    assert time.perf_counter() - started < 30
