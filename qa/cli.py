"""The command line: ``python -m qa COMMAND``. Data to stdout, words to stderr; exit 0 done, 1 failed, 2 bad usage."""

from __future__ import annotations

import argparse
import io
import json
import logging
import os
import sys
from collections.abc import Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, TextIO

from qa import wording, workshop
from qa.backend import open_shelf
from qa.batches import side_by_side
from qa.finding import MANY, kind
from qa.options import misused, parse
from qa.pipeline import Pipeline, open_index
from qa.printing import (
    bar,
    counts,
    say,
    show_answer,
    show_articles,
    show_json,
    show_old_versions,
    show_passages,
    show_quote,
    show_rehearsal,
    show_report,
    show_verification,
)
from qa.transfer import copy
from qa.types import DatasetError, IndexMissingError, QAError, QuestionError

if TYPE_CHECKING:
    from tqdm import tqdm

    from qa.folders import Report

SEEDS = Path(__file__).resolve().parent.parent / "seeds"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        # Whatever the terminal; a half of a character in a question is escaped as JSON does it.
        sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")
    options = parse(arguments)
    logging.basicConfig(format="%(message)s", stream=sys.stderr, level=logging.WARNING)
    try:
        status = _COMMANDS[options.command](options)
        sys.stdout.flush()  # here, where a closed pipe is understood
        return status
    except QAError as error:
        say(f"{options.command}: {error}")
        return 1
    except BrokenPipeError:  # the reader of a pipe, say `head`, has had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        say("stopped")
        return 130
    except OSError as error:
        say(f"{options.command}: {error.filename or ''}: {error.strerror or error}".replace(": :", ":"))
        return 1


# ---- commands


def _index(options: argparse.Namespace) -> int:
    from qa import folders  # with what reads files of all kinds: a question does not wait for it

    paths: list[str | Path] = options.paths or ([] if options.rebuild else [SEEDS])
    if options.sync and not all(
        Path(path).expanduser().is_dir() or kind(str(path)) in MANY for path in paths
    ):
        misused(
            options.command,
            "--sync takes folders, and files of many articles: it removes what left them",
        )
    if options.dry_run and options.rebuild:
        misused(options.command, "--rebuild changes the index, --dry-run does not; give one of them")
    with ExitStack() as stack:
        pipeline = _open_to_index(options, stack)
        if options.rebuild:
            with bar(len(pipeline.index.stale()), "Embedding again", "article") as shown:
                again = pipeline.reembed(lambda article: _step(shown))
            show_report(again, pipeline.info())
        todo = folders.plan(pipeline, paths, sync=options.sync, shard=options.shard)
        for path, why in todo.skipped:
            if why != "hidden":
                say(f"passed over {path}: {why}")
        work, words = (folders.rehearse, "Looking") if options.dry_run else (folders.run, "Indexing")
        with bar(len(todo.files), words, "article") as shown:
            report = work(pipeline, todo, lambda so_far, done, of: _advance(shown, so_far, done, of))
        for notice in report.notices:
            say(f"note: {notice}")
        if options.dry_run:
            show_rehearsal(report)
            return 0
        if paths:
            show_report(report, pipeline.info())
        return 1 if report.failed and not (report.added or report.updated or report.unchanged) else 0


def _open_to_index(options: argparse.Namespace, stack: ExitStack) -> Pipeline:
    """The index, made where there is none; a dry run makes none, and looks at an empty one that passes."""
    if options.dry_run:
        try:
            return stack.enter_context(_open(options))
        except IndexMissingError:
            options.index = stack.enter_context(TemporaryDirectory())
    return stack.enter_context(_open(options, create=True))


def _ask(options: argparse.Namespace) -> int:
    if (options.question is None) == (options.batch is None):
        misused(options.command, "give either a QUESTION or --batch FILE")
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
            show_json(answer.to_json())
        else:
            show_answer(answer)
    return 0


