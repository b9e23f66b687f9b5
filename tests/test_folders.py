from __future__ import annotations

import itertools
import os
import shutil

import pytest

from qa import finding, folders
from qa.articles import article_id, from_text
from qa.pipeline import Pipeline
from qa.types import ArticleError

TEXTS = {
    "tower.txt": "The tower of Almora is 312 metres tall.",
    "bridge.md": "# Bridge\n\nIts keeper is Olaf Brandt.",
    "deep/er/mill.html": "<html><body><p>The mill grinds barley at night.</p></body></html>",
}


@pytest.fixture
def pipeline(tmp_path, encoder, loaded_models):
    with Pipeline(tmp_path / "index", encoder, create=True) as opened:
        yield opened


@pytest.fixture
def news(tmp_path):
    return write(tmp_path / "news", TEXTS)


def write(folder, texts):
    for name, text in texts.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return folder


def index(pipeline, *paths, **options):
    return folders.run(pipeline, folders.plan(pipeline, paths, **options))


def sources(pipeline):
    return {info.source for info in pipeline.articles()}


def ids(*names, folder="news"):
    return sorted(article_id(f"{folder}/{name}") for name in names)


def outcome(report):
    return sorted(report.added), sorted(report.updated), sorted(report.unchanged), report.failed


def test_a_folder_becomes_articles(pipeline, news):
    done = []
    todo = folders.plan(pipeline, [news])
    assert [file.source for file in todo.files] == [
        "news/bridge.md",
        "news/deep/er/mill.html",
        "news/tower.txt",
    ]
    assert (todo.skipped, todo.leaving) == ([], [])
    assert outcome(folders.run(pipeline, todo, done.append)) == (ids(*TEXTS), [], [], [])
    assert done == todo.files
    assert sources(pipeline) == {f"news/{name}" for name in TEXTS}
    assert pipeline.text(article_id("news/tower.txt")) == TEXTS["tower.txt"]
    assert pipeline.index.article(article_id("news/tower.txt")).path == str(news / "tower.txt")


def test_again_only_what_changed(pipeline, news):
    index(pipeline, news)
    write(news, {"tower.txt": "The tower of Almora is 498 metres tall.", "new.txt": "A new one."})
    report = index(pipeline, news)
    assert outcome(report) == (ids("new.txt"), ids("tower.txt"), ids("bridge.md", "deep/er/mill.html"), [])
    before = pipeline.info()
    assert outcome(index(pipeline, news)) == ([], [], ids(*TEXTS, "new.txt"), [])
    assert pipeline.info() == before


def test_a_file_and_its_folder_name_the_same_article(pipeline, news):
    index(pipeline, news / "tower.txt")
    assert outcome(index(pipeline, news))[2] == ids("tower.txt")


def test_a_bad_file_stops_nothing(pipeline, news):
    write(news, {"empty.txt": "", "blank.md": " \n", "binary.txt": bytes(range(256)) * 8, "broken.pdf": "%PDF-1.7 no",
                 "broken.docx": b"PK\x03\x04 no", "picture.png": b"\x89PNG"})  # fmt: skip
    (news / "lost.txt").symlink_to(news / "nowhere.txt")
    (news / "folder.txt").mkdir()
    todo = folders.plan(pipeline, [news])
    assert {os.path.basename(path) for path, _ in todo.skipped} == {"picture.png", "lost.txt"}
    report = folders.run(pipeline, todo)
    assert sorted(report.added) == ids(*TEXTS)
    assert [name for name, _ in report.failed] == [
        "news/binary.txt", "news/blank.md", "news/broken.docx", "news/broken.pdf", "news/empty.txt"
    ]  # fmt: skip
    for name, why in report.failed:
        assert name in why
        assert "\n" not in why
    assert sources(pipeline) == {f"news/{name}" for name in TEXTS}


def test_a_file_that_turned_bad_keeps_its_last_good_text(pipeline, news):
    index(pipeline, news)
    write(news, {"tower.txt": b"\0\1\2" * 99})
    report = index(pipeline, news, sync=True)
    assert [name for name, _ in report.failed] == ["news/tower.txt"]
    assert pipeline.text(article_id("news/tower.txt")) == TEXTS["tower.txt"]


def test_a_folder_with_nothing_in_it(pipeline, tmp_path):
    (tmp_path / "nothing").mkdir()
    assert outcome(index(pipeline, tmp_path / "nothing")) == ([], [], [], [])
    assert pipeline.info() == {"generation": 0, "articles": 0, "passages": 0}


