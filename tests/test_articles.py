import hashlib
import os
import stat
from pathlib import Path

import docx
import pytest
from file_helpers import make_docx, make_pdf, put

from qa import articles
from qa.articles import article_id, find_files, from_text, read_file
from qa.types import ArticleError

SEEDS = Path(__file__).parent.parent / "seeds"
KINDS = ".txt, .text, .md, .markdown, .html, .htm, .pdf, .docx, .srt, .vtt, .csv, .jsonl, .zip"


def refusal(path, source="x/y.txt"):
    with pytest.raises(ArticleError) as caught:
        read_file(path, source=source)
    return str(caught.value)


# --- reading


def test_read_text_byte_for_byte(tmp_path):
    data = "\ufeffFirst line.\r\nAdvertisement\r\n\r\n\tLast\u2028line.\r\n".encode()
    path = put(tmp_path / "dir/A text.txt", data)
    article = read_file(path, source="dir/A text.txt")
    assert article.text.encode() == data
    assert [article.text[a:b] for a, b in article.masks] == ["\ufeff", "Advertisement"]
    assert (article.id, article.title) == ("A-text-" + article_id("dir/A text.txt")[-8:], "A text")
    assert (article.source, article.date, article.locators) == ("dir/A text.txt", None, ())
    assert article.path == str(path)
    assert article.bytes_sha256 == article.version == hashlib.sha256(data).hexdigest()


def test_seeds_are_read_byte_for_byte():
    for found in find_files([SEEDS]):
        article = read_file(found.path, source=found.source)
        assert article.text.encode() == found.path.read_bytes()
        assert article.masks == ()


def test_two_encodings_of_one_text_are_one_version(tmp_path):
    one = read_file(put(tmp_path / "a.txt", "café"), source="s/a.txt")
    two = read_file(put(tmp_path / "a.txt", "café".encode("cp1252")), source="s/a.txt")
    assert one.version == two.version
    assert one.bytes_sha256 != two.bytes_sha256 == hashlib.sha256(b"caf\xe9").hexdigest()


def test_read_markdown(tmp_path):
    text = "---\ntitle: T\ndate: 2020-01-02\n---\n# H\n\nRead more: [x](y)\n"
    article = read_file(put(tmp_path / "a.md", text), source="s/a.md")
    assert (article.text, article.title, article.date, article.locators) == (
        text,
        "T",
        "2020-01-02",
        ((34, "H"),),
    )
    assert [text[a:b] for a, b in article.masks] == [
        "---\ntitle: T\ndate: 2020-01-02\n---",
        "Read more: [x](y)",
    ]


def test_read_html(tmp_path):
    page = "<meta charset=windows-1251><title>Т</title><nav>Меню</nav><p>Да.</p><p>Read more</p>".encode(
        "cp1251"
    )
    article = read_file(put(tmp_path / "a.htm", page), source="s/a.htm")
    assert (article.text, article.title) == ("Меню\n\nДа.\n\nRead more", "Т")
    assert article.masks == ((0, 4), (11, 20))
    assert article.bytes_sha256 == hashlib.sha256(page).hexdigest()


def test_read_pdf(tmp_path):
    path = put(tmp_path / "a.PDF", make_pdf(["All rights reserved", "One"], ["Two"], info="/Title (T t)"))
    article = read_file(path, source="s/a.PDF")
    assert (article.text, article.title) == ("All rights reserved\nOne\n\nTwo", "T t")
    assert article.masks == ((0, 19),)
    assert article.locators == ((0, "page 1"), (25, "page 2"))


def test_read_docx(tmp_path):
    document = docx.Document()
    document.add_paragraph("Words")
    article = read_file(put(tmp_path / "My file.docx", make_docx(document)), source="s/My file.docx")
    assert (article.text, article.title) == ("Words", "My file")


