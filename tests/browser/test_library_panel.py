"""The list of articles in a real browser: taking in, finding, choosing, removing and bringing back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hostile import HOSTILE, MADE, SOURCE, TRICKS
from running import SERVERS
from test_chat import ask

from qa.articles import from_text
from qa.pipeline import open_index
from qa_ui import words

pytestmark = pytest.mark.browser
Visit = Callable[..., Any]
SAID = "document.querySelector('#thread .turn:last-child').textContent"
KEEPER = "Who is the keeper of the old lock?"


def panel(page: Any) -> None:
    page.click("#masthead [data-action=articles]")
    page.wait_for_selector("#shelf > *")


def titles(page: Any) -> list[str]:
    return page.locator("#shelf h3").all_text_contents()


def test_an_empty_library_is_filled_from_the_page(visit: Visit, tmp_path: Path) -> None:
    page = visit("own")
    assert words.EMPTY_TITLE in page.inner_text("#thread")
    page.click("#thread [data-action=articles]")
    (tmp_path / "lock.txt").write_text("The keeper of the old lock is Ada Hill of Dover.", "utf-8")
    (tmp_path / "empty.txt").write_text("")
    (tmp_path / "picture.png").write_bytes(b"x")
    (tmp_path / "rows.csv").write_text("title,text\nMill,The miller is Ben Stone.\nBare,\n", "utf-8")
    names = ["lock.txt", "empty.txt", "picture.png", "rows.csv"]
    page.set_input_files("#files", [tmp_path / name for name in names])
    page.wait_for_function("document.querySelectorAll('#jobs .outcome').length === 4", timeout=60_000)
    said = dict(zip(names, page.locator("#jobs .job").all_inner_texts(), strict=True))
    assert "1 article added" in said["lock.txt"]
    assert "empty.txt is empty" in said["empty.txt"]
    assert f"picture.png {words.WRONG_KIND}" in said["picture.png"]
    assert "1 article added" in said["rows.csv"]
    assert "line 3" in said["rows.csv"]
    page.wait_for_function("document.querySelectorAll('#shelf h3').length === 2")
    assert titles(page) == ["lock", "Mill"]
    assert page.inner_text("#head .counts").startswith("2 articles")

    # Dropped onto the page
    page.evaluate(
        """() => { const data = new DataTransfer();
        data.items.add(new File(['The baker of the new bridge is Cleo Marsh.'], 'bread.md'));
        const drop = type => document.body.dispatchEvent(
            new DragEvent(type, {dataTransfer: data, bubbles: true, cancelable: true}));
        drop('dragenter'); window.shown = document.body.classList.contains('dropping'); drop('drop'); }"""
    )
    assert page.evaluate("window.shown")
    page.wait_for_selector("#shelf h3:has-text('bread')")

    # Pasted, under a name that would like to be more
    page.click("#paste summary")
    page.fill("#paste [name=title]", TRICKS[1])
    page.fill("#paste [name=text]", "A text about nothing. " + "".join(TRICKS))
    page.click("#paste [type=submit]")
    page.wait_for_function("document.querySelectorAll('#shelf h3').length === 4")
    assert TRICKS[1] in titles(page)
    assert page.evaluate("window.harm") is None
    assert page.locator("#articles :is(img, script, svg)").count() == 0

    # Removed and brought back, from the keyboard
    page.focus("#shelf li:has-text('lock') [data-action=remove]")
    page.keyboard.press("Enter")
    page.wait_for_selector("#undo button")
    page.wait_for_function("document.activeElement.dataset.action === 'undo'")
    assert "lock" not in titles(page)
    ask(page, KEEPER)
    assert "Ada Hill" not in page.text_content("#thread")
    panel(page)
    page.click("[data-action=undo]")
    page.wait_for_selector("#shelf h3:has-text('lock')")
    ask(page, KEEPER)
    assert page.locator("#thread .quote").last.text_content() == "Ada Hill"


def test_hostile_names_do_nothing_in_the_list(visit: Visit, tmp_path: Path) -> None:
    page = visit("hostile")
    panel(page)
    name = "<img src=x onerror=window.harm=9> $$x^2$$ **b**.txt"
    (tmp_path / name).write_text("The baker of the new bridge is Cleo Marsh.", "utf-8")
    page.set_input_files("#files", [tmp_path / name])
    page.wait_for_selector("#jobs .outcome")
    assert page.text_content("#jobs .name") == name
    title = "".join(TRICKS[:4])
    row = page.locator("#shelf li").filter(has_text=SOURCE)
    assert row.locator("h3").text_content() == title
    assert SOURCE in row.locator(".facts").text_content()
    row.locator("[data-pick]").check()
    page.wait_for_selector("#scope:not([hidden])")
    assert title in page.text_content("#scope .about-scope")
    row.locator("[data-action=remove]").click()
    page.wait_for_selector("#undo button")
    assert title in page.text_content("#undo")
    page.click("#undo button")
    row.wait_for()
    row.locator("[data-action=read]").click()
    page.wait_for_selector("#evidence .leaf")
    assert page.text_content("#evidence .leaf") == HOSTILE
    assert page.evaluate("window.harm") is None
    assert page.locator(f":is(#articles, #evidence, #scope) :is({MADE})").count() == 0


def test_finding_choosing_and_asking_within(visit: Visit) -> None:
    page = visit("world")
    ask(page, KEEPER)
    assert page.locator("#thread .answered").count() == 1
    panel(page)
    assert len(titles(page)) == 3
    page.fill("#find", "東京")
    page.wait_for_function("document.querySelectorAll('#shelf h3').length === 1")
    page.check("#shelf [data-pick]")
    page.wait_for_function(f"!{SAID}.includes('Ada Hill')")  # asked again, within
    assert "東京の橋" in page.inner_text("#scope")
    page.fill("#find", "")
    page.wait_for_function("document.querySelectorAll('#shelf h3').length === 3")
    assert page.locator("#shelf [data-pick]:checked").count() == 1, "what is chosen stays chosen"
    page.click("#scope [data-action=everywhere]")
    page.wait_for_function(f"{SAID}.includes('Ada Hill')")
    page.fill("#since", "2024-05-31")
    page.wait_for_function("document.querySelectorAll('#shelf h3').length === 1")
    assert "from 2024-05-31" in page.inner_text("#scope")
    page.fill("#since", "2024-06-01")
    page.wait_for_selector("#thread .trouble")
    assert "dated from 2024-06-01" in page.inner_text("#thread .trouble")


def test_an_article_can_be_read(visit: Visit) -> None:
    page = visit("world")
    panel(page)
    page.click("#shelf li:has-text('lock') [data-action=read]")
    page.wait_for_selector("#evidence .leaf")
    assert page.text_content("#evidence .leaf").startswith("The keeper of the old lock is Ada Hill")
    assert page.evaluate("document.activeElement.textContent") == "The lock"


def test_what_another_process_adds_appears_by_itself(visit: Visit) -> None:
    page = visit("empty")
    assert words.EMPTY_TITLE in page.inner_text("#thread")
    with open_index(SERVERS["empty"][1]) as other:
        (mill,) = other.add([from_text("The miller is Ben Stone.", title="Mill")]).added
        page.wait_for_function("document.querySelector('#head .counts').textContent.startsWith('1 article')")
        page.wait_for_function(
            f"!document.querySelector('#thread').textContent.includes({words.EMPTY_TITLE!r})"
        )
        other.remove(mill, forget=True)
    page.wait_for_function("document.querySelector('#head .counts').textContent.startsWith('0 articles')")


def test_on_a_phone_the_list_is_a_sheet(visit: Visit) -> None:
    page = visit("world", width=390, height=844, has_touch=True)
    page.tap("#masthead [data-action=articles]")
    page.wait_for_selector("#shelf li")
    assert page.get_attribute("#articles", "role") == "dialog"
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.tap("#articles > .close")
    assert not page.is_visible("#articles")