@pytest.mark.parametrize("wrong", ["nowhere", "news/picture.png", "news/nowhere.txt", "new\0s"])
def test_a_path_that_cannot_be_indexed_is_an_error_before_anything_is_done(pipeline, tmp_path, news, wrong):
    write(news, {"picture.png": b"\x89PNG"})
    with pytest.raises(ArticleError):
        index(pipeline, news, tmp_path / wrong)
    assert pipeline.articles() == []


# ---- one file by way of two folders


@pytest.mark.parametrize(
    ("first", "then", "known"),
    [("news/deep", "news", "deep/er/mill.html"), ("news", "news/deep", "news/deep/er/mill.html")],
    ids=["the inner folder first", "the outer folder first"],
)
def test_a_file_that_is_indexed_by_way_of_another_folder_is_passed_over(
    pipeline, news, tmp_path, first, then, known
):
    mill, known_id = str(news / "deep/er/mill.html"), article_id(known)
    index(pipeline, tmp_path / first)
    todo = folders.plan(pipeline, [tmp_path / then], sync=True)
    assert todo.skipped == [(mill, f"indexed already, as {known_id}")]
    assert (mill in {str(file.path) for file in todo.files}, todo.leaving) == (False, [])
    report = folders.run(pipeline, todo)
    assert outcome(report) == (ids("tower.txt", "bridge.md") if then == "news" else [], [], [], [])
    paths = pipeline.index.paths()
    assert [article for article, path in paths.items() if path == mill] == [known_id]
    answer = pipeline.ask("What does the mill grind?", min_confidence=0)
    assert [citation.article for citation in answer.citations] == [known_id]

    write(news, {"deep/er/mill.html": "<p>The mill grinds rye at night.</p>"})  # changed, the same holds
    assert folders.plan(pipeline, [tmp_path / then]).skipped == todo.skipped
    pipeline.remove(known_id)  # and once it is gone, there is nothing to pass it over for
    (added,) = index(pipeline, tmp_path / then / "deep" if then == "news" else tmp_path / then).added
    assert pipeline.index.article(added).path == mill


def test_folders_within_one_another_given_at_once_give_each_file_once(pipeline, news):
    index(pipeline, news, news / "deep")
    paths = pipeline.index.paths()
    assert len(set(paths.values())) == len(paths) == len(TEXTS)
    assert outcome(index(pipeline, news / "deep", news))[:2] == ([], [])
    assert pipeline.index.paths() == paths


# ---- sync


def test_without_sync_nothing_is_removed(pipeline, news):
    index(pipeline, news)
    (news / "tower.txt").unlink()
    todo = folders.plan(pipeline, [news])
    assert todo.leaving == []
    folders.run(pipeline, todo)
    assert sources(pipeline) == {f"news/{name}" for name in TEXTS}


def test_sync_removes_what_left_that_folder_and_nothing_from_elsewhere(pipeline, news, tmp_path):
    other = write(tmp_path / "other", {"tower.txt": "Another tower.", "gone.txt": "It is gone."})
    alike = write(tmp_path / "news2", {"a.txt": "A folder whose name begins alike."})
    single = write(tmp_path / "single", {"one.txt": "Given as a file."}) / "one.txt"
    pipeline.add(
        [from_text("Pasted into the page.", title="note"), from_text("x y", title="t", source="news/p.txt")]
    )
    index(pipeline, news, other, alike, single)
    shutil.rmtree(news / "deep")
    (news / "tower.txt").unlink()
    (other / "gone.txt").unlink()
    single.unlink()
    todo = folders.plan(pipeline, [news], sync=True)
    assert sorted(todo.leaving) == ids("tower.txt", "deep/er/mill.html")
    folders.run(pipeline, todo)
    kept = {"other/tower.txt", "other/gone.txt", "news2/a.txt", "single/one.txt", "pasted/note", "news/p.txt"}
    assert sources(pipeline) == {"news/bridge.md", *kept}
    assert outcome(index(pipeline, news, sync=True)) == ([], [], ids("bridge.md"), [])


def test_sync_of_an_inner_folder_leaves_the_outer_one_alone(pipeline, news):
    index(pipeline, news)
    shutil.rmtree(news / "deep" / "er")
    (news / "tower.txt").unlink()
    assert folders.plan(pipeline, [news / "deep"], sync=True).leaving == ids("deep/er/mill.html")


def test_sync_of_an_emptied_folder_removes_its_articles(pipeline, news):
    index(pipeline, news)
    for name in TEXTS:
        (news / name).unlink()
    index(pipeline, news, sync=True)
    assert pipeline.articles() == []


