"""Working, called off, away, linked, judged; axe; other scripts; motion: the page in a real browser."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from running import SERVERS
from test_chat import HALEY, PHONE, TRADE, ask, how_sure

from qa.feedback import FILE
from qa_ui import words

pytestmark = pytest.mark.browser
Visit = Callable[..., Any]
CALLS = re.compile("/component_server")
NOTHING = "how do i bake sourdough bread"
ABSENT = "Where was Nikki Haley born?"


def violations(page: Any) -> list[str]:
    """What axe finds, with the elements; Gradio's own part, its footer, is not ours."""
    page.wait_for_function("document.title")  # Gradio takes it away for a moment when its scripts arrive
    found = Axe().run(page, context={"exclude": [["gradio-app"]]}).response["violations"]
    return [
        f"{v['impact']} {v['id']}: {n['html'][:150]}"
        for v in found
        for n in v["nodes"]
        if v["impact"] in ("serious", "critical", "moderate")
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(visit: Visit, scheme: str) -> None:
    page = visit(color_scheme=scheme)
    assert violations(page) == []
    ask(page, TRADE)
    ask(page, ABSENT)
    ask(page, "   ")
    assert violations(page) == []
    page.locator("#thread .chip").first.click()
    page.click("[data-action=sure]")
    assert violations(page) == []
    page.keyboard.press("Escape")
    page.click("#masthead [data-action=articles]")
    page.wait_for_selector("#shelf li")
    page.click("#paste summary")
    page.locator("#shelf [data-pick]").first.check()
    assert violations(page) == []


def test_axe_finds_nothing_on_a_phone(visit: Visit) -> None:
    page = visit(**PHONE, has_touch=True)
    ask(page, TRADE)
    assert violations(page) == []
    page.tap("#thread .chief")
    assert violations(page) == []


def test_it_says_what_it_does_and_can_be_called_off(visit: Visit) -> None:
    page = visit()
    page.route("**/gradio_api/queue/data*", lambda route: None)  # its answers do not arrive
    page.fill("#box", HALEY)
    page.press("#box", "Enter")
    page.wait_for_selector("#thread .working .doing")
    assert page.inner_text("#thread .doing").startswith(words.STARTING)
    assert page.inner_text("#thread .working .asked").endswith(HALEY)
    page.unroute("**/gradio_api/queue/data*")
    page.keyboard.press("Escape")
    page.wait_for_selector("#thread .trouble, #thread .why, #thread .quote", timeout=30_000)
    assert page.locator("#thread .working").count() == 0


def test_the_nearest_passage_is_there_while_it_is_read(visit: Visit) -> None:
    page = visit("slow")
    page.fill("#box", HALEY)
    page.press("#box", "Enter")
    page.wait_for_selector("#thread .working .glimpse")
    assert words.NOT_YET in page.inner_text("#thread .glimpse h3")
    assert "nikki haley" in page.text_content("#thread .glimpse .words")
    assert re.fullmatch(r"Reading \d+ of \d+ passages( …)?", page.inner_text("#thread .doing"))
    assert violations(page) == []
    assert page.locator("#evidence mark").count() == 0, "no answer yet"
    page.keyboard.press("Escape")
    page.wait_for_selector("#thread .why")
    assert page.inner_text("#thread .why") == words.CANCELLED
    ask(page, HALEY)
    assert page.locator("#thread .glimpse").count() == 0
    assert "ambassador" in page.locator("#thread .quote").text_content()


def test_nothing_that_comes_near_is_said(visit: Visit) -> None:
    page = visit()
    ask(page, NOTHING)
    assert page.inner_text("#thread .why") == words.REASONS["nothing_retrieved"]
    assert page.locator("#thread .near").count() == 0
    assert page.locator("#thread .try li").count() == len(words.TRIES["nothing_retrieved"])


def test_a_server_that_is_away_is_said_and_forgotten(visit: Visit) -> None:
    page = visit()
    page.route(CALLS, lambda route: route.abort())
    page.wait_for_selector("#offline:not([hidden])", timeout=15_000)
    assert page.inner_text("#offline") == words.OFFLINE
    page.unroute(CALLS)
    page.wait_for_selector("#offline", state="hidden", timeout=15_000)


def test_a_question_to_a_server_that_is_away_is_said_and_asked_again(visit: Visit) -> None:
    page = visit()
    ask(page, TRADE)
    page.wait_for_selector("footer", state="attached")  # the page is connected
    page.route("**/gradio_api/**", lambda route: route.abort())
    ask(page, HALEY)
    assert page.inner_text("#thread .trouble p") == words.LOST
    assert page.input_value("#box") == HALEY, "nothing that was typed is lost"
    assert page.is_visible("#offline")
    page.unroute("**/gradio_api/**")
    # Gradio's script loads the page again once its server is back: what was said stays.
    page.wait_for_function("performance.getEntriesByType('navigation')[0].type === 'reload'")
    page.wait_for_selector("#thread .trouble")
    assert page.locator("#thread .turn").count() == 2
    assert "90 percent" in page.text_content("#evidence .leaf mark")
    assert page.input_value("#box") == HALEY
    page.click("#thread .trouble [data-action=again]")
    page.wait_for_selector("#thread .turn:last-child .quote")
    assert page.locator("#thread .turn").count() == 2
    assert not page.is_visible("#offline")


def slow(page: Any) -> Callable[[], None]:
    """Open the page again, with Gradio's scripts on their way; call what is returned, and they arrive."""
    held: list[Any] = []
    arrived: list[bool] = []
    page.route("**/assets/*.js", lambda route: route.continue_() if arrived else held.append(route))
    page.reload(wait_until="commit")
    page.wait_for_selector("#thread .welcome")

    def arrive() -> None:
        arrived.append(True)
        for route in held:
            route.continue_()

    return arrive


def test_a_question_is_taken_before_gradio_is_there(visit: Visit) -> None:
    page = visit()
    arrive = slow(page)
    assert page.inner_text("#head .counts").startswith("2 articles")
    page.keyboard.type(HALEY)
    page.keyboard.press("Enter")
    assert page.inner_text("#thread .working .doing") == words.STARTING
    arrive()
    page.wait_for_selector("#thread .quote")
    assert "ambassador" in page.text_content("#thread .quote")


def test_a_question_can_be_called_off_before_gradio_is_there(visit: Visit) -> None:
    page = visit()
    arrive = slow(page)
    page.fill("#box", HALEY)
    page.press("#box", "Enter")
    page.keyboard.press("Escape")
    assert page.inner_text("#thread .trouble p") == words.CANCELLED
    arrive()
    ask(page, TRADE)
    assert page.locator("#thread .quote").count() == 1, "what was called off was not asked"


@pytest.mark.parametrize(("system", "chosen"), [("light", "dark"), ("dark", "light")])
def test_a_chosen_scheme_stays(visit: Visit, system: str, chosen: str) -> None:
    page = visit(color_scheme=system, width=900)
    paper = (
        "getComputedStyle(document.querySelector('#masthead').parentElement.parentElement).backgroundColor"
    )
    before = page.evaluate(paper)
    page.click("[data-action=scheme]")
    after = page.evaluate(paper)
    assert before != after
    page.reload()
    page.wait_for_selector("footer", state="attached")
    assert page.evaluate(paper) == after
    page.click("[data-action=scheme]")
    assert page.evaluate(paper) == before


def test_a_link_opens_the_same_question_and_place(visit: Visit) -> None:
    page = visit()
    how_sure(page, 20)
    ask(page, TRADE)
    page.click("#evidence [data-step=next]")
    second = page.get_attribute("#evidence .place", "data-ref")
    page.click("#evidence [data-action=link]")
    page.wait_for_function("async () => (await navigator.clipboard.readText()).includes('ref=')")
    link = page.evaluate("navigator.clipboard.readText()")
    parts = urlsplit(link)
    assert {k: v[0] for k, v in parse_qs(parts.fragment).items()} == {
        "q": TRADE,
        "ref": second,
        "sure": "0.2",
    }
    other = visit(link=f"#{parts.fragment}")
    other.wait_for_selector("#evidence .leaf mark")
    assert other.get_attribute("#evidence .place", "data-ref") == second
    assert other.inner_text("#thread .asked").endswith(TRADE)
    assert other.inner_text("#sure-now") == "at least 20\u00a0%"


@pytest.mark.parametrize(
    "ref", ["nonsense", "<img src=x onerror='window.harm=1'>", "gone-1a2b3c4d@0123456789ab#1-5"]
)
def test_a_link_that_leads_nowhere_says_so(visit: Visit, ref: str) -> None:
    page = visit(link=f"#q=who is nikki haley&ref={ref}".replace(" ", "%20"))
    page.wait_for_selector("#evidence .flag.gone")
    assert page.evaluate("window.harm") is None
    assert page.locator("#thread .quote").count() == 1


def test_feedback_is_written_down(visit: Visit) -> None:
    page = visit("world")
    ask(page, "Who is the keeper of the old lock?")
    page.click("#thread [data-verdict=wrong]")
    page.wait_for_selector("#thread [data-verdict=wrong][aria-pressed=true]")
    assert page.inner_text("#thread .thanks") == words.THANKS
    ask(page, "Who painted the moon?")
    page.locator("#thread [data-verdict=absent]").last.click()
    page.wait_for_selector("#thread .turn:last-child [data-verdict=absent][aria-pressed=true]")
    lines = (SERVERS["world"][1] / FILE).read_text("utf-8").splitlines()
    first, second = [json.loads(line) for line in lines[-2:]]
    assert (first["verdict"], first["answer"]) == ("wrong", "Ada Hill")
    assert (second["verdict"], second["answer"]) == ("absent", None)
    assert second["history"] == [["Who is the keeper of the old lock?", "Ada Hill"]]


def test_a_yes_no_question_shows_the_place_that_decides(visit: Visit) -> None:
    page = visit()
    ask(page, "Does China account for nearly all of North Korea's foreign trade?")
    assert words.DECIDES_TITLE["yes_no"] in page.inner_text("#thread .deciding")
    assert words.DECIDES["yes_no"] in page.inner_text("#thread .deciding")
    assert "90 percent" in page.text_content("#evidence .leaf mark")


@pytest.mark.parametrize(("title", "direction", "question"), [
    ("السفينة", "rtl", "متى وصلت السفينة Aurora"), ("東京の橋", "ltr", "東京の新しい橋の長さは"),
])  # fmt: skip
def test_other_scripts_read_the_right_way(visit: Visit, title: str, direction: str, question: str) -> None:
    page = visit("world")
    how_sure(page, 0)
    ask(page, question)
    page.click("#masthead [data-action=articles]")
    page.click(f"#shelf li:has-text({title!r}) [data-action=read]")
    page.wait_for_selector("#evidence .place[data-article] .leaf .words")
    # The first line of a right-to-left text ends at the right edge; of a left-to-right one it begins at the left.
    side = page.evaluate(
        """() => { const words = document.querySelector('#evidence .leaf .words');
        const range = document.createRange(); range.selectNodeContents(words);
        const line = [...range.getClientRects()][0], all = words.getBoundingClientRect();
        const first = document.createRange(); first.setStart(words.firstChild, 0); first.setEnd(words.firstChild, 1);
        return first.getBoundingClientRect().left > all.left + all.width / 2 ? 'rtl' : 'ltr'; }"""
    )
    assert side == direction
    asked = page.locator("#thread .asked").last
    assert asked.evaluate("e => getComputedStyle(e).direction") == direction


def test_less_motion_where_it_is_asked_for(visit: Visit) -> None:
    page = visit(reduced_motion="reduce")
    page.evaluate(
        "Element.prototype.scrollBy = function (how) { window.motion = how?.behavior ?? window.motion; }"
    )
    ask(page, HALEY)
    assert page.evaluate("window.motion") == "auto"
    moving = (
        "[...document.querySelectorAll('#page *')].filter(e => getComputedStyle(e).animationName !== 'none')"
    )
    assert page.evaluate(f"{moving}.length") == 0
