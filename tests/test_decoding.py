import hashlib

import pytest

from qa.decoding import decode
from qa.extract import Unreadable

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
