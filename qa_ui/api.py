"""The endpoints for programs: named, described, stateless; the contract's JSON. No answer is made here."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import gradio as gr

from qa.library import Library
from qa.pipeline import Pipeline
from qa.types import ArticleError, NotFoundError, QAError, QuestionError

from .errors import one_line
from .guard import CHARGE
from .load import Line
from .schema import ENDPOINTS, WRITING, Schema

MOST_QUESTIONS = 100  # of one /ask_batch
STATES = ("added", "updated", "unchanged")
JSON = dict[str, Any]


class Calls:
    """What endpoints and tools do: the pipeline's own calls, in the reader's threads, as JSON.

    :raises: whatever the pipeline raises; ``load.BusyError`` when too many wait.
    """

    def __init__(self, pipeline: Pipeline, line: Line) -> None:
        self._pipeline = pipeline
        self._line = line

    async def _run(self, call: Callable[..., Any], *args: object) -> Any:  # noqa: ANN401
        return await asyncio.wrap_future(self._line.submit(call, *args))

    async def ask(
        self, question: str, history: list[list[str | None]], articles: list[str] | None, top_k: int,
        min_confidence: float | None,
    ) -> JSON:  # fmt: skip
        """One answer."""
        return (
            await self._run(self._pipeline.ask, question, history, articles, top_k, min_confidence)
        ).to_json()

    async def ask_batch(
        self, questions: list[str], articles: list[str] | None, top_k: int, min_confidence: float | None
    ) -> list[JSON]:
        """An answer or an error for each, in order; a few at a time, so that others get their turn in between."""
        if not isinstance(questions, list) or not 1 <= len(questions) <= MOST_QUESTIONS:
            raise QuestionError(f"questions must be a list of 1 to {MOST_QUESTIONS}")
        few = asyncio.Semaphore(4)

        async def one(question: str) -> JSON:
            async with few:
                try:
                    return await self.ask(question, [], articles, top_k, min_confidence)
                except QAError as error:
                    return {
                        "schema": 1,
                        "question": str(question)[:200],
                        "error": " ".join(str(error).split()),
                    }

        return list(await asyncio.gather(*map(one, questions)))

    async def search(self, query: str, top_k: int, articles: list[str] | None) -> list[JSON]:
        """Passages."""
        return await self._run(self._pipeline.search, query, top_k, articles)

    async def articles(self) -> list[JSON]:
        """All articles."""
        return [info.to_json() for info in await self._run(self._pipeline.articles)]

    async def verify(self, ref: str) -> JSON:
        """What became of a reference."""
        return (await self._run(self._pipeline.verify, ref)).to_json()

    async def verify_quote(self, quote: str, articles: list[str] | None) -> JSON:
        """Whether the articles say these words."""
        return (await self._run(self._pipeline.verify_quote, quote, articles)).to_json()


class Changes:
    """What changes the index, in the reader's threads, as JSON.

    :raises: as ``Calls`` does.
    """

    def __init__(self, library: Library, pipeline: Pipeline, line: Line) -> None:
        self._library = library
        self._pipeline = pipeline
        self._line = line

    async def add_article(self, text: str, title: str, date: str | None, source: str | None) -> JSON:
        """The article as it is now, and whether it was added."""
        for name, value in (("text", text), ("title", title), ("date", date), ("source", source)):
            if not (isinstance(value, str) or (value is None and name in ("date", "source"))):
                raise QuestionError(f"{name} must be a text")
        return await asyncio.wrap_future(self._line.submit(self._add, text, title, date, source))

    def _add(self, text: str, title: str, date: str | None, source: str | None) -> JSON:
        taken = self._library.add_text(title, text, date, source)
        if taken.failed:
            raise ArticleError(taken.failed[0][1])
        states = {article: state for state in STATES for article in getattr(taken, state)}
        for info in self._pipeline.articles():
            if info.article in states:
                return {"state": states[info.article], **info.to_json()}
        raise NotFoundError("the article is not there any more: somebody removed it meanwhile")

    async def remove_article(self, article: str, forget: bool) -> JSON:
        """What was removed."""
        if not isinstance(article, str) or not isinstance(forget, bool):
            raise QuestionError("article must be a text, and forget true or false")
        await asyncio.wrap_future(self._line.submit(partial(self._pipeline.remove, article, forget=forget)))
        return {"article": article, "forgotten": forget}


def endpoints(pipeline: Pipeline, line: Line, library: Library | None = None) -> None:
    """Register the endpoints with the ``gr.Blocks`` that is being built.

    :param library: what takes articles in and removes them; None where nothing may be changed.
    """
    calls = Calls(pipeline, line)
    offered = [*_reading(calls), *(_writing(Changes(library, pipeline, line)) if library else ())]
    for endpoint in offered:
        # Who waits does so in our own line, which holds no thread for it and wakes the next at once.
        gr.api(endpoint, api_name=endpoint.__name__, concurrency_limit=None)
        _describe(endpoint.__name__, *(ENDPOINTS | WRITING)[endpoint.__name__])


def _reading(calls: Calls) -> list[Callable[..., Any]]:

    async def ask(
        question: str,
        history: list[list[str]] = [],  # noqa: B006  (the contract's default, shown to programs; never changed)
        articles: list[str] | None = None,
        top_k: int = 5,
        min_confidence: float | None = None,
    ) -> dict[str, Any]:
        """Ask the articles a question; get a verbatim quote with its exact place, or an honest no."""
        return await told(calls.ask(question, history, articles, top_k, min_confidence))

    async def ask_batch(
        questions: list[str],
        articles: list[str] | None = None,
        top_k: int = 5,
        min_confidence: float | None = None,
        request: gr.Request = None,  # type: ignore[assignment]  # Gradio gives it; it is no parameter for callers
    ) -> list[dict[str, Any]]:
        """Ask up to 100 questions at once; one answer or error for each, in their order."""
        _charge(request, questions)
        return await told(calls.ask_batch(questions, articles, top_k, min_confidence))

    async def search(query: str, top_k: int = 5, articles: list[str] | None = None) -> list[dict[str, Any]]:
        """Find the passages nearest to a query, best first, without reading them for an answer."""
        return await told(calls.search(query, top_k, articles))

    async def articles() -> list[dict[str, Any]]:
        """List the articles of the index."""
        return await told(calls.articles())

    async def verify(ref: str) -> dict[str, Any]:
        """Check a reference made earlier against the articles as they are now."""
        return await told(calls.verify(ref))

    async def verify_quote(quote: str, articles: list[str] | None = None) -> dict[str, Any]:
        """Check whether the articles say these words: exactly, nearly with a word diff, or not at all."""
        return await told(calls.verify_quote(quote, articles))

    return [ask, ask_batch, search, articles, verify, verify_quote]


def _writing(changes: Changes) -> list[Callable[..., Any]]:
    async def add_article(
        text: str, title: str, date: str | None = None, source: str | None = None
    ) -> dict[str, Any]:
        """Add an article, or a newer text of one; only where the index may be changed."""
        return await told(changes.add_article(text, title, date, source))

    async def remove_article(article: str, forget: bool = False) -> dict[str, Any]:
        """Take an article out of the index; only where it may be changed."""
        return await told(changes.remove_article(article, forget))

    return [add_article, remove_article]


def _charge(request: gr.Request | None, questions: object) -> None:
    """Count each question of a batch against its caller's rate; the request itself was counted as one."""
    scope = getattr(getattr(request, "request", None), "scope", None) or {}
    if CHARGE in scope and isinstance(questions, list):
        scope[CHARGE](float(min(len(questions), MOST_QUESTIONS) - 1))


async def told(call: Awaitable[Any]) -> Any:  # noqa: ANN401
    """A call's result; errors become one line for whoever asked, the rest goes to the terminal."""
    try:
        return _sendable(await call)
    except Exception as error:
        raise gr.Error(one_line(error), print_exception=False) from error


def _sendable(result: Any) -> Any:  # noqa: ANN401
    """A result as it can be sent: half a character, which a question may hold, comes back as a question mark."""
    text = json.dumps(result, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.loads(text.encode("utf-8", "replace"))
    return result


def _describe(name: str, parameters: dict[str, Schema], result: Schema) -> None:
    """Replace what Gradio makes of type hints by our schema: ``view_api``, /info and the API page show it."""
    blocks = gr.context.Context.root_block
    function = next(fn for fn in blocks.fns.values() if fn.api_name == name)
    for component, (parameter, schema) in zip(function.inputs, parameters.items(), strict=True):
        component.label = parameter
        component._api_info = {**schema, "additional_description": schema["description"]}
        component.example_payload = component.example_value = partial(schema["examples"].__getitem__, 0)
    (output,) = function.outputs
    output.label = "result"
    output._api_info = result
