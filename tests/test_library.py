from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from qa.library import KEPT, Library
from qa.pipeline import Pipeline, open_index
from qa.types import ArticleError, NotFoundError

LOCK = "The keeper of the old lock is Ada Hill of Dover. She has kept it for thirty years."
MILL = "The miller of the red mill is Ben Stone. He came from Leeds in May."


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    with open_index(tmp_path_factory.mktemp("library") / "index", create=True) as pipeline:
        yield pipeline


@pytest.fixture
def pipeline(opened: Pipeline) -> Iterator[Pipeline]:
    """An index without articles."""
    yield opened
    for info in opened.articles():
        opened.remove(info.article, forget=True)


@pytest.fixture
def library(pipeline: Pipeline) -> Library:
    return Library(pipeline)


def put(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, "utf-8")
    return path


def test_a_file_is_taken_in_under_its_own_name_and_without_a_path(
    library: Library, pipeline: Pipeline, tmp_path: Path
) -> None:
    taken = library.add_file(put(tmp_path, "x1.txt", LOCK), "the lock.txt")
    (article,) = taken.added
    assert (taken.failed, taken.done, taken.total) == ([], 1, 1)
    stored = pipeline.index.article(article)
    assert (stored.source, stored.title, stored.path, stored.text) == (
        "uploaded/the lock.txt", "the lock", None, LOCK,
    )  # fmt: skip
    assert pipeline.ask("Who is the keeper of the old lock?").answer == "Ada Hill"


def test_the_same_name_again_brings_a_newer_text(
    library: Library, pipeline: Pipeline, tmp_path: Path
) -> None:
    first = library.add_file(put(tmp_path, "a.txt", LOCK), "lock.txt")
    assert library.add_file(put(tmp_path, "a.txt", LOCK), "lock.txt").unchanged == first.added
    again = library.add_file(put(tmp_path, "a.txt", LOCK + " It is green."), "lock.txt")
    assert again.updated == first.added
    assert len(pipeline.articles()) == 1


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("../../etc/passwd.txt", "uploaded/passwd.txt"),
        ("C:\\Users\\me\\a.txt", "uploaded/a.txt"),
        ("<b>\u202ex\n.txt", "uploaded/<b>\ufffdx .txt"),
        ("", "uploaded/file"),
    ],
)
def test_a_name_is_never_a_path(
    library: Library, pipeline: Pipeline, tmp_path: Path, name: str, source: str
) -> None:
    (article,) = library.add_file(put(tmp_path, "x.txt", LOCK), name).added
    assert pipeline.index.article(article).source == source


def test_the_same_words_under_another_name_are_refused(library: Library, tmp_path: Path) -> None:
    library.add_file(put(tmp_path, "a.txt", LOCK), "a.txt")
    taken = library.add_file(put(tmp_path, "b.txt", LOCK), "b.txt")
    assert taken.added == []
    assert taken.failed == [
        ("uploaded/b.txt", "uploaded/b.txt is here already, word for word, as uploaded/a.txt")
    ]


def test_many_articles_in_one_file_and_each_failure_named(library: Library, tmp_path: Path) -> None:
    path = tmp_path / "all.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("lock.txt", LOCK)
        archive.writestr("empty.txt", "")
        archive.writestr("mill.txt", MILL)
        archive.writestr("picture.png", b"x")
    taken = library.add_file(path, "all.zip")
    assert len(taken.added) == 2
    assert [why for _, why in taken.failed] == ["uploaded/all.zip/empty.txt is empty; nothing to index"]
    assert (taken.done, taken.total) == (3, 3)
    assert len(taken.notices) == 1
    assert "picture.png" in taken.notices[0]


def test_stopping_keeps_what_was_read(library: Library, pipeline: Pipeline, tmp_path: Path) -> None:
    rows = "title,text\n" + "".join(f"t{i},{MILL} number {i}\n" for i in range(9))
    asked = iter(range(99))
    taken = library.add_file(put(tmp_path, "rows.csv", rows), "rows.csv", stop=lambda: next(asked) >= 3)
    assert len(taken.added) == len(pipeline.articles()) == 3


def test_pasted_text(library: Library, pipeline: Pipeline) -> None:
    taken = library.add_text("", LOCK, "2024-05-31")
    (info,) = pipeline.articles()
    assert taken.added == [info.article]
    assert (info.title, info.date) == (LOCK[:60].strip(), "2024-05-31")
    assert library.add_text("Mill", MILL, "").added
    with pytest.raises(ArticleError, match="empty"):
        library.add_text("x", " \n")
    with pytest.raises(ArticleError, match="date"):
        library.add_text("x", LOCK, "soon")


def test_finding_by_words_of_title_source_and_date(library: Library) -> None:
    library.add_text("Über die Mühle", MILL, "2024-05-31")
    library.add_text("The lock", LOCK)
    titles = {
        words: [i.title for i in library.find(words)]
        for words in ("", "MÜHLE über", "2024-05", "pasted lock", "x")
    }
    assert titles == {
        "": ["The lock", "Über die Mühle"], "MÜHLE über": ["Über die Mühle"], "2024-05": ["Über die Mühle"],
        "pasted lock": ["The lock"], "x": [],
    }  # fmt: skip


def test_removing_and_undoing_it(library: Library, pipeline: Pipeline) -> None:
    library.add_text("The lock", LOCK, "2024-05-31")
    library.add_text("The mill", MILL)
    before = pipeline.articles()
    asked = "Who is the keeper of the old lock?"
    answer = pipeline.ask(asked)
    token = library.remove([info.article for info in before])
    assert pipeline.articles() == []
    assert pipeline.ask(asked).reason == "empty_index"
    library.restore(token)
    assert [(i.article, i.title, i.date, i.version, i.passages) for i in pipeline.articles()] == [
        (i.article, i.title, i.date, i.version, i.passages) for i in before
    ]
    again = pipeline.ask(asked)
    assert (again.answer, again.confidence, again.citations) == (
        answer.answer,
        answer.confidence,
        answer.citations,
    )
    with pytest.raises(NotFoundError, match="no longer be undone"):
        library.restore(token)


def test_removing_is_all_or_nothing(library: Library, pipeline: Pipeline) -> None:
    library.add_text("The lock", LOCK)
    (info,) = pipeline.articles()
    with pytest.raises(NotFoundError):
        library.remove([info.article, "nowhere"])
    assert len(pipeline.articles()) == 1


def test_only_the_last_removals_can_be_undone(library: Library, pipeline: Pipeline) -> None:
    library.add_text("The lock", LOCK)
    (info,) = pipeline.articles()
    tokens = []
    for _ in range(KEPT + 1):
        tokens.append(library.remove([info.article]))
        pipeline.add([pipeline_article(info.article, pipeline)])
    with pytest.raises(NotFoundError):
        library.restore(tokens[0])
    library.restore(tokens[1])


def pipeline_article(article: str, pipeline: Pipeline):
    from qa.articles import from_text

    found = from_text(LOCK, title="The lock")
    assert found.id == article
    return found
