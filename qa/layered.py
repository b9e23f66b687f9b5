"""Snapshots of very large indexes: a sealed base, and over it what changed since."""

from __future__ import annotations

from collections.abc import Iterator

from qa import sealing
from qa.bm25 import BM25
from qa.dense import Dense
from qa.exact import passage_texts
from qa.layered_bm25 import LayeredBM25
from qa.layers import Layers
from qa.reading import Changes
from qa.sealed_dense import LayeredDense
from qa.sealing import Sealed, Sealer
from qa.snapshot import Cache, Snapshot
from qa.store import Store
from qa.types import NotFoundError


class Layered:
    """Makes snapshots of the newest commit of a store that has very many passages."""

    def __init__(self, store: Store, cache: Cache, sealer: Sealer) -> None:
        self._store, self._cache, self._sealer = store, cache, sealer
        self._sealed: Sealed | None = None
        self.due = False  # whether so much has changed that a new base should be made

    def newest(self, far: int) -> Snapshot | None:
        """A snapshot of the newest commit; None if it first needs a new base.

        :param far: more changed passages than this are too many.
        """
        while name := self._store.sealed():
            if self._sealed is None or self._sealed.name != name:
                self._sealed = self._sealer.open(name)
            if self._sealed is None:
                if self._store.sealed() != name:
                    continue  # another process made a new one and deleted this
                return None
            if self._store.changed_passages() > far:
                return None
            changes = self._store.changes(name)
            if changes is None:
                continue
            try:
                return self._laid_over(self._sealed, changes)
            except NotFoundError:
                if self._store.stamp() == changes.contents.stamp:
                    return None  # texts of the base are gone, and so must it be
        return None

    def _laid_over(self, sealed: Sealed, changes: Changes) -> Snapshot:
        layers = Layers(sealed.tables, changes, self._store)
        new, vectors = changes.contents, changes.contents.vectors
        delta_dense = None if vectors is None or not len(vectors) else Dense.build(vectors)
        delta_words = BM25.build(passage_texts(self._store, new)) if len(new.owner) else None
        gone = BM25.build(self._gone_texts(layers)) if layers.dead_rows else None
        self.due = len(new.owner) + (len(gone) if gone else 0) > sealing.DELTA_MOST
        words = LayeredBM25(sealed.bm25, delta_words, gone, layers.dead_rows)
        dense = LayeredDense(sealed.dense, delta_dense, layers.dead_rows)
        return Snapshot(layers, dense, words, self._cache)

    def _gone_texts(self, layers: Layers) -> Iterator[tuple[int, str]]:
        """The passages of the base that are out of date. Their texts are kept as old versions.

        :raises NotFoundError: if one was deleted for good; then the base is being deleted too.
        """
        for number in layers.dead.tolist():
            text = self._store.text_of(layers.base.stored(number).info.version)
            for row in range(*layers.base.rows(number)):
                start, end = layers.base.place(row)
                yield row, text[start:end]
