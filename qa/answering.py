"""Spans -> candidates -> answer: merge, agreement, alternatives, probability.

Nothing here knows where passages come from or how a reader works; all places are offsets in articles.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from qa.calibration import Calibration, Ranking
from qa.snapshot import Snapshot
from qa.types import Alternative, Answer, Citation, Hit, Passage, Reason, Span, VerbatimError

ALTERNATIVES = 4
HOPELESS = 0.01  # probability below which another answer only takes up room
# "Nothing comes near": no passage is this near in meaning, none of the first few has this share of the question's
# words, and the best guess is as likely wrong as right. It only says why an answer is declined. Of 150 questions each
# on 40 articles of news and of reviews that answer them, 0 and 2 % were so; on each other's articles, 32 and 91 %.
FAR = 0.3  # cosine
FEW = 0.4
_LOOKED_AT = 10  # passages
_GUESS = 0.5  # probability
_AROUND = 300  # characters shown to both sides of a place that no passage was retrieved for
_ARTICLES = frozenset({"a", "an", "the"})
_WORD = re.compile(r"\w+")
_FARTHEST = 10.0  # a gap of scores beyond which the next answer does not matter


class Words(Protocol):
    """The words of a question: their weight in all (idf), and the share of it that a text holds."""

    @property
    def total(self) -> float:
        """Sum of the words' weights."""

    def __call__(self, text: str, /) -> float:
        """Share, 0..1, of the weight that a text holds."""


@dataclass(slots=True)
class Candidate:
    """One answer, with every place that says it, best place first."""

    spans: list[Span] = field(default_factory=list)
    score: float = -math.inf  # of the best place
    words: tuple[str, ...] = ()

    @property
    def best(self) -> Span:
        """The place with the highest score."""
        return self.spans[0]


def span_score(span: Span, ranking: Ranking) -> float:
    """What spans of all passages are ordered by: score - null weight x null + retrieval weight x fused score."""
    return span.score - ranking.null * span.null + ranking.retrieval * span.hit.score


def candidates(spans: Sequence[Span], ranking: Ranking) -> list[Candidate]:
    """Merge spans into answers, highest score first; ties by article and place.

    - Spans that share characters of an article are one place (overlapping windows, a longer and a shorter reading of
      the same words): the best of them stands for it.
    - Places with the same words are one answer: case, punctuation and a leading article aside, or one's words within
      the other's ("nikki haley", "ambassador nikki haley").
    """
    ordered = sorted(
        spans, key=lambda s: (-round(span_score(s, ranking), 4), s.hit.passage.article, s.start, s.end)
    )
    found: list[Candidate] = []
    taken: list[Span] = []
    for span in ordered:
        if any(_overlap(span, other) for other in taken):
            continue
        taken.append(span)
        words = answer_words(span.text)
        if not words:
            continue  # punctuation alone says nothing
        candidate = next((c for c in found if _same(c.words, words)), None)
        if candidate is None:
            candidate = Candidate(score=span_score(span, ranking), words=words)
            found.append(candidate)
        candidate.spans.append(span)
    return found


def answer_words(text: str) -> tuple[str, ...]:
    """The words of an answer as they compare: casefolded, without punctuation and without a, an, the."""
    words = [word.casefold() for word in _WORD.findall(text)]
    return tuple(word for word in words if word not in _ARTICLES) or tuple(words)


def _overlap(one: Span, other: Span) -> bool:
    return (
        one.hit.passage.article == other.hit.passage.article
        and one.start < other.end
        and other.start < one.end
    )


