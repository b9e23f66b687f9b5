from pathlib import Path

import pytest

from qa.boilerplate import line_masks

SEEDS = Path(__file__).parent.parent / "seeds"


@pytest.mark.parametrize(
    "line",
    [
        "Advertisement",
        "ADVERTISEMENT:",
        "Article continues below advertisement",
        "Share this article",
        "Share on Facebook, X and WhatsApp",
        "Sign up for our daily politics newsletter",
        "Sign up here to get the newsletter.",
        "Subscribe",
        "Subscribe now!",
        "Read more: How it all began",
        "**Read more:** [How it all began](https://x.y/z)",
        "Read more →",
        "> See also: Another story",
        "See also Another story about the same",
        "Related stories",
        "Related: Another story",
        "- Most read",
        "Continue reading the main story",
        "Don’t miss: Another story",
        "You may also like",
        "Top stories",
        "Skip to main content",
        "12 comments",
        "Follow us on Twitter",
        "© 2024 The Paper",
        "Copyright 2024 The Paper. No part of it may be copied.",
        "The Paper, 2024. All rights reserved.",
        "All Rights Reserved",
        "This material may not be published, broadcast or rewritten.",
        "We use cookies to give you the best experience. Accept?",
        "This website uses cookies.",
        "By continuing to use this site you agree to our use of cookies.",
        "Accept all cookies",
        "Privacy Policy",
        "Terms of Use",
    ],
)
def test_boilerplate_lines_are_masked(line):
    text = f"A sentence.\r\n  {line} \r\nAnother."
    [(start, end)] = line_masks(text)
    assert text[start:end] == line


@pytest.mark.parametrize(
    "line",
    [
        "Share prices fell on Monday.",
        "Share this prize money, the judge told the winners.",
        "Advertisements fell by a tenth.",
        "Subscribe to the theory, or leave the field.",
        "Read more books, she said.",
        "Related companies paid 3 million.",
        "Recommended.",
        "Continue reading until you know it by heart.",
        "All rights reserved to the states were upheld.",
        "He said that all rights are reserved to the people.",
        "The copyright of 1998 runs until 2068.",
        "(c) the seller, in the cases of section 3",
        "We use cookies to lure the bears, said the ranger.",
        "By using cookies the bakery won the prize.",
        "Comments by the president moved markets.",
        "Trending upwards since May, prices rose again.",
        "Join us!",
        "Email: a@b.c",
        "See you soon.",
        "",
    ],
)
def test_normal_sentences_are_never_masked(line):
    assert line_masks(f"{line}\n{line}") == []


def test_a_raw_article_has_no_line_masks():
    for path in SEEDS.iterdir():
        assert line_masks(path.read_text()) == []
    assert line_masks("read more: " + "word " * 38) == [(0, 200)]
    assert line_masks("read more: " + "word " * 39) == []


@pytest.mark.timeout(10)
@pytest.mark.parametrize(
    "line", ["sign up for " * 16, "by continuing to use " * 9, "© " * 99, "copyright 2000-" * 13]
)
def test_line_masks_take_linear_time(line):
    masks = line_masks(f"{line[:200]}\n" * 2000)
    assert len(masks) in (0, 2000)  # all alike, within the time limit above
