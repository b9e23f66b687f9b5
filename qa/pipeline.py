"""Everything opened once, behind ``ask``, ``search``, ``add``, ``remove`` and ``verify``. Thread-safe.

Browser, API, command line and evaluation all call these and return the same JSON.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from qa import conversation
from qa.adding import Adding, AddReport
from qa.answering import decide, nearest
from qa.arguments import check_history, check_question, resolve_articles
from qa.backend import Backend, open_backend
from qa.batches import ask_many
from qa.calibration import Ranking, load_calibration
from qa.effort import read_while_unsure
from qa.encoder import Encoder, load_encoder
from qa.quoting import QuoteCheck, check_quote
from qa.reader import Reader
from qa.retriever import Retriever
from qa.snapshot import Snapshot
from qa.tuned import load_tuned
from qa.types import (
    Answer,
    Article,
    ArticleInfo,
    Citation,
    Hit,
    NotFoundError,
    OldVersion,
    Passage,
    QAError,
    Range,
    Span,
    Verification,
    make_ref,
)
from qa.verification import verify

EVIDENCE = 3  # passages near the last turn that a follow-up is understood by

Progress = Callable[[str], None]
Glance = Callable[[Citation], None]
T = TypeVar("T")


def open_index(
    path: str | Path = "index", *, encoder: str | None = None, reader: str | Path | None = None,
    create: bool = False, rebuild: bool = False,
) -> Pipeline:  # fmt: skip
    """Open an index with its models, ready to answer.

    :param encoder: a sentence-transformers id or folder; None for the default, all-MiniLM-L6-v2.
    :param reader: a question-answering model's id or folder; None for the shipped one.
    :param create: make the index where there is none.
    :param rebuild: where it was made with another encoder, embed its articles again with this one.
    :raises ArticleIndexError: if the index cannot be opened; the message says what to do.
    :raises ModelError: if a model cannot be loaded.
    """
    # Side by side: most of it is reading and checking weights, and compiling, each on one core.
    with ThreadPoolExecutor(1, thread_name_prefix="opening") as pool:
        loading = pool.submit(Reader, reader)
        loaded = load_encoder(encoder)
        return Pipeline(path, loaded, loading.result(), create=create, rebuild=rebuild)


class Pipeline:
    """One index and its models. Made by ``open_index``; close it, or use it in a ``with``."""

    def __init__(
        self, path: str | Path, encoder: Encoder, reader: Reader | str | Path | None = None, *,
        create: bool = False, rebuild: bool = False,
    ) -> None:  # fmt: skip
        self.tuned = load_tuned(Path(path))
        self._settings = self.tuned.passages(encoder.max_tokens)
        self.encoder = encoder
        self.reader = Reader(reader) if reader is None or isinstance(reader, str | Path) else reader
        self.belongs_to = {
            "reader": self.reader.identity, "encoder": encoder.identity, "settings": self.tuned.name,
        }  # fmt: skip
        own = load_calibration(Path(path), self.belongs_to)  # the index's
        shipped = load_calibration(self.reader.folder, self.belongs_to)
        self.calibration, self._uncalibrated = own if own[0] is not None else shipped
        self.index: Backend = open_backend(
            path, encoder_identity=encoder.identity, passage_settings=str(self._settings),
            create=create, rebuild=rebuild,
        )  # fmt: skip
        self._retriever = Retriever(encoder, self.tuned.dense)

    def __enter__(self) -> Pipeline:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the index. No use after this."""
        self.index.close()

    # ---- asking

    @property
    def default_min_confidence(self) -> float | None:
        """Below this probability an answer is not given, unless the caller asks for another; None: uncalibrated."""
        return self.calibration.threshold if self.calibration else None

    def info(self) -> dict[str, int]:
        """Generation, number of articles, number of passages."""
        return _info(self.index.snapshot)

    def ask(
        self, question: str, history: Sequence[Sequence[str | None]] = (), articles: Sequence[str] | None = None,
        top_k: int = 5, min_confidence: float | None = None, progress: Progress | None = None,
        glance: Glance | None = None,
    ) -> Answer:  # fmt: skip
        """Answer by a verbatim quote, or say why not.

        :param history: earlier ``[question, answer]`` pairs, oldest first, None for an answer that was declined. What
            the question leans on is taken from them: ``read_as`` is its stand-alone form.
        :param articles: ids, or globs of sources ("news/*"), to look in; None for all.
        :param top_k: how many different answers to return, the best one among them.
        :param min_confidence: decline below this probability; None for the calibration's own threshold. With 0 it
            reads on for its best guess where it would have given up.
        :param progress: told in words what is being done.
        :param glance: given the nearest passage as soon as it is found, before anything is read; no answer yet.
        :raises QuestionError: if the question is blank, or an argument is out of range.
        """
        started = time.perf_counter()
        asked, warnings = check_question(question, top_k, min_confidence)
        turns = check_history(history)
        base = Answer(question, asked, None, None, True, None, warnings=warnings)
        tell = progress or (lambda words: None)

        def ask(snapshot: Snapshot) -> Answer:
            return self._ask(snapshot, base, turns, articles, top_k, min_confidence, tell, glance, started)

        return self._newest(ask)

    def ask_many(self, questions: Iterable[str | Mapping[str, Any]]) -> Iterator[Answer | QAError]:
        """Answer many questions, side by side: the same answers as one by one, in order, sooner.

        :param questions: texts, or mappings of ``ask``'s arguments. They are taken as they come.
        :return: for each its answer, or the error that says why it cannot be asked.
        """
        return ask_many(self.ask, questions)

    def _newest(self, call: Callable[[Snapshot], T]) -> T:
        """Call with the newest snapshot; and again, if in the meantime a text of it was deleted for good."""
        self.index.refresh(wait=False)
        while True:
            snapshot = self.index.snapshot
            try:
                return call(snapshot)
            except NotFoundError:
                self.index.refresh()
                if self.index.snapshot is snapshot:
                    raise

    def _ask(
        self, snapshot: Snapshot, base: Answer, turns: Sequence[tuple[str, str]],
        articles: Sequence[str] | None, top_k: int, min_confidence: float | None, tell: Progress,
        glance: Glance | None, started: float,
    ) -> Answer:  # fmt: skip
        base = replace(base, index=_info(snapshot))
        if not len(snapshot):
            return replace(base, reason="empty_index")
        allowed = resolve_articles(snapshot, articles)
        asked = _stand_alone(snapshot, base.read_as, turns, allowed)
        context = " ".join(turns[-1]) if asked != base.read_as else ""
        base = replace(base, read_as=asked)
        count = snapshot.article_count if allowed is None else len(allowed)
        tell(f"Searching {count} {'article' if count == 1 else 'articles'}")
        hits = self._retriever.retrieve(snapshot, asked, allowed, context=context)
        retrieved = time.perf_counter()
        if glance and hits:
            glance(nearest(snapshot, hits[0]))
        spans = self._read(snapshot, asked, hits, tell, may_decline=min_confidence != 0) if hits else []
        read = time.perf_counter()
        answer = decide(
            base, snapshot, hits, spans, self.calibration, self._uncalibrated, top_k, min_confidence
        )
        if self.reader.cut(asked) != asked:
            cut = f"the question is long: only its beginning was read, up to {self.reader.cut(asked)[-30:]!r}"
            answer = replace(answer, warnings=(*answer.warnings, cut))
        timings = {
            "retrieve": retrieved - started,
            "read": read - retrieved,
            "total": time.perf_counter() - started,
        }
        return replace(answer, timings_ms={name: round(1000 * value, 2) for name, value in timings.items()})

    def evidence(
        self, question: str, allowed: Sequence[str] | None = None, *, whole: bool = False
    ) -> tuple[Snapshot, list[Hit], list[Span]]:
        """What an answer is made from, before anything is decided: for calibrating and for error analysis.

        As much is read as for an answer that may not be declined.

        :param whole: read as many passages as are ever read, however sure the reader is.
        """
        snapshot = self.index.snapshot
        hits = self._retriever.retrieve(snapshot, question, allowed)
        tell: Progress = lambda words: None  # noqa: E731
        return snapshot, hits, self._read(snapshot, question, hits, tell, may_decline=False, whole=whole)

    def _read(
        self, snapshot: Snapshot, question: str, hits: Sequence[Hit], tell: Progress, *,
        may_decline: bool, whole: bool = False,
    ) -> list[Span]:  # fmt: skip
        """The spans of the first hits, and of more of them unless the reader is sure of what it has."""

        def masks(hit: Hit) -> Sequence[Range]:
            return snapshot.masks(hit.passage.article)

        def read(part: Sequence[Hit]) -> list[Span]:
            tell(f"Reading {hits.index(part[-1]) + 1} of {len(hits)} passages")
            return self.reader.read(question, part, masks)

        first = hits[: self.tuned.read]
        if whole:
            return read(first) if first else []
        ranking = self.calibration.ranking if self.calibration else Ranking()
        return read_while_unsure(first, ranking, read, may_decline=may_decline)

    def search(
        self, query: str, top_k: int = 5, articles: Sequence[str] | None = None
    ) -> list[dict[str, Any]]:
        """The passages nearest to a query, best first, as the contract's JSON rows.

        :raises QuestionError: if the query is blank, or an argument is out of range.
        """
        asked, _ = check_question(query, top_k, None)

        def find(snapshot: Snapshot) -> list[dict[str, Any]]:
            if not len(snapshot):
                return []
            allowed = resolve_articles(snapshot, articles)
            hits = self._retriever.retrieve(snapshot, asked, allowed, top_k)
            return [_row(snapshot, hit) for hit in hits]

        return self._newest(find)

    def read_text(self, question: str, text: str) -> Span | None:
        """The best span of one text, however long; None where it has none. For evaluating the reader alone."""
        hit = Hit(Passage("", "", 0, len(text), text), 0.0, 0.0, 0.0)
        return next(iter(self.reader.read(question, [hit], best=1)), None)

    # ---- articles

    def articles(self) -> list[ArticleInfo]:
        """The articles that are searched, sorted by id."""
        self.index.refresh(wait=False)
        return self.index.snapshot.articles

    def text(self, article: str, version: str | None = None) -> str:
        """An article's whole stored text; of an older version by (the beginning of) its sha256.

        :raises NotFoundError: if there is none.
        """
        return self.index.text(article, version)

    def add(
        self, articles: Iterable[Article], progress: Callable[[Article], None] | None = None,
        report: AddReport | None = None,
    ) -> AddReport:  # fmt: skip
        """Add articles, or newer texts of them. What is there unchanged is not embedded again.

        Committed in groups, so a build that is cut off goes on where it was when it is started again.

        :param progress: called after each article.
        :param report: filled after each group and returned; for one who wants to look meanwhile.
        :raises IndexBusyError: if another process is writing.
        """
        report = AddReport() if report is None else report
        adding = Adding(self.index, self.encoder, self._settings)
        return adding.add(articles, report, progress)

    def reembed(self, progress: Callable[[Article], None] | None = None) -> AddReport:
        """Embed again what opening with ``rebuild`` left without passages."""
        return self.add((self.index.article(article) for article in self.index.stale()), progress)

    def remove(self, article: str, *, forget: bool = False) -> None:
        """Take an article out of the search; with ``forget``, delete its texts for good.

        :raises NotFoundError: if there is none.
        """
        self.index.remove(article, forget=forget)

    def gc(self, age: timedelta, *, dry_run: bool = False) -> list[OldVersion]:
        """Delete for good the texts that ceased to be live at least ``age`` ago; references to them are gone then.

        :param dry_run: only say which.
        :return: what was, or would be, deleted; sorted by article and time.
        :raises IndexBusyError: if another process is writing; or reading, which only delays the wiping.
        """
        return self.index.old_versions(age) if dry_run else self.index.delete_old(age)

    def verify(self, ref: str) -> Verification:
        """What became of a quote: unchanged, moved, edited or gone.

        :raises RefError: if ``ref`` is not a reference.
        """
        self.index.refresh(wait=False)
        return verify(self.index, ref)

    def verify_quote(self, quote: str, articles: Sequence[str] | None = None) -> QuoteCheck:
        """Whether the articles say these words: exactly, nearly with a word diff, or not at all.

        :param articles: ids, or globs of sources, to look in; None for all.
        :raises QuestionError: if the quote holds no word or is too long, or a name matches no article.
        """
        return self._newest(lambda s: check_quote(s, quote, resolve_articles(s, articles)))


def _stand_alone(
    snapshot: Snapshot, asked: str, turns: Sequence[tuple[str, str]], allowed: Sequence[str] | None
) -> str:
    """The question as it is read after earlier ones, with what the articles they were answered from tell."""
    if not turns:
        return asked
    rows, _ = snapshot.bm25(" ".join(turns[-1]), EVIDENCE, allowed)
    passages = [snapshot.passage(int(row)) for row in rows]
    title = snapshot.article(passages[0].article).info.title if passages else None
    return conversation.read(asked, turns, " ".join(p.text for p in passages), title)


def _info(snapshot: Snapshot) -> dict[str, int]:
    return {"generation": snapshot.generation, "articles": snapshot.article_count, "passages": len(snapshot)}


def _row(snapshot: Snapshot, hit: Hit) -> dict[str, Any]:
    p = hit.passage
    return {
        "article": p.article, "title": snapshot.article(p.article).info.title, "start": p.start, "end": p.end,
        "text": p.text, "score": hit.score, "dense": hit.dense, "bm25": hit.bm25,
        "ref": make_ref(p.article, p.version, p.start, p.end),
    }  # fmt: skip