def _same(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """Equal, or the shorter stands within the longer and is at least half of it."""
    shorter, longer = sorted((one, other), key=len)
    if 2 * len(shorter) < len(longer):
        return False
    return within(shorter, longer)


def within(shorter: tuple[str, ...], longer: tuple[str, ...]) -> bool:
    """Whether words stand in a row among others."""
    reach = len(longer) - len(shorter) + 1
    return any(longer[i : i + len(shorter)] == shorter for i in range(reach))


def features(
    candidate: Candidate, span: Span, others: Sequence[Candidate], hits: Sequence[Hit], words: Words
) -> dict[str, float]:
    """What the probability of a candidate depends on.

    Raw scores, not scaled by the pool; BM25 by the weight of the question's words, since idf grows with an index.

    :param span: the place in question; the candidate's best for the answer itself.
    :param others: all candidates of the question, this one among them.
    :param hits: all hits of the question, read or not.
    :param words: of the question.
    """
    rivals = [other.best.score for other in others if other is not candidate]
    gap = span.score - max(rivals) if rivals else 0.0  # a lone candidate has beaten nobody
    return {
        "margin": span.score - span.null,
        "score": span.score,
        "cosine": span.hit.dense,
        "bm25": span.hit.bm25 / words.total if words.total else 0.0,
        "coverage": words(span.hit.passage.text),
        "best_cosine": max(hit.dense for hit in hits),
        "rank": math.log1p(hits.index(span.hit)),
        "gap": max(-_FARTHEST, min(_FARTHEST, gap)),
        "agreement": math.log(len(candidate.spans)),
        "length": math.log(len(candidate.words) or 1),
    }


def decide(
    base: Answer,
    snapshot: Snapshot,
    hits: Sequence[Hit],
    spans: Sequence[Span],
    calibration: Calibration | None,
    uncalibrated: str | None,
    top_k: int,
    min_confidence: float | None,
) -> Answer:
    """The answer, or why there is none.

    Without a calibration there is no probability; then only the null margin can decline: the reader's best span must
    beat its own "not in this passage".

    :param base: carries the question, warnings and the like.
    :param uncalibrated: the warning that says why there is no calibration.
    :param min_confidence: decline below it; None for the calibration's threshold, 0 for never.
    """
    if not hits:
        return replace(base, reason="nothing_retrieved")
    if uncalibrated:
        base = replace(base, warnings=(*base.warnings, uncalibrated))
    found = candidates(spans, calibration.ranking if calibration else Ranking())
    words = snapshot.weigh(base.read_as)
    if not found:
        return _declined(base, snapshot, hits, words, "no_span", None)
    chances = _chances(found, hits, words, calibration)
    confidence = chances[0][0]
    if _unsure(found[0].best, confidence, calibration, min_confidence):
        return _declined(base, snapshot, hits, words, "low_confidence", confidence)
    hopeful = [
        (c, p) for c, p in zip(found[1:], chances[1:], strict=True) if p[0] is None or p[0] >= HOPELESS
    ]
    hopeful.sort(key=lambda pair: -(pair[1][0] or 0.0))  # stable: without probabilities by score
    return replace(
        base,
        answer=found[0].best.text,
        confidence=confidence,
        abstained=False,
        citations=cite(snapshot, found[0], chances[0]),
        alternatives=tuple(
            Alternative(c.best.text, p[0], cite(snapshot, c, p))
            for c, p in hopeful[: min(top_k - 1, ALTERNATIVES)]
        ),
    )


def _unsure(
    best: Span, confidence: float | None, calibration: Calibration | None, min_confidence: float | None
) -> bool:
    if confidence is None or calibration is None:
        return min_confidence != 0 and best.score <= best.null
    return confidence < (calibration.threshold if min_confidence is None else min_confidence)


def _declined(
    base: Answer, snapshot: Snapshot, hits: Sequence[Hit], words: Words, reason: Reason, confidence: float | None
) -> Answer:  # fmt: skip
    """No answer, for this reason; or because no passage is about what is asked."""
    if (confidence is None or confidence < _GUESS) and _far(hits, words):
        return replace(base, reason="nothing_retrieved")
    return replace(base, confidence=confidence, reason=reason, nearest=nearest(snapshot, hits[0]))


def _far(hits: Sequence[Hit], words: Words) -> bool:
    """Whether no passage is near in meaning, and none of the first has many of the question's words."""
    cosine = max(hit.dense for hit in hits)
    return cosine < FAR and max(words(hit.passage.text) for hit in hits[:_LOOKED_AT]) < FEW


def _chances(
    found: Sequence[Candidate], hits: Sequence[Hit], words: Words, calibration: Calibration | None
) -> list[list[float | None]]:
    """For each candidate, the probability of each of its places; None without a calibration."""
    if calibration is None:
        return [[None] * len(candidate.spans) for candidate in found]
    # Four digits: what is reported is what was decided on, without the noise of the last bits.
    return [
        [round(calibration.probability(features(c, span, found, hits, words)), 4) for span in c.spans]
        for c in found
    ]


def cite(snapshot: Snapshot, candidate: Candidate, chances: Sequence[float | None]) -> tuple[Citation, ...]:
    """Every place that says an answer, each checked against the article's stored text.

    :raises VerbatimError: if a place does not hold the words it should: a defect, which must not be shown.
    """
    cited = []
    for span, chance in zip(candidate.spans, chances, strict=True):
        citation = cite_range(
            snapshot, span.hit.passage.article, span.start, span.end, span.hit.passage, chance
        )
        if citation.text != span.text:
            raise VerbatimError(f"{citation.ref} reads {citation.text[:40]!r}, not {span.text[:40]!r}")
        cited.append(citation)
    return tuple(cited)


def nearest(snapshot: Snapshot, hit: Hit) -> Citation:
    """The closest passage, to show where an answer is not given."""
    p = hit.passage
    return cite_range(snapshot, p.article, p.start, p.end, p)


def cite_range(
    snapshot: Snapshot,
    article: str,
    start: int,
    end: int,
    passage: Passage | None = None,
    confidence: float | None = None,
) -> Citation:
    """A stretch of an article's live text as a citation; its text is read from the store.

    :param passage: the passage around it; some text to both sides where none is given.
    """
    stored, text = snapshot.article(article), snapshot.text(article)
    info = stored.info
    if passage is None:
        first, last = max(0, start - _AROUND), min(len(text), end + _AROUND)
        passage = Passage(article, info.version, first, last, text[first:last])
    labels = [label for place, label in stored.locators if place <= start]
    return Citation(
        article, info.title, info.source, info.date, labels[-1] if labels else None, info.version,
        start, end, text[start:end], passage, confidence,
    )  # fmt: skip
