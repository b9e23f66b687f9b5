import pytest
from index_helpers import SETTINGS, article, put

from qa.index import Index
from qa.types import RefError, make_ref, sha256
from qa.verification import verify

TEXT = (
    "The river flows from the hills to the sea. Anna Petrova built the mill in 1723, and it burned down in 1810. "
    "Nobody knows how old the river is."
)
QUOTE = "Anna Petrova built the mill in 1723"
START = TEXT.index(QUOTE)
REF = make_ref("mill", sha256(TEXT), START, START + len(QUOTE))


@pytest.fixture
def index(tmp_path):
    with Index.open(tmp_path, **SETTINGS, create=True) as made:
        put(made, article("mill", TEXT, locators=((0, "page 1"), (40, "page 2"))))
        yield made


def checked(index, ref=REF):
    """The verification; whatever it points at is the text that stands there."""
    result = verify(index, ref)
    assert result.ref == ref
    if result.now:
        now, live = result.now, index.text(result.now.article)
        assert now.text == live[now.start : now.end]
        assert now.version == sha256(live)
        assert now.passage.text == live[now.passage.start : now.passage.end]
        assert now.passage.start <= now.start < now.end <= now.passage.end
        assert now.confidence is None
    return result


def test_unchanged(index):
    result = checked(index)
    assert (result.state, result.text) == ("unchanged", QUOTE)
    assert (result.now.start, result.now.end, result.now.locator) == (START, START + len(QUOTE), "page 2")
    assert result.now.ref == REF


def test_unchanged_in_an_article_that_changed_elsewhere(index):
    put(index, article("mill", TEXT + " It is old."))
    result = checked(index)
    assert (result.state, result.text, result.now.start) == ("unchanged", QUOTE, START)
    assert result.now.ref != REF
    assert checked(index, result.now.ref).state == "unchanged"


def test_moved(index):
    put(index, article("mill", "News. " + TEXT))
    result = checked(index)
    assert (result.state, result.text) == ("moved", QUOTE)
    assert (result.now.start, result.now.text) == (START + 6, QUOTE)


def test_moved_back_by_less_than_its_length(index):
    put(index, article("mill", TEXT.replace("The river", "River")))
    result = checked(index)
    assert (result.state, result.now.start, result.now.text) == ("moved", START - 4, QUOTE)


def test_moved_to_the_nearest_of_several_places(index):
    far = "x" * 200
    put(index, article("mill", f"{QUOTE} {far} {QUOTE} {far}"))  # at 0 and 237; it was at 43
    assert (checked(index).state, checked(index).now.start) == ("moved", 0)
    put(index, article("mill", f"{'x' * 20} {QUOTE} {QUOTE} {far}"))  # at 21 and 57: both away from 43
    assert (checked(index).state, checked(index).now.start) == ("moved", 57)


def test_moved_though_the_places_overlap(index):
    put(index, article("sea", "abababab and the sea"))
    ref = make_ref("sea", sha256("abababab and the sea"), 0, 4)
    put(index, article("sea", "b abababab and the sea"))
    assert (checked(index, ref).state, checked(index, ref).now.start) == ("moved", 2)


def test_edited(index):
    put(index, article("mill", TEXT.replace("1723", "1732")))
    result = checked(index)
    assert (result.state, result.text) == ("edited", QUOTE)
    assert (result.now.text, result.now.start) == ("Anna Petrova built the mill in 1732", START)


def test_edited_and_moved(index):
    put(index, article("mill", "News of the day. " + TEXT.replace("built the", "had built a")))
    result = checked(index)
    assert result.state == "edited"
    assert (result.now.start, result.now.text) == (START + 17, "Anna Petrova had built a mill in 1723")


def test_edited_in_a_script_without_blanks(index):
    before, after = (
        "他们在山谷里建了一座磨坊，后来磨坊被烧毁了。",
        "昨天说他们在河谷里建了一座磨坊，后来磨坊被烧毁了。",
    )
    put(index, article("cn", before))
    ref = make_ref("cn", sha256(before), 0, 12)
    put(index, article("cn", after))
    result = checked(index, ref)
    assert (result.state, result.text, result.now.text) == ("edited", before[:12], "他们在河谷里建了一座磨坊")


def test_gone_are_words_that_became_others(index):
    put(index, article("mill", "Zoo: 67 yaks, 8 gnus; quiz & fun! " * 5))
    result = checked(index)
    assert (result.state, result.text, result.now) == ("gone", QUOTE, None)


@pytest.mark.parametrize("short", ["Anna.", "the mill", "1723"])
def test_gone_though_a_few_of_the_words_are_left(index, short):
    put(index, article("mill", short))
    result = checked(index)
    assert (result.state, result.text, result.now) == ("gone", QUOTE, None)


def test_gone_with_the_article(index):
    index.remove("mill")
    result = checked(index)
    assert (result.state, result.text, result.now) == ("gone", QUOTE, None)


def test_of_what_is_forgotten_no_word_is_left(index):
    index.remove("mill", forget=True)
    result = checked(index)
    assert (result.state, result.text, result.now) == ("gone", None, None)


@pytest.mark.parametrize("ref", ["other@0123456789ab#1-2", f"mill@{'0' * 12}#1-2"])
def test_what_never_was_is_gone(index, ref):
    result = checked(index, ref)
    assert (result.state, result.text, result.now) == ("gone", None, None)


def test_back_again(index):
    index.remove("mill")
    put(index, article("mill", TEXT))
    assert checked(index).state == "unchanged"


def test_the_words_are_looked_for_in_their_own_article_alone(index):
    put(index, article("copy", TEXT))
    index.remove("mill")
    assert checked(index).state == "gone"


def test_beyond_the_end(index):
    whole = make_ref("mill", sha256(TEXT), 0, len(TEXT))
    assert checked(index, whole).state == "unchanged"
    beyond = make_ref("mill", sha256(TEXT), 5, len(TEXT) + 1)
    with pytest.raises(RefError) as caught:
        verify(index, beyond)
    assert (
        str(caught.value) == f"{beyond} points beyond the end of its text, which has {len(TEXT)} characters"
    )


@pytest.mark.parametrize("ref", ["", "mill", "mill@0123456789ab#5-5", f"{REF} "])
def test_what_is_no_reference(index, ref):
    with pytest.raises(RefError, match="not a reference"):
        verify(index, ref)
