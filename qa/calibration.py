"""Features of a candidate answer -> the probability that it is right.

A logistic regression, fitted on questions whose answers are known (``qa/training/calibrate.py``). A calibration holds
for the reader, the encoder and the retrieval settings it was fitted with, and for no others: with others there is
no probability.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from qa.types import ModelError

FILE = "calibration.json"  # beside the reader's weights
# What `answering.features` gives; a calibration may use some of them.
FEATURES = (
    "margin", "score", "cosine", "bm25", "coverage", "best_cosine", "rank", "gap", "agreement", "length",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Ranking:
    """How spans of different passages compare: score - ``null`` x null + ``retrieval`` x fused retrieval score."""

    null: float = 0.5
    retrieval: float = 8.0


@dataclass(frozen=True, slots=True)
class Calibration:
    """p = 1 / (1 + exp(-(bias + sum of weight x (feature - mean) / scale))).

    ``belongs_to`` names reader, encoder and retrieval settings; ``threshold`` is the probability below which the
    program rather says that it does not know.
    """

    belongs_to: Mapping[str, str]
    ranking: Ranking
    features: Mapping[str, tuple[float, float, float]]  # name -> mean, scale, weight
    bias: float
    threshold: float
    fitted_on: Mapping[str, Any] = field(default_factory=dict)

    def probability(self, features: Mapping[str, float]) -> float:
        """Of the candidate with these features being right, 0..1."""
        total = self.bias + sum(
            weight * (features[name] - mean) / scale for name, (mean, scale, weight) in self.features.items()
        )
        return 1 / (1 + math.exp(-max(-50.0, min(50.0, total))))

    def save(self, path: Path) -> None:
        """Write it as JSON."""
        path.write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")


def load_calibration(folder: Path, belongs_to: Mapping[str, str]) -> tuple[Calibration | None, str | None]:
    """The calibration in a reader's folder; or None with a warning, if there is none for these models and settings.

    :raises ModelError: if the file is there and is not a calibration.
    """
    path = folder / FILE
    if not path.is_file():
        return (
            None,
            "this reader is not calibrated: confidence is unknown (python -m qa calibrate makes it known)",
        )
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        calibration = Calibration(
            belongs_to=dict(stored["belongs_to"]),
            ranking=Ranking(**stored["ranking"]),
            features={name: (float(a), float(b), float(c)) for name, (a, b, c) in stored["features"].items()},
            bias=float(stored["bias"]),
            threshold=float(stored["threshold"]),
            fitted_on=stored.get("fitted_on", {}),
        )
        if not all(name in FEATURES and scale > 0 for name, (_, scale, _) in calibration.features.items()):
            raise ValueError("unknown features, or a scale of 0")
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(f"{path} is not a calibration; make it again: python -m qa calibrate") from error
    for name, value in belongs_to.items():
        if calibration.belongs_to.get(name) != value:
            return None, (
                f"the calibration was made for another {name}: confidence is unknown "
                "(python -m qa calibrate makes one for this)"
            )
    return calibration, None
