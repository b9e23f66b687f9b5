"""How well follow-ups are understood: ``python -m benchmarks.followups canard_rewrites.jsonl.gz [--half design]``.

CANARD (Elgohary et al. 2019, "Can You Unpack That?"): questions with their history and a person's stand-alone form.
Conversations are split in two by a hash of their names: one half was looked at while the rules were written, the
figures that count are the other's. Measured over the questions that have a history:

- detected: of those that the person changed, the share that is changed here
- left alone: of those that the person did not change, the share that is not changed here; and of the person's
  stand-alone forms, asked with the same history
- entity recall: of the words of names that the person's form has and the question has not (capitals decide), the
  share that the form made here has, of all and of those that the turns before hold; precision: of the words added
  here, the share that the person's form has

``--seeds``: the conversations about the articles in ``seeds/``, asked as they are and made stand-alone, with the
gold answers and with the program's own as history; and the questions of
``tests/questions/``, which stand alone, after other ones.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import random
import tempfile
import time
from pathlib import Path

from qa.articles import find_files, read_file
from qa.conversation import read
from qa.evaluation.metrics import f1
from qa.mentions import STOP, words
from qa.pipeline import Pipeline, open_index

ROOT = Path(__file__).resolve().parent.parent
QUESTIONS = ROOT / "tests" / "questions"
RIGHT = 0.5


def half(row: dict) -> str:
    """Which half a conversation belongs to."""
    conversation = row["id"].rsplit("_", 1)[0]
    return "design" if hashlib.sha256(conversation.encode()).digest()[0] % 2 == 0 else "report"


def content(text: str) -> set[str]:
    """The words of a text that say something."""
    return {word.low for word in words(text) if word.low not in STOP}


def entities(text: str) -> set[str]:
    """The words of a text that its capitals, or digits, show to be of names; the first word's says nothing."""
    found = words(text)
    return {w.low for w in found[1:] if (w.text[0].isupper() or w.text[0].isdigit()) and w.low not in STOP}


def same(one: str, other: str) -> bool:
    """Whether two questions have the same words."""
    return [w.low for w in words(one)] == [w.low for w in words(other)]


def rewrites(rows: list[dict], titles: bool) -> dict[str, float]:
    """The figures over rows that have a history."""
    needing = detected = easy = alone = kept = wanted = recalled = held = held_recalled = added = fitting = 0
    started = time.perf_counter()
    for row in rows:
        history = [(q, a) for q, a in row["history"]]
        topic = row["title"] if titles else None

        def ask(question: str, history=history, topic=topic) -> str:
            return read(question, history, topic=topic)

        made = ask(row["question"])
        changed = made != row["question"]
        if same(row["question"], row["rewrite"]):
            easy += 1
            alone += not changed
        else:
            needing += 1
            detected += changed
            want = entities(row["rewrite"]) - content(row["question"])
            there = want & content(" ".join(part for turn in history for part in turn))
            new = content(made) - content(row["question"])
            wanted, recalled = wanted + len(want), recalled + len(want & new)
            held, held_recalled = held + len(there), held_recalled + len(there & new)
            added, fitting = added + len(new), fitting + len(new & content(row["rewrite"]))
        kept += ask(row["rewrite"]) == row["rewrite"]
    return {
        "questions": len(rows), "needing": needing, "detected": detected / needing, "standing alone": easy,
        "left alone": alone / easy, "person's forms left alone": kept / len(rows),
        "entity recall": recalled / wanted, "of those in the turns": held_recalled / held,
        "precision of added words": fitting / max(added, 1),
        "ms a question": 1000 * (time.perf_counter() - started) / (2 * len(rows)),
    }  # fmt: skip


def left_alone(seed: int = 0, times: int = 5) -> tuple[int, int]:
    """Of the stand-alone questions on the seeds, each after some others: how many are not changed, of how many."""
    chance = random.Random(seed)
    kept = count = 0
    for file in ("seeds.jsonl", "seeds_second.jsonl"):
        rows = [json.loads(line) for line in (QUESTIONS / file).read_text("utf-8").splitlines()]
        answered = [row for row in rows if row["answers"]]
        for row in rows:
            for _ in range(times):
                before = [r for r in chance.sample(answered, chance.randint(1, 3)) if r is not row]
                history = [(r["question"], r["answers"][0]) for r in before]
                kept += read(row["question"], history) == row["question"]
                count += 1
    return kept, count


def conversations(pipeline: Pipeline, own: bool, use: bool) -> dict[str, int]:
    """What becomes of the follow-ups about the seeds.

    :param own: the history holds the program's own answers, not the gold ones.
    :param use: the history is given to the program.
    """
    lines = (QUESTIONS / "conversations.jsonl").read_text("utf-8").splitlines()
    count = right = forced = wrong = read_right = 0
    for turns in (json.loads(line)["turns"] for line in lines):
        history: list[list[str | None]] = []
        for number, turn in enumerate(turns):
            gold = turn["answers"]
            if number or own:
                given = pipeline.ask(turn["question"], history if use else [], min_confidence=0)
                sure = (given.confidence or 0) >= (pipeline.default_min_confidence or 0)
                said = given.answer if sure else None
            if number:
                count += 1
                good = f1(given.answer or "", gold) >= RIGHT if gold else False
                forced += good
                right += good and sure if gold else said is None
                wrong += said is not None and not good
                wanted = turn["names"]
                read_as = given.read_as.casefold()
                read_right += all(w in read_as for w in wanted) if wanted else given.read_as == given.question
            history.append([turn["question"], said if own else (gold[0] if gold else None)])
    return {
        "follow-ups": count, "right": right, "right if never declining": forced, "wrong": wrong,
        "read right": read_right,
    }  # fmt: skip


def seeds() -> None:
    """Measure on the seeds, and print."""
    kept, count = left_alone()
    print(f"stand-alone questions on the seeds left alone: {kept} of {count}")
    with tempfile.TemporaryDirectory() as folder, open_index(Path(folder) / "index", create=True) as pipeline:
        pipeline.add([read_file(f.path, source=f.source) for f in find_files([ROOT / "seeds"])])
        for own in (False, True):
            for use in (False, True):
                figures = conversations(pipeline, own, use)
                print(
                    "own answers" if own else "gold answers",
                    "made stand-alone" if use else "as asked",
                    figures,
                )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("rewrites", type=Path, nargs="?")
    parser.add_argument("--half", choices=("design", "report"), default="report")
    parser.add_argument("--seeds", action="store_true")
    options = parser.parse_args()
    if options.rewrites:
        with gzip.open(options.rewrites, "rt", encoding="utf-8") as lines:
            rows = [r for line in lines if (r := json.loads(line))["history"] and half(r) == options.half]
        for titles in (False, True):
            print("with the article's title" if titles else "from the turns alone")
            for name, value in rewrites(rows, titles).items():
                print(f"  {name:28} {value:.3f}" if isinstance(value, float) else f"  {name:28} {value}")
    if options.seeds:
        seeds()


if __name__ == "__main__":
    main()
