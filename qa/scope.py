"""Which articles a question is asked of: chosen ones, dates from and to, or all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from qa.extract import iso_date
from qa.types import ArticleInfo, QuestionError


@dataclass(frozen=True, slots=True)
class Scope:
    """Chosen articles, and the first and last day; what is empty restricts nothing."""

    articles: tuple[str, ...] = ()
    since: str | None = None  # ISO dates, both inclusive
    until: str | None = None

    def __post_init__(self) -> None:
        for day in (self.since, self.until):
            if day is not None and iso_date(day) != day:
                raise QuestionError(f"not a date: {day[:20]!r}; one looks like 2024-05-31")
        if self.since and self.until and self.since > self.until:
            raise QuestionError(
                f"from {self.since} to {self.until} is no time: the first day is after the last"
            )

    def __bool__(self) -> bool:
        return bool(self.articles or self.since or self.until)

    def within(self, date: str | None) -> bool:
        """Whether a date lies within the days; an article without a date lies within none."""
        if not self.since and not self.until:
            return True
        return date is not None and (self.since or "") <= date <= (self.until or "9999-12-31")

    def resolve(self, known: Sequence[ArticleInfo]) -> list[str] | None:
        """Ids for ``Pipeline.ask``; None for all. A chosen article that was removed since is left out.

        :raises QuestionError: if nothing is left to ask.
        """
        if not self:
            return None
        chosen = frozenset(self.articles)
        picked = [info for info in known if not chosen or info.article in chosen]
        if not picked:
            raise QuestionError("none of the chosen articles is in the index any more; choose others")
        found = [info.article for info in picked if self.within(info.date)]
        if not found:
            undated = sum(info.date is None for info in picked)
            why = f"; {undated} of them have no date" if undated else ""
            which = "chosen articles" if chosen else "articles"
            raise QuestionError(f"none of the {which} is dated {self.days()}{why}; choose other dates")
        return found

    def days(self) -> str:
        """``from 2024-01-01 to 2024-02-01``; empty without dates."""
        since, until = f"from {self.since}" if self.since else "", f"to {self.until}" if self.until else ""
        return " ".join(filter(None, (since, until)))
