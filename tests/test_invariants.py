"""The eight invariants of the design, each on the whole program with its real models. Numbered as there."""

from __future__ import annotations

import ast
import json
import math
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import apsw
import pytest

from qa.articles import from_text, read_file
from qa.calibration import FILE, Calibration, Ranking
from qa.pipeline import Pipeline
from qa.tuned import Tuned
from qa.types import Hit, Passage, VerbatimError, sha256

ROOT = Path(__file__).resolve().parent.parent
TEXTS = {f"seeds/{path.name}": path.read_bytes().decode() for path in sorted((ROOT / "seeds").iterdir())}
ROWS = [
    json.loads(line)
    for line in (ROOT / "tests/questions/seeds.jsonl").read_text(encoding="utf-8").splitlines()
]
STRAY = "apitalism struggles during covid 19 pandemic "  # both files begin with it; no rule of the program names it
ABOUT_STRAY = [
    "What struggles during the covid 19 pandemic?", "when did apitalism struggle", "apitalism", "covid 19 pandemic",
    "struggles during covid 19", "what happened during the pandemic",
]  # fmt: skip


@pytest.fixture
def fresh(tmp_path, encoder, loaded_models):
    """Makes empty indexes, each with what it was given to add."""
    made = []

    def make(articles=(), *, encoder=encoder, reader=None):
        pipeline = Pipeline(tmp_path / f"index{len(made)}", encoder, reader, create=True)
        made.append(pipeline)
        pipeline.add(articles)
        return pipeline

    yield make
    for pipeline in made:
        pipeline.close()


@pytest.fixture(scope="module")
def forced(pipeline):
    """An answer to every other question of the set, sure or not, and to those that aim at the stray words."""
    questions = [*(row["question"] for row in ROWS[::2]), *ABOUT_STRAY]
    return {question: pipeline.ask(question, top_k=50, min_confidence=0) for question in questions}


def cited(answer):
    return [*answer.citations, *(c for other in answer.alternatives for c in other.citations)]


def timeless(answer):
    """All of an answer that does not depend on when and how often the index was written."""
    data = {name: value for name, value in answer.to_json().items() if name != "timings_ms"}
    return {**data, "index": {**data["index"], "generation": None}}


def place_and_score(answer):
    """An answer without its probabilities, which int8 padding shifts in the last digits."""
    places = [[(c.article, c.version, c.start, c.end, c.text) for c in answer.citations]]
    places += [
        [(c.article, c.version, c.start, c.end, c.text) for c in a.citations] for a in answer.alternatives
    ]
    return answer.answer, answer.reason, places


# ---- 1 verbatim


def test_1_every_quote_is_the_files_own_text_at_its_place(forced):
    seen = 0
    for question, answer in forced.items():
        assert answer.answer == (answer.citations[0].text if answer.citations else None)
        for c in cited(answer):
            text = TEXTS[c.source]
            assert text[c.start : c.end] == c.text != "", question
            assert text[c.passage.start : c.passage.end] == c.passage.text
            assert c.passage.start <= c.start < c.end <= c.passage.end
            assert c.version == sha256(text)
            assert c.ref == f"{c.article}@{c.version[:12]}#{c.start}-{c.end}"
            seen += 1
        for other in answer.alternatives:
            assert other.answer == other.citations[0].text
    assert seen > 3 * len(forced)


def test_1_so_is_the_nearest_passage(pipeline, monkeypatch):
    monkeypatch.setattr(
        pipeline, "calibration", Calibration({}, Ranking(), {}, 0.0, 0.9)
    )  # unsure of everything
    for row in ROWS[::8]:
        answer = pipeline.ask(row["question"])
        assert (answer.answer, answer.reason) == (None, "low_confidence")
        near = answer.nearest
        assert TEXTS[near.source][near.start : near.end] == near.text == near.passage.text != ""
        assert pipeline.verify(near.ref).state == "unchanged"


