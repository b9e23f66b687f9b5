import io
import re
import zipfile
from datetime import UTC, date, datetime

import docx
import pypdf
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qa import formats
from qa.formats import Unreadable, html_page, iso_date, markdown, merge_ranges, pdf, plain, sanitize, word


def masked(extract):
    return [extract.text[start:end] for start, end in extract.masks]


def at_locators(extract, length):
    return [(extract.text[start : start + length], name) for start, name in extract.locators]


# --- small parts


def test_sanitize_keeps_every_place():
    assert sanitize("a\0b\ud800c\udfffd é😀") == "a\ufffdb\ufffdc\ufffdd é😀"


@pytest.mark.parametrize(
    ("ranges", "merged"),
    [
        ([], ()),
        ([(3, 3)], ()),
        ([(5, 9), (0, 2)], ((0, 2), (5, 9))),
        ([(0, 2), (2, 4)], ((0, 4),)),
        ([(0, 9), (2, 4), (8, 12), (14, 15)], ((0, 12), (14, 15))),
    ],
)
def test_merge_ranges(ranges, merged):
    assert merge_ranges(ranges) == merged


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (datetime(2024, 5, 31, 23, 59, tzinfo=UTC), "2024-05-31"),
        (date(2024, 5, 31), "2024-05-31"),
        ("2024-05-31", "2024-05-31"),
        (" 2024-05-31T23:59:59+14:00", "2024-05-31"),
        ("2024/05/31 10:00", "2024-05-31"),
        ("Fri, 31 May 2024 10:00:00 GMT", "2024-05-31"),
        ("Fri, 99 May 2024", None),
        ("2024-13-31", None),
        ("2024-05-311", None),
        ("05/06/2024", None),  # May or June
        ("2024", None),
        ("yesterday", None),
        ("", None),
        (2024, None),
        (None, None),
    ],
)
def test_a_date_is_never_guessed(value, expected):
    assert iso_date(value) == expected


# --- plain text and Markdown


def test_plain_text_is_kept_exactly():
    text = "\ufeffA  line\r\n\r\n\tanother \n"
    assert plain(text) == formats.Extract(text, masks=((0, 1),))
    assert plain("no mark").masks == ()


def test_markdown_is_kept_and_its_syntax_masked():
    text = (
        "---\ntitle: The   *Title*\ndate: 2024-05-31\n---\n# First [one](http://a.b/c) #\n"
        'See [the report](https://x.y/z_(q) "a title") and ![a map](<my map.png>).\n'
        "<!-- a note\nover lines -->\n[ref]: https://ref.example\n"
        "```python\n# no heading\n```\nUnder\n=====\n\n    # code\n####### seven\n## \n"
    )
    found = markdown(text)
    assert found.text == text
    assert (found.title, found.date) == ("The *Title*", "2024-05-31")
    assert masked(found) == [
        "---\ntitle: The   *Title*\ndate: 2024-05-31\n---",
        "](http://a.b/c)",
        '](https://x.y/z_(q) "a title")',
        "](<my map.png>)",
        "<!-- a note\nover lines -->",
        "[ref]: https://ref.example",
        "```python",
        "```",
    ]
    assert at_locators(found, 7) == [("# First", "First one"), ("Under\n=", "Under")]


def test_markdown_with_windows_line_ends_and_mark():
    text = "\ufeff---\r\ntitle: T\r\n---\r\n# H\r\n\r\ntext\r\n"
    found = markdown(text)
    assert found.text == text
    assert found.title == "T"
    assert masked(found) == ["\ufeff---\r\ntitle: T\r\n---"]
    assert at_locators(found, 3) == [("# H", "H")]


def test_first_heading_right_after_the_mark():
    assert markdown("\ufeff# H\n").title == "H"


@pytest.mark.parametrize(
    ("text", "mask"),
    [
        ("---\nJust words between rules\n\n---\nmore", []),  # no mapping
        ("> text\n---\ntitle: T\n\n---\n", []),  # not at the top
        ("---\ntitle: T\n", []),  # no end
        ("---\ntitle: Quo: vadis\n---\nmore", ["---\ntitle: Quo: vadis\n---"]),  # no YAML, yet no text
        ("---\na: &a [x,x]\nb: [*a,*a]\n...\nmore", ["---\na: &a [x,x]\nb: [*a,*a]\n..."]),
        (
            "---\na: " + "[" * 5000 + "\n---\nmore",
            ["---\na: " + "[" * 5000 + "\n---"],
        ),  # too deep for the parser
        ("---\n!!python/object/apply:os.system [exit 1]\n\n---\n", []),  # nothing is run
    ],
)
def test_front_matter_or_not(text, mask):
    found = markdown(text)
    assert masked(found) == mask
    assert found.title is None


