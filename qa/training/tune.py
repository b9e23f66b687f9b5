"""Choose an index's settings on questions of one's own (``python -m qa tune``).

Every combination of passage length and overlap, share of meaning in the fusion, and passages read is asked every
question; settings and threshold are chosen by cross-validation (``choosing.py``), and written only where the gain on
questions not seen is hardly chance. The calibration shipped with the reader belongs to other settings then: of its
probability, slope and shift are fitted anew (Platt 1999) and put beside the index, with the threshold.
"""

from __future__ import annotations

import json
import math
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from qa.answering import candidates, features
from qa.calibration import FILE, Calibration, load_calibration
from qa.effort import read_while_unsure
from qa.evaluation.datasets import Question, load_dataset
from qa.evaluation.metrics import f1
from qa.evaluation.report import RIGHT
from qa.milvus.address import parse_address
from qa.models import model_folder
from qa.pipeline import Pipeline, open_index
from qa.reader import DEFAULT
from qa.retriever import Retriever
from qa.training.choosing import LEAST, Choice, Flags, Floats, Trial, best_threshold, choose
from qa.tuned import Tuned
from qa.types import ArticleIndexError, DatasetError, Hit, ModelError, Span, sha256

CUTS = ((200, 50), (120, 30), (250, 60))  # longest, overlap
DENSE = (0.35, 0.55, 0.75)
READ = (10, 6, 3)

Tell = Callable[[str, int, int], None]  # what is being done, how much of it is done, of how much


@dataclass(frozen=True, slots=True)
class Tried:
    """One combination: what it says, and what it costs."""

    settings: Tuned
    trial: Trial
    ms: float  # median of a question: search, and the passages read, one by one
    passages: int
    seconds: float | None  # to embed all articles; None where they are indexed so already


@dataclass(frozen=True, slots=True)
class Tuning:
    """All that was tried, the settings before first, and what was chosen."""

    tried: tuple[Tried, ...]
    choice: Choice
    calibration: Calibration | None  # fitted to the choice; None where the questions do not allow it

    @property
    def chosen(self) -> Tried:
        """The combination that was chosen."""
        return self.tried[self.choice.trial]


def tune(
    data: Path, index: str | Path, *, reader: str | Path | None = None, encoder: str | None = None,
    seed: int = 0, tell: Tell | None = None,
) -> Tuning:  # fmt: skip
    """Try the combinations on an index's articles; changes nothing (`apply` does).

    :param data: JSON Lines of questions, as ``evaluate`` takes them; feedback too, but for answers called wrong.
    :raises DatasetError: if there are too few questions to choose by, or only answerable ones.
    :raises ModelError: if the reader has no calibration to begin with.
    :raises ArticleIndexError: if the index is in Milvus, which has no place for settings of its own.
    """
    if parse_address(index) is not None:
        raise ArticleIndexError(
            f"{index} is in Milvus, and settings lie beside a local index; python -m qa copy brings it into a folder"
        )
    dataset = load_dataset(data)
    asked = [q for q in dataset.questions if not q.judged_wrong and not q.history and q.scope is None]
    if dataset.articles:
        raise DatasetError(f"{data} brings its own articles; tune takes questions about those of the index")
    if len(asked) < LEAST:
        raise DatasetError(f"{data}: {len(asked)} questions are too few to choose by; {LEAST} are the least")
    if all(q.answers for q in asked) or not any(q.answers for q in asked):
        raise DatasetError(f"{data}: a threshold needs questions with and without an answer ([]); add such")
    base = _shipped(reader)
    say = tell or (lambda what, done, of: None)
    with open_index(index, encoder=encoder, reader=reader) as pipeline:
        before = pipeline.tuned
        own = pipeline.calibration
        cuts = list(dict.fromkeys([(before.longest, before.overlap), *CUTS]))
        tried: list[Tried] = []
        for number, (longest, overlap) in enumerate(cuts):
            cut = replace(before, longest=longest, overlap=overlap)
            with _indexed(pipeline, cut, number == 0, encoder, reader) as (trial, seconds):
                say(f"passages of {longest}", number, len(cuts))
                tried += _ask_all(trial, cut, before, asked, base, seconds)
    threshold = _logit(own.threshold) if own else 0.0
    if own and own != base:  # the index has been tuned before: its threshold, as the shipped score has it
        threshold = _undo(own, base, threshold)
    tried.sort(key=lambda one: one.settings != before)
    choice = choose([one.trial for one in tried], threshold, seed)
    note = {"files": {data.name: sha256(data.read_bytes())[:16]}, "questions": len(asked), "seed": seed}
    found = tried[choice.trial]
    belongs_to = {**pipeline.belongs_to, "settings": found.settings.name}
    return Tuning(tuple(tried), choice, refit(base, found.trial, choice.threshold, belongs_to, note))


