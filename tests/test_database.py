import os
import threading

import apsw
import pytest

from qa.database import FILE, Database, fetch
from qa.types import (
    ArticleIndexError,
    IndexBusyError,
    IndexMissingError,
    IndexTooNewError,
)


def opened(folder, create=True, wait=0.1):
    return Database(folder, create=create, wait=wait)


def generation(database):
    with database.read() as connection:
        return int(fetch(connection, "SELECT value FROM meta WHERE key = 'generation'")[0][0])


def fail_after(database):
    with database.write():
        note(database, "a")
        raise ZeroDivisionError


def note(database, key):
    with database.write() as connection:
        connection.execute("INSERT INTO meta VALUES(?, 'x')", (key,))
        database.changed()


def test_a_missing_index_names_the_command_that_makes_it(tmp_path):
    folder = tmp_path / "my index"
    with pytest.raises(
        IndexMissingError, match=f"no index at {folder}; make one: python -m qa index --index '{folder}'"
    ):
        opened(folder, create=False)
    assert not folder.exists()


def test_made_once_opened_often(tmp_path):
    for _ in range(2):
        database = opened(tmp_path / "a" / "b")
        assert generation(database) == 0
        database.close()
    opened(tmp_path / "a" / "b", create=False).close()


@pytest.mark.parametrize("content", [b"this is not SQLite at all " * 100, b"\x00" * 5000])
def test_a_file_that_is_not_sqlite(tmp_path, content):
    (tmp_path / FILE).write_bytes(content)
    with pytest.raises(
        ArticleIndexError, match=r"damaged, or not an index .*; move it away and make it anew"
    ) as caught:
        opened(tmp_path)
    assert "\n" not in str(caught.value)
    assert (tmp_path / FILE).read_bytes() == content


def test_an_sqlite_file_of_another_program_is_left_alone(tmp_path):
    other = apsw.Connection(str(tmp_path / FILE))
    other.execute("CREATE TABLE theirs(x)")
    other.close()
    before = (tmp_path / FILE).read_bytes()
    with pytest.raises(ArticleIndexError, match="SQLite file of another program"):
        opened(tmp_path)
    assert (tmp_path / FILE).read_bytes() == before


@pytest.mark.parametrize("keep", [0, 50, 4096, 9000])
def test_a_truncated_file(tmp_path, keep):
    database = opened(tmp_path)
    for i in range(50):
        note(database, f"{i} " * 500)
    database.close()
    os.truncate(tmp_path / FILE, keep)
    if keep == 0:  # as good as missing
        with pytest.raises(IndexMissingError):
            opened(tmp_path, create=False)
        opened(tmp_path).close()
    else:
        with pytest.raises(ArticleIndexError) as caught:
            opened(tmp_path)
        assert "\n" not in str(caught.value)


def test_a_newer_format_is_refused(tmp_path):
    database = opened(tmp_path)
    with database.write() as connection:
        connection.execute("UPDATE meta SET value = '99' WHERE key = 'schema'")
    database.close()
    with pytest.raises(IndexTooNewError, match="has format 99, and this program knows 2: update the program"):
        opened(tmp_path)


