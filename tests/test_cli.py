from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import apsw
import pytest

from qa import printing
from qa.articles import article_id
from qa.cli import main
from qa.evaluation.report import format_table
from qa.finding import SUPPORTED
from qa.pipeline import open_index

ROOT = Path(__file__).resolve().parent.parent
FIRST, SECOND = "000_38fab82d8fa18b35-f7bfde9f", "001_34707f324662fe23-7752956a"
NIU_JUN = f"{SECOND}@27c04ac46719#2866-2883"
QUESTION = "where does niu jun work"


def start(*arguments, **options):
    """``python -m qa`` as a process of its own."""
    options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options
    return subprocess.Popen([sys.executable, "-m", "qa", *arguments], cwd=ROOT, **options)


def finish(process, given=None):
    """Exit status, output, and the lines of what was said."""
    out, err = process.communicate(given, timeout=120)
    return process.returncode, out.decode(), err.decode().splitlines()


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """An index of the seeds, made by the command itself. Only read."""
    folder = tmp_path_factory.mktemp("cli") / "index"
    status, out, said = finish(start("index", "--index", str(folder)))
    assert (status, out, said) == (0, "", ["2 added; the index has 2 articles, 13 passages"])
    return str(folder)


@pytest.fixture
def own(built, tmp_path):
    """A copy of it, to be changed."""
    return shutil.copytree(built, tmp_path / "own")


@pytest.fixture
def qa(capsys, loaded_models):
    """Run a command in this process, with models that are loaded already; exit status, output, lines said."""

    def run(*arguments):
        capsys.readouterr()
        try:
            status = main([str(argument) for argument in arguments])
        except SystemExit as stop:  # argparse's way
            status = stop.code
        out, err = capsys.readouterr()
        return status, out, err.splitlines()

    return run


def untimed(answer):
    data = answer if isinstance(answer, dict) else answer.to_json()
    return {name: value for name, value in data.items() if name != "timings_ms"}


def files(folder):
    return {str(path): path.read_bytes() for path in Path(folder).rglob("*") if path.is_file()}


def edit(folder, key, value):
    """Make an index look as if something else had written it."""
    connection = apsw.Connection(str(Path(folder) / "articles.sqlite"))
    connection.execute("UPDATE meta SET value = ? WHERE key = ?", (value, key))
    assert connection.changes() == 1
    connection.close()


# ---- the same answers as from Python


@pytest.mark.parametrize(
    ("arguments", "flags"),
    [
        ({}, []),
        ({"min_confidence": 0.0}, ["--min-confidence", "0"]),
        ({"min_confidence": 0.0, "top_k": 2}, ["--min-confidence", "0", "--top-k", "2"]),
        ({"articles": [FIRST]}, ["--articles", FIRST]),
        ({"articles": ["seeds/0*", SECOND]}, ["--articles", "seeds/0*", SECOND]),
    ],
)
def test_ask_prints_the_pipelines_own_json(qa, built, pipeline, arguments, flags):
    status, out, said = qa("ask", QUESTION, "--index", built, "--json", *flags)
    assert (status, said) == (0, [])
    assert out.count("\n") == 1
    assert untimed(json.loads(out)) == untimed(pipeline.ask(QUESTION, **arguments))


def test_search_articles_and_verify_print_the_pipelines_own_json(qa, built, pipeline):
    with open_index(built) as same:
        expected = [
            (["search", "niu jun", "--top-k", "3"], pipeline.search("niu jun", 3)),
            (["search", "niu jun", "--articles", FIRST], pipeline.search("niu jun", articles=[FIRST])),
            (["articles"], [info.to_json() for info in same.articles()]),
            (["verify", NIU_JUN], pipeline.verify(NIU_JUN).to_json()),
        ]
    for arguments, wanted in expected:
        status, out, said = qa(*arguments, "--index", built, "--json")
        assert (status, said) == (0, [])
        assert json.loads(out) == wanted
    assert wanted["state"] == "unchanged"
    assert wanted["now"]["text"] == "peking university"


