import hashlib
import io
import zipfile

import pytest
from file_helpers import make_pdf, put

from qa import articles, containers
from qa.articles import article_id
from qa.containers import Failure, Notice, read_articles
from qa.finding import SUPPORTED
from qa.types import Article

TABLE = "title,text,source,date\n"


def pack(path, members):
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in members.items():
            file.writestr(name, data)
    return path


def read(path, source=None):
    return list(read_articles(path, source=source or f"news/{path.name}"))


def texts(items):
    return {item.source: item.text for item in items if isinstance(item, Article)}


def rest(items):
    return [item for item in items if not isinstance(item, Article)]


# --- one article


def test_a_file_of_one_article(tmp_path):
    path, told = put(tmp_path / "a.txt", "words"), []
    (article,) = read_articles(path, source="news/a.txt", more=told.append)
    assert (article.id, article.text, article.path) == (article_id("news/a.txt"), "words", str(path))
    assert told == []


def test_a_file_of_one_article_that_cannot_be_read(tmp_path):
    path = put(tmp_path / "a.txt", "")
    assert read(path) == [Failure("news/a.txt", "news/a.txt is empty; nothing to index", "news/a.txt")]


def test_a_pdf_with_a_page_without_text_is_read_and_that_is_said(tmp_path):
    article, notice = read(put(tmp_path / "a.pdf", make_pdf(["One"], [])))
    assert (article.text, article.locators) == ("One", ((0, "page 1"),))
    assert notice == Notice("news/a.pdf has no text on page 2, which may be scanned")


# --- tables


def test_rows_become_articles(tmp_path):
    text = (
        TABLE
        + 'The  Tower,"It is 312 m.\r\nRead more",,2024-05-31\n"AC/DC, live",Loud.,,\n,Far.,https://x.org/far.html,\n'
    )
    path, told = put(tmp_path / "all.csv", text), []
    tower, band, far = read_articles(path, source="news/all.csv", more=told.append)
    assert tower == Article(
        id="The-Tower-" + hashlib.sha256(b"news/all.csv/The Tower").hexdigest()[:16],
        text="It is 312 m.\r\nRead more",
        title="The Tower",
        source="news/all.csv/The Tower",
        date="2024-05-31",
        masks=((14, 23),),
        bytes_sha256=hashlib.sha256(b"It is 312 m.\r\nRead more").hexdigest(),
        path=str(path),
    )
    assert (band.source, band.title, band.date) == ("news/all.csv/AC-DC, live", "AC/DC, live", None)
    assert (far.source, far.title) == ("news/all.csv/https://x.org/far.html", "far")
    assert told == [2]


def test_a_table_in_json_lines_in_any_encoding(tmp_path):
    text = "Ein Café in Köln, mit Blick auf den großen Dom und die Brücken über den Rhein."
    line = f'{{"title": "Café", "text": "{text}"}}'
    for encoding in ("utf-8", "utf-8-sig", "utf-16", "cp1252"):
        assert texts(read(put(tmp_path / "a.jsonl", line.encode(encoding)))) == {"news/a.jsonl/Café": text}


def test_rows_of_one_name_are_numbered_in_their_order(tmp_path):
    rows = [
        "Rain,one,,",
        "Rain (2),two,,",
        "Rain,three,,",
        "x,four,Rain,",
        "rain,five,,",
        " Rain ,,,",
        "Rain,seven,,",
    ]
    items = read(put(tmp_path / "all.csv", TABLE + "\n".join(rows)))
    assert texts(items) == {
        "news/all.csv/Rain": "one",
        "news/all.csv/Rain (2)": "two",
        "news/all.csv/Rain (3)": "three",
        "news/all.csv/Rain (4)": "four",
        "news/all.csv/rain": "five",
        "news/all.csv/Rain (6)": "seven",
    }
    assert rest(items) == [
        Failure(
            "news/all.csv line 7",
            "news/all.csv line 7: news/all.csv/Rain (5) is empty; nothing to index",
            "news/all.csv/Rain (5)",
        )
    ]
    assert len({item.id for item in items if isinstance(item, Article)}) == 6


@pytest.mark.timeout(20)
def test_many_rows_of_one_name_take_linear_time(tmp_path):
    items = read(put(tmp_path / "all.csv", "title,text\n" + "Rain,It rains.\n" * 20_000))
    assert len({item.id for item in items}) == 20_000
    assert items[-1].source == "news/all.csv/Rain (20000)"


