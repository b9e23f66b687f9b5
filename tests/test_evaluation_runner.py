"""The runner over a small pipeline that knows some answers by heart, and says them only if they are indexed."""

import json
import logging
import subprocess
from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest

from qa.adding import AddReport
from qa.calibration import Calibration, Ranking
from qa.evaluation import machine, report
from qa.evaluation.report import Asked, Question, format_table, result
from qa.evaluation.runner import evaluate
from qa.types import Answer, DatasetError, Hit, Passage, QuestionError, Span

OIL = "The crisis began in October 1973."
PRICE = "Prices rose to $12."
TEA = "Tea came to London in 1660."
TIN = "Tin melts at 232 degrees."

# What it answers to a question, with which confidence, and with which margin over null when it reads.
KNOWN = {
    "When did the crisis begin?": ("October 1973", 0.9, 4.0),
    "What did prices rise to?": ("12", 0.8, 3.0),
    "When did tea come to London?": ("London", 0.6, 2.0),  # wrong
    "At what degrees does tin melt?": ("232 degrees", 0.3, 1.0),
    "Who melts tin?": ("Tin", 0.7, 2.5),  # impossible
    "Who sold tea?": (None, None, None),  # impossible, and nothing said
}


@dataclass
class Fake:
    """Searches whole paragraphs by shared words; reads what `KNOWN` says, if that stands there."""

    threshold: float | None = 0.5
    articles: dict = field(default_factory=dict)
    asked: list = field(default_factory=list)
    refused: list = field(default_factory=list)
    closed: bool = False
    encoder = SimpleNamespace(identity="words@1234")
    reader = SimpleNamespace(identity="heart@5678")

    @property
    def calibration(self):
        if self.threshold is None:
            return None
        return Calibration({}, Ranking(), {}, bias=0.0, threshold=self.threshold)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.closed = True

    def add(self, articles):
        self.articles.update({article.id: article for article in articles})
        return AddReport(failed=self.refused)

    def search(self, query, top_k=5, articles=None):
        rows = []
        for article in self.articles.values():
            start = 0
            for text in article.text.split("\n\n"):
                shared = len(set(query.lower().strip("?").split()) & set(text.lower().strip(".").split()))
                end = start + len(text)
                rows.append(
                    {"article": article.id, "start": start, "end": end, "text": text, "score": shared}
                )
                start = end + 2
        return sorted(rows, key=lambda row: -row["score"])[:top_k]

    def ask(self, question, history=(), articles=None, *, min_confidence=None):
        self.asked.append((question, min_confidence))
        if len(question) > 100:
            raise QuestionError("the question is too long")
        words, confidence, _ = KNOWN.get(question, (None, None, None))
        least = self.threshold if min_confidence is None else min_confidence
        if words is None or not any(
            words.lower() in article.text.lower() for article in self.articles.values()
        ):
            return Answer(question, question, None, None, True, "no_span")
        if self.threshold is None:
            # Uncalibrated: it declines by its null margin, which is less than 2 where confidence is below .5.
            declined, confidence = min_confidence is None and confidence < 0.5, None
        else:
            declined = confidence < least
        if declined:
            return Answer(question, question, None, confidence, True, "low_confidence")
        return Answer(question, question, words, confidence, False, None)

    def evidence(self, question):
        return None, [], []

    def read_text(self, question, text):
        words, _, margin = KNOWN[question]
        if words is None:
            return None
        start = text.lower().index(words.lower())
        hit = Hit(Passage("", "", 0, len(text), text), 0.0, 0.0, 0.0)
        return Span(hit, start, start + len(words), words, score=5.0, null=5.0 - margin)


class Opener:
    """Opens fakes, and remembers them and how."""

    def __init__(self, **kwargs):
        self.kwargs, self.opened, self.calls = kwargs, [], []

    def __call__(self, path, **kwargs):
        self.calls.append((path, kwargs))
        self.opened.append(Fake(**self.kwargs))
        return self.opened[-1]


def row(question, context, *golds):
    answers = [{"text": gold, "answer_start": context.index(gold)} for gold in golds]
    return {"question": question, "answers": answers, "is_impossible": not golds}


