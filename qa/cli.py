"""The command line: ``python -m qa COMMAND``. Data to stdout, words to stderr; exit 0 done, 1 failed, 2 bad usage."""

from __future__ import annotations

import argparse
import io
import json
import logging
import os
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TextIO

from tqdm import tqdm

from qa import folders, wording
from qa.evaluation.report import format_table
from qa.evaluation.runner import evaluate
from qa.options import misused, parse
from qa.pipeline import AddReport, Pipeline, open_index
from qa.printing import say, show_answer, show_articles, show_json, show_passages, show_verification
from qa.types import DatasetError, IndexMissingError, QAError, QuestionError

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
    paths = options.paths or ([] if options.rebuild else [SEEDS])
    if options.sync and not all(Path(path).expanduser().is_dir() for path in paths):
        misused(options.command, "--sync takes folders: it removes the articles of files that left them")
    if options.dry_run and options.rebuild:
        misused(options.command, "--rebuild changes the index, --dry-run does not; give one of them")
    with ExitStack() as stack:
        pipeline = _open_to_index(options, stack)
        if options.rebuild:
            with _bar(len(pipeline.index.stale()), "Embedding again") as bar:
                _report(pipeline.reembed(lambda article: _step(bar)), pipeline, [])
        todo = folders.plan(pipeline, paths, sync=options.sync, shard=options.shard)
        for path, why in todo.skipped:
            if why != "hidden":
                say(f"passed over {path}: {why}")
        if options.dry_run:
            report = folders.rehearse(pipeline, todo)
            for word, ids in (("add", report.added), ("update", report.updated), ("remove", todo.leaving)):
                for article in ids:
                    print(word, article)
            for name, why in report.failed:
                say(f"would fail: {_named(name, why)}")
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
        say(f"failed: {_named(name, why)}")
    counts = {
        "added": len(report.added), "updated": len(report.updated), "unchanged": len(report.unchanged),
        "removed": len(removed), "failed": len(report.failed),
    }  # fmt: skip
    done = ", ".join(f"{count} {word}" for word, count in counts.items() if count) or "nothing found to index"
    info = pipeline.info()
    say(f"{done}; the index has {wording.articles(info['articles'])}, {wording.passages(info['passages'])}")
    return 1 if report.failed and not (report.added or report.updated or report.unchanged) else 0


def _named(name: str, why: str) -> str:
    return why if name in why else f"{name}: {why}"


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
    failed = 0
    with _lines(options.batch) as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                arguments = {"top_k": options.top_k, "min_confidence": options.min_confidence}
                arguments |= {"articles": options.articles} | _batch_line(line)
                show_json(pipeline.ask(**arguments).to_json())
            except QAError as error:
                failed += 1
                show_json({"schema": 1, "question": line.strip()[:200], "error": f"line {number}: {error}"})
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


def _verify(options: argparse.Namespace) -> int:
    with _open(options) as pipeline:
        found = pipeline.verify(options.ref)
    if options.json:
        show_json(found.to_json())
    else:
        show_verification(found)
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
    say(f"wrote {path}: ranking {made.ranking}, threshold {made.threshold}")
    return 0


def _quantize(options: argparse.Namespace) -> int:
    from qa.reader import DEFAULT
    from qa.training.quantize import quantize

    path = quantize(options.reader or DEFAULT, options.data, pairs=options.pairs, seed=options.seed)
    say(f"wrote {path}; calibrate next: python -m qa calibrate")
    return 0


_COMMANDS = {
    "index": _index, "ask": _ask, "search": _search, "articles": _articles, "remove": _remove, "verify": _verify,
    "evaluate": _evaluate, "calibrate": _calibrate, "quantize": _quantize,
}  # fmt: skip


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
