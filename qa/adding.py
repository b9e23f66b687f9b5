"""Articles -> an index: split into passages, embedded, and committed in groups."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from qa.backend import Backend
from qa.encoder import Encoder
from qa.graph import Array
from qa.passages import PassageSettings, split
from qa.types import Article, ArticleError, QAError, Range

COMMIT_PASSAGES = 256  # a build that is cut off has lost at most so many

Progress = Callable[[Article], None]
_Embedded = tuple[Article, list[Range], Array | None]  # None: it is there already


@dataclass(slots=True)
class AddReport:
    """What ``add`` did, by article id; ``failed`` has (name, why) for each that could not be added."""

    added: list[str] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    failed: list[tuple[str, str]] = field(default_factory=list)


class Adding:
    """Adds articles to an index, with one encoder and one way of splitting."""

    def __init__(self, index: Backend, encoder: Encoder, settings: PassageSettings) -> None:
        self._index = index
        self._encoder = encoder
        self._settings = settings

    def add(self, articles: Iterable[Article], report: AddReport, progress: Progress | None) -> AddReport:
        """See ``Pipeline.add``.

        :param report: filled after each group.
        """
        for group in self._groups(articles, report, progress):
            with self._index.write(refresh=False):
                for article, ranges, vectors in group:
                    if vectors is None:  # was there; another process may have removed it since
                        ranges, vectors = self._embed(article)
                    outcome = self._index.put(article, ranges, vectors)
                    getattr(report, outcome).append(article.id)
        self._index.refresh()
        return report

    def _groups(
        self, articles: Iterable[Article], report: AddReport, progress: Progress | None
    ) -> Iterator[list[_Embedded]]:
        """Articles with passages and vectors, embedded outside the write lock, some hundred passages at a time."""
        group: list[_Embedded] = []
        size = 0
        for article in articles:
            try:
                ranges, vectors = self._embed(article)
            except QAError as error:
                report.failed.append((article.source, str(error)))
            else:
                group.append((article, ranges, vectors))
                size += len(ranges) or 1  # what is there already is held in memory too
            if progress:
                progress(article)
            if size >= COMMIT_PASSAGES:
                yield group
                group, size = [], 0
        if group:
            yield group

    def _embed(self, article: Article) -> tuple[list[Range], Array | None]:
        try:
            article.id.encode()
            known = self._index.has(article.id, article.version)
        except UnicodeEncodeError:  # a half of a character, which readers of files replace
            why = f"{article.source!a} holds what is no Unicode character: decode it anew"
            raise ArticleError(why) from None
        if known:
            return [], None
        ranges = split(article.text, self._encoder.offsets, self._settings)
        if not ranges:
            raise ArticleError(f"{article.source} has no words; nothing to index")
        return ranges, self._encoder.encode([article.text[start:end] for start, end in ranges])