@pytest.mark.parametrize("title", ["[a, b]", "{a: b}", "null", "''"])
def test_front_matter_title_of_another_type_gives_way_to_the_heading(title):
    assert markdown(f"---\ntitle: {title}\n---\n# Heading\n").title == "Heading"


def test_front_matter_number_is_a_title():
    assert markdown("---\ntitle: 1984\ndate: soon\n---\n") == formats.Extract(
        "---\ntitle: 1984\ndate: soon\n---\n", "1984", None, ((0, 30),), ()
    )


def test_open_comment_and_open_link_hide_nothing():
    assert markdown("a <!-- b\n[c](d\ne").masks == ()


def test_fence_of_four_is_not_closed_by_three():
    found = markdown("````\n# a\n```\n# b\n````\n# c\n")
    assert masked(found) == ["````", "````"]
    assert [name for _, name in found.locators] == ["c"]


@pytest.mark.parametrize("line", ["- item\n---\n", "words\n\n---\n", "> quote\n===\n", "---\n"])
def test_a_rule_is_no_heading(line):
    assert markdown(line).locators == ()


def test_labels_are_short_and_on_one_line():
    assert markdown("# " + "word " * 40).locators == ((0, ("word " * 16).strip()),)


@pytest.mark.timeout(10)
@pytest.mark.parametrize("unit", ["<!--", "](", "](a", "[", "# a ", "---\n", "```\n", "](((", "a\n"])
def test_markdown_takes_linear_time(unit):
    text = unit * (500_000 // len(unit))
    assert markdown(text).text == text


# --- HTML

PAGE = """<!doctype html>
<html><head><title>News | Site</title><meta property="og:title" content="Big  News">
<meta property="article:published_time" content="2021-02-03T10:00:00Z"><style>p {}</style></head>
<body class="has-sidebar">
<header>The Site <a href="/">Home</a></header>
<nav><ul><li>One</li><li>Two</li></ul></nav>
<main><article>
<header><h1>A &amp;lt;big&amp;gt; head
line</h1><p>By Ann</p></header>
<p>First <b>bold</b> words.<script>alert("no")</script> More<!-- hidden --> words.</p>
<div class="share-buttons">Share on X</div>
<aside><p>Aside</p><p>twice</p></aside>
<h2>Second</h2><section>Part one</section><section>Part two</section>
<p hidden>unseen</p><p style="DISPLAY:none; display: none">unseen</p><noscript>unseen</noscript>
<form>Your mail <input></form>
</article></main>
<footer>© 2020 The Site</footer>
</body></html>"""


def test_html_page():
    found = html_page(PAGE)
    assert found.text == (
        "The Site Home\n* One\n* Two\n\nA &lt;big&gt; head line\n\nBy Ann\n\nFirst bold words. More words.\n\n"
        "Share on X\n\nAside\n\ntwice\n\nSecond\n\nPart one\nPart two\nYour mail\n© 2020 The Site"
    )
    assert (found.title, found.date) == ("Big News", "2021-02-03")
    assert masked(found) == [
        "The Site Home",
        "* One\n* Two",
        "Share on X",
        "Aside\n\ntwice",
        "Your mail",
        "© 2020 The Site",
    ]
    assert at_locators(found, 6) == [("A &lt;", "A &lt;big&gt; head line"), ("Second", "Second")]


@pytest.mark.parametrize(
    "markup",
    [
        '<div role="navigation">X y</div>',
        '<div role="Banner">X y</div>',
        '<div role="contentinfo">X y</div>',
        '<div role="complementary">X y</div>',
        '<div role="search">X y</div>',
        '<div role="dialog">X y</div>',
        '<span aria-hidden="true">X y</span>',
        '<div class="cookie-banner">X y</div>',
        '<div id="CookieConsent">X y</div>',
        '<ol class="breadcrumb">X y</ol>',
        '<div class="a__newsletter-signup">X y</div>',
        '<ul class="wp-block social-links">X y</ul>',
        '<section class="related-articles">X y</section>',
        '<div class="left_sidebar">X y</div>',
        '<div id="menu">X y</div>',
        '<div class="promo">X y</div>',
        '<div class="advert">X y</div>',
        '<div class="ad-slot">X y</div>',
        "<button>X y</button>",
        "<menu>X y</menu>",
        "<select><option>X y</select>",
        "<textarea>X y</textarea>",
        "<aside><article><p>X y</p></article></aside>",
        "<footer>X y</footer>",
    ],
)
def test_page_furniture_is_masked(markup):
    found = html_page(f"<p>Before.</p>{markup}<p>After.</p>")
    assert masked(found) == ["X y"]
    assert found.text.replace("X y", "").split() == ["Before.", "After."]


@pytest.mark.parametrize(
    "markup",
    [
        '<p class="share-price">{}</p>',
        '<p class="social-security">{}</p>',
        '<div class="no-sidebar">{}</div>',
        '<div class="address admission shared-values">{}</div>',
        '<div class="sidebar-layout"><h1>T</h1>{}</div>',
        "<form><main>{}</main></form>",
        "<article><header>{}</header></article>",
        "<main><footer>{}</footer></main>",
        "<nav><h1>T</h1>{}",  # never closed
        '<article class="newsletter">{}</article>',
        '<body class="menu">{}',
    ],
)
def test_the_article_is_not_masked(markup):
    found = html_page(markup.format("Words of the article."))
    assert masked(found) == []
    assert "Words of the article." in found.text


def test_what_holds_most_of_a_long_page_is_not_furniture_by_its_class_alone():
    words = "Words of the article. " * 50
    assert masked(html_page(f'<form class="menu"><p>{words}</p></form><p>More.</p>')) == []
    # ... but a small part of it is, and so is whatever its tag names.
    assert masked(html_page(f'<p>{words * 2}</p><form class="menu">{words}</form>')) == [words.strip()]
    assert masked(html_page(f"<nav>{words}</nav><p>More.</p>")) == [words.strip()]


def test_a_page_cannot_mask_itself_by_the_attribute_used_inside():
    assert html_page("<p qa-mask='here'>Words.</p>") == formats.Extract("Words.")


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        (
            "<table><tr><th>Land<th>Capital<tr><td>France<td>Paris</table>end",
            "Land | Capital\nFrance | Paris\nend",
        ),
        ("<table><tr><td><p>Menu</p><td><p>Words</p></table>", "Menu\n\nWords"),  # a layout, not a table
        ("<table><tr><td><table><tr><td>a<td>b</table><td>c</table>", "a | b\nc"),
        ("a<br>b", "a\nb"),
        ("<pre>  a\n   b</pre>", "  a\n   b"),
        ("<dl><dt>a<dd>b</dl>", "a\nb"),
        ("<ol><li value='²'>a<li>b</ol>", "1. a\n2. b"),
        ("<p>a</p><?php echo 1 ?>b", "a\n\nb"),
        ("<?xml version='1.0' encoding='utf-16'?><p>a</p>", "a"),
        ("\ufeff<p>a</p>", "a"),
        ("a&#1;b&#xD800;c\x02d", "a\ufffdb\ufffdc\ufffdd"),
        ("&amp;lt; &lt;b&gt; &amp;#10; &bogus;", "&lt; <b> &#10; &bogus;"),
        ("<p style='margin-top: 100000em; padding-left: 9999em'>a</p><p>b</p>", "a\n\nb"),
        ("<p>a<p>b<i>c<font>d", "a\n\nbcd"),
        ("<svg><title>t</title><text>x</text></svg>a<template>y</template>", "a"),
        ("<title>t</title><article><p>a</p></article><p>b</p>", "a\n\nb"),
        ("plain < words & more", "plain < words & more"),
        ("", ""),
        ("<!-- only -->", ""),
    ],
)
def test_html_to_text(markup, text):
    assert html_page(markup).text.strip("\n") == text