@pytest.fixture
def squad(tmp_path):
    """Three articles, four questions with an answer and two without."""
    when, prices, tea, tin, who, sold = KNOWN
    entries = {
        "Oil": [(OIL, [row(when, OIL, "October 1973", "1973")]), (PRICE, [row(prices, PRICE, "$12")])],
        "Tea": [(TEA, [row(tea, TEA, "1660"), row(sold, TEA)])],
        "Tin": [(TIN, [row(tin, TIN, "232")]), ("Who melts Tin wins.", [row(who, TIN)])],
    }
    data = [
        {"title": title, "paragraphs": [{"context": context, "qas": qas} for context, qas in paragraphs]}
        for title, paragraphs in entries.items()
    ]
    path = tmp_path / "three.json"
    path.write_text(json.dumps({"data": data}))
    return path


def test_end_to_end_over_all_articles(squad):
    opener = Opener()
    (entry,) = evaluate([squad], opener=opener)
    assert list(entry) == [
        "schema", "dataset", "questions", "commit", "models", "machine", "reader", "retrieval", "end_to_end",
        "absent", "judged_wrong", "confidence", "latency_ms", "ci", "slices", "went_wrong", "errors", "per_question",
    ]  # fmt: skip
    assert (entry["schema"], entry["dataset"], entry["questions"]) == (1, "three.json", 4)
    calibration = entry["models"].pop("calibration")
    assert (calibration["threshold"], len(calibration["sha256"])) == (0.5, 64)
    assert entry["models"] == {"encoder": "words@1234", "reader": "heart@5678"}
    # right, right ("12" is "$12" without its sign), wrong, and 232 degrees: P 1/2, R 1 -> F1 2/3, no EM
    assert entry["end_to_end"]["forced"] == pytest.approx({"em": 50.0, "f1": 100 * (2 + 2 / 3) / 4}, abs=1e-4)
    # below .5 it declines the last: one wrong of four, one wrongly declined
    assert entry["end_to_end"]["shipped"] == {
        "em": 50.0, "f1": 50.0, "answered": 0.75, "wrong_answered": 0.25, "wrongly_declined": 0.25,
    }  # fmt: skip
    # Only the paragraph with "at", "degrees", "melts" ... : each question's own comes first.
    assert entry["retrieval"] == {"recall@1": 1.0, "recall@5": 1.0, "recall@20": 1.0, "mrr": 1.0}
    assert entry["absent"] is None
    # confidence .9 right, .8 right, .6 wrong, .3 right (F1 2/3)
    assert entry["confidence"] == pytest.approx(
        {
            "auroc": 2 / 3,
            "ece": (0.1 + 0.2 + 0.6 + 0.7) / 4,
            "aurc": (0 + 0 + 1 / 3 + 1 / 4) / 4,
            "coverage_at_80": 0.5,
            "coverage_at_95": 0.5,
        },
        abs=1e-4,
    )
    # the impossible questions are neither asked nor read, and each other is asked as a user does
    assert entry["reader"]["em"] == 50.0
    assert entry["reader"]["best_em"] is None
    assert entry["reader"]["auroc_answerable"] is None
    there = list(KNOWN)[:4]
    assert opener.opened[0].asked == [*((question, None) for question in there), (there[3], 0.0)]  # declined
    assert opener.opened[0].closed


def test_intervals_mirror_the_figures(squad):
    (entry,) = evaluate([squad], opener=Opener())
    assert list(entry["ci"]) == list(report.BLOCKS)

    def compare(figures, intervals):
        if isinstance(figures, dict):
            assert list(figures) == list(intervals)
            for key in figures:
                compare(figures[key], intervals[key])
        elif figures is None:
            assert intervals is None
        else:
            low, high = intervals
            assert low <= figures <= high

    for block in report.BLOCKS:
        compare(entry[block], entry["ci"][block])
    # of four questions, two right: 0 to 4 right are drawn, each end less than 1 in 16 times
    assert entry["ci"]["end_to_end"]["forced"]["em"] == [0.0, 100.0]
    assert entry["ci"]["retrieval"]["mrr"] == [1.0, 1.0]
    json.dumps(entry, allow_nan=False)


