"""The command line: ``python -m qa COMMAND``. Data to stdout, words to stderr; exit 0 done, 1 failed, 2 bad usage."""

from __future__ import annotations

import argparse
import io
import json
import logging
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NoReturn, TextIO

from tqdm import tqdm

from qa import folders, wording
from qa.evaluation.report import format_table
from qa.evaluation.runner import evaluate
from qa.pipeline import AddReport, Pipeline, open_index
from qa.types import Answer, DatasetError, IndexMissingError, QAError, QuestionError

SEEDS = Path(__file__).resolve().parent.parent / "seeds"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        # Whatever the terminal; a half of a character in a question is escaped as JSON does it.
        sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")
    options = _parser().parse_args(arguments)
    logging.basicConfig(format="%(message)s", stream=sys.stderr, level=logging.WARNING)
    try:
        status = int(options.run(options))
        sys.stdout.flush()  # here, where a closed pipe is understood
        return status
    except QAError as error:
        _say(f"{options.command}: {error}")
        return 1
    except BrokenPipeError:  # the reader of a pipe, say `head`, has had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        _say("stopped")
        return 130
    except OSError as error:
        _say(f"{options.command}: {error.filename or ''}: {error.strerror or error}".replace(": :", ":"))
        return 1


def _say(words: str) -> None:
    print(words, file=sys.stderr)


def _out(data: object) -> None:
    print(json.dumps(data, ensure_ascii=False))


# ---- commands


def _index(options: argparse.Namespace) -> int:
    paths = options.paths or ([] if options.rebuild else [SEEDS])
    if options.sync and not all(Path(path).expanduser().is_dir() for path in paths):
        options.misused("--sync takes folders: it removes the articles of files that left them")
    if options.dry_run and options.rebuild:
        options.misused("--rebuild changes the index, --dry-run does not; give one of them")
    with ExitStack() as stack:
        pipeline = _open_to_index(options, stack)
        if options.rebuild:
            with _bar(len(pipeline.index.stale()), "Embedding again") as bar:
                _report(pipeline.reembed(lambda article: _step(bar)), pipeline, [])
        todo = folders.plan(pipeline, paths, sync=options.sync, shard=options.shard)
        for path, why in todo.skipped:
            if why != "hidden":
                _say(f"passed over {path}: {why}")
        if options.dry_run:
            report = folders.rehearse(pipeline, todo)
            for word, ids in (("add", report.added), ("update", report.updated), ("remove", todo.leaving)):
                for article in ids:
                    print(word, article)
            for name, why in report.failed:
                _say(f"would fail: {_named(name, why)}")
            return 0
        with _bar(len(todo.files), "Indexing") as bar:
            report = folders.run(pipeline, todo, lambda file: _step(bar))
        return _report(report, pipeline, todo.leaving) if paths else 0


def _open_to_index(options: argparse.Namespace, stack: ExitStack) -> Pipeline:
    """The index, made where there is none; a dry run makes none, and looks at an empty one that passes."""
    if options.dry_run:
        try:
            return stack.enter_context(_open(options))
        except IndexMissingError:
            options.index = stack.enter_context(TemporaryDirectory())
    return stack.enter_context(_open(options, create=True))


def _report(report: AddReport, pipeline: Pipeline, removed: Sequence[str]) -> int:
    for name, why in report.failed:
        _say(f"failed: {_named(name, why)}")
    counts = {
        "added": len(report.added), "updated": len(report.updated), "unchanged": len(report.unchanged),
        "removed": len(removed), "failed": len(report.failed),
    }  # fmt: skip
    done = ", ".join(f"{count} {word}" for word, count in counts.items() if count) or "nothing found to index"
    info = pipeline.info()
    _say(f"{done}; the index has {wording.articles(info['articles'])}, {wording.passages(info['passages'])}")
    return 1 if report.failed and not (report.added or report.updated or report.unchanged) else 0


def _named(name: str, why: str) -> str:
    return why if name in why else f"{name}: {why}"


def _ask(options: argparse.Namespace) -> int:
    if (options.question is None) == (options.batch is None):
        options.misused("give either a QUESTION or --batch FILE")
    with _open(options) as pipeline:
        if options.batch is not None:
            return _ask_batch(pipeline, options)
        answer = pipeline.ask(
            options.question,
            articles=options.articles,
            top_k=options.top_k,
            min_confidence=options.min_confidence,
        )
        if options.json:
            _out(answer.to_json())
        else:
            _print_answer(answer)
    return 0


