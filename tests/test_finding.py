import hashlib
import os
import unicodedata
from pathlib import Path

import pytest
from file_helpers import put

from qa.finding import FoundFile, article_id, find_files, kind
from qa.types import ArticleError

SEEDS = Path(__file__).parent.parent / "seeds"
KINDS = ".txt, .text, .md, .markdown, .html, .htm, .pdf, .docx, .srt, .vtt, .csv, .jsonl, .zip"


def sources(paths, skipped=None):
    return [
        f.source
        for f in find_files(paths, lambda p, why: skipped is not None and skipped.append((p.name, why)))
    ]


# --- names


@pytest.mark.parametrize(
    ("source", "slug"),
    [
        ("seeds/000_38fa.txt", "000_38fa"),
        ("a/Le Monde: l'été (1).md", "Le-Monde-l-été-1"),
        ("a/日本.HTML", "日本"),
        ("a/v1.2 notes", "v1.2-notes"),
        ("a/<b>@x#1-2\n.txt", "b-x-1-2"),
        ("a/???.txt", "article"),
        ("a/" + "é" * 100 + ".txt", "é" * 60),
        ("", "article"),
    ],
)
def test_article_id(source, slug):
    digest = hashlib.sha256(source.replace("\n", "\ufffd").encode()).hexdigest()[:8]
    assert article_id(source) == f"{slug}-{digest}"


def test_ids_of_many_in_one_file_have_a_longer_digest():
    digest = hashlib.sha256(b"a/all.csv/index").hexdigest()
    assert article_id("a/all.csv/index", member=True) == f"index-{digest[:16]}"
    assert article_id("a/all.csv/index") == f"index-{digest[:8]}"


def test_the_kind_is_in_the_suffix():
    names = ["a.TXT", "b/c.htm", "d.zip", "e.vtt", "f.png", "txt", ".csv", ""]
    assert [kind(name) for name in names] == ["text", "HTML", "zip", "subtitles", "", "", "", ""]


def test_one_name_in_two_normal_forms_is_one_id():
    assert article_id(unicodedata.normalize("NFD", "a/é.txt")) == article_id("a/é.txt")


def test_id_of_an_undecodable_name():
    assert article_id("a/\udcff.txt") == article_id("a/\ufffd.txt")


# --- finding files


def test_files_of_a_folder(tmp_path):
    root = tmp_path / "my articles"
    for name in (
        "b.txt",
        "a.MD",
        "sub/deep/c.html",
        "sub/README",
        "z.png",
        ".hidden.txt",
        ".git/x.txt",
        "README.md",
    ):
        put(root / name)
    skipped = []
    found = list(find_files([root], lambda path, why: skipped.append((path, why))))
    assert found == [
        FoundFile(root / "README.md", "my articles/README.md"),
        FoundFile(root / "a.MD", "my articles/a.MD"),
        FoundFile(root / "b.txt", "my articles/b.txt"),
        FoundFile(root / "sub/deep/c.html", "my articles/sub/deep/c.html"),
    ]
    assert sorted(skipped) == [
        (root / ".git", "hidden"),
        (root / ".hidden.txt", "hidden"),
        (root / "sub/README", f"not one of {KINDS}"),
        (root / "z.png", f"not one of {KINDS}"),
    ]


def test_a_file_has_the_same_source_alone_and_in_its_folder(monkeypatch):
    names = ["seeds/000_38fab82d8fa18b35.txt", "seeds/001_34707f324662fe23.txt"]
    assert sources([SEEDS]) == names
    assert [s for path in sorted(SEEDS.iterdir()) for s in sources([path])] == names
    monkeypatch.chdir(SEEDS)
    assert sources(["."]) == names
    assert sources(["001_34707f324662fe23.txt"]) == names[1:]
    assert sources(["../seeds/", str(SEEDS)]) == names  # each file once


