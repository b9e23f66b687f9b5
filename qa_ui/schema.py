"""What the endpoints and tools take and return, as JSON Schema: every field with a description and an example."""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]


def _of(kind: str, description: str, example: object, **more: object) -> Schema:
    return {"type": kind, "description": description, "examples": [example], **more}


def _or_null(schema: Schema, **more: object) -> Schema:
    """Also null. As ``anyOf``: Gradio's clients cannot read a list of types."""
    outside = {key: schema[key] for key in ("description", "examples") if key in schema}
    inside = {key: value for key, value in schema.items() if key not in outside}
    return {"anyOf": [inside, {"type": "null"}], **outside, **more}


def _record(description: str, fields: dict[str, Schema], **more: object) -> Schema:
    known = {"type": "object", "description": description, "properties": fields, "required": list(fields)}
    return {**known, **more}


def _list(description: str, items: Schema, **more: object) -> Schema:
    return {"type": "array", "description": description, "items": items, **more}


REF = "001_34707f324662fe23-7752956a@27c04ac46719#2866-2883"
_ARTICLE = "001_34707f324662fe23-7752956a"
_VERSION = "27c04ac467195a065ade5a8d182e9070e94fd55180170c6cb65bda16055ac760"
_HOW_SURE = "the calibrated probability that it is right, 0 to 1; null if the models are not calibrated"

# ---- what is given

QUESTION = _of("string", "the question, in words; read up to 2000 characters", "where does niu jun work")
HISTORY = _list(
    "earlier turns as [question, answer] pairs, oldest first; the answer null where it was declined",
    _list("one turn", _or_null(_of("string", "the question, then the answer", "who is niu jun"))),
    default=[], examples=[[["who is niu jun", "an expert"]]],
)  # fmt: skip
ARTICLES = _or_null(
    _list(
        "look only in these: ids, or patterns of their sources", _of("string", "an id or a pattern", "news/*.txt"),
        examples=[["news/*.txt"]],
    ),
    default=None,
)  # fmt: skip
TOP_K = _of(
    "integer", "how many to return at most; changes neither the best one nor its confidence", 5,
    minimum=1, maximum=50, default=5,
)  # fmt: skip
MIN_CONFIDENCE = _or_null(
    _of("number", "decline below this probability; null for the calibrated threshold, 0 for never", 0.5,
        minimum=0, maximum=1),
    default=None,
)  # fmt: skip
QUESTIONS = _list(
    "the questions, 1 to 100", QUESTION, examples=[["where does niu jun work", "who is nikki haley"]]
)
QUERY = _of("string", "what to look for, in words", "missile tests")
A_REF = _of("string", "a citation's ref: article@version#start-end", REF)
QUOTE = _of(
    "string",
    "the words somebody claims an article says, 1 to 2000 characters",
    "an expert at Harvard University",
)

TEXT = _of(
    "string", "the article's text, to be quoted as it is", "The mill was built by Anna Petrova in 1732."
)
TITLE = _of("string", "its title", "The mill")
DATE = _or_null(_of("string", "its date, year-month-day", "2017-07-05"), default=None)
SOURCE = _or_null(
    _of("string", "the name it goes by: the same again replaces it; null for its title", "letters/mill.txt"),
    default=None,
)
ARTICLE = _of("string", "the article's id, as articles lists it", _ARTICLE)
FORGET = {
    **_of("boolean", "also delete its texts for good; references to them are gone then", False),
    "default": False,
}

# ---- what comes back