def test_read_a_pdf_of_which_pages_are_missing(tmp_path):
    path, notices = put(tmp_path / "a.pdf", make_pdf(["One"], [], ["Three"])), []
    article = read_file(path, source="s/a.pdf", on_notice=notices.append)
    assert (article.text, article.locators) == ("One\n\nThree", ((0, "page 1"), (5, "page 3")))
    assert notices == ["has no text on page 2, which may be scanned"]


def test_read_subtitles(tmp_path):
    first = "1\r\n00:12:31,000 --> 00:12:34,000\r\n<i>The keeper\r\nis Olaf</i>\r\n\r\n"
    srt = f"{first}2\r\n00:12:34,500 --> 00:12:39,000\r\nBrandt.\r\n"
    article = read_file(put(tmp_path / "My talk.srt", srt), source="s/My talk.srt")
    assert (article.text, article.title) == ("The keeper is Olaf Brandt.", "My talk")
    assert article.locators == ((0, "00:12:31"),)
    assert article.bytes_sha256 == hashlib.sha256(srt.encode()).hexdigest()


@pytest.mark.parametrize(("suffix", "what"), [("csv", "CSV"), ("jsonl", "JSON Lines"), ("zip", "zip")])
def test_a_file_of_many_articles_is_not_one(tmp_path, suffix, what):
    words = f"x/y.txt holds many articles; read_articles reads {what} files"
    assert refusal(put(tmp_path / f"a.{suffix}", "title,text")) == words


def test_hostile_file_names(tmp_path):
    root = tmp_path / "r"
    root.mkdir()
    raw = [
        b"a\nb.txt",
        b"<img src=x onerror=alert(1)>.txt",
        b"\xff\xfe.txt",
        b"\x1b[31mred\xe2\x80\xae.txt",
        b"-rf.txt",
    ]
    for name in raw:
        with open(os.fsencode(root) + b"/" + name, "wb") as file:
            file.write(b"words")
    found = {f.source: read_file(f.path, source=f.source) for f in find_files([root])}
    assert sorted(found) == [
        "r/-rf.txt",
        "r/<img src=x onerror=alert(1)>.txt",
        "r/a\ufffdb.txt",
        "r/\ufffd[31mred\ufffd.txt",
        "r/\ufffd\ufffd.txt",
    ]
    for source, article in found.items():
        assert (article.source, article.text, article.id) == (source, "words", article_id(source))
        f"{article}".encode()  # can be shown and stored
    assert found["r/\ufffd\ufffd.txt"].path is None
    assert found["r/a\ufffdb.txt"].path == f"{root}/a\nb.txt"
    assert found["r/a\ufffdb.txt"].title == "a\ufffdb"


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("a.txt", b"", "is empty; nothing to index"),
        ("a.txt", b" \r\n\t\f", "is empty; nothing to index"),
        ("a.md", "\ufeff\n\u00a0", "is empty; nothing to index"),
        ("a.html", b"<p> </p><script>x</script>", "is empty; nothing to index"),
        ("a.docx", make_docx(docx.Document()), "is empty; nothing to index"),
        (
            "a.pdf",
            make_pdf([]),
            "has no text; it is probably scanned: run it through OCR and index the result",
        ),
        (
            "a.txt",
            b"\x89PNG\r\n\x1a\n\0\0\0\r",
            "is binary, not text; give it its true suffix, or leave it out",
        ),
        ("a.png", b"\x89PNG", f"is of no supported kind; supported are {KINDS}"),
        (
            "a.html",
            b"<div>" * 3000 + b"x",
            "is nested too deeply to be read; open it in a browser and save its text",
        ),
    ],
)
def test_files_that_give_no_article(tmp_path, name, data, message):
    assert refusal(put(tmp_path / name, data), f"s/{name}") == f"s/{name} {message}"


