"""The page of ``evaluate --report`` in a real Chromium: hostile questions and passages, and how it is used."""

from __future__ import annotations

from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from hostile import TRICKS

from qa.evaluation.datasets import Question
from qa.evaluation.errors import count_errors, worst
from qa.evaluation.page import page as whole_page
from qa.evaluation.report import Asked, result
from qa.evaluation.slices import slices

pytestmark = pytest.mark.browser
MODELS = {"reader": TRICKS[0], "encoder": TRICKS[1], "calibration": {"sha256": "3", "threshold": 0.5}}


def harm(number, trick):
    """A question, answers, a title and a passage that all try the same."""
    hit = {
        "article": trick,
        "start": 0,
        "end": 9,
        "score": 1.0,
        "ref": trick,
        "text": f"before {trick} after",
    }
    question = Question(trick, f"who {number} {trick}", (trick, "Ada"))
    wrong = "Eve " * 40 + trick  # so little of it is right that it counts as wrong
    return Asked(
        question, True, wrong, 0.9, wrong, 1, 12.0, f"read {trick}", hit["text"], trick, (hit,), 1, 3
    )


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    calm = [
        Asked(Question(str(n), "when did Ada come", ("Ada",)), True, "Ada", 0.8, "Ada" if n % 3 else None, 1, 9.0)
        for n in range(40)
    ]  # fmt: skip
    asked = [*calm, *(harm(number, trick) for number, trick in enumerate(TRICKS))]
    made = result("".join(TRICKS), [], asked, MODELS)
    made |= {"slices": slices(asked), "went_wrong": count_errors(asked), "errors": worst(asked)}
    made |= {"per_question": [one.to_json() for one in asked]}
    out = tmp_path_factory.mktemp("report") / "report.html"
    out.write_text(whole_page([made, made | {"dataset": "other.json"}]), encoding="utf-8")
    return out


@pytest.fixture
def opened(chrome, report):
    """Opens the page in a window; whatever it wants to fetch, or complains of, fails the test."""
    contexts, complaints = [], []

    def open_page(path: Path = report, width: int = 1200, scheme: str = "light"):
        context = chrome.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
        contexts.append(context)
        page = context.new_page()
        page.on(
            "request",
            lambda request: request.url.startswith(("file:", "data:")) or complaints.append(request.url),
        )
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(path.as_uri())
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []


def test_what_articles_and_questions_say_stays_text(opened):
    page = opened()
    page.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
    page.wait_for_timeout(300)
    assert page.evaluate("window.harm") is None
    assert page.locator("script").count() == 1
    assert (
        page.locator("main img, main iframe, main link, main style, main h1, main b:not(.range b)").count()
        == 0
    )
    assert page.evaluate("[...document.querySelectorAll('*')].flatMap((e) => e.getAttributeNames())"
                         ".filter((name) => name.startsWith('on'))") == []  # fmt: skip
    errors = page.locator("#set-1-errors > li")
    for number, trick in enumerate(TRICKS):
        error = errors.filter(has_text=f"who {number} ")
        assert error.locator(".question").text_content() == f"who {number} {trick}"
        assert error.locator("blockquote p").text_content() == f"before {trick} after"
    assert page.locator("h2 bdi").first.text_content() == "".join(TRICKS)


def test_a_script_that_got_in_would_not_run(opened, report, tmp_path):
    planted = tmp_path / "planted.html"
    trick = "<script>window.harm=1</script><img src=data:, onerror='window.harm=2'>"
    planted.write_text(
        report.read_text(encoding="utf-8").replace("<main>", f"<main>{trick}"), encoding="utf-8"
    )
    context = opened().context.browser.new_context()
    page = context.new_page()  # not a watched one: Chromium complains of what it refuses
    refused = []
    page.on("console", lambda message: refused.append(message.text))
    page.goto(planted.as_uri())
    page.wait_for_timeout(300)
    assert page.evaluate("window.harm") is None
    assert len([text for text in refused if "Content Security Policy" in text]) >= 2
    context.close()


def test_errors_are_filtered_by_kind_and_by_words(opened):
    page = opened()
    items = page.locator("#set-1-errors > li:visible")
    form = page.locator("form.filter").first
    assert items.count() == len(TRICKS) + 14
    form.get_by_text("read wrong").click()
    assert items.count() == len(TRICKS)
    assert form.locator("output").text_content() == f"{len(TRICKS)} of {len(TRICKS) + 14} shown"
    form.locator("input[type=search]").fill("BEFORE  javascript:")
    assert items.count() == 1
    form.locator("input[type=search]").press("Enter")  # nothing is sent anywhere
    form.get_by_text("all", exact=True).click()
    form.locator("input[type=search]").fill("when did")
    assert items.count() == 14
    assert page.locator("#set-2-errors > li:visible").count() == len(TRICKS) + 14


@pytest.mark.parametrize(("width", "scheme"), [(1200, "light"), (360, "dark")])
def test_it_fits_the_window_and_all_can_read_it(opened, width, scheme):
    page = opened(width=width, scheme=scheme)
    page.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate("getComputedStyle(document.body).color") == (
        "rgb(28, 32, 36)" if scheme == "light" else "rgb(231, 233, 236)"
    )
    found = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "best-practice"]})
    assert [(v["id"], v["nodes"][0]["html"][:120]) for v in found.response["violations"]] == []
