"""Losses against sums done by hand, and attention against the library's own."""

from __future__ import annotations

import math

import pytest
import torch
from transformers import AutoModelForQuestionAnswering

from qa.reader import DEFAULT
from qa.training.attention import register
from qa.training.loss import alone, disturbed, together

# [CLS], question, passage, passage, [SEP]
PASSAGE = torch.tensor([[False, False, True, True, False]] * 3)
LOGITS = torch.tensor([[0.5, 9.0, 1.0, 2.0, 9.0], [0.0, 9.0, 3.0, 0.0, 9.0], [1.0, 9.0, 0.0, 1.0, 9.0]])


def test_alone_is_over_the_passage_and_cls():
    target = torch.tensor([3, 0, 2])
    e = math.exp
    expected = [
        math.log(e(0.5) + e(1) + e(2)) - 2,
        math.log(e(0) + e(3) + e(0)) - 0,
        math.log(e(1) + e(0) + e(1)) - 0,
    ]
    assert float(alone(LOGITS, PASSAGE, target)) == pytest.approx(sum(expected) / 3, abs=1e-5)


def test_together_is_over_all_passages_of_the_group_without_cls():
    target, groups = torch.tensor([3, 0, 2]), torch.tensor([0, 0, 1])
    e = math.exp
    first = math.log(e(1) + e(2) + e(3) + e(0)) - 2
    second = math.log(e(0) + e(1)) - 0
    assert float(together(LOGITS, PASSAGE, target, groups)) == pytest.approx((first + second) / 2, abs=1e-5)


def test_together_teaches_the_wrong_passage_too():
    logits = LOGITS.clone().requires_grad_()
    together(logits, PASSAGE, torch.tensor([3, 0, 2]), torch.tensor([0, 0, 1])).backward()
    assert logits.grad[1, 2] > 0.1  # the wrong passage's best token is pushed down
    assert logits.grad[0, 3] < 0
    assert not logits.grad[:, [0, 1, 4]].any()


def test_together_of_nothing_answered_is_nothing():
    logits = LOGITS.clone().requires_grad_()
    loss = together(logits, PASSAGE, torch.tensor([0, 0, 0]), torch.tensor([0, 0, 1]))
    loss.backward()
    assert float(loss.detach()) == 0
    assert not logits.grad.any()


def test_attention_is_the_library_s():
    ids = torch.arange(1000, 1080).reshape(2, 40)
    mask = torch.ones_like(ids)
    mask[0, 25:] = 0
    made = []
    for attention in ("sdpa", register()):
        model = AutoModelForQuestionAnswering.from_pretrained(
            DEFAULT, dtype=torch.float32, attn_implementation=attention
        ).eval()
        with torch.no_grad():
            made.append(model(input_ids=ids, attention_mask=mask).start_logits[mask.bool()])
    assert made[0].std() > 0.5
    torch.testing.assert_close(made[0], made[1], atol=1e-4, rtol=1e-4)


def test_disturbed_moves_the_vectors_up_their_gradient_and_puts_them_back():
    weight = torch.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    weight.grad = torch.tensor([[0.0, 3.0], [4.0, 0.0]])  # of length 5
    with disturbed(weight, 0.5):
        assert torch.allclose(weight, torch.tensor([[1.0, 2.3], [3.4, 4.0]]))
    assert weight.tolist() == [[1.0, 2.0], [3.0, 4.0]]


@pytest.mark.parametrize("gradient", [0.0, float("inf"), float("nan")])
def test_disturbed_leaves_alone_what_has_no_direction(gradient):
    weight = torch.tensor([[1.0, 2.0]], requires_grad=True)
    weight.grad = torch.tensor([[gradient, 0.0]])
    with disturbed(weight, 0.5):
        assert weight.tolist() == [[1.0, 2.0]]


def test_disturbed_puts_back_after_an_error():
    weight = torch.tensor([[1.0, 2.0]], requires_grad=True)
    weight.grad = torch.ones(1, 2)
    with pytest.raises(ZeroDivisionError), disturbed(weight, 0.5):
        raise ZeroDivisionError
    assert weight.tolist() == [[1.0, 2.0]]
