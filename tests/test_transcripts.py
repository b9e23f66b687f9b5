import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.extract import Extract, Unreadable
from qa.transcripts import transcript

SRT = """1
00:00:01,000 --> 00:00:04,000
<i>The tower of Almora</i>

2
00:00:04,000 --> 00:00:08,500
is <font color="#ffff00">312 metres</font> tall.

3
01:02:03,900 --> 01:02:05,000
{\\an8}Its keeper
is Olaf Brandt.
"""

YOUTUBE = """WEBVTT
Kind: captions
Language: en

00:00:00.160 --> 00:00:02.470 align:start position:0%
~
the<00:00:00.480><c> tower</c><00:00:01.000><c> of</c><00:00:01.500><c> almora</c>

00:00:02.470 --> 00:00:02.480 align:start position:0%
the tower of almora
~

00:00:02.480 --> 00:00:06.990 align:start position:0%
the tower of almora
is<00:00:03.200><c> three</c><00:00:04.000><c> hundred</c>

00:00:06.990 --> 00:00:07.000 align:start position:0%
is three hundred
~

00:00:07.000 --> 00:00:09.990 align:start position:0%
is three hundred
is three hundred
""".replace("~", " ")


def at_times(text):
    found = transcript(text)
    ends = [*(start for start, _ in found.locators[1:]), len(found.text)]
    return [(label, found.text[start:end]) for (start, label), end in zip(found.locators, ends, strict=True)]


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_subtitles_are_one_text_with_times(line_end, mark):
    assert transcript(mark + SRT.replace("\n", line_end)) == Extract(
        "The tower of Almora is 312 metres tall. Its keeper is Olaf Brandt.",
        locators=((0, "00:00:01"), (40, "01:02:03")),
    )


def test_what_web_video_text_tracks_do_not_show_is_gone():
    text = (
        "WEBVTT - a title\nX-TIMESTAMP-MAP=LOCAL:00:00\n\nSTYLE\n::cue { color: red }\n\nREGION\nid:fred\n\n"
        "NOTE a remark\nover lines\n\nintro\n12:31.000 --> 12:34.000 line:0\n<v Olaf Brandt>Fish &amp; chips, "
        "<c.loud.red>AT&T</c>,\n\nNOTE\nsecret\n\nNOTE another\n\n00:12:38.000 --> 00:12:39.000\n"
        "- a &lt;i&gt; <lang en>is</lang> a<br>tag, a < b and c > d&nbsp;&unknown;\n\nNOTE the end"
    )
    assert at_times(text) == [
        ("00:12:31", "Fish & chips, AT&T, "),
        ("00:12:38", "- a <i> is a tag, a < b and c > d &unknown;"),
    ]


def test_captions_that_roll_up_are_said_once():
    assert at_times(YOUTUBE) == [
        ("00:00:00", "the tower of almora is three hundred "),
        ("00:00:07", "is three hundred"),
    ]


def test_the_same_captions_as_another_program_saves_them():
    stripped = "\n".join(line.strip() for line in YOUTUBE.split("\n"))  # empty lines within cues
    assert transcript(stripped) == transcript(YOUTUBE)


def test_what_is_said_twice_stays():
    cues = ["No.", "No.", "No.", "Never.", "Never.\nNot I."]
    text = "\n\n".join(f"{n}\n00:00:0{n},000 --> 00:00:0{n},900\n{cue}" for n, cue in enumerate(cues, 1))
    assert transcript(text.replace("Never.\nNot I.", "Not I.")).text == "No. No. No. Never. Not I."
    rare = text + "".join(f"\n\n{n}\n00:00:{n},000 --> 00:00:{n},900\nLine {n}." for n in range(10, 20))
    assert transcript(rare).text.startswith("No. No. No. Never. Never. Not I. Line 10. Line 11.")


def test_locators_are_seconds_apart_and_follow_the_clock():
    times = [0, 3, 4, 5, 9, 10, 3599, 3600, 2]
    text = "\n\n".join(f"{t // 60}:{t % 60:02}.000 --> {t // 60}:{t % 60:02}.900\nat {t}" for t in times)
    assert at_times(text) == [
        ("00:00:00", "at 0 at 3 at 4 "),
        ("00:00:05", "at 5 at 9 "),
        ("00:00:10", "at 10 "),
        ("00:59:59", "at 3599 at 3600 "),
        ("00:00:02", "at 2"),
    ]


def test_numbers_that_are_said_are_no_numbers_of_cues():
    times = "00:00:01,000 --> 00:00:02,000"
    assert transcript(f"1\n{times}\n1984\n\n2\n{times}\n\n3\n{times}\n42\n").text == "1984 42"
    assert transcript(f"{times}\nHello\n{times}\nthere\n\nan id\n{times}\nyou").text == "Hello there you"


WORDS = st.lists(st.text("aäß日😀.,'!?-", min_size=1), min_size=1).map(" ".join)


@given(st.lists(WORDS, min_size=1), st.sampled_from([",", "."]), st.booleans())
def test_all_words_in_their_order_each_at_its_time(said, point, numbered):
    times = [f"{t // 3600:02}:{t // 60 % 60:02}:{t % 60:02}" for t in range(0, 1000 * len(said), 1000)]
    cues = [
        f"{time}{point}000 --> {time}{point}900\n{words}" for time, words in zip(times, said, strict=True)
    ]
    if numbered:
        cues = [f"{number}\n{cue}" for number, cue in enumerate(cues, 1)]
    text = "\n\n".join(cues if point == "," else ["WEBVTT", *cues])
    assert transcript(text).text == " ".join(said)
    assert [(time, words.strip()) for time, words in at_times(text)] == list(zip(times, said, strict=True))


@pytest.mark.parametrize("text", ["", "WEBVTT\n\nNOTE nothing\n", "Just words.\n\n1\n00:00 -> 00:01\n"])
def test_a_text_without_cues(text):
    with pytest.raises(
        Unreadable, match=r'^has no line such as "00:00:01,000 --> 00:00:04,000"; .* name it \.txt$'
    ):
        transcript(text)


def test_cues_without_words():
    assert transcript("WEBVTT\n\n00:01.000 --> 00:02.000\n<c></c>\n") == Extract("")


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "unit", ["<c ", "<", "{\\", "NOTE\n\n", "\n", "1\n00:00:01,000 --> 00:00:02,000\na\n\n", "&a", "0:00 -->"]
)
def test_transcripts_take_linear_time(unit):
    body = unit * (300_000 // len(unit))
    text = f"WEBVTT\n\n00:01.000 --> 00:02.000\n{body}\n\n00:02.000 --> 00:03.000\nlast words"
    assert transcript(text).text.endswith("last words")
