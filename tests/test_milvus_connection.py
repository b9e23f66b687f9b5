import subprocess
import sys
import threading

import pytest
from index_helpers import SETTINGS, article, put
from milvus_helpers import opened

from qa.backend import open_backend, open_shelf
from qa.milvus import connection as connection_module
from qa.milvus.address import parse_address
from qa.milvus.connection import Connection
from qa.types import (
    ArticleIndexError,
    IndexBusyError,
    IndexMismatchError,
    IndexMissingError,
    IndexTooNewError,
    IndexUnreachableError,
)


def one_line(error):
    assert "\n" not in str(error.value)
    return str(error.value)


def test_without_milvus_lite_one_line_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "milvus_lite.adapter.grpc.server", None)
    with pytest.raises(ArticleIndexError, match=r"pip install -r requirements-milvus\.txt") as refused:
        open_backend(tmp_path / "a.db", **SETTINGS, create=True)
    one_line(refused)


def test_no_server_there(monkeypatch):
    monkeypatch.setattr(connection_module, "CONNECT", 0.5)
    with pytest.raises(
        IndexUnreachableError, match=r"no answer from Milvus at milvus://127\.0\.0\.1:1/news"
    ) as refused:
        open_backend("milvus://127.0.0.1:1/news", **SETTINGS)
    one_line(refused)


def test_a_connection_that_is_lost(tmp_path):
    """A server goes away: what is asked then says so, and what was committed is there when it is back."""
    index = opened(tmp_path)
    put(index, article("a", "The river flows to the sea."))
    index._connection.timeout = 1.0
    index._connection._stop()
    with pytest.raises(IndexUnreachableError, match="What was committed is safe"):
        put(index, article("b", "The mill stands still."))
    with pytest.raises(IndexUnreachableError):
        index.refresh()
    index.close()
    with opened(tmp_path) as again:
        assert [info.article for info in again.articles()] == ["a"]
        assert put(again, article("b", "The mill stands still.")) == "added"


def test_a_milvus_lite_file_is_for_one_at_a_time(tmp_path):
    with opened(tmp_path), pytest.raises(IndexBusyError, match="one at a time") as refused:
        opened(tmp_path)
    one_line(refused)
    opened(tmp_path).close()


def test_what_is_there_and_is_no_index(tmp_path):
    (tmp_path / "index.db").write_text("notes")
    with pytest.raises(ArticleIndexError, match=r"cannot open .*index\.db") as refused:
        opened(tmp_path)
    one_line(refused)


def test_there_is_none(tmp_path):
    with pytest.raises(IndexMissingError, match="make one: python -m qa index"):
        opened(tmp_path, create=False)
    with pytest.raises(IndexMissingError):
        open_shelf(tmp_path / "index.db")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "index.db").mkdir()
    with pytest.raises(IndexMissingError, match="make one"):
        opened(tmp_path, create=False)


def test_made_with_something_else(tmp_path):
    opened(tmp_path).close()
    for create in (True, False):
        with pytest.raises(IndexMismatchError, match=r"'by-hash 1', not 'other'; .* under another NAME"):
            opened(tmp_path, encoder_identity="other", create=create)
    with Connection(parse_address(tmp_path / "index.db")) as connection:
        connection.load("records")
        (row,) = connection.get("records", ["meta"], ("id", "kind", "tag", "n", "body"))
        newer = row["body"].replace('"schema": "1"', '"schema": "9"')
        connection.put("records", [{**row, "body": newer, "nothing": [0.0, 0.0]}])
    with pytest.raises(IndexTooNewError, match="has format 9"):
        opened(tmp_path)


def test_nothing_is_left_running(tmp_path):
    """No process, no thread that is not a daemon, nothing on stderr; the file can be opened at once by another."""
    before = {thread for thread in threading.enumerate() if not thread.daemon}
    with opened(tmp_path) as index:
        put(index, article("a", "The river flows to the sea."))
    assert {thread for thread in threading.enumerate() if not thread.daemon} <= before
    program = (
        "import sys; sys.path.insert(0, 'tests')\n"
        "from pathlib import Path; from milvus_helpers import opened\n"
        f"with opened(Path({str(tmp_path)!r})) as index: print([i.article for i in index.articles()])"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, timeout=250
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "['a']\n", "")