def test_a_process_of_its_own_gives_the_same(built, pipeline):
    strange = b"where does \xff niu jun work \xf0\x9f\x99\x82"
    process = start(
        "ask", strange, "--index", built, "--json", env={**os.environ, "PYTHONIOENCODING": "ascii"}
    )
    status, out, said = finish(process)
    assert (status, said) == (0, [])
    assert untimed(json.loads(out)) == untimed(pipeline.ask(os.fsdecode(strange)))


# ---- for people


def test_an_answer_in_words(qa, built):
    status, out, _ = qa("ask", QUESTION, "--index", built, "--min-confidence", "0")
    lines = out.splitlines()
    assert status == 0
    assert re.fullmatch(r"“peking university”   (confidence unknown|[a-z ]+ · \d+ %)", lines[0])
    assert lines[1] == f"  001_34707f324662fe23  [{NIU_JUN}]"
    assert "niu jun an expert at ▸peking university◂ in beijing" in lines[2]
    assert any(line.startswith("  another answer: “") for line in lines[3:])


def test_an_honest_no_in_words(qa, built):
    status, out, _ = qa("ask", "Where was Nikki Haley born?", "--index", built)
    assert status == 0
    assert out.startswith("The articles don't say. Something is near, but it is too unsure")
    assert "Nearest passage, not an answer (00" in out
    status, out, _ = qa("ask", "Who wrote Pride and Prejudice?", "--index", built)
    assert (status, out) == (0, "The articles don't say. Nothing in them seems to be about this.\n")


def test_the_other_commands_in_words(qa, built):
    status, out, said = qa("articles", "--index", built)
    assert (status, said) == (0, [])
    assert out.splitlines() == [
        f"{FIRST}  4728 characters, 6 passages  seeds/000_38fab82d8fa18b35.txt",
        f"{SECOND}  5380 characters, 7 passages  seeds/001_34707f324662fe23.txt",
    ]
    status, out, said = qa("search", "niu jun", "--index", built, "--top-k", "1")
    assert (status, said) == (0, [])
    assert out.startswith("1.000  001_34707f324662fe23  [001_34707f324662fe23-7752956a@27c04ac46719#")
    assert qa("verify", NIU_JUN, "--index", built) == (
        0, "unchanged: the article says these words at this place\n  “peking university”\n", []
    )  # fmt: skip


def test_a_claimed_quote_in_words_and_as_json(qa, built, pipeline):
    assert qa("verify", "--quote", "peking university", "--index", built) == (
        0, f"exact: these very words stand here\n  001_34707f324662fe23  [{NIU_JUN}]\n", []
    )  # fmt: skip
    claimed = "Niu Jun, an expert at Harvard University"
    status, out, said = qa("verify", "--quote", claimed, "--index", built)
    assert (status, said) == (0, [])
    assert out.splitlines() == [
        "near: something near stands here",
        f"  001_34707f324662fe23  [{SECOND}@27c04ac46719#2845-2883]",
        "    “niu jun an expert at peking university”",
        "      claimed “Harvard”, the article has “peking”",
    ]
    asked = ("verify", "--quote", claimed, "--articles", FIRST, "--index", built)
    assert qa(*asked) == (0, "absent: no article says this, or anything near it\n", [])
    assert json.loads(qa(*asked, "--json")[1]) == pipeline.verify_quote(claimed, [FIRST]).to_json()
    assert qa("verify", "--quote", "?!", "--index", built) == (
        1, "", ["verify: the quote holds no word; give the words an article is said to contain"]
    )  # fmt: skip


# ---- batches


def test_a_batch_answers_line_by_line_in_order(qa, built, pipeline, tmp_path):
    rows = [
        "who is heather nauert",
        "",
        json.dumps({"question": QUESTION, "top_k": 1, "min_confidence": 0, "articles": ["*/001*"]}),
        json.dumps({"question": "where does he work", "history": [["who is niu jun", None]]}),
        "  what dessert did trump and xi eat\r",
        json.dumps({"question": "where does \ud800 niu jun work", "min_confidence": 0}),
    ]
    batch = tmp_path / "batch.txt"
    batch.write_bytes(
        b"\xef\xbb\xbf" + "\n".join(rows).encode()
    )  # as some editors save: with a byte order mark
    status, out, said = qa(
        "ask", "--batch", batch, "--index", built, "--min-confidence", "0.2", "--top-k", "3"
    )
    assert (status, said) == (0, [])
    assert json.loads(out.splitlines()[2])["read_as"] == "where does niu jun work"
    expected = [
        pipeline.ask("who is heather nauert", top_k=3, min_confidence=0.2),
        pipeline.ask(QUESTION, top_k=1, min_confidence=0, articles=["*/001*"]),
        pipeline.ask("where does he work", [["who is niu jun", None]], top_k=3, min_confidence=0.2),
        pipeline.ask("what dessert did trump and xi eat", top_k=3, min_confidence=0.2),
        pipeline.ask("where does \ud800 niu jun work", top_k=3, min_confidence=0),
    ]
    assert [untimed(json.loads(line)) for line in out.splitlines()] == [
        untimed(answer) for answer in expected
    ]


