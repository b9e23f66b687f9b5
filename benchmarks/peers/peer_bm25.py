"""Plain BM25 and a reader on the five best passages: what one writes in an afternoon."""

from __future__ import annotations

from typing import Any

from serve import serve

READ = 5


class Plain:
    """As in bm25s' and transformers' own guides."""

    def __init__(self, task: dict[str, Any]) -> None:
        import bm25s
        import Stemmer
        from transformers import AutoModelForQuestionAnswering, AutoTokenizer

        self._passages = task["passages"]
        self._stemmer = Stemmer.Stemmer("english")
        self._bm25 = bm25s.BM25()
        texts = [p["text"] for p in self._passages]
        tokens = bm25s.tokenize(texts, stopwords="en", stemmer=self._stemmer, show_progress=False)
        self._bm25.index(tokens, show_progress=False)
        self._tokenizer = AutoTokenizer.from_pretrained(task["reader"])
        self._model = AutoModelForQuestionAnswering.from_pretrained(task["reader"]).eval()
        self.count = len(texts)

    def ask(self, question: str) -> dict[str, Any]:
        """The best span of all passages by the sum of its logits; declined where [CLS] has more."""
        import torch

        found = self._search(question)
        encoded = self._tokenizer(
            [question] * len(found), [p["text"] for p in found], truncation="only_second", max_length=384,
            padding=True, return_tensors="pt", return_offsets_mapping=True,
        )  # fmt: skip
        offsets = encoded.pop("offset_mapping").tolist()
        with torch.inference_mode():
            out = self._model(**encoded)
        best: tuple[float, bool, dict[str, Any], int, int] | None = None
        for n, passage in enumerate(found):
            inside = torch.tensor([s == 1 for s in encoded.sequence_ids(n)])
            starts = out.start_logits[n].masked_fill(~inside, -1e9)
            ends = out.end_logits[n].masked_fill(~inside, -1e9)
            scores = (starts[:, None] + ends[None, :]).masked_fill(
                ~torch.ones(len(starts), len(starts)).triu().tril(29).bool(), -2e9
            )
            i, j = divmod(int(scores.argmax()), len(starts))
            null = float(out.start_logits[n, 0] + out.end_logits[n, 0])
            score = float(scores[i, j])
            if best is None or score > best[0]:
                best = (score, score > null, passage, offsets[n][i][0], offsets[n][j][1])
        if best is None:
            return {"forced": None, "shipped": None, "place": None}
        _, sure, passage, start, end = best
        text = passage["text"][start:end]
        return {"forced": text, "shipped": text if sure else None, "place": [passage["id"], start, end]}

    def _search(self, question: str) -> list[dict[str, Any]]:
        import bm25s

        tokens = bm25s.tokenize([question], stopwords="en", stemmer=self._stemmer, show_progress=False)
        rows, _ = self._bm25.retrieve(tokens, k=min(READ, len(self._passages)), show_progress=False)
        return [self._passages[int(row)] for row in rows[0]]

    def hits(self, question: str) -> list[Any]:
        """The passages that it reads."""
        return [p["id"] for p in self._search(question)]


if __name__ == "__main__":
    serve(Plain)
