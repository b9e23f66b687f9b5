"""What may be set for one index: how its articles are cut, searched and read; ``settings.json`` beside it.

Without the file, all is as shipped. ``python -m qa tune`` writes it. A calibration belongs to the settings it was
fitted with (``name``), so that with others there is no confidence, rather than a wrong one.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from qa.effort import OF_MORE, OF_TWO, READ
from qa.passages import PassageSettings
from qa.retriever import DENSE, POOL
from qa.types import ArticleIndexError

FILE = "settings.json"
_DEFAULT = PassageSettings()


@dataclass(frozen=True, slots=True)
class Tuned:
    """``longest`` and ``overlap`` of passages, in tokens; ``dense``, the share of meaning in the fusion; ``read``.

    :raises ValueError: if a value is out of range.
    """

    longest: int = _DEFAULT.longest
    overlap: int = _DEFAULT.overlap
    dense: float = DENSE
    read: int = READ[-1]  # at most; fewer where the reader is sure

    def __post_init__(self) -> None:
        whole = all(type(value) is int for value in (self.longest, self.overlap, self.read))
        if not whole or isinstance(self.dense, bool) or not isinstance(self.dense, int | float):
            raise ValueError("longest, overlap and read are whole numbers, dense is a number")
        if not (20 <= self.longest <= 500 and 0 <= self.overlap <= self.longest // 2):
            raise ValueError("longest is from 20 to 500, overlap at most half of it")
        if not (0 <= self.dense <= 1 and 1 <= self.read <= READ[-1]):
            raise ValueError(f"dense is from 0 to 1, read from 1 to {READ[-1]}")

    def passages(self, most: int) -> PassageSettings:
        """How articles are cut for an encoder that takes ``most`` tokens."""
        longest = min(self.longest, most)
        return PassageSettings(longest, min(self.overlap, longest // 2), min(_DEFAULT.shortest, longest))

    @property
    def name(self) -> str:
        """What a calibration belongs to."""
        steps = [step for step in READ if step < self.read] + [self.read]
        bounds = f"sure={OF_TWO.sure},{OF_MORE.sure} hopeless={OF_TWO.hopeless},{OF_MORE.hopeless}"
        name = f"pool={POOL} dense={self.dense:g} read={'+'.join(map(str, steps))} {bounds}"
        cut = (self.longest, self.overlap)
        same = cut == (_DEFAULT.longest, _DEFAULT.overlap)
        return name if same else f"{name} passages={self.longest}/{self.overlap}"

    def save(self, folder: Path) -> None:
        """Write it beside the index, whole or not at all."""
        replace_file(folder / FILE, json.dumps(asdict(self), indent=1) + "\n")


def replace_file(path: Path, text: str) -> None:
    """Write a file so that whoever reads it finds the old one or the new one."""
    part = path.with_suffix(".part")
    part.write_text(text, encoding="utf-8")
    os.replace(part, path)


def load_tuned(folder: Path) -> Tuned:
    """The settings of an index; as shipped where it has none of its own.

    :raises ArticleIndexError: if the file is there and is none.
    """
    path = folder / FILE
    try:
        if not path.is_file():
            return Tuned()
        stored = json.loads(path.read_text(encoding="utf-8"))
        return Tuned(**stored)
    except (OSError, ValueError, TypeError, RecursionError) as error:
        why = " ".join(str(error).split())[:100]
        raise ArticleIndexError(
            f"{path} holds no settings ({why}); mend it, or delete it and index again"
        ) from error