def test_a_temporary_index_is_made_and_taken_away(squad):
    opener = Opener()
    evaluate([squad], index="elsewhere", encoder="an/encoder", reader="a/reader", opener=opener)
    ((path, kwargs),) = opener.calls
    assert kwargs == {"create": True, "encoder": "an/encoder", "reader": "a/reader"}
    assert path.is_absolute()
    assert not path.parent.exists()


def test_reader_only_reads_the_impossible_too_and_asks_nothing(squad):
    opener = Opener()
    (entry,) = evaluate([squad], reader_only=True, opener=opener)
    assert entry["questions"] == 6
    # Best first by margin: +1 (4.0), +1 (3.0), impossible -1 (2.5), 0 (2.0), EM 0 or F1 2/3 (1.0), nothing said.
    # Declining all scores 2 of 6; after two, 4 of 6; the later F1 of 2/3 does not make up for the -1.
    assert entry["reader"] == pytest.approx(
        {
            "em": 50.0,
            "f1": 100 * (2 + 2 / 3) / 4,
            "best_em": 100 * 4 / 6,
            "best_f1": 100 * 4 / 6,
            # answerable margins 4, 3, 2, 1 against 2.5 and nothing said: 2 + 4 of 8 pairs
            "auroc_answerable": 6 / 8,
        },
        abs=1e-4,
    )
    assert opener.opened[0].asked == []
    for block in ("retrieval", "end_to_end", "absent", "confidence", "latency_ms"):
        assert entry[block] is None
        assert entry["ci"][block] is None


def test_raw_indexes_and_scores_the_stripped_form(squad):
    opener = Opener()
    (entry,) = evaluate([squad], raw=True, opener=opener)
    texts = [article.text for article in opener.opened[0].articles.values()]
    assert "the crisis began in october 1973" in " ".join(texts)
    assert texts == [text.lower() for text in texts]
    (clean,) = evaluate([squad], opener=Opener())
    for block in ("reader", "retrieval", "end_to_end"):
        assert entry[block] == clean[block]


def test_absent_indexes_every_second_article_by_title(squad):
    opener = Opener()
    (entry,) = evaluate([squad], absent=True, opener=opener)
    assert [a.title for a in opener.opened[0].articles.values()] == ["Oil", "Tin"]
    assert entry["questions"] == 4
    # Tea's question: "London" is nowhere else, so nothing is said, which is right now.
    assert entry["absent"] == {"declined": 1.0, "wrong_answered": 0.0}
    assert entry["end_to_end"]["forced"] == pytest.approx({"em": 200 / 3, "f1": 800 / 9}, abs=1e-4)
    assert entry["end_to_end"]["shipped"] == {
        "em": 75.0, "f1": 75.0, "answered": 0.5, "wrong_answered": 0.0, "wrongly_declined": 0.25,
    }  # fmt: skip
    # all three answers are right; the fourth question has none, so at most three quarters are answered
    assert entry["confidence"]["auroc"] is None
    assert entry["confidence"]["coverage_at_95"] == 0.75


def test_right_words_from_another_article_are_wrong_where_there_is_nothing_to_find():
    question = Question("1", "When?", ("1973",), article="b")
    asked = [Asked(question, False, "1973", 0.9, "1973", None, 1.0)]
    entry = result("x", [], asked, {})
    assert entry["absent"] == {"declined": 0.0, "wrong_answered": 1.0}
    assert entry["end_to_end"]["shipped"]["f1"] == 0.0
    assert entry["end_to_end"]["shipped"]["wrong_answered"] == 1.0
    assert entry["end_to_end"]["forced"] == {"em": None, "f1": None}
    assert entry["confidence"]["ece"] == pytest.approx(0.9)
    assert entry["retrieval"] is None


def test_no_words_at_all_are_right_where_there_is_nothing_to_find():
    # "the" normalises to nothing, as no answer does; it is an answer all the same.
    entry = result("x", [], [Asked(Question("1", "?", ()), False, "the", 0.9, "the", None, 1.0)], {})
    assert entry["end_to_end"]["shipped"]["wrong_answered"] == 1.0
    assert entry["confidence"]["ece"] == pytest.approx(0.9)


def test_shipped_is_judged_by_what_was_shipped():
    asked = [Asked(Question("1", "?", ("b",)), True, "x", None, "b", None, 1.0)]
    end_to_end = result("x", [], asked, {})["end_to_end"]
    assert end_to_end["shipped"]["wrong_answered"] == 0.0
    assert end_to_end["shipped"]["em"] == 100.0
    assert end_to_end["forced"]["em"] == 0.0


