"""The page without a browser: escaping, rendering, the endpoints and the entry point."""

from __future__ import annotations

import asyncio
import html
import json
import re
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from qa.articles import find_files, read_file
from qa.pipeline import Pipeline, open_index
from qa.types import (
    Alternative,
    Answer,
    Article,
    Citation,
    NotFoundError,
    Passage,
    QuestionError,
    VerbatimError,
    sha256,
)
from qa_ui import markup, shell, turns, words
from qa_ui import places as evidence

ROOT = Path(__file__).parents[1]
SEEDS = ROOT / "seeds"

# The endpoints keep their names and parameters: programs depend on them. Change this list only on purpose.
ENDPOINTS = {
    "/ask": {"question": ..., "history": [], "articles": None, "top_k": 5, "min_confidence": None},
    "/ask_batch": {"questions": ..., "articles": None, "top_k": 5, "min_confidence": None},
    "/search": {"query": ..., "top_k": 5, "articles": None},
    "/articles": {},
    "/verify": {"ref": ...},
    "/verify_quote": {"quote": ..., "articles": None},
    "/chat": {"question": ..., "how_sure": ""},
    "/add_article": {"title": ..., "text": ..., "source": None, "date": None},
    "/remove_article": {"article": ..., "forget": False},
}


# Hand-made answers

TEXT = (
    "The river rose in May. Nobody saw it coming, said Ada Hill, who keeps the lock. It fell again in June."
)
ADA = TEXT.index("Ada Hill")
HOSTILE = (
    '<script>boom()</script> <img src=x onerror="boom()"> **bold** {{7*7}} ${boom()} $$x$$ '
    "</span></div> &amp; \"q'"
)


def cite(article: Article, start: int, end: int, confidence: float | None = 0.9) -> Citation:
    left, right = max(start - 20, 0), min(end + 20, len(article.text))
    passage = Passage(article.id, article.version, left, right, article.text[left:right])
    return Citation(
        article.id, article.title, article.source, article.date, None, article.version, start, end,
        article.text[start:end], passage, confidence,
    )  # fmt: skip


def article(
    text: str = TEXT, title: str = "Floods", source: str = "floods.txt", date: str | None = None
) -> Article:
    return Article(id=f"a-{sha256(source)[:8]}", text=text, title=title, source=source, date=date)


def answered(*citations: Citation, **more: Any) -> Answer:
    return Answer("who?", more.pop("read_as", "who?"), citations[0].text, citations[0].confidence, False, None,
                  citations, **more)  # fmt: skip


def declined(reason: Any, nearest: Citation | None = None) -> Answer:
    return Answer("who?", "who?", None, None, True, reason, nearest=nearest)


def texts(*known: Article) -> evidence.TextOf:
    stored = {(a.id, a.version): a.text for a in known}

    def text_of(name: str, version: str) -> str:
        try:
            return stored[name, version]
        except KeyError:
            raise NotFoundError("no such article") from None

    return text_of


