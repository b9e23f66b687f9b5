"""The page in a real browser, on the real pipeline."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hostile import HOSTILE, MADE, SOURCE, TRICKS

from qa.types import parse_ref
from qa_ui import words

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.browser

Visit = Callable[..., Any]
HALEY = "who is nikki haley"
TRADE = "How much of North Korea's trade does China account for?"  # both articles say it
PHONE = {"width": 390, "height": 844}


def ask(page: Any, question: str) -> None:
    before = page.locator("#thread .card").count()
    page.fill("#question textarea", question)
    page.press("#question textarea", "Enter")
    page.wait_for_function("n => document.querySelectorAll('#thread .card').length > n", arg=before)


def how_sure(page: Any, percent: int) -> None:
    """Move the threshold; 0 is any."""
    page.click("[data-action=sure]")
    page.fill("#sure-range", str(percent))
    page.keyboard.press("Escape")


def answered_again(page: Any, css: str) -> None:
    """Wait until the last turn, asked again in its place, shows such a card."""
    page.wait_for_selector(f"#thread .turn:last-child:not(.asking-again) {css}")


def stored(page: Any) -> tuple[str, int, int]:
    """The file behind the evidence that is shown, and the place it claims."""
    ref = page.get_attribute("#evidence .place", "data-ref")
    _, _, start, end = parse_ref(ref)
    source = page.inner_text("#evidence .facts").split(" · ")[0]
    return (ROOT / source).read_text("utf-8"), start, end


def settled(page: Any, selector: str) -> None:
    """Wait until a gliding element has stopped."""
    page.wait_for_function(
        """selector => {
            const top = document.querySelector(selector).getBoundingClientRect().top;
            const last = window.lastTop; window.lastTop = top;
            return top === last;
        }""",
        arg=selector,
        polling=150,
    )


def test_asking_shows_the_quote_marked_at_its_place(visit: Visit) -> None:
    page = visit()
    assert page.inner_text("#head .counts").startswith("2 articles · ")
    ask(page, HALEY)
    quote = page.text_content("#thread .quote")
    assert "ambassador" in quote
    text, start, end = stored(page)
    assert page.text_content("#evidence .leaf mark") == quote == text[start:end]
    assert page.locator("#evidence .leaf mark").count() == 1
    settled(page, "#evidence .leaf mark")
    mark = page.locator("#evidence .leaf mark").bounding_box()
    leaf = page.locator("#evidence .leaf").bounding_box()
    assert leaf["y"] <= mark["y"]
    assert mark["y"] + mark["height"] <= leaf["y"] + leaf["height"]
    # What stands around it is the article, from the right place on.
    around = page.text_content("#evidence .leaf .words")
    assert around in text
    assert text.index(around) <= start
    before = page.evaluate(
        """() => { const range = document.createRange();
        range.setStart(document.querySelector('#evidence .leaf .words'), 0);
        range.setEndBefore(document.querySelector('#evidence .leaf mark'));
        return range.toString(); }"""
    )
    assert text.index(around) + len(before) == start


def test_what_the_articles_do_not_say_is_declined(visit: Visit) -> None:
    page = visit()
    ask(page, "Where was Nikki Haley born?")
    assert page.inner_text("#thread .no") == words.DECLINED
    assert page.inner_text("#thread .why")
    assert page.locator("#thread .quote").count() == 0
    assert page.locator("mark").count() == 0
    assert words.NOT_AN_ANSWER in page.inner_text("#thread .near")
    assert words.NOT_AN_ANSWER in page.inner_text("#evidence .flag")
    text, start, end = stored(page)
    assert page.text_content("#evidence .here") == text[start:end]


def test_the_examples_work_and_one_is_declined(visit: Visit) -> None:
    page = visit()
    assert page.locator("#thread .example").count() == len(words.EXAMPLES) + 1
    for question in [*words.EXAMPLES, words.EXAMPLE_NOT_THERE]:
        page.click(f"#thread .example:has-text({question!r})")
        page.wait_for_selector("#thread .card")
        declined = page.locator("#thread .declined").count() == 1
        assert declined == (question == words.EXAMPLE_NOT_THERE), question
        page.click("[data-action=over]")
        page.wait_for_selector("#thread .welcome")
    assert page.inner_text("#evidence").strip() == words.EVIDENCE_EMPTY


def test_other_places_by_mouse_and_by_keyboard(visit: Visit) -> None:
    page = visit()
    ask(page, TRADE)
    assert page.inner_text("#evidence .of").startswith("place 1 of ")
    first = page.get_attribute("#evidence .place", "data-ref")
    page.click("#evidence [data-step=next]")
    assert page.inner_text("#evidence .of").startswith("place 2 of ")
    assert page.get_attribute("#evidence .place", "data-ref") != first
    text, start, end = stored(page)
    assert page.text_content("#evidence .leaf mark") == text[start:end]
    assert page.evaluate("document.activeElement.dataset.step") == "next", "the focus stays on the button"
    page.keyboard.press("ArrowLeft")
    assert page.get_attribute("#evidence .place", "data-ref") == first
    page.click(f"#evidence section:has-text({words.OTHER_PLACES!r}) .line")
    assert page.get_attribute("#evidence .place", "data-ref") != first


def test_the_whole_article_and_back(visit: Visit) -> None:
    page = visit()
    ask(page, HALEY)
    text, start, end = stored(page)
    page.click("[data-action=whole]")
    page.wait_for_selector(f"[data-action=whole]:has-text({words.PASSAGE!r})")
    assert page.text_content("#evidence .leaf") == text
    assert page.text_content("#evidence .leaf mark") == text[start:end]
    settled(page, "#evidence .leaf mark")
    assert page.locator("#evidence .leaf mark").bounding_box()["y"] < 800
    page.click("[data-action=whole]")
    assert len(page.text_content("#evidence .leaf")) < len(text)


def test_another_answer_switches_the_evidence(visit: Visit) -> None:
    page = visit()
    ask(page, HALEY)
    other = page.locator(f"#evidence section:has-text({words.OTHER_ANSWERS!r}) .line").first
    said = other.locator("q").text_content()
    other.click()
    assert page.text_content("#evidence .leaf mark") == said
    assert words.ALSO_SAYS in page.inner_text("#evidence .flag")


def test_an_earlier_answer_can_be_opened_again(visit: Visit) -> None:
    page = visit()
    ask(page, HALEY)
    first = page.get_attribute("#evidence .place", "data-ref")
    ask(page, "Where is John Delury a professor?")
    assert page.get_attribute("#evidence .place", "data-ref") != first
    page.locator("#thread .chief").first.click()
    assert page.get_attribute("#evidence .place", "data-ref") == first


def test_copying_takes_the_true_text_and_its_reference(visit: Visit) -> None:
    page = visit()
    ask(page, HALEY)
    page.click(f"#thread button:has-text({words.COPY!r})")
    page.wait_for_selector(f"text={words.COPIED}")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith(f"“{page.text_content('#thread .quote')}”")
    assert page.get_attribute("#evidence .place", "data-ref") in copied


def test_moving_how_sure_asks_again_in_place(visit: Visit) -> None:
    page = visit()
    ask(page, HALEY)
    ask(page, "Where was Nikki Haley born?")
    assert page.locator("#thread .card.answered").count() == 1
    how_sure(page, 0)
    answered_again(page, ".answered")
    assert page.inner_text("#sure-now") == words.SURE_ANY
    assert page.locator("#thread .turn").count() == 2
    how_sure(page, 95)
    answered_again(page, ".declined")
    assert page.inner_text("#sure-now") == "at least 95\u00a0%"
    ask(page, HALEY)
    assert page.locator("#thread .card.declined").count() == 2, "and it holds for the next question"


def test_a_question_asked_while_how_sure_moves_is_asked_once(visit: Visit) -> None:
    page = visit()
    ask(page, TRADE)
    sent: list[str] = []
    page.on("request", lambda request: "queue/join" in request.url and sent.append(request.post_data or ""))
    how_sure(page, 20)
    ask(page, HALEY)
    page.wait_for_timeout(700)  # longer than moving it waits before it asks again
    assert sum(f'"question":"{HALEY}"' in body for body in sent) == 1
    assert page.locator("#thread .turn").count() == 2


def test_the_best_guess_and_back(visit: Visit) -> None:
    page = visit()
    ask(page, "Where was Nikki Haley born?")
    page.click("[data-action=guess]")
    answered_again(page, ".answered")
    assert page.locator("#thread .turn").count() == 1


def test_a_blank_question_is_one_line_in_the_chat(visit: Visit) -> None:
    page = visit()
    ask(page, "   ")
    assert page.inner_text("#thread .trouble").strip()
    ask(page, HALEY)
    assert "ambassador" in page.text_content("#thread .quote")


def test_a_question_sent_while_it_works_is_asked_next(visit: Visit) -> None:
    page = visit()
    page.fill("#question textarea", HALEY)
    page.press("#question textarea", "Enter")
    page.wait_for_selector("#thread .asked")
    ask(page, TRADE)
    page.wait_for_function("document.querySelectorAll('#thread .card').length === 2")
    page.press("#question textarea", "Enter")
    page.press("#question textarea", "Enter")
    page.wait_for_timeout(500)
    assert page.locator("#thread .turn").count() == 2, "Enter on nothing asks nothing"


def test_what_is_typed_while_it_works_stays(visit: Visit) -> None:
    page = visit()
    page.click(f"#thread .example:has-text({words.EXAMPLES[0]!r})")
    page.keyboard.type("and the next")
    page.wait_for_selector("#thread .card")
    assert page.input_value("#question textarea") == "and the next"


@pytest.mark.parametrize("question", [HOSTILE, "🙂" * 50, "؟؟؟", "!" * 300, "x" * 10_000, "a\u202eb\u0000c"])
def test_an_odd_question_is_taken_calmly(visit: Visit, question: str) -> None:
    page = visit()
    ask(page, question)
    assert page.evaluate("window.harm") is None
    assert page.locator("#thread .card").is_visible()
    width = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert width <= 0, "nothing makes the page scroll sideways"


def test_a_hostile_article_does_nothing(visit: Visit) -> None:
    page = visit("hostile")
    how_sure(page, 0)
    for question in ("Who is the keeper of the old lock?", "**Who** said <b>nothing</b> ${1+1}?"):
        ask(page, question)
        page.click("[data-action=whole]")
        page.wait_for_selector(f"[data-action=whole]:has-text({words.PASSAGE!r})")
        assert page.text_content("#evidence .leaf") == HOSTILE
    assert page.evaluate("window.harm") is None
    assert page.text_content("#evidence h2") == "".join(TRICKS[:4])
    assert SOURCE in page.text_content("#evidence .facts")
    assert page.locator(f":is(#thread, #evidence, #scope) :is({MADE})").count() == 0
    assert "${1+1}" in page.locator("#thread .asked").last.text_content()


def test_on_a_phone_the_evidence_is_a_sheet(visit: Visit) -> None:
    page = visit(**PHONE, has_touch=True)
    ask(page, HALEY)
    assert not page.is_visible("#evidence")
    page.tap("#thread .chief")
    assert page.is_visible("#evidence .leaf mark")
    assert page.get_attribute("#evidence", "role") == "dialog"
    close = page.locator("#evidence .close").bounding_box()
    assert close["y"] > PHONE["height"] * 0.75, "in reach of a thumb"
    assert close["height"] >= 40
    page.tap("#evidence .close")
    assert not page.is_visible("#evidence")
    assert page.evaluate("document.activeElement.dataset.action") == "open", "the focus goes back"
    page.tap("#thread .chief")
    page.keyboard.press("Escape")
    assert not page.is_visible("#evidence")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_an_empty_library_says_what_to_do(visit: Visit) -> None:
    page = visit("empty")
    assert words.EMPTY_TITLE in page.inner_text("#thread")
    assert "python -m qa index" in page.inner_text("#thread pre")
    ask(page, "who?")
    assert page.inner_text("#thread .why") == words.REASONS["empty_index"]


def test_a_screen_reader_hears_the_answer_and_every_control_has_a_name(visit: Visit) -> None:
    page = visit()
    ask(page, HALEY)
    page.wait_for_function("document.querySelector('#said').textContent.includes('ambassador')")
    nameless = page.evaluate(
        """() => [...document.querySelectorAll('button, input, textarea, [tabindex="0"]')]
            .filter(e => e.offsetParent && !(e.textContent.trim() || e.ariaLabel || e.labels?.length))
            .map(e => e.outerHTML.slice(0, 120))"""
    )
    assert nameless == []


def test_by_keyboard_alone(visit: Visit) -> None:
    page = visit()
    assert page.evaluate("document.activeElement.tagName") == "TEXTAREA"
    page.keyboard.type(HALEY)
    page.keyboard.press("Enter")
    page.wait_for_selector("#thread .card")
    reached = []
    for _ in range(25):
        page.keyboard.press("Tab")
        reached.append(
            page.evaluate("document.activeElement.dataset.action ?? document.activeElement.className")
        )
    assert any("leaf" in where for where in reached)
    assert "whole" in reached
    assert "copy" in reached


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_stand_out_from_the_paper(visit: Visit, scheme: str) -> None:
    page = visit(color_scheme=scheme)
    ask(page, HALEY)
    ask(page, "Where was Nikki Haley born?")
    page.locator("#thread .chief").first.click()
    low = page.evaluate(
        """() => {
            const rgb = c => (c.match(/[\\d.]+/g) ?? []).map(Number);
            const linear = v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4;
            const light = c => rgb(c).slice(0, 3).map(v => linear(v / 255))
                .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
            const behind = e => { for (; e; e = e.parentElement) {
                const c = getComputedStyle(e).backgroundColor, [, , , a = 1] = rgb(c);
                if (a > .99) return c; } return 'rgb(255,255,255)'; };
            const app = document.querySelector('gradio-app'), low = [];
            const walker = document.createTreeWalker(app, NodeFilter.SHOW_TEXT);
            while (walker.nextNode()) {
                const e = walker.currentNode.parentElement;
                if (!walker.currentNode.data.trim() || !e.checkVisibility({visibilityProperty: true})
                    || e.offsetWidth < 2) continue;
                const [a, b] = [light(getComputedStyle(e).color), light(behind(e))].sort((x, y) => y - x);
                if ((a + .05) / (b + .05) < 4.5) low.push(`${e.className}: ${walker.currentNode.data.slice(0, 40)}`);
            }
            return low;
        }"""
    )
    assert low == []


def test_the_docs_for_programs_stay_on_this_host_too(visit: Visit) -> None:
    page = visit()
    page.click("footer button")
    page.wait_for_selector("text=API documentation")
    page.wait_for_timeout(
        1000
    )  # the fixture fails the test on a request that leaves the host; these are its hosts
    asked = page.evaluate("performance.getEntriesByType('resource').map(r => new URL(r.name).hostname)")
    assert set(asked) == {"127.0.0.1"}


def test_the_page_is_drawn_with_fonts_of_this_machine(visit: Visit) -> None:
    page = visit()
    fonts = page.evaluate(
        "performance.getEntriesByType('resource').map(r => r.name).filter(n => /woff|ttf|otf/.test(n))"
    )
    assert fonts == []
    assert all("url(" not in path.read_text("utf-8") for path in (ROOT / "qa_ui" / "css").iterdir())
