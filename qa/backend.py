"""Where an index is kept: in a folder of this machine (``index.py``), or in Milvus (``milvus/``).

Both are used alike; which one it is, ``--index`` says.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import timedelta
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from qa.index import Index
from qa.milvus.address import parse_address
from qa.snapshot import Snapshot
from qa.store import Put
from qa.transfer import LocalShelf, Shelf
from qa.types import Article, ArticleInfo, OldVersion, Range


class Backend(Protocol):
    """An open index. What the methods promise is said in ``index.Index``, which is one."""

    @property
    def snapshot(self) -> Snapshot:
        """The newest snapshot; hold on to it for a whole question."""

    def refresh(self, *, wait: bool = True) -> bool:
        """Take a new snapshot if anything was committed."""

    def has(self, article: str, version: str) -> bool:
        """Whether this very version is live and embedded."""

    def stale(self) -> list[str]:
        """Articles without passages: ``put`` them again."""

    def articles(self) -> list[ArticleInfo]:
        """The live articles, sorted by id."""

    def old_versions(self, age: timedelta) -> list[OldVersion]:
        """The versions that ceased to be live at least ``age`` ago."""

    def paths(self) -> dict[str, str]:
        """Where the live articles' files lie."""

    def article(self, article: str) -> Article:
        """The live article, as it was put."""

    def text(self, article: str, version: str | None = None) -> str:
        """A stored text."""

    def write(self, *, refresh: bool = True) -> AbstractContextManager[None]:
        """Group changes into one commit."""

    def put(
        self, article: Article, passages: Sequence[Range] = (), vectors: NDArray[np.floating] | None = None
    ) -> Put:
        """Add an article, or make this its live version."""

    def remove(self, article: str, *, forget: bool = False) -> None:
        """Take an article out of the search."""

    def delete_old(self, age: timedelta) -> list[OldVersion]:
        """Delete the versions that ``old_versions`` names."""

    def settle(self) -> None:
        """The end of a build."""

    def close(self) -> None:
        """No use after this."""


def open_backend(
    index: str | Path, *, encoder_identity: str, passage_settings: str,
    create: bool = False, rebuild: bool = False,
) -> Backend:  # fmt: skip
    """Open what ``--index`` names: ``milvus://HOST:PORT/NAME``, ``FILE.db`` for Milvus Lite, or a folder.

    The parameters and errors are those of ``Index.open``; and of ``milvus.index.MilvusIndex.open``.
    """
    address = parse_address(index)
    if address is None:
        return Index.open(
            index, encoder_identity=encoder_identity, passage_settings=passage_settings,
            create=create, rebuild=rebuild,
        )  # fmt: skip
    from qa.milvus.index import MilvusIndex

    return MilvusIndex.open(
        address,
        encoder_identity=encoder_identity,
        passage_settings=passage_settings,
        create=create,
        rebuild=rebuild,
    )


def open_shelf(index: str | Path, made_with: dict[str, str] | None = None) -> Shelf:
    """Open what ``--index`` names to copy articles from or to it, without any model.

    :param made_with: to make one there if there is none; None to read the one that is there.
    """
    address = parse_address(index)
    if address is None:
        return LocalShelf(index, made_with)
    from qa.milvus.shelf import MilvusShelf

    return MilvusShelf(address, made_with)
