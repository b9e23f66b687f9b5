"""Which passages share words with a question: BM25 by tantivy, whose only importers are this module and ``terms.py``.

    score = sum over the question's terms of  idf * tf * (k1 + 1) / (tf + k1 * (1 - b + b * length / average))
    idf   = ln(1 + (passages - df + .5) / (df + .5)),  never negative;  k1 = 1.2, b = .75

A passage's length is its number of terms, kept in one byte: exact to 40, beyond that rounded
down by an eighth at most.

A question is never parsed as a query language: its words become terms, and any of them may match. No stop words are
removed; in a small library "the" has little weight by its idf, and in "The Who" it matters.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

import numpy as np
import tantivy
from numpy.typing import NDArray
from tantivy import Occur, Query

from qa.terms import Analyzer, QuestionWords
from qa.types import Range

BACKEND = f"tantivy {version('tantivy')} counted"  # files of another version are built anew
MOST_TERMS = 64  # of one question; the rarest count
WHOLE_IN_A_PASSAGE = 16  # characters; passages may cut a word of more tokens than that
RAREST = 8  # words whose rows are fetched to find who holds them all
MOST_RANGES = 32  # as query clauses (1.7 ms for 40); more are filtered afterwards

Scored = tuple[NDArray[np.int64], NDArray[np.float32]]  # rows and their scores, best first

# One segment whatever the size: in several, equal scores are ordered by segment and no longer by row, and rows move
# when segments merge. Memory is taken as it is needed, so a small index does not pay for the limit.
_HEAP = 4_000_000_000
_LENGTHS_FILE = "lengths.npy"  # beside tantivy's files: how many terms each text has

_K1, _B = 1.2, 0.75


def idf(passages: int, df: int) -> float:
    """Weight of a term that ``df`` of so many passages have."""
    return math.log(1 + (passages - df + 0.5) / (df + 0.5))


def score(
    tf: NDArray[np.float64], lengths: NDArray[np.int64], average: float, weights: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Scores of passages: (passages,).

    :param tf: how often each passage has each of the terms, (terms, passages).
    :param lengths: how many terms each passage has, (passages,).
    :param average: of all passages' lengths, these and others.
    :param weights: each term's idf, (terms,).
    """
    parts = weights[:, None] * tf * (_K1 + 1) / (tf + _norm(lengths, average))
    total: NDArray[np.float32] = parts.sum(axis=0).astype(np.float32)
    return total


def _norm(lengths: NDArray[np.int64], average: float) -> NDArray[np.float64]:
    return np.asarray(_K1 * (1 - _B + _B * kept(lengths) / average), np.float64)


def _step(byte: int) -> int:
    if byte < 8:
        return byte
    return (byte & 7 | 8) << (byte >> 3) - 1


# The lengths that one byte can stand for: Lucene's, which tantivy took over.
_LENGTHS = np.array([byte if byte < 24 else 24 + _step(byte - 24) for byte in range(256)])


def kept(lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    """Lengths as they are kept: of each the greatest that one byte can stand for, and that is no greater."""
    return _LENGTHS[np.searchsorted(_LENGTHS, lengths, "right") - 1]


def _schema() -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    # Not stored and without positions: a forgotten article's text must not survive here, and no phrase is searched.
    builder.add_text_field("text", tokenizer_name="blanks", index_option="freq")
    builder.add_unsigned_field("row", indexed=True, fast=True)
    return builder.build()


def _blanks() -> tantivy.TextAnalyzer:
    return tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.whitespace()).build()


def _none() -> Scored:
    return np.empty(0, np.int64), np.empty(0, np.float32)


