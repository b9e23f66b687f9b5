"""Work of several callers done together: who waits for a result helps to compute.

Callers at the same moment put what they want computed into one line. Each of them, until its own results are there,
takes the oldest piece of work with others of its kind, whoever they are from, and computes them in one batch; at most
so many batches at a time as there are cores. So no core is idle while anything waits, no thread stands by for it, and
texts of one length go together, which a network computes without padding.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(slots=True)
class _Job(Generic[Item, Result]):
    item: Item
    kind: Hashable
    done: bool = False
    result: Result | None = None
    error: BaseException | None = None


class Shared(Generic[Item, Result]):
    """Computes items of many callers in common batches. Thread-safe.

    :param run: computes a batch: one result for each of the items it is given, all of one kind.
    :param kind: which items go together.
    :param runners: batches under way at a time.
    :param most: items of a batch at most.
    """

    def __init__(
        self, run: Callable[[Sequence[Item]], Sequence[Result]], kind: Callable[[Item], Hashable], *,
        runners: int, most: int,
    ) -> None:  # fmt: skip
        self._run = run
        self._kind = kind
        self._free = runners
        self._most = most
        self._waiting: list[_Job[Item, Result]] = []  # oldest first
        self._changed = threading.Condition()

    def __call__(self, items: Sequence[Item]) -> list[Result]:
        """The items' results, in their order.

        :raises Exception: what ``run`` raised for the batch that one of them was in.
        """
        mine: list[_Job[Item, Result]] = [_Job(item, self._kind(item)) for item in items]
        with self._changed:
            self._waiting += mine
            self._changed.notify_all()
        while batch := self._next(mine):
            self._compute(batch)
        for job in mine:
            if job.error is not None:
                raise job.error
        return [job.result for job in mine]  # type: ignore[misc]  # each is done

    def _next(self, mine: Sequence[_Job[Item, Result]]) -> list[_Job[Item, Result]]:
        """A batch to compute, as soon as one may; none when all of mine are done."""
        with self._changed:
            while not all(job.done for job in mine):
                if self._free and self._waiting:
                    self._free -= 1
                    return self._take()
                self._changed.wait()
            return []

    def _take(self) -> list[_Job[Item, Result]]:
        """The oldest job, and the next ones of its kind."""
        kind = self._waiting[0].kind
        batch = [job for job in self._waiting if job.kind == kind][: self._most]
        taken = set(map(id, batch))
        self._waiting = [job for job in self._waiting if id(job) not in taken]
        return batch

    def _compute(self, batch: Sequence[_Job[Item, Result]]) -> None:
        try:
            for job, result in zip(batch, self._run([job.item for job in batch]), strict=True):
                job.result = result
        except Exception as error:
            for job in batch:
                job.error = error
        except BaseException as error:  # this thread is to end; the others' questions end with it
            for job in batch:
                job.error = error
            raise
        finally:
            with self._changed:
                self._free += 1
                for job in batch:
                    job.done = True
                self._changed.notify_all()