def test_1_offsets_count_code_points_of_the_very_file(fresh, tmp_path):
    text = (
        "\ufeffÜbersicht 🙂🇩🇪\r\n\r\nDer Mu\u0308ller heißt Jörg Weiß‐Ødegård.\r\n"
        "The miller’s na\u0131ve dog is called “Fi\ufb01 👩‍👩‍👧”.\r\n\tThe mill stands in Novo\u00a0Mesto.\r\n"
    )
    (tmp_path / "mill.txt").write_bytes(text.encode())
    article = read_file(tmp_path / "mill.txt", source="mill.txt")
    assert article.text == text  # mark, line ends, decomposed letters and all
    pipeline = fresh([article])
    for question in (
        "What is the miller's dog called?",
        "Where does the mill stand?",
        "Wie heißt der Müller?",
    ):
        answer = pipeline.ask(question, top_k=50, min_confidence=0)
        assert cited(answer)
        for c in cited(answer):
            assert (tmp_path / "mill.txt").read_bytes().decode()[c.start : c.end] == c.text
    assert pipeline.ask("Where does the mill stand?", min_confidence=0).answer == "Novo\u00a0Mesto"


def test_3_an_article_twice_in_one_addition_ends_as_the_last_one(fresh):
    first = from_text("The mill stands in Bled.", title="Mill")
    pipeline = fresh([first])
    report = pipeline.add([from_text("The mill burned down in May.", title="Mill"), first])
    assert (report.added, report.updated, report.failed) == ([], [first.id, first.id], [])
    assert pipeline.text(first.id) == first.text
    assert pipeline.ask("Where does the mill stand?", min_confidence=0).answer == "Bled"


def test_1_a_quote_that_is_not_the_text_is_raised_and_never_shown(pipeline, monkeypatch):
    read = pipeline.reader.read

    def misread(*arguments, **named):
        return [replace(span, text=span.text + "!") for span in read(*arguments, **named)]

    monkeypatch.setattr(pipeline.reader, "read", misread)
    with pytest.raises(VerbatimError):
        pipeline.ask("where does niu jun work", min_confidence=0)


# ---- 2 cleaning never changes text


def test_2_what_both_articles_begin_with_is_masked_and_still_there(pipeline, forced):
    for info in pipeline.articles():
        assert pipeline.text(info.article) == TEXTS[info.source]
        assert pipeline.text(info.article).startswith(STRAY)
        assert pipeline.index.snapshot.masks(info.article) == ((0, len(STRAY) - 1),)
        assert pipeline.index.article(info.article).masks == ()  # nothing the article shows by itself
    for question in forced:
        for c in cited(forced[question]):
            assert c.start >= len(STRAY), question
    rows = pipeline.search("apitalism struggles during covid 19 pandemic", 50)
    assert any(STRAY in row["text"] for row in rows), "the words are found and shown, only not an answer"


def test_2_the_mask_depends_on_the_articles_that_are_there(fresh, seeds):
    pipeline = fresh(seeds[:1])
    first, second = (article.id for article in seeds)
    assert pipeline.index.snapshot.masks(first) == ()
    pipeline.add(seeds[1:])
    assert [pipeline.index.snapshot.masks(article) for article in (first, second)] == [((0, 44),)] * 2
    pipeline.remove(second)
    assert pipeline.index.snapshot.masks(first) == ()


def test_2_copies_and_versions_of_an_article_do_not_mask_each_other(fresh, seeds):
    text = seeds[0].text
    alike = [
        seeds[0],
        from_text(text, title="a copy"),
        from_text(text.replace("tuesday", "on tuesday"), title="a version"),
        from_text(text[:3000], title="a beginning"),
    ]
    pipeline = fresh(alike)
    assert {pipeline.index.snapshot.masks(article.id) for article in alike} == {()}


def test_2_adding_an_article_embeds_no_other(fresh, seeds, encoder):
    embedded = []

    class Counting:
        def __getattr__(self, name):
            return getattr(encoder, name)

        def encode(self, texts, progress=None):
            embedded.extend(texts)
            return encoder.encode(texts, progress)

    pipeline = fresh(seeds[:1], encoder=Counting())
    embedded.clear()
    pipeline.add(seeds[1:])  # which masks the beginning of the first
    assert len(embedded) == 7
    assert all(text in seeds[1].text for text in embedded)


