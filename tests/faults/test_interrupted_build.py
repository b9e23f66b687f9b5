"""``python -m qa index`` cut off by Ctrl-C and by ``kill -9``, again and again, goes on where it was."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time

import apsw
import pytest
from processes import ROOT

from qa.pipeline import open_index
from qa.types import sha256


def committed(index):
    """When each article was added, as other processes see it."""
    if not (index / "articles.sqlite").exists():
        return {}
    connection = apsw.Connection(str(index / "articles.sqlite"), flags=apsw.SQLITE_OPEN_READONLY)
    connection.set_busy_timeout(10_000)
    try:
        return dict(connection.execute("SELECT article, added FROM versions").fetchall())
    except apsw.SQLError:  # its tables are being made
        return {}
    finally:
        connection.close()


def start(command):
    # A shell starts what it runs in the background with SIGINT ignored, and that is inherited; a terminal does not.
    return subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip


def cut_off(command, index, how, after):
    """Start the build, and end it some seconds after its first commit; what it had committed."""
    before, deadline = committed(index), time.monotonic() + 200
    with start(command) as process:
        while len(committed(index)) == len(before):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.01)
        time.sleep(after)
        process.send_signal(how)
        out, said = process.communicate(timeout=100)
    expected = (130, b"stopped\n") if how == signal.SIGINT else (-signal.SIGKILL, b"")
    assert (out, process.returncode, said) == (b"", *expected)
    now = committed(index)
    assert {article: now[article] for article in before} == before  # nothing was done again
    return now


def build(tmp_path, cuts, reports):
    news, index = tmp_path / "news", tmp_path / "index"
    news.mkdir()
    for number in range(reports):
        (news / f"{number:04}.txt").write_text(f"Report: the mill of village {number} grinds barley.")
    command = [sys.executable, "-m", "qa", "index", str(news), "--index", str(index)]
    kept: dict[str, str] = {}
    for how, after in cuts:
        kept = cut_off(command, index, how, after)
        assert 0 < len(kept) < reports
    done = start(command)
    out, said = done.communicate(timeout=200)
    assert (done.returncode, out) == (0, b"")
    assert said.decode().splitlines() == [
        f"{reports - len(kept)} added, {len(kept)} unchanged; the index has {reports} articles, {reports} passages"
    ]
    assert committed(index).items() >= kept.items()
    with open_index(index) as pipeline:
        assert pipeline.info()["passages"] == reports
        assert {info.version for info in pipeline.articles()} == {
            sha256(path.read_bytes()) for path in news.iterdir()
        }
        answer = pipeline.ask("What does the mill of village 7 grind?", min_confidence=0)
        return answer.answer


def test_a_build_that_is_cut_off_goes_on_where_it_was(tmp_path, loaded_models):
    assert build(tmp_path, [(signal.SIGINT, 0.0), (signal.SIGKILL, 0.0)], 1100) == "barley"


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_a_build_that_is_cut_off_many_times(tmp_path, loaded_models, seed):
    rng = random.Random(seed)
    cuts = [(rng.choice([signal.SIGINT, signal.SIGKILL]), rng.uniform(0, 0.2)) for _ in range(6)]
    assert build(tmp_path, cuts, 4000) == "barley"
