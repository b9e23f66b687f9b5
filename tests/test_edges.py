import itertools
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.edges import LONGEST, EdgeRows, EdgeTable, body, edges, needed, same_story, words
from qa.types import merge_ranges

SEEDS = sorted((Path(__file__).parent.parent / "seeds").glob("*.txt"))
STRAY = "apitalism struggles during covid 19 pandemic"


def story(seed: int, length: int = 200) -> str:
    """Words no other story has in this order."""
    rng = random.Random(seed)
    return " ".join(f"w{rng.randrange(400)}" for _ in range(length))


def masks_of(texts: dict[str, str], own: dict[str, tuple] | None = None) -> dict[str, tuple]:
    own = own or {}
    rows = [
        (name, side, listed)
        for name, text in texts.items()
        for side, listed in edges(text, own.get(name, ()))
    ]
    table = EdgeTable(EdgeRows(rows), len(texts), lambda name: body(texts[name], own.get(name, ())))
    return {name: table.masks(name, text, own.get(name, ())) for name, text in texts.items()}


def test_the_seeds_share_their_first_six_words_and_nothing_at_their_ends():
    texts = {path.name: path.read_text(encoding="utf-8") for path in SEEDS}
    assert len(texts) == 2
    for name, masks in masks_of(texts).items():
        assert masks == ((0, 44),)
        assert texts[name][:44] == STRAY


def test_a_shared_end_reaches_to_the_end_of_the_text():
    end = "all rights reserved by the publisher."
    texts = {name: f"{story(i)} {end}" for i, name in enumerate("ab")}
    for name, masks in masks_of(texts).items():
        ((start, stop),) = masks
        assert texts[name][start:] == end
        assert stop == len(texts[name])


def test_both_ends_case_and_line_breaks():
    texts = {
        "a": f"\ufeffRead the Daily News online!\n\n{story(1)}\r\nSubscribe now for FREE, dear reader\n",
        "b": f"read the daily news online {story(2)} Subscribe now for free dear reader",
    }
    found = masks_of(texts)
    assert [texts["a"][start:end] for start, end in found["a"]] == [
        "\ufeffRead the Daily News online",
        "Subscribe now for FREE, dear reader\n",
    ]
    assert len(found["b"]) == 2


def test_four_words_are_too_few():
    assert masks_of({"a": f"one two three four {story(1)}", "b": f"one two three four {story(2)}"}) == {
        "a": (),
        "b": (),
    }


def test_near_copies_never_mask_each_other():
    original = f"{STRAY} {story(1)}"
    listed = original.split()
    for at in range(10, 200, 25):
        listed[at] = "edited"
    assert masks_of({"a": original, "b": " ".join(listed)}) == {"a": (), "b": ()}
    assert masks_of({"a": original, "b": original}) == {"a": (), "b": ()}
    longer = f"{original} {story(9, 40)}"  # the same story, continued
    assert masks_of({"a": original, "b": longer}) == {"a": (), "b": ()}


def test_three_near_copies_and_one_different_article():
    listed = story(1).split()
    texts = {"other": f"{STRAY} {story(2)}"}
    for name, at in (("one", 50), ("two", 100), ("three", 150)):
        edited = [*listed[:at], "edited", *listed[at + 1 :]]
        texts[name] = f"{STRAY} {' '.join(edited)}"
    # Each has one that differs, and that shares only the stray words, not the copies' common beginning.
    assert set(masks_of(texts).values()) == {((0, 44),)}


def test_a_paragraph_of_the_same_story_is_not_boilerplate():
    lead = story(3, 30)
    shared = story(4, 100)  # a good part of the rest is the same: a follow-up on the same event
    first, second = f"{lead} {story(5, 60)} {shared}", f"{lead} {shared} {story(6, 90)}"
    assert masks_of({"a": first, "b": second}) == {"a": (), "b": ()}


def test_a_run_of_more_than_a_third_of_the_shorter_article_is_no_edge():
    run = story(1, 21)
    assert masks_of({"a": f"{run} {story(2, 39)}", "b": f"{run} {story(3)}"}) == {"a": (), "b": ()}
    run = story(1, 20)
    assert masks_of({"a": f"{run} {story(2, 40)}", "b": f"{run} {story(3)}"}) == dict.fromkeys(
        "ab", ((0, len(run)),)
    )


def test_a_longer_run_is_masked_up_to_the_longest():
    run = story(1, LONGEST + 10)
    expected = len(" ".join(run.split()[:LONGEST]))
    assert masks_of({"a": f"{run} {story(2, 300)}", "b": f"{run} {story(3, 300)}"})["a"] == ((0, expected),)


@pytest.mark.parametrize("text", ["", " ", "one", "one two three four five", "!?", "的" * 300])
def test_short_texts_have_no_edges(text):
    assert edges(text) == ()
    assert masks_of({"a": text, "b": text, "c": f"{text} {story(1)}"}) == {"a": (), "b": (), "c": ()}