# ---- 3 incremental equals rebuild


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_3_any_order_of_changes_answers_as_a_fresh_index(fresh, seeds, seed):
    chance = random.Random(seed)
    people = ["Greta Lindqvist", "Olaf Brandt", "Amara Okafor", "Tomás Herrera", "Mei Tanaka", "Ivo Petrov"]
    pool = [
        from_text(
            f"Stray words stand here first. The keeper of mill {i} is {person}.{rest}", title=f"mill {i}"
        )
        for i, person in enumerate(people)
        for rest in ("", f" It was built in {1900 + i}.")
    ]
    longer = replace(seeds[1], text="Corrected on Friday. " + seeds[1].text, bytes_sha256="")
    pool += [*seeds, longer]
    copies = [from_text(pool[6].text, title=f"copy {name}") for name in "dacb"]  # equal scores: ties to break
    pipeline = fresh(chance.sample(pool, 3))
    live = {info.article: pipeline.index.article(info.article) for info in pipeline.articles()}
    for _ in range(14):
        if live and chance.random() < 0.35:
            gone = chance.choice(sorted(live))
            pipeline.remove(gone, forget=chance.random() < 0.5)
            del live[gone]
        else:
            some = chance.sample(pool, chance.choice([1, 1, 2]))
            pipeline.add(some)
            live |= {article.id: article for article in some}
    for article in [longer, *copies]:
        pipeline.add([article])
        live[article.id] = article
    again = fresh([live[article] for article in sorted(live, reverse=True)])
    assert pipeline.info()["generation"] > again.info()["generation"] == 1
    for question in (
        "Who is the keeper of mill 3?",
        "What is stray?",
        "where does niu jun work",
        "mill 1 built",
        "🙂",
    ):
        assert timeless(pipeline.ask(question, top_k=50, min_confidence=0)) == timeless(
            again.ask(question, top_k=50, min_confidence=0)
        )
        assert pipeline.search(question, 50) == again.search(question, 50)


# ---- 4 crash-safe


