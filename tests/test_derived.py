import os
import time

import pytest

from qa import derived

IDENTITY = {"generation": 3, "commit": "abc"}


def fill(folder):
    (folder / "words").mkdir()
    (folder / "words" / "index").write_bytes(b"w" * 1000)
    (folder / "words" / ".writer.lock").touch()
    (folder / "vectors").write_bytes(b"v" * 2_000_000)


def test_published_is_found(tmp_path):
    root = tmp_path / "derived"
    assert derived.find(root, 3, IDENTITY) is None
    folder = derived.publish(root, 3, IDENTITY, fill)
    assert folder == derived.find(root, 3, IDENTITY) == root / "3"
    assert (folder / "words" / "index").read_bytes() == b"w" * 1000
    assert [path.name for path in root.iterdir()] == ["3"]


@pytest.mark.parametrize("identity", [{}, {"generation": 3, "commit": "abd"}, IDENTITY | {"more": "x"}])
def test_of_another_commit_it_is_not_found(tmp_path, identity):
    derived.publish(tmp_path, 3, IDENTITY, fill)
    assert derived.find(tmp_path, 3, identity) is None
    assert derived.find(tmp_path, 4, IDENTITY) is None


def flip(folder):
    content = bytearray((folder / "vectors").read_bytes())
    content[1_500_000] ^= 1
    (folder / "vectors").write_bytes(content)


@pytest.mark.parametrize(
    "damage",
    [
        lambda folder: os.truncate(folder / "vectors", 5),
        lambda folder: (folder / "words" / "index").unlink(),
        lambda folder: (folder / "words" / "more").touch(),
        lambda folder: (folder / derived.STAMP).unlink(),
        lambda folder: os.truncate(folder / derived.STAMP, 10),
        lambda folder: (folder / derived.STAMP).write_bytes(b"\xff\xfe"),
        lambda folder: (folder / derived.STAMP).write_text("[]"),
        flip,
    ],
)
def test_damaged_it_is_not_found_and_can_be_published_again(tmp_path, damage):
    folder = derived.publish(tmp_path, 3, IDENTITY, fill)
    damage(folder)
    assert derived.find(tmp_path, 3, IDENTITY) is None
    assert derived.publish(tmp_path, 3, IDENTITY, fill) == folder
    assert derived.find(tmp_path, 3, IDENTITY) == folder


def test_a_lock_that_opening_leaves_is_no_damage(tmp_path):
    folder = derived.publish(tmp_path, 3, IDENTITY, fill)
    (folder / "words" / ".meta.lock").touch()
    assert derived.find(tmp_path, 3, IDENTITY) == folder


def test_an_error_while_filling_leaves_nothing(tmp_path):
    def full(folder):
        (folder / "half").touch()
        raise OSError("no space left on device")

    def defect(folder):
        raise ZeroDivisionError

    assert derived.publish(tmp_path, 3, IDENTITY, full) is None
    with pytest.raises(ZeroDivisionError):
        derived.publish(tmp_path, 3, IDENTITY, defect)
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_keeps_nothing_old_either(tmp_path):
    derived.publish(tmp_path, 2, IDENTITY, fill)

    def full(folder):
        raise OSError("no space left on device")

    assert derived.publish(tmp_path, 3, IDENTITY, full) is None
    assert list(tmp_path.iterdir()) == []


def test_a_root_that_cannot_be_written(tmp_path):
    (tmp_path / "file").touch()
    assert derived.publish(tmp_path / "file", 3, IDENTITY, fill) is None


def test_another_process_may_publish_the_same(tmp_path):
    def slow(folder):
        fill(folder)
        derived.publish(tmp_path, 3, IDENTITY, fill)

    assert derived.publish(tmp_path, 3, IDENTITY, slow) == tmp_path / "3"
    assert derived.find(tmp_path, 3, IDENTITY) == tmp_path / "3"


def test_publishing_clears_what_is_older(tmp_path):
    for name in ("1", "2", "7", "tmp-abandoned", "tmp-at-work", "notes"):
        (tmp_path / name).mkdir()
    old = time.time() - 7200
    os.utime(tmp_path / "tmp-abandoned", (old, old))
    derived.publish(tmp_path, 3, IDENTITY, fill)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["3", "7", "notes", "tmp-at-work"]
    derived.clear(tmp_path / "none", keep=3)
