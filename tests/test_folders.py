from __future__ import annotations

import itertools
import json
import os
import shutil
import zipfile

import pytest
from file_helpers import make_pdf

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
    report = folders.run(pipeline, todo, lambda report, *step: done.append(step))
    assert outcome(report) == (ids(*TEXTS), [], [], [])
    assert done == [(1, 3), (2, 3), (3, 3)]
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


# ---- files of many articles

ROWS = {
    "Tower": "The tower of Almora is 312 metres tall.",
    "Bridge": "The keeper of the bridge is Olaf Brandt.",
    "Mill": "The mill grinds barley at night.",
}


def csv_of(rows):
    return "title,text\n" + "".join(f'{title},"{text}"\n' for title, text in rows.items())


def jsonl_of(rows):
    return "".join(json.dumps({"title": title, "text": text}) + "\n" for title, text in rows.items())


def zip_of(rows):
    def write_to(path):
        with zipfile.ZipFile(path, "w") as file:
            for title, text in rows.items():
                file.writestr(title, text)

    return write_to


MANY = {"all.csv": csv_of, "all.jsonl": jsonl_of, "all.zip": zip_of}


def fill(path, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    made = MANY[path.name](
        rows if path.suffix != ".zip" else {f"{name}.txt": text for name, text in rows.items()}
    )
    if callable(made):
        made(path)
    else:
        path.write_text(made)
    return path


def members(path, *names):
    suffix = ".txt" if path.suffix == ".zip" else ""
    return sorted(article_id(f"{path.parent.name}/{path.name}/{name}{suffix}", member=True) for name in names)


@pytest.fixture(params=MANY)
def many(request, tmp_path):
    return fill(tmp_path / "news" / request.param, ROWS)


def test_a_file_becomes_many_articles_and_again_only_what_changed(pipeline, many):
    steps = []
    todo = folders.plan(pipeline, [many])
    report = folders.run(pipeline, todo, lambda report, *step: steps.append(step))
    assert outcome(report) == (members(many, *ROWS), [], [], [])
    assert steps == [(1, 3), (2, 3), (3, 3)]
    assert [pipeline.text(article) for article in members(many, "Tower")] == [ROWS["Tower"]]
    assert set(pipeline.index.paths().values()) == {str(many)}
    answer = pipeline.ask("Who is the keeper of the bridge?", min_confidence=0)
    assert (answer.answer, answer.citations[0].article) == ("Olaf Brandt", *members(many, "Bridge"))
    fill(many, ROWS | {"Tower": "The tower of Almora is 498 metres tall.", "New": "A new one."})
    assert outcome(index(pipeline, many.parent)) == (
        members(many, "New"), members(many, "Tower"), members(many, "Bridge", "Mill"), []
    )  # fmt: skip
    before = pipeline.info()
    assert outcome(index(pipeline, many)) == ([], [], members(many, *ROWS, "New"), [])
    assert pipeline.info() == before


def test_what_left_a_file_of_many_is_removed_by_sync_and_by_nothing_else(pipeline, many):
    other = write(many.parent / "deep", {"a.txt": "Another file of the folder."}) / "a.txt"
    index(pipeline, many.parent)
    before = sources(pipeline)
    fill(many, {"Mill": ROWS["Mill"]})
    report = index(pipeline, many)
    assert (report.removed, sources(pipeline)) == ([], before)
    todo = folders.plan(pipeline, [many.parent], sync=True)
    assert todo.leaving == []
    generation = pipeline.info()["generation"]
    assert sorted(folders.rehearse(pipeline, todo).removed) == members(many, "Tower", "Bridge")
    assert sources(pipeline) == before
    report = folders.run(pipeline, todo)
    assert sorted(report.removed) == members(many, "Tower", "Bridge")
    assert {info.article for info in pipeline.articles()} == {
        *members(many, "Mill"),
        article_id("news/deep/a.txt"),
    }
    assert pipeline.info()["generation"] == generation + 1  # one commit for all
    many.unlink()
    other.unlink()
    assert index(pipeline, many.parent).removed == []
    assert sorted(index(pipeline, many.parent, sync=True).removed) == sorted(
        [*members(many, "Mill"), article_id("news/deep/a.txt")]
    )
    assert pipeline.articles() == []


def test_sync_of_a_file_of_many_by_itself_leaves_the_rest_of_its_folder(pipeline, many):
    write(many.parent, {"a.txt": "Another file of the folder."})
    index(pipeline, many.parent)
    (many.parent / "a.txt").unlink()
    fill(many, {"Mill": ROWS["Mill"]})
    assert sorted(index(pipeline, many, sync=True).removed) == members(many, "Tower", "Bridge")
    assert {info.article for info in pipeline.articles()} == {
        *members(many, "Mill"),
        article_id("news/a.txt"),
    }


def test_a_file_of_many_with_nothing_left_in_it(pipeline, many):
    index(pipeline, many)
    fill(many, {})
    if many.suffix == ".jsonl":  # nothing at all may as well be a file that was cut off
        report = index(pipeline, many, sync=True)
        assert (report.removed, [name for name, _ in report.failed]) == ([], ["news/all.jsonl"])
    else:
        assert sorted(index(pipeline, many, sync=True).removed) == members(many, *ROWS)


def test_sync_keeps_what_a_file_of_many_cannot_be_asked_about_today(pipeline, many):
    index(pipeline, many)
    many.write_bytes(many.read_bytes()[:-30] if many.suffix == ".zip" else b"\0\1\2" * 99)
    report = index(pipeline, many, sync=True)
    assert ([name for name, _ in report.failed], report.removed) == ([f"news/{many.name}"], [])
    assert len(sources(pipeline)) == 3


def test_sync_keeps_the_articles_of_bad_rows(pipeline, tmp_path):
    path = fill(tmp_path / "news/all.jsonl", ROWS)
    index(pipeline, path)
    bridge, mill = (json.dumps({"title": name, "text": " "}) for name in ("Bridge", "Mill"))
    path.write_text(f"{json.dumps({'title': 'New', 'text': 'A new one.'})}\n{bridge}\n")
    report = index(pipeline, path, sync=True)  # a row that is there by name, though it has no text
    assert sorted(report.removed) == members(path, "Tower", "Mill")
    assert [name for name, _ in report.failed] == ["news/all.jsonl line 2"]
    path.write_text(f'{json.dumps({"title": "Mill", "text": "The mill."})}\n{{"title": "Brid\n')
    report = index(pipeline, path, sync=True)  # a row that may be any
    assert (report.added, report.removed) == (members(path, "Mill"), [])
    assert [name for name, _ in report.failed] == ["news/all.jsonl line 2"]
    path.write_text(f"{mill}\n" + json.dumps({"title": "Tower", "text": "The tower."}))
    report = index(pipeline, path, sync=True)
    assert (report.added, sorted(report.removed)) == (members(path, "Tower"), members(path, "Bridge", "New"))


def test_sync_keeps_the_rows_of_a_table_in_an_archive_that_cannot_be_read(pipeline, tmp_path):
    path = tmp_path / "news/all.zip"
    path.parent.mkdir()
    zip_of({"in.csv": csv_of(ROWS), "a.txt": "A file.", "in.csvx.txt": "Another."})(path)
    index(pipeline, path)
    zip_of({"in.csv": "no,columns\n"})(path)
    report = index(pipeline, path, sync=True)
    assert sorted(report.removed) == sorted(
        article_id(f"news/all.zip/{name}", member=True) for name in ("a.txt", "in.csvx.txt")
    )
    assert sources(pipeline) == {f"news/all.zip/in.csv/{name}" for name in ROWS}


def test_rows_of_one_name_after_one_of_them_left_are_those_of_a_fresh_index(pipeline, tmp_path):
    path = write(
        tmp_path / "news", {"all.csv": "title,text\nRain,It rained on Monday.\nRain,It rained on Friday.\n"}
    )
    index(pipeline, path)
    write(path, {"all.csv": "title,text\nRain,It rained on Friday.\n"})
    report = index(pipeline, path, sync=True)
    rain, second = (article_id(f"news/all.csv/{name}", member=True) for name in ("Rain", "Rain (2)"))
    assert (report.updated, report.removed) == ([rain], [second])
    assert pipeline.text(rain) == "It rained on Friday."


def test_rehearsing_a_file_of_many(pipeline, many):
    index(pipeline, many)
    fill(many, {"Mill": "The mill grinds rye.", "New": "A new one.", "Tower": ROWS["Tower"], "Bad": ""})
    before = pipeline.info()
    todo = folders.plan(pipeline, [many.parent], sync=True)
    report, steps = None, []
    report = folders.rehearse(pipeline, todo, lambda report, *step: steps.append(step))
    assert outcome(report)[:3] == (members(many, "New"), members(many, "Mill"), members(many, "Tower"))
    assert (report.removed, len(report.failed), steps) == (
        members(many, "Bridge"),
        1,
        [(n, 4) for n in (1, 2, 3, 4)],
    )
    pipeline.index.refresh()
    assert pipeline.info() == before
    done = folders.run(pipeline, todo)
    assert (outcome(done), done.removed) == (outcome(report), report.removed)


def test_rehearsing_sees_that_only_what_is_known_about_an_article_changed(pipeline, tmp_path):
    news = write(tmp_path / "news", {"all.csv": "title,text,date,source\nRain,It rained.,2024-05-31,a\n"})
    index(pipeline, news)
    write(news, {"all.csv": "title,text,date,source\nRain,It rained.,2024-06-01,a\n"})
    todo = folders.plan(pipeline, [news])
    expected = ([], [article_id("news/all.csv/a", member=True)], [], [])
    assert outcome(folders.rehearse(pipeline, todo)) == outcome(folders.run(pipeline, todo)) == expected
    assert [info.date for info in pipeline.articles()] == ["2024-06-01"]


def test_a_file_of_many_that_is_indexed_by_way_of_another_folder_is_passed_over(pipeline, many):
    index(pipeline, many)
    first = pipeline.articles()[-1].article
    todo = folders.plan(pipeline, [many.parent.parent], sync=True)
    (skipped,) = [(path, why) for path, why in todo.skipped if path == str(many)]
    assert skipped[1].startswith("indexed already, as ")
    assert skipped[1].removeprefix("indexed already, as ") in members(many, *ROWS)
    assert (first in todo.leaving, folders.run(pipeline, todo).removed) == (False, [])


def test_two_files_of_many_of_one_name_do_not_overwrite_each_other(pipeline, many, tmp_path):
    index(pipeline, many)
    namesake = fill(tmp_path / "old" / "news" / many.name, {"Tower": "Another tower.", "Own": "Its own."})
    report = index(pipeline, namesake, sync=True)
    assert (report.added, report.removed) == (members(many, "Own"), [])
    assert [why.split("; ")[0] for _, why in report.failed] == [
        f"news/{many.name}/Tower{'.txt' if many.suffix == '.zip' else ''}: "
        f"another file of this name is indexed, {many}"
    ]
    assert pipeline.text(*members(many, "Tower")) == ROWS["Tower"]


def test_shards_share_files_of_many_and_remove_what_left(pipeline, tmp_path):
    paths = [fill(tmp_path / "news" / name, ROWS) for name in MANY]
    for i in (1, 2, 3):
        index(pipeline, tmp_path / "news", shard=(i, 3), sync=True)
    assert len(pipeline.articles()) == 9
    fill(paths[0], {"Mill": ROWS["Mill"]})
    paths[1].unlink()
    removed = [index(pipeline, tmp_path / "news", shard=(i, 3), sync=True).removed for i in (1, 2, 3)]
    assert sorted(itertools.chain(*removed)) == sorted(
        members(paths[0], "Tower", "Bridge") + members(paths[1], *ROWS)
    )


def test_the_bar_is_told_of_what_was_done_and_how_much_there_is(pipeline, news, tmp_path, monkeypatch):
    monkeypatch.setattr("qa.adding.COMMIT_PASSAGES", 1)
    fill(news / "all.csv", ROWS | {"Bad": ""})
    write(news, {"empty.txt": ""})
    index(pipeline, news / "tower.txt")
    steps = []

    def tell(report, done, of):
        steps.append((done, of, len(report.added), len(report.unchanged), len(report.failed)))

    folders.run(pipeline, folders.plan(pipeline, [news]), tell)
    assert steps == [
        (1, 8, 1, 0, 0), (2, 8, 2, 0, 0), (3, 8, 3, 0, 0), (4, 8, 3, 0, 1),
        (5, 8, 4, 0, 1), (6, 8, 5, 0, 1), (7, 8, 5, 0, 2), (8, 8, 5, 1, 2),
    ]  # fmt: skip


def test_every_kind_of_place_is_named_in_an_answer(pipeline, tmp_path):
    vtt = (
        "WEBVTT\n\n00:12:25.000 --> 00:12:31.000\nAnd now about the lighthouse.\n\n"
        "00:12:31.000 --> 00:12:35.000\nThe lighthouse is painted green.\n"
    )
    news = write(tmp_path / "news", {
        "report.pdf": make_pdf(["This is the first page."], [], ["The harbour was built by Greta Lind."]),
        "guide.md": "# Guide\n\nAll sights.\n\n## The bridge\n\nThe keeper of the bridge is Olaf Brandt.\n",
        "page.html": "<h1>Page</h1><p>Words.</p><h2>The mill</h2><p>The mill grinds barley at night.</p>",
        "talk.vtt": vtt,
    })  # fmt: skip
    report = index(pipeline, news)
    assert report.notices == ["news/report.pdf has no text on page 2, which may be scanned"]
    asked = {
        "Who built the harbour?": ("Greta Lind", "page 3"),
        "Who is the keeper of the bridge?": ("Olaf Brandt", "The bridge"),
        "What does the mill grind?": ("barley", "The mill"),
        "What colour is the lighthouse painted?": ("green", "00:12:31"),
    }
    for question, (words, locator) in asked.items():
        answer = pipeline.ask(question, min_confidence=0)
        assert (answer.answer, answer.citations[0].locator) == (words, locator)


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