def _ask_batch(pipeline: Pipeline, options: argparse.Namespace) -> int:
    """One answer a line, in order. A line that cannot be asked gives a line that says why, and exit 1 at the end."""
    common = {name: getattr(options, name) for name in ("top_k", "min_confidence", "articles")}

    def ask(numbered: tuple[int, str]) -> tuple[dict[str, Any], bool]:
        number, line = numbered
        try:
            return pipeline.ask(**common | _batch_line(line)).to_json(), True
        except QAError as error:
            return {"schema": 1, "question": line.strip()[:200], "error": f"line {number}: {error}"}, False

    failed = 0
    with _lines(options.batch) as lines:
        asked = ((number, line) for number, line in enumerate(lines, 1) if line.strip())
        for answer, done in side_by_side(ask, asked):
            failed += not done
            show_json(answer)
            sys.stdout.flush()
    if failed:
        say(f'ask: {failed} {"line" if failed == 1 else "lines"} could not be asked; see their "error"')
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


def _search(options: argparse.Namespace) -> int:
    with _open(options) as pipeline:
        rows = pipeline.search(options.query, options.top_k, options.articles)
    if options.json:
        show_json(rows)
    else:
        show_passages(rows)
    return 0


def _articles(options: argparse.Namespace) -> int:
    with _open(options) as pipeline:
        infos = pipeline.articles()
    if options.json:
        show_json([info.to_json() for info in infos])
    else:
        show_articles(infos)
    return 0


def _remove(options: argparse.Namespace) -> int:
    with _open(options) as pipeline:
        pipeline.remove(options.article, forget=options.forget)
    say(f"removed {options.article}" + (" and its stored texts" if options.forget else ""))
    return 0


def _gc(options: argparse.Namespace) -> int:
    with _open(options) as pipeline:
        found = pipeline.gc(options.older_than, dry_run=options.dry_run)
    show_old_versions(found)
    articles = wording.articles(len({version.article for version in found}))
    done = "would delete" if options.dry_run else "deleted"
    say(f"{done} {wording.old_versions(len(found))} of {articles}" if found else "no text is that old")
    return 0


def _verify(options: argparse.Namespace) -> int:
    if (options.ref is None) == (options.quote is None):
        misused(options.command, "give either a REF or --quote WORDS")
    if options.articles and options.quote is None:
        misused(options.command, "--articles goes with --quote; a REF names its own article")
    with _open(options) as pipeline:
        if options.quote is not None:
            check = pipeline.verify_quote(options.quote, options.articles)
            show_json(check.to_json()) if options.json else show_quote(check)
            return 0
        found = pipeline.verify(options.ref)
    if options.json:
        show_json(found.to_json())
    else:
        show_verification(found)
    return 0


def _copy(options: argparse.Namespace) -> int:
    with ExitStack() as stack:
        source = stack.enter_context(closing(open_shelf(options.source)))
        target = stack.enter_context(closing(open_shelf(options.target, source.made_with())))
        with bar(None, "Copying", "article") as shown:
            written, done = copy(source, target, lambda done, of: _count(shown, done, of))
        say(f"copied {wording.articles(written)} to {options.target}; {done - written} were there already")
    return 0


_COMMANDS = {
    "index": _index, "ask": _ask, "search": _search, "articles": _articles, "remove": _remove, "gc": _gc,
    "verify": _verify, "copy": _copy, "evaluate": workshop.evaluate, "train": workshop.train,
    "average": workshop.average, "calibrate": workshop.calibrate, "quantize": workshop.quantize,
    "tune": workshop.tune,
}  # fmt: skip


# ---- helpers


def _open(options: argparse.Namespace, *, create: bool = False) -> Pipeline:
    rebuild = bool(getattr(options, "rebuild", False))
    return open_index(
        options.index, encoder=options.encoder, reader=options.reader, create=create, rebuild=rebuild
    )


def _advance(shown: tqdm[Any], report: Report, done: int, of: int) -> None:
    shown.total = of  # grows when a file turns out to hold many
    shown.set_postfix(counts(report), refresh=False)
    shown.update(done - shown.n)


def _count(shown: tqdm[Any], done: int, of: int) -> None:
    shown.total = of
    shown.update(done - shown.n)


def _step(shown: tqdm[Any]) -> None:
    shown.update(1)
