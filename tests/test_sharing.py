from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from qa.sharing import Shared


class Runs:
    """Squares numbers, batch by batch; the first batch waits until it may go on."""

    def __init__(self):
        self.batches = []
        self.started, self.go = threading.Event(), threading.Event()

    def __call__(self, batch):
        first = not self.batches
        self.batches.append(list(batch))
        if first:
            self.started.set()
            assert self.go.wait(20)
        return [n * n for n in batch]


def waiting(shared, count):
    """Until so many items wait."""
    with shared._changed:
        assert shared._changed.wait_for(lambda: len(shared._waiting) == count, 20)


def test_items_of_one_kind_go_together_the_oldest_first_whoever_they_are_from():
    runs = Runs()
    shared = Shared(runs, lambda n: n % 2, runners=1, most=3)
    with ThreadPoolExecutor(3) as pool:
        first = pool.submit(shared, [0])
        assert runs.started.wait(20)
        second = pool.submit(shared, [1, 2, 3])
        waiting(shared, 3)
        third = pool.submit(shared, [4, 5, 7, 9])
        waiting(shared, 7)
        runs.go.set()
        assert first.result(20) == [0]
        assert second.result(20) == [1, 4, 9]
        assert third.result(20) == [16, 25, 49, 81]
    assert runs.batches == [[0], [1, 3, 5], [2, 4], [7, 9]]


def test_as_many_batches_at_a_time_as_there_are_runners():
    both = threading.Barrier(2, timeout=20)
    running, most, lock = 0, 0, threading.Lock()

    def run(batch):
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        both.wait()
        with lock:
            running -= 1
        return batch

    shared = Shared(run, lambda n: 0, runners=2, most=1)
    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(lambda n: shared([n])[0], range(8))) == list(range(8))
    assert most == 2


def test_an_error_is_for_those_whose_batch_it_was():
    runs = Runs()

    def run(batch):
        runs(batch)
        return [1 // n for n in batch]

    shared = Shared(run, lambda n: n == 0, runners=1, most=4)
    with ThreadPoolExecutor(3) as pool:
        first = pool.submit(shared, [1])
        assert runs.started.wait(20)
        others = [pool.submit(shared, [0]), pool.submit(shared, [1, 1])]
        waiting(shared, 3)
        runs.go.set()
        assert first.result(20) == [1]
        assert others[1].result(20) == [1, 1]
        with pytest.raises(ZeroDivisionError):
            others[0].result(20)
    assert shared([1]) == [1], "and the line goes on"


def test_a_caller_that_is_stopped_gives_its_place_back():
    def run(batch):
        if batch == [0]:
            raise KeyboardInterrupt
        return batch

    shared = Shared(run, lambda n: n, runners=1, most=4)
    with pytest.raises(KeyboardInterrupt):
        shared([0])
    assert shared([5, 6]) == [5, 6]
    assert shared([]) == []


def test_nothing_is_mixed_up_or_lost_among_many():
    shared = Shared(lambda batch: [n * n for n in batch], lambda n: n % 3, runners=2, most=4)
    with ThreadPoolExecutor(8) as pool:
        asked = [list(range(start, start + start % 7)) for start in range(300)]
        assert list(pool.map(shared, asked)) == [[n * n for n in items] for items in asked]
