"""One extractor per file format: what a file holds -> its text, title, date, masks and locators.

Text is never changed after this step, so what is no part of the article (navigation, link targets) is masked, not
cut out. A mask is set only by what one article shows by itself, by general rules; where a rule could hit a normal
sentence it does not fire, since a masked sentence can never be quoted.
"""

from __future__ import annotations

import datetime as dt
import io
import logging
import re
import sys
import zipfile
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

import docx
import pypdf
import yaml  # type: ignore[import-untyped]
from docx.table import Table
from docx.text.paragraph import Paragraph
from inscriptis.css_profiles import CSS_PROFILES
from inscriptis.html_engine import Inscriptis
from inscriptis.html_properties import Display
from inscriptis.model.config import ParserConfig
from inscriptis.model.html_element import HtmlElement
from lxml import etree, html  # type: ignore[import-untyped]

from .types import Range

Locators = tuple[tuple[int, str], ...]

# pypdf reports every oddity of a file on stderr. What cannot be read raises, and that is what people are told.
logging.getLogger("pypdf").setLevel(logging.CRITICAL + 1)

LABEL_CHARACTERS = 80
DOCX_UNPACKED_BYTES = 100_000_000
DOCX_RATIO = 200  # XML packs about 10:1; 200:1 and large is an archive made to fill the memory


class Unreadable(Exception):
    """Why a file gives no text, worded to follow its name: "is protected by a password; ..."."""


@dataclass(frozen=True, slots=True)
class Extract:
    """What an extractor found; ``masks`` and ``locators`` as in ``Article``."""

    text: str
    title: str | None = None
    date: str | None = None
    masks: tuple[Range, ...] = ()
    locators: Locators = ()


def sanitize(text: str) -> str:
    """Replace lone surrogates, which UTF-8 cannot hold, and NULs, which few libraries bear, each by U+FFFD."""
    return re.sub("[\ud800-\udfff\0]", "\ufffd", text)


def merge_ranges(ranges: Iterable[Range]) -> tuple[Range, ...]:
    """Sort ranges, drop empty ones, and join those that overlap or touch."""
    merged: list[Range] = []
    for start, end in sorted(r for r in ranges if r[0] < r[1]):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return tuple(merged)


def _inside(at: int, ranges: tuple[Range, ...]) -> bool:
    """Whether a place lies in one of some merged ranges."""
    found = bisect_right(ranges, (at, sys.maxsize))
    return found > 0 and at < ranges[found - 1][1]


def iso_date(value: object) -> str | None:
    """A date as ``2024-05-31``, or None for anything that is not clearly one. Nothing is guessed."""
    if isinstance(value, dt.datetime):
        return value.date().isoformat()
    if isinstance(value, dt.date):
        return value.isoformat()
    if not isinstance(value, str):
        return None
    value = value.strip()
    try:
        if found := re.match(r"(\d{4})([-/])(\d{2})\2(\d{2})(?!\d)", value):
            return dt.date(int(found[1]), int(found[3]), int(found[4])).isoformat()
        if re.match(r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d", value):  # RFC 2822
            return parsedate_to_datetime(value).date().isoformat()
    except ValueError:
        pass
    return None


def label(text: str) -> str:
    """A heading as a label: on one line, at most 80 characters."""
    return " ".join(text.split())[:LABEL_CHARACTERS].strip()


_BY_MACHINE = re.compile(
    r"untitled.*|microsoft (?:word|powerpoint)\b.*|(?:word |powerpoint )?(?:document|presentation|slide) ?\d*"
    r"|[\W\d_]*|\S+\.\w{2,4}",
    re.IGNORECASE,
)


def _meaningful(title: object) -> str | None:
    """A title from a document's properties, unless a program put it there."""
    title = " ".join(title.split()) if isinstance(title, str) else ""
    return None if _BY_MACHINE.fullmatch(title) else title


def lines(text: str) -> Iterator[Range]:
    """Each line that is not blank, as its range without surrounding white space."""
    for found in re.finditer(r"[^\s](?:[^\r\n\f\u2028]*[^\s])?", text):
        yield found.span()


# --- plain text and Markdown --------------------------------------------------------------------------------


def plain(text: str) -> Extract:
    """Plain text, exactly as it was decoded."""
    return Extract(text, masks=tuple(_bom(text)))


def _bom(text: str) -> list[Range]:
    return [(0, 1)] if text.startswith("\ufeff") else []


LINK = re.compile(
    r"\]\((?:<[^<>\n]{0,2000}>|[^()\s]{0,2000}(?:\([^()\s]{0,200}\)[^()\s]{0,2000})?)"
    r"""(?:[ \t]+(?:"[^"\n]{0,500}"|'[^'\n]{0,500}'))?\)"""
)
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


# --- HTML ---------------------------------------------------------------------------------------------------

_MASK = "qa-mask"
_CONTROLS = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]"
)  # the tree cannot hold these
_TOO_DEEP = "is nested too deeply to be read; open it in a browser and save its text"
# fmt: off
_SILENT = ["script", "style", "noscript", "template", "iframe", "object", "embed", "svg", "canvas", "audio",
           "video"]
