"""Which passages share words with a question: BM25 by tantivy, whose only importer this module is.

    score = sum over the question's terms of  idf * tf * (k1 + 1) / (tf + k1 * (1 - b + b * length / average))
    idf   = ln(1 + (passages - df + .5) / (df + .5)),  never negative;  k1 = 1.2, b = .75

A question is never parsed as a query language: its words become terms, and any of them may match. No stop words are
removed; in a small library "the" has little weight by its idf, and in "The Who" it matters.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np
import tantivy
from numpy.typing import NDArray
from tantivy import Filter, Occur, Query

from qa.types import Range

BACKEND = f"tantivy {version('tantivy')}"  # files of another version are built anew
MOST_TERMS = 64  # of one question; the rarest count
MOST_RANGES = 32  # as query clauses (1.7 ms for 40); more are filtered afterwards

Scored = tuple[NDArray[np.int64], NDArray[np.float32]]  # rows and their scores, best first

# One segment whatever the size: in several, equal scores are ordered by segment and no longer by row, and rows move
# when segments merge. Memory is taken as it is needed, so a small index does not pay for the limit.
_HEAP = 4_000_000_000
_LONGEST_TERM = 200  # bytes; what is longer is no word
# Scripts written without blanks: each character is a term, or a whole sentence would be one.
_UNSPACED = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
_TERM = rf"[{_UNSPACED}]|[\w--[{_UNSPACED}\p{{Pc}}]]+"


def _schema() -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    # Not stored and without positions: a forgotten article's text must not survive here, and no phrase is searched.
    builder.add_text_field("text", tokenizer_name="terms", index_option="freq")
    builder.add_unsigned_field("row", indexed=True, fast=True)
    return builder.build()


def _analyzer(stem: bool) -> tantivy.TextAnalyzer:
    builder = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.regex(_TERM))
    for each in (Filter.lowercase(), Filter.ascii_fold(), Filter.remove_long(_LONGEST_TERM)):
        builder = builder.filter(each)
    return (builder.filter(Filter.stemmer("english")) if stem else builder).build()


def _clean(text: str) -> str:
    """One form for what looks the same (full-width, composed accents), and nothing that UTF-8 cannot hold."""
    return unicodedata.normalize("NFKC", text).encode("utf-8", "replace").decode()


def _none() -> Scored:
    return np.empty(0, np.int64), np.empty(0, np.float32)


@dataclass(frozen=True, slots=True)
class QuestionWords:
    """The terms of a question, each with its idf. A word that no passage has weighs most, and is never held."""

    weights: Mapping[str, float]
    analyze: Callable[[str], list[str]]

    @property
    def total(self) -> float:
        """Sum of the weights; times k1 + 1, no passage's BM25 score is higher."""
        return sum(self.weights.values())

    def __call__(self, text: str) -> float:
        """Share, 0..1, of the question's weight that the text holds."""
        held = set(self.analyze(text))
        total = self.total
        return sum(weight for term, weight in self.weights.items() if term in held) / total if total else 0.0