class Page(HTMLParser):
    """A page's elements, and the text inside each, as a browser would see them."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.inner: list[str] = []
        self._open: list[int] = []
        self.feed(source)
        self.close()
        assert not self._open, "every element is closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self.inner.append("")
        self._open.append(len(self.elements) - 1)

    def handle_endtag(self, tag: str) -> None:
        assert self.elements[self._open.pop()][0] == tag

    def handle_data(self, data: str) -> None:
        for at in self._open:
            self.inner[at] += data

    def of(self, css: str) -> list[str]:
        """The texts of the elements with a class, or of a tag."""
        return [
            text
            for (tag, attrs), text in zip(self.elements, self.inner, strict=True)
            if tag == css or css in (attrs.get("class") or "").split()
        ]


def places(turn: str) -> list[Page]:
    packed = Page(turn).elements[0][1]["data-places"]
    return [Page(place) for place in json.loads(packed or "[]")]


# Escaping


@pytest.mark.parametrize(
    "text", ["plain", HOSTILE, "a\r\nb", "<", "&lt;", "日本語 🙂", "‮evil", "```x```", "a\tb\u00a0c", ""]
)
def test_escaped_text_comes_out_as_it_went_in(text: str) -> None:
    escaped = markup.esc(text)
    assert not re.search(r"[<>\"'\r]", escaped)
    assert html.unescape(escaped) == text


def test_what_no_page_can_hold_is_replaced() -> None:
    assert markup.esc("a\0b\ud800c") == "a\ufffdb\ufffdc"
    markup.esc("\udfff").encode()


def test_nothing_hostile_takes_effect_anywhere() -> None:
    evil = article(text=HOSTILE * 3, title=HOSTILE, source=HOSTILE, date=HOSTILE)
    main, other = cite(evil, 0, len(HOSTILE)), cite(evil, len(HOSTILE), 2 * len(HOSTILE))
    shown = [
        turns.turn(HOSTILE, answered(main, other, read_as=HOSTILE, warnings=(HOSTILE,),
                                      alternatives=(Alternative(HOSTILE, 0.2, (other,)),)), texts(evil)),
        turns.turn(HOSTILE, declined("low_confidence", main), texts(evil)),
        turns.waiting(HOSTILE, HOSTILE),
        turns.trouble(HOSTILE, HOSTILE),
        shell.empty_library(HOSTILE, True),
    ]  # fmt: skip
    pages = [Page(s) for s in shown] + places(shown[0]) + places(shown[1])
    ours = {
        "article", "div", "p", "span", "h2", "h3", "blockquote", "mark", "button", "q", "i", "b", "ul", "li",
        "header", "nav", "section", "strong", "bdi", "pre",
    }  # fmt: skip
    for page in pages:
        assert {tag for tag, _ in page.elements} <= ours
        assert not any(name.startswith("on") for _, attrs in page.elements for name in attrs)
    assert HOSTILE in Page(shown[0]).of("quote")


# Rendering


def test_the_evidence_marks_the_place_and_not_an_equal_string() -> None:
    known = article("red fish, red boat, red house")
    second = known.text.index("red", 5)
    (page,) = places(turns.turn("?", answered(cite(known, second, second + 3)), texts(known)))
    assert page.of("mark") == ["red"]
    whole = page.of("leaf")[0]
    assert whole == known.text
    before = next(
        t for (tag, a), t in zip(page.elements, page.inner, strict=True) if a.get("class") == "passage"
    )
    assert before.startswith("red fish, ")


@pytest.mark.parametrize("around", [5, 30, 90, 500])
def test_what_stands_in_words_is_the_articles_text(around: int) -> None:
    known = article(TEXT * 9)
    start = known.text.index("Ada Hill", 300)
    citation = cite(known, start, start + 8)
    shown = evidence.marked(evidence.setting_of(citation, texts(known)), citation, around, "x")
    said = html.unescape(re.sub("<[^>]+>", "", shown))
    assert said in known.text
    assert "<mark>Ada Hill</mark>" in shown
    assert len(said) <= 8 + 2 * around


def test_offsets_count_code_points() -> None:
    known = article("🙂🙂 e\u0301té 日本 the answer 🙂 end")
    start = known.text.index("the answer")
    (page,) = places(turns.turn("?", answered(cite(known, start, start + 10)), texts(known)))
    assert page.of("mark") == ["the answer"]


def test_a_refusal_for_doubt_gives_the_number() -> None:
    unsure = replace(declined("low_confidence"), confidence=0.12)
    (why,) = Page(turns.turn("?", unsure, texts())).of("why")
    assert "12\u00a0%" in why


def test_the_chat_names_only_likely_other_answers() -> None:
    known = article()
    said = answered(
        cite(known, ADA, ADA + 8),
        alternatives=tuple(Alternative("rose", p, (cite(known, 10, 14, p),)) for p in (0.3, 0.2, 0.1, 0.01)),
    )
    shown = turns.turn("?", said, texts(known))
    assert len(Page(shown).of("chip")) == 2
    assert len(places(shown)[0].of("line")) == 3
    unlikely = replace(said, confidence=0.01)
    assert len(places(turns.turn("?", unlikely, texts(known)))[0].of("line")) == 4, (
        "all are as likely as it is"
    )


def test_a_guess_is_called_one() -> None:
    known, other = article(), article("Nobody but Ada Hill.", "Letters", "letters.txt")
    sure_of = answered(cite(known, ADA, ADA + 8), cite(other, 11, 19))
    assert "2 articles say so" in turns.turn("?", sure_of, texts(known, other))
    guess = turns.turn("?", replace(sure_of, confidence=0.49), texts(known, other))
    assert Page(guess).of("decides") == [words.GUESS]
    assert "in 2 articles" in guess
    assert words.agreement(2, 2) not in guess


def test_a_chip_says_how_many_articles_give_another_answer() -> None:
    known, other = article(), article("A river rose here.", "Letters", "letters.txt")
    both = (cite(known, 10, 14, 0.3), cite(other, 8, 12, 0.3))
    said = answered(cite(known, ADA, ADA + 8), alternatives=(Alternative("rose", 0.3, both),))
    assert Page(turns.turn("?", said, texts(known, other))).of("chip") == [
        "roseUnsure · 30\u00a0% · 2 articles"
    ]


def test_a_quote_that_is_not_there_is_never_shown() -> None:
    known = article()
    wrong = Citation(**{**{f: getattr(cite(known, 4, 9), f) for f in Citation.__slots__}, "text": "ocean"})
    with pytest.raises(VerbatimError, match="not the article's text"):
        turns.turn("?", answered(wrong), texts(known))


def test_an_article_removed_meanwhile_still_shows_its_passage() -> None:
    known = article()
    (page,) = places(turns.turn("?", answered(cite(known, ADA, ADA + 8)), texts()))
    assert page.of("mark") == ["Ada Hill"]
    assert not any(attrs.get("data-action") == "whole" for _, attrs in page.elements)


def test_places_are_numbered_and_lead_to_each_other() -> None:
    known, other = article(), article("It was Bea Lake.", "Letters", "letters.txt")
    said = answered(
        cite(known, ADA, ADA + 8),
        cite(known, 4, 9),
        alternatives=(Alternative("Bea Lake", 0.2, (cite(other, 7, 15),)),),
    )
    pages = places(turns.turn("?", said, texts(known, other)))
    assert [page.of("of") for page in pages] == [["place 1 of 2"], ["place 2 of 2"], []]
    steps = [[a["data-place"] for _, a in page.elements if a.get("data-step")] for page in pages]
    assert steps == [["1", "1"], ["0", "0"], []]
    assert words.OTHER_ANSWERS in "".join(pages[0].of("h3"))
    assert "Bea Lake" in pages[2].of("flag")[0]


def test_the_chat_says_how_sure_and_who_else() -> None:
    known, other = article(), article("It was Bea Lake.", "Letters", "letters.txt")
    said = answered(
        cite(known, ADA, ADA + 8), alternatives=(Alternative("Bea Lake", 0.2, (cite(other, 7, 15),)),)
    )
    page = Page(turns.turn("?", said, texts(known, other)))
    assert page.of("quote") == ["Ada Hill"]
    assert "Very likely · 90\u00a0%" in page.of("sure")[0]
    assert words.ANOTHER_SAYS in page.of("chips")[0]
    assert page.of("around")[0] == TEXT


def test_an_uncalibrated_answer_shows_no_number() -> None:
    page = Page(turns.turn("?", answered(cite(article(), ADA, ADA + 8, None)), texts(article())))
    assert words.UNCALIBRATED in page.of("sure")[0]
    assert not page.of("bar")


@pytest.mark.parametrize("reason", sorted(words.REASONS))
def test_declining_says_why_and_marks_nothing_as_an_answer(reason: str) -> None:
    nearest = None if reason in ("empty_index", "nothing_retrieved") else cite(article(), 4, 40)
    shown = turns.turn("?", declined(reason, nearest), texts(article()))
    page = Page(shown)
    assert page.of("no") == [words.DECLINED]
    assert page.of("why") == [words.REASONS[reason]]
    assert not page.of("mark")
    assert not page.of("quote")
    if nearest:
        assert words.NOT_AN_ANSWER in page.of("near")[0]
        (place,) = places(shown)
        assert words.NOT_AN_ANSWER in place.of("flag")[0]
        assert not place.of("mark")


@pytest.mark.parametrize("read_as", ["who?", "who", "wh"])
def test_a_question_trimmed_or_cut_is_not_a_follow_up(read_as: str) -> None:
    known = article()
    shown = turns.turn(" who? ", answered(cite(known, ADA, ADA + 8), read_as=read_as), texts(known))
    assert not Page(shown).of("read-as")


def test_a_follow_up_shows_how_it_was_read() -> None:
    page = Page(
        turns.turn(
            "who?", answered(cite(article(), ADA, ADA + 8), read_as="who keeps the lock?"), texts(article())
        )
    )
    assert page.of("read-as") == ["Read as: who keeps the lock?" + words.AS_WRITTEN]


def test_copying_gives_quote_and_reference() -> None:
    citation = cite(article(date="2020-05-01"), ADA, ADA + 8)
    assert (
        evidence.quote_with_reference(citation)
        == f"“Ada Hill”\n— Floods, floods.txt, 2020-05-01 ({citation.ref})"
    )


@pytest.mark.parametrize(
    ("p", "said"), [(1, "100"), (0.999, "99"), (0.914, "91"), (0.006, "1"), (0.004, "< 1"), (0, "< 1")]
)
def test_percent_is_never_certain_of_what_is_not(p: float, said: str) -> None:
    assert words.percent(p) == f"{said}\u00a0%"


@pytest.mark.parametrize(
    ("p", "word"),
    [(0.85, "Very likely"), (0.84, "Likely"), (0.5, "Possible"), (0.1, "Unsure"), (0, "Unsure")],
)
def test_confidence_in_words(p: float, word: str) -> None:
    assert words.sure_word(p) == word


def test_the_examples_belong_to_the_seeds() -> None:
    assert {sha256(path.read_text("utf-8")) for path in SEEDS.iterdir()} == words.SEED_VERSIONS
    assert words.EXAMPLES[0] in shell.first_visit(examples=True)
    assert "data-question" not in shell.first_visit(examples=False)


# The endpoints, over the real pipeline


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    with open_index(tmp_path_factory.mktemp("ui") / "index", create=True) as opened:
        opened.add(read_file(found.path, source=found.source) for found in find_files([SEEDS]))
        yield opened


@pytest.fixture(scope="module")
def client(pipeline: Pipeline) -> Iterator[Any]:
    from gradio_client import Client

    from qa_ui.app import build, launch_options

    # Gradio makes event loops on the way up, only to make a lock, and never closes them.
    made: list[asyncio.AbstractEventLoop] = []
    real = asyncio.new_event_loop
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(asyncio, "new_event_loop", lambda: made.append(real()) or made[-1])
        app = build(pipeline)
        _, url, _ = app.launch(server_name="127.0.0.1", prevent_thread_lock=True, **launch_options())
    yield Client(url, verbose=False)
    app.close(verbose=False)
    asyncio.set_event_loop(None)
    for loop in made:
        if not loop.is_running():
            loop.close()


def without_times(answer: dict[str, Any]) -> dict[str, Any]:
    return {**answer, "timings_ms": sorted(answer["timings_ms"])}


def test_endpoints_keep_their_names_and_parameters(client: Any) -> None:
    named = client.view_api(return_format="dict", print_info=False)["named_endpoints"]
    found = {
        name: {
            p["parameter_name"]: p["parameter_default"] if p["parameter_has_default"] else ...
            for p in endpoint["parameters"]
        }
        for name, endpoint in named.items()
    }
    assert found == ENDPOINTS
    assert all(endpoint["description"] for endpoint in named.values())


@pytest.mark.parametrize(
    "asked",
    [
        {"question": "Who is Nikki Haley?"},
        {"question": "Who won the football world cup?"},
        {
            "question": "How much of North Korea's trade does China account for?",
            "top_k": 1,
            "min_confidence": 0.0,
        },
        {"question": "Who is he?", "history": [["Who is the u n ambassador?", "nikki haley"]]},
        {"question": "Where is John Delury a professor?", "articles": ["*000_*"]},
    ],
)
def test_ask_returns_what_the_pipeline_does(client: Any, pipeline: Pipeline, asked: dict[str, Any]) -> None:
    direct = json.loads(json.dumps(pipeline.ask(**asked).to_json()))
    assert without_times(client.predict(**asked, api_name="/ask")) == without_times(direct)


def test_the_other_endpoints_return_what_the_pipeline_does(client: Any, pipeline: Pipeline) -> None:
    rows = client.predict("missile tests", top_k=3, api_name="/search")
    assert rows == json.loads(json.dumps(pipeline.search("missile tests", top_k=3)))
    assert len(rows) == 3
    assert client.predict(api_name="/articles") == [info.to_json() for info in pipeline.articles()]
    ref = pipeline.ask("Who is Nikki Haley?").citations[0].ref
    checked = client.predict(ref, api_name="/verify")
    assert checked == json.loads(json.dumps(pipeline.verify(ref).to_json()))
    assert checked["state"] == "unchanged"


@pytest.mark.parametrize(
    ("endpoint", "asked"),
    [
        ("/ask", {"question": ""}),
        ("/ask", {"question": "  \n "}),
        ("/ask", {"question": "who?", "top_k": "many"}),
        ("/ask", {"question": "who?", "articles": ["no such article"]}),
        ("/ask", {"question": "who?", "top_k": 0}),
        ("/ask", {"question": "who?", "min_confidence": 7.0}),
        ("/verify", {"ref": "nonsense"}),
        ("/search", {"query": ""}),
    ],
)
def test_bad_input_is_one_line_without_trace_or_path(
    client: Any, capfd: pytest.CaptureFixture[str], endpoint: str, asked: dict[str, Any]
) -> None:
    from gradio_client.exceptions import AppError

    with pytest.raises(AppError) as caught:
        client.predict(**asked, api_name=endpoint)
    said = str(caught.value)
    assert said
    assert "\n" not in said
    assert "Traceback" not in said
    assert str(ROOT) not in said
    assert words.FAILED not in said, "the pipeline has its own line for it"
    assert "Traceback" not in capfd.readouterr().err


def test_a_defect_says_nothing_of_this_machine(
    client: Any, pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    from gradio_client.exceptions import AppError

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("/secret/path")

    monkeypatch.setattr(pipeline, "search", broken)
    with pytest.raises(AppError) as caught:
        client.predict("x", api_name="/search")
    assert str(caught.value).strip("'\"") == words.FAILED
    assert "/secret/path" in capfd.readouterr().err, "the terminal has the whole story"


def test_chat_streams_what_it_does_then_answers(client: Any) -> None:
    job = client.submit("Where is John Delury a professor?", "", api_name="/chat")
    threads = [out[0] for out in [*job.outputs()]] or [job.result()[0]]
    last = Page(job.result()[0])
    assert "yonsei university" in last.of("quote")[0]
    assert all("turn" in thread for thread in threads)


def test_chat_keeps_a_question_that_cannot_be_asked(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    from qa_ui.desk import KEEP, Desk

    def refuse(*_: object, **__: object) -> None:
        raise QuestionError("the question\nis too <b>odd</b>")

    desk = Desk(pipeline)
    odd = "who? " * 1000
    with monkeypatch.context() as patched:
        patched.setattr(pipeline, "ask", refuse)
        *_, (thread, left, _, shown) = desk.chat(odd, "", [])
    assert left == odd
    assert Page(thread).of("trouble") == ["The question is too <b>odd</b>" + words.AGAIN]
    assert len(thread) < 1000
    (_, cleared, _, _), *_, (thread, left, _, shown) = desk.chat(
        "Where is John Delury a professor?", "", shown
    )
    assert cleared == ""
    assert left == KEEP, "what is typed while it works stays"
    assert len(Page(thread).of("turn")) == len(shown) == 2


def test_chat_survives_a_defect_and_says_so(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from qa_ui.desk import Desk

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("/secret/path")

    monkeypatch.setattr(pipeline, "ask", broken)
    *_, (thread, left, _, _) = Desk(pipeline).chat("who?", "", [])
    assert Page(thread).of("trouble") == [words.FAILED + words.AGAIN]
    assert left == "who?"
    assert "/secret/path" in capsys.readouterr().err


def test_chat_says_what_it_is_doing(pipeline: Pipeline) -> None:
    from qa_ui.desk import Desk

    doing = [Page(out[0]).of("doing") for out in Desk(pipeline).chat("Who is nikki haley?", "", [])]
    assert doing[0] == [words.STARTING]
    assert any("Searching" in said[0] for said in doing[:-1])
    assert any("passages" in said[0] for said in doing[:-1])
    assert doing[-1] == []


# The entry point


def run_ui(*args: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "ui.py", *args], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )


def test_a_missing_index_is_one_line_with_the_way_out(tmp_path: Path) -> None:
    done = run_ui("--index", str(tmp_path / "nowhere"))
    assert done.returncode == 1
    assert done.stdout == ""
    *_, last = done.stderr.strip().splitlines()
    assert "qa index" in last
    assert "Traceback" not in done.stderr


def test_a_taken_port_is_one_line_with_the_way_out() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = run_ui("--port", str(taken.getsockname()[1]))
    assert done.returncode == 1
    assert len(done.stderr.strip().splitlines()) == 1
    assert "--port" in done.stderr


@pytest.mark.parametrize("args", [["--port", "x"], ["--port", "0"], ["--port", "70000"], ["--nonsense"]])
def test_bad_usage_exits_2(args: list[str]) -> None:
    done = run_ui(*args)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_without_a_port_the_next_free_one_serves(monkeypatch: pytest.MonkeyPatch) -> None:
    import ui

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        monkeypatch.setattr(ui, "DEFAULT_PORT", taken.getsockname()[1])
        assert ui.free_port("127.0.0.1", None) > taken.getsockname()[1]
    with pytest.raises(OSError, match="not an address"):
        ui.free_port("192.0.2.1", None)


# Any attempt to reach another machine, or to look up its name, ends the process.
CUT_OFF = """
import os, runpy, socket, sys
def home(address):
    return not isinstance(address, tuple) or str(address[0]) in ("127.0.0.1", "::1", "localhost", "0.0.0.0", "")