def test_an_articles_own_masks_are_passed_over():
    menu = "Home News Sport Weather Contact Login "
    texts = {"a": f"{menu}{STRAY} {story(1)}", "b": f"{STRAY} {story(2)}"}
    found = masks_of(texts, {"a": ((0, len(menu)),)})
    assert found == {"a": ((0, len(menu) + 44),), "b": ((0, 44),)}


def test_in_a_larger_library_more_others_are_needed():
    assert [needed(n) for n in (0, 1, 2, 39, 40, 100, 1_000, 10_000)] == [1, 1, 1, 1, 2, 3, 10, 31]
    texts = {f"a{i}": f"{STRAY} {story(i)}" for i in range(2)} | {f"b{i}": story(100 + i) for i in range(38)}
    assert set(masks_of(texts).values()) == {()}  # one other of 40 may be chance
    texts["a2"] = f"{STRAY} {story(2)}"
    assert [name for name, masks in masks_of(texts).items() if masks] == ["a0", "a1", "a2"]


def test_the_longest_run_that_enough_others_share():
    texts = {f"b{i}": story(100 + i) for i in range(40)}  # two others are needed
    longer = f"{STRAY} more of the same"
    texts |= {"a0": f"{longer} {story(0)}", "a1": f"{longer} {story(1)}", "a2": f"{STRAY} {story(2)}"}
    found = masks_of(texts)
    assert found["a0"] == found["a1"] == found["a2"] == ((0, 44),)
    texts["a3"] = f"{longer} {story(3)}"
    assert masks_of(texts)["a0"] == ((0, len(longer)),)


def test_the_order_of_the_articles_does_not_matter():
    texts = {f"a{i}": f"{STRAY} {'more of it ' * (i % 3)}{story(i // 2)}" for i in range(12)}
    expected = masks_of(texts)
    shuffled = list(texts)
    random.Random(7).shuffle(shuffled)
    assert masks_of({name: texts[name] for name in shuffled}) == expected


def test_only_a_limited_number_is_compared():
    copies = {f"copy{i:03}": f"{STRAY} {story(1)} {i}" for i in range(100)}
    rows = [(name, side, listed) for name, text in copies.items() for side, listed in edges(text)]
    read = []

    def body_of(name):
        read.append(name)
        return body(copies[name])

    table = EdgeTable(EdgeRows(rows), len(copies), body_of)
    assert table.masks("copy000", copies["copy000"]) == ()
    assert len(read) <= 1 + needed(100) + 32


def test_same_story_is_mutual_and_of_oneself():
    one, other = body(story(1)), body(story(2))
    assert same_story(one, one)
    assert not same_story(one, other)
    assert same_story(body(story(1, 100)), one) == same_story(one, body(story(1, 100)))
    assert same_story(body(""), one)  # nothing to compare: no evidence that they differ


@given(
    st.lists(
        st.tuples(st.text("ab", max_size=12), st.integers(0, 6), st.text("ab", max_size=12)), max_size=14
    )
)
def test_runs_are_those_of_the_definition(made):
    # Openings and endings of two words only, so that many are shared at many lengths; bodies of seven stories.
    texts = [" ".join([*("x" + head), story(body_seed, 40), *(tail + "y")]) for head, body_seed, tail in made]
    texts += [f"x a b a b a {story(9 + i, 60)}" for i in range(30)]  # enough that two others are needed
    bodies, listed = [body(text) for text in texts], [words(text) for text in texts]
    rows = [(str(i), side, joined) for i, text in enumerate(texts) for side, joined in edges(text)]
    table = EdgeTable(EdgeRows(rows), len(texts), lambda name: bodies[int(name)])
    for i in range(len(made)):
        for side, step in (("head", 1), ("tail", -1)):
            expected = 0
            for n in range(5, len(listed[i]) // 3 + 1):
                mine = listed[i][::step][:n]
                sharing = [j for j in range(len(texts)) if j != i and listed[j][::step][:n] == mine]
                sharing = [j for j in sharing if not same_story(bodies[i], bodies[j])]
                if len(sharing) >= needed(len(texts)):
                    expected = n
            assert table.run(str(i), side) == expected


def test_words():
    assert words("\ufeffÜber  das\r\nMeer 𝕏 straße İ") == ["über", "das", "meer", "𝕏", "strasse", "i\u0307"]
    assert words("a b c d", [(1, 3), (5, 6)]) == ["a", "c", "d"]
    assert words("hello world", [(2, 3), (7, 11)]) == ["he", "lo", "w"]
    assert words("") == words("abc", [(0, 3)]) == []


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(1, 10)).map(lambda pair: (pair[0], sum(pair)))))
def test_merge_covers_the_same_places(ranges):
    merged = merge_ranges(ranges)
    assert {i for start, end in merged for i in range(start, end)} == {
        i for s, e in ranges for i in range(s, e)
    }
    assert all(before[1] < after[0] for before, after in itertools.pairwise(merged))