@pytest.mark.parametrize(
    ("head", "title", "day"),
    [
        ("<title> A\n b </title>", "A b", None),
        ("<meta property=og:title content=' '><title>T</title>", "T", None),
        ("<h1>H <i>one</i></h1><h1>H2</h1>", "H one", None),
        ("<svg><title>Icon</title></svg>", None, None),
        ("<meta name=date content='3 May'><meta name=pubdate content=2020-01-02>", None, "2020-01-02"),
        ("<meta itemprop=datePublished content=2020-01-02>", None, "2020-01-02"),
        (
            "<nav><time datetime=2001-01-01>a</time></nav><time datetime=2020-01-02T10:00>b</time>",
            None,
            "2020-01-02",
        ),
        ("<time datetime=10:00>b</time>", None, None),
    ],
)
def test_html_title_and_date(head, title, day):
    found = html_page(head + "<p>x</p>")
    assert (found.title, found.date) == (title, day)


def test_headings_in_furniture_are_no_places():
    found = html_page("<aside><h2>Related</h2></aside><h2>Real</h2><h3> </h3><p>x</p>")
    assert at_locators(found, 4) == [("Real", "Real")]


def test_nesting():
    found = html_page("<div>" * 500 + "deep" + "</div>" * 500 + "<p>after</p>")
    assert found.text == "deep\n\nafter"
    assert html_page("<b><font>" * 900 + "deep").text == "deep"
    for depth in (1900, 100_000):
        with pytest.raises(Unreadable, match=r"^is nested too deeply to be read; "):
            html_page("<div>" * depth + "deep")


