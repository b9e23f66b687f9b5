"""Questions of the page: asked in reader threads, told about in words, called off, remembered for feedback.

No answer is made here: every question goes to ``Pipeline.ask``, and its answer is shown as it is.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Any, ParamSpec, TypeVar

import gradio as gr

from qa.feedback import feedback, record
from qa.library import Library
from qa.pipeline import Pipeline
from qa.question_kinds import asks_for
from qa.scope import Scope
from qa.types import Answer, Citation, NotFoundError, QuestionError

from . import turns, words
from .errors import one_line
from .load import READERS, Line

P = ParamSpec("P")
T = TypeVar("T")

MAX_TURNS = 30  # turns that /chat keeps: its whole thread travels with every answer
HISTORY = 10  # earlier turns a question is asked with
DECIDES_FROM = 0.35  # "possible": how likely a place must be the right one to be shown as deciding a question
KEPT = 2000  # answers kept for what people say about them
KEEP: Any = gr.skip()  # leaves a component as it is


class Cancelled(Exception):
    """The person called the question off."""


@dataclass(slots=True)
class Asked:
    """A question with ``ask``'s arguments as the page sends them; all of it is untrusted."""

    question: str
    history: list[list[str | None]] = field(default_factory=list)
    scope: Scope = field(default_factory=Scope)
    min_confidence: float | None = None

    @classmethod
    def of(cls, data: dict[str, Any]) -> Asked:
        """Read what the page sent.

        :raises QuestionError: if it is not what a page sends.
        """
        try:
            pairs: list[list[str | None]] = [  # None: it was declined
                [str(asked)[:2000], str(said)[:2000] if said else None]
                for asked, said in data.get("history") or ()
            ]
            scope = Scope(
                tuple(str(article) for article in data.get("articles") or ()),
                str(data.get("since") or "") or None, str(data.get("until") or "") or None,
            )  # fmt: skip
            level = data.get("level")
            return cls(str(data.get("question") or ""), pairs[-HISTORY:], scope,
                       None if level in (None, "") else float(level))  # fmt: skip
        except (TypeError, ValueError):
            raise QuestionError("this is no question as the page sends it; reload the page") from None


@dataclass(slots=True)
class Running:
    """A question that is being answered: what it says on the way, and whether it was called off."""

    said: SimpleQueue[Any] = field(default_factory=SimpleQueue)
    off: threading.Event = field(default_factory=threading.Event)

    def tell(self, doing: str) -> None:
        """Say what is being done; the reader stops here when the question was called off."""
        if self.off.is_set():
            raise Cancelled
        self.said.put(doing)

    def glance(self, found: Citation) -> None:
        """Show the nearest passage, which is being read."""
        self.said.put(found)

    def cancel(self) -> None:
        """Call the question off; whoever waits for it is free at once."""
        self.off.set()
        self.said.put(Cancelled())