def test_a_bad_line_of_a_batch_says_so_and_stops_nothing(qa, built, tmp_path):
    wrong = [
        ("{", "is not a JSON object"),
        ("{" * 100_000, "is not a JSON object"),
        ('{"top_k": 3}', 'no "question"'),
        ('{"question": "x", "topk": 3}', "unknown 'topk'"),
        ('{"question": "x", "progress": 3}', "unknown 'progress'"),
        ('{"question": 5}', "the question must be a text"),
        ('{"question": " "}', "the question is empty"),
        ('{"question": "x", "articles": 5}', "articles must be a list"),
        ('{"question": "x", "articles": ["nope"]}', "no article matches 'nope'"),
        ('{"question": "x", "history": 5}', "history must be a list"),
        ('{"question": "x", "top_k": "3"}', "top_k must be"),
        ('{"question": "x", "min_confidence": NaN}', "min_confidence must be"),
        ("\0", "the question is empty"),
    ]
    batch = tmp_path / "batch.txt"
    batch.write_text("\n".join([*(line for line, _ in wrong), QUESTION]), encoding="utf-8")
    status, out, said = qa("ask", "--batch", batch, "--index", built, "--min-confidence", "0")
    *bad, good = [json.loads(line) for line in out.splitlines()]
    assert status == 1
    assert said == ['ask: 13 lines could not be asked; see their "error"']
    assert good["answer"] == "peking university"
    for number, (row, (line, why)) in enumerate(zip(bad, wrong, strict=True), 1):
        assert set(row) == {"schema", "question", "error"}
        assert row["question"] == line.strip()[:200]
        assert row["error"].startswith(f"line {number}: ")
        assert why in row["error"]


@pytest.mark.parametrize(
    ("name", "status"), [("", 0), ("none", 1)]
)  # an index that is there, and one that is not
def test_it_is_gone_when_it_is_done(built, tmp_path, name, status):
    """The interpreter is not taken down around libraries' threads, which may crash then; nothing said is lost."""
    (tmp_path / "sitecustomize.py").write_text("import atexit\natexit.register(print, 'taken down')\n")
    environment = os.environ | {"PYTHONPATH": str(tmp_path)}
    plain = subprocess.run([sys.executable, "-c", ""], env=environment, capture_output=True, check=True)
    assert plain.stdout == b"taken down\n"  # so that it would be seen
    index = str(tmp_path / name) if name else built
    process = start("search", QUESTION, "--json", "--top-k", "50", "--index", index, env=environment)
    found, out, said = finish(process)
    assert found == status
    assert "taken down" not in out
    if status:
        assert (out, len(said)) == ("", 1)
    else:
        assert len(json.loads(out)) == 13


def test_a_batch_from_stdin(built):
    process = start("ask", "--batch", "-", "--index", built, "--min-confidence", "0", stdin=subprocess.PIPE)
    status, out, said = finish(process, f"{QUESTION}\n\n{{}}\nwo arbeitet \xff?\n".encode("latin-1"))
    rows = [json.loads(line) for line in out.splitlines()]
    assert (status, said) == (1, ['ask: 1 line could not be asked; see their "error"'])
    assert [row.get("answer") is not None for row in rows] == [True, False, True]
    assert (rows[0]["answer"], rows[2]["question"]) == ("peking university", "wo arbeitet \ufffd?")


# ---- indexing


