from pathlib import Path

import numpy as np
import pytest
from index_helpers import vector

from qa.dense import Dense


def listed(found):
    return list(zip(*(values.tolist() for values in found), strict=True))


def test_cosines_by_hand():
    dense = Dense.build(np.array([[1, 0], [0.6, 0.8], [0, -1], [-1, 0]], np.float16))
    # float16: 0.6 = 1229 / 2048, 0.8 = 1638 / 2048 (the nearest it has)
    query = np.array([0, 1], np.float32)
    assert listed(dense.search(query, 3)) == [(1, 1638 / 2048), (0, 0.0), (3, 0.0)]
    assert listed(dense.search(np.array([1, 0], np.float32), 1)) == [(0, 1.0)]
    assert dense.search(query, 99)[0].tolist() == [1, 0, 3, 2]
    assert dense.cosines(query, [2, 1, 1, 0]).tolist() == [-1.0, 1638 / 2048, 1638 / 2048, 0.0]
    assert len(dense) == 4


@pytest.mark.parametrize("k", [0, 1, 4, 5, 50, 99, 100])
def test_equal_vectors_come_in_row_order_and_exactly_k_of_them(k):
    vectors = np.repeat(np.array([[0.6, 0.8], [0, 1], [1, 0]], np.float16), 33, axis=0)
    dense = Dense.build(vectors)
    expected = [*range(33, 66), *range(33), *range(66, 99)]
    assert dense.search(np.array([0, 1], np.float32), k)[0].tolist() == expected[:k]
    inside = [(10, 50), (80, 82)]
    allowed = [row for row in expected if 10 <= row < 50 or 80 <= row < 82]
    assert dense.search(np.array([0, 1], np.float32), k, inside)[0].tolist() == allowed[:k]


def test_a_score_does_not_depend_on_the_place():
    rng = np.random.default_rng(3)
    one, query = vector("one", 384).astype(np.float16), vector("query", 384)
    scores = set()
    for n in (1, 2, 3, 7, 8, 9, 33, 1000):
        vectors = rng.standard_normal((n, 384)).astype(np.float16)
        places = rng.integers(0, n, 3)
        vectors[places] = one
        dense = Dense.build(vectors)
        rows, found = dense.search(query, n)
        scores |= set(found[np.isin(rows, places)].tolist()) | set(dense.cosines(query, places).tolist())
        scores |= set(dense.search(query, 1, [(int(places[0]), int(places[0]) + 1)])[1].tolist())
    assert len(scores) == 1


def test_what_is_saved_is_searched_alike(tmp_path):
    vectors = np.stack([vector(str(i)) for i in range(20)]).astype(np.float16)
    dense = Dense.build(vectors)
    dense.save(tmp_path / "vectors")
    loaded = Dense.load(tmp_path / "vectors")
    assert len(loaded) == 20
    assert listed(loaded.search(vector("x"), 20)) == listed(dense.search(vector("x"), 20))


def test_what_cannot_be_read_or_written_is_an_os_error(tmp_path):
    (tmp_path / "broken").write_bytes(b"no vectors")
    for wrong in ("broken", "none"):
        with pytest.raises(OSError, match=f"cannot read .*{wrong}"):
            Dense.load(tmp_path / wrong)
    with pytest.raises(OSError, match=r"No such file or directory: .*vectors"):
        Dense.build(np.ones((1, 2), np.float16)).save(tmp_path / "nowhere" / "vectors")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux's")
@pytest.mark.parametrize("count", [1, 10_000], ids=["in the last buffer", "before"])
def test_a_full_disk_is_an_error_and_nothing_is_printed(capfd, count):
    with pytest.raises(OSError, match="No space left on device"):
        Dense.build(np.ones((count, 32), np.float16)).save(Path("/dev/full"))
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ([1, 0, 0], r"shape \(3,\), the index wants \(2,\)"),
        ([[1, 0]], r"shape \(1, 2\)"),
        ([1, np.nan], "not finite"),
        ([1, np.inf], "not finite"),
    ],
)
def test_a_question_that_does_not_fit_is_refused(question, words):
    dense = Dense.build(np.ones((1, 2), np.float16))
    with pytest.raises(ValueError, match=words):
        dense.search(np.array(question, np.float32), 1)
    with pytest.raises(ValueError, match=words):
        dense.cosines(np.array(question, np.float32), [0])
