from __future__ import annotations

import threading
from concurrent.futures import CancelledError

import pytest

from qa_ui.errors import one_line
from qa_ui.load import BusyError, Line


def test_first_come_first_served_and_beyond_a_full_line_busy_at_once():
    line, go, served = Line(readers=1, waiting=3), threading.Event(), []

    def serve(n):
        assert go.wait(20)
        served.append(n)
        return n

    futures = [line.submit(serve, n) for n in range(4)]
    assert line.inside == 4
    with pytest.raises(BusyError) as caught:
        line.submit(serve, 9)
    assert one_line(caught.value) == "busy: too many questions are waiting; ask again in a few seconds"
    go.set()
    assert [future.result(20) for future in futures] == served == [0, 1, 2, 3]
    assert line.submit(serve, 5).result(20) == 5
    line.close()


def test_who_failed_has_left():
    line = Line(readers=1, waiting=0)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            line.submit(lambda: 1 / 0).result(20)
        while line.inside:
            pass
    line.close()


def test_closing_drops_who_waits_and_takes_no_more():
    line, go, started = Line(readers=1, waiting=5), threading.Event(), threading.Event()
    under_way = line.submit(lambda: started.set() or go.wait(20))
    waiting = line.submit(lambda: 1)
    assert started.wait(20)
    line.close()
    with pytest.raises(CancelledError):
        waiting.result(20)
    go.set()
    assert under_way.result(20)
    with pytest.raises(RuntimeError):
        line.submit(lambda: 1)
    assert line.inside == 0
