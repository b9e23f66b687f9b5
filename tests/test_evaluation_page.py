from __future__ import annotations

import json
import re
from base64 import b64encode
from hashlib import sha256

import lxml.html
import pytest
from report_entries import ask, entry

from qa import cli
from qa.evaluation import plots
from qa.evaluation.datasets import Question
from qa.evaluation.mistakes import pieces
from qa.evaluation.page import page
from qa.evaluation.report import Read, result
from qa.types import DatasetError

HITS = (
    {
        "article": "mill",
        "start": 3,
        "end": 40,
        "score": 1.0,
        "ref": "r",
        "text": "Anna and Ada built the mill",
    },
)
ASKED = [
    *(ask(n, ("Anna",), "Anna", 0.9, text="who built the mill") for n in range(6)),
    ask(6, ("Ada",), "Anna", 0.8, text="who helped", hits=HITS, said_at=1, read=3),
    ask(7, ("Ada",), "Ada", 0.3, text="who wept", shipped=False),
    ask(8, (), "Anna", 0.2, text="who sang", shipped=False),
    ask(9, (), "Anna", 0.7, text="who slept", hits=HITS),
]  # fmt: skip


@pytest.fixture(scope="module")
def tree():
    return lxml.html.document_fromstring(page([entry(ASKED), entry(ASKED[:5], "other.json")]))


def select(tree, path):
    """Elements by a path of tags, classes and ids, each anywhere below the one before: "figure .note"."""
    steps = []
    for step in path.split():
        tag, mark, name = re.fullmatch(r"([\w-]*)([.#]?)([\w-]*)", step).groups()
        holds = {".": f"contains(concat(' ', @class, ' '), ' {name} ')", "#": f"@id='{name}'", "": "true()"}[
            mark
        ]
        steps.append(f"//{tag or '*'}[{holds}]")
    return tree.xpath("." + "".join(steps))


def words(tree, path):
    return [" ".join(found.text_content().split()) for found in select(tree, path)]


def test_the_figures_are_those_of_the_result(tree):
    assert words(tree, "nav a") == ["q.jsonl", "other.json"]
    assert words(tree, "#set-1 .lead") == [
        "Of every 100 questions it answers rightly 60, rightly declines 10, declines though the answer is there 10, "
        "and answers wrongly 20."
    ]
    assert [span.get("style") for span in select(tree, "#set-1 .outcome span")] == [
        "flex-grow:0.60", "flex-grow:0.10", "flex-grow:0.10", "flex-grow:0.20",
    ]  # fmt: skip
    cards = dict(zip(words(tree, "#set-1 .cards .label"), words(tree, "#set-1 .cards .value"), strict=True))
    assert cards["Answers, never declining: F1"] == "87.5"
    assert cards["Wrong answers given"] == "20.0 %"
    assert cards["Found among the first five"] == "100.0 %"
    assert cards["Time to answer"] == "10 ms"
    row = next(row for row in words(tree, "#set-1 details.all tr") if row.startswith("end_to_end.forced.f1"))
    assert row.startswith("end_to_end.forced.f187.562.5, ")


def test_each_curve_has_its_drawing_and_its_numbers(tree):
    titles = ["Risk and coverage", "Reliability", "Recall", "Time to answer"]
    assert words(tree, "#set-1 figcaption strong") == titles
    for figure in select(tree, "#set-1 figure"):
        (svg,) = select(figure, "svg")
        assert svg.get("role") == "img"
        (title,) = select(figure, f"#{svg.get('aria-labelledby')}")
        assert title.text
        assert len(select(figure, "tbody tr")) > 0
    ids = tree.xpath("//@id")
    assert len(ids) == len(set(ids))
    wanted = set(re.findall(r"(?:url\(|href=[\"'])#([\w-]+)", lxml.html.tostring(tree, encoding="unicode")))
    assert wanted <= set(ids)


