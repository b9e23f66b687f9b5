import os

import numpy as np
import pytest

from qa import sealed_dense
from qa.dense import Dense
from qa.sealed_dense import VECTORS, LayeredDense, SealedDense

DIMENSION = 32


def clustered(count, seed=0, centres=40):
    """Unit vectors as meanings have them: around some centres, none of them far from the rest."""
    rng = np.random.default_rng(seed)
    middles = np.random.default_rng(99).standard_normal((centres, DIMENSION))
    vectors = middles[rng.integers(0, centres, count)] + 0.7 * rng.standard_normal((count, DIMENSION))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def made(folder, vectors):
    folder.mkdir(exist_ok=True)
    (folder / VECTORS).write_bytes(vectors.astype(np.float16).tobytes())
    SealedDense.build(folder, DIMENSION)
    return SealedDense(folder)


@pytest.fixture(scope="module")
def vectors():
    return clustered(6000)


@pytest.fixture(scope="module")
def sealed(vectors, tmp_path_factory):
    return made(tmp_path_factory.mktemp("base"), vectors)


QUERIES = clustered(100, seed=1)


def shares(sealed, vectors, k=20):
    exact = Dense.build(vectors.astype(np.float16))
    layered = LayeredDense(sealed, None, [])
    for query in QUERIES:
        rows, cosines = layered.search(query, k)
        expected, _ = exact.search(query, k)
        assert cosines.tolist() == exact.cosines(query, rows).tolist()
        assert np.all(np.diff(cosines) <= 0)
        yield len(set(rows.tolist()) & set(expected.tolist())) / k


def test_nearly_all_of_the_nearest_with_exact_cosines(sealed, vectors):
    assert sealed._index.nlist == 153
    assert np.mean(list(shares(sealed, vectors))) >= 0.995  # all lists are probed; only the codes can mislead


def test_probing_fewer_lists_finds_less(sealed, vectors, monkeypatch):
    """The figures of benchmarks/scale.md depend on this setting; it does what it says."""
    monkeypatch.setattr(sealed_dense, "_PROBED", 4)
    few = np.mean(list(shares(sealed, vectors)))
    monkeypatch.setattr(sealed_dense, "_PROBED", 40)
    assert 0.4 < few < np.mean(list(shares(sealed, vectors))) - 0.02


def test_what_is_gone_and_what_is_not_allowed_is_not_found(sealed, vectors, monkeypatch):
    exact = Dense.build(vectors.astype(np.float16))
    layered = LayeredDense(sealed, None, [(100, 4000)])
    for query in QUERIES[:20]:
        live = [(0, 100), (4000, 6000)]
        assert layered.search(query, 10)[0].tolist() == exact.search(query, 10, live)[0].tolist()
        for few in (1 << 15, 10):  # exactly, and by the quantised index
            monkeypatch.setattr(sealed_dense, "_EXACT_UP_TO", few)
            allowed = [(10, 60), (5000, 5100)]
            assert (
                layered.search(query, 10, allowed)[0].tolist() == exact.search(query, 10, allowed)[0].tolist()
            )
    assert layered.search(QUERIES[0], 10, [])[0].tolist() == []
    assert layered.search(QUERIES[0], 0)[0].tolist() == []


def test_base_and_delta_are_one(tmp_path, vectors):
    exact = Dense.build(vectors[:300].astype(np.float16))
    layered = LayeredDense(
        made(tmp_path, vectors[:200]), Dense.build(vectors[200:300].astype(np.float16)), []
    )
    for query in QUERIES[:20]:
        rows, cosines = layered.search(query, 300)
        expected, best = exact.search(query, 300)
        assert (rows.tolist(), cosines.tolist()) == (expected.tolist(), best.tolist())
        assert (
            layered.cosines(query, [250, 3, 199, 200]).tolist()
            == exact.cosines(query, [250, 3, 199, 200]).tolist()
        )
        allowed = [(150, 250)]
        assert layered.search(query, 20, allowed)[0].tolist() == exact.search(query, 20, allowed)[0].tolist()
        assert (
            layered.search(query, 20, [(200, 230)])[0].tolist()
            == exact.search(query, 20, [(200, 230)])[0].tolist()
        )


def test_files_that_do_not_fit(tmp_path, vectors):
    made(tmp_path, vectors[:200])
    os.truncate(tmp_path / VECTORS, 199 * 2 * DIMENSION)
    with pytest.raises(OSError, match="other vectors than"):
        SealedDense(tmp_path)
    (tmp_path / VECTORS).write_bytes(b"")
    with pytest.raises(OSError, match="no vectors"):
        SealedDense.build(tmp_path, DIMENSION)
    (tmp_path / "quantised.faiss").write_bytes(b"nothing")
    with pytest.raises(OSError, match="cannot read"):
        SealedDense(tmp_path)
