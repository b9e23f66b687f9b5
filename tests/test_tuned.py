from __future__ import annotations

import json

import pytest

from qa.passages import PassageSettings
from qa.tuned import FILE, Tuned, load_tuned
from qa.types import ArticleIndexError


def test_without_a_file_all_is_as_shipped(tmp_path):
    assert load_tuned(tmp_path / "none") == Tuned() == Tuned(200, 50, 0.55, 10)
    assert Tuned().passages(254) == PassageSettings()
    assert Tuned().name == "pool=50 dense=0.55 read=2+3+4+6+8+10 sure=8.0,4.0 hopeless=-6.0,-2.0"


def test_it_is_read_as_it_was_written(tmp_path):
    tuned = Tuned(longest=120, overlap=30, dense=0.75, read=5)
    tuned.save(tmp_path)
    assert load_tuned(tmp_path) == tuned
    assert tuned.name == "pool=50 dense=0.75 read=2+3+4+5 sure=8.0,4.0 hopeless=-6.0,-2.0 passages=120/30"
    assert [file.name for file in tmp_path.iterdir()] == [FILE]


def test_passages_fit_the_encoder():
    assert Tuned(longest=250, overlap=60).passages(254) == PassageSettings(250, 60, 70)
    assert Tuned(longest=250, overlap=60).passages(100) == PassageSettings(100, 50, 70)
    assert Tuned(longest=50, overlap=10).passages(254) == PassageSettings(50, 10, 50)


@pytest.mark.parametrize(
    "text",
    [
        "{", "[]", '{"longest": "200"}', '{"longest": 5}', '{"overlap": 150}', '{"dense": 1.5}', '{"dense": true}',
        '{"read": 0}', '{"read": 11}', '{"read": 3.5}', '{"depth": 3}', '{"dense": NaN}', "1",
    ],
)  # fmt: skip
def test_what_is_no_settings_is_one_clear_line(tmp_path, text):
    (tmp_path / FILE).write_text(text)
    with pytest.raises(ArticleIndexError, match=r"settings\.json holds no settings") as error:
        load_tuned(tmp_path)
    assert "\n" not in str(error.value)
    assert json.dumps(str(error.value))
