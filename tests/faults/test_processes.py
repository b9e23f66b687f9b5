"""Several processes on one index: who writes waits or says so, who reads sees whole commits and notices new ones."""

from __future__ import annotations

import threading
import time
from types import SimpleNamespace

import pytest
from index_helpers import SETTINGS, article, listed, put, vector
from processes import PERSIST_FROM, child, tell, told

from qa import exact as index_module
from qa.articles import read_file
from qa.index import Index
from qa.pipeline import Pipeline
from qa.types import IndexBusyError, sha256
from qa_ui.calls import calls
from qa_ui.desk import Desk

HOLDER = """
with Index.open(sys.argv[1], **SETTINGS, create=True) as index:
    with index.write():
        put(index, article("theirs", "the mill of the others"))
        print("writing", flush=True)
        sys.stdin.readline()
    print("written", flush=True)
"""

# Each commit changes every article, so that two commits can be told apart wherever one looks.
WHOLE_WRITER = """
with Index.open(sys.argv[1], **SETTINGS, create=True) as index:
    for number in range(1, 10_000):
        with index.write():
            for name in "abcd"[: 3 + number % 2]:
                put(index, article(name, f"commit{number} {name} " + f"word{number} common " * (5 + number % 9)))
            if number % 2 == 0:
                index.remove("d")
        print(number, flush=True)
"""

# What a person does in another window, with the real models: one command a line.
SECOND = """
from pathlib import Path
from qa.articles import read_file
from qa.pipeline import open_index
with open_index(sys.argv[1]) as pipeline:
    print("open", flush=True)
    for line in sys.stdin:
        what, name = line.split()
        if what == "add":
            pipeline.add([read_file(Path(name), source="mill.txt")])
        else:
            pipeline.remove(name, forget=what == "forget")
        print("done", flush=True)
"""


@pytest.fixture(params=["in memory", "persisted"])
def kept(request, monkeypatch):
    monkeypatch.setattr(index_module, "PERSIST_FROM", 10**9 if request.param == "in memory" else PERSIST_FROM)


# ---- two writers


def test_a_second_writer_waits_for_the_first(tmp_path):
    with child(HOLDER, tmp_path) as holder, Index.open(tmp_path, **SETTINGS, create=True) as index:
        assert told(holder) == "writing"
        threading.Timer(0.5, lambda: (holder.stdin.write("\n"), holder.stdin.flush())).start()
        started = time.monotonic()
        put(index, article("ours", "our mill"))
        assert time.monotonic() - started > 0.4
        assert told(holder) == "written"
        assert [info.article for info in index.snapshot.articles] == ["ours", "theirs"]
        assert index.snapshot.generation == 2


def test_a_second_writer_does_not_wait_for_ever(tmp_path):
    with child(HOLDER, tmp_path) as holder, Index.open(tmp_path, **SETTINGS, create=True, wait=0.3) as index:
        assert told(holder) == "writing"
        with pytest.raises(IndexBusyError) as caught:
            put(index, article("ours", "our mill"))
        assert str(caught.value) == (
            f"the index at {tmp_path} is being written by another process or thread (waited 0.3 s); try again later"
        )
        assert (
            index.snapshot.articles == index.articles() == []
        )  # reading goes on, and shows nothing unfinished
        assert tell(holder, "") == "written"
        assert put(index, article("ours", "our mill")) == "added"


def test_what_a_killed_writer_had_not_committed_is_nobodys(tmp_path):
    with child(HOLDER, tmp_path) as holder, Index.open(tmp_path, **SETTINGS, create=True) as index:
        assert told(holder) == "writing"
        holder.kill()
        holder.wait(60)
        assert put(index, article("ours", "our mill")) == "added"  # the lock went with the process
        assert [info.article for info in index.articles()] == ["ours"]


# ---- readers while another process writes


def commit_of(snapshot):
    """The number of the commit that all of a snapshot is of, wherever one looks; None where there is nothing."""
    if not snapshot.articles:
        return None
    texts = [snapshot.text(info.article) for info in snapshot.articles]
    (number,) = {int(text.split(" ", 1)[0].removeprefix("commit")) for text in texts}
    assert [info.article for info in snapshot.articles] == list("abcd"[: 3 + number % 2])
    passages = [snapshot.passage(row) for row in range(len(snapshot))]
    for row, passage in enumerate(passages):
        assert passage.text == snapshot.text(passage.article)[passage.start : passage.end]
        assert snapshot.cosines(vector(passage.text), [row])[0] == pytest.approx(1, abs=2e-3)
    found = {passages[row].article for row, _ in listed(snapshot.bm25(f"word{number}", 100))}
    assert found == {info.article for info in snapshot.articles}
    assert not listed(snapshot.bm25(f"word{number - 1} word{number + 1}", 100))
    return number