def test_a_file_where_the_folder_should_be(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(ArticleIndexError, match="cannot open or make the index folder"):
        opened(tmp_path / "file")


def test_a_folder_where_the_file_should_be(tmp_path):
    (tmp_path / FILE).mkdir()
    with pytest.raises(ArticleIndexError, match="check its permissions"):
        opened(tmp_path)


def test_the_generation_counts_commits_that_change_something(tmp_path):
    database = opened(tmp_path)
    note(database, "a")
    assert generation(database) == 1
    with database.write():
        pass
    assert generation(database) == 1
    with database.write():
        note(database, "b")
        note(database, "c")
    assert generation(database) == 2
    database.close()


def test_an_error_undoes_the_whole_group(tmp_path):
    database = opened(tmp_path)
    with pytest.raises(ZeroDivisionError):
        fail_after(database)
    assert generation(database) == 0
    note(database, "a")  # no trace of the first
    database.close()


def test_a_second_writer_waits_and_then_says_so(tmp_path):
    first, second = opened(tmp_path), opened(tmp_path)
    with first.write():
        with pytest.raises(IndexBusyError, match=r"written by another process or thread \(waited 0.1 s\)"):
            note(second, "a")
        assert generation(second) == 0  # reading goes on
    note(second, "a")
    assert generation(first) == 1
    first.close()
    second.close()


def test_a_second_thread_waits_and_then_says_so(tmp_path):
    database = opened(tmp_path)
    caught = []

    def other():
        try:
            note(database, "a")
        except IndexBusyError as error:
            caught.append(error)

    with database.write():
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
    assert len(caught) == 1
    database.close()


def test_two_processes_may_make_the_same_index(tmp_path):
    databases, errors = [], []

    def make():
        try:
            databases.append(opened(tmp_path, wait=10))
        except ArticleIndexError as error:
            errors.append(error)

    threads = [threading.Thread(target=make) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert [generation(database) for database in databases] == [0] * 6
    for database in databases:
        database.close()


def test_an_index_made_while_it_is_looked_at_is_ours(tmp_path, monkeypatch):
    """Another process makes the index after its mark was read, before its tables are counted."""
    outcomes = []

    def make_it(cursor, statement, bindings):
        if "sqlite_schema" in statement and not outcomes:
            outcomes.append("tried")
            try:
                opened(tmp_path, wait=0).close()
                outcomes.append("made")
            except ArticleIndexError as error:
                outcomes.append(str(error))
        return True

    connect = Database._connect

    def watched(database):
        connection = connect(database)
        connection.exec_trace = make_it
        return connection

    monkeypatch.setattr(Database, "_connect", watched)
    database = opened(tmp_path, wait=10)
    assert outcomes
    assert generation(database) == 0
    database.close()


def test_use_after_close_is_one_clear_error(tmp_path):
    database = opened(tmp_path)
    database.close()
    database.close()
    with pytest.raises(ArticleIndexError, match="is closed"):
        generation(database)
    with pytest.raises(ArticleIndexError, match="is closed"):
        note(database, "a")


def bytes_on_disk(folder):
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def test_scrubbing_wipes_what_was_deleted(tmp_path):
    database = opened(tmp_path)
    note(database, "secretword" * 2000)
    with database.write() as connection:
        connection.execute("DELETE FROM meta WHERE key LIKE 'secret%'")
    assert b"secretword" in bytes_on_disk(tmp_path)
    with database.write():
        database.scrub_after_commit()
    assert b"secretword" not in bytes_on_disk(tmp_path)
    database.close()


class NoRoom:
    """A connection on a disk that has no room for a second copy of the file."""

    def __init__(self, connection):
        self._connection = connection

    def __getattr__(self, name):
        return getattr(self._connection, name)

    def execute(self, sql, *values):
        if sql == "VACUUM":
            raise apsw.FullError("database or disk is full")
        return self._connection.execute(sql, *values)


def test_scrubbing_without_room_is_made_up_for(tmp_path):
    database = opened(tmp_path)
    note(database, "secretword" * 2000)
    with database.write() as connection:
        connection.execute("DELETE FROM meta WHERE key LIKE 'secret%'")
    database._writer, connection = NoRoom(database._writer), database._writer
    with pytest.raises(ArticleIndexError) as caught, database.write():
        database.scrub_after_commit()
    assert str(caught.value) == (
        f"what was to be deleted is deleted, but its bytes stay in {tmp_path / FILE} while the disk is full; "
        "they go at the next start"
    )
    database.scrub_if_due()  # still no room: no error, the index can be used
    assert b"secretword" in bytes_on_disk(tmp_path)
    database._writer = connection
    database.scrub_if_due()
    assert b"secretword" not in bytes_on_disk(tmp_path)
    database.close()


def test_scrubbing_that_readers_delay_is_made_up_for(tmp_path):
    database, reader = opened(tmp_path), opened(tmp_path)
    note(database, "secretword" * 2000)
    with reader.read_transaction() as connection:
        fetch(connection, "SELECT * FROM meta")
        with database.write() as writing:
            writing.execute("DELETE FROM meta WHERE key LIKE 'secret%'")
        with pytest.raises(IndexBusyError, match="they go at the next start"), database.write():
            database.scrub_after_commit()
        database.scrub_if_due()  # still held up: no error, the index can be used
    assert b"secretword" in bytes_on_disk(tmp_path)
    reader.scrub_if_due()
    assert b"secretword" not in bytes_on_disk(tmp_path)
    with reader.read() as connection:
        assert not fetch(connection, "SELECT * FROM meta WHERE key = 'scrub'")
    database.close()
    reader.close()
