import doctest
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from qa import passages
from qa.passages import PassageSettings, split

PROSE = (
    "The mill was built in 1723. It stands by the river, and it has two wheels. Anna Petrova ran it for forty "
    "years. Dr. Smith bought it in 1810. He sold it again. Nobody knows why! Was it the flood? The town has it now."
)


def by_words(text):
    """A tokenizer: one token a word."""
    places, start = [], None
    for i, character in enumerate(text + " "):
        if character.isspace() and start is not None:
            places.append((start, i))
            start = None
        elif not character.isspace() and start is None:
            start = i
    return places


def parts(text, *lengths, offsets=by_words):
    return [text[start:end] for start, end in split(text, offsets, PassageSettings(*lengths))]


def count(ranges, tokens):
    """How many tokens lie within each range."""
    return [sum(start <= a and b <= end for a, b in tokens) for start, end in ranges]


def check(text, tokens, ranges, longest):
    """What holds for every text."""
    tokens = [(a, b) for a, b in tokens if a < b]
    assert all(0 <= start < end <= len(text) for start, end in ranges)
    assert all(a < c and b < d for (a, b), (c, d) in pairwise(ranges))
    assert all(any(start <= a and b <= end for start, end in ranges) for a, b in tokens)
    assert max(count(ranges, tokens), default=0) <= longest
    edges = {a for a, _ in tokens} | {b for _, b in tokens}
    assert all(start in edges and end in edges for start, end in ranges)


def test_examples():
    assert doctest.testmod(passages) == doctest.TestResults(failed=0, attempted=2)


# --- prose


def test_passages_end_with_sentences():
    assert parts(PROSE, 22, 0, 22) == [
        "The mill was built in 1723. It stands by the river, and it has two wheels.",
        "Anna Petrova ran it for forty years. Dr. Smith bought it in 1810. He sold it again. Nobody knows why!",
        "Was it the flood? The town has it now.",
    ]


def test_the_last_sentences_are_said_again():
    assert parts(PROSE, 22, 8, 22) == [
        "The mill was built in 1723. It stands by the river, and it has two wheels.",
        "Anna Petrova ran it for forty years. Dr. Smith bought it in 1810. He sold it again. Nobody knows why!",
        "He sold it again. Nobody knows why! Was it the flood? The town has it now.",
    ]


def test_what_is_said_again_leaves_room_for_the_next_sentence():
    # Four words could be said again, but then the next sentence of nine would not fit.
    text = "One two three four. Five six seven eight. A b c d e f g h i."
    assert parts(text, 12, 4, 12) == ["One two three four. Five six seven eight.", "A b c d e f g h i."]
    assert parts(text, 13, 4, 13)[1] == "Five six seven eight. A b c d e f g h i."


def test_a_paragraphs_end_closes_a_passage_that_is_long_enough():
    text = "A title\n\nOne two three four. Five six.\n\nSeven eight nine.\n\nTen."
    assert parts(text, 50, 10, 6) == ["A title\n\nOne two three four. Five six.", "Seven eight nine.\n\nTen."]
    assert parts(text, 50, 10, 2) == ["A title", "One two three four. Five six.", "Seven eight nine.", "Ten."]
    assert parts(text, 50, 10, 50) == [text]


def test_a_single_line_break_is_no_paragraphs_end():
    assert parts("One two\nthree four five.\nSix seven.", 50, 10, 2) == [
        "One two\nthree four five.\nSix seven."
    ]


@pytest.mark.parametrize("before", ["😀 😀 ", "中文 ", "é ", "\ufeff "])
def test_wide_characters_do_not_shift_what_follows(before):
    text = before * 3 + PROSE
    assert parts(text, 22, 0, 22)[-2:] == parts(PROSE, 22, 0, 22)[-2:]


def test_windows_line_ends_are_kept():
    text = "One two three.\r\n\r\nFour five six.\r\nSeven."
    assert parts(text, 50, 10, 3) == ["One two three.", "Four five six.\r\nSeven."]


@pytest.mark.parametrize("blank", "\xa0\u3000\u2029\x85\u2003")
def test_a_wide_blank_after_a_capital_is_no_panic(blank):
    # sentencex 1.0.32 slices its UTF-8 within this blank, and its panic is no Exception.
    text = f"This is part A{blank}. It ends."
    assert parts(text, 50, 0, 50) == [text]
    assert parts(f"One two A{blank}. Three four five. Six.", 6, 0, 6) == [
        f"One two A{blank}.",
        "Three four five. Six.",
    ]


def test_any_other_panic_leaves_a_text_without_sentences(monkeypatch):
    class PanicException(BaseException):
        """What pyo3 makes of a panic."""

    def fails(_language, _text):
        raise error

    monkeypatch.setattr(passages, "get_sentence_boundaries", fails)
    error = PanicException("end byte index")
    assert parts("One. Two three. Four.", 3, 0, 3) == ["One. Two three.", "Two three. Four."]
    error = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        parts("One. Two three. Four.", 3, 0, 3)