def test_indexing_folders_in_steps(qa, tmp_path):
    news, other, index = tmp_path / "news", tmp_path / "other", tmp_path / "index"
    for path, text in [(news / "a.txt", "The mill grinds barley."), (news / "b.md", "# B\n\nA bridge."),
                       (other / "c.html", "<p>The keeper is Olaf Brandt.</p>")]:  # fmt: skip
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    assert qa("index", news, other, "--index", index) == (
        0, "", ["3 added; the index has 3 articles, 3 passages"]
    )  # fmt: skip
    assert qa("index", news, "--index", index)[2] == ["2 unchanged; the index has 3 articles, 3 passages"]

    (news / "a.txt").write_text("The mill grinds rye.")
    (news / "b.md").unlink()
    (other / "c.html").unlink()
    before = files(index)
    status, out, said = qa("index", news, "--index", index, "--sync", "--dry-run")
    assert (status, said) == (0, [])
    assert [re.sub("-[0-9a-f]{8}$", "", line) for line in out.splitlines()] == ["update a", "remove b"]
    assert {name: data for name, data in files(index).items() if not name.endswith("-shm")} == {
        name: data for name, data in before.items() if not name.endswith("-shm")
    }

    assert qa("index", news, "--index", index, "--sync")[2] == [
        "1 updated, 1 removed; the index has 2 articles, 2 passages"
    ]
    assert qa("index", news, "--index", index, "--sync", "--rebuild")[2] == [
        "nothing found to index; the index has 2 articles, 2 passages",
        "1 unchanged; the index has 2 articles, 2 passages",
    ]
    answer = json.loads(
        qa("ask", "Who is the keeper?", "--index", index, "--min-confidence", "0", "--json")[1]
    )
    assert answer["answer"] == "Olaf Brandt"


def test_a_dry_run_makes_no_index(qa, tmp_path):
    status, out, said = qa("index", "--index", tmp_path / "index", "--dry-run")
    assert (status, out.splitlines(), said) == (0, [f"add {FIRST}", f"add {SECOND}"], [])
    assert list(tmp_path.iterdir()) == []


def test_bad_files_are_named_and_stop_nothing(qa, tmp_path):
    news, index = tmp_path / "news", tmp_path / "index"
    news.mkdir()
    (news / "good.txt").write_text("The keeper is Olaf Brandt.")
    (news / "empty.txt").touch()
    (news / "binary.txt").write_bytes(bytes(range(256)) * 9)
    (news / "broken.pdf").write_bytes(b"%PDF-1.7\nno")
    (news / "picture.png").write_bytes(b"\x89PNG")
    (news / "lost.txt").symlink_to("nowhere")
    (news / "folder.txt").mkdir()
    (news / ".hidden.txt").write_text("hidden")
    status, out, said = qa("index", news, "--index", index)
    assert (status, out) == (0, "")
    assert sorted(said[:2]) == [
        f"passed over {news}/lost.txt: a link that leads nowhere",
        f"passed over {news}/picture.png: not one of {SUPPORTED}",
    ]
    assert [line.split()[:2] for line in said[2:5]] == [
        ["failed:", f"news/{name}"] for name in ("binary.txt", "broken.pdf", "empty.txt")
    ]
    assert said[5:] == ["1 added, 3 failed; the index has 1 article, 1 passage"]
    (news / "good.txt").unlink()
    status, _, said = qa("index", news, "--index", index)
    assert (status, said[-1]) == (1, "3 failed; the index has 1 article, 1 passage")
    status, out, said = qa("index", news, "--index", index, "--dry-run")
    assert (status, out) == (0, "")
    assert [line for line in said if line.startswith("would fail: news/")] == said[2:]
    assert len(said) == 5


