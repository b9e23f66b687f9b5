"""How a reader is trained: every choice that changes the result."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

from qa.reader import MODEL_TOKENS


def _choice(default: Any, words: str) -> Any:  # noqa: ANN401
    return field(default=default, metadata={"help": words})


@dataclass(frozen=True, slots=True)
class Settings:
    """Defaults are of the first run towards the shipped reader; its model card has what later runs changed.

    Each is an option of ``python -m qa train``, with its help. Probabilities are of each question in each pass.

    :raises ValueError: if one is out of range; the message names it.
    """

    passes: float = _choice(1.0, "over the data")
    rate: float = _choice(1e-4, "peak of the learning rate; a line up to it, and a line down to 0")
    warmup: float = _choice(0.03, "share of the steps in which the rate rises")
    decay: float = _choice(0.01, "weight decay, not of biases and layer norms")
    clip: float = _choice(1.0, "longest gradient")
    tokens: int = _choice(6144, "tokens of a batch, padding included")
    longest: int = _choice(256, "tokens of a question with its passage; of a longer one, a window is read")
    adversarial: float = _choice(
        0.0,
        "length of the change to the words' vectors that hurts most, which each batch is read with too; 0: none",
    )
    shared: float = _choice(0.5, "weight of the loss over all passages of a question together")
    raw: float = _choice(0.35, "probability that a passage is stripped of case and punctuation")
    cut: float = _choice(0.3, "probability that its beginning and end are cut off")
    stray: float = _choice(0.15, "probability that it gets a line of boilerplate")
    styles: float = _choice(
        0.3, "probability that a question is typed otherwise: as a search, with an error ..."
    )
    retrieved: float = _choice(0.8, "probability that a passage the retriever returns in vain is read beside")
    swapped: float = _choice(0.15, "probability that a question is added with one thing in it swapped")
    removed: float = _choice(0.08, "probability that a passage is added without its answering sentence")
    human: float = _choice(3.0, "times its file's weight, for a question to which people found no answer")
    mined: int = _choice(14_000, "questions for which passages in vain are searched")
    paragraphs: int = _choice(9_000, "paragraphs among which they are searched")
    seed: int = _choice(0, "of everything left to chance")

    def __post_init__(self) -> None:
        for choice in fields(self):
            value = getattr(self, choice.name)
            if "probability" in choice.metadata["help"] or choice.name == "warmup":
                fits = 0 <= value <= 1
            elif choice.name in ("tokens", "longest"):
                fits = 32 <= value <= (MODEL_TOKENS if choice.name == "longest" else 10**6)
            elif choice.name in ("passes", "rate", "clip"):
                fits = 0 < value < float("inf")
            else:
                fits = 0 <= value < float("inf")
            if not fits:
                raise ValueError(f"--{choice.name} {value:g} is out of range")
        if self.longest > self.tokens:
            raise ValueError(f"--tokens {self.tokens} holds not even one reading of --longest {self.longest}")
