"""Texts -> terms, for an index and for questions alike: the words of a text, in one form, as tantivy cuts them."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import tantivy
from tantivy import Filter

_LONGEST_TERM = 200  # bytes; what is longer is no word
# Scripts written without blanks: each character is a term, or a whole sentence would be one.
_UNSPACED = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
_TERM = rf"[{_UNSPACED}]|[\w--[{_UNSPACED}\p{{Pc}}]]+"


def _analyzer(stem: bool) -> tantivy.TextAnalyzer:
    builder = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.regex(_TERM))
    for each in (Filter.lowercase(), Filter.ascii_fold(), Filter.remove_long(_LONGEST_TERM)):
        builder = builder.filter(each)
    return (builder.filter(Filter.stemmer("english")) if stem else builder).build()


def _clean(text: str) -> str:
    """One form for what looks the same (full-width, composed accents), and nothing that UTF-8 cannot hold."""
    return unicodedata.normalize("NFKC", text).encode("utf-8", "replace").decode()


class Analyzer:
    """Cuts texts into terms.

    :param stem: reduce English words to their stems.
    """

    def __init__(self, *, stem: bool = True) -> None:
        self._analyzer = _analyzer(stem)

    def __call__(self, text: str) -> list[str]:
        """The terms of a text, in order; none holds a blank."""
        return self._analyzer.analyze(_clean(text))


@dataclass(frozen=True, slots=True)
class QuestionWords:
    """The terms of a question, each with its idf. A word that no passage has weighs most, and is never held."""

    weights: Mapping[str, float]
    analyze: Callable[[str], list[str]]
    _shares: dict[str, float] = field(init=False, default_factory=dict, compare=False, repr=False)

    @property
    def total(self) -> float:
        """Sum of the weights; times k1 + 1, no passage's BM25 score is higher."""
        return sum(self.weights.values())

    def __call__(self, text: str) -> float:
        """Share, 0..1, of the question's weight that the text holds."""
        if text not in self._shares:  # each span of a passage asks about it again
            held, total = set(self.analyze(text)), self.total
            weight = sum(weight for term, weight in self.weights.items() if term in held)
            self._shares[text] = weight / total if total else 0.0
        return self._shares[text]
