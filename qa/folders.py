"""Files and folders -> an index: what to read, what changed, what left."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from qa.adding import AddReport
from qa.articles import FoundFile, article_id, find_files
from qa.containers import Failure, Notice, read_articles
from qa.finding import MANY, kind
from qa.pipeline import Pipeline
from qa.types import Article, sha256


@dataclass(slots=True)
class Plan:
    """What a run over some files and folders has to do."""

    files: list[FoundFile]
    skipped: list[tuple[str, str]] = field(default_factory=list)  # path, why
    leaving: list[str] = field(default_factory=list)  # ids of articles whose file left these folders
    sync: bool = (
        False  # whether articles that left a file of many are leaving too, which shows when it is read
    )


@dataclass(slots=True)
class Report(AddReport):
    """What a run did; ``removed`` has ids of articles that left, ``notices`` lines about what was read in part."""

    removed: list[str] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)


Tell = Callable[
    [Report, int, int], None
]  # what is done so far; how many articles and failures, and of how many


def plan(
    pipeline: Pipeline,
    paths: Sequence[str | Path],
    *,
    sync: bool = False,
    shard: tuple[int, int] | None = None,
) -> Plan:
    """Find the files, and with ``sync`` the articles whose files left the given folders (never others).

    :param shard: (i, n): take only the files that belong to the i-th of n workers, from 1.
    :raises ArticleError: if a path does not exist, or is a file of an unsupported kind.
    """
    skipped: list[tuple[str, str]] = []
    files: list[FoundFile] = []
    sources = {info.article: info.source for info in pipeline.index.articles()}
    by_path = {path: article for article, path in pipeline.index.paths().items()}
    for file in find_files(paths, lambda path, why: skipped.append((str(path), why))):
        # The same file found by way of another folder would be an article that agrees with itself.
        known = by_path.get(os.path.abspath(file.path))
        if known is None or _is_from(sources.get(known, file.source), file.source):
            files.append(file)
        else:
            skipped.append((str(file.path), f"indexed already, as {known}"))
    # What was passed over is there still, perhaps in a folder that cannot be read today.
    present = [f.path for f in files] + [Path(path) for path, _ in skipped]
    leaving = _left(pipeline, paths, {Path(os.path.abspath(path)) for path in present}) if sync else []
    if shard is not None:
        files = [f for f in files if _is_of(shard, article_id(f.source))]
        leaving = [article for article in leaving if _is_of(shard, article)]
    return Plan(files, skipped, leaving, sync)


def _is_from(source: str, file: str) -> bool:
    """Whether an article of that source is the file's of that source, or one of many in it."""
    return source == file or source.startswith(f"{file}/")


def _is_of(shard: tuple[int, int], article: str) -> bool:
    worker, workers = shard
    return int(sha256(article), 16) % workers == worker - 1


def _left(pipeline: Pipeline, paths: Sequence[str | Path], present: set[Path]) -> list[str]:
    folders = [Path(os.path.abspath(os.path.expanduser(path))) for path in paths]
    folders = [folder for folder in folders if folder.is_dir()]
    by_article = pipeline.index.paths()
    gone = set()
    for stored in set(by_article.values()):
        path = Path(stored)
        inside = any(path.is_relative_to(folder) for folder in folders)
        if inside and present.isdisjoint((path, *path.parents)):
            gone.add(stored)
    return [article for article, stored in by_article.items() if stored in gone]


def run(pipeline: Pipeline, todo: Plan, tell: Tell | None = None) -> Report:
    """Add what the plan found, and take out what left. One bad file, or row, is reported and stops nothing."""
    report = Report(removed=[*todo.leaving])
    pipeline.add(_read(pipeline, todo, report, tell), report=report)
    if report.removed:
        with pipeline.index.write():  # all at once: each commit is followed by a new snapshot
            for article in report.removed:
                pipeline.remove(article)
    pipeline.index.settle()
    return report


def rehearse(pipeline: Pipeline, todo: Plan, tell: Tell | None = None) -> Report:
    """What ``run`` would report, without changing anything."""
    report = Report(removed=[*todo.leaving])
    known = {info.article for info in pipeline.index.articles()}
    for article in _read(pipeline, todo, report, tell):
        if article.id not in known:
            report.added.append(article.id)
        elif (
            pipeline.index.has(article.id, article.version) and pipeline.index.article(article.id) == article
        ):
            report.unchanged.append(article.id)
        else:
            report.updated.append(article.id)
    return report


def _read(pipeline: Pipeline, todo: Plan, report: Report, tell: Tell | None) -> Iterator[Article]:
    """The articles of all files; the report gets the rest: failures, notices, and what left files of many."""
    origins = pipeline.index.paths()
    indexed = _indexed_in(pipeline, origins) if todo.sync else {}
    done, total = 0, len(todo.files)

    def more(count: int) -> None:
        nonlocal total
        total += count

    for file in todo.files:
        seen: set[str] = set()
        unsure: set[str] = set()
        for item in read_articles(file.path, source=file.source, more=more):
            if isinstance(item, Notice):
                report.notices.append(item.why)
                continue
            if isinstance(item, Failure):
                unsure.add(item.scope)
                report.failed.append((item.name, item.why))
            else:
                seen.add(item.id)
                if why := _taken(item, origins.get(item.id)):
                    report.failed.append((item.source, why))
                else:
                    yield item
            done += 1
            if tell:
                tell(report, done, total)
        if kind(file.path.name) in MANY:
            known = indexed.get(os.path.abspath(file.path), [])
            gone = (
                article for article, source in known if article not in seen and not _within(source, unsure)
            )
            report.removed.extend(gone)


def _indexed_in(pipeline: Pipeline, origins: dict[str, str]) -> dict[str, list[tuple[str, str]]]:
    """Id and source of the articles of each file."""
    found: dict[str, list[tuple[str, str]]] = {}
    for info in pipeline.index.articles():
        if path := origins.get(info.article):
            found.setdefault(path, []).append((info.article, info.source))
    return found


def _within(source: str, scopes: set[str]) -> bool:
    """Whether one of the scopes is the source, or what it begins with up to a slash."""
    parts = source.split("/")
    return not scopes.isdisjoint("/".join(parts[:length]) for length in range(1, len(parts) + 1))


def _taken(article: Article, known: str | None) -> str:
    """Why an article cannot be added: two folders of one name must not overwrite each other's articles."""
    if known and article.path and known != article.path and Path(known).exists():
        return (
            f"{article.source}: another file of this name is indexed, {known}; "
            "rename the folder, or use another --index"
        )
    return ""
