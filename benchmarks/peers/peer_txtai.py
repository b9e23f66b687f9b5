"""txtai: a hybrid embeddings database and its RAG pipeline with an extractive model; all else as it comes."""

from __future__ import annotations

from typing import Any

from serve import serve


class Txtai:
    """As in https://neuml.github.io/txtai/pipeline/text/rag and its example 05, "Extractive QA with txtai"."""

    def __init__(self, task: dict[str, Any]) -> None:
        from txtai import Embeddings
        from txtai.pipeline import Extractor

        self._embeddings = Embeddings(path=task["encoder"], content=True, hybrid=True)
        self._embeddings.index((p["id"], p["text"]) for p in task["passages"])
        self.count = self._embeddings.count()
        self._extractor = Extractor(self._embeddings, task["reader"], output="reference")

    def ask(self, question: str) -> dict[str, Any]:
        """It says nothing where its score is too low, and names a passage but no offsets."""
        try:
            _, answer, reference = self._extractor((None, question, question, False))
        except TypeError:  # 9.14 where the model's best span is [CLS], its "no answer": taken for declining
            return {"forced": None, "shipped": None, "place": None, "failed": True}
        place = [reference, None, None] if answer else None
        return {"forced": answer or None, "shipped": answer or None, "place": place}

    def hits(self, question: str) -> list[Any]:
        """Its own search."""
        return [row["id"] for row in self._embeddings.search(question, 5)]


if __name__ == "__main__":
    serve(Txtai)