def _ask_batch(pipeline: Pipeline, options: argparse.Namespace) -> int:
    """One answer a line, in order. A line that cannot be asked gives a line that says why, and exit 1 at the end."""
    failed = 0
    with _lines(options.batch) as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                arguments = {"top_k": options.top_k, "min_confidence": options.min_confidence}
                arguments |= {"articles": options.articles} | _batch_line(line)
                _out(pipeline.ask(**arguments).to_json())
            except QAError as error:
                failed += 1
                _out({"schema": 1, "question": line.strip()[:200], "error": f"line {number}: {error}"})
            sys.stdout.flush()
    if failed:
        _say(f'ask: {failed} {"line" if failed == 1 else "lines"} could not be asked; see their "error"')
    return 1 if failed else 0


def _batch_line(line: str) -> dict[str, Any]:
    """A line's arguments for ``ask``: a JSON object of them, or the line itself as the question."""
    if not line.lstrip().startswith("{"):
        return {"question": line.strip()}
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise QuestionError(f"begins with {{ but is not a JSON object ({str(error)[:60]})") from None
    unknown = set(row) - {"question", "history", "articles", "top_k", "min_confidence"}
    if "question" not in row or unknown:
        wrong = f"unknown {sorted(unknown)[0][:40]!r}" if unknown else 'no "question"'
        raise QuestionError(f"{wrong}; an object holds question, history, articles, top_k, min_confidence")
    return dict(row)


def _lines(name: str) -> TextIO:
    if name == "-":
        return open(sys.stdin.fileno(), encoding="utf-8-sig", errors="replace", closefd=False)
    try:
        return open(name, encoding="utf-8-sig", errors="replace")
    except OSError as error:
        raise DatasetError(f"cannot read {name}: {(error.strerror or str(error)).lower()}") from error


def _print_answer(answer: Answer) -> None:
    for warning in answer.warnings:
        _say(f"note: {warning}")
    if answer.answer is None:
        print(wording.DECLINED, wording.REASONS[answer.reason or "no_span"])
        if answer.nearest:
            print(
                f"\nNearest passage, not an answer ({answer.nearest.title}):\n  {_short(answer.nearest.text)}"
            )
        return
    print(f"“{answer.answer}”   {wording.confidence(answer.confidence)}")
    for citation in answer.citations:
        place = f", {citation.locator}" if citation.locator else ""
        before = citation.passage.text[: citation.start - citation.passage.start]
        after = citation.passage.text[citation.end - citation.passage.start :]
        print(f"  {citation.title}{place}  [{citation.ref}]")
        print(f"    … {_short(before, tail=True)}▸{citation.text}◂{_short(after)} …")
    for other in answer.alternatives:
        where = other.citations[0].title
        print(f"  another answer: “{other.answer}”   {wording.confidence(other.confidence)}   {where}")


def _short(text: str, length: int = 90, *, tail: bool = False) -> str:
    """On one line, cut to about ``length`` characters."""
    flat = " ".join(text.split())
    if len(flat) > length:
        flat = flat[-length:] if tail else flat[:length]
    return (" " if text[:1].isspace() else "") + flat + (" " if text[-1:].isspace() else "")


def _search(options: argparse.Namespace) -> int:
    with _open(options) as pipeline:
        rows = pipeline.search(options.query, options.top_k, options.articles)
    if options.json:
        _out(rows)
        return 0
    for row in rows:
        print(f"{row['score']:.3f}  {row['title']}  [{row['ref']}]\n       {_short(row['text'], 160)}")
    if not rows:
        _say("nothing found")
    return 0


def _articles(options: argparse.Namespace) -> int:
    with _open(options) as pipeline:
        infos = pipeline.articles()
    if options.json:
        _out([info.to_json() for info in infos])
        return 0
    for info in infos:
        print(
            f"{info.article}  {info.characters} characters, {wording.passages(info.passages)}  {info.source}"
        )
    if not infos:
        _say("the index has no articles; add some: python -m qa index FOLDER")
    return 0


def _remove(options: argparse.Namespace) -> int:
    with _open(options) as pipeline:
        pipeline.remove(options.article, forget=options.forget)
    _say(f"removed {options.article}" + (" and its stored texts" if options.forget else ""))
    return 0


def _verify(options: argparse.Namespace) -> int:
    with _open(options) as pipeline:
        found = pipeline.verify(options.ref)
    if options.json:
        _out(found.to_json())
    else:
        print(f"{found.state}: {wording.STATES[found.state]}")
        if found.text is not None:
            print(f"  “{_short(found.text, 200)}”")
        if found.now is not None and found.state != "unchanged":
            print(f"  now: “{_short(found.now.text, 200)}”  [{found.now.ref}]")
    return 0


def _evaluate(options: argparse.Namespace) -> int:
    results = evaluate(
        options.datasets, index=options.index, reader_only=options.reader_only, absent=options.absent,
        encoder=options.encoder, reader=options.reader, limit=options.limit,
    )  # fmt: skip
    if options.json:
        Path(options.json).write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    print(format_table(results))
    return 0