# --- raw text, without sentences


@pytest.mark.parametrize(
    ("words", "windows"),
    [
        (10, [(0, 10)]),
        (11, [(0, 10), (1, 11)]),
        (16, [(0, 10), (6, 16)]),
        (17, [(0, 10), (4, 14), (7, 17)]),
        (22, [(0, 10), (6, 16), (12, 22)]),
    ],
)
def test_windows_are_spaced_evenly(words, windows):
    text = " ".join("abcdefghijklmnopqrstuv"[:words])
    assert split(text, by_words, PassageSettings(10, 4, 10)) == [(2 * a, 2 * b - 1) for a, b in windows]


def test_raw_articles(encoder, seeds):
    for text in (article.text for article in seeds):
        tokens, ranges = encoder.offsets(text), split(text, encoder.offsets)
        check(text, tokens, ranges, 200)
        assert count(ranges, tokens) == [200] * len(ranges)
        starts, ends = zip(*tokens, strict=True)
        numbered = [(starts.index(a), ends.index(b) + 1) for a, b in ranges]
        shared = [end - start for (_, end), (start, _) in pairwise(numbered)]
        assert min(shared) >= 50
        assert max(shared) - min(shared) <= 4  # even, to a word
        for start, end in ranges:
            assert start == 0 or text[start - 1] == " "
            assert end == len(text) or text[end] == " "
            assert len(encoder.offsets(text[start:end])) <= 200


def test_prose_after_raw_text_begins_anew():
    raw = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen"
    assert parts(f"{raw}. Then one. And two.", 10, 4, 10) == [
        "one two three four five six seven eight nine ten",
        "seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen.",
        "Then one. And two.",
    ]


# --- words, and scripts without blanks


def test_words_are_not_cut(encoder):
    word = "electroencephalographically"
    assert len(encoder.offsets(word)) > 5
    text = " ".join([word] * 30)
    for start, end in split(text, encoder.offsets, PassageSettings(20, 8, 20)):
        assert set(text[start:end].split(" ")) == {word}


def test_chinese_is_cut_to_fit(encoder):
    text = "北京是中国的首都" * 60
    ranges = split(text, encoder.offsets, PassageSettings(50, 10, 50))
    check(text, encoder.offsets(text), ranges, 50)
    assert ranges[0] == (0, 48)  # three pieces of 16
    assert split("第一句话。第二句话。", encoder.offsets, PassageSettings(6, 0, 6)) == [(0, 5), (5, 10)]


def test_a_korean_syllable_is_never_cut(encoder):
    text = "한 국 " * 40
    assert encoder.offsets("한") == [(0, 1)] * 3
    ranges = split(text, encoder.offsets, PassageSettings(16, 0, 16))
    check(text, encoder.offsets(text), ranges, 16)
    assert ranges[0] == (0, 9)


def test_emoji(encoder):
    text = "👩‍👩‍👧‍👦 went 🏴‍☠️ home 😀. " * 40
    check(text, encoder.offsets(text), split(text, encoder.offsets, PassageSettings(20, 5, 20)), 20)


@pytest.mark.parametrize("text", ["", " ", "\n\n\t ", "\u3000"])
def test_nothing_in_a_blank_text(text, encoder):
    assert split(text, encoder.offsets) == []


def test_a_short_text_is_one_passage_without_its_blanks(encoder):
    assert split("  Hello there.\n", encoder.offsets) == [(2, 14)]
    assert split("x", encoder.offsets) == [(0, 1)]


# --- every text

ALPHABET = [
    *"ab .!?\n\r\t,:()“”'é中。😀한국\u0300\u200b\u200d\xa0\u3000\u2029\x85\x00İßJM1",
    "the ",
    "U.S. ",
    "Mr. ",
]


@settings(max_examples=150, deadline=None, database=None)
@given(
    st.lists(st.sampled_from(ALPHABET), max_size=80).map("".join),
    st.integers(16, 40),
    st.integers(0, 15),
    st.integers(1, 16),
)
@example("J\xa0. b c", 16, 0, 16)
@example("한\u3000the 한 a 한 b 한 c 한 d 한 e", 16, 3, 16)
def test_every_token_is_in_a_passage_that_fits(encoder, text, longest, overlap, shortest):
    ranges = split(text, encoder.offsets, PassageSettings(longest, overlap, shortest))
    check(text, encoder.offsets(text), ranges, longest)


# --- settings


def test_the_default_fits_encoder_and_reader():
    assert PassageSettings() == PassageSettings(longest=200, overlap=50, shortest=70)
    assert str(PassageSettings(7, 2, 3)) == "7/2/3"  # an index is refused by this


@pytest.mark.parametrize("lengths", [(10, 10, 5), (10, -1, 5), (10, 2, 11), (10, 2, 0), (0, 0, 0)])
def test_settings_that_cannot_work(lengths):
    with pytest.raises(ValueError, match="smaller than longest"):
        PassageSettings(*lengths)