def test_coverage_is_of_all_questions_but_never_of_those_without_an_answer():
    question = Question("1", "?", ("b",))
    asked = [Asked(question, True, "b", 0.5, "b", None, 1.0)] * 9
    asked.append(Asked(question, True, None, None, None, None, 1.0))
    confidence = result("x", [], asked, {})["confidence"]
    assert confidence["coverage_at_80"] == confidence["coverage_at_95"] == 0.9
    assert confidence["ece"] == 0.5


def test_json_lines_ask_the_index_and_empty_answers_are_absent(tmp_path):
    rows = [
        {"question": "When did the crisis begin?", "answers": ["1973", "October 1973"]},
        {"question": "Who melts tin?", "answers": []},
        {"question": "Who sold tea?", "answers": []},
    ]
    path = tmp_path / "q.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)))
    full = Fake()
    full.articles = {"x": type("Text", (), {"id": "x", "text": f"{OIL} {TIN}"})()}
    calls = []

    def opener(where, **kwargs):
        calls.append((where, kwargs))
        return full

    (entry,) = evaluate([path], index="my/index", opener=opener)
    assert calls == [("my/index", {"encoder": None, "reader": None})]
    assert (entry["questions"], entry["reader"], entry["retrieval"]) == (3, None, None)
    assert entry["absent"] == {"declined": 0.5, "wrong_answered": 0.5}
    assert entry["end_to_end"]["forced"] == {"em": 100.0, "f1": 100.0}
    assert entry["end_to_end"]["shipped"] == pytest.approx(
        {"em": 200 / 3, "f1": 200 / 3, "answered": 2 / 3, "wrong_answered": 1 / 3, "wrongly_declined": 0.0},
        abs=1e-4,
    )


def test_without_calibration_the_best_guess_is_asked_for_as_well(squad):
    opener = Opener(threshold=None)
    (entry,) = evaluate([squad], opener=opener)
    assert entry["confidence"] is None
    assert entry["models"]["calibration"] is None
    assert entry["end_to_end"]["forced"]["em"] == 50.0
    assert entry["end_to_end"]["shipped"]["answered"] == 0.75
    assert entry["end_to_end"]["shipped"]["wrongly_declined"] == 0.25
    there = list(KNOWN)[:4]
    assert opener.opened[0].asked == [*((question, None) for question in there), (there[3], 0.0)]


def test_the_first_three_times_are_not_counted():
    times = [1000.0, 2000.0, 3000.0, 10.0, 20.0]
    asked = [Asked(Question("1", "?", ()), False, None, None, None, None, ms) for ms in times]
    assert result("x", [], asked, {})["latency_ms"] == {"p50": 15.0, "p95": 19.5}
    assert result("x", [], asked[:3], {})["latency_ms"] is None


def test_the_limit_is_spread_over_the_file(squad):
    opener = Opener()
    (entry,) = evaluate([squad], limit=2, opener=opener)
    assert entry["questions"] == 2
    assert [q for q, _ in opener.opened[0].asked] == list(KNOWN)[0:4:2]
    assert len(opener.opened[0].articles) == 3
    assert evaluate([squad], limit=99, opener=opener)[0]["questions"] == 4
    with pytest.raises(ValueError, match="limit is 0"):
        evaluate([squad], limit=0, opener=opener)


def test_a_refused_question_is_a_decline(tmp_path, caplog):
    path = tmp_path / "q.jsonl"
    rows = [{"question": "a" * 101, "answers": ["b"], "id": "long"}, {"question": "?", "answers": ["b"]}]
    path.write_text("\n".join(map(json.dumps, rows)))
    (entry,) = evaluate([path], opener=Opener())
    assert entry["end_to_end"]["shipped"]["wrongly_declined"] == 1.0
    assert "question long was refused: the question is too long" in caplog.text


