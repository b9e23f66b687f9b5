"""What may be typed after ``python -m qa``: the commands, their flags, and the types of the values."""

from __future__ import annotations

import argparse
import re
import textwrap
from collections.abc import Sequence
from dataclasses import fields
from datetime import timedelta
from pathlib import Path
from typing import Any, NoReturn

from qa import examples
from qa.arguments import TOP_K
from qa.finding import SUPPORTED
from qa.training.settings import Settings

PROGRAM = "python -m qa"
_INDEX = "a folder, milvus://HOST:PORT/NAME, or FILE.db for Milvus Lite (default: index)"
_COPY = "Copy an index, to or from Milvus, without embedding again; run again, it goes on."


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The values by name, the command's own among them, ``command``; bad usage is one line and exit 2."""
    return _parser().parse_args(arguments)


def misused(command: str, message: str) -> NoReturn:
    """Bad usage that shows only when flags are seen together: leaves as ``parse`` does."""
    _Parser(prog=f"{PROGRAM} {command}").error(message)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Bad usage: one line, exit 2."""
        self.exit(2, f"{self.prog}: {message}; see {self.prog} --help\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog=PROGRAM,
        description="Ask your own articles a question; get a verbatim quote with its place, or an honest no.",
        epilog=examples.START,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for add in (_index_arguments, _ask_arguments, _small_arguments, _evaluate_arguments, _training_arguments):
        add(commands)
    return parser


Commands = Any  # argparse's own type for this is private


def _command(commands: Commands, name: str, words: str, *, index: bool = True) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(
        name, help=words, description=textwrap.fill(words, 79), epilog=examples.epilog(name),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    if index:
        parser.add_argument("--index", metavar="INDEX", default="index", help=_INDEX)
    parser.add_argument(
        "--encoder", metavar="MODEL", help="a sentence-transformers id or folder (default: all-MiniLM-L6-v2)"
    )
    parser.add_argument(
        "--reader",
        metavar="MODEL",
        help="a question-answering model's id or folder (default: the shipped one)",
    )
    return parser


def _index_arguments(commands: Commands) -> None:
    index = _command(commands, "index", f"Index files and folders: {SUPPORTED} (default: seeds/).")
    index.add_argument("paths", nargs="*", metavar="PATH", help="files and folders")
    index.add_argument(
        "--sync", action="store_true", help="also remove what left these folders, archives and tables"
    )
    index.add_argument("--dry-run", action="store_true", help="only say what would be done")
    index.add_argument(
        "--rebuild", action="store_true", help="take another encoder: embed what is indexed again"
    )
    index.add_argument(
        "--shard", type=_shard, metavar="i/n", help="index only the i-th of n parts of the files"
    )


def _ask_arguments(commands: Commands) -> None:
    ask = _command(commands, "ask", "Ask a question.")
    ask.add_argument("question", nargs="?", metavar="QUESTION", help="in words; short factual ones work best")
    ask.add_argument(
        "--batch", metavar="FILE", help="a question, or a JSON object of arguments, a line; - for stdin"
    )
    ask.add_argument(
        "--min-confidence", type=_probability, metavar="P", help="decline below this probability, 0 to 1"
    )
    search = _command(commands, "search", "Find the passages nearest to a query.")
    search.add_argument("query", metavar="QUERY", help="what to look for, in words")
    for parser in (ask, search):
        parser.add_argument("--json", action="store_true", help="print JSON")
        parser.add_argument(
            "--top-k",
            type=_top_k,
            default=5,
            metavar="N",
            help=f"how many to return, 1 to {TOP_K} (default: 5)",
        )
        parser.add_argument(
            "--articles", nargs="+", metavar="NAME", help="look only in these: ids or source globs"
        )


def _small_arguments(commands: Commands) -> None:
    articles = _command(commands, "articles", "List the articles.")
    articles.add_argument("--json", action="store_true", help="print JSON")
    remove = _command(commands, "remove", "Take an article out of the index.")
    remove.add_argument("article", metavar="ARTICLE", help="its id, as `articles` lists it")
    remove.add_argument("--forget", action="store_true", help="delete its texts for good, older ones too")
    gc = _command(commands, "gc", "Delete for good what is kept of replaced and removed articles.")
    gc.add_argument(
        "--older-than",
        type=_age,
        required=True,
        metavar="AGE",
        help="such as 30d, 12h or 2w; 0d for all of it",
    )
    gc.add_argument("--dry-run", action="store_true", help="only say what would be deleted")
    copy = commands.add_parser(
        "copy", help=_COPY, description=_COPY, epilog=examples.epilog("copy"),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    copy.add_argument("source", metavar="SRC", help="an index: what --index takes")
    copy.add_argument(
        "target", metavar="DST", help="another, made where there is none; what else it holds stays"
    )
    verify = _command(
        commands,
        "verify",
        "Say what became of a quote: unchanged, moved, edited or gone. With --quote, say whether the articles hold "
        "somebody's words: exact, near (with what differs) or absent.",
    )
    verify.add_argument(
        "ref", nargs="?", metavar="REF", help="as an answer gives it: article@0123456789ab#10-20"
    )
    verify.add_argument("--quote", metavar="WORDS", help="words that somebody claims an article says")
    verify.add_argument(
        "--articles", nargs="+", metavar="NAME", help="with --quote: look only in these, ids or source globs"
    )
    verify.add_argument("--json", action="store_true", help="print JSON")


def _evaluate_arguments(commands: Commands) -> None:
    run = _command(commands, "evaluate", "Measure on SQuAD JSON, or JSON Lines of question and answers.")
    run.add_argument("datasets", nargs="*", metavar="DATASET", help="files, .gz too")
    run.add_argument(
        "--compare", nargs=2, metavar=("A.json", "B.json"),
        help="what got better and worse from one --json file to another; asks nothing",
    )  # fmt: skip
    run.add_argument(
        "--reader-only", action="store_true", help="give the reader each question's own paragraph"
    )
    run.add_argument(
        "--absent", action="store_true", help="leave every second article out; ask its questions too"
    )
    run.add_argument(
        "--raw", action="store_true", help="strip contexts and gold answers of case and punctuation"
    )
    run.add_argument("--limit", type=_count, metavar="N", help="ask only so many questions, evenly spread")
    run.add_argument(
        "--slices", action="store_true", help="also show the figures by kind of question, answer and text"
    )
    run.add_argument(
        "--gate", metavar="GATES.toml", help="exit 1 where a figure is past its limit in this file"
    )
    run.add_argument("--json", metavar="OUT", help="write figures, slices and the worst questions as JSON")
    run.add_argument("--report", metavar="OUT.html", help="write them as a page to read, with curves")


def _training_arguments(commands: Commands) -> None:
    train = _command(commands, "train", "Train a reader on questions with contexts.", index=False)
    train.add_argument("--out", type=Path, required=True, metavar="DIR", help="a new folder for the reader")
    train.add_argument(
        "--base",
        metavar="MODEL",
        help="encoder or question-answering model to start from: a folder or id (default: all-MiniLM-L6-v2)",
    )
    train.add_argument(
        "--weight",
        nargs="+",
        type=_weight,
        default=[],
        metavar="NAME=W",
        help="how often the questions of files so called are read in one pass (default: as in sources.py)",
    )
    for choice in fields(Settings):
        train.add_argument(
            f"--{choice.name}",
            type=type(choice.default),
            default=choice.default,
            metavar="N",
            help=f"{choice.metadata['help']} (default: {choice.default:g})",
        )
    average = commands.add_parser(
        "average",
        help="The mean of readers' weights.",
        description="Average readers trained from the same weights.",
        epilog=examples.epilog("average"),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    average.add_argument("readers", nargs="+", metavar="READER", help="two or more; folders or ids")
    average.add_argument("--out", type=Path, required=True, metavar="DIR", help="a new folder")
    calibrate = _command(commands, "calibrate", "Fit the probability that an answer is right.", index=False)
    calibrate.add_argument(
        "--questions", type=_count, default=300, metavar="N", help="of each file (default: 300)"
    )
    quantize = _command(commands, "quantize", "Make a reader's int8 graph for the CPU.", index=False)
    quantize.add_argument(
        "--pairs", type=_count, default=300, metavar="N", help="to see ranges on (default: 300)"
    )
    calibrate.add_argument(
        "--held-out", action="store_true", help="ask only what `train` keeps back of these files"
    )
    tune = _command(
        commands, "tune", "Choose passages, fusion, reading and threshold on questions of your own."
    )
    tune.add_argument("data", type=Path, metavar="DATASET", help="JSON Lines of question and answers")
    tune.add_argument("--dry-run", action="store_true", help="only say what would be chosen")
    tune.add_argument(
        "--force",
        action="store_true",
        help="write it even if what is gained on held-out questions may be chance",
    )
    tune.add_argument("--seed", type=int, default=0, help="of the folds")
    for parser in (train, calibrate, quantize):
        parser.add_argument(
            "--data", nargs="+", type=Path, required=True, metavar="FILE", help="with contexts"
        )
    for parser in (calibrate, quantize):
        parser.add_argument("--seed", type=int, default=0, metavar="N", help="of chance (default: 0)")


# ---- types of values


def _weight(text: str) -> tuple[str, float]:
    name, _, value = text.rpartition("=")
    try:
        if name and 0 <= float(value) <= 100:
            return name, float(value)
    except ValueError:
        pass
    raise argparse.ArgumentTypeError(f"{text!r} is not NAME=W with W from 0 to 100, such as qamr=0.2")


def _shard(text: str) -> tuple[int, int]:
    worker, _, workers = text.partition("/")
    try:
        if 1 <= int(worker) <= int(workers):
            return int(worker), int(workers)
    except ValueError:
        pass
    raise argparse.ArgumentTypeError(f"{text!r} is not i/n with 1 <= i <= n, such as 2/4")


def _age(text: str) -> timedelta:
    found = re.fullmatch("([0-9]{1,5})([hdw])", text)
    if found is None:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a number of hours, days or weeks, such as 12h, 30d or 2w"
        )
    return (
        int(found[1]) * {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}[found[2]]
    )


def _count(text: str) -> int:
    if text.isdecimal() and int(text) > 0:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0")


def _top_k(text: str) -> int:
    if text.isdecimal() and 1 <= int(text) <= TOP_K:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 to {TOP_K}")


def _probability(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if 0 <= value <= 1:
        return value
    raise argparse.ArgumentTypeError(f"{text!r} is not a probability from 0 to 1")
