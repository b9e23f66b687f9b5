"""What the reader is trained to make small. All logits are float32, (readings, tokens)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

_NEVER = -1e4  # the logit of a token that can be no answer; finite, so that gradients are


def alone(logits: Tensor, passage: Tensor, target: Tensor) -> Tensor:
    """Cross-entropy over each reading's passage and its [CLS], which stands for "no answer" (Devlin et al. 2019).

    :param passage: (readings, tokens), whether a token belongs to the passage.
    :param target: (readings,), the token to point at.
    """
    allowed = passage.clone()
    allowed[:, 0] = True
    return cross_entropy(logits.masked_fill(~allowed, _NEVER), target)


def together(logits: Tensor, passage: Tensor, target: Tensor, groups: Tensor) -> Tensor:
    """Cross-entropy over all passages of a question at once, without [CLS]: spans of different passages compare.

    Clark & Gardner 2018, section 3.3 ("shared-norm"): -log of exp(target) / sum of exp over all tokens of the group.
    Only groups with an answer count; 0 where there is none.

    :param groups: (readings,), the group of each, from 0.
    """
    answered = target > 0
    if not bool(answered.any()):
        return logits.sum() * 0.0
    sums = torch.logsumexp(logits.masked_fill(~passage, _NEVER), dim=1)  # (readings,)
    count = int(groups.max()) + 1
    peak = torch.full((count,), _NEVER).to(sums).scatter_reduce(0, groups, sums.detach(), "amax")
    spread = torch.zeros(count).to(sums).index_add(0, groups, (sums - peak[groups]).exp())
    whole = peak + spread.log()  # (groups,), the log of the sum over all their passages
    rows = answered.nonzero().squeeze(1)
    return (whole[groups[rows]] - logits[rows, target[rows]]).mean()


@contextmanager
def disturbed(weight: Tensor, length: float) -> Iterator[None]:
    """Meanwhile the vectors are moved by ``length`` along their gradient: what raises the loss fastest.

    Miyato, Dai & Goodfellow 2017, "Adversarial training methods for semi-supervised text classification", section 3:
    r = length * g / |g|; here of all vectors at once, so that a batch is moved by ``length`` in all.

    :param weight: (words, dimensions), with a gradient; put back afterwards to the bit.
    """
    assert weight.grad is not None
    before = weight.detach().clone()
    norm = weight.grad.norm()
    with torch.no_grad():
        if bool(norm > 0) and bool(norm.isfinite()):
            weight.add_(weight.grad, alpha=length / float(norm))
    try:
        yield
    finally:
        with torch.no_grad():
            weight.copy_(before)