def test_4_a_build_killed_midway_is_readable_and_goes_on(tmp_path, encoder, loaded_models):
    news, index, reports = tmp_path / "news", tmp_path / "index", 900
    news.mkdir()
    for number in range(reports):
        (news / f"{number:04}.txt").write_text(f"The mill of village {number} grinds barley for its miller.")
    command = [sys.executable, "-m", "qa", "index", str(news), "--index", str(index)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while committed(index) == 0:
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    assert process.wait(timeout=60) == -signal.SIGKILL

    with Pipeline(index, encoder) as pipeline:
        kept = pipeline.info()["articles"]
        assert 0 < kept < reports
        assert pipeline.info()["passages"] == kept
        answer = pipeline.ask("What does the mill of village 7 grind?", min_confidence=0)
        assert answer.answer == "barley"
        assert {info.version for info in pipeline.articles()} <= {
            sha256(path.read_bytes()) for path in news.iterdir()
        }

    done = subprocess.run(command, cwd=ROOT, capture_output=True, timeout=120, check=False)
    assert (done.returncode, done.stdout) == (0, b"")
    assert done.stderr.decode().splitlines() == [
        f"{reports - kept} added, {kept} unchanged; the index has {reports} articles, {reports} passages"
    ]


def committed(index):
    """How many articles other processes see in an index."""
    if not (index / "articles.sqlite").exists():
        return 0
    connection = apsw.Connection(str(index / "articles.sqlite"), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        return connection.execute("SELECT count(*) FROM versions").get
    except apsw.Error:  # its tables are being made
        return 0
    finally:
        connection.close()


# ---- 5 one core


def test_5_the_command_line_gives_what_python_gives(pipeline, tmp_path):
    index = shutil.copytree(pipeline.index._store.folder, tmp_path / "index")
    rows = [
        {"question": "what percentage of north korea's trade is with china", "min_confidence": 0},
        {"question": "when is trump going to china", "top_k": 2, "articles": ["seeds/000*"]},
        {"question": "who won the 2014 world cup"},
        {"question": "where does he work", "history": [["who is niu jun", "an expert"]], "min_confidence": 0},
    ]
    batch = "".join(json.dumps(row) + "\n" for row in rows)
    command = [sys.executable, "-m", "qa", "ask", "--batch", "-", "--index", str(index)]
    done = subprocess.run(
        command, cwd=ROOT, input=batch.encode(), capture_output=True, timeout=120, check=True
    )
    given = [json.loads(line) for line in done.stdout.splitlines()]
    expected = [pipeline.ask(**row).to_json() for row in rows]
    assert len(given) == len(expected)
    for one, other in zip(given, expected, strict=True):
        assert set(one.pop("timings_ms")) == set(other.pop("timings_ms"))
        assert one == other


def test_5_whoever_asks_asks_the_pipeline():
    """Front ends and evaluation hold nothing of retrieving, reading and answering that could go its own way."""
    core = {"qa.retriever", "qa.reader", "qa.answering", "qa.index", "qa.snapshot", "qa.encoder", "qa.store"}
    fronts = [ROOT / "ui.py", ROOT / "qa/cli.py", ROOT / "qa/folders.py"]
    fronts += [*(ROOT / "qa_ui").glob("*.py"), *(ROOT / "qa/evaluation").glob("*.py")]
    for path in fronts:
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ImportFrom):
                assert node.module not in core, path
            elif isinstance(node, ast.Import):
                assert not {alias.name for alias in node.names} & core, path


# ---- 6 honest confidence


def by_hand(bias=0.0, threshold=0.5, **weights):
    features = {name: (0.0, 1.0, weight) for name, weight in weights.items()}
    return Calibration({}, Ranking(), features, bias, threshold)


@pytest.mark.parametrize(
    "calibration", [None, by_hand(margin=0.3, gap=0.2, cosine=1.0)], ids=["shipped", "by hand"]
)
def test_6_top_k_changes_neither_the_answer_nor_its_confidence(pipeline, monkeypatch, calibration):
    if calibration is not None:
        monkeypatch.setattr(pipeline, "calibration", calibration)
    for row in ROWS[::9]:
        one, many = (pipeline.ask(row["question"], top_k=k, min_confidence=0) for k in (1, 50))
        assert (one.answer, one.confidence, one.citations) == (many.answer, many.confidence, many.citations)
        assert one.alternatives == ()


def test_6_a_lone_candidate_is_not_certain(fresh):
    pipeline = fresh([from_text("Olaf", title="one word")])
    answer = pipeline.ask("Who is the keeper of the bridge?", min_confidence=0)
    assert (answer.answer, answer.alternatives, answer.nearest) in (("Olaf", (), None), (None, (), None))
    assert answer.confidence is None or answer.confidence < 0.9
    pipeline.calibration = by_hand(bias=-1.0, gap=5.0, agreement=5.0)
    answer = pipeline.ask("Who is Olaf?", min_confidence=0)
    assert answer.answer == "Olaf"
    assert answer.confidence == pytest.approx(
        1 / (1 + math.e), abs=1e-4
    )  # it has beaten nobody, and nobody agrees


def test_6_confidence_does_not_hang_on_what_else_was_retrieved(fresh):
    tower = from_text(
        "The tower of Almora is 312 metres tall. Greta Lindqvist built it in 1931.", title="tower"
    )
    pipeline = fresh([tower])
    calibration = by_hand(margin=0.1, score=0.05, cosine=3.0, bias=-1.0)
    pipeline.calibration = replace(calibration, ranking=Ranking(retrieval=0.0))  # the reader alone chooses
    question = "Who built the tower of Almora?"
    alone = pipeline.ask(question, min_confidence=0)
    before = row_of(pipeline, question, tower)
    others = [
        "The mill grinds barley.",
        "Who built the tower? Who built the tower of Almora? It is not known.",
    ]
    pipeline.add([from_text(text, title=text[:9]) for text in others])
    among = pipeline.ask(question, min_confidence=0)
    assert alone.answer == among.answer == "Greta Lindqvist"
    assert 0.01 < alone.confidence < 0.99
    assert among.confidence == pytest.approx(alone.confidence, abs=0.01)
    after = row_of(pipeline, question, tower)
    assert after["dense"] == before["dense"]
    assert after["score"] < before["score"] - 0.1, "nothing is shown unless the fused score did change"


def row_of(pipeline, question, article):
    return next(row for row in pipeline.search(question, 50) if row["article"] == article.id)


@pytest.mark.parametrize("changed", [None, "reader", "encoder", "settings"])
def test_6_a_calibration_holds_for_its_own_models_and_settings_only(fresh, seeds, encoder, tmp_path, changed):
    folder = shutil.copytree(ROOT / "models" / "reader", tmp_path / "reader", copy_function=os.symlink)
    (folder / FILE).unlink(missing_ok=True)
    article = seeds[1]
    plain = fresh([article], reader=folder)
    question = "where does niu jun work"
    answer = plain.ask(question, min_confidence=0)
    assert answer.confidence is None
    assert any(warning.startswith("this reader is not calibrated") for warning in answer.warnings)

    own = {"reader": plain.reader.identity, "encoder": encoder.identity, "settings": Tuned().name}
    if changed:
        own[changed] += " of old"
    replace(by_hand(bias=1.0), belongs_to=own).save(folder / FILE)
    answer = fresh([article], reader=folder).ask(question, min_confidence=0)
    assert answer.answer == "peking university"
    if changed is None:
        assert (answer.confidence, answer.warnings) == (0.7311, ())
    else:
        assert answer.confidence is None
        assert [w for w in answer.warnings if f"made for another {changed}: confidence is unknown" in w]
        assert {c.confidence for c in cited(answer)} == {None}


# ---- 7 offline


OFFLINE = """
import os, runpy, sys
tried = open(sys.argv.pop(1), "a")
def forbid(event, arguments):
    if event.startswith(("socket.connect", "socket.getaddrinfo", "socket.gethost", "socket.sendto", "socket.bind")):
        print(event, arguments[1:], file=tried, flush=True)
        raise OSError(f"no network: {event}")
sys.addaudithook(forbid)
sys.argv[0] = "qa"
runpy.run_module("qa", run_name="__main__", alter_sys=True)
"""


def test_7_nothing_is_fetched_and_nothing_phones_home(tmp_path):
    home, tried, index = tmp_path / "home", tmp_path / "tried", tmp_path / "index"
    home.mkdir()
    tried.touch()
    environment = {"PATH": os.environ["PATH"], "HOME": str(home)}
    question = ["ask", "where does niu jun work", "--min-confidence", "0"]
    for arguments, expected in [
        (["index", "--index", str(index)], ""),
        ([*question, "--index", str(index)], "peking university"),
        (["ask", "x", "--index", str(index), "--reader", "deepset/roberta-base-squad2"], None),
        (["ask", "x", "--index", str(index), "--encoder", "sentence-transformers/all-mpnet-base-v2"], None),
    ]:  # fmt: skip
        command = [sys.executable, "-c", OFFLINE, str(tried), *arguments]
        done = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, timeout=120, check=False
        )
        said = done.stderr.decode()
        if expected is None:
            assert (done.returncode, done.stdout, said.count("\n")) == (1, b"", 1), said
            assert "give a folder, or an id that is in the local cache" in said
        else:
            assert done.returncode == 0, said
            assert expected in done.stdout.decode()
    assert tried.read_text() == ""
    assert [path for path in home.rglob("*") if path.is_file()] == []