def test_the_errors_say_where_they_got_lost(tree):
    errors = select(tree, "#set-1 .errors li")
    assert [(e.get("data-kind"), *words(e, ".question")) for e in errors] == [
        ("read wrong", "who helped"), ("wrongly answered", "who slept"), ("wrongly declined", "who wept"),
    ]  # fmt: skip
    first, absent, declined = errors
    assert words(first, ".said td") == ["Anna", "Ada", "passage 1 says it; 3 were read"]
    assert words(first, ".sure") == ["80% sure"]
    assert [(m.get("class"), m.text) for m in select(first, "mark")] == [("given", "Anna"), ("right", "Ada")]
    assert words(absent, ".said td")[1] == "to decline: no article says it"
    assert words(declined, ".said th")[0] == "It declined; it would have said"
    kinds = ("read wrong", "wrongly declined", "wrongly answered")
    assert words(tree, "#set-1 fieldset label") == ["all", *(f"{kind} 1" for kind in kinds)]
    assert tree.xpath("//*[@id='set-1']//input[@type='radio']/@value") == ["", *kinds]


def test_nothing_is_fetched_and_no_other_script_may_run(tree):
    (policy,) = tree.xpath("//meta[@http-equiv='Content-Security-Policy']")
    (script,) = select(tree, "script")
    digest = b64encode(sha256(script.text.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}';" in policy.get("content")
    assert policy.get("content").startswith("default-src 'none'; ")
    for name in ("src", "href", "srcset", "action"):
        assert {value for value in tree.xpath(f"//@{name}") if not value.startswith(("#", "data:,"))} == set()
    assert "url(http" not in lxml.html.tostring(tree, encoding="unicode").replace("url(#", "")


def test_what_was_not_measured_is_not_shown():
    reads = [Read(Question("1", "who", ("Anna",)), "Anna", 2.0)]
    alone = result("reader.json", reads, [], {"reader": "r", "encoder": "e", "calibration": None})
    tree = lxml.html.document_fromstring(page([alone]))
    assert words(tree, ".cards .label") == ["Reader alone: F1"]
    assert not any(select(tree, path) for path in ("figure", ".errors", ".slices", ".lead", "nav"))
    assert "threshold none: not calibrated" in words(tree, ".all .note")[0]
    uncalibrated = entry([ask(1, ("a",), "a", None)])
    uncalibrated["models"]["calibration"] = None
    tree = lxml.html.document_fromstring(page([uncalibrated]))
    assert words(tree, "figcaption strong") == ["Recall"]
    assert words(tree, "section p")[-2:-1] == ["Nothing."]


def test_pieces_make_up_the_text():
    text = "An oilman's oil, OIL (x.y) and x.y"
    found = pieces(text, {"right": ["oil", "", "x.y"], "given": ["oil, oil", "an"]})
    assert "".join(piece for _, piece in found) == text
    assert [piece for piece in found if piece[0]] == [
        ("given", "An"), ("right", "oil"), ("right", "OIL"), ("right", "x.y"), ("right", "x.y"),
    ]  # fmt: skip
    assert pieces("", {"right": ["a"]}) == []


def test_the_same_results_give_the_same_page_also_from_the_json():
    made = entry(ASKED)
    assert page([made]) == page(json.loads(json.dumps([made])))


def test_without_the_library_it_says_so_before_anything_is_asked(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(plots, "find_spec", lambda name: None)
    monkeypatch.setattr("qa.evaluation.runner.evaluate", lambda *args, **known: pytest.fail("asked"))
    with pytest.raises(DatasetError, match=r"pip install -r requirements-report\.txt"):
        plots.check_library()
    assert cli.main(["evaluate", "q.jsonl", "--report", str(tmp_path / "x.html")]) == 1
    assert "draws with matplotlib" in capsys.readouterr().err


def test_the_command_writes_the_page(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr("qa.evaluation.runner.evaluate", lambda *args, **known: [entry(ASKED)])
    out = tmp_path / "out.html"
    assert cli.main(["evaluate", "q.jsonl", "--report", str(out)]) == 0
    assert out.read_text(encoding="utf-8") == page([entry(ASKED)])
    assert f"wrote {out}" in capsys.readouterr().err
    assert cli.main(["evaluate", "q.jsonl", "--report", str(tmp_path / "no" / "out.html")]) == 1
    assert "No such file" in capsys.readouterr().err