_BLOCKS = ["section", "form", "fieldset", "details", "summary", "dl", "dt", "dd", "hr", "legend", "dialog", "menu",
           "center", "search", "caption", "thead", "tbody", "tfoot", "qa-row"]
_FURNITURE = {"nav", "aside", "button", "menu", "dialog", "select", "textarea", "search"}
_ROLES = {"navigation", "banner", "contentinfo", "complementary", "search", "dialog", "alertdialog", "menu",
          "menubar"}
_DATES = ["article:published_time", "datePublished", "date", "pubdate", "publishdate", "dc.date",
          "dcterms.created"]
_IN_CELL = ["p", "div", "ul", "ol", "dl", "table", "section", "h1", "h2", "h3", "h4", "blockquote", "pre"]
# fmt: on
# Words that name boilerplate in any class name, and words that do so only beside words of layout:
# "share-buttons" is boilerplate, "share-price" is not. "has-sidebar" tells of the page around the sidebar.
_STRONG = re.compile(
    r"breadcrumbs?|newsletters?|sidebar|navbar|navigation|advert|advertis(?:ement|ing)|adsense|subscribe|promo"
    r"|consent|gdpr"
)
_WEAK = re.compile(r"ads?|cookies?|share|sharing|social|related|menu|nav|sponsored|recommended|popup")
_LAYOUT = re.compile(
    r".{1,2}|bar|banner|notice|box|block|widget|list|links?|buttons?|btn|icons?|tools|toolbar|container|wrap"
    r"|wrapper|section|module|panel|items?|articles?|story|stories|content|posts?|media|area|top|bottom|left|right"
    r"|main|primary|secondary|inner|outer|header|footer|site|page|global|mobile|desktop|overlay|modal|slot|unit"
    r"|message|info|policy|group|row"
)
_STATE = re.compile(r"has|no|with|without|is|not")


def _css() -> dict[str, HtmlElement]:
    css: dict[str, HtmlElement] = CSS_PROFILES["strict"].copy()
    css.update({tag: HtmlElement(display=Display.block) for tag in _BLOCKS})
    # The parser, older than HTML 5, takes an <article> before <body> to stand in the head.
    css["head"] = HtmlElement()
    # No margin after it: the renderer would put it between the rows.
    css["qa-table"] = HtmlElement(display=Display.block, margin_before=1)
    css["ul"] = css["ol"] = HtmlElement(display=Display.block)
    return css


def _parse_html(text: str) -> Any:  # noqa: ANN401 - lxml has no types
    """The element tree, without what shows no text.

    :raises Unreadable: if the parser drops text because elements are nested too deeply.
    """
    text = _CONTROLS.sub("\ufffd", text.removeprefix("\ufeff"))
    parser = html.HTMLParser(encoding="utf-8", huge_tree=True)
    try:
        root = html.document_fromstring(text.encode(), parser=parser)
    except etree.ParserError:  # only comments, or nothing at all
        return html.document_fromstring("<p></p>")
    if any("depth" in error.message for error in parser.error_log):
        raise Unreadable(_TOO_DEEP)
    etree.strip_elements(root, etree.Comment, etree.ProcessingInstruction, *_SILENT, with_tail=False)
    for element in root.xpath(
        "//*[not(self::html or self::body)][@hidden or contains(translate(@style, ' ', ''), 'display:none')]"
    ):
        element.drop_tree()
    # Tags without a say in layout: unclosed ones nest without end in old pages.
    etree.strip_tags(root, "font", "b", "i", "em", "strong", "u", "small", "big", "tt")
    return root


def _names_boilerplate(name: str) -> bool:
    """Whether a class or id names boilerplate: by a strong word, or a weak one among words of layout."""
    words = re.findall(r"[a-z]+", re.sub(r"([a-z])([A-Z])", r"\1 \2", name).lower())
    if any(map(_STATE.fullmatch, words)):
        return False
    if any(map(_STRONG.fullmatch, words)):
        return True
    return any(map(_WEAK.fullmatch, words)) and all(_WEAK.fullmatch(w) or _LAYOUT.fullmatch(w) for w in words)


def _is_boilerplate(element: Any, page_size: int) -> bool:  # noqa: ANN401
    """Whether an element is page furniture; ``page_size`` is the number of characters of the whole page."""
    tag, get = element.tag, element.get
    if tag in ("html", "body", "main", "article"):
        return False
    if tag in ("header", "footer"):
        sure = next(element.iterancestors("article", "main"), None) is None
    else:
        sure = tag in _FURNITURE or get("role", "").lower() in _ROLES
    names = f"{get('class', '')} {get('id', '')}".split()
    if not (sure or tag == "form" or get("aria-hidden") == "true" or any(map(_names_boilerplate, names))):
        return False
    # Some pages wrap everything in a form, in class="sidebar-layout", or in a tag that was never closed.
    if next(element.iterdescendants("main", "h1"), None) is not None:
        return False
    small = (size := len(element.text_content())) <= 400 or size * 2 <= page_size
    return small or (sure and next(element.iterdescendants("article"), None) is None)