class BM25:
    """An immutable BM25 index over numbered rows. Safe to search from many threads.

    Made by ``build`` or ``load``.
    """

    def __init__(self, index: tantivy.Index, lengths: NDArray[np.int64], *, stem: bool) -> None:
        # Rows never change: without this a thread would watch the files for changes.
        index.config_reader("manual")
        index.reload()
        self._searcher = index.searcher()
        self._schema = index.schema
        self.lengths = lengths  # (rows,) how many terms each text has, if rows are numbered from 0 on
        self.tokens = int(lengths.sum())
        self.analyze = Analyzer(stem=stem)

    @classmethod
    def build(cls, rows: Iterable[tuple[int, str]], folder: Path | None = None, *, stem: bool = True) -> BM25:
        """Index (row number, text) pairs, in ascending order of rows.

        :param folder: an existing, empty folder to keep the index in; in memory if None.
        :param stem: reduce English words to their stems.
        :raises OSError: if the folder cannot be written. (tantivy reports it as a ValueError; so is that.)
        """
        analyze, lengths = Analyzer(stem=stem), list[int]()
        try:
            index = tantivy.Index(_schema(), path=None if folder is None else str(folder))
            # The texts are cut here, so that their terms can be counted.
            index.register_tokenizer("blanks", _blanks())
            writer = index.writer(_HEAP, num_threads=1)
            for row, text in rows:
                terms = analyze(text)
                lengths.append(len(terms))
                document = tantivy.Document()
                document.add_text("text", " ".join(terms))
                document.add_unsigned("row", row)
                writer.add_document(document)
            writer.commit()
            writer.wait_merging_threads()
            if folder is not None:
                np.save(folder / _LENGTHS_FILE, np.array(lengths, np.int64))
        except ValueError as error:
            raise OSError(f"cannot build the BM25 index: {error}") from error
        return cls(index, np.array(lengths, np.int64), stem=stem)

    @classmethod
    def load(cls, folder: Path, *, stem: bool = True) -> BM25:
        """Open what ``build`` left in a folder.

        :raises OSError: if it cannot be opened.
        """
        try:
            index = tantivy.Index.open(str(folder))
            return cls(index, np.load(folder / _LENGTHS_FILE, mmap_mode="r"), stem=stem)
        except (ValueError, OSError, EOFError) as error:
            raise OSError(f"cannot open the BM25 index in {folder}: {error}") from error

    def __len__(self) -> int:
        return self._searcher.num_docs

    def terms(self, text: str) -> list[str]:
        """The distinct terms of a question that occur in the index, rarest first, at most ``MOST_TERMS``."""
        counted = [(self.doc_freq(term), term) for term in dict.fromkeys(self.analyze(text))]
        return [term for df, term in sorted(counted) if df][:MOST_TERMS]

    def doc_freq(self, term: str) -> int:
        """How many texts have a term."""
        return self._searcher.doc_freq("text", term)

    def weigh(self, query: str) -> QuestionWords:
        """The words of a question with their weights: how much of it a text can hold."""
        weights = {term: idf(len(self), self.doc_freq(term)) for term in set(self.analyze(query))}
        return QuestionWords(weights, self.analyze)

    def search(self, query: str, k: int, allowed: Sequence[Range] | None = None) -> Scored:
        """The best rows for a question: exactly ``k`` where so many share a term with it; ties in row order.

        :param allowed: disjoint half-open ranges of rows to search in; None for all.
        :return: rows (m,) int64 and raw BM25 scores (m,) float32, best first, m <= k.
        """
        return self.best(dict.fromkeys(self.terms(query), 1.0), k, allowed)

    def best(self, terms: Mapping[str, float], k: int, allowed: Sequence[Range] | None = None) -> Scored:
        """As ``search``, for terms of this index, each with a factor to its weight."""
        wanted = self._any_of(terms)
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
        wanted = self._any_of(dict.fromkeys(self.terms(query), 1.0))
        if wanted is None or not len(rows):
            return result
        numbers = [int(row) for row in rows]
        both = [(Occur.Must, self._these(numbers)), (Occur.Must, wanted)]
        found = dict(
            zip(
                *(values.tolist() for values in self._run(Query.boolean_query(both), len(numbers))),
                strict=True,
            )
        )
        for i, row in enumerate(numbers):
            result[i] = found.get(row, 0.0)
        return result

    def holding(self, query: str) -> Iterator[NDArray[np.int64]]:
        """For each of the rarest words of a text, the rows that hold it; rarest first, unordered.

        Words so long that a passage may hold but a part of them are passed over.
        """
        words = {term for term in self.analyze(query) if len(term) <= WHOLE_IN_A_PASSAGE}
        for _, term in sorted((self.doc_freq(term), term) for term in words)[:RAREST]:
            yield self.having(term)

    def having(self, term: str) -> NDArray[np.int64]:
        """The rows that have a term, unordered."""
        wanted = Query.term_query(self._schema, "text", term, "basic")
        return self._run(wanted, self.doc_freq(term) or 1)[0]

    def frequencies(self, terms: Sequence[str], rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """How often each of some distinct rows has each term: (terms, rows), whole numbers. Rows count from 0 on.

        tantivy does not tell; but it tells each term's score, and in that the frequency is all that is unknown.
        """
        result = np.zeros((len(terms), len(rows)))
        order = np.argsort(rows)
        these = (Occur.Must, self._these(rows.tolist()))
        norm = _norm(self.lengths[rows], self.tokens / len(self))
        for each, term in zip(result, terms, strict=True):
            wanted = Query.term_query(self._schema, "text", term, "freq")
            found, got = self._run(Query.boolean_query([these, (Occur.Must, wanted)]), len(rows))
            if len(found):
                at = order[np.searchsorted(rows, found, sorter=order)]
                most = idf(len(self), self.doc_freq(term)) * (_K1 + 1)
                each[at] = np.maximum(1, np.rint(norm[at] * got / (most - got)))
        return result

    def _these(self, rows: Sequence[int]) -> Query:
        each = (Query.term_query(self._schema, "row", row, "basic") for row in set(rows))
        return _unscored(Query.boolean_query([(Occur.Should, query) for query in each]))

    def _any_of(self, terms: Mapping[str, float]) -> Query | None:
        if not terms:
            return None
        each = ((Query.term_query(self._schema, "text", term, "freq"), by) for term, by in terms.items())
        return Query.boolean_query(
            [(Occur.Should, query if by == 1 else Query.boost_query(query, by)) for query, by in each]
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
