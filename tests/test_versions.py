from datetime import UTC, datetime, timedelta

import pytest
from index_helpers import SETTINGS, article, put

from qa import versions
from qa.database import Database
from qa.index import Index
from qa.types import IndexBusyError, NotFoundError, make_ref
from qa.verification import verify

FIRST = article("mill", "Anna Petrova built the mill in 1723. " + "zanzibarquux " * 400)
SECOND = article("mill", "Anna Petrova built the mill in 1732. " + "wolframquux " * 400)
THIRD = article("mill", "Olaf Brandt burned the mill down.")
OTHER = article("bridge", "Nobody knows who keeps the bridge. " + "ytterquux " * 400)
REF = make_ref("mill", FIRST.version, 0, 35)
MARKS = {FIRST.version: b"zanzibarquux", SECOND.version: b"wolframquux", OTHER.version: b"ytterquux"}


@pytest.fixture
def clock(monkeypatch):
    """Sets the time that is written down, as days before now."""

    def set_to(days):
        written = (datetime.now(UTC) - timedelta(days=days)).isoformat(timespec="microseconds")
        monkeypatch.setattr(versions, "now", lambda: written)
        return written

    return set_to


@pytest.fixture
def index(tmp_path, clock):
    """An article in its third version, replaced 20 and 5 days ago; another, removed 10 days ago."""
    with Index.open(tmp_path, **SETTINGS, create=True, wait=0.1) as made:
        clock(30)
        put(made, FIRST)
        put(made, OTHER)
        clock(20)
        put(made, SECOND)
        clock(10)
        made.remove("bridge")
        clock(5)
        put(made, THIRD)
        yield made


def named(found):
    return [(old.article, old.version, old.characters) for old in found]


def on_disk(folder):
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def old(made):
    return made.id, made.version, len(made.text)


@pytest.mark.parametrize(
    ("age", "expected"),
    [
        (timedelta(days=21), []),
        (timedelta(days=19), [FIRST]),
        (timedelta(days=9), [OTHER, FIRST]),
        (timedelta(days=5, minutes=1), [OTHER, FIRST]),
        (timedelta(days=5), [OTHER, FIRST, SECOND]),
        (timedelta(0), [OTHER, FIRST, SECOND]),
    ],
)
def test_what_is_old_enough_is_deleted_to_the_last_byte(index, tmp_path, age, expected):
    before = on_disk(tmp_path)
    assert all(mark in before for mark in MARKS.values())
    stamp, searched = index.snapshot.stamp, index.snapshot
    assert named(index.old_versions(age)) == [old(made) for made in expected]
    assert on_disk(tmp_path) == before  # asking deletes nothing
    assert named(index.delete_old(age)) == [old(made) for made in expected]
    after = on_disk(tmp_path)
    for made in (FIRST, SECOND, OTHER):
        assert (MARKS[made.version] in after) == (made not in expected)
        if made in expected:
            with pytest.raises(NotFoundError):
                index.text(made.id, made.version[:12])
        else:
            assert index.text(made.id, made.version[:12]) == made.text
    assert index.text("mill") == THIRD.text
    assert (index.snapshot, index._store.stamp()) == (searched, stamp)  # what is searched is the same
    assert index.delete_old(age) == []


def test_a_version_ceases_to_be_live_each_time_anew(index, clock):
    clock(4)
    put(index, FIRST)  # back again
    assert named(index.old_versions(timedelta(0))) == [old(OTHER), old(SECOND), old(THIRD)]
    retired = clock(2)
    put(index, THIRD)
    assert named(index.old_versions(timedelta(days=3))) == [old(OTHER), old(SECOND)]
    assert [v.retired for v in index.old_versions(timedelta(0)) if v.version == FIRST.version] == [retired]


def test_other_metadata_make_no_old_version(index):
    before = index.old_versions(timedelta(0))
    put(index, article("mill", THIRD.text, title="The mill"))
    assert index.old_versions(timedelta(0)) == before


def test_with_a_clock_that_was_set_back_all_old_ones_can_go(index, clock):
    clock(-3)  # that is, in three days
    put(index, article("mill", "The mill is new."))
    assert old(THIRD) not in named(index.old_versions(timedelta(minutes=1)))
    assert old(THIRD) in named(index.delete_old(timedelta(0)))


def test_a_reference_is_checked_as_long_as_its_text_is_kept(index):
    def state():
        found = verify(index, REF)
        return found.state, found.text, found.now and found.now.text

    quote = FIRST.text[:35]
    assert state() == ("gone", quote, None)
    put(index, SECOND)
    assert state() == ("edited", quote, SECOND.text[:35])
    index.delete_old(timedelta(days=21))
    assert state() == ("edited", quote, SECOND.text[:35])
    index.delete_old(timedelta(0))
    assert state() == ("gone", None, None)
    assert verify(index, make_ref("bridge", OTHER.version, 0, 5)).text is None
    assert verify(index, make_ref("mill", SECOND.version, 0, 5)).state == "unchanged"


def test_a_text_that_is_live_elsewhere_stays(index):
    put(index, article("copy", FIRST.text))
    index.delete_old(timedelta(0))
    assert index.text("copy") == FIRST.text
    with pytest.raises(NotFoundError):
        index.text("mill", FIRST.version[:12])


def test_old_versions_survive_a_rebuild(index, tmp_path):
    before = index.old_versions(timedelta(0))
    index.close()
    changed = {**SETTINGS, "encoder_identity": "another"}
    with Index.open(tmp_path, **changed, rebuild=True) as again:
        assert again.old_versions(timedelta(0)) == before


def test_wiping_that_readers_delay_is_made_up_for(index, tmp_path):
    reader = Database(tmp_path, create=False, wait=0.1)
    with reader.read_transaction() as connection:
        connection.execute("SELECT count(*) FROM texts").fetchall()
        with pytest.raises(IndexBusyError, match="they go at the next start"):
            index.delete_old(timedelta(0))
    reader.close()
    assert index.old_versions(timedelta(0)) == []
    assert verify(index, REF).text is None
    index.close()
    Index.open(tmp_path, **SETTINGS).close()
    assert not any(mark in on_disk(tmp_path) for mark in MARKS.values())