def _mark(root: Any) -> None:  # noqa: ANN401
    """Leave one attribute in the tree: on each outermost element that is boilerplate."""
    size = len(root.text_content())
    for element in root.iter():
        element.attrib.pop(_MASK, None)
    for element in root.iter():
        parent = element.getparent()
        if parent is not None and parent.get(_MASK):
            element.set(_MASK, "inside")
        elif _is_boilerplate(element, size):
            element.set(_MASK, "here")


def _html_meta(root: Any) -> tuple[str | None, str | None]:  # noqa: ANN401
    """Title and date, after ``_mark``."""

    def first(xpath: str) -> str:
        return next((" ".join(s.split()) for s in map(str, root.xpath(xpath)) if s.strip()), "")

    headline = next((h.text_content() for h in root.iter("h1")), "")
    title = first("//meta[@property='og:title']/@content") or first("//head/title/text()") or headline
    dates = [first(f"//meta[@property='{n}' or @name='{n}' or @itemprop='{n}']/@content") for n in _DATES]
    dates.append(first(f"//time[not(@{_MASK})]/@datetime"))
    return " ".join(title.split()) or None, next((day for day in map(iso_date, dates) if day), None)


def _for_renderer(text: str | None) -> str | None:
    """Undo what the renderer will do: it unescapes what the parser has already unescaped."""
    return _CONTROLS.sub("\ufffd", text).replace("&", "&amp;") if text else text


def _simplify(root: Any) -> None:  # noqa: ANN401
    """Make the tree render plainly, with annotations that hold.

    A table becomes lines ("Country | Capital"): padded columns, as drawn by default, interleave the lines of a
    page laid out by tables, and shift annotations. Attributes go: a style can ask for 100,000 blank lines.
    """
    for row in root.iter("tr"):
        cells = [cell for cell in row if cell.tag in ("td", "th")]
        if any(next(cell.iterdescendants(*_IN_CELL), None) is not None for cell in cells):
            for cell in cells:
                cell.tag = "qa-row"
        else:
            for cell in cells[:-1]:
                cell.tail = f" | {(cell.tail or '').strip()}"
        row.tag = "qa-row"
    names = {"table": "qa-table", "td": "span", "th": "span"}
    for element in root.iter():
        state = element.get(_MASK)
        element.attrib.clear()
        if state == "here":
            element.set(_MASK, state)
        element.tag = names.get(element.tag, element.tag)
        element.text = _for_renderer(element.text)
        element.tail = _for_renderer(element.tail)


def html_page(text: str) -> Extract:
    """An HTML page: its visible text, with page furniture masked and headings as locators.

    :raises Unreadable: if it is nested too deeply.
    """
    root = _parse_html(text)
    _mark(root)
    title, date = _html_meta(root)
    _simplify(root)
    rules = {f"#{_MASK}": ["mask"], **{f"h{n}": ["heading"] for n in range(1, 7)}}
    try:
        rendered = Inscriptis(root, ParserConfig(css=_css(), annotation_rules=rules))
    except RecursionError:
        raise Unreadable(_TOO_DEEP) from None
    shown = sanitize(rendered.get_text().rstrip())
    masks: list[Range] = []
    headings: list[tuple[int, str]] = []
    for start, end, kind in rendered.get_annotations():
        # An annotation includes the line breaks and bullets around its element.
        words = shown[start:end]
        start += len(words) - len(words.lstrip())
        end = start + len(words.strip())
        if kind == "mask":
            masks.append((start, end))
        elif start < end:
            headings.append((start, label(shown[start:end])))
    merged = merge_ranges(masks)
    shown_headings = tuple((at, name) for at, name in sorted(headings) if not _inside(at, merged))
    return Extract(shown, title, date, merged, shown_headings)


# --- PDF ----------------------------------------------------------------------------------------------------


_LOCKED = "is protected by a password; save a copy without one and index that"


def pdf(data: bytes) -> Extract:
    """A PDF: the text of its pages, a blank line between them, with "page 3" as locators.

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
    text, locators = "", []
    for number, sheet in enumerate(reader.pages, start=1):
        if words := sanitize(sheet.extract_text()).strip():
            text += "\n\n" if text else ""
            locators.append((len(text), f"page {number}"))
            text += words
    if not text:
        raise Unreadable("has no text; it is probably scanned: run it through OCR and index the result")
    meta = reader.metadata
    try:
        created = meta.creation_date if meta else None
    except ValueError:
        created = None
    return Extract(text, _meaningful(meta.title if meta else None), iso_date(created), (), tuple(locators))


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
    return Extract(sanitize(text), _meaningful(properties.title), iso_date(created), (), tuple(locators))