def test_gold_spans_that_do_not_fit_are_told(tmp_path, caplog):
    path = tmp_path / "q.jsonl"
    path.write_text(
        json.dumps(
            {"question": "Who sold tea?", "context": TEA, "answers": [{"text": "Tea", "answer_start": 3}]}
        )
    )
    with caplog.at_level(logging.WARNING):
        (entry,) = evaluate([path], opener=Opener())
    assert "q.jsonl: 1 gold spans do not fit; left out" in caplog.text
    assert entry["retrieval"] is None


def test_a_file_that_cannot_be_measured_stops_before_anything_is_asked(squad, tmp_path):
    texts = tmp_path / "texts.jsonl"
    texts.write_text('{"question": "a?", "answers": ["b"]}')
    one = tmp_path / "one.jsonl"
    one.write_text('{"question": "a?", "context": "b", "answers": ["b"]}')
    none = tmp_path / "none.jsonl"
    none.write_text('{"question": "a?", "context": "b", "answers": []}')
    opener = Opener()
    for path, flags, said in [
        (texts, {"raw": True}, "texts.jsonl: .* which --raw needs"),
        (texts, {"reader_only": True}, "texts.jsonl: .* which --reader-only needs"),
        (texts, {"absent": True}, "texts.jsonl: .* which --absent needs"),
        (one, {"absent": True}, "one.jsonl: --absent needs two articles"),
        (none, {}, "none.jsonl: no question has an answer"),
        (tmp_path / "missing", {}, "is not there"),
    ]:
        with pytest.raises(DatasetError, match=said):
            evaluate([squad, path], opener=opener, **flags)
    assert opener.calls == []


def test_an_article_that_cannot_be_indexed_is_told(squad, caplog):
    evaluate([squad], opener=Opener(refused=[("Tin", "Tin has no words")]))
    assert "three.json: not indexed: Tin: Tin has no words" in caplog.text


def test_progress_is_shown_on_stderr_when_asked_for(squad, capsys):
    evaluate([squad], opener=Opener(), progress=True)
    shown = capsys.readouterr()
    assert "three.json: asking: 100%" in shown.err
    assert shown.out == ""
    evaluate([squad], opener=Opener())  # no terminal here
    assert capsys.readouterr().err == ""


def test_table(squad):
    results = evaluate([squad], opener=Opener())
    results[0]["latency_ms"] = {"p50": 12.345, "p95": 20.0}
    results[0]["ci"]["latency_ms"] = {"p50": [11.0, 13.0], "p95": None}
    table = format_table([*results, {**results[0], "dataset": "other", "confidence": None}]).splitlines()
    assert table[0].split() == ["three.json", "(4", "questions)", "other", "(4", "questions)"]
    found = {line.split()[0]: line for line in table[2:]}
    assert found["end_to_end.forced.em"].split()[1:4] == ["50.0", "[0.0,", "100.0]"]
    assert found["retrieval.recall@5"].split()[1:4] == ["1.000", "[1.000,", "1.000]"]
    assert found["confidence.auroc"].split()[-1] == "-"
    assert found["latency_ms.p50"].split()[1:4] == ["12.3", "[11.0,", "13.0]"]
    assert found["latency_ms.p95"].split()[1] == "20.0"
    assert "reader.best_em" not in found
    column = table[0].index("other")
    assert all(line[column - 1] == " " and line[column] != " " for line in table)
    assert format_table([]) == ""


def test_commit_of_a_repository(tmp_path):
    assert machine.commit(tmp_path) == "unknown"

    def git(*words):
        identity = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
        return subprocess.run(
            ["git", "-C", str(tmp_path), *identity, *words], check=True, capture_output=True, text=True
        ).stdout.strip()

    git("init", "--quiet")
    (tmp_path / "qa").mkdir()
    (tmp_path / "qa" / "a.py").write_text("1")
    assert machine.commit(tmp_path) == "unknown"  # no commit yet
    git("add", ".")
    git("commit", "--quiet", "--no-verify", "-m", "one")
    head = git("rev-parse", "HEAD")
    (tmp_path / "notes.txt").write_text("changes no figure")
    assert machine.commit(tmp_path) == head
    (tmp_path / "qa" / "a.py").write_text("2")
    assert machine.commit(tmp_path) == head + "-dirty"
    assert machine.commit(tmp_path / "qa") == "unknown"  # inside another's repository


def test_machine():
    found = machine.machine()
    assert found["cpu"]
    assert found["threads"] >= 1