_BLOCK = st.sampled_from(
    ["p", "div", "ul", "li", "span", "h2", "pre", "blockquote", "table", "tr", "td", "b", "br"]
)
_HTML = st.recursive(
    st.text("ab &\n<\u00a0", max_size=5).map(lambda s: s.replace("&", "&amp;").replace("<", "&lt;")),
    lambda inner: st.builds(
        lambda tag, parts, nav: (
            f"<nav>x{''.join(parts)}y</nav>" if nav else f"<{tag}>{''.join(parts)}</{tag}>"
        ),
        _BLOCK,
        st.lists(inner, max_size=4),
        st.integers(0, 5).map(lambda n: n == 0),
    ),
    max_leaves=12,
)


@settings(max_examples=300, deadline=None, database=None)
@given(_HTML)
def test_masks_cover_just_the_masked_elements(markup):
    """Letters in <nav> are turned into capitals: then exactly the capitals must be masked."""
    root = formats._parse_html(f"<p>first</p>{markup}<p>last</p>")
    for nav in root.iter("nav"):
        for part in nav.iter():
            part.text = part.text and part.text.upper()
            if part is not nav:
                part.tail = part.tail and part.tail.upper()
    found = html_page(formats.html.tostring(root, encoding="unicode"))
    covered = {i for start, end in found.masks for i in range(start, end)}
    assert {i for i, c in enumerate(found.text) if c.isupper()} == {
        i for i in covered if found.text[i].isalpha()
    }
    assert list(found.masks) == sorted(found.masks)


# --- PDF


def make_pdf(*pages, info="", trailer=""):
    """A PDF by hand: one line of Helvetica for each string of each page."""
    kids = " ".join(f"{4 + 2 * n} 0 R" for n in range(len(pages)))
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    for n, rows in enumerate(pages):
        shown = " ".join(f"({row}) Tj 0 -20 Td" for row in rows)
        stream = f"BT /F1 12 Tf 72 700 Td {shown} ET"
        objects.append(
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] "
            f"/Resources << /Font << /F1 3 0 R >> >> /Contents {5 + 2 * n} 0 R >>"
        )
        objects.append(f"<< /Length {len(stream)} >>\nstream\n{stream}\nendstream")
    objects.append(f"<< {info} >>")
    data, offsets = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, start=1):
        offsets.append(len(data))
        data += f"{number} 0 obj\n{body}\nendobj\n".encode("latin-1")
    table = "".join(f"{offset:010} 00000 n \n" for offset in offsets)
    size = len(objects) + 1
    trailer = f"<< /Size {size} /Root 1 0 R /Info {size - 1} 0 R {trailer} >>"
    return (
        data
        + f"xref\n0 {size}\n0000000000 65535 f \n{table}trailer\n{trailer}\nstartxref\n{len(data)}\n%%EOF\n".encode()
    )


def test_pdf_pages():
    data = make_pdf(
        ["First line", "second line"], [], ["Third page"],
        info="/Title (The Annual Report) /CreationDate (D:20210203101112Z)",
    )  # fmt: skip
    assert pdf(data) == formats.Extract(
        "First line\nsecond line\n\nThird page",
        "The Annual Report",
        "2021-02-03",
        (),
        ((0, "page 1"), (24, "page 3")),
    )


@pytest.mark.parametrize(
    "title", ["", "untitled", "Microsoft Word - a.doc", "report.indd", "Document1", "--- 12 ---"]
)
def test_a_title_by_a_program_is_none(title):
    found = pdf(make_pdf(["Words"], info=f"/Title ({title}) /CreationDate (last week)"))
    assert (found.title, found.date) == (None, None)


