"""What may be typed after ``python -m qa``: the commands, their flags, and the types of the values."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from qa.arguments import TOP_K

PROGRAM = "python -m qa"


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
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for add in (_index_arguments, _ask_arguments, _small_arguments, _evaluate_arguments, _training_arguments):
        add(commands)
    return parser


Commands = Any  # argparse's own type for this is private


def _command(commands: Commands, name: str, words: str, *, index: bool = True) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(name, help=words, description=words)
    if index:
        parser.add_argument("--index", metavar="DIR", default="index", help="the index (default: index)")
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
    index = _command(
        commands, "index", "Index files and folders: .txt .md .html .pdf .docx (default: seeds/)."
    )
    index.add_argument("paths", nargs="*", metavar="PATH", help="files and folders")
    index.add_argument(
        "--sync", action="store_true", help="also remove the articles of files that left these folders"
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
    ask.add_argument("question", nargs="?", metavar="QUESTION")
    ask.add_argument(
        "--batch", metavar="FILE", help="a question, or a JSON object of arguments, a line; - for stdin"
    )
    ask.add_argument(
        "--min-confidence", type=_probability, metavar="P", help="decline below this probability, 0 to 1"
    )
    search = _command(commands, "search", "Find the passages nearest to a query.")
    search.add_argument("query", metavar="QUERY")
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
    verify = _command(commands, "verify", "Say what became of a quote: unchanged, moved, edited or gone.")
    verify.add_argument("ref", metavar="REF", help="as an answer gives it: article@0123456789ab#10-20")
    verify.add_argument("--json", action="store_true", help="print JSON")


def _evaluate_arguments(commands: Commands) -> None:
    run = _command(commands, "evaluate", "Measure on SQuAD JSON, or JSON Lines of question and answers.")
    run.add_argument("datasets", nargs="+", metavar="DATASET")
    run.add_argument(
        "--reader-only", action="store_true", help="give the reader each question's own paragraph"
    )
    run.add_argument(
        "--absent", action="store_true", help="leave every second article out; ask its questions too"
    )
    run.add_argument("--limit", type=_count, metavar="N", help="ask only so many questions, evenly spread")
    run.add_argument("--json", metavar="OUT", help="write the figures as JSON")


def _training_arguments(commands: Commands) -> None:
    calibrate = _command(commands, "calibrate", "Fit the probability that an answer is right.", index=False)
    calibrate.add_argument(
        "--questions", type=_count, default=300, metavar="N", help="of each file (default: 300)"
    )
    quantize = _command(commands, "quantize", "Make a reader's int8 graph for the CPU.", index=False)
    quantize.add_argument(
        "--pairs", type=_count, default=300, metavar="N", help="to see ranges on (default: 300)"
    )
    for parser in (calibrate, quantize):
        parser.add_argument(
            "--data", nargs="+", type=Path, required=True, metavar="FILE", help="with contexts"
        )
        parser.add_argument("--seed", type=int, default=0)


# ---- types of values


def _shard(text: str) -> tuple[int, int]:
    worker, _, workers = text.partition("/")
    try:
        if 1 <= int(worker) <= int(workers):
            return int(worker), int(workers)
    except ValueError:
        pass
    raise argparse.ArgumentTypeError(f"{text!r} is not i/n with 1 <= i <= n, such as 2/4")


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