def test_files_of_many_articles(qa, tmp_path):
    news, index = tmp_path / "news", tmp_path / "index"
    news.mkdir()
    (news / "all.csv").write_text("title,text,date\nTower,It is tall.,soon\nMill,It grinds barley.,\nBad,,\n")
    with zipfile.ZipFile(news / "old.zip", "w") as file:
        file.writestr("bridge.txt", "The keeper is Olaf Brandt.")
        file.writestr("__MACOSX/._bridge.txt", "no")
    tower, mill, bridge = (
        article_id(f"news/{name}", member=True)
        for name in ("all.csv/Tower", "all.csv/Mill", "old.zip/bridge.txt")
    )
    note = "note: news/all.csv has a date that is none (line 2: 'soon'); one looks like 2024-05-31"
    bad = "news/all.csv line 4: news/all.csv/Bad is empty; nothing to index"
    status, out, said = qa("index", news, "--index", index, "--dry-run")
    assert (status, out.split("\n"), said) == (
        0, [f"add {tower}", f"add {mill}", f"add {bridge}", ""], [note, f"would fail: {bad}"]
    )  # fmt: skip
    assert qa("index", news, "--index", index) == (
        0, "", [note, f"failed: {bad}", "3 added, 1 failed; the index has 3 articles, 3 passages"]
    )  # fmt: skip

    (news / "all.csv").write_text("title,text\nMill,It grinds rye.\n")
    assert qa("index", news / "all.csv", "--index", index, "--sync", "--dry-run") == (
        0, f"update {mill}\nremove {tower}\n", []
    )  # fmt: skip
    assert qa("index", news / "all.csv", "--index", index)[2] == [
        "1 updated; the index has 3 articles, 3 passages"
    ]
    assert qa("index", news / "all.csv", "--index", index, "--sync")[2] == [
        "1 unchanged, 1 removed; the index has 2 articles, 2 passages"
    ]
    (news / "all.csv").write_text("words\n")
    status, _, said = qa("index", news / "all.csv", "--index", index, "--sync")
    assert (status, said[-1]) == (1, "1 failed; the index has 2 articles, 2 passages")


def test_the_bar_counts_articles_and_what_became_of_them(qa, tmp_path, monkeypatch):
    bars = []

    class Bar(printing.tqdm):
        def __init__(self, **options):
            super().__init__(**options | {"disable": False, "mininterval": 0, "ncols": 200})
            bars.append(self)

        def close(self):
            self.last = str(self)
            super().close()

    monkeypatch.setattr(printing, "tqdm", Bar)
    news, index = tmp_path / "news", tmp_path / "index"
    news.mkdir()
    (news / "all.csv").write_text("title,text\nTower,It is tall.\nMill,It grinds barley.\nBad,\n")
    assert qa("index", news, "--index", index)[0] == 0
    (news / "b.txt").write_text("A bridge.")
    _, _, said = qa("index", news, "--index", index, "--dry-run")
    shown = [
        re.fullmatch(r"(\w+: 100%).* (\d+/\d+) \[.* article/s, (.*)\]", bar.last).groups() for bar in bars
    ]
    assert shown == [
        ("Indexing: 100%", "3/3", "failed=1"),  # what is added counts when it is committed: here, at the end
        ("Looking: 100%", "4/4", "added=1, unchanged=2, failed=1"),
    ]
    assert re.search(r"Looking: +75%.* 3/4 \[\d\d:\d\d<", "\n".join(said))  # the time left


def test_a_file_that_is_indexed_by_way_of_another_folder_is_passed_over(qa, tmp_path):
    mill, bridge, index = tmp_path / "news/deep/mill.txt", tmp_path / "news/bridge.txt", tmp_path / "index"
    mill.parent.mkdir(parents=True)
    mill.write_text("The mill grinds barley.")
    bridge.write_text("A bridge.")
    assert qa("index", mill.parent, "--index", index)[2] == ["1 added; the index has 1 article, 1 passage"]
    known = f"passed over {mill}: indexed already, as {article_id('deep/mill.txt')}"
    status, out, said = qa("index", tmp_path / "news", "--index", index, "--dry-run")
    assert (status, out, said) == (0, f"add {article_id('news/bridge.txt')}\n", [known])
    said = [known, "1 added; the index has 2 articles, 2 passages"]
    assert qa("index", tmp_path / "news", "--index", index) == (0, "", said)

    other = tmp_path / "other"
    assert qa("index", tmp_path / "news", "--index", other)[2] == [
        "2 added; the index has 2 articles, 2 passages"
    ]
    said = [
        f"passed over {mill}: indexed already, as {article_id('news/deep/mill.txt')}",
        "nothing found to index; the index has 2 articles, 2 passages",
    ]
    assert qa("index", mill.parent, "--index", other) == (0, "", said)


