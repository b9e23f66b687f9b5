import io
import re
import zipfile
from datetime import datetime

import docx
import pypdf
import pytest
from file_helpers import at_locators, make_docx, make_pdf, masked

from qa.extract import Extract, Unreadable
from qa.formats import markdown, pdf, plain, word

# --- plain text and Markdown


def test_plain_text_is_kept_exactly():
    text = "\ufeffA  line\r\n\r\n\tanother \n"
    assert plain(text) == Extract(text, masks=((0, 1),))
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
    assert markdown("---\ntitle: 1984\ndate: soon\n---\n") == Extract(
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


# --- PDF


def test_pdf_pages():
    data = make_pdf(
        ["First line", "second line"], [], ["Third page"],
        info="/Title (The Annual Report) /CreationDate (D:20210203101112Z)",
    )  # fmt: skip
    assert pdf(data) == Extract(
        "First line\nsecond line\n\nThird page",
        "The Annual Report",
        "2021-02-03",
        (),
        ((0, "page 1"), (24, "page 3")),
        "has no text on page 2, which may be scanned",
    )


def test_pages_without_text_are_named_in_runs_and_not_without_end():
    alternating = [[], [], ["a"], []] + [["a"], []] * 12
    assert pdf(make_pdf(*alternating)).notice == (
        "has no text on pages 1-2, 4, 6, 8, 10, 12, 14, 16, 18, 20 and 4 places more, which may be scanned"
    )
    assert pdf(make_pdf(["a"], ["b"])).notice == ""


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
