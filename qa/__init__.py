"""Ask your own articles a question; get a verbatim quote with its exact place, or an honest no.

    from qa import open_index

    with open_index("index") as articles:
        answer = articles.ask("where does niu jun work")

Nothing is loaded before a name is used: ``import qa`` takes no time.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from qa.articles import from_text, read_file
    from qa.pipeline import Pipeline, open_index
    from qa.quoting import QuoteCheck
    from qa.types import Answer, Article, ArticleInfo, Citation, QAError, Verification

_HOME = {
    "Answer": "types", "Article": "types", "ArticleInfo": "types", "Citation": "types", "Pipeline": "pipeline",
    "QAError": "types", "QuoteCheck": "quoting", "Verification": "types", "from_text": "articles",
    "open_index": "pipeline", "read_file": "articles",
}  # fmt: skip

__all__ = [
    "Answer", "Article", "ArticleInfo", "Citation", "Pipeline", "QAError", "QuoteCheck", "Verification", "from_text",
    "open_index", "read_file",
]  # fmt: skip


def __getattr__(name: str) -> Any:  # noqa: ANN401
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
