"""One extractor per file format: what a file holds -> its text, title, date, masks and locators.

Text is never changed after this step, so what is no part of the article (navigation, link targets) is masked, not
cut out. A mask is set only by what one article shows by itself, by general rules; where a rule could hit a normal
sentence it does not fire, since a masked sentence can never be quoted. HTML has a module of its own, ``html_page``.
"""

from __future__ import annotations

import io
import logging
import re
import zipfile
from collections.abc import Iterator
from typing import Any

import docx
import pypdf
import yaml
from docx.table import Table
from docx.text.paragraph import Paragraph
from lxml import etree

from .extract import LINK, Extract, Unreadable, iso_date, label, lines, meaningful, sanitize
from .types import Range, merge_ranges

__all__ = ["markdown", "pdf", "plain", "sanitize", "word"]

# pypdf reports every oddity of a file on stderr. What cannot be read raises, and that is what people are told.
logging.getLogger("pypdf").setLevel(logging.CRITICAL + 1)

DOCX_UNPACKED_BYTES = 100_000_000
DOCX_RATIO = 200  # XML packs about 10:1; 200:1 and large is an archive made to fill the memory


# --- plain text and Markdown --------------------------------------------------------------------------------


def plain(text: str) -> Extract:
    """Plain text, exactly as it was decoded."""
    return Extract(text, masks=tuple(_bom(text)))


def _bom(text: str) -> list[Range]:
    return [(0, 1)] if text.startswith("\ufeff") else []


_FRONT_MATTER = re.compile(r"\ufeff?(---[ \t]*\n(.*?)^(?:---|\.\.\.))[ \t]*$", re.DOTALL | re.MULTILINE)
_FENCE = re.compile(r"(`{3,}|~{3,})[^`]*")


def _front_matter(text: str) -> tuple[dict[str, Any], Range]:
    """YAML between two lines of dashes at the very top; an empty range where the dashes are only rules."""
    head = text[:65536].replace("\r\n", " \n")  # as long as before, and `$` finds the ends of lines
    found = _FRONT_MATTER.match(head)
    if found is None:
        return {}, (0, 0)
    try:
        data = yaml.safe_load(found[2])
    except (yaml.YAMLError, ValueError, RecursionError):
        # "title: Quo: vadis" is no YAML, but no text of the article either.
        return {}, found.span(1) if re.match(r"[\w-]+[ \t]*:", found[2]) else (0, 0)
    return (data, found.span(1)) if isinstance(data, dict) else ({}, (0, 0))


def _comments(text: str) -> Iterator[Range]:
    """HTML comments. An opening without an end hides nothing."""
    end = 0
    while (start := text.find("<!--", end)) >= 0 and (close := text.find("-->", start + 4)) >= 0:
        end = close + 3
        yield start, end


def _atx_heading(line: str) -> str | None:
    """The words of "## Words ##", or None for any other line."""
    words = line.lstrip("#")
    if words == line or len(line) - len(words) > 6 or not (words == "" or words[0] in " \t"):
        return None
    closed = words.rstrip("#")
    return (closed if closed[-1:] in " \t" else words).strip()


def _markdown_lines(text: str, start: int) -> tuple[list[Range], list[tuple[int, str]]]:
    """Masks of fence markers and link definitions, and the headings, from ``start`` on."""
    masks: list[Range] = []
    headings: list[tuple[int, str]] = []
    fence = ""
    before: Range | None = None  # the line before, where underlining would make it a heading
    for begin, end in lines(text):
        line, above, before = text[begin:end], before, None
        if begin < start:
            continue
        if found := _FENCE.fullmatch(line):
            if not fence or (found[1].startswith(fence) and found[1] == line):
                fence = "" if fence else found[1]
                masks.append((begin, end))
        elif fence or text[max(0, begin - 4) : begin].endswith(("    ", "\t")) or line == "\ufeff":
            continue  # code
        elif (heading := _atx_heading(line.removeprefix("\ufeff"))) is not None:
            headings.append((begin, heading))
        elif above and re.fullmatch("=+|-+", line) and len(text[above[1] : begin].split("\n")) == 2:
            headings.append((above[0], text[slice(*above)]))
        elif re.match(r"\[[^\]]{1,200}\]:[ \t]*\S", line):
            masks.append((begin, end))
        elif not re.match(r"[>*+|-]|\d+[.)]", line):
            before = begin, end
    cleaned = [(at, label(re.sub(r"[*`\[\]]", "", LINK.sub("", heading)))) for at, heading in headings]
    return masks, [(at, heading) for at, heading in cleaned if heading]


