"""Files and folders -> articles: finding, decoding, naming, and masking the lines that are boilerplate."""

from __future__ import annotations

import codecs
import contextlib
import os
import re
import stat
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from charset_normalizer import from_bytes

from . import formats
from .formats import LINK, Extract, Unreadable, iso_date, lines, merge_ranges, sanitize
from .types import Article, ArticleError, Range, sha256

MAX_BYTES = 50_000_000
ID_CHARACTERS = 60
TITLE_CHARACTERS = 200
LINE_CHARACTERS = 200  # a longer line is prose, or a raw article without line breaks: never masked as a line

# What each suffix is called in messages, and how its bytes become text.
_KINDS = {
    ".txt": "text",
    ".text": "text",
    ".md": "Markdown",
    ".markdown": "Markdown",
    ".html": "HTML",
    ".htm": "HTML",
    ".pdf": "PDF",
    ".docx": "Word",
}
SUFFIXES = frozenset(_KINDS)
_FROM_TEXT = {"text": formats.plain, "Markdown": formats.markdown, "HTML": formats.html_page}
_SUPPORTED = ", ".join(_KINDS)

_LEADS_OUT = "a link that leads out of the folder"
_EMPTY = "is empty; nothing to index"
_TOO_LARGE = f"is larger than {MAX_BYTES // 1_000_000} MB; split it into parts"

