"""Texts as scraping often leaves them, lower-cased and without punctuation, and evaluation files in that form."""

from __future__ import annotations

import string
from collections.abc import Sequence
from dataclasses import dataclass, replace

from qa.evaluation.datasets import Dataset
from qa.types import Range

_PUNCTUATION = frozenset(string.punctuation + "–—“”‘’…")
_INNER = frozenset("'’-.,")  # what some scrapers drop inside a word without leaving a blank


@dataclass(frozen=True, slots=True)
class RawText:
    """A text in its raw form. ``places[i]``: where what begins at character i of the text begins in ``text``."""

    text: str
    places: tuple[int, ...]  # one more than the text has characters

    def move(self, spans: Sequence[Range]) -> list[Range]:
        """The spans' places in the raw form; a span of nothing but punctuation is left out."""
        moved = []
        for begin, finish in spans:
            start, end = self.places[begin], self.places[finish]
            quote = self.text[start:end]
            if quote.strip():
                moved.append(
                    (start + len(quote) - len(quote.lstrip()), end - len(quote) + len(quote.rstrip()))
                )
        return moved


def raw(text: str) -> str:
    """Lower-cased, without punctuation and line breaks: as scraped articles often come.

    >>> raw("North Korea's\\n\\ntests, in 2017.")
    'north korea s tests in 2017'
    """
    return raw_text(text).text


def raw_text(text: str, *, joined: bool = False) -> RawText:
    """``raw`` of a text, and the way there.

    :param joined: drop apostrophes, hyphens, points and commas inside a word without leaving a blank.

    >>> raw_text("It cost $3.5 in May.").move([(8, 12), (16, 20)])
    [(8, 11), (15, 18)]
    >>> raw_text("Kim's 3.5", joined=True).text
    'kims 35'
    """
    out: list[str] = []
    places: list[int] = []
    blank = False  # stands before the next word
    for number, char in enumerate(text):
        places.append(len(out) + (blank and bool(out)))
        if joined and char in _INNER and _within_word(text, number):
            continue
        if char.isspace() or char in _PUNCTUATION:
            blank = True
            continue
        if blank and out:
            out.append(" ")
        blank = False
        low = char.lower()
        out.append(
            low if len(low) == 1 else char
        )  # two characters for a few: those stay, so that places count
    return RawText("".join(out), (*places, len(out)))


def _within_word(text: str, at: int) -> bool:
    return 0 < at < len(text) - 1 and text[at - 1].isalnum() and text[at + 1].isalnum()


def raw_dataset(dataset: Dataset) -> Dataset:
    """The same questions, over raw articles: contexts, gold answers and their places are made raw alike.

    The questions stay as they were asked. One whose answers are nothing but punctuation goes.
    """
    texts = {article.id: raw_text(article.text) for article in dataset.articles}
    contexts = {q.context: raw(q.context) for q in dataset.questions if q.context}
    questions = []
    for question in dataset.questions:
        answers = tuple(filter(None, map(raw, question.answers)))
        if question.answers and not answers:
            continue
        spans = tuple(texts[question.article].move(question.spans)) if question.article else ()
        context = contexts.get(question.context or "")
        questions.append(replace(question, answers=answers, context=context, spans=spans))
    articles = tuple(
        replace(article, text=texts[article.id].text, masks=(), locators=()) for article in dataset.articles
    )
    return replace(dataset, questions=tuple(questions), articles=articles)
