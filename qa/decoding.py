"""Bytes -> text."""

from __future__ import annotations

import codecs
import contextlib
import re
import unicodedata

from charset_normalizer import from_bytes

from .extract import Unreadable, sanitize

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