def test_a_reader_sees_whole_commits_only(tmp_path, kept):
    with child(WHOLE_WRITER, tmp_path) as writer:
        assert told(writer) == "1"
        drain = threading.Thread(target=writer.stdout.read)
        drain.start()
        with Index.open(tmp_path, **SETTINGS) as index:
            seen, until = [], time.monotonic() + 120
            while len(set(seen)) < 15 and time.monotonic() < until:
                index.refresh()
                seen.append(commit_of(index.snapshot))
                assert seen[-1] == index.snapshot.generation
            held, text = index.snapshot, index.snapshot.text("a")
            while index.snapshot.generation < held.generation + 3:
                index.refresh()
            assert (held.text("a"), commit_of(held)) == (text, seen[-1])  # an old one stays as it was
        writer.kill()
        drain.join()
    assert seen == sorted(seen)
    assert len(set(seen)) == 15


# ---- a running program notices


def test_what_another_process_changes_is_noticed_without_a_restart(tmp_path, encoder, loaded_models, seeds):
    mill, question = tmp_path / "mill.txt", "Who is the keeper of the mill?"
    mill.write_text("The keeper of the mill is Greta Lindqvist.")

    def asked():
        answer = pipeline.ask(question, min_confidence=0)
        return answer.answer, answer.index["generation"], [info.article for info in pipeline.articles()]

    with Pipeline(tmp_path / "index", encoder, create=True) as pipeline:
        _, state, *_ = calls(Desk(pipeline), set)  # what the page asks now and then
        request = SimpleNamespace(headers={})
        name = read_file(mill, source="mill.txt").id
        with child(SECOND, tmp_path / "index") as second:
            assert told(second) == "open"
            assert asked() == (None, 0, [])
            assert state({}, request)["counts"].startswith("0 articles")

            assert tell(second, f"add {mill}") == "done"
            assert state({}, request)["counts"].startswith("1 article ")  # the page, before any question
            assert asked() == ("Greta Lindqvist", 1, [name])
            ref = pipeline.ask(question, min_confidence=0).citations[0].ref
            assert pipeline.verify(ref).state == "unchanged"

            mill.write_text("The keeper of the mill is Olaf Brandt.")
            assert tell(second, f"add {mill}") == "done"
            assert pipeline.verify(ref).state in ("edited", "gone")
            assert pipeline.verify(ref).text == "Greta Lindqvist"
            assert asked() == ("Olaf Brandt", 2, [name])
            assert [row["text"] for row in pipeline.search("keeper")] == [
                "The keeper of the mill is Olaf Brandt."
            ]

            assert tell(second, f"remove {name}") == "done"
            assert asked() == (None, 3, [])
            assert (pipeline.verify(ref).state, pipeline.verify(ref).text) == ("gone", "Greta Lindqvist")
            assert tell(second, f"forget {name}") == "done"
            assert (pipeline.verify(ref).state, pipeline.verify(ref).text) == ("gone", None)


def test_questions_go_on_while_another_process_writes(tmp_path, encoder, loaded_models):
    """Each answer is of one commit: its quote is in the text that its version names."""
    mill, keepers = tmp_path / "mill.txt", ["Greta Lindqvist", "Olaf Brandt", "Amara Okafor", "Ivo Petrov"]
    texts = [f"The keeper of the mill is {keeper}." for keeper in keepers]
    mill.write_text(texts[0])
    seen = []
    with (
        Pipeline(tmp_path / "index", encoder, create=True) as pipeline,
        child(SECOND, tmp_path / "index") as second,
    ):
        assert told(second) == "open"

        def ask():
            while not done.is_set():
                answer = pipeline.ask("Who is the keeper of the mill?", min_confidence=0)
                if answer.citations:
                    (place,) = answer.citations
                    seen.append(
                        (answer.index["generation"], answer.answer, place.version, place.passage.text)
                    )

        done = threading.Event()
        threads = [threading.Thread(target=ask) for _ in range(2)]
        for thread in threads:
            thread.start()
        try:
            for number in range(12):
                mill.write_text(texts[number % 4])
                assert tell(second, f"add {mill}") == "done"
                time.sleep(0.1)
            time.sleep(0.2)
        finally:
            done.set()
            for thread in threads:
                thread.join()
    for generation, answer, version, passage in seen:
        number = (generation - 1) % 4
        assert (answer, version, passage) == (keepers[number], sha256(texts[number]), texts[number])
    assert len({generation for generation, *_ in seen}) > 3
    assert seen[-1][0] == 12