def _calibrate(options: argparse.Namespace) -> int:
    # Training needs libraries that answering does without.
    from qa.training.calibrate import calibrate

    with _bar(None, "Asking") as bar:
        path, made = calibrate(
            options.data, reader=options.reader, encoder=options.encoder, questions=options.questions,
            seed=options.seed, tell=bar.update,
        )  # fmt: skip
    _say(f"wrote {path}: ranking {made.ranking}, threshold {made.threshold}")
    return 0


def _quantize(options: argparse.Namespace) -> int:
    from qa.reader import DEFAULT
    from qa.training.quantize import quantize

    path = quantize(options.reader or DEFAULT, options.data, pairs=options.pairs, seed=options.seed)
    _say(f"wrote {path}; calibrate next: python -m qa calibrate")
    return 0


# ---- helpers


def _open(options: argparse.Namespace, *, create: bool = False) -> Pipeline:
    rebuild = bool(getattr(options, "rebuild", False))
    return open_index(
        options.index, encoder=options.encoder, reader=options.reader, create=create, rebuild=rebuild
    )


def _bar(total: int | None, words: str) -> tqdm[Any]:
    return tqdm(
        total=total, desc=words, unit="file" if total is not None else "question", disable=None, leave=False
    )


def _step(bar: tqdm[Any]) -> None:
    bar.update(1)


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


def _probability(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if 0 <= value <= 1:
        return value
    raise argparse.ArgumentTypeError(f"{text!r} is not a probability from 0 to 1")


# ---- arguments


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Bad usage: one line, exit 2."""
        self.exit(2, f"{self.prog}: {message}; see {self.prog} --help\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="python -m qa",
        description="Ask your own articles a question; get a verbatim quote with its place, or an honest no.",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for add in (_index_arguments, _ask_arguments, _small_arguments, _evaluate_arguments, _training_arguments):
        add(commands)
    return parser


Commands = Any  # argparse's own type for this is private


def _command(
    commands: Commands, name: str, run: Callable[[argparse.Namespace], int], words: str, *, index: bool = True
) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(name, help=words, description=words)
    parser.set_defaults(run=run, misused=parser.error)
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
        commands, "index", _index, "Index files and folders: .txt .md .html .pdf .docx (default: seeds/)."
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
    ask = _command(commands, "ask", _ask, "Ask a question.")
    ask.add_argument("question", nargs="?", metavar="QUESTION")
    ask.add_argument(
        "--batch", metavar="FILE", help="a question, or a JSON object of arguments, a line; - for stdin"
    )
    ask.add_argument(
        "--min-confidence", type=_probability, metavar="P", help="decline below this probability, 0 to 1"
    )
    search = _command(commands, "search", _search, "Find the passages nearest to a query.")
    search.add_argument("query", metavar="QUERY")
    for parser in (ask, search):
        parser.add_argument("--json", action="store_true", help="print JSON")
        parser.add_argument(
            "--top-k", type=_count, default=5, metavar="N", help="how many to return (default: 5)"
        )
        parser.add_argument(
            "--articles", nargs="+", metavar="NAME", help="look only in these: ids or source globs"
        )


def _small_arguments(commands: Commands) -> None:
    articles = _command(commands, "articles", _articles, "List the articles.")
    articles.add_argument("--json", action="store_true", help="print JSON")
    remove = _command(commands, "remove", _remove, "Take an article out of the index.")
    remove.add_argument("article", metavar="ARTICLE", help="its id, as `articles` lists it")
    remove.add_argument("--forget", action="store_true", help="delete its texts for good, older ones too")
    verify = _command(
        commands, "verify", _verify, "Say what became of a quote: unchanged, moved, edited or gone."
    )
    verify.add_argument("ref", metavar="REF", help="as an answer gives it: article@0123456789ab#10-20")
    verify.add_argument("--json", action="store_true", help="print JSON")


def _evaluate_arguments(commands: Commands) -> None:
    run = _command(
        commands, "evaluate", _evaluate, "Measure on SQuAD JSON, or JSON Lines of question and answers."
    )
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
    calibrate = _command(
        commands, "calibrate", _calibrate, "Fit the probability that an answer is right.", index=False
    )
    calibrate.add_argument(
        "--questions", type=_count, default=300, metavar="N", help="of each file (default: 300)"
    )
    quantize = _command(
        commands, "quantize", _quantize, "Make a reader's int8 graph for the CPU.", index=False
    )
    quantize.add_argument(
        "--pairs", type=_count, default=300, metavar="N", help="to see ranges on (default: 300)"
    )
    for parser in (calibrate, quantize):
        parser.add_argument(
            "--data", nargs="+", type=Path, required=True, metavar="FILE", help="with contexts"
        )
        parser.add_argument("--seed", type=int, default=0)