OnSkip = Callable[[Path, str], None]


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file to read: where it lies, and the name it goes by in the index ("articles/a/b.txt")."""

    path: Path
    source: str


# --- names ----------------------------------------------------------------------------------------------------


def _printable(name: str) -> str:
    """A name on one line, in NFC, without characters that steer a terminal or turn the text around."""
    name = unicodedata.normalize("NFC", name)
    return re.sub("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]", "\ufffd", name)


def _stem(source: str) -> str:
    """The last part of a source without the suffix of a format."""
    name = source.rstrip("/").rpartition("/")[2]
    stem, suffix = os.path.splitext(name)
    return stem if suffix.lower() in SUFFIXES else name


def article_id(source: str) -> str:
    """A stable, readable id: "seeds/Le Monde.txt" -> "Le-Monde-1a2b3c4d", in letters, digits, ``_ . -`` only."""
    source = _printable(source)
    slug = re.sub(r"[^\w.-]+", "-", _stem(source))[:ID_CHARACTERS].strip("-.")
    return f"{slug or 'article'}-{sha256(source)[:8]}"


# --- finding files --------------------------------------------------------------------------------------------


def find_files(paths: Iterable[str | Path], on_skip: OnSkip | None = None) -> Iterator[FoundFile]:
    """All files of a supported kind under some files and folders, sorted, each file once.

    A file's source begins with the name of the folder given, or of the one it lies in: the same either way. Hidden
    files and folders, other kinds of file, links that lead out of their folder, what cannot be looked into, and a
    second file by the same source are passed over; ``on_skip`` is told each such path and why. A folder without any
    yields nothing.

    :raises ArticleError: if a path does not exist or cannot be looked into, or is a file of another kind.
    """
    told = on_skip or (lambda path, why: None)
    seen: set[Path] = set()
    taken: dict[str, Path] = {}
    for given in paths:
        path = Path(os.path.abspath(os.path.expanduser(given)))
        for found in _find(path, told):
            if found.path in seen:
                continue
            seen.add(found.path)
            other = taken.setdefault(found.source, found.path)
            if other == found.path:
                yield found
            else:
                same = f"would go by the same name as {_printable(str(other))}"
                told(found.path, f"{same}; index a folder above both")


def _find(path: Path, told: OnSkip) -> Iterator[FoundFile]:
    shown = _printable(str(path))
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            os.scandir(path).close()  # a folder that was named must open; one inside it may not
    except (FileNotFoundError, NotADirectoryError, ValueError):  # ValueError: a NUL in the path
        raise ArticleError(f"no such file or folder: {shown}; check the spelling") from None
    except OSError as error:  # permission, a loop of links, a name too long
        raise ArticleError(f"{shown} cannot be opened: {_reason(error)}") from None
    if stat.S_ISDIR(mode):
        yield from _walk(path, told)
        return
    if not stat.S_ISREG(mode):
        raise ArticleError(f"{shown} is neither a file nor a folder")
    if path.suffix.lower() not in SUFFIXES:
        raise ArticleError(f"{shown} is of no supported kind; supported are {_SUPPORTED}")
    yield FoundFile(path, _printable(f"{path.parent.name}/{path.name}".lstrip("/")))


def _walk(root: Path, told: OnSkip) -> Iterator[FoundFile]:
    found: list[FoundFile] = []
    for folder, folders, files in os.walk(root, onerror=lambda e: told(Path(e.filename), _reason(e))):
        here = Path(folder)
        kept = []
        for name in folders:
            path = here / name
            if name.startswith("."):
                told(path, "hidden")
            elif path.is_symlink():
                inside = path.resolve().is_relative_to(root.resolve())
                told(path, "a link to a folder that is read anyway" if inside else _LEADS_OUT)
            else:
                kept.append(name)
        folders[:] = kept
        for name in files:
            path = here / name
            if why := _why_not(path, root):
                told(path, why)
            else:
                source = f"{root.name}/{path.relative_to(root).as_posix()}".lstrip("/")
                found.append(FoundFile(path, _printable(source)))
    yield from sorted(found, key=lambda file: file.source)


def _why_not(path: Path, root: Path) -> str:
    """Why a file inside a folder is passed over; empty if it is not."""
    if path.name.startswith("."):
        return "hidden"
    if path.suffix.lower() not in SUFFIXES:
        return f"not one of {_SUPPORTED}"
    try:
        if path.is_symlink():
            target = path.resolve(strict=True)
            if not target.is_relative_to(root.resolve()):
                return _LEADS_OUT
            inside = target.relative_to(root.resolve())
            if target.suffix.lower() in SUFFIXES and not any(part.startswith(".") for part in inside.parts):
                return "a link to a file that is read anyway"
        return "" if path.is_file() else "not a regular file"
    except PermissionError as error:
        return _reason(error)
    except (OSError, RuntimeError):  # RuntimeError: a loop of links, before Python 3.13
        return "a link that leads nowhere"


def _reason(error: OSError) -> str:
    if isinstance(error, PermissionError):
        return "permission denied; check who may read it"
    return (error.strerror or type(error).__name__).lower()


# --- decoding -------------------------------------------------------------------------------------------------

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16: its mark begins with the other's
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_BINARY = "is binary, not text; give it its true suffix, or leave it out"
# Browsers read these as their supersets, and pages are written for browsers.
_SUPERSETS = {"iso-8859-1": "cp1252", "latin-1": "cp1252", "latin1": "cp1252", "iso-8859-9": "cp1254"}
_SUPERSETS |= {"gb2312": "gb18030", "gbk": "gb18030", "shift_jis": "cp932", "euc-kr": "cp949"}
_DECLARED = re.compile(
    rb"<(?:meta\b[^>]{0,200}?\bcharset|\?xml\b[^>]{0,100}?\bencoding)\s*=\s*[\"']?\s*([\w.:-]+)", re.I
)


def decode(data: bytes, *, declares: bool = False) -> str:
    """Bytes -> text, by byte order mark, then UTF-8, then what the bytes look like. A byte order mark is kept.

    :param declares: whether the text may name its encoding, as HTML does.
    :raises Unreadable: if the bytes are no text, or in no encoding that can be recognised.
    """
    text = _decode(data, declares)
    # Control characters no text has; format codes of old word processors and terminals do occur, rarely.
    if "\0" in text or len(re.findall("[\x01-\x06\x0e-\x19\x1c-\x1f\x7f]", text)) * 100 > len(text):
        raise Unreadable(_BINARY)
    return sanitize(text)


def _decode(data: bytes, declares: bool) -> str:
    for mark, codec in _BOMS:
        if data.startswith(mark):
            with contextlib.suppress(UnicodeDecodeError):
                return data.decode(codec)
    if b"\0" in data:
        return _decode_wide(data)
    if found := re.search(rb"\x1b(?:\$\)C|[$(])", data):  # ISO 2022 looks like ASCII to UTF-8
        with contextlib.suppress(UnicodeDecodeError):
            return data.decode("iso2022_kr" if found[0] == b"\x1b$)C" else "iso2022_jp_2")
    with contextlib.suppress(UnicodeDecodeError):
        return data.decode("utf-8")
    if declares and (found := _DECLARED.search(data[:4096])):
        name = found[1].decode().lower()
        # No "utf-16", which is never true of a declaration that can be read so, and no "punycode" and its like.
        if re.match("windows|iso|latin|cp|koi|mac|big5|gb|euc|shift|ks_c|tis", name):
            with contextlib.suppress(LookupError, UnicodeDecodeError):
                return data.decode(_SUPERSETS.get(name, name))
    return _detect(data)


def _decode_wide(data: bytes) -> str:
    """UTF-16 or UTF-32 without a mark: of the readings that are possible, the one with the most spaces and ASCII.

    :raises Unreadable: if there is none: NULs in anything else mean that it is no text.
    """
    readings = []
    for codec, width in (("utf-32-le", 4), ("utf-32-be", 4), ("utf-16-le", 2), ("utf-16-be", 2)):
        if len(data) % width == 0:
            with contextlib.suppress(UnicodeDecodeError):
                readings.append(data.decode(codec))
    # Text in UTF-8 with a stray NUL would read as rare Chinese; in true UTF-16 each space and line break has a NUL.
    best = max(readings, key=lambda text: len(re.findall("[\t\n\r -~]", text)) / len(text), default="\0")
    sample = best[:20_000]
    odd = sum(unicodedata.category(c) in ("Cn", "Co") for c in sample)
    if data.count(0) * 100 < len(data) or odd * 50 > len(sample):
        raise Unreadable(_BINARY)
    return best


def _detect(data: bytes) -> str:
    matches = from_bytes(data)
    best = matches.best()
    if best is None:
        raise Unreadable("is not text in any encoding that can be recognised; save it as UTF-8")
    # Without any sign of a language the first of many equals comes out, even a Chinese one for "café".
    if best.coherence == 0:
        for match in matches:
            if match.chaos <= best.chaos and "cp1252" in match.could_be_from_charset:
                with contextlib.suppress(UnicodeDecodeError):
                    return data.decode("cp1252")
    return data.decode(best.encoding)


# --- boilerplate lines ----------------------------------------------------------------------------------------

_THING = r"(?:articles?|stor(?:y|ies)|posts?|pages?|news|videos?|links?|content|coverage|topics?|reading)"
_SITE = r"(?:facebook|twitter|x|linkedin|whatsapp|reddit|pinterest|telegram|e-?mail|print|(?:your )?friends)"
_LETTER = r"(?:newsletters?|e-?mails?|alerts?|mailing list|briefings?|podcasts?|updates)"

# Whole lines; the first kind may end like a sentence, the second, open to any words, may not.
_CLOSED = (
    r"ad|advert|advertisements?|(?:sponsored|promoted|paid)(?: content)?",
    rf"{_THING} continues (?:below|after)(?: (?:this |the )?(?:ad|advert|advertisement))?",
    r"scroll (?:down )?(?:to continue|for more)(?: reading)?",
    rf"(?:share|tweet|print|e-?mail)(?: (?:this|the))?(?: {_THING})?"
    rf"(?: (?:on|via|with|by|to) {_SITE}(?:,? (?:(?:and|or|&) )?{_SITE})*)?",
    r"(?:follow|find) us(?: on [^.!?]{1,40})?",
    r"(?:subscribe|sign up|sign in|log in|register)(?: (?:now|today|here|for free))?",
    rf"(?:sign up|subscribe|register)(?: \w+)? (?:for|to) [^.!?]{{0,60}}\b{_LETTER}"
    r"(?: (?:here|now|today|below|for free|to (?:get|receive|stay) [^.!?]{1,60}))?",
    r"(?:read|see|also|watch) (?:more|also|next|read|live)",
    rf"related(?: {_THING})?|recommended (?:for you|{_THING})|don't miss",
    rf"you (?:may|might) also (?:like|enjoy|be interested in)(?: (?:this|these))?(?: {_THING})?",
    rf"more (?:on this (?:story|topic)|like this|for you|{_THING})|(?:top|latest) (?:stories|news|headlines)",
    r"most (?:read|popular|viewed|shared)|trending(?: now)?|up next|editor(?:'s|s'?) picks?",
    r"(?:continue|keep) reading(?: (?:below|here|the main story|this (?:article|story)))?|click here",
    r"(?:skip|jump|back|return) to (?:(?:the )?top|(?:main )?(?:content|navigation)|footer|search)",
    r"(?:leave|post|add|write) a (?:comment|reply)|(?:\d+ )?comments?(?: \(\d+\))?",
    r"(?:show|view|load|read|see) (?:all|more)(?: (?:\d+ )?(?:comments|replies))?",
    r"(?:.{0,100}(?:[.,;|©–—-]|\d{4}) ?)?all rights reserved",
    r"this (?:material|content|article|story) may not be (?:published|reproduced|copied|redistributed)\b.{0,120}",
    r"(?:we|this (?:web)?site|our (?:web)?site|we and our partners) uses? (?:[\w-]+ )?cookies"
    r"(?: .{0,80}\b(?:(?:this|our) (?:web)?site|(?:your|the best) .{0,20}experience|personali[sz]e|consent|traffic)\b"
    r".{0,80})?",
    r"by continuing (?:to (?:use|browse|visit)|without)\b.{0,100}\b(?:cookies|privacy policy|terms of use)\b.{0,60}",
    r"(?:accept|reject|manage|allow)(?: all)? cookies?(?: settings| preferences)?|accept all",
    r"(?:cookie|privacy) (?:policy|notice|settings|preferences)|terms (?:of (?:use|service)|(?:and|&) conditions)",
)
_OPEN = (
    rf"(?:read (?:more|also|next)|also read|see (?:also|more)|related(?: {_THING})?|recommended|don't miss)"
    r" ?[:»>|] ?.+",
    r"read more (?:about|at|on|from|here)\b[^.!?]{0,80}|see also [^.!?]{1,120}",
    r"subscribe to (?:our|this) [^.!?]{1,40}|get (?:our|the) [^.!?]{0,50}newsletters?[^.!?]{0,40}",
    r"(?:continue|keep) reading [^.!?]{1,80}",
    r"(?:copyright )?©.{1,120}|copyright (?:\(c\) ?|©)?\d{4}\b.{0,100}|\(c\) ?\d{4}\b.{0,100}",
)
_BOILERPLATE = re.compile(rf"(?:{'|'.join(_CLOSED)})[\s.:!…»>→]*|(?:{'|'.join(_OPEN)})", re.IGNORECASE)


def line_masks(text: str) -> list[Range]:
    """Ranges of the short lines that are boilerplate as a whole: "Advertisement", "Read more: ...", a copyright line.

    Markdown around such a line (a bullet, bold, a link) does not hide it. A file without line breaks has none.
    """
    masks = []
    for start, end in lines(text):
        if end - start > LINE_CHARACTERS:
            continue
        words = LINK.sub("]", text[start:end]).replace("’", "'")
        words = " ".join(re.sub(r"[*_#\[\]`\ufeff]|^[>•·|–—-]+|[|–—-]+$", " ", words).split())
        if _BOILERPLATE.fullmatch(words):
            masks.append((start, end))
    return masks


# --- reading --------------------------------------------------------------------------------------------------


def _read_bytes(path: Path) -> bytes:
    if path.suffix.lower() not in SUFFIXES:
        raise Unreadable(f"is of no supported kind; supported are {_SUPPORTED}")
    try:
        if not path.is_file():  # a pipe would be waited for without end
            raise Unreadable("is not a file" if path.exists() else "does not exist; check the spelling")
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise Unreadable(f"cannot be opened: {_reason(error)}") from None
    if not data:
        raise Unreadable(_EMPTY)
    if len(data) > MAX_BYTES:
        raise Unreadable(_TOO_LARGE)
    return data


def _extract(data: bytes, suffix: str) -> Extract:
    kind = _KINDS[suffix]
    try:
        if kind == "PDF":
            return formats.pdf(data)
        if kind == "Word":
            return formats.word(data)
        text = decode(data, declares=kind == "HTML")
        return _FROM_TEXT[kind](text)
    except Unreadable:
        raise
    except Exception as error:  # what a parser raises on a broken file is anyone's guess
        complaint = _one_line(str(error))[:100] or type(error).__name__
        raise Unreadable(f"is not a readable {kind} file ({complaint}); open it and save it anew") from error


def _article(extract: Extract, *, title: str, source: str, digest: str, path: str | None) -> Article:
    """The article of what was extracted.

    :raises Unreadable: if there is no text.
    """
    if not extract.text.strip("\ufeff").strip():
        raise Unreadable(_EMPTY)
    return Article(
        id=article_id(source),
        text=extract.text,
        title=title,
        source=source,
        date=extract.date,
        masks=merge_ranges([*extract.masks, *line_masks(extract.text)]),
        locators=extract.locators,
        bytes_sha256=digest,
        path=path,
    )


def read_file(path: Path, *, source: str) -> Article:
    """Read one file as an article; ``source`` is the name it goes by, as ``find_files`` gives it.

    Plain text and Markdown are kept exactly as decoded (byte order mark and line ends too), of other formats the
    extracted text; ``bytes_sha256`` names the file's own bytes. ``path`` is None where the file's name is in no
    encoding, since such a path cannot be stored.

    :raises ArticleError: if the file cannot be read, is of no supported kind, larger than 50 MB, binary, broken,
        protected by a password, or holds no text. The message names the file and the way out, on one line.
    """
    source = _printable(source)
    place = os.path.abspath(path)
    try:
        data = _read_bytes(path)
        extract = _extract(data, path.suffix.lower())
        return _article(
            extract,
            title=_one_line(extract.title or "") or _one_line(_stem(source)) or source,
            source=source,
            digest=sha256(data),
            path=place if place == sanitize(place) else None,
        )
    except Unreadable as why:
        raise ArticleError(f"{source} {why}") from why.__cause__


def from_text(text: str, *, title: str, source: str | None = None, date: str | None = None) -> Article:
    """An article from pasted text; without a ``source`` it goes by its title, so that pasting again replaces it.

    Lone surrogates and NULs, which can be pasted but not stored, are replaced by U+FFFD, one for one.

    :raises ArticleError: if the text is blank or too long, or the date is none.
    """
    title = _one_line(title) or "Untitled"
    source = _printable(source) if source else f"pasted/{title.replace('/', '-')}"
    text = sanitize(text)
    data = text.encode()
    try:
        if len(data) > MAX_BYTES:
            raise Unreadable(_TOO_LARGE)
        if date is not None and iso_date(date) is None:
            raise Unreadable(
                f"has a date that is none: {_one_line(str(date))[:40]!r}; one looks like 2024-05-31"
            )
        plain = formats.plain(text)
        extract = Extract(plain.text, date=iso_date(date), masks=plain.masks)
        return _article(extract, title=title, source=source, digest=sha256(data), path=None)
    except Unreadable as why:
        raise ArticleError(f"{source} {why}") from None


def _one_line(words: str) -> str:
    return " ".join(_printable(" ".join(words.split())).split())[:TITLE_CHARACTERS].strip()
