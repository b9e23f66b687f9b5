"""What the page's script may call, without a browser: on the real pipeline, with what a hostile page may send."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from qa.articles import from_text
from qa.feedback import FILE
from qa.pipeline import Pipeline, open_index
from qa_ui import words
from qa_ui.calls import calls
from qa_ui.desk import Desk

LOCK = "The keeper of the old lock is Ada Hill of Dover. She has kept it for thirty years."
MILL = "The miller of the red mill is Ben Stone. He came from Leeds in May."
NOBODY = SimpleNamespace(headers={})  # a program, not a browser


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("calls") / "index"


@pytest.fixture(scope="module")
def opened(folder: Path) -> Iterator[Pipeline]:
    with open_index(folder, create=True) as pipeline:
        yield pipeline


@pytest.fixture
def desk(opened: Pipeline, folder: Path) -> Iterator[Desk]:
    opened.add([from_text(LOCK, title="The lock", date="2024-05-31"), from_text(MILL, title="The mill")])
    yield Desk(opened, str(folder))
    for info in opened.articles():
        opened.remove(info.article)
    (folder / FILE).unlink(missing_ok=True)


@pytest.fixture
def uploaded() -> set[str]:
    return set()


@pytest.fixture
def server(desk: Desk, uploaded: set[str]) -> Callable[..., dict[str, Any]]:
    named = {call.__name__: call for call in calls(desk, lambda: uploaded)}
    return lambda call, request=NOBODY, /, **data: named[call](data, request)


def asked(desk: Desk, question: str, **more: Any) -> dict[str, Any]:
    *_, last = desk.ask({"token": "t", "question": question, **more})
    assert last["done"]
    assert last["token"] == "t"
    return last


def test_a_question_within_a_scope(desk: Desk) -> None:
    mill = next(info.article for info in desk.pipeline.articles() if info.title == "The mill")
    question = "Who is the keeper of the old lock?"
    assert asked(desk, question)["answer"] == "Ada Hill"
    assert asked(desk, question, since="2024-05-31")["answer"] == "Ada Hill"
    assert "Ada Hill" not in asked(desk, question, articles=[mill])["html"], "no word of another article"
    outside = asked(desk, question, since="2024-06-01")
    assert outside["failed"]
    assert "dated from 2024-06-01" in outside["html"]


@pytest.mark.parametrize(
    "odd",
    [
        {"history": 3}, {"history": [["x"]]}, {"level": "much"}, {"level": 7}, {"since": "soon"}, {"articles": 5},
        {"level": float("nan")},
    ],
)  # fmt: skip
def test_what_no_page_sends_is_one_line(desk: Desk, odd: dict[str, Any]) -> None:
    assert asked(desk, "who?", **odd)["failed"]


def test_the_nearest_passage_comes_before_the_answer(desk: Desk) -> None:
    said = list(desk.ask({"token": "t", "question": "Who is the keeper of the old lock?"}))
    (at,) = [number for number, one in enumerate(said) if "near" in one]
    assert 0 < at < len(said) - 1
    assert words.NOT_YET in said[at]["near"]
    assert "The keeper of the old lock is Ada Hill" in said[at]["near"]
    assert said[-1]["done"]


def test_a_question_that_was_called_off_says_so_and_reads_no_further(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    reached = []

    def slow(*_: object, progress: Callable[[str], None], **__: object) -> None:
        progress("one")
        reached.append("one")
        while True:
            progress("two")
            time.sleep(0.01)

    monkeypatch.setattr(desk.pipeline, "ask", slow)
    running = desk.ask({"token": "t", "question": "who?"})
    assert next(running) == {"token": "t", "doing": "one"}
    assert desk.knows("t")
    assert desk.cancel("t")
    *_, last = running
    assert words.CANCELLED in last["html"]
    assert not desk.knows("t")
    assert not desk.cancel("t")
    desk.readers.close(wait=True)  # the reader was let go of: it would run for ever
    assert reached == ["one"]


def test_a_place_that_decides_is_shown_where_a_quote_is_no_answer(desk: Desk) -> None:
    html = asked(desk, "Is Ada Hill of Dover the keeper of the old lock?", level=0)["html"]
    assert words.DECIDES["yes_no"] in html.replace("&#x27;", "'")
    assert words.DECIDES["yes_no"] not in asked(desk, "Who is the keeper of the old lock?")["html"].replace(
        "&#x27;", "'"
    )


def test_feedback_is_a_line_in_the_folder(desk: Desk, server: Callable[..., Any], folder: Path) -> None:
    asked(desk, "Who is the keeper of the old lock?", since="2024-05-31", history=[["a", "b"]])
    assert server("verdict", token="t", verdict="right") == {}
    (line,) = [json.loads(line) for line in (folder / FILE).read_text("utf-8").splitlines()]
    (lock,) = [info.article for info in desk.pipeline.articles() if info.title == "The lock"]
    assert (line["verdict"], line["answer"], line["articles"], line["history"]) == (
        "right", "Ada Hill", [lock], [["a", "b"]],
    )  # fmt: skip
    assert line["ref"].startswith(f"{lock}@")
    assert server("verdict", token="t", verdict="maybe")["error"].startswith("a verdict is one of")
    assert server("verdict", token="unknown", verdict="right") == {"error": words.STALE_PAGE}


def test_the_list_of_articles(server: Callable[..., Any]) -> None:
    found = server("listing", find="")
    assert found["found"] == 2
    assert found["html"].index("The lock") < found["html"].index("The mill")
    assert server("listing", find="mill")["found"] == 1
    assert server("listing", find="nothing of the kind")["html"].count(words.FOUND_NONE) == 1
    assert server("listing", since="2024-01-01")["found"] == 1
    assert server("listing", find="", chosen=["gone"])["chosen"] == {}


def test_only_uploaded_files_are_opened(
    server: Callable[..., Any], uploaded: set[str], tmp_path: Path, desk: Desk
) -> None:
    path = tmp_path / "a.txt"
    path.write_text("The baker of the new bridge is Cleo Marsh. She sells bread.", "utf-8")
    for tried in (str(path), "/etc/passwd", "../../etc/passwd", ""):
        assert server("add", path=tried, name="a.txt") == {"error": words.NOT_UPLOADED}
    uploaded.add(str(path))
    job = server("add", path=str(path), name="bread.txt")["job"]
    until = time.monotonic() + 120
    while (now := server("look", jobs=[job])["jobs"][job])["state"] != "done":
        assert time.monotonic() < until
        time.sleep(0.05)
    assert not now["failed"]
    assert "1 article added" in now["html"]
    assert "uploaded/bread.txt" in [info.source for info in desk.pipeline.articles()]


def test_pasting_removing_and_undoing(server: Callable[..., Any], desk: Desk) -> None:
    assert "1 article added" in server("paste", title="<b>New</b>", text="A new text.", date="")["html"]
    assert "is empty" in server("paste", title="x", text=" ", date="")["error"]
    (new,) = [info.article for info in desk.pipeline.articles() if info.title == "<b>New</b>"]
    assert "&lt;b&gt;New&lt;/b&gt;" in server("listing")["html"]
    undo = server("remove", articles=[new])["undo"]
    assert len(desk.pipeline.articles()) == 2
    assert server("restore", undo=undo) == {}
    assert len(desk.pipeline.articles()) == 3
    assert "no longer be undone" in server("restore", undo=undo)["error"]


def test_the_whole_article_is_three_texts_around_the_place(server: Callable[..., Any], desk: Desk) -> None:
    citation = desk.pipeline.ask("Who is the keeper of the old lock?").citations[0]
    place = {k: getattr(citation, k) for k in ("article", "version", "start", "end")}
    whole = server("whole_article", **place)
    assert (whole["before"], whole["quote"], whole["after"]) == (
        LOCK[: citation.start], citation.text, LOCK[citation.end :],
    )  # fmt: skip
    assert server("whole_article", **{**place, "article": "none"}) == {"error": words.WHOLE_GONE}
    assert server("whole_article", start="x") == {"error": words.NOT_FROM_PAGE}


def test_the_evidence_of_a_link_as_it_is_now(server: Callable[..., Any], desk: Desk) -> None:
    ref = desk.pipeline.ask("Who is the keeper of the old lock?").citations[0].ref
    assert "Ada Hill</mark>" in server("place", ref=ref)["html"]
    desk.pipeline.add([from_text("New lines first. " + LOCK, title="The lock")])
    moved = server("place", ref=ref)["html"].replace("&#x27;", "'")
    assert words.LINK_STATES["moved"] in moved
    assert "Ada Hill</mark>" in moved
    desk.library.remove([ref.partition("@")[0]])
    assert server("place", ref=ref) == {"html": "", "flag": words.LINK_STATES["gone"]}
    assert "not a reference" in server("place", ref="<b>")["error"]


def test_another_site_cannot_call(server: Callable[..., Any], desk: Desk) -> None:
    def request(origin: str) -> SimpleNamespace:
        return SimpleNamespace(headers={"origin": origin, "host": "127.0.0.1:7860"})

    assert server("remove", request("http://evil.example"), articles=["x"]) == {"error": words.ELSEWHERE}
    assert server("listing", request("null")) == {"error": words.ELSEWHERE}
    assert "error" not in server("listing", request("http://127.0.0.1:7860"))


def test_a_page_that_only_reads_has_nothing_to_write_with(desk: Desk) -> None:
    desk.writable = False
    named = {call.__name__: call for call in calls(desk, set)}
    assert not {"add", "paste", "remove", "restore", "stop"} & {*named}
    assert words.REMOVE not in named["listing"]({}, NOBODY)["html"]


@pytest.mark.parametrize("data", [None, 3, [], "x", {"find": None}, {"most": "x"}, {"chosen": 4}])
def test_anything_may_come_in(desk: Desk, data: Any) -> None:
    for call in calls(desk, set):
        assert isinstance(call(data, NOBODY), dict)


def test_an_empty_library_says_what_to_do(desk: Desk, server: Callable[..., Any]) -> None:
    desk.library.remove([info.article for info in desk.pipeline.articles()])
    opening = server("start")
    assert opening["counts"].startswith("0 articles")
    assert words.EMPTY_ADD in opening["html"]
    assert words.empty_command(desk.index) in opening["html"]
    assert words.REASONS["empty_index"] in asked(desk, "who?")["html"]


def test_what_another_process_changed_is_noticed(
    desk: Desk, server: Callable[..., Any], folder: Path
) -> None:
    before = server("state")
    with open_index(folder) as other:
        other.add([from_text("The baker sells bread.", title="Bread")])
    after = server("state")
    assert after["generation"] > before["generation"]
    assert after["articles"] == before["articles"] + 1