def test_sync_removes_nothing_of_a_folder_that_is_not_there(pipeline, news):
    index(pipeline, news)
    news.rename(news.parent / "moved")
    with pytest.raises(ArticleError, match="no such file or folder"):
        index(pipeline, news, sync=True)
    assert sources(pipeline) == {f"news/{name}" for name in TEXTS}


def test_sync_keeps_what_it_cannot_look_into_today(pipeline, news, monkeypatch):
    index(pipeline, news)
    walk, refused = os.walk, PermissionError(13, "Permission denied", str(news / "deep"))

    def walk_refused(root, onerror):
        for folder, inner, files in walk(root, onerror=onerror):
            if "deep" in inner:
                inner.remove("deep")
                onerror(refused)
            yield folder, inner, files

    monkeypatch.setattr(finding.os, "walk", walk_refused)
    (news / "tower.txt").unlink()
    todo = folders.plan(pipeline, [news], sync=True)
    assert [path for path, _ in todo.skipped] == [str(news / "deep")]
    assert todo.leaving == ids("tower.txt")


def test_sync_keeps_what_became_a_dangling_link(pipeline, news):
    index(pipeline, news)
    (news / "tower.txt").unlink()
    (news / "tower.txt").symlink_to("/nowhere/tower.txt")
    assert folders.plan(pipeline, [news], sync=True).leaving == []


# ---- rehearsing


def test_rehearsing_says_what_would_be_done_and_does_nothing(pipeline, news):
    index(pipeline, news)
    write(news, {"tower.txt": "Other words.", "new.txt": "A new one.", "empty.txt": ""})
    (news / "bridge.md").unlink()
    before = pipeline.info(), [info.to_json() for info in pipeline.articles()]
    todo = folders.plan(pipeline, [news], sync=True)
    report = folders.rehearse(pipeline, todo)
    assert todo.leaving == ids("bridge.md")
    assert (report.added, report.updated, report.unchanged) == (
        ids("new.txt"), ids("tower.txt"), ids("deep/er/mill.html")
    )  # fmt: skip
    assert [name for name, _ in report.failed] == ["news/empty.txt"]
    pipeline.index.refresh()
    assert (pipeline.info(), [info.to_json() for info in pipeline.articles()]) == before
    done = folders.run(pipeline, todo)
    assert outcome(done) == outcome(report)


# ---- shards


def test_shards_share_the_files_out_and_none_removes_another_ones(pipeline, news, tmp_path):
    write(news, {f"n{i}.txt": f"Article number {i}." for i in range(9)})
    names = [*TEXTS, *(f"n{i}.txt" for i in range(9))]
    parts = [[f.source for f in folders.plan(pipeline, [news], shard=(i, 3)).files] for i in (1, 2, 3)]
    assert sorted(itertools.chain(*parts)) == sorted(f"news/{name}" for name in names)
    assert all(parts)
    assert parts[0] == [f.source for f in folders.plan(pipeline, [news], shard=(1, 3)).files]
    for i in (1, 2, 3):
        index(pipeline, news, shard=(i, 3), sync=True)
    assert sources(pipeline) == {f"news/{name}" for name in names}

    shutil.rmtree(news)
    write(news, {"n0.txt": "Article number 0."})
    leaving = [folders.plan(pipeline, [news], shard=(i, 3), sync=True).leaving for i in (1, 2, 3)]
    assert sorted(itertools.chain(*leaving)) == ids(*(name for name in names if name != "n0.txt"))
    assert [{article_id(source) for source in part} - set(ids("n0.txt")) for part in parts] == [
        *map(set, leaving)
    ]


# ---- two folders of one name


def test_two_folders_of_one_name_do_not_overwrite_each_other(pipeline, news, tmp_path):
    index(pipeline, news)
    namesake = write(tmp_path / "old" / "news", {"tower.txt": "Another tower.", "own.txt": "Its own."})
    report = index(pipeline, namesake)
    assert report.added == ids("own.txt")
    assert [name for name, _ in report.failed] == ["news/tower.txt"]
    assert str(news / "tower.txt") in report.failed[0][1]
    assert pipeline.text(article_id("news/tower.txt")) == TEXTS["tower.txt"]


def test_a_folder_that_was_moved_keeps_its_articles(pipeline, news, tmp_path):
    index(pipeline, news)
    (tmp_path / "elsewhere").mkdir()
    news.rename(tmp_path / "elsewhere" / "news")
    report = index(pipeline, tmp_path / "elsewhere" / "news")
    assert outcome(report) == ([], ids(*TEXTS), [], [])
    assert pipeline.index.article(article_id("news/tower.txt")).path.endswith("/elsewhere/news/tower.txt")
    assert pipeline.info()["articles"] == 3