def test_a_folder_with_nothing_in_it(qa, tmp_path):
    (tmp_path / "nothing").mkdir()
    said = ["nothing found to index; the index has 0 articles, 0 passages"]
    assert qa("index", tmp_path / "nothing", "--index", tmp_path / "index") == (0, "", said)
    empty = ["--index", tmp_path / "index"]
    assert qa("articles", *empty) == (
        0,
        "",
        ["the index has no articles; add some: python -m qa index FOLDER"],
    )
    assert qa("articles", "--json", *empty) == (0, "[]\n", [])
    assert qa("search", "x", *empty) == (0, "", ["nothing found"])
    status, out, said = qa("ask", "x", *empty)
    assert (status, said) == (0, [])
    assert out.splitlines() == [
        "The articles don't say. There are no articles yet; add some: python -m qa index FOLDER"
    ]


def test_shards_fill_one_index(qa, tmp_path):
    for shard in ("1/2", "2/2", "1/2"):
        assert qa("index", "--index", tmp_path / "index", "--shard", shard, "--sync")[0] == 0
    out = qa("articles", "--index", tmp_path / "index", "--json")[1]
    assert [info["article"] for info in json.loads(out)] == [FIRST, SECOND]


def test_removing_an_article(qa, own):
    assert qa("remove", FIRST, "--index", own) == (0, "", [f"removed {FIRST}"])
    assert [info["article"] for info in json.loads(qa("articles", "--index", own, "--json")[1])] == [SECOND]
    assert qa("remove", FIRST, "--index", own) == (1, "", [f"remove: no article '{FIRST}' in the index"])
    assert qa("remove", SECOND, "--forget", "--index", own) == (
        0,
        "",
        [f"removed {SECOND} and its stored texts"],
    )
    assert json.loads(qa("verify", NIU_JUN, "--index", own, "--json")[1])["state"] == "gone"
    assert not any(b"peking university" in data for data in files(own).values())


def test_deleting_old_texts_for_good(qa, own):
    def state():
        found = json.loads(qa("verify", NIU_JUN, "--index", own, "--json")[1])
        return found["state"], found["text"]

    assert qa("remove", SECOND, "--index", own)[0] == 0
    listed = f"{SECOND}@27c04ac46719  5380 characters, live until 2"
    before = files(own)
    for age, flags, said in [
        ("1h", [], "no text is that old"),
        ("1h", ["--dry-run"], "no text is that old"),
        ("0d", ["--dry-run"], "would delete 1 old text of 1 article"),
    ]:
        status, out, words = qa("gc", "--older-than", age, *flags, "--index", own)
        assert (status, words) == (0, [said])
        assert out.startswith(listed) == (age == "0d")
        assert out.count("\n") == (age == "0d")
    assert files(own).keys() == before.keys()
    assert state() == ("gone", "peking university")
    assert any(b"peking university" in data for data in files(own).values())
    status, out, words = qa("gc", "--older-than", "0d", "--index", own)
    assert (status, words) == (0, ["deleted 1 old text of 1 article"])
    assert out.startswith(listed)
    assert state() == ("gone", None)
    assert not any(b"peking university" in data for data in files(own).values())
    assert [info["article"] for info in json.loads(qa("articles", "--index", own, "--json")[1])] == [FIRST]


# ---- what goes wrong is one line that names it, with the way out


def test_an_index_of_another_encoder_is_rebuilt_by_the_command_it_names(qa, own):
    before = qa("ask", QUESTION, "--index", own, "--json", "--min-confidence", "0")[1]
    edit(own, "encoder", "another@0123456789abcdef")
    for command in (["ask", QUESTION], ["search", "x"], ["articles"], ["index"], ["index", "--dry-run"]):
        status, out, said = qa(*command, "--index", own)
        assert (status, out, len(said)) == (1, "", 1)
        assert f"{command[0]}: the index at {own} was made with encoder 'another@0123456789abcdef'" in said[0]
    way_out = shlex.split(said[0].partition("rebuild it: ")[2])
    assert way_out[:3] == ["python", "-m", "qa"]
    status, out, said = qa(*way_out[3:])
    assert (status, out) == (0, "")
    assert said == ["2 updated; the index has 2 articles, 13 passages"]
    after = qa("ask", QUESTION, "--index", own, "--json", "--min-confidence", "0")[1]
    before, after = (untimed(json.loads(answer)) for answer in (before, after))
    assert {**after, "index": None} == {**before, "index": None}


