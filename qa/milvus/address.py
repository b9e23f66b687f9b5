"""What ``--index`` says of an index in Milvus: ``milvus://HOST:PORT/NAME``, or a Milvus Lite file ``FILE.db``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from qa.database import FILE
from qa.types import ArticleIndexError

PORT = 19530  # Milvus' own
TOKEN = "MILVUS_TOKEN"  # the environment variable that holds "user:password", or an API key
_SERVER = re.compile(
    r"milvus(?P<tls>\+tls)?://(?P<host>\[[0-9A-Fa-f:.]+\]|[\w.-]+)(?::(?P<port>[0-9]{1,5}))?/(?P<name>[A-Za-z_][A-Za-z0-9_]{0,99})/?",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Address:
    """Where an index is. ``shown`` is what the person typed; it holds no password."""

    shown: str
    uri: str  # http://host:port; the file of a Milvus Lite
    name: str  # its collections' names begin so
    lite: bool


def parse_address(index: str | Path) -> Address | None:
    """The address that an ``--index`` is, or None where it is a folder of the local kind.

    :raises ArticleIndexError: if it begins like one and is none.
    """
    text = str(index)
    if text.startswith(("milvus:", "milvus+tls:")):
        found = _SERVER.fullmatch(text)
        if found is None or int(found["port"] or PORT) > 65535:
            if "@" in text:
                raise ArticleIndexError(
                    f"no user or password belongs into --index: put user:password into {TOKEN}"
                )
            raise ArticleIndexError(
                f"{text[:80]!r} is not milvus://HOST:PORT/NAME, with a NAME of letters, digits and _"
            )
        scheme = "https" if found["tls"] else "http"
        return Address(text, f"{scheme}://{found['host']}:{found['port'] or PORT}", found["name"], False)
    path = Path(text).expanduser()
    if path.suffix == ".db" and not (path / FILE).exists():
        return Address(text, str(path.absolute()), "articles", True)
    return None
