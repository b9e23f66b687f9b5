from __future__ import annotations

import json
import math
import shutil

import numpy as np
import pytest

from qa import cli
from qa.calibration import Calibration, Ranking
from qa.pipeline import open_index
from qa.training import tune as tuning
from qa.training.choosing import Choice, Trial
from qa.training.tune import Tried, Tuning, _undo, apply, refit, tune
from qa.tuned import Tuned
from qa.types import ArticleIndexError, DatasetError

BASE = Calibration({"settings": "old"}, Ranking(), {"margin": (1.0, 2.0, 3.0)}, bias=0.5, threshold=0.6)


def lines(path, rows):
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return path


def test_slope_and_shift_are_fitted_and_the_threshold_goes_along():
    rng = np.random.default_rng(1)
    score = rng.normal(scale=3, size=4000)
    right = rng.random(4000) < 1 / (1 + np.exp(-(0.5 * score - 1)))
    made = refit(BASE, Trial(score, right, ~right), 2.0, {"settings": "new"}, {"questions": 4000})
    slope = made.features["margin"][2] / 3.0
    assert slope == pytest.approx(0.5, abs=0.05)
    assert made.bias - slope * 0.5 == pytest.approx(-1, abs=0.1)
    assert made.threshold == pytest.approx(1 / (1 + math.exp(-(slope * 2.0 + made.bias - slope * 0.5))))
    assert made.belongs_to == {"settings": "new"}
    chance = made.probability({"margin": 3.0})
    assert math.log(chance / (1 - chance)) == pytest.approx(slope * 3.5 + made.bias - slope * 0.5)
    assert _undo(made, BASE, math.log(made.threshold / (1 - made.threshold))) == pytest.approx(2.0)


def test_what_cannot_be_told_is_not_made_up():
    score = np.array([1.0, 2.0, 3.0, 4.0])
    alike, upside_down = np.ones(4, bool), np.array([True, True, False, False])
    for right in (alike, upside_down):
        assert refit(BASE, Trial(score, right, np.zeros(4, bool)), 0.0, {}, {}) is None


def test_what_it_cannot_choose_by_is_said_before_anything_is_opened(tmp_path):
    few = lines(tmp_path / "few.jsonl", [{"question": "a?", "answers": ["b"]}] * 39)
    present = lines(tmp_path / "present.jsonl", [{"question": "a?", "answers": ["b"]}] * 40)
    own = lines(tmp_path / "own.jsonl", [{"question": "a?", "context": "b", "answers": ["b"]}] * 40)
    for path, why in [
        (few, "39 questions are too few"),
        (present, "with and without an answer"),
        (own, "its own articles"),
    ]:
        with pytest.raises(DatasetError, match=why):
            tune(path, tmp_path / "no index")


@pytest.fixture
def index(tmp_path):
    """The seeds, as an index of the test's own."""
    folder = tmp_path / "index"
    assert cli.main(["index", "--index", str(folder)]) == 0
    return folder


def test_an_index_in_milvus_has_no_place_for_settings(tmp_path):
    with pytest.raises(ArticleIndexError, match="copy brings it into a folder"):
        tune(tmp_path / "questions.jsonl", "milvus://127.0.0.1:1/news")


def test_the_settings_are_used_and_other_ones_leave_no_false_confidence(index, capsys):
    question = "where does niu jun work"
    with open_index(index) as pipeline:
        sure, passages = pipeline.ask(question), pipeline.info()["passages"]
    Tuned(dense=0.75, read=3).save(index)
    with open_index(index) as pipeline:
        unsure = pipeline.ask(question)
        assert len({s.hit.passage.start for s in pipeline.evidence(question, whole=True)[2]}) <= 3
    assert sure.confidence is not None
    assert (unsure.answer, unsure.confidence) == (sure.answer, None)
    assert any("was made for another settings" in warning for warning in unsure.warnings)
    Tuned(longest=120, overlap=30).save(index)
    capsys.readouterr()
    assert cli.main(["ask", question, "--index", str(index)]) == 1
    assert "--rebuild" in capsys.readouterr().err
    settings = Tuned(longest=120, overlap=30)
    tried = Tried(settings, Trial(np.zeros(1), np.zeros(1, bool), np.zeros(1, bool)), 1.0, 1, None)
    with open_index(index, rebuild=True) as pipeline:
        fitted = Calibration(dict(pipeline.belongs_to), Ranking(), {"margin": (0, 1, 1)}, 0.0, 0.4)
    choice = Choice(0, 0.0, 1.0, 1.0, 0.5, 0.5, (0.4, 0.6), (0,) * 5)
    apply(Tuning((tried,), choice, fitted), index, reader=None, encoder=None)
    with open_index(index) as pipeline:
        again = pipeline.ask(question)
        assert pipeline.info()["passages"] > passages
        assert pipeline.default_min_confidence == 0.4
    assert "peking university" in again.answer
    assert again.warnings == ()
    assert again.confidence is not None


def test_the_command_keeps_what_may_be_chance(monkeypatch, tmp_path, capsys):
    one = Trial(np.zeros(40), np.ones(40, bool), np.zeros(40, bool))
    tried = (Tried(Tuned(), one, 30.0, 9, None), Tried(Tuned(read=3), one, 10.0, 9, 2.0))
    applied = []
    monkeypatch.setattr(tuning, "apply", lambda found, index, **models: applied.append(found))

    def run(low, *flags):
        choice = Choice(1, 0.0, 0.9, 0.8, 0.7, 0.1, (low, 0.2), (1, 1, 0, 1, 1))
        monkeypatch.setattr(tuning, "tune", lambda *args, **known: Tuning(tried, choice, BASE))
        assert cli.main(["tune", "q.jsonl", "--index", str(tmp_path), *flags]) == 0
        return capsys.readouterr(), len(applied)

    said, count = run(-0.1)
    assert count == 0
    assert "held out: 0.700 as it is now, 0.800 as chosen: +0.100 [-0.100, +0.200]" in said.out
    assert "on the questions it was chosen on 0.900" in said.out
    assert "4 of 5 folds chose the same" in said.out
    assert "kept as it is" in said.err
    assert run(0.1, "--dry-run")[1] == 0
    assert run(0.1)[1] == 1
    assert run(-0.1, "--force")[1] == 2


@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_tuning_on_the_seeds_runs_through_and_says_what_it_costs(index, tmp_path, capsys):
    questions = shutil.copy("tests/questions/seeds.jsonl", tmp_path / "seeds.jsonl")
    assert cli.main(["tune", str(questions), "--index", str(index), "--dry-run"]) == 0
    said = capsys.readouterr().out
    assert "80 questions, 27 combinations" in said
    assert "as it is now" in said
    assert not (index / "settings.json").exists()
