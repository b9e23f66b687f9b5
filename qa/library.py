"""Articles taken in from elsewhere than this machine's folders, looked through, removed, and brought back."""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from qa.adding import AddReport
from qa.articles import from_text
from qa.containers import TABLE_BYTES, Failure, Notice, read_articles
from qa.finding import one_line
from qa.pipeline import Pipeline
from qa.types import Article, ArticleInfo, NotFoundError

UPLOAD_BYTES = TABLE_BYTES  # of one file; the kinds' own limits are below it
UPLOAD_FILES = 500  # taken at a time
FOLDER = "uploaded"  # what the sources of uploaded files begin with
KEPT = 20  # removals that can be undone
KEPT_CHARACTERS = 50_000_000  # and how much text of theirs is held for it


@dataclass(slots=True)
class Taken(AddReport):
    """What became of one file or text; ``notices`` are lines about what was read in part."""

    notices: list[str] = field(default_factory=list)
    done: int = 0  # articles and failures so far
    total: int = 1  # and how many there will be, as far as is known


Stop = Callable[[], bool]


class Library:
    """What a page does with the articles of a pipeline. Thread-safe."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline
        self._removed: OrderedDict[str, list[Article]] = OrderedDict()
        self._lock = threading.Lock()

    # ---- looking through

    def find(self, words: str = "") -> list[ArticleInfo]:
        """The articles whose title, source or date hold all these words, sorted by title; all without words."""
        wanted = words.casefold().split()
        rows = [
            info
            for info in self._pipeline.articles()
            if all(word in f"{info.title}\n{info.source}\n{info.date or ''}".casefold() for word in wanted)
        ]
        return sorted(rows, key=lambda info: (info.title.casefold(), info.article))

    # ---- taking in

    def add_file(
        self, path: Path, name: str, taken: Taken | None = None, stop: Stop = lambda: False
    ) -> Taken:
        """Take in a file that was uploaded: its articles keep no path, since the file itself is not kept.

        The same name again brings newer texts of the same articles. A text that is here already, under another
        name, is refused: it would agree with itself.

        :param name: what the person calls the file; never used as a path.
        :param taken: filled as it goes on, for one who wants to look meanwhile.
        :param stop: asked before each article; what was read until then is added.
        :raises IndexBusyError: if another process is writing.
        """
        taken = Taken() if taken is None else taken
        source = f"{FOLDER}/{one_line(name.replace(chr(92), '/').rpartition('/')[2]) or 'file'}"
        self._pipeline.add(self._read(path, source, taken, stop), report=taken)
        return taken

    def add_text(self, title: str, text: str, date: str | None = None, source: str | None = None) -> Taken:
        """Take in pasted text. The same source again replaces it, the same title where there is none.

        :raises ArticleError: if the text is blank or too long, or the date is none.
        :raises IndexBusyError: if another process is writing.
        """
        taken = Taken()
        title = one_line(title) or one_line(text)[:60]
        article = from_text(text, title=title, source=source or None, date=date or None)
        self._pipeline.add(self._new([article], self._known(), taken), report=taken)
        taken.done = 1
        return taken

    def _read(self, path: Path, source: str, taken: Taken, stop: Stop) -> Iterator[Article]:
        def more(count: int) -> None:
            taken.total += count

        known = self._known()
        for item in read_articles(path, source=source, more=more):
            if stop():
                return
            if isinstance(item, Notice):
                taken.notices.append(item.why)
                continue
            taken.done += 1
            if isinstance(item, Failure):
                taken.failed.append((item.name, item.why))
            else:
                yield from self._new([replace(item, path=None)], known, taken)

    def _known(self) -> dict[str, ArticleInfo]:
        return {info.version: info for info in self._pipeline.articles()}

    @staticmethod
    def _new(articles: Sequence[Article], known: dict[str, ArticleInfo], taken: Taken) -> Iterator[Article]:
        for article in articles:
            there = known.get(article.version)
            if there is not None and there.article != article.id:
                why = f"{article.source} is here already, word for word, as {there.source}"
                taken.failed.append((article.source, why))
            else:
                yield article

    # ---- removing, and undoing it

    def remove(self, articles: Sequence[str]) -> str:
        """Take articles out of the search; the token brings them back.

        :raises NotFoundError: if one of them is not there; then none is removed.
        :raises IndexBusyError: if another process is writing.
        """
        index = self._pipeline.index
        with index.write():
            gone = [index.article(article) for article in articles]
            for article in gone:
                index.remove(article.id)
        token = secrets.token_urlsafe(12)
        with self._lock:
            self._removed[token] = gone
            while len(self._removed) > KEPT or (len(self._removed) > 1 and self._held() > KEPT_CHARACTERS):
                self._removed.popitem(last=False)
        return token

    def _held(self) -> int:
        return sum(len(article.text) for gone in self._removed.values() for article in gone)

    def restore(self, token: str) -> AddReport:
        """Bring back what was removed.

        :raises NotFoundError: if it was brought back already, or is too long ago.
        :raises IndexBusyError: if another process is writing; it can be tried again.
        """
        with self._lock:
            gone = self._removed.pop(token, None)
        if gone is None:
            raise NotFoundError("this can no longer be undone; add the article again")
        try:
            return self._pipeline.add(gone)
        except BaseException:
            with self._lock:
                self._removed[token] = gone
            raise