def test_an_index_of_a_newer_version_is_left_alone(qa, own):
    edit(own, "schema", "99")
    for command in (["ask", QUESTION], ["index"], ["index", "--rebuild"], ["remove", FIRST]):
        status, out, said = qa(*command, "--index", own)
        assert (status, out, len(said)) == (1, "", 1)
        assert re.search(r"has format 99, and this program knows \d+: update the program", said[0])


@pytest.mark.parametrize(
    "command",
    [["ask", "x"], ["ask", "--batch", "-"], ["search", "x"], ["articles"], ["remove", "x"],
     ["gc", "--older-than", "0d"], ["verify", NIU_JUN]],
)  # fmt: skip
def test_a_missing_index_is_not_made_by_asking(qa, tmp_path, command):
    missing = tmp_path / "it's not here"
    status, out, said = qa(*command, "--index", missing)
    assert (status, out) == (1, "")
    assert said == [
        f"{command[0]}: no index at {missing}; make one: python -m qa index --index {shlex.quote(str(missing))}"
    ]
    assert list(tmp_path.iterdir()) == []


def test_an_index_that_is_no_index(qa, tmp_path):
    (tmp_path / "file").write_text("a file")
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "articles.sqlite").write_bytes(b"not a database, however long it is " * 99)
    for place in ("file", "broken"):
        for command in (["ask", "x"], ["index"]):
            status, out, said = qa(*command, "--index", tmp_path / place)
            assert (status, out, len(said)) == (1, "", 1)
            assert str(tmp_path / place) in said[0]
    assert (tmp_path / "file").read_text() == "a file"


def test_a_missing_or_broken_model(qa, built, tmp_path):
    (tmp_path / "empty").mkdir()
    broken = shutil.copytree(ROOT / "models" / "reader", tmp_path / "broken", copy_function=os.symlink)
    (broken / "tokenizer.json").unlink()
    other = shutil.copytree(ROOT / "models" / "reader", tmp_path / "other", copy_function=os.symlink)
    (other / "int8.json").unlink()
    for flag, value, words in [
        ("--reader", "/nowhere/model", "no model at '/nowhere/model'; give a folder, or an id"),
        ("--reader", "nobody/nothing", "no model at 'nobody/nothing'; give a folder, or an id"),
        ("--reader", tmp_path / "empty", f"no weights (*.safetensors) in {tmp_path}/empty"),
        ("--reader", broken, f"{broken} has no tokenizer.json"),
        ("--reader", other, f"run: python -m qa quantize --reader {other} --data FILE"),
        (
            "--encoder",
            "/nowhere/model",
            "no sentence-transformers model at '/nowhere/model'; give a folder, or an id",
        ),
    ]:
        status, out, said = qa("ask", QUESTION, "--index", built, flag, value)
        assert (status, out, len(said)) == (1, "", 1), said
        assert said[0].startswith("ask: ")
        assert words in said[0]


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (["ask", ""], "ask: the question is empty; ask something"),
        (["ask", " \t"], "ask: the question is empty; ask something"),
        (["ask", "x", "--articles", "nope"], "ask: no article matches 'nope'; see the list of articles"),
        (
            ["search", "x", "--articles", "nope"],
            "search: no article matches 'nope'; see the list of articles",
        ),
        (["ask", "--batch", "/nowhere/b.txt"], "ask: cannot read /nowhere/b.txt: no such file or directory"),
        (["ask", "--batch", "/"], "ask: cannot read /: is a directory"),
        (["index", "/nowhere/news"], "index: no such file or folder: /nowhere/news; check the spelling"),
        (
            ["index", str(ROOT / "Makefile")],
            f"index: {ROOT}/Makefile is of no supported kind; supported are .txt,",
        ),
        (["verify", "x"], "verify: not a reference: 'x'; one looks like article@0123456789ab#10-20"),
        (["remove", "nope"], "remove: no article 'nope' in the index"),
        (["evaluate", "/nowhere/set.jsonl"], "evaluate: "),
    ],
)
def test_what_fails_is_one_line_and_exit_1(qa, built, command, words):
    status, out, said = qa(*command, "--index", built)
    assert (status, out, len(said)) == (1, "", 1), said
    assert said[0].startswith(words)
    assert all(argument in said[0] for argument in command[1:] if argument.startswith("/nowhere"))


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ([], "COMMAND"),
        (["nope"], "'nope'"),
        (["ask"], "QUESTION or --batch FILE"),
        (["ask", "x", "--batch", "y"], "QUESTION or --batch FILE"),
        (["ask", "x", "y"], "y"),
        (["ask", "x", "--top-k", "0"], "--top-k"),
        (["ask", "x", "--top-k", "many"], "--top-k"),
        (["ask", "x", "--top-k", "51"], "--top-k"),
        (["search", "x", "--top-k", "51"], "--top-k"),
        (["ask", "x", "--min-confidence", "1.5"], "--min-confidence"),
        (["ask", "x", "--min-confidence", "nan"], "--min-confidence"),
        (["ask", "x", "--nope"], "--nope"),
        (["search"], "QUERY"),
        (["index", "--shard", "0/2"], "--shard"),
        (["index", "--shard", "3/2"], "--shard"),
        (["index", "--shard", "half"], "--shard"),
        (["index", "--sync", str(ROOT / "seeds" / "000_38fab82d8fa18b35.txt")], "--sync"),
        (["index", "--dry-run", "--rebuild"], "--dry-run"),
        (["remove"], "ARTICLE"),
        (["gc"], "--older-than"),
        (["gc", "--older-than", "30"], "--older-than"),
        (["verify"], "REF"),
        (["verify", NIU_JUN, "--quote", "x"], "--quote"),
        (["verify", NIU_JUN, "--articles", "x"], "--articles"),
        (["evaluate"], "DATASET"),
        (["quantize", "--data", "x", "--encoder", "y", "--reader", "z"], "--encoder and --reader"),
    ],
)
def test_bad_usage_is_one_line_that_names_the_flag_and_exit_2(qa, tmp_path, monkeypatch, command, words):
    monkeypatch.chdir(tmp_path)
    status, out, said = qa(*command)
    assert (status, out, len(said)) == (2, "", 1)
    assert words in said[0]
    assert said[0].endswith(" --help")
    assert list(tmp_path.iterdir()) == []