def test_home_is_understood(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    put(tmp_path / "articles/a.txt")
    assert list(find_files(["~/articles"])) == [FoundFile(tmp_path / "articles/a.txt", "articles/a.txt")]


def test_an_empty_folder_yields_nothing(tmp_path):
    assert sources([tmp_path]) == []


def test_what_cannot_be_looked_up(tmp_path):
    missing = tmp_path / "no\nsuch"
    with pytest.raises(ArticleError) as caught:
        sources([missing])
    assert str(caught.value) == f"no such file or folder: {tmp_path}/no\ufffdsuch; check the spelling"
    other = put(tmp_path / "picture.png")
    with pytest.raises(ArticleError) as caught:
        sources([other])
    assert str(caught.value) == f"{other} is of no supported kind; supported are {KINDS}"
    for path in (other / "below", "a\0b"):
        with pytest.raises(ArticleError, match=r"^no such file or folder: .*; check the spelling$"):
            sources([path])
    with pytest.raises(ArticleError, match=r"cannot be opened: file name too long$"):
        sources([tmp_path / ("x" * 300)])
    os.mkfifo(tmp_path / "pipe.txt")
    with pytest.raises(ArticleError, match=r"pipe\.txt is neither a file nor a folder$"):
        sources([tmp_path / "pipe.txt"])


def test_a_file_under_two_folders_is_one_article(tmp_path):
    put(tmp_path / "a/b/c.txt")
    assert sources([tmp_path / "a", tmp_path / "a/b", tmp_path / "a/b/c.txt"]) == ["a/b/c.txt"]
    assert sources([tmp_path / "a/b", tmp_path / "a"]) == ["b/c.txt"]


def test_two_files_of_one_name_do_not_replace_each_other(tmp_path):
    first, second = put(tmp_path / "1/news/a.txt"), put(tmp_path / "2/news/a.txt")
    skipped = []
    found = list(find_files([first.parent, second.parent], lambda path, why: skipped.append((path, why))))
    assert found == [FoundFile(first, "news/a.txt")]
    assert skipped == [(second, f"would go by the same name as {first}; index a folder above both")]


def test_links(tmp_path):
    put(tmp_path / "outside/secret.txt")
    root = tmp_path / "root"
    put(root / "a.txt")
    put(root / "data.bin")
    put(root / ".store/v1.txt")
    (root / "out.txt").symlink_to("../outside/secret.txt")
    (root / "out").symlink_to("../outside")
    (root / "loop").symlink_to(".")
    (root / "round.txt").symlink_to("round.txt")
    (root / "gone.txt").symlink_to("nothing.txt")
    (root / "twice.txt").symlink_to("a.txt")
    (root / "named.txt").symlink_to("data.bin")
    (root / "latest.txt").symlink_to(".store/v1.txt")
    os.mkfifo(root / "pipe.txt")
    skipped = []
    assert sources([root], skipped) == ["root/a.txt", "root/latest.txt", "root/named.txt"]
    assert dict(skipped) == {
        ".store": "hidden",
        "data.bin": f"not one of {KINDS}",
        "gone.txt": "a link that leads nowhere",
        "loop": "a link to a folder that is read anyway",
        "out": "a link that leads out of the folder",
        "out.txt": "a link that leads out of the folder",
        "pipe.txt": "not a regular file",
        "round.txt": "a link that leads nowhere",
        "twice.txt": "a link to a file that is read anyway",
    }
    # A link that was named itself is followed, and goes by its own name.
    (tmp_path / "mine").symlink_to("root")
    assert sources([tmp_path / "mine"]) == ["mine/a.txt", "mine/latest.txt", "mine/named.txt"]
    assert sources([root / "out.txt"]) == ["root/out.txt"]


def test_a_folder_that_must_not_be_read(tmp_path, monkeypatch):
    root = tmp_path / "root"
    put(root / "a.txt")
    put(root / "closed/b.txt")
    scandir = os.scandir

    def guarded(path):
        if Path(path).name == "closed":
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", guarded)
    skipped = []
    assert sources([root], skipped) == ["root/a.txt"]
    assert skipped == [("closed", "permission denied; check who may read it")]
    with pytest.raises(
        ArticleError, match=r"closed cannot be opened: permission denied; check who may read it$"
    ):
        sources([root / "closed"])