def apply(tuning: Tuning, index: str | Path, *, reader: str | Path | None, encoder: str | None) -> None:
    """Write settings and calibration beside the index; passages cut anew are embedded again.

    :raises QAError: as opening an index does.
    """
    folder = Path(index)
    tuning.chosen.settings.save(folder)
    if tuning.calibration is not None:
        tuning.calibration.save(folder / FILE)
    else:
        (folder / FILE).unlink(missing_ok=True)
    with open_index(index, encoder=encoder, reader=reader, rebuild=True) as pipeline:
        pipeline.reembed()


def _shipped(reader: str | Path | None) -> Calibration:
    """The reader's calibration, whatever settings it is for: the order of its scores is what counts here."""
    path = model_folder(reader or DEFAULT) / FILE
    try:
        belongs_to = json.loads(path.read_text(encoding="utf-8"))["belongs_to"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(
            f"{path} is no calibration; tuning begins with one: python -m qa calibrate"
        ) from error
    found, why = load_calibration(path.parent, belongs_to)
    if found is None:
        raise ModelError(str(why))
    return found


@contextmanager
def _indexed(
    pipeline: Pipeline, cut: Tuned, itself: bool, encoder: str | None, reader: str | Path | None
) -> Iterator[tuple[Pipeline, float | None]]:
    """The index's articles cut in one way, in the index ``itself`` or in one that passes; the seconds it took."""
    if itself:
        yield pipeline, None
        return
    with tempfile.TemporaryDirectory(prefix="qa-tune-") as folder:
        cut.save(Path(folder))
        with open_index(folder, create=True, encoder=encoder, reader=reader) as other:
            started = time.perf_counter()
            other.add(pipeline.index.article(info.article) for info in pipeline.articles())
            yield other, time.perf_counter() - started


def _ask_all(
    pipeline: Pipeline, cut: Tuned, before: Tuned, asked: Sequence[Question], base: Calibration,
    seconds: float | None,
) -> Iterator[Tried]:  # fmt: skip
    """Every question under each share of meaning and number of passages read."""
    snapshot = pipeline.index.snapshot
    spans: dict[
        tuple[int, str, int], tuple[list[Span], float]
    ] = {}  # read once: reading knows no share of meaning
    for dense in dict.fromkeys([before.dense, *DENSE]):
        retriever = Retriever(pipeline.encoder, dense)
        found: list[tuple[list[Hit], float]] = []
        for question in asked:
            started = time.perf_counter()
            hits = retriever.retrieve(snapshot, question.text)
            found.append((hits, 1000 * (time.perf_counter() - started)))
        for most in dict.fromkeys([before.read, *READ]):
            rows = [
                _answer(pipeline, number, question, hits[:most], hits, base, spans)
                for number, (question, (hits, _)) in enumerate(zip(asked, found, strict=True))
            ]
            ms = statistics.median(row[2] + searched for row, (_, searched) in zip(rows, found, strict=True))
            absent: Flags = np.array([not q.answers for q in asked])
            score: Floats = np.array([row[0] for row in rows])
            trial = Trial(score, np.array([row[1] for row in rows], dtype=bool), absent)
            yield Tried(replace(cut, dense=dense, read=most), trial, ms, len(snapshot), seconds)


def _answer(
    pipeline: Pipeline, number: int, question: Question, first: Sequence[Hit], hits: Sequence[Hit],
    base: Calibration, known: dict[tuple[int, str, int], tuple[list[Span], float]],
) -> tuple[float, bool, float]:  # fmt: skip
    """Score of the best answer, whether it is right, and the milliseconds that reading took."""
    snapshot = pipeline.index.snapshot
    took = 0.0

    def read(part: Sequence[Hit]) -> list[Span]:
        nonlocal took
        spans: list[Span] = []
        for hit in part:
            key = (number, hit.passage.article, hit.passage.start)
            if key not in known:
                started = time.perf_counter()
                made = pipeline.reader.read(question.text, [hit], lambda h: snapshot.masks(h.passage.article))
                known[key] = made, 1000 * (time.perf_counter() - started)
            spans += [replace(span, hit=hit) for span in known[key][0]]  # scored by this share of meaning
            took += known[key][1]
        return spans

    found = candidates(read_while_unsure(first, base.ranking, read), base.ranking)
    if not found:
        return -math.inf, False, took
    best = features(found[0], found[0].best, found, hits, snapshot.weigh(question.text))
    right = bool(question.answers) and f1(found[0].best.text, question.answers) >= RIGHT
    return _logit(base.probability(best)), right, took


def refit(
    base: Calibration, trial: Trial, threshold: float, belongs_to: dict[str, str], note: dict[str, object]
) -> Calibration | None:
    """The calibration with slope and shift that fit these questions; None where they cannot be told.

    :param threshold: on the scores of ``base``; it becomes a probability.
    """
    from sklearn.linear_model import LogisticRegression

    said = np.isfinite(trial.score)
    if len(set(trial.right[said].tolist())) < 2:
        return None
    model = LogisticRegression(C=1.0, max_iter=1000).fit(trial.score[said, None], trial.right[said])
    slope, shift = float(model.coef_[0, 0]), float(model.intercept_[0])
    if slope <= 0:  # surer where it is wrong
        return None
    weights = {name: (m, s, slope * w) for name, (m, s, w) in base.features.items()}
    chance = 1 / (1 + math.exp(-max(-50.0, min(50.0, slope * threshold + shift))))
    return replace(
        base, belongs_to=belongs_to, features=weights, bias=slope * base.bias + shift,
        threshold=min(max(chance, 0.01), 0.99), fitted_on=note,
    )  # fmt: skip


def _logit(chance: float) -> float:
    return math.log(min(max(chance, 1e-9), 1 - 1e-9) / (1 - min(max(chance, 1e-9), 1 - 1e-9)))


def _undo(own: Calibration, base: Calibration, logit: float) -> float:
    """A logit of a refitted calibration as one of what it was fitted from."""
    name = next(iter(base.features))
    slope = own.features[name][2] / base.features[name][2] if base.features[name][2] else 1.0
    return (logit - (own.bias - slope * base.bias)) / slope


def format_tuning(tuning: Tuning) -> str:
    """For a terminal: what was tried, what it costs, and what choosing is worth on questions not seen."""
    head = ["passages", "overlap", "dense", "read", "worth", "wrong", "declined", "ms", "indexing s", ""]
    rows = [head]
    choice = tuning.choice
    order = sorted(tuning.tried, key=lambda one: -_best(one.trial)[0])
    for one in order[:12] + [one for one in tuning.tried[:1] if one not in order[:12]]:
        worth, wrong, declined = _best(one.trial)
        mark = "chosen" if one is tuning.chosen else ""
        mark += " as it is now" if one is tuning.tried[0] else ""
        s = one.settings
        rows.append([
            str(s.longest), str(s.overlap), f"{s.dense:g}", str(s.read), f"{worth:.3f}", f"{wrong:.3f}",
            f"{declined:.3f}", f"{one.ms:.0f}", "-" if one.seconds is None else f"{one.seconds:.0f}", mark.strip(),
        ])  # fmt: skip
    widths = [max(len(row[i]) for row in rows) for i in range(len(head))]
    lines = ["  ".join(c.rjust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in rows]
    count = len(tuning.tried[0].trial.score)
    low, high = choice.interval
    agree = choice.picked.count(choice.trial)
    lines += [
        f"{count} questions, {len(tuning.tried)} combinations; worth: 1 right, 0 declined though there, -1 wrong;",
        "of each with its best threshold on all questions, which flatters",
        f"held out: {choice.before:.3f} as it is now, {choice.held_out:.3f} as chosen: {choice.gain:+.3f} "
        f"[{low:+.3f}, {high:+.3f}]; on the questions it was chosen on {choice.seen:.3f}",
        f"{agree} of {len(choice.picked)} folds chose the same",
    ]
    return "\n".join(lines)


def _best(trial: Trial) -> tuple[float, float, float]:
    """Worth, wrong answers and declines though there, at the threshold that is best on these questions."""
    at = best_threshold(trial)
    answered = (trial.score >= at) & np.isfinite(trial.score)
    wrong, declined = (answered & ~trial.right).mean(), (~answered & ~trial.absent).mean()
    return float(trial.worth(at).mean()), float(wrong), float(declined)
