"""Files and folders -> an index: what to read, what changed, what left."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from qa.articles import FoundFile, article_id, find_files, read_file
from qa.pipeline import AddReport, Pipeline
from qa.types import Article, ArticleError, QAError, sha256

Done = Callable[[FoundFile], None]


@dataclass(slots=True)
class Plan:
    """What a run over some files and folders has to do."""

    files: list[FoundFile]
    skipped: list[tuple[str, str]] = field(default_factory=list)  # path, why
    leaving: list[str] = field(default_factory=list)  # ids of articles whose file left these folders


def plan(
    pipeline: Pipeline,
    paths: Sequence[str | Path],
    *,
    sync: bool = False,
    shard: tuple[int, int] | None = None,
) -> Plan:
    """Find the files, and with ``sync`` the articles that left the given folders (never others).

    :param shard: (i, n): take only the files whose article belongs to the i-th of n workers, from 1.
    :raises ArticleError: if a path does not exist, or is a file of an unsupported kind.
    """
    skipped: list[tuple[str, str]] = []
    files: list[FoundFile] = []
    by_path = {path: article for article, path in pipeline.index.paths().items()}
    for file in find_files(paths, lambda path, why: skipped.append((str(path), why))):
        # The same file found by way of another folder would be an article that agrees with itself.
        known = by_path.get(os.path.abspath(file.path), article_id(file.source))
        if known == article_id(file.source):
            files.append(file)
        else:
            skipped.append((str(file.path), f"indexed already, as {known}"))
    # What was passed over is there still, perhaps in a folder that cannot be read today.
    present = [f.path for f in files] + [Path(path) for path, _ in skipped]
    leaving = _left(pipeline, paths, {Path(os.path.abspath(path)) for path in present}) if sync else []
    if shard is not None:
        files = [f for f in files if _is_of(shard, article_id(f.source))]
        leaving = [article for article in leaving if _is_of(shard, article)]
    return Plan(files, skipped, leaving)


def _is_of(shard: tuple[int, int], article: str) -> bool:
    worker, workers = shard
    return int(sha256(article), 16) % workers == worker - 1


def _left(pipeline: Pipeline, paths: Sequence[str | Path], present: set[Path]) -> list[str]:
    folders = [Path(os.path.abspath(os.path.expanduser(path))) for path in paths]
    left = []
    for article, stored in pipeline.index.paths().items():
        path = Path(stored)
        inside = any(path.is_relative_to(folder) for folder in folders if folder.is_dir())
        if inside and present.isdisjoint((path, *path.parents)):
            left.append(article)
    return left


def run(pipeline: Pipeline, todo: Plan, done: Done | None = None) -> AddReport:
    """Add what the plan found, and take out what left. One bad file is reported and stops nothing."""
    failed: list[tuple[str, str]] = []
    report = pipeline.add(_read(pipeline, todo.files, failed, done))
    report.failed = [*failed, *report.failed]
    for article in todo.leaving:
        pipeline.remove(article)
    return report


def rehearse(pipeline: Pipeline, todo: Plan) -> AddReport:
    """What ``run`` would report, without changing anything."""
    report = AddReport()
    known = {info.article: info.version for info in pipeline.articles()}
    for article in _read(pipeline, todo.files, report.failed, None):
        version = known.get(article.id)
        outcome = "added" if version is None else "unchanged" if version == article.version else "updated"
        getattr(report, outcome).append(article.id)
    return report


def _read(
    pipeline: Pipeline, files: Sequence[FoundFile], failed: list[tuple[str, str]], done: Done | None
) -> Iterator[Article]:
    origins = pipeline.index.paths()
    for file in files:
        try:
            article = read_file(file.path, source=file.source)
            _check_origin(article, origins.get(article.id))
            yield article
        except QAError as error:
            failed.append((file.source, str(error)))
        if done:
            done(file)


def _check_origin(article: Article, known: str | None) -> None:
    """Two folders of one name must not overwrite each other's articles."""
    if known and article.path and known != article.path and Path(known).exists():
        raise ArticleError(
            f"{article.source}: another file of this name is indexed, {known}; "
            "rename the folder, or use another --index"
        )
