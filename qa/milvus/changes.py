"""What a write to an index in Milvus gathers before it is committed."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from qa.milvus.reading import Reading
from qa.milvus.rows import Kept, PassageRow, Record, key_of
from qa.milvus.writing import Change
from qa.rows import StoredArticle, to_blobs, to_row
from qa.store import Edge, Put
from qa.terms import Analyzer
from qa.types import Article, ArticleInfo, NotFoundError, Range

COMMIT_ARTICLES = 1_000  # in one commit at most, and
COMMIT_PASSAGES = 4_000


class Changes:
    """What becomes of some articles, by key. For one thread."""

    def __init__(self, reading: Reading, now: str) -> None:
        self._reading, self._now = reading, now
        self._changes: dict[str, Change] = {}
        self._analyze = Analyzer()
        self.visible = False  # whether what is searched changes

    def record(self, article: str) -> Record | None:
        """An article as it will be."""
        key = key_of(article)
        return self._changes[key].after if key in self._changes else self._reading.record(article)

    def parts(self) -> Iterator[list[Change]]:
        """The changes, as many at a time as go into one commit."""
        changes = iter(self._changes.values())
        while part := list(islice(changes, COMMIT_ARTICLES)):
            start = size = 0
            for end, change in enumerate(part):
                if size and size + len(change.passages) > COMMIT_PASSAGES:
                    yield part[start:end]
                    start, size = end, 0
                size += len(change.passages)
            yield part[start:]

    def put(
        self, article: Article, passages: Sequence[Range], vectors: NDArray[np.floating] | None,
        edges: Sequence[Edge], added: str | None = None,
    ) -> Put:  # fmt: skip
        """As ``store.Store.put``.

        :param added: when it was added; None for now.
        """
        version, title, source, path, date, _, _, bytes_sha256 = to_row(article)
        before = self.record(article.id)
        old = before.stored.info if before and before.stored else None
        known = old is not None and old.version == version
        if known and before is not None and old is not None:
            edition, count, since = before.edition, old.passages, added or old.added
        else:
            to_blobs(passages, vectors, len(article.text))  # that they make sense
            edition, count, since = secrets.token_hex(16), len(passages), added or self._now
        info = ArticleInfo(article.id, title, source, date, version, len(article.text), count, since)
        stored = StoredArticle(info, tuple(article.masks), tuple(article.locators))
        kept = _with(before.kept if before else (), Kept(version, len(article.text), since, None), self._now)
        after = Record(article.id, edition, stored, path, bytes_sha256, tuple(edges), kept)
        if after == before:
            return "unchanged"
        if known:
            self._change(article.id, after)
        else:
            assert vectors is not None
            rows = self._passages(article, edition, passages, vectors)
            self._change(article.id, after, rows, {version: article.text})
        self.visible = True
        return "updated" if old else "added"

    def _passages(
        self, article: Article, edition: str, passages: Sequence[Range], vectors: NDArray[np.floating]
    ) -> list[PassageRow]:
        key = key_of(article.id)
        return [
            PassageRow.make(key, edition, place, self._analyze(article.text[slice(*place)]), vector)
            for place, vector in zip(passages, vectors, strict=True)
        ]

    def keep(self, article: str, versions: Iterable[tuple[Kept, str]]) -> None:
        """Texts that an article had, with what is known of them: for references to them."""
        before = self.record(article) or Record(article, "", None, None, "", (), ())
        listed = {kept.version: (kept, text) for kept, text in versions}
        live = before.find(None)
        here = [k for k in before.kept if k.version == live or k.version not in listed]
        old = [kept for version, (kept, _) in listed.items() if version != live]
        kept = tuple(sorted((*here, *old), key=lambda k: (k.retired is None, k.retired or "")))
        if kept != before.kept:
            known = {k.version for k in before.kept}
            texts = {version: text for version, (_, text) in listed.items() if version not in known}
            self._change(article, replace(before, kept=kept), texts=texts)

    def remove(self, article: str, *, forget: bool) -> None:
        """As ``store.Store.remove``."""
        before = self.record(article)
        if before is None or not (forget or before.live):
            raise NotFoundError(f"no article {article[:80]!r} in the index")
        after = None if forget else before.retired(self._now)
        self._change(article, after, forgotten=[k.version for k in before.kept] if forget else [])
        self.visible = True

    def forget(self, record: Record, versions: Iterable[str]) -> None:
        """Delete some versions of an article, which are not live."""
        gone = set(versions)
        after = replace(record, kept=tuple(k for k in record.kept if k.version not in gone))
        self._change(record.article, after if after.kept else None, forgotten=sorted(gone))

    def _change(
        self, article: str, after: Record | None, passages: Sequence[PassageRow] = (),
        texts: dict[str, str] | None = None, forgotten: Sequence[str] = (),
    ) -> None:  # fmt: skip
        key = key_of(article)
        earlier = self._changes.get(key)
        if earlier is None:
            self._changes[key] = Change(self._reading.record(article), after, passages, texts, forgotten)
            return
        if not passages and after is not None and earlier.after and after.edition == earlier.after.edition:
            passages = earlier.passages
        every = {**(earlier.texts or {}), **(texts or {})}
        forgotten = sorted(
            {*earlier.forgotten, *forgotten} - ({k.version for k in after.kept} if after else set())
        )
        self._changes[key] = Change(earlier.before, after, passages, every, forgotten)
        if earlier.before is None and after is None:
            del self._changes[key]


def _with(kept: Sequence[Kept], new: Kept, now: str) -> tuple[Kept, ...]:
    """The versions of an article with one that is live; the others are no more."""
    others = (k if k.retired else replace(k, retired=now) for k in kept if k.version != new.version)
    return (*others, new)
