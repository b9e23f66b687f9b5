"""The list of articles, and what is said about taking some in."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from qa.library import FOLDER, Taken
from qa.types import ArticleInfo

from . import words
from .markup import button, esc

ROWS = 100  # articles listed at a time
LINES = 50  # failures named for one file; the rest are counted


def shelf(
    found: Sequence[ArticleInfo], most: int, total: int, chosen: Collection[str], writable: bool
) -> str:
    """The articles that were found, the first ``most`` of them, each with what can be done with it.

    :param total: how many articles there are.
    :param chosen: ids of those that are ticked.
    """
    if not total:
        return f'<p class="hint">{esc(words.EMPTY_TITLE)}</p>'
    if not found:
        return f'<p class="hint">{esc(words.FOUND_NONE)}</p>'
    rows = "".join(_row(info, info.article in chosen, writable) for info in found[:most])
    more = ""
    if len(found) > most:
        more = button(esc(words.more(len(found) - most)), "more", "quiet", most=most + ROWS)
    return f'<ul class="rows">{rows}</ul>{more}'


def _row(info: ArticleInfo, chosen: bool, writable: bool) -> str:
    facts = [info.source, info.date, words.size(info.characters, info.passages), words.added(info.added[:10])]
    line = " · ".join(f"<bdi>{esc(fact)}</bdi>" for fact in facts if fact)
    state = "" if info.passages else f'<p class="flag">{esc(words.STALE)}</p>'
    tick = " checked" if chosen else ""
    does = button(esc(words.READ), "read", "quiet", words.read(info.title), article=info.article)
    if writable:
        does += button(esc(words.REMOVE), "remove", "quiet", words.remove(info.title), article=info.article)
    return (
        f'<li data-article="{esc(info.article)}"><label class="tick"><input type="checkbox" data-pick="'
        f'{esc(info.article)}"{tick} aria-label="{esc(words.pick(info.title))}"></label><div class="what">'
        f'<h3 class="words" dir="auto">{esc(info.title)}</h3><p class="facts">{line}</p>{state}</div>'
        f'<div class="row-does">{does}</div></li>'
    )


def outcome(taken: Taken, stopped: bool, error: str) -> str:
    """What became of one file, each failure by name."""
    parts = [f'<p class="done">{esc(words.taken(taken.added, taken.updated, taken.unchanged))}</p>']
    if stopped:
        parts.append(f'<p class="flag">{esc(words.STOPPED)}</p>')
    if error:
        parts.append(f'<p class="bad">{esc(error)}</p>')
    lines = [why.removeprefix(f"{FOLDER}/") for _, why in taken.failed]  # what the person called it
    parts += [f'<p class="bad">{esc(why)}</p>' for why in lines[:LINES]]
    if len(lines) > LINES:
        parts.append(f'<p class="bad">{esc(words.more_failed(len(lines) - LINES))}</p>')
    parts += [f'<p class="flag">{esc(why)}</p>' for why in taken.notices]
    return "".join(parts)
