"""Indexes in a Milvus Lite, for the tests; skipped, with a word, where the extra is not installed."""

from __future__ import annotations

import pytest
from index_helpers import SETTINGS

pytest.importorskip("milvus_lite", reason="needs pip install -r requirements-milvus.txt")

from qa.milvus.address import parse_address
from qa.milvus.index import MilvusIndex


def opened(folder, **changed):
    """The index of ``folder``/index.db."""
    return MilvusIndex.open(
        parse_address(folder / "index.db"), **{**SETTINGS, "create": True, "wait": 1.0, **changed}
    )


def kinds(index, *wanted):
    """The rows of ``records`` of some kinds: id without the number of its piece, and kind."""
    rows = index._connection.find("records", 'kind != ""', ("id", "kind"))
    return sorted((row["id"], row["kind"]) for row in rows if row["kind"] in wanted)


def stored(index, collection):
    """The ids of all rows of a collection."""
    condition = "id >= 0" if collection == "passages" else 'id != ""'
    return sorted(row["id"] for row in index._connection.find(collection, condition, ("id",)))
