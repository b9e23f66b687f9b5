"""How many passages are read for one question: the first few, and more while they could change the answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

from qa.answering import span_score
from qa.calibration import Ranking
from qa.types import Hit, Span

# Over 1,811 questions that training kept back, 768 of them with no answer there, 9.5 passages were read on average
# reading ten, and 3.3 so; over 1,022 in libraries of a million letters 10 and 3.7. Answered right as often, but for
# two questions in a thousand. Giving up changed the outcome of no question; from a margin of -1 on it did.
READ = (3, 4, 6, 8, 10)  # passages, in all
SURE = 4.0  # margin and lead from which the best span has, as good as always, no better one further down the hits
HOPELESS = -2.0  # margin below which, when no span so far has more, those further down seldom have either

Read = Callable[[Sequence[Hit]], Sequence[Span]]


def read_while_unsure(
    hits: Sequence[Hit], ranking: Ranking, read: Read, *, may_decline: bool = True
) -> list[Span]:
    """The spans of as many of the first hits as need be read.

    :param hits: best first.
    :param read: gives the spans of some hits.
    :param may_decline: stop where there is hardly an answer; otherwise the best guess is wanted, however poor.
    """
    spans: list[Span] = []
    for begin, end in pairwise((0, *READ)):
        part = hits[begin:end]
        if not part or sure(spans, ranking, part[0].score) or (may_decline and hopeless(spans)):
            break
        spans += read(part)
    return spans


def sure(spans: Sequence[Span], ranking: Ranking, left: float) -> bool:
    """Whether the reader is so sure of the best of these spans that reading on would hardly change the answer.

    Its margin over "no answer", and its passage's lead over those not read yet, in what spans are ordered by, must be
    ``SURE`` together.

    :param left: fused score of the best passage not read yet.
    """
    best = max(spans, key=lambda span: span_score(span, ranking), default=None)
    if best is None:
        return False
    return best.score - best.null + ranking.retrieval * (best.hit.score - left) > SURE


def hopeless(spans: Sequence[Span]) -> bool:
    """Whether the reader finds "not here" likelier by far, of each passage it has read."""
    return max((span.score - span.null for span in spans), default=HOPELESS) < HOPELESS