def test_bad_rows_are_named_by_line_and_stop_nothing(tmp_path):
    lines = [
        '{"title": "A", "text": "one"}',
        "{",
        '{"title": "B", "text": " "}',
        '{"title": "C", "text": "two\\u0000"}',
    ]
    items = read(put(tmp_path / "all.jsonl", "\n".join(lines)))
    assert texts(items) == {"news/all.jsonl/A": "one", "news/all.jsonl/C": "two\ufffd"}
    assert rest(items) == [
        Failure(
            "news/all.jsonl line 2",
            "news/all.jsonl line 2 is no JSON (Expecting property name enclosed in double quotes, at character 2)",
            "news/all.jsonl",
        ),
        Failure(
            "news/all.jsonl line 3",
            "news/all.jsonl line 3: news/all.jsonl/B is empty; nothing to index",
            "news/all.jsonl/B",
        ),
    ]


def test_dates_that_are_none_are_said_once_and_left_out(tmp_path):
    items = read(put(tmp_path / "all.csv", TABLE + "A,one,,31.05.2024\nB,two,,2024-05-31\nC,three,,soon\n"))
    assert [(item.title, item.date) for item in items[:3]] == [("A", None), ("B", "2024-05-31"), ("C", None)]
    words = "has 2 dates that are none (line 2: '31.05.2024'); one looks like 2024-05-31"
    assert items[3:] == [Notice(f"news/all.csv {words}")]


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("a.csv", b"", "is empty; nothing to index"),
        ("a.csv", b"name,words\nx,y", "has no column title and no column text in its first line (name, words); "
         "the columns are title, text and, if you like, source and date"),
        ("a.csv", b"\x89PNG\r\n\x1a\n\0\0\0\r", "is binary, not text; give it its true suffix, or leave it out"),
        ("a.jsonl", b"{}", "has no line with title and text: line 1 has no text; "
         'one looks like {"title": "...", "text": "..."}'),
        ("a.zip", b"PK no", "is not a readable zip file (File is not a zip file); pack it anew"),
    ],
)  # fmt: skip
def test_files_that_give_nothing(tmp_path, name, data, message):
    path = put(tmp_path / name, data)
    assert read(path) == [Failure(f"news/{name}", f"news/{name} {message}", f"news/{name}")]


@pytest.mark.parametrize("name", ["a.txt", "a.csv", "a.zip"])
def test_files_that_are_not_there(tmp_path, name):
    words = f"news/{name} does not exist; check the spelling"
    assert read(tmp_path / name) == [Failure(f"news/{name}", words, f"news/{name}")]


def test_a_table_too_large(tmp_path, monkeypatch):
    monkeypatch.setattr(containers, "TABLE_BYTES", 1_000_000)
    path = put(tmp_path / "a.csv", "title,text\nA," + "x" * 1_000_000)
    words = "news/a.csv is larger than 1 MB; split it into parts"
    assert read(path) == [Failure("news/a.csv", words, "news/a.csv")]
    monkeypatch.setattr(containers, "TABLE_BYTES", 2_000_000)
    monkeypatch.setattr(articles, "MAX_BYTES", 900_000)  # and each article in it by itself
    words = "news/a.csv line 2: news/a.csv/A is larger than 0 MB; split it into parts"
    assert read(path) == [Failure("news/a.csv line 2", words, "news/a.csv/A")]


# --- archives


