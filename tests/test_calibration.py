import json
import math

import pytest

from qa.calibration import FILE, Calibration, Ranking, load_calibration
from qa.types import ModelError

MODELS = {"reader": "reader@1", "encoder": "encoder@2", "settings": "pool=50"}
MADE = Calibration(
    belongs_to=MODELS,
    ranking=Ranking(null=0.25, retrieval=7.5),
    features={"margin": (2.0, 4.0, 1.5), "cosine": (0.5, 0.1, -0.2)},
    bias=0.3,
    threshold=0.45,
    fitted_on={"questions": 12},
)


def stored(**changes):
    as_json = {
        "belongs_to": dict(MODELS),
        "ranking": {"null": 0.25, "retrieval": 7.5},
        "features": {"margin": [2.0, 4.0, 1.5], "cosine": [0.5, 0.1, -0.2]},
        "bias": 0.3,
        "threshold": 0.45,
    }
    return as_json | changes


def write(folder, data):
    (folder / FILE).write_text(data if isinstance(data, str) else json.dumps(data), encoding="utf-8")


def test_probability():
    # .3 + 1.5 x (6 - 2) / 4 - .2 x (.6 - .5) / .1 = 1.6
    assert MADE.probability({"margin": 6.0, "cosine": 0.6}) == pytest.approx(1 / (1 + math.exp(-1.6)))
    assert MADE.probability({"margin": 2.0, "cosine": 0.5}) == pytest.approx(0.574442516811659)
    assert MADE.probability({"margin": 6.0, "cosine": 0.6, "another": 99.0}) == pytest.approx(0.8320183851)
    assert Calibration({}, Ranking(), {}, 0.0, 0.5).probability({}) == 0.5


def test_probability_stays_within_its_bounds():
    for margin in (1e9, -1e9, 1e300, -1e300):
        p = MADE.probability({"margin": margin, "cosine": 0.5})
        assert p == pytest.approx(float(margin > 0), abs=1e-9)
        assert 0 < p <= 1


def test_a_missing_feature_is_not_taken_for_nought():
    with pytest.raises(KeyError, match="cosine"):
        MADE.probability({"margin": 1.0})


def test_what_is_saved_is_loaded(tmp_path):
    MADE.save(tmp_path / FILE)
    loaded, warning = load_calibration(tmp_path, MODELS)
    assert loaded == MADE
    assert warning is None
    assert loaded.probability({"margin": 6.0, "cosine": 0.6}) == MADE.probability(
        {"margin": 6.0, "cosine": 0.6}
    )
    assert (tmp_path / FILE).read_text().endswith("}\n")


def test_a_calibration_as_it_is_written_by_hand(tmp_path):
    write(tmp_path, stored())
    loaded, warning = load_calibration(tmp_path, MODELS)
    assert (loaded.features, loaded.ranking, warning) == (MADE.features, MADE.ranking, None)
    assert loaded.fitted_on == {}


def test_none_is_a_warning(tmp_path):
    loaded, warning = load_calibration(tmp_path, MODELS)
    assert loaded is None
    assert warning.startswith("this reader is not calibrated: confidence is unknown")


@pytest.mark.parametrize("name", MODELS)
def test_another_models_calibration_is_refused(tmp_path, name):
    MADE.save(tmp_path / FILE)
    expected = (
        f"the calibration was made for another {name}: confidence is unknown "
        "(python -m qa calibrate makes one for this)"
    )
    assert load_calibration(tmp_path, MODELS | {name: "another"}) == (None, expected)
    write(tmp_path, stored(belongs_to={k: v for k, v in MODELS.items() if k != name}))
    assert load_calibration(tmp_path, MODELS) == (None, expected)


@pytest.mark.parametrize(
    "data",
    [
        "",
        "no JSON",
        "[]",
        "null",
        "{}",
        stored(belongs_to=None),
        stored(ranking={"unheard": 1}),
        stored(ranking=None),
        stored(features={"margin": [1, 2]}),
        stored(features={"margin": [1, 2, "x"]}),
        stored(features=["margin"]),
        stored(features={"phase_of_the_moon": [0, 1, 1]}),
        stored(features={"margin": [1, 0, 2]}),
        stored(bias=None),
        stored(threshold="high"),
    ],
)
def test_what_is_no_calibration(tmp_path, data):
    write(tmp_path, data)
    with pytest.raises(ModelError) as caught:
        load_calibration(tmp_path, MODELS)
    assert (
        str(caught.value) == f"{tmp_path / FILE} is not a calibration; make it again: python -m qa calibrate"
    )


def test_bytes_that_are_no_text(tmp_path):
    (tmp_path / FILE).write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ModelError, match="is not a calibration"):
        load_calibration(tmp_path, MODELS)