def guard(name):
    real = getattr(socket.socket, name)
    def guarded(self, address, *rest):
        if not home(address):
            print("REACHED OUT TO", address, file=sys.stderr, flush=True); os._exit(9)
        return real(self, address, *rest)
    setattr(socket.socket, name, guarded)
guard("connect"); guard("connect_ex")
real_lookup = socket.getaddrinfo
def lookup(host, *rest, **more):
    name = host.decode() if isinstance(host, bytes) else host
    if name is not None and not home((name,)):
        print("LOOKED UP", host, file=sys.stderr, flush=True); os._exit(9)
    return real_lookup(host, *rest, **more)
socket.getaddrinfo = lookup
sys.argv = ["ui.py", *sys.argv[1:]]
sys.path.insert(0, os.getcwd())
runpy.run_path("ui.py", run_name="__main__")
"""


def test_it_serves_and_answers_with_no_network(pipeline: Pipeline, tmp_path: Path) -> None:
    from gradio_client import Client

    index = tmp_path / "index"
    with open_index(index, create=True) as opened:
        opened.add(read_file(found.path, source=found.source) for found in find_files([SEEDS]))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = tmp_path / "log"
    with log.open("w") as err:
        server = subprocess.Popen(
            [sys.executable, "-c", CUT_OFF, "--index", str(index), "--port", str(port)],
            cwd=ROOT, stdout=err, stderr=err,
        )  # fmt: skip
        try:
            url = f"http://127.0.0.1:{port}/"
            wait_for(url, server, log)
            found = Client(url, verbose=False).predict("Where is John Delury a professor?", api_name="/ask")
            assert "yonsei" in found["answer"]
            time.sleep(1)  # what would phone home does it in a thread
            assert server.poll() is None, log.read_text()
        finally:
            server.terminate()
            server.wait(30)


def wait_for(url: str, server: subprocess.Popen[bytes], log: Path, seconds: float = 120) -> None:
    for _ in range(int(seconds * 4)):
        assert server.poll() is None, log.read_text()
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            time.sleep(0.25)
    pytest.fail(f"not up after {seconds} s: {log.read_text()}")
