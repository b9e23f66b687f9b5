from __future__ import annotations

import numpy as np
import pytest
from index_helpers import article, embed

from qa.rows import Stamp, to_article, to_blobs, to_contents, to_row
from qa.types import ArticleError

STAMP = Stamp(3, "token")


def test_an_article_becomes_a_row_and_comes_back():
    made = article(
        "a", "Some text.", title="A", source="/x/a.txt", date="2020-01-31", masks=((0, 4), (5, 9)),
        locators=((0, "page 1"), (5, "page 2")), bytes_sha256="ab" * 32, path="/x/a.txt",
    )  # fmt: skip
    version, title, source, path, date, masks, locators, digest = to_row(made)
    assert version == made.version
    assert to_article("a", (made.text, title, source, date, masks, locators, digest, path)) == made


def test_what_is_no_character_is_replaced_in_names_and_refused_in_texts():
    assert to_row(article("a", "x", title="f\udcff", path="/\udcff"))[1:4] == ("f?", "a.txt", "/?")
    for made in (article("a", "bad \ud800"), article("\ud800", "x", title="A")):
        with pytest.raises(ArticleError, match="no Unicode character"):
            to_row(made)


def test_blobs_are_halves_and_come_back_in_order():
    ranges = [(0, 4), (5, 9)]
    vectors = embed("Some text.", ranges)
    blobs = to_blobs(ranges, vectors, 10)
    infos = [
        (name, name, f"{name}.txt", None, "0" * 64, 10, 1, "now", "[[0, 4]]", '[[0, "page 1"]]')
        for name in "ab"
    ]
    places = [("a", 0, 4, blobs[0]), ("b", 5, 9, blobs[1])]
    contents = to_contents(STAMP, infos, places, [("b", "head", "some")], 16)
    assert (contents.stamp, contents.edges) == (STAMP, (("b", "head", "some"),))
    assert [(a.info.article, a.masks, a.locators) for a in contents.articles] == [
        (name, ((0, 4),), ((0, "page 1"),)) for name in "ab"
    ]
    places = [values.tolist() for values in (contents.owner, contents.starts, contents.ends)]
    assert places == [[0, 1], [0, 5], [4, 9]]
    assert np.array_equal(contents.vectors, vectors.astype(np.float16))


def test_nothing_and_what_was_not_asked_for():
    assert to_contents(STAMP, [], [], [], 0).vectors.shape == (0, 0)
    assert to_contents(STAMP, [], [], [], None).vectors is None