def test_7_the_guard_would_notice(tmp_path):
    tried = tmp_path / "tried"
    probe = (
        OFFLINE.partition("sys.argv[0]")[0]
        + "import urllib.request\nurllib.request.urlopen('http://127.0.0.1:9')"
    )
    done = subprocess.run(
        [sys.executable, "-c", probe, str(tried)], capture_output=True, timeout=60, check=False
    )
    assert done.returncode == 1
    assert "socket.getaddrinfo" in tried.read_text()


# ---- 8 never two articles in one span


def test_8_no_answer_crosses_from_one_article_into_the_next(fresh):
    halves = ["The capital of Freedonia is", "Sylvania City lies on a river.", "The prime minister is called",
              "Rufus Firefly was seen on Monday."]  # fmt: skip
    articles = [from_text(text, title=f"half {i}") for i, text in enumerate(halves)]
    pipeline = fresh(articles)
    texts = {article.id: article.text for article in articles}
    for question in (
        "What is the capital of Freedonia?",
        "Who is the prime minister called?",
        "What lies on a river?",
    ):
        answer = pipeline.ask(question, top_k=50, min_confidence=0)
        assert cited(answer)
        for c in cited(answer):
            assert texts[c.article][c.start : c.end] == c.text
            assert c.passage.text == texts[c.article]
            assert c.text not in ("is Sylvania City", "called Rufus Firefly")


def test_8_no_answer_comes_from_the_question(pipeline, reader):
    question = "where does niu jun work? niu jun works at harvard university in cambridge massachusetts"
    answer = pipeline.ask(question, top_k=50, min_confidence=0)
    assert answer.answer.startswith("peking university")
    for c in cited(answer):
        assert not {"harvard", "cambridge", "massachusetts"} & set(c.text.split())
    text = "the mill grinds barley for its miller"
    hits = [Hit(Passage("a", "v", 100, 100 + len(text), text), 1.0, 1.0, 1.0)]
    spans = reader.read("Who is the keeper? The keeper is Olaf Brandt. Olaf Brandt!", hits, best=100)
    assert {word for span in spans for word in span.text.split()} == set(text.split())
    for span in spans:
        assert text[span.start - 100 : span.end - 100] == span.text
