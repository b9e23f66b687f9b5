import pytest

from qa.records import Records, RecordWriter, load_array


def write(folder, records):
    writer = RecordWriter(folder, "x")
    for record in records:
        writer.add(record)
    writer.finish()
    return Records(folder, "x")


@pytest.mark.parametrize("records", [[], [b""], [b"", b""], [b"a", b"", b"\xff\x00bc", b"zz"]])
def test_records_come_back(tmp_path, records):
    found = write(tmp_path, records)
    assert len(found) == len(records)
    assert [found[i] for i in range(len(found))] == found[0:] == records


def test_finding_among_sorted_records(tmp_path):
    found = write(tmp_path, [b"a", b"ab", b"c"])
    assert [found.find(record) for record in (b"a", b"ab", b"c")] == [0, 1, 2]
    assert [found.find(record) for record in (b"", b"aa", b"d")] == [None] * 3


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(OSError, match=r"x\.npy"):
        Records(tmp_path, "x")
    (tmp_path / "x.npy").write_bytes(b"nothing that numpy wrote")
    with pytest.raises(OSError, match=r"cannot read .*x\.npy"):
        load_array(tmp_path / "x.npy")