def test_files_of_an_archive_become_articles(tmp_path):
    members = {
        "may/Le Monde.txt": "café".encode("cp1252"),
        "may/page.html": "<title>T</title><h1>Head</h1><p>Words.</p>",
        "report.pdf": make_pdf(["One"], [], ["Three"]),
        "talk.vtt": "WEBVTT\n\n00:05.000 --> 00:06.000\nHello",
        "all.csv": TABLE + "A,one,,soon\nB,two,,\n",
        "pics/a.png": b"\x89PNG",
        "pics/b.png": b"\x89PNG",
    }
    path, told = pack(tmp_path / "old.zip", members), []
    items = list(read_articles(path, source="news/old.zip", more=told.append))
    assert texts(items) == {
        "news/old.zip/may/Le Monde.txt": "café",
        "news/old.zip/may/page.html": "Head\n\nWords.",
        "news/old.zip/report.pdf": "One\n\nThree",
        "news/old.zip/talk.vtt": "Hello",
        "news/old.zip/all.csv/A": "one",
        "news/old.zip/all.csv/B": "two",
    }
    assert [notice.why for notice in rest(items)] == [
        "news/old.zip/report.pdf has no text on page 2, which may be scanned",
        "news/old.zip/all.csv has a date that is none (line 2: 'soon'); one looks like 2024-05-31",
        f"news/old.zip: passed over 2 files, such as pics/a.png: not one of {SUPPORTED}",
    ]
    assert told == [4, 1]
    first = items[0]
    assert first.id == "Le-Monde-" + hashlib.sha256(b"news/old.zip/may/Le Monde.txt").hexdigest()[:16]
    assert (first.title, first.path) == ("Le Monde", str(path))
    assert first.bytes_sha256 == hashlib.sha256(b"caf\xe9").hexdigest()
    assert [(item.title, item.locators) for item in items[1:2]] == [("T", ((0, "Head"),))]


def test_bad_files_of_an_archive_are_named_and_stop_nothing(tmp_path):
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as file:
        file.writestr("x.txt", "x")
    members = {"empty.txt": "", "broken.pdf": "%PDF-1.7 no", "inner.zip": inner.getvalue(), "table.csv": "a,b\n",
               "rows.jsonl": '{"title": "A", "text": "one"}\n[]', "x/../a.txt": "first", "x/a.txt": "second",
               "x\\a.txt": "third"}  # fmt: skip
    items = read(pack(tmp_path / "old.zip", members))
    assert texts(items) == {"news/old.zip/rows.jsonl/A": "one", "news/old.zip/x/a.txt": "first"}
    found = {item.name: (item.why.removeprefix(f"{item.name} "), item.scope.removeprefix("news/old.zip/"))
             for item in rest(items)}  # fmt: skip
    broken, _ = found.pop("news/old.zip/broken.pdf")
    assert broken.startswith("is not a readable PDF file (")
    same = "goes by the same name as another file in the archive; rename one"
    assert found == {
        "news/old.zip/empty.txt": ("is empty; nothing to index", "empty.txt"),
        "news/old.zip/inner.zip": ("is an archive within an archive; unpack that one first", "inner.zip"),
        "news/old.zip/table.csv": (
            "has no column title and no column text in its first line (a, b); "
            "the columns are title, text and, if you like, source and date", "table.csv"),
        "news/old.zip/rows.jsonl line 2": ("is no JSON object", "rows.jsonl"),
        "news/old.zip/x/a.txt": (same, "x/a.txt"),
    }  # fmt: skip
    assert sum(isinstance(item, Failure) and item.name == "news/old.zip/x/a.txt" for item in items) == 2


def test_an_archive_without_anything_to_read(tmp_path):
    told = []
    path = pack(tmp_path / "old.zip", {"a.png": b"x"})
    items = list(read_articles(path, source="news/old.zip", more=told.append))
    assert items == [Notice(f"news/old.zip: passed over 1 file, such as a.png: not one of {SUPPORTED}")]
    assert told == [-1]


def test_names_of_rows_and_files_of_one_archive_do_not_collide(tmp_path):
    members = {"all.csv/A.txt": "a file", "all.csv": TABLE + "A.txt,a row,,\nA.txt,another,,\n"}
    assert texts(read(pack(tmp_path / "old.zip", members))) == {
        "news/old.zip/all.csv/A.txt": "a file",
        "news/old.zip/all.csv/A.txt (2)": "a row",
        "news/old.zip/all.csv/A.txt (3)": "another",
    }


def test_nothing_is_unpacked_to_the_disk(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = pack(tmp_path / "old.zip", {"../up.txt": "up", "/abs.txt": "abs", "a/b.txt": "b"})
    assert texts(read(path)) == {
        "news/old.zip/up.txt": "up", "news/old.zip/abs.txt": "abs", "news/old.zip/a/b.txt": "b",
    }  # fmt: skip
    assert list(tmp_path.rglob("*")) == [path]


def test_an_archive_that_must_not_be_read(tmp_path, monkeypatch):
    path = pack(tmp_path / "old.zip", {"a.txt": "a"})

    def denied(*_):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("qa.archives.io.FileIO", denied)
    words = "news/old.zip cannot be opened: permission denied; check who may read it"
    assert read(path) == [Failure("news/old.zip", words, "news/old.zip")]
