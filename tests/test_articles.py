import hashlib
import os
import stat
import unicodedata
from pathlib import Path

import pytest

from qa import articles
from qa.articles import FoundFile, article_id, decode, find_files, from_text, line_masks, read_file
from qa.formats import Unreadable
from qa.types import ArticleError
from tests.test_formats import make_docx, make_pdf

SEEDS = Path(__file__).parent.parent / "seeds"
KINDS = ".txt, .text, .md, .markdown, .html, .htm, .pdf, .docx"


def put(path, data="words"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return path


def sources(paths, skipped=None):
    return [
        f.source
        for f in find_files(paths, lambda p, why: skipped is not None and skipped.append((p.name, why)))
    ]


def refusal(path, source="x/y.txt"):
    with pytest.raises(ArticleError) as caught:
        read_file(path, source=source)
    return str(caught.value)


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


# --- decoding

CHINESE = "中国外交部发言人星期一在北京表示，中方反对单边制裁。\n"
RUSSIAN = "Президент заявил в понедельник, что переговоры начнутся в Москве.\n"


@pytest.mark.parametrize(
    ("text", "codec"),
    [
        ("plain", "ascii"),
        ("naïve café €", "utf-8"),
        ("\ufeffnaïve", "utf-8"),
        *((t, c) for t in ("The café\n", "\ufeff" + CHINESE, RUSSIAN) for c in ("utf-16-le", "utf-16-be")),
        *((t, c) for t in ("The café\n", "\ufeff" + CHINESE, RUSSIAN) for c in ("utf-32-le", "utf-32-be")),
        ("café", "cp1252"),
        ("The café in Zürich – “naïve” façade costs 5 €.", "cp1252"),
        (RUSSIAN, "cp1251"),
        (RUSSIAN * 5, "koi8-r"),
        ("Příliš žluťoučký kůň úpěl ďábelské ódy. Prezident řekl v pondělí v Praze.", "cp1250"),
        (CHINESE, "gb18030"),
        ("東京で記者会見を開き、新しい計画を発表した。", "shift_jis"),
        ("東京で記者会見", "iso2022_jp"),
        ("서울 기자회견", "iso2022_kr"),
    ],
)
def test_decode(text, codec):
    assert decode(text.encode(codec)) == text


@pytest.mark.parametrize(
    "data",
    [
        bytes(range(256)),
        b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x01\x00",
        b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x03\x00>\x00",
        b"an even text with one NUL\0",
        b"an odd text with one NUL\0",
        b"\xff\xfe\x00",
        b"\x01\x02\x03words",
        b"\0\0\0\0",
        "\ufeffa\0b".encode("utf-16-le"),
    ],
)
def test_binary_is_refused(data):
    with pytest.raises(Unreadable, match=r"^is binary, not text; give it its true suffix, or leave it out$"):
        decode(data)


def test_bytes_in_no_encoding_are_refused():
    noise = hashlib.shake_256(b"seed").digest(4000).replace(b"\0", b"\1")
    with pytest.raises(
        Unreadable, match=r"^is not text in any encoding that can be recognised; save it as UTF-8$"
    ):
        decode(noise)


def test_a_stray_format_code_is_no_binary():
    text = "A page of words from an old printer.\f" * 10 + "\x1a\x1b"
    assert decode(text.encode()) == text


@pytest.mark.parametrize(
    ("name", "codec"),
    [("iso-8859-1", "cp1252"), ("gb2312", "gb18030"), ("windows-1251", "cp1251"), ("Shift_JIS", "cp932")],
)
def test_html_names_its_encoding(name, codec):
    words = {"cp1252": "“é”", "gb18030": "北京", "cp1251": "Да", "cp932": "東京"}[codec]
    for head in (
        f'<meta charset="{name}">',
        f'<meta http-equiv=Content-Type content="text/html; charset={name}">',
    ):
        assert decode(f"{head}{words}".encode(codec), declares=True) == f"{head}{words}"


@pytest.mark.parametrize("name", ["utf-16", "punycode", "bz2", "rot13", "undefined", "windows-0", "koi8-r\0"])
def test_a_false_declaration_is_passed_over(name):
    text = f"<meta charset={name}>"
    assert decode((text + "é").encode(), declares=True) == text + "é" if "\0" not in name else True
    if "\0" not in name:
        assert decode((text + "café").encode("cp1252"), declares=True) == text + "café"


# --- boilerplate lines


@pytest.mark.parametrize(
    "line",
    [
        "Advertisement",
        "ADVERTISEMENT:",
        "Article continues below advertisement",
        "Share this article",
        "Share on Facebook, X and WhatsApp",
        "Sign up for our daily politics newsletter",
        "Sign up here to get the newsletter.",
        "Subscribe",
        "Subscribe now!",
        "Read more: How it all began",
        "**Read more:** [How it all began](https://x.y/z)",
        "Read more →",
        "> See also: Another story",
        "See also Another story about the same",
        "Related stories",
        "Related: Another story",
        "- Most read",
        "Continue reading the main story",
        "Don’t miss: Another story",
        "You may also like",
        "Top stories",
        "Skip to main content",
        "12 comments",
        "Follow us on Twitter",
        "© 2024 The Paper",
        "Copyright 2024 The Paper. No part of it may be copied.",
        "The Paper, 2024. All rights reserved.",
        "All Rights Reserved",
        "This material may not be published, broadcast or rewritten.",
        "We use cookies to give you the best experience. Accept?",
        "This website uses cookies.",
        "By continuing to use this site you agree to our use of cookies.",
        "Accept all cookies",
        "Privacy Policy",
        "Terms of Use",
    ],
)
def test_boilerplate_lines_are_masked(line):
    text = f"A sentence.\r\n  {line} \r\nAnother."
    [(start, end)] = line_masks(text)
    assert text[start:end] == line


@pytest.mark.parametrize(
    "line",
    [
        "Share prices fell on Monday.",
        "Share this prize money, the judge told the winners.",
        "Advertisements fell by a tenth.",
        "Subscribe to the theory, or leave the field.",
        "Read more books, she said.",
        "Related companies paid 3 million.",
        "Recommended.",
        "Continue reading until you know it by heart.",
        "All rights reserved to the states were upheld.",
        "He said that all rights are reserved to the people.",
        "The copyright of 1998 runs until 2068.",
        "(c) the seller, in the cases of section 3",
        "We use cookies to lure the bears, said the ranger.",
        "By using cookies the bakery won the prize.",
        "Comments by the president moved markets.",
        "Trending upwards since May, prices rose again.",
        "Join us!",
        "Email: a@b.c",
        "See you soon.",
        "",
    ],
)
def test_normal_sentences_are_never_masked(line):
    assert line_masks(f"{line}\n{line}") == []


def test_a_raw_article_has_no_line_masks():
    for path in SEEDS.iterdir():
        assert line_masks(path.read_text()) == []
    assert line_masks("read more: " + "word " * 38) == [(0, 200)]
    assert line_masks("read more: " + "word " * 39) == []


@pytest.mark.timeout(10)
@pytest.mark.parametrize(
    "line", ["sign up for " * 16, "by continuing to use " * 9, "© " * 99, "copyright 2000-" * 13]
)
def test_line_masks_take_linear_time(line):
    line_masks(f"{line[:200]}\n" * 2000)


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
    document = articles.formats.docx.Document()
    document.add_paragraph("Words")
    article = read_file(put(tmp_path / "My file.docx", make_docx(document)), source="s/My file.docx")
    assert (article.text, article.title) == ("Words", "My file")


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("a.txt", b"", "is empty; nothing to index"),
        ("a.txt", b" \r\n\t\f", "is empty; nothing to index"),
        ("a.md", "\ufeff\n\u00a0", "is empty; nothing to index"),
        ("a.html", b"<p> </p><script>x</script>", "is empty; nothing to index"),
        ("a.docx", make_docx(articles.formats.docx.Document()), "is empty; nothing to index"),
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
    monkeypatch.setattr(articles, "MAX_BYTES", 5)
    assert read_file(put(tmp_path / "a.txt", "12345"), source="s/a.txt").text == "12345"
    assert refusal(put(tmp_path / "a.txt", "123456")) == "x/y.txt is larger than 50 MB; split it into parts"


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
    monkeypatch.setattr(articles, "MAX_BYTES", 5)
    with pytest.raises(ArticleError, match=r"^pasted/T is larger than 50 MB; split it into parts$"):
        from_text("ééé", title="T")
