"""Whatever comes in: an answer or one line of error. Nothing hangs, crashes, or changes the index."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qa.articles import from_text, read_file
from qa.cli import _batch_line
from qa.containers import read_articles
from qa.evaluation.datasets import load_dataset
from qa.types import ArticleError, DatasetError, QAError, QuestionError, RefError, parse_ref

SECONDS = 10
ROUGH = [
    "\0", "\ud800", "\u202e", "\x1b[2J", "'; DROP TABLE texts; --", "../../../etc/passwd", "<script>", "{{7*7}}",
    "%s%n", "a" * 5000, "NEAR(a b)", '"', "AND OR NOT", "\u0301" * 300, "🙂" * 50, "text:*", "[", "$(id)", "\r\n",
]  # fmt: skip
BEGINNINGS = [
    b"%PDF-1.4\n", b"PK\x03\x04", b"<html><body>", b"\xff\xfe", b"\xef\xbb\xbf", b"title,text\n", b"1\n00:00:00,0",
    b'{"title": "a", "text": "', b"WEBVTT\n\n00:00.000 --> 00:01.000\n",
]  # fmt: skip
SUFFIXES = [".txt", ".md", ".html", ".pdf", ".docx", ".srt", ".vtt", ".csv", ".jsonl", ".zip"]
rough = st.sampled_from(ROUGH)
texts = st.one_of(st.text(max_size=300), rough, st.lists(rough, max_size=4).map(" ".join))
anything = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), texts),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(texts, inner, max_size=4)),
    max_leaves=8,
)
names = st.sampled_from(["question", "history", "articles", "top_k", "min_confidence", "x"])
few = settings(
    max_examples=25,
    deadline=None,  # a loaded machine reads slowly
    suppress_health_check=list(HealthCheck),
)
many = settings(max_examples=300, deadline=1000 * SECONDS, suppress_health_check=list(HealthCheck))


def one_line(error: QAError) -> None:
    words = str(error)
    assert words
    assert "\n" not in words
    assert len(words) < 400


@pytest.fixture(scope="module")
def untouched(pipeline):
    """The generation stays what it was."""
    before = pipeline.info()
    yield pipeline
    assert pipeline.info() == before


@few
@given(question=texts)
def test_questions(untouched, question):
    try:
        answer = untouched.ask(question, min_confidence=0)
    except QuestionError as error:
        one_line(error)
        return
    for citation in answer.citations:
        assert untouched.text(citation.article)[citation.start : citation.end] == citation.text
    json.dumps(answer.to_json())


@many
@given(history=anything, articles=anything, top_k=anything, min_confidence=anything)
def test_arguments(untouched, history, articles, top_k, min_confidence):
    """Of any kind: mostly refused before a model is asked."""
    try:
        untouched.search("niu jun", top_k, articles)
    except QuestionError as error:
        one_line(error)
    if isinstance(top_k, int) and not isinstance(top_k, bool) and 1 <= top_k <= 50:
        return  # would be read in earnest
    with pytest.raises(QuestionError) as caught:
        untouched.ask("niu jun", history, articles, top_k, min_confidence)
    one_line(caught.value)


@many
@given(
    ref=st.one_of(texts, st.from_regex(r"[^@#]{1,20}@[0-9a-f]{12}#[0-9]{1,14}-[0-9]{1,14}", fullmatch=True))
)
def test_refs(untouched, ref):
    try:
        found = untouched.verify(ref)
    except RefError as error:
        one_line(error)
        return
    assert parse_ref(ref)
    assert found.state == "gone"


@many
@given(quote=texts)
def test_quotes(untouched, quote):
    try:
        found = untouched.verify_quote(quote)
    except QuestionError as error:
        one_line(error)
        return
    for place in found.places:
        c = place.citation
        assert untouched.text(c.article)[c.start : c.end] == c.text


@many
@given(line=st.one_of(texts, anything.map(json.dumps), st.dictionaries(names, anything).map(json.dumps)))
def test_batch_lines(line):
    try:
        arguments = _batch_line(line)
    except QuestionError as error:
        one_line(error)
        return
    assert set(arguments) <= {"question", "history", "articles", "top_k", "min_confidence"}
    assert "question" in arguments


def test_a_batch_line_nested_without_end():
    started = time.monotonic()
    with pytest.raises(QuestionError) as caught:
        _batch_line('{"question":' * 200_000)
    one_line(caught.value)
    assert time.monotonic() - started < SECONDS


@many
@given(data=st.one_of(
    st.binary(max_size=300), anything.map(lambda value: json.dumps(value).encode()),
    st.fixed_dictionaries({"data": anything}).map(lambda value: json.dumps(value).encode()),
    st.lists(st.fixed_dictionaries({"question": anything, "answers": anything}).map(json.dumps)).map(
        lambda lines: "\n".join(lines).encode()),
), suffix=st.sampled_from([".json", ".jsonl", ".json.gz", ".jsonl.gz"]))  # fmt: skip
def test_datasets(tmp_path_factory, data, suffix):
    path = tmp_path_factory.getbasetemp() / f"hostile{suffix}"
    path.write_bytes(data)
    try:
        found = load_dataset(path)
    except DatasetError as error:
        one_line(error)
        return
    assert all(isinstance(question.text, str) for question in found.questions)


@many
@given(data=st.one_of(
    st.binary(max_size=400), texts.map(lambda text: text.encode("utf-8", "replace")),
    st.tuples(st.sampled_from(BEGINNINGS), st.binary(max_size=300)).map(b"".join),
), suffix=st.sampled_from(SUFFIXES))  # fmt: skip
def test_files(tmp_path_factory, data, suffix):
    folder = tmp_path_factory.getbasetemp() / "hostile-files"
    folder.mkdir(exist_ok=True)
    path = folder / f"file{suffix}"
    path.write_bytes(data)
    before = sorted(Path(folder).rglob("*"))
    read = read_articles if suffix in (".csv", ".jsonl", ".zip") else None
    try:
        articles = list(read(path, source=path.name)) if read else [read_file(path, source=path.name)]
    except ArticleError as error:
        one_line(error)
        articles = []
    for article in articles:
        if hasattr(article, "text"):
            article.text.encode()
            assert "\0" not in article.text
    assert sorted(Path(folder).rglob("*")) == before


@many
@given(text=texts, title=texts, source=st.none() | texts, date=st.none() | texts)
def test_pasted_text(text, title, source, date):
    try:
        article = from_text(text, title=title, source=source, date=date)
    except ArticleError as error:
        one_line(error)
        return
    article.text.encode()
    assert "/" not in article.id
    assert article.id.strip(".")  # no folder: not "." and not ".."
