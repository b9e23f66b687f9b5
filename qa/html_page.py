"""An HTML page -> its visible text, with page furniture masked and headings as locators."""

from __future__ import annotations

import re
from typing import Any

from inscriptis.css_profiles import CSS_PROFILES
from inscriptis.html_engine import Inscriptis
from inscriptis.html_properties import Display
from inscriptis.model.config import ParserConfig
from inscriptis.model.html_element import HtmlElement
from lxml import etree, html

from .extract import Extract, Unreadable, inside, iso_date, label, sanitize
from .types import Range, merge_ranges

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


# --- parsing ------------------------------------------------------------------------------------------------


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


# --- page furniture -----------------------------------------------------------------------------------------


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


# --- title and date -----------------------------------------------------------------------------------------


def _html_meta(root: Any) -> tuple[str | None, str | None]:  # noqa: ANN401
    """Title and date, after ``_mark``."""

    def first(xpath: str) -> str:
        return next((" ".join(s.split()) for s in map(str, root.xpath(xpath)) if s.strip()), "")

    headline = next((h.text_content() for h in root.iter("h1")), "")
    title = first("//meta[@property='og:title']/@content") or first("//head/title/text()") or headline
    dates = [first(f"//meta[@property='{n}' or @name='{n}' or @itemprop='{n}']/@content") for n in _DATES]
    dates.append(first(f"//time[not(@{_MASK})]/@datetime"))
    return " ".join(title.split()) or None, next((day for day in map(iso_date, dates) if day), None)


# --- rendering ----------------------------------------------------------------------------------------------


def _css() -> dict[str, HtmlElement]:
    css: dict[str, HtmlElement] = CSS_PROFILES["strict"].copy()
    css.update({tag: HtmlElement(display=Display.block) for tag in _BLOCKS})
    # The parser, older than HTML 5, takes an <article> before <body> to stand in the head.
    css["head"] = HtmlElement()
    # No margin after it: the renderer would put it between the rows.
    css["qa-table"] = HtmlElement(display=Display.block, margin_before=1)
    css["ul"] = css["ol"] = HtmlElement(display=Display.block)
    return css


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
    shown_headings = tuple((at, name) for at, name in sorted(headings) if not inside(at, merged))
    return Extract(shown, title, date, merged, shown_headings)