class BM25:
    """An immutable BM25 index over numbered rows. Safe to search from many threads.

    Made by ``build`` or ``load``.
    """

    def __init__(self, index: tantivy.Index, *, stem: bool) -> None:
        # Rows never change: without this a thread would watch the files for changes.
        index.config_reader("manual")
        index.reload()
        self._searcher = index.searcher()
        self._schema = index.schema
        self._analyzer = _analyzer(stem)

    @classmethod
    def build(cls, rows: Iterable[tuple[int, str]], folder: Path | None = None, *, stem: bool = True) -> BM25:
        """Index (row number, text) pairs, in ascending order of rows.

        :param folder: an existing, empty folder to keep the index in; in memory if None.
        :param stem: reduce English words to their stems.
        :raises OSError: if the folder cannot be written. (tantivy reports it as a ValueError; so is that.)
        """
        try:
            index = tantivy.Index(_schema(), path=None if folder is None else str(folder))
            index.register_tokenizer("terms", _analyzer(stem))
            writer = index.writer(_HEAP, num_threads=1)
            for row, text in rows:
                document = tantivy.Document()
                document.add_text("text", _clean(text))
                document.add_unsigned("row", row)
                writer.add_document(document)
            writer.commit()
            writer.wait_merging_threads()
        except ValueError as error:
            raise OSError(f"cannot build the BM25 index: {error}") from error
        return cls(index, stem=stem)

    @classmethod
    def load(cls, folder: Path, *, stem: bool = True) -> BM25:
        """Open what ``build`` left in a folder.

        :raises OSError: if it cannot be opened.
        """
        try:
            return cls(tantivy.Index.open(str(folder)), stem=stem)
        except ValueError as error:
            raise OSError(f"cannot open the BM25 index in {folder}: {error}") from error

    def __len__(self) -> int:
        return self._searcher.num_docs

    def terms(self, text: str) -> list[str]:
        """The distinct terms of a question that occur in the index, rarest first, at most ``MOST_TERMS``."""
        distinct = dict.fromkeys(self._analyzer.analyze(_clean(text)))
        counted = [(self._searcher.doc_freq("text", term), term) for term in distinct]
        return [term for df, term in sorted(counted) if df][:MOST_TERMS]

    def weigh(self, query: str) -> QuestionWords:
        """The words of a question with their weights: how much of it a text can hold."""
        weights = {
            term: self._idf(self._searcher.doc_freq("text", term))
            for term in set(self._analyzer.analyze(_clean(query)))
        }
        return QuestionWords(weights, lambda text: self._analyzer.analyze(_clean(text)))

    def _idf(self, df: int) -> float:
        return math.log(1 + (len(self) - df + 0.5) / (df + 0.5))

    def search(self, query: str, k: int, allowed: Sequence[Range] | None = None) -> Scored:
        """The best rows for a question: exactly ``k`` where so many share a term with it; ties in row order.

        :param allowed: disjoint half-open ranges of rows to search in; None for all.
        :return: rows (m,) int64 and raw BM25 scores (m,) float32, best first, m <= k.
        """
        wanted = self._any_of(query)
        if wanted is None or k <= 0 or (allowed is not None and not allowed):
            return _none()
        if allowed is None:
            return self._run(wanted, k)
        if len(allowed) <= MOST_RANGES:
            inside = Query.boolean_query([(Occur.Should, self._between(*rows)) for rows in allowed])
            return self._run(Query.boolean_query([(Occur.Must, _unscored(inside)), (Occur.Must, wanted)]), k)
        return self._filtered(wanted, k, allowed)

    def scores(self, query: str, rows: Sequence[int] | NDArray[np.int64]) -> NDArray[np.float32]:
        """Raw BM25 scores of given rows, the very numbers ``search`` gives; 0.0 where no term matches.

        :return: (len(rows),) float32, in the order given.
        """
        result = np.zeros(len(rows), np.float32)
        wanted = self._any_of(query)
        if wanted is None or not len(rows):
            return result
        numbers = [int(row) for row in rows]
        these = [(Occur.Should, Query.term_query(self._schema, "row", row, "basic")) for row in set(numbers)]
        both = [(Occur.Must, _unscored(Query.boolean_query(these))), (Occur.Must, wanted)]
        found = dict(
            zip(
                *(values.tolist() for values in self._run(Query.boolean_query(both), len(these))), strict=True
            )
        )
        for i, row in enumerate(numbers):
            result[i] = found.get(row, 0.0)
        return result

    def _any_of(self, query: str) -> Query | None:
        terms = self.terms(query)
        if not terms:
            return None
        return Query.boolean_query(
            [(Occur.Should, Query.term_query(self._schema, "text", term, "freq")) for term in terms]
        )

    def _between(self, start: int, end: int) -> Query:
        return Query.range_query(
            self._schema, "row", tantivy.FieldType.Unsigned, start, end, include_upper=False
        )

    def _run(self, query: Query, k: int) -> Scored:
        hits = self._searcher.search(query, limit=max(1, min(k, len(self))), count=False).hits
        if not hits:
            return _none()
        rows = np.array(self._searcher.fast_field_values("row", [address for _, address in hits]), np.int64)
        scores = np.array([score for score, _ in hits], np.float32)
        return (
            rows,
            scores,
        )  # in one segment tantivy keeps and orders equal scores by document, that is by row

    def _filtered(self, query: Query, k: int, allowed: Sequence[Range]) -> Scored:
        """Search on until ``k`` rows of the many ranges are found, or there are no more."""
        inside = np.zeros(len(self), bool)
        for start, end in allowed:
            inside[start:end] = True
        limit = 4 * k
        while True:
            rows, scores = self._run(query, limit)
            kept = inside[rows]
            if kept.sum() >= k or len(rows) < limit:
                return rows[kept][:k], scores[kept][:k]
            limit *= 4


def _unscored(query: Query) -> Query:
    """The same rows, adding exactly nothing to their scores."""
    return Query.const_score_query(query, 0.0)