def test_pdf_without_text_is_probably_scanned():
    with pytest.raises(Unreadable, match=r"^has no text; it is probably scanned"):
        pdf(make_pdf([], []))


def _encrypted(user, owner):
    writer = pypdf.PdfWriter(io.BytesIO(make_pdf(["Secret words"])))
    writer.encrypt(user, owner, algorithm="RC4-128")
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def test_pdf_with_a_password():
    with pytest.raises(Unreadable, match=r"^is protected by a password; save a copy without one"):
        pdf(_encrypted("user", "owner"))
    keys = f"/O <{'00' * 48}> /U <{'00' * 48}> /OE <{'00' * 32}> /UE <{'00' * 32}> /Perms <{'00' * 16}>"
    aes = f"/Encrypt << /Filter /Standard /V 5 /R 6 /Length 256 /P -4 {keys} >> /ID [<00> <00>]"
    with pytest.raises(Unreadable, match=r"^is protected by a password; save a copy without one"):
        pdf(make_pdf(["Secret words"], trailer=aes))
    # Protected against changes only: every viewer opens it.
    assert pdf(_encrypted("", "owner")).text == "Secret words"


def test_broken_pdf_says_nothing_on_the_side(capfd):
    with pytest.raises(pypdf.errors.PyPdfError):
        pdf(b"%PDF-1.4\n" + b"junk " * 50)
    misplaced = re.sub(rb"startxref\n\d+", b"startxref\n7", make_pdf(["Words that survive"]))
    assert pdf(misplaced).text == "Words that survive"
    assert capfd.readouterr() == ("", "")


# --- Word documents


def make_docx(document):
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def test_word_document():
    document = docx.Document()
    document.core_properties.title = "Minutes of  May"
    document.core_properties.comments = ""
    document.core_properties.created = datetime(2022, 3, 4, 5, 6)
    document.add_heading("Start\there", 1)
    document.add_paragraph("First paragraph\nwith a break.")
    document.add_paragraph("   ")
    table = document.add_table(2, 3)
    for cell, words in zip([c for row in table.rows for c in row.cells], "abcdef", strict=True):
        cell.text = words
    table.cell(1, 0).merge(table.cell(1, 1))
    table.cell(0, 2).add_table(1, 1).cell(0, 0).text = "inner"
    document.add_paragraph("Last.")
    found = word(make_docx(document))
    assert found.text == "Start\there\n\nFirst paragraph\nwith a break.\n\na | b | c inner\nd e | f\n\nLast."
    assert (found.title, found.date) == ("Minutes of May", "2022-03-04")
    assert found.locators == ((0, "Start here"),)
    assert found.masks == ()


def test_word_properties_of_the_library_are_none():
    document = docx.Document()
    document.add_paragraph("Words")
    found = word(make_docx(document))
    assert (found.text, found.title, found.date) == ("Words", None, None)


def test_word_text_under_tracking_and_in_forms():
    document = docx.Document()
    space = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
    body = document.element.body
    for xml in (
        f"<w:p {space}><w:r><w:t>kept </w:t></w:r><w:ins><w:r><w:t>added</w:t></w:r></w:ins>"
        "<w:del><w:r><w:delText>gone</w:delText></w:r></w:del></w:p>",
        f"<w:sdt {space}><w:sdtContent><w:p><w:r><w:t>in a form</w:t></w:r></w:p></w:sdtContent></w:sdt>",
    ):
        body.insert(len(body) - 1, docx.oxml.parse_xml(xml))
    assert word(make_docx(document)).text == "kept added\n\nin a form"


def _zip(**members):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return out.getvalue()


def test_zip_bomb_is_not_unpacked():
    with pytest.raises(Unreadable, match=r"^unpacks to 30 MB, which is too much; save it as plain text"):
        word(_zip(bomb=bytes(30_000_000)))


def test_word_entities_are_not_followed(tmp_path):
    (tmp_path / "secret").write_text("secret words")
    document = docx.Document()
    document.add_paragraph("MARK")
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(make_docx(document))) as old, zipfile.ZipFile(out, "w") as new:
        for item in old.infolist():
            data = old.read(item)
            if item.filename == "word/document.xml":
                entity = f'<!DOCTYPE d [<!ENTITY x SYSTEM "file://{tmp_path}/secret">]><w:document'.encode()
                data = data.replace(b"<w:document", entity, 1).replace(b"MARK", b"seen &x;")
            new.writestr(item, data)
    assert "secret" not in word(out.getvalue()).text
