"""Article -> Passages: windows that fit encoder and reader, on sentence ends where the text has any.

A passage is a range of the article's own text, so an answer's place in a passage is its place in the article.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sentencex import get_sentence_boundaries

from qa.types import Range

Word = tuple[int, int, int]  # start, end, number of tokens before it
_LONGEST_WORD = 16  # tokens
_WIDER_BLANK = re.compile(r"(?![\x00-\x7f])\s")

Offsets = Callable[[str], list[Range]]  # a tokenizer: where each token of a text stands in it


@dataclass(frozen=True, slots=True)
class PassageSettings:
    """Lengths in tokens of the encoder.

    ``longest`` is what a passage may have, ``overlap`` what neighbours share, and a paragraph's end closes a
    passage that has ``shortest`` or more.
    """

    longest: int = 200
    overlap: int = 50
    shortest: int = 70

    def __post_init__(self) -> None:
        if not (0 <= self.overlap < self.longest and 0 < self.shortest <= self.longest):
            raise ValueError(f"overlap and shortest must be smaller than longest: {self}")

    def __str__(self) -> str:
        return f"{self.longest}/{self.overlap}/{self.shortest}"


def split(text: str, offsets: Offsets, settings: PassageSettings | None = None) -> list[Range]:
    """Passages of a text, as sorted ranges that together cover every token.

    Sentences are packed greedily up to ``longest`` tokens; the next passage begins with the last sentences of
    the one before, up to ``overlap`` tokens. A sentence longer than ``longest`` (raw text has no sentence
    ends) is cut into windows of that length, on words, evenly spaced.

    >>> words = lambda text: [(i, i + 1) for i, c in enumerate(text) if c != " "]
    >>> split("a b c d e f g", words, PassageSettings(longest=3, overlap=1, shortest=1))
    [(0, 5), (4, 9), (8, 13)]
    """
    settings = settings or PassageSettings()
    tokens = [(a, b) for a, b in offsets(text) if a < b]
    if not tokens:
        return []
    words = _words(text, tokens)
    ranges: list[Range] = []  # in words
    pack: list[Range] = []
    for first, last, ends_paragraph in _sentences(text, [words[i][0] for i in range(len(words))]):
        for piece in _windows(words, first, last, settings):
            if pack and _tokens(words, pack[0][0], piece[1]) > settings.longest:
                ranges.append((pack[0][0], pack[-1][1]))
                pack = _tail(words, pack, piece, settings)
            pack.append(piece)
        if ends_paragraph and _tokens(words, pack[0][0], pack[-1][1]) >= settings.shortest:
            ranges.append((pack[0][0], pack[-1][1]))
            pack = []
    if pack:
        ranges.append((pack[0][0], pack[-1][1]))
    return _distinct([(words[a][0], words[b - 1][1]) for a, b in ranges])


def _words(text: str, tokens: Sequence[Range]) -> list[Word]:
    """Tokens joined to words. No passage begins or ends within one."""
    words: list[Word] = []
    for number, (start, end) in enumerate(tokens):
        end_before = words[-1][1] if words else -1
        glued = start <= end_before and text[start].isalnum() and text[start - 1].isalnum()
        # A run without spaces (Chinese, a broken file) would be one endless word. Several tokens may be of
        # one character (a Korean syllable), which is never cut.
        if start < end_before or (glued and number - words[-1][2] < _LONGEST_WORD):
            words[-1] = (words[-1][0], max(end, words[-1][1]), words[-1][2])
        else:
            words.append((start, end, number))
    words.append((len(text), len(text), len(tokens)))  # a stop, so that differences count the last word too
    return words


def _sentences(text: str, starts: list[int]) -> list[tuple[int, int, bool]]:
    """(first word, one past the last, ends a paragraph), in order; every word is in exactly one."""
    count = len(starts) - 1  # the last is the stop
    sentences: list[tuple[int, int, bool]] = []
    first = 0
    for end, paragraph in _boundaries(text):
        last = min(bisect_left(starts, end), count)
        if last > first:
            sentences.append((first, last, paragraph))
        elif sentences and paragraph:
            sentences[-1] = (*sentences[-1][:2], True)
        first = max(first, last)
    if first < count:
        sentences.append((first, count, True))
    return sentences


def _boundaries(text: str) -> list[tuple[int, bool]]:
    """Where sentences end, and whether a blank line follows there."""
    found: list[tuple[int, bool]] = []
    end = 0
    try:
        # The library panics at a capital, one of the wider blanks and a full stop ("A\xa0.").
        sentences = get_sentence_boundaries("en", _WIDER_BLANK.sub(" ", text))
    except BaseException as error:  # a panic of its Rust code is no Exception
        if type(error).__name__ != "PanicException":
            raise
        return [(len(text), True)]  # as raw text, which has no sentence ends either
    for sentence in sentences:
        # Lengths are summed, since the library's own numbers count bytes in some versions.
        end += len(sentence["text"])
        found.append((end, bool(sentence["is_paragraph_break"])))
    return found


def _tokens(words: Sequence[Word], first: int, last: int) -> int:
    return words[last][2] - words[first][2]


def _windows(words: Sequence[Word], first: int, last: int, settings: PassageSettings) -> list[Range]:
    """The sentence itself, or windows of it, evenly spaced, none longer than ``longest``."""
    total = _tokens(words, first, last)
    if total <= settings.longest:
        return [(first, last)]
    count = -(-(total - settings.overlap) // (settings.longest - settings.overlap))
    step = (total - settings.longest) / (count - 1)
    windows: list[Range] = []
    end = first
    while end < last:
        target = words[first][2] + len(windows) * step
        # Rounding to words must leave no gap, and each window must reach further than the one before.
        start = min(bisect_left(words, target, first, last, key=lambda word: word[2]), end)
        limit = words[start][2] + settings.longest
        reach = bisect_right(words, limit, start, last + 1, key=lambda word: word[2]) - 1
        if reach <= end:
            start, reach = end, end + 1
        windows.append((start, reach))
        end = reach
    return windows


def _tail(words: Sequence[Word], pack: list[Range], piece: Range, settings: PassageSettings) -> list[Range]:
    """The last sentences of a full pack that the next one repeats."""
    if piece[0] < pack[-1][1]:
        return []  # windows of one long sentence overlap already
    keep: list[Range] = []
    for sentence in reversed(pack):
        if (
            _tokens(words, sentence[0], pack[-1][1]) > settings.overlap
            or _tokens(words, sentence[0], piece[1]) > settings.longest
        ):
            break
        keep.insert(0, sentence)
    return keep


def _distinct(ranges: list[Range]) -> list[Range]:
    """Without those that lie within another."""
    kept: list[Range] = []
    for start, end in sorted(set(ranges), key=lambda r: (r[0], -r[1])):
        if not kept or end > kept[-1][1]:
            kept.append((start, end))
    return kept
