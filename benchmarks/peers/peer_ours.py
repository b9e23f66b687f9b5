"""This program, as ``make chat`` runs it."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

from serve import serve

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))


class Ours:
    """Gets the articles whole, and cuts them itself."""

    def __init__(self, task: dict[str, Any]) -> None:
        from qa import open_index
        from qa.types import Article

        self._folder = tempfile.TemporaryDirectory(prefix="qa-peers-")
        self._pipeline = open_index(self._folder.name, create=True)
        self._pipeline.add(Article(**article) for article in task["articles"])
        self.count = self._pipeline.info()["passages"]

    def ask(self, question: str) -> dict[str, Any]:
        """Asked once; the default threshold is put to the confidence, which is what asking without one does."""
        found = self._pipeline.ask(question, min_confidence=0.0)
        threshold = self._pipeline.default_min_confidence
        unsure = found.confidence is None or threshold is None or found.confidence < threshold
        best = found.citations[0] if found.citations else None
        place = [best.article, best.start, best.end] if best else None
        return {"forced": found.answer, "shipped": None if unsure else found.answer, "place": place}

    def hits(self, question: str) -> list[Any]:
        """Its own search."""
        return [[row["article"], row["start"], row["end"]] for row in self._pipeline.search(question, 5)]


if __name__ == "__main__":
    serve(Ours)