def test_help_tells_of_every_command(qa):
    status, out, said = qa("--help")
    assert (status, said) == (0, [])
    commands = [
        "index",
        "ask",
        "search",
        "articles",
        "remove",
        "gc",
        "copy",
        "verify",
        "evaluate",
        "train",
        "average",
        "calibrate",
        "quantize",
        "tune",
    ]
    assert re.findall(r"^    (\w+)", out, re.MULTILINE) == commands
    for command in commands:
        status, out, said = qa(command, "--help")
        assert (status, said) == (0, [])
        assert out.startswith(f"usage: python -m qa {command} ")


def test_evaluating_a_set_of_questions(qa, built, tmp_path):
    dataset, out_file = tmp_path / "set.jsonl", tmp_path / "out.json"
    rows = [
        {"question": QUESTION, "answers": ["peking university"]},
        {"question": "who won the cup", "answers": []},
    ]
    dataset.write_text("".join(json.dumps(row) + "\n" for row in rows))
    status, out, _ = qa("evaluate", dataset, "--index", built, "--json", out_file)
    results = json.loads(out_file.read_text())
    assert status == 0
    assert [(row["questions"], row["end_to_end"]["forced"]["em"]) for row in results] == [(2, 100.0)]
    assert out.strip() == format_table(results).strip()


# ---- processes that are cut short


def test_a_closed_pipe_is_no_error(built, tmp_path):
    process = start("articles", "--index", built)
    process.stdout.close()  # before anything is written
    with process.stderr as said:
        assert said.read() == b""
    assert process.wait(timeout=60) == 0

    batch = tmp_path / "batch.txt"
    batch.write_text("?\n" * 3000)  # quickly answered, and more than a pipe holds
    process = start("ask", "--batch", str(batch), "--index", built)
    assert process.stdout.readline().startswith(b'{"schema": 1')
    process.stdout.close()
    with process.stderr as said:
        assert said.read() == b""
    assert process.wait(timeout=60) == 0
