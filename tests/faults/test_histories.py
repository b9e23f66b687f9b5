"""Incremental equals rebuild: after any history an index gives what a fresh index of the same articles gives."""

from __future__ import annotations

import shutil
import tempfile
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from index_helpers import SETTINGS, answers, article, cut, put, vector
from processes import PERSIST_FROM

from qa import exact as index_module
from qa.index import Index
from qa.retriever import Retriever
from qa.types import make_ref
from qa.verification import verify

STRAY = "common words of all these pages"
LONG = "The first article is about a river. It flows from the hills to the sea, past two towns and a mill."
TEXTS = st.one_of(
    st.sampled_from([
        LONG, f"{STRAY} {LONG} A zebra drinks from it.", "Short and common.",
        "🙂 Mühle\r\nau bord de la rivière 磨坊",
        f"{STRAY} " + " ".join(f"river{i} sea" for i in range(40)),
        f"{STRAY} " + " ".join(f"word{i % 7}" for i in range(60)) + f" {STRAY}",
    ]),
    st.lists(st.sampled_from([*STRAY.split(), "river", "sea", "zebra"]), min_size=1, max_size=80).map(" ".join),
)  # fmt: skip
NAMES = st.sampled_from(["a", "b", "c", "d", "e"])
QUESTIONS = ("river", STRAY, "the sea", "zebra mill zebra", "磨坊", "nowhere")


class ByHash:
    """Stands where an encoder does: each text has a vector of its own, which has nothing to do with its meaning."""

    @staticmethod
    def encode_question(question):
        return vector(question)


class Histories(RuleBasedStateMachine):
    """Two handles on one index, as two processes have, against a dictionary of what should be live."""

    def __init__(self):
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.live: dict[str, str] = {}
        self.cited: dict[str, tuple[str, str]] = {}  # ref -> article, its words
        self.forgotten: set[str] = set()

    @initialize(persisted=st.booleans())
    def begin(self, persisted):
        self.before = index_module.PERSIST_FROM
        index_module.PERSIST_FROM = PERSIST_FROM if persisted else 10**9
        self.worn = self.open("worn")
        self.other = self.open("worn")

    def open(self, name):
        return Index.open(self.folder / name, **SETTINGS, create=True)

    @rule(name=NAMES, text=TEXTS)
    def add_or_edit(self, name, text):
        new = name not in self.live
        expected = "added" if new else "unchanged" if self.live[name] == text else "updated"
        assert put(self.worn, article(name, text)) == expected
        self.live[name] = text
        made = article(name, text)
        start, end = cut(text)[-1]
        self.cited[make_ref(name, made.version, start, end)] = (name, text[start:end])

    @rule(changes=st.lists(st.tuples(NAMES, TEXTS), min_size=2, max_size=4))
    def several_in_one_commit_of_another_process(self, changes):
        with self.other.write():
            for name, text in changes:
                put(self.other, article(name, text))
                self.live[name] = text
        self.worn.refresh()

    @rule(name=NAMES, forget=st.booleans())
    def remove(self, name, forget):
        if name in self.live:
            self.worn.remove(name, forget=forget)
            del self.live[name]
            if forget:
                self.forgotten |= {ref for ref, (article, _) in self.cited.items() if article == name}

    @rule()
    def delete_old(self):
        gone = {(old.article, old.version[:12]) for old in self.other.delete_old(timedelta(0))}
        self.forgotten |= {ref for ref in self.cited if tuple(ref.split("#")[0].split("@")) in gone}
        assert self.worn.old_versions(timedelta(0)) == []

    @rule()
    def start_again(self):
        self.worn.close()
        self.worn = self.open("worn")

    @invariant()
    def gives_what_a_fresh_index_gives(self):
        self.worn.refresh()
        with self.open("fresh") as fresh:
            with fresh.write():
                for name, text in sorted(self.live.items(), reverse=True):
                    put(fresh, article(name, text))
            assert answers(self.worn, QUESTIONS) == answers(fresh, QUESTIONS)
            retriever = Retriever(ByHash())
            for question in QUESTIONS:
                hits = retriever.retrieve(self.worn.snapshot, question)
                assert hits == retriever.retrieve(fresh.snapshot, question)
                for hit in hits:
                    passage = hit.passage
                    assert self.live[passage.article][passage.start : passage.end] == passage.text
        shutil.rmtree(self.folder / "fresh")

    @invariant()
    def references_stay_checkable(self):
        for ref, (name, words) in self.cited.items():
            found = verify(self.worn, ref)
            live = self.live.get(name)
            if ref not in self.forgotten:
                assert found.text == words
                assert (found.state in ("unchanged", "moved")) == (live is not None and words in live)
            if live is None:
                assert found.state == "gone"

    def teardown(self):
        index_module.PERSIST_FROM = self.before
        self.worn.close()
        self.other.close()
        shutil.rmtree(self.folder)


Histories.TestCase.settings = settings(max_examples=20, stateful_step_count=8, deadline=None)
TestHistories = Histories.TestCase


@pytest.mark.slow
class TestManyHistories(Histories.TestCase):
    settings = settings(max_examples=40, stateful_step_count=20, deadline=None)
