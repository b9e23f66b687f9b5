from datetime import UTC, date, datetime

import pytest

from qa.extract import iso_date, sanitize
from qa.types import merge_ranges


def test_sanitize_keeps_every_place():
    assert sanitize("a\0b\ud800c\udfffd é😀") == "a\ufffdb\ufffdc\ufffdd é😀"


@pytest.mark.parametrize(
    ("ranges", "merged"),
    [
        ([], ()),
        ([(3, 3)], ()),
        ([(5, 9), (0, 2)], ((0, 2), (5, 9))),
        ([(0, 2), (2, 4)], ((0, 4),)),
        ([(0, 9), (2, 4), (8, 12), (14, 15)], ((0, 12), (14, 15))),
    ],
)
def test_merge_ranges(ranges, merged):
    assert merge_ranges(ranges) == merged


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (datetime(2024, 5, 31, 23, 59, tzinfo=UTC), "2024-05-31"),
        (date(2024, 5, 31), "2024-05-31"),
        ("2024-05-31", "2024-05-31"),
        (" 2024-05-31T23:59:59+14:00", "2024-05-31"),
        ("2024/05/31 10:00", "2024-05-31"),
        ("Fri, 31 May 2024 10:00:00 GMT", "2024-05-31"),
        ("Fri, 99 May 2024", None),
        ("2024-13-31", None),
        ("2024-05-311", None),
        ("05/06/2024", None),  # May or June
        ("2024", None),
        ("yesterday", None),
        ("", None),
        (2024, None),
        (None, None),
    ],
)
def test_a_date_is_never_guessed(value, expected):
    assert iso_date(value) == expected