@pytest.mark.parametrize(
    "data", [b"junk", b"%PDF-1.4\n%%EOF", b"PK\x03\x04junk", make_pdf(["x"])[:200], b"\0" * 50]
)
@pytest.mark.parametrize(("suffix", "kind"), [(".pdf", "PDF"), (".docx", "Word")])
def test_broken_documents(tmp_path, suffix, kind, data):
    message = refusal(put(tmp_path / f"a{suffix}", data), f"s/a{suffix}")
    assert message.startswith(f"s/a{suffix} is not a readable {kind} file (")
    assert message.endswith("); open it and save it anew")
    assert len(message.splitlines()) == 1
    assert len(message) < 200


def test_whatever_a_parser_raises_is_one_line(tmp_path, monkeypatch):
    def explode(text):
        raise RecursionError("first\nsecond \x1b[31m" + "x" * 500)

    monkeypatch.setitem(articles._FROM_TEXT, "HTML", explode)
    assert refusal(put(tmp_path / "a.html"), "s/a.html") == (
        f"s/a.html is not a readable HTML file (first second \ufffd[31m{'x' * 82}); open it and save it anew"
    )


def test_a_file_too_large(tmp_path, monkeypatch):
    monkeypatch.setattr(articles, "MAX_BYTES", 1_000_000)
    assert read_file(put(tmp_path / "a.txt", "x" * 1_000_000), source="s/a.txt").text == "x" * 1_000_000
    words = "x/y.txt is larger than 1 MB; split it into parts"
    assert refusal(put(tmp_path / "a.txt", "x" * 1_000_001)) == words


def test_no_file(tmp_path):
    assert refusal(tmp_path / "a.txt") == "x/y.txt does not exist; check the spelling"
    (tmp_path / "dir.txt").mkdir()
    assert refusal(tmp_path / "dir.txt") == "x/y.txt is not a file"
    os.mkfifo(tmp_path / "pipe.txt")
    assert refusal(tmp_path / "pipe.txt") == "x/y.txt is not a file"
    assert refusal(tmp_path / "a.txt", "x/a\nb.txt") == "x/a\ufffdb.txt does not exist; check the spelling"


def test_a_file_that_must_not_be_read(tmp_path, monkeypatch):
    path = put(tmp_path / "a.txt")
    path.chmod(stat.S_IWUSR)
    if os.access(path, os.R_OK):  # root may read everything

        def denied(*_, **__):
            raise PermissionError(13, "Permission denied", str(path))

        monkeypatch.setattr(Path, "open", denied)
    assert refusal(path) == "x/y.txt cannot be opened: permission denied; check who may read it"


# --- pasted text


def test_from_text():
    article = from_text("\ufeffA\0b\ud800.\r\nSubscribe\n", title=" My \n title/1 ", date="2024-05-31T10:00")
    assert article.text == "\ufeffA\ufffdb\ufffd.\r\nSubscribe\n"
    assert article.masks == ((0, 1), (8, 17))
    assert (article.title, article.date, article.path) == ("My title/1", "2024-05-31", None)
    assert article.source == "pasted/My title-1"
    assert article.id == article_id(article.source)
    assert article.bytes_sha256 == article.version


def test_from_text_with_a_source_and_without_a_title():
    article = from_text("words", title=" ", source="notes/a\nb.txt")
    assert (article.title, article.source) == ("Untitled", "notes/a\ufffdb.txt")
    assert from_text("words", title="").source == "pasted/Untitled"


@pytest.mark.parametrize(
    ("text", "date", "message"),
    [
        ("", None, "pasted/T is empty; nothing to index"),
        (" \n\ufeff", None, "pasted/T is empty; nothing to index"),
        ("words", "next\nweek", "pasted/T has a date that is none: 'next week'; one looks like 2024-05-31"),
    ],
)
def test_from_text_refuses(text, date, message):
    with pytest.raises(ArticleError) as caught:
        from_text(text, title="T", date=date)
    assert str(caught.value) == message


def test_from_text_too_large(monkeypatch):
    monkeypatch.setattr(articles, "MAX_BYTES", 1_000_000)
    with pytest.raises(ArticleError, match=r"^pasted/T is larger than 1 MB; split it into parts$"):
        from_text("é" * 500_001, title="T")