_PASSAGE = _record("the passage around it", {
    "start": _of("integer", "where it begins in the article, in code points", 2600),
    "end": _of("integer", "where it ends, exclusive", 3400),
    "text": _of("string", "its text", "said niu jun an expert at peking university in beijing"),
})  # fmt: skip
_PLACE = {
    "article": _of("string", "the article's stable id", _ARTICLE),
    "title": _of("string", "its title", "001_34707f324662fe23"),
    "source": _of("string", "where it came from", "seeds/001_34707f324662fe23.txt"),
    "date": _or_null(_of("string", "its date, if it has one", "2017-07-05")),
    "locator": _or_null(_of("string", "the place in the source's own terms", "page 3")),
    "version": _of("string", "sha256 of the text the offsets count in", _VERSION),
    "start": _of("integer", "where the quote begins in that text, in code points", 2866),
    "end": _of("integer", "where it ends, exclusive: text[start:end] is the quote", 2883),
    "text": _of("string", "the quote, to the character", "peking university"),
    "passage": _PASSAGE,
    "confidence": _or_null(_of("number", _HOW_SURE, 0.76)),
    "ref": _of("string", "names this place for ever; verify takes it", REF),
}
CITATION = _record("one place in one article", _PLACE)
_CITATIONS = _list("every place that says so, best first", CITATION)
_ALTERNATIVE = _record("another answer", {
    "answer": _of("string", "the quote", "beijing"),
    "confidence": _or_null(_of("number", _HOW_SURE, 0.44)),
    "citations": _CITATIONS,
})  # fmt: skip
_REASONS = ["empty_index", "nothing_retrieved", "no_span", "low_confidence"]
ANSWER = _record("a verbatim quote with its places, or why there is none", {
    "schema": _of("integer", "version of this record", 1),
    "question": _of("string", "the question as asked", "where does niu jun work"),
    "read_as": _of("string", "as it was read; differs for a follow-up", "where does niu jun work"),
    "answer": _or_null(_of("string", "the quote; null if declined", "peking university")),
    "confidence": _or_null(_of("number", _HOW_SURE, 0.76)),
    "abstained": _of("boolean", "whether the articles don't say, or not surely enough", False),
    "reason": _or_null(_of("string", "why there is no answer", "low_confidence", enum=_REASONS)),
    "citations": _CITATIONS,
    "alternatives": _list("other answers, most probable first", _ALTERNATIVE),
    "nearest": _or_null({**CITATION, "description": "when declined: the nearest passage, no answer"}),
    "warnings": _list("what to know about this answer", _of("string", "one line", "the question is long ...")),
    "index": _record("the index it was asked of", {
        "generation": _of("integer", "number of its newest change", 12),
        "articles": _of("integer", "how many articles", 2),
        "passages": _of("integer", "how many passages", 13),
    }, required=[]),
    "timings_ms": {"type": "object", "description": "milliseconds by step", "examples": [{"total": 42.0}],
                   "additionalProperties": {"type": "number"}},
})  # fmt: skip
ANSWERS = _list(
    "one answer a question, in their order; for one that cannot be asked, question and error",
    {"anyOf": [ANSWER, _record("a question that cannot be asked", {
        "schema": _of("integer", "version of this record", 1),
        "question": _of("string", "the question", ""),
        "error": _of("string", "why", "the question is empty; ask something"),
    })]},
)  # fmt: skip
PASSAGES = _list("passages, best first", _record("one passage", {
    **{name: _PLACE[name] for name in ("article", "title")}, **_PASSAGE["properties"],
    "score": _of("number", "how it ranks, 0 to 1", 1.0),
    "dense": _of("number", "cosine of its meaning to the query's", 0.53),
    "bm25": _of("number", "BM25 score of the words they share", 7.2),
    "ref": _PLACE["ref"],
}))  # fmt: skip
_LISTED = {
    **{name: _PLACE[name] for name in ("article", "title", "source", "date", "version")},
    "characters": _of("integer", "length of its text", 5380),
    "passages": _of("integer", "how many passages it was cut into", 7),
    "added": _of("string", "when, ISO 8601 in UTC", "2026-11-22T05:00:00.000000+00:00"),
}
LISTED = _list("the articles, by id", _record("one article", _LISTED))
TAKEN = _record("the article as it is in the index now", {
    "state": _of("string", "what became of it", "added", enum=["added", "updated", "unchanged"]), **_LISTED,
})  # fmt: skip
REMOVED = _record("what was removed", {
    "article": _PLACE["article"],
    "forgotten": _of("boolean", "whether its texts were deleted too", False),
})  # fmt: skip
VERIFIED = _record("what became of a quote", {
    "ref": _PLACE["ref"],
    "state": _of("string", "whether the article still says it", "moved",
                 enum=["unchanged", "moved", "edited", "gone"]),
    "text": _or_null(_of("string", "the quoted words; null if they were deleted for good", "peking university")),
    "now": _or_null({**CITATION, "description": "where it stands now, if it does"}),
})  # fmt: skip
_CHANGE = _record("a stretch of the claim beside the article's", {
    "op": _of("string", "form: but for case, punctuation and spacing; insert: only in the article; delete: only "
              "claimed", "replace", enum=["same", "form", "replace", "insert", "delete"]),
    "claimed": _of("string", "the claim's words", "Harvard"),
    "article": _of("string", "the article's words", "peking"),
})  # fmt: skip
QUOTED = _record("whether the articles say the words", {
    "quote": _of("string", "the words, without blanks around them", "an expert at Harvard University"),
    "state": _of("string", "exact: to the character at every place; near: each place says what differs; absent",
                 "near", enum=["exact", "near", "absent"]),
    "places": _list("where, at most 20", _record("one place", {
        **_PLACE,
        "similarity": _of("number", "how much is the same, 0 to 1", 0.857),
        "diff": _list("from the claim to the article", _CHANGE),
    })),
    "warnings": _list("what to know about it", _of("string", "one line", "30 places in all; the first 20 are given")),
})  # fmt: skip

# Endpoint: its parameters in order, and what it returns.
ENDPOINTS: dict[str, tuple[dict[str, Schema], Schema]] = {
    "ask": ({"question": QUESTION, "history": HISTORY, "articles": ARTICLES, "top_k": TOP_K,
             "min_confidence": MIN_CONFIDENCE}, ANSWER),
    "ask_batch": ({"questions": QUESTIONS, "articles": ARTICLES, "top_k": TOP_K, "min_confidence": MIN_CONFIDENCE},
                  ANSWERS),
    "search": ({"query": QUERY, "top_k": TOP_K, "articles": ARTICLES}, PASSAGES),
    "articles": ({}, LISTED),
    "verify": ({"ref": A_REF}, VERIFIED),
    "verify_quote": ({"quote": QUOTE, "articles": ARTICLES}, QUOTED),
}  # fmt: skip
# Where the index may be changed.
WRITING: dict[str, tuple[dict[str, Schema], Schema]] = {
    "add_article": ({"text": TEXT, "title": TITLE, "date": DATE, "source": SOURCE}, TAKEN),
    "remove_article": ({"article": ARTICLE, "forget": FORGET}, REMOVED),
}
