"""Haystack: hybrid retrieval by reciprocal rank fusion, then its extractive reader; all else as it comes."""

from __future__ import annotations

from typing import Any

from serve import serve


class Haystack:
    """As in https://haystack.deepset.ai/tutorials/33_hybrid_retrieval and the reader's documentation."""

    def __init__(self, task: dict[str, Any]) -> None:
        from haystack import Document, Pipeline
        from haystack.components.joiners import DocumentJoiner
        from haystack.components.retrievers.in_memory import InMemoryBM25Retriever, InMemoryEmbeddingRetriever
        from haystack.document_stores.in_memory import InMemoryDocumentStore
        from haystack_integrations.components.embedders.sentence_transformers import (
            SentenceTransformersDocumentEmbedder,
            SentenceTransformersTextEmbedder,
        )
        from haystack_integrations.components.readers.transformers import TransformersExtractiveReader

        documents = [Document(id=p["id"], content=p["text"]) for p in task["passages"]]
        embedder = SentenceTransformersDocumentEmbedder(model=task["encoder"], progress_bar=False)
        if hasattr(embedder, "warm_up"):
            embedder.warm_up()
        store = InMemoryDocumentStore(embedding_similarity_function="cosine")
        store.write_documents(embedder.run(documents)["documents"])
        self.count = store.count_documents()
        self._pipeline = Pipeline()
        self._pipeline.add_component(
            "embedder", SentenceTransformersTextEmbedder(model=task["encoder"], progress_bar=False)
        )
        self._pipeline.add_component("dense", InMemoryEmbeddingRetriever(store))
        self._pipeline.add_component("bm25", InMemoryBM25Retriever(store))
        self._pipeline.add_component("joiner", DocumentJoiner(join_mode="reciprocal_rank_fusion", top_k=10))
        self._pipeline.add_component("reader", TransformersExtractiveReader(model=task["reader"]))
        self._pipeline.connect("embedder", "dense")
        self._pipeline.connect("bm25", "joiner")
        self._pipeline.connect("dense", "joiner")
        self._pipeline.connect("joiner.documents", "reader.documents")
        self._found: list[str] = []

    def ask(self, question: str) -> dict[str, Any]:
        """Its answers are sorted by score; one without text stands for "no answer"."""
        run = {"embedder": {"text": question}, "bm25": {"query": question}, "reader": {"query": question}}
        out = self._pipeline.run(run, include_outputs_from={"joiner"})
        self._found = [document.id for document in out["joiner"]["documents"]]
        answers = out["reader"]["answers"]
        best = next((a for a in answers if a.data), None)
        first = max(answers, key=lambda a: a.score, default=None)
        place = None
        if best is not None and best.document_offset is not None:
            place = [best.document.id, best.document_offset.start, best.document_offset.end]
        forced = best.data if best else None
        return {"forced": forced, "shipped": forced if first and first.data else None, "place": place}

    def hits(self, question: str) -> list[Any]:
        """What its joiner put first."""
        return self._found[:5]


if __name__ == "__main__":
    serve(Haystack)
