import stat
import struct
import warnings
import zipfile

import pytest

from qa import archives
from qa.archives import open_archive
from qa.extract import Unreadable

LIMIT = 50_000_000


def pack(path, members, method=zipfile.ZIP_DEFLATED):
    """A zip file of (name or ZipInfo, data) pairs."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of names that come twice
        with zipfile.ZipFile(path, "w", method) as file:
            for name, data in members:
                file.writestr(name, data)
    return path


def read_all(path):
    found = {}
    with open_archive(path) as archive:
        for entry in archive.entries:
            try:
                found[entry.name] = archive.read(entry, LIMIT)
            except Unreadable as why:
                found[entry.name] = str(why)
        return found, archive.others


def refusal(path):
    with pytest.raises(Unreadable) as caught, open_archive(path):
        pass
    return str(caught.value)


def patched(path, old, new, count):
    data = path.read_bytes()
    assert data.count(old) == count
    path.write_bytes(data.replace(old, new))
    return path


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_files_of_supported_kinds_in_the_order_of_the_archive(tmp_path, method):
    big = bytes(range(256)) * 20_000  # more than one piece
    path = pack(
        tmp_path / "a.zip",
        [("z/", ""), ("z/b.TXT", b"words"), ("a.md", big), ("pic.png", b"x"), ("README", b"x"), (".git/a.txt", b"x"),
         ("z/.hidden.txt", b"x"), ("__MACOSX/z/._b.txt", b"x"), ("__MACOSX/b.txt", b"x")],
        method,
    )  # fmt: skip
    assert read_all(path) == ({"z/b.TXT": b"words", "a.md": big}, ["pic.png", "README"])


def test_names_are_only_names(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = ["../../up.txt", "/etc/passwd.txt", "a\\b\\..\\c.txt", "C:\\d.txt", "./e//f.txt", "g\x1b[31m\u202e.txt",
             "x" * 5000 + ".txt", "..", "../", "~/h.txt"]  # fmt: skip
    found, others = read_all(pack(tmp_path / "a.zip", [(name, b"w") for name in names]))
    assert list(found) == ["up.txt", "etc/passwd.txt", "a/b/c.txt", "C:/d.txt", "e/f.txt", "g\ufffd[31m\ufffd.txt",
                           "x" * 5000 + ".txt", "~/h.txt"]  # fmt: skip
    assert (set(found.values()), others) == ({b"w"}, [])
    assert [path.name for path in tmp_path.iterdir()] == ["a.zip"]


def test_entries_that_are_not_read(tmp_path):
    link = zipfile.ZipInfo("link.txt")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    inner = pack(tmp_path / "inner.zip", [("a.txt", b"w")]).read_bytes()
    path = pack(tmp_path / "a.zip", [(link, "/etc/passwd"), ("inner.zip", inner), ("good.txt", b"w"),
                                     ("bomb.txt", bytes(30_000_000)), ("large.txt", b"x")])  # fmt: skip
    found, _ = read_all(path)
    assert found == {
        "link.txt": "is a link, which is not followed; pack the file itself",
        "inner.zip": "is an archive within an archive; unpack that one first",
        "good.txt": b"w",
        "bomb.txt": "unpacks to more than 200 times its size, which no text does; unpack it and index the folder",
        "large.txt": b"x",
    }
    with (
        open_archive(path) as archive,
        pytest.raises(Unreadable, match=r"^is larger than 1 MB; split it into parts$"),
    ):
        archive.read(archive.entries[3], 1_000_000)


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_methods_that_unpack_in_pieces_of_any_size_are_refused(tmp_path, method):
    found, _ = read_all(pack(tmp_path / "a.zip", [("a.txt", bytes(1000))], method))
    assert found == {"a.txt": "is packed by another method than deflate; pack it anew"}


def test_an_encrypted_entry(tmp_path):
    path = pack(tmp_path / "a.zip", [("a.txt", b"w"), ("b.txt", b"w")])
    data = bytearray(path.read_bytes())
    data[data.rindex(b"PK\x01\x02") + 8] |= 1  # the flag of b.txt in the directory
    path.write_bytes(data)
    assert read_all(path)[0] == {"a.txt": b"w", "b.txt": "is protected by a password; pack it without one"}


def test_an_entry_that_lies_about_its_size_gives_no_more_than_it_says(tmp_path):
    path = pack(tmp_path / "a.zip", [("a.txt", bytes(3_000_000))])
    size, lie = struct.pack("<I", 3_000_000), struct.pack("<I", 10)
    assert read_all(patched(path, size, lie, 2))[0] == {
        "a.txt": "cannot be unpacked (Bad CRC-32 for file 'a.txt'); pack it anew"
    }


def test_an_entry_that_is_damaged(tmp_path):
    path = pack(tmp_path / "a.zip", [("a.txt", b"some words"), ("b.txt", b"w")], zipfile.ZIP_STORED)
    assert read_all(patched(path, b"some words", b"some w0rds", 1))[0] == {
        "a.txt": "cannot be unpacked (Bad CRC-32 for file 'a.txt'); pack it anew",
        "b.txt": b"w",
    }


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04 no", b"words" * 1000])
def test_a_file_that_is_no_archive(tmp_path, data):
    (tmp_path / "a.zip").write_bytes(data)
    assert refusal(tmp_path / "a.zip") == "is not a readable zip file (File is not a zip file); pack it anew"


def test_limits_of_the_whole(tmp_path, monkeypatch):
    path = pack(tmp_path / "a.zip", [("a.txt", b"x" * 700_000), ("b.txt", b"x" * 700_000), ("c.png", b"")])
    monkeypatch.setattr(archives, "UNPACKED_BYTES", 1_000_000)
    assert refusal(path) == "unpacks to 1 MB, more than 1; unpack it and index the folder"
    monkeypatch.setattr(archives, "UNPACKED_BYTES", 1_400_000)
    assert len(read_all(path)[0]) == 2
    monkeypatch.setattr(archives, "ENTRIES", 2)
    assert refusal(path) == "has 3 files, more than 2; unpack it and index the folder"
    monkeypatch.setattr(archives, "_DIRECTORY_BYTES", 100)
    assert refusal(path) == "has too long a list of entries; unpack it and index the folder"


def test_names_that_come_twice_are_both_there(tmp_path):
    path = pack(tmp_path / "a.zip", [("a.txt", b"one"), ("a.txt", b"two")])
    with open_archive(path) as archive:
        assert [(entry.name, archive.read(entry, LIMIT)) for entry in archive.entries] == [
            ("a.txt", b"one"), ("a.txt", b"two")
        ]  # fmt: skip
