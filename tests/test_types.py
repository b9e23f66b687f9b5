import dataclasses
import hashlib
import inspect
import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qa import types
from qa.types import (
    Alternative,
    Answer,
    Article,
    ArticleInfo,
    Citation,
    Passage,
    RefError,
    Verification,
    make_ref,
    parse_ref,
)

TEXT = "the mill was built in 1723 by anna petrova"
VERSION = hashlib.sha256(TEXT.encode()).hexdigest()
PASSAGE = Passage("mill", VERSION, 4, 26, TEXT[4:26])
CITATION = Citation("mill", "The mill", "mill.txt", None, "page 3", VERSION, 22, 26, "1723", PASSAGE, 0.75)
CITATION_JSON = {
    "article": "mill",
    "title": "The mill",
    "source": "mill.txt",
    "date": None,
    "locator": "page 3",
    "version": VERSION,
    "start": 22,
    "end": 26,
    "text": "1723",
    "passage": {"start": 4, "end": 26, "text": "mill was built in 1723"},
    "confidence": 0.75,
    "ref": f"mill@{VERSION[:12]}#22-26",
}


def in_order(record):
    """As JSON text: keys compare with their order."""
    return json.dumps(record.to_json())


# --- the exceptions


def test_exceptions_are_the_tree_that_is_drawn():
    drawn, path = {}, []
    for line in types.__doc__.partition("::\n")[2].splitlines():
        if match := re.match(r"    ((?:│   |    )*)(?:[├└]── )?([A-Z]\w+)", line):
            depth = len(match[1]) // 4 + ("─" in line)
            path[depth:] = [match[2]]
            drawn[match[2]] = path[depth - 1] if depth else "Exception"
    defined = {
        name: [base.__name__ for base in cls.__bases__]
        for name, cls in inspect.getmembers(types, inspect.isclass)
        if issubclass(cls, Exception) and cls.__module__ == "qa.types"
    }
    assert defined == {name: [parent] for name, parent in drawn.items()}
    assert drawn["IndexBusyError"] == "ArticleIndexError"
    assert len(drawn) == 14


# --- references


def test_a_reference_names_article_version_and_place():
    assert make_ref("news/mill.txt", VERSION, 22, 26) == f"news/mill.txt@{VERSION[:12]}#22-26"
    assert parse_ref("news/mill.txt@0123456789ab#22-26") == ("news/mill.txt", "0123456789ab", 22, 26)


@settings(max_examples=50, deadline=None, database=None)
@given(
    st.text(st.characters(exclude_characters="@#", exclude_categories=["Cs"]), min_size=1),
    st.integers(0, 10**9),
    st.integers(1, 10**6),
)
def test_references_survive_a_round_trip(article, start, length):
    ref = make_ref(article, VERSION, start, start + length)
    assert parse_ref(ref) == (article, VERSION[:12], start, start + length)


@pytest.mark.parametrize(
    "ref",
    [
        "",
        "mill",
        "mill@0123456789ab",
        "mill#1-2",
        "@0123456789ab#1-2",
        "mill@0123456789a#1-2",
        "mill@0123456789abc#1-2",
        "mill@0123456789AB#1-2",
        "mill@0123456789xy#1-2",
        "mill@0123456789ab#-2",
        "mill@0123456789ab#1-",
        "mill@0123456789ab#-1-2",
        "mill@0123456789ab#2-2",
        "mill@0123456789ab#3-2",
        "mill@0123456789ab#1-2 ",
        "mill@0123456789ab#1-2\n",
        "mill@0123456789ab#1-2#1-2",
        "mill@0123456789ab#1-9999999999999",
        "mill@0123456789ab#١-٢",
    ],
)
def test_what_is_no_reference_is_refused(ref):
    with pytest.raises(RefError, match="not a reference") as caught:
        parse_ref(ref)
    assert repr(ref) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_long_wrong_reference_is_shown_in_part():
    with pytest.raises(RefError) as caught:
        parse_ref("x" * 100_000)
    assert "x" * 79 + "…'" in str(caught.value)
    assert len(str(caught.value)) < 200


# --- records


def test_version_is_the_sha256_of_the_text():
    assert Article("a", "héllo", "A", "a.txt").version == hashlib.sha256("héllo".encode()).hexdigest()
    assert types.sha256(b"\xff") == hashlib.sha256(b"\xff").hexdigest()


@pytest.mark.parametrize("record", [CITATION, PASSAGE, Article("a", "b", "c", "d")])
def test_records_do_not_change(record):
    with pytest.raises(dataclasses.FrozenInstanceError):
        record.text = "other words"
    with pytest.raises((AttributeError, TypeError)):
        record.unheard_of = 1
    assert record.text != "other words"


# --- the contract: these very keys, in this order


def test_citation_json():
    assert in_order(CITATION) == json.dumps(CITATION_JSON)


def test_answer_json():
    answer = Answer(
        "when?",
        "when was the mill built?",
        "1723",
        0.75,
        False,
        None,
        citations=(CITATION,),
        alternatives=(Alternative("1724", None, (CITATION, CITATION)),),
        warnings=("a word",),
        index={"generation": 3, "articles": 2, "passages": 7},
        timings_ms={"total": 1.5},
    )
    assert in_order(answer) == json.dumps(
        {
            "schema": 1,
            "question": "when?",
            "read_as": "when was the mill built?",
            "answer": "1723",
            "confidence": 0.75,
            "abstained": False,
            "reason": None,
            "citations": [CITATION_JSON],
            "alternatives": [
                {"answer": "1724", "confidence": None, "citations": [CITATION_JSON, CITATION_JSON]}
            ],
            "nearest": None,
            "warnings": ["a word"],
            "index": {"generation": 3, "articles": 2, "passages": 7},
            "timings_ms": {"total": 1.5},
        }
    )


def test_abstention_json():
    answer = Answer("who?", "who?", None, None, True, "no_span", nearest=CITATION)
    assert answer.to_json() == {
        "schema": 1,
        "question": "who?",
        "read_as": "who?",
        "answer": None,
        "confidence": None,
        "abstained": True,
        "reason": "no_span",
        "citations": [],
        "alternatives": [],
        "nearest": CITATION_JSON,
        "warnings": [],
        "index": {},
        "timings_ms": {},
    }


def test_article_info_json():
    info = ArticleInfo("mill", "The mill", "mill.txt", "2020-01-02", VERSION, 42, 1, "2026-01-02T03:04:05Z")
    assert in_order(info) == json.dumps(
        {
            "article": "mill",
            "title": "The mill",
            "source": "mill.txt",
            "date": "2020-01-02",
            "version": VERSION,
            "characters": 42,
            "passages": 1,
            "added": "2026-01-02T03:04:05Z",
        }
    )


def test_verification_json():
    ref = CITATION.ref
    assert in_order(Verification(ref, "moved", "1723", CITATION)) == json.dumps(
        {"ref": ref, "state": "moved", "text": "1723", "now": CITATION_JSON}
    )
    assert Verification(ref, "gone", None, None).to_json() == {
        "ref": ref,
        "state": "gone",
        "text": None,
        "now": None,
    }