def markdown(text: str) -> Extract:
    """Markdown, exactly as it was decoded; its syntax that is no prose is masked."""
    data, front = _front_matter(text)
    masks, headings = _markdown_lines(text, front[1])
    masks += [*_bom(text), front, *_comments(text)]
    masks += [(found.start(), found.end()) for found in LINK.finditer(text)]
    title = data.get("title")
    title = " ".join(str(title).split()) if isinstance(title, str | int | float) else ""
    return Extract(
        text,
        title or (headings[0][1] if headings else None),
        iso_date(data.get("date")),
        merge_ranges(masks),
        tuple(headings),
    )


# --- PDF ----------------------------------------------------------------------------------------------------

_LOCKED = "is protected by a password; save a copy without one and index that"


def pdf(data: bytes) -> Extract:
    """A PDF: the text of its pages, a blank line between them, with "page 3" as locators.

    The notice names the pages that hold no text.

    :raises Unreadable: if it needs a password, or holds no text.
    """
    try:
        return _pdf(data)
    except pypdf.errors.DependencyError:  # AES, and pypdf found no library for it
        raise Unreadable(_LOCKED) from None


def _pdf(data: bytes) -> Extract:
    reader = pypdf.PdfReader(io.BytesIO(data))
    # A file that is only protected against changes opens with an empty password.
    if reader.is_encrypted and not reader.decrypt(""):
        raise Unreadable(_LOCKED)
    text, locators, blank = "", [], []
    for number, sheet in enumerate(reader.pages, start=1):
        if words := sanitize(sheet.extract_text()).strip():
            text += "\n\n" if text else ""
            locators.append((len(text), f"page {number}"))
            text += words
        else:
            blank.append(number)
    if not text:
        raise Unreadable("has no text; it is probably scanned: run it through OCR and index the result")
    meta = reader.metadata
    try:
        created = meta.creation_date if meta else None
    except ValueError:
        created = None
    title = meaningful(meta.title if meta else None)
    return Extract(text, title, iso_date(created), (), tuple(locators), _without_text(blank))


def _without_text(pages: list[int]) -> str:
    """What is said of pages of which nothing is indexed.

    >>> _without_text([2]), _without_text([1, 2, 3, 7])
    ('has no text on page 2, which may be scanned', 'has no text on pages 1-3, 7, which may be scanned')
    """
    if not pages:
        return ""
    runs: list[Range] = []
    for page in pages:
        if runs and page == runs[-1][1] + 1:
            runs[-1] = (runs[-1][0], page)
        else:
            runs.append((page, page))
    named = [str(first) if first == last else f"{first}-{last}" for first, last in runs]
    shown = ", ".join(named[:10]) + (f" and {len(named) - 10} places more" if len(named) > 10 else "")
    return f"has no text on {'page' if len(pages) == 1 else 'pages'} {shown}, which may be scanned"


# --- Word documents -----------------------------------------------------------------------------------------

_WORD = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
# Around text that was inserted under tracking, or stands in a field or a form: python-docx looks past them.
_WRAPPERS = "ins", "moveTo", "sdt", "sdtContent", "smartTag", "customXml", "fldSimple"


def _check_archive(data: bytes) -> None:
    """Refuse an archive that would fill the memory; the sizes it declares are the most that is read from it.

    :raises Unreadable: if it unpacks to too much.
    """
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        size = sum(entry.file_size for entry in archive.infolist())
    if size > DOCX_UNPACKED_BYTES or (size > 20_000_000 and size > DOCX_RATIO * len(data)):
        raise Unreadable(f"unpacks to {size / 1e6:,.0f} MB, which is too much; save it as plain text")


def _table_rows(table: Table) -> Iterator[str]:
    for row in table._tbl.tr_lst:
        # The row's own cells: `row.cells` repeats merged ones, as often as the file says.
        cells = []
        for cell in row.tc_lst:
            paragraphs = (Paragraph(p, table).text for p in cell.iter(f"{_WORD}p"))
            cells.append(" ".join(" ".join(paragraphs).split()))
        if any(cells):
            yield " | ".join(cells)


def word(data: bytes) -> Extract:
    """A Word document: paragraphs and tables in their order, a blank line between them, headings as locators.

    :raises Unreadable: if it unpacks to too much.
    """
    _check_archive(data)
    document = docx.Document(io.BytesIO(data))
    etree.strip_tags(document.element.body, *(_WORD + name for name in _WRAPPERS))
    text, locators = "", []
    for block in document.iter_inner_content():
        heading = False
        if isinstance(block, Paragraph):
            words = block.text.strip()
            heading = bool(re.match(r"Heading \d|Title$", (block.style.name if block.style else "") or ""))
        else:
            words = "\n".join(_table_rows(block))
        if not words:
            continue
        text += "\n\n" if text else ""
        if heading:
            locators.append((len(text), label(words)))
        text += words
    properties = document.core_properties
    # python-docx's own template carries a date of 2013.
    created = None if properties.comments == "generated by python-docx" else properties.created
    return Extract(sanitize(text), meaningful(properties.title), iso_date(created), (), tuple(locators))