class Desk:
    """One open index, and what the page and the endpoints do with it."""

    def __init__(self, pipeline: Pipeline, index: str = "index", writable: bool = True) -> None:
        self.pipeline = pipeline
        self.index = index
        self.writable = writable
        self.library = Library(pipeline)
        self.readers = Line()
        self._lock = threading.Lock()
        self._running: dict[str, Running] = {}
        self._queued = 0
        self._answers: OrderedDict[str, tuple[Answer, Asked, list[str] | None]] = OrderedDict()

    # ---- asking

    def answers(
        self, asked: Asked, running: Running | None = None
    ) -> Iterator[str | Citation | tuple[Answer, Answer | None]]:
        """Ask in a reader thread; yield what it is doing, in words, the nearest passage as soon as it is found, and
        at last the answer and what decides it.

        :raises QAError: as ``Pipeline.ask`` does.
        :raises Cancelled: if it was called off.
        """
        running = running or Running()
        with self._lock:
            before = max(0, self._queued - READERS + 1)
            self._queued += 1
        if before:
            yield words.waiting(before)
        try:
            done: Future[tuple[Answer, Answer | None]] = self.readers.submit(self._answer, asked, running)
        except BaseException:  # the line is full
            self._finished(None)
            raise
        done.add_done_callback(self._finished)
        done.add_done_callback(running.said.put)
        while isinstance(item := running.said.get(), str | Citation):
            yield item
        if isinstance(item, Cancelled):
            raise item
        yield item.result()

    def _finished(self, done: object) -> None:
        with self._lock:
            self._queued -= 1

    def _answer(self, asked: Asked, running: Running) -> tuple[Answer, Answer | None]:
        articles = asked.scope.resolve(self.pipeline.articles()) if asked.scope else None
        rest = {"history": asked.history, "articles": articles, "progress": running.tell}
        answer = self.pipeline.ask(
            asked.question, min_confidence=asked.min_confidence, glance=running.glance, **rest
        )
        undecided = answer.reason == "low_confidence" and asked.min_confidence is None
        if undecided and asks_for(answer.read_as) in ("yes_no", "list"):
            deciding = self.pipeline.ask(asked.question, min_confidence=DECIDES_FROM, **rest)
            return answer, None if deciding.abstained else deciding
        return answer, None

    def ask(self, data: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """A question of the page: what is being done, then the finished turn, each named by the page's token."""
        token = str(data.get("token") or "")[:64]
        running = Running()
        with self._lock:
            self._running[token] = running
        question = str(data.get("question") or "")
        done: dict[str, Any] = {
            "token": token,
            "done": True,
            "question": question,
            "answer": "",
            "failed": True,
        }
        try:
            asked = Asked.of(data)
            for item in self.answers(asked, running):
                if isinstance(item, str):
                    yield {"token": token, "doing": item}
                elif isinstance(item, Citation):
                    yield {"token": token, "near": turns.glimpse(item, self.pipeline.text)}
                else:
                    done |= self._done(token, asked, *item)
        except Cancelled:
            done["html"] = turns.cancelled(question)
        except Exception as error:
            done["html"] = turns.trouble(question, one_line(error))
        finally:
            with self._lock:
                self._running.pop(token, None)
        yield done

    def _done(self, token: str, asked: Asked, answer: Answer, deciding: Answer | None) -> dict[str, Any]:
        shown = deciding or answer
        html = turns.turn(asked.question, answer, self.pipeline.text, token, deciding)
        articles = asked.scope.resolve(self.pipeline.articles()) if asked.scope else None
        with self._lock:
            self._answers[token] = shown, asked, articles
            while len(self._answers) > KEPT:
                self._answers.popitem(last=False)
        return {"html": html, "answer": answer.answer or "", "read_as": answer.read_as, "failed": False}

    def cancel(self, token: str) -> bool:
        """Call a question off; whether there was one."""
        with self._lock:
            running = self._running.get(token)
        if running:
            running.cancel()
        return running is not None

    def knows(self, token: str) -> bool:
        """Whether a question is being answered."""
        with self._lock:
            return token in self._running

    def judge(self, token: str, verdict: str) -> None:
        """Write down what a person says about an answer.

        :raises NotFoundError: if the answer is not known any more.
        """
        with self._lock:
            known = self._answers.get(token)
        if known is None:
            raise NotFoundError(words.STALE_PAGE)
        answer, asked, articles = known
        line = feedback(
            answer, verdict, token=token, history=asked.history, articles=articles,
            min_confidence=asked.min_confidence,
        )  # fmt: skip
        record(self.index, line)

    # ---- /chat, for programs that want the page's own HTML

    def chat(
        self, question: str, how_sure: str, shown: list[str]
    ) -> Iterator[tuple[str, Any, str, list[str]]]:
        """Ask the articles; streams the thread and, at the end, the answer with its evidence, as HTML."""
        before, box = "".join(shown), KEEP
        try:
            yield before + turns.waiting(question, words.STARTING), "", self.counts(), shown
            for item in self.answers(Asked.of({"question": question, "level": how_sure})):
                if isinstance(item, str):
                    yield before + turns.waiting(question, item), KEEP, self.counts(), shown
                elif not isinstance(item, Citation):
                    turn = turns.turn(question, item[0], self.pipeline.text)
        except Exception as error:
            turn = turns.trouble(question, one_line(error))
            box = question if question.strip() else ""  # back to where it was typed, to be mended
        shown = [*shown, turn][-MAX_TURNS:]
        yield "".join(shown), box, self.counts(), shown

    def counts(self) -> str:
        """What the index holds, in words."""
        info = self.pipeline.info()
        return words.counts(info["articles"], info["passages"])
