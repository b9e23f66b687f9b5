"""Who may come in: people with a name and a password, programs with a token. Only hashes are kept in the file.

    python -m qa_ui.access FILE add NAME      asks for a password
    python -m qa_ui.access FILE token NAME    prints a new token, once

One line each: ``NAME:scrypt:SALT:HASH`` or ``NAME:token:HASH``. Remove a line to shut somebody out.
"""

from __future__ import annotations

import argparse
import base64
import binascii
import getpass
import hashlib
import hmac
import os
import re
import secrets
import sys
import threading
from collections import OrderedDict
from pathlib import Path

from qa.types import QAError

_COST: dict[str, int] = {"n": 2**14, "r": 8, "p": 1, "dklen": 32}  # about 50 ms and 16 MB
_NAME = re.compile(r"[A-Za-z0-9._@-]{1,64}")
_REMEMBERED = 1000  # passwords found right, so that each request of a page does not cost 50 ms
LEAST_PASSWORD = 10  # characters


class AccessError(QAError):
    """A file of credentials that cannot be read, or a name or password that cannot be added to it."""


class Credentials:
    """Passwords and tokens of some files.

    :raises AccessError: if a file cannot be read, or holds a line that is none.
    """

    def __init__(self, *files: str | Path) -> None:
        self._passwords: dict[str, tuple[bytes, bytes]] = {}
        self._tokens: dict[bytes, str] = {}
        for file in files:
            self._read(Path(file))
        if not self._passwords and not self._tokens:
            named = " and ".join(map(str, files))
            raise AccessError(
                f"{named}: nobody is in it; add one: python -m qa_ui.access {files[0]} add NAME"
            )
        self._key = secrets.token_bytes(32)
        self._right: OrderedDict[bytes, None] = OrderedDict()
        self._lock = threading.Lock()

    def _read(self, file: Path) -> None:
        try:
            lines = file.read_text("utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise AccessError(
                f"cannot read {file}: {getattr(error, 'strerror', None) or 'not a text'}"
            ) from error
        for number, line in enumerate(lines, 1):
            if not line.strip() or line.startswith("#"):
                continue
            try:
                match line.strip().split(":"):
                    case [name, "scrypt", salt, digest] if _NAME.fullmatch(name):
                        self._passwords[name] = (bytes.fromhex(salt), bytes.fromhex(digest))
                    case [name, "token", digest] if _NAME.fullmatch(name):
                        self._tokens[bytes.fromhex(digest)] = name
                    case _:
                        raise ValueError
            except ValueError:
                raise AccessError(
                    f"{file}, line {number}: not a name with a hash; make such lines by python -m qa_ui.access"
                ) from None

    def who(self, authorization: str) -> str | None:
        """The name that an ``Authorization`` header proves; None if it proves none. May take 50 ms."""
        kind, _, value = authorization.strip().partition(" ")
        value = value.strip()
        if kind.lower() == "bearer":
            return self._tokens.get(_of_token(value))
        if kind.lower() != "basic":
            return None
        try:
            name, _, password = base64.b64decode(value, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return None
        if password and hmac.compare_digest(name.encode(), b"token"):
            return self._tokens.get(_of_token(password))
        return name if self._is_right(name, password) else None

    def _is_right(self, name: str, password: str) -> bool:
        seen = hmac.digest(self._key, f"{name}:{password}".encode(), "sha256")
        with self._lock:
            if seen in self._right:
                self._right.move_to_end(seen)
                return True
        # As much work for a name that nobody has: how long it takes tells nothing.
        salt, digest = self._passwords.get(name, (b"nobody", b""))
        right = hmac.compare_digest(_of_password(password, salt), digest)
        if right:
            with self._lock:
                self._right[seen] = None
                if len(self._right) > _REMEMBERED:
                    self._right.popitem(last=False)
        return right


def _of_password(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, **_COST)  # type: ignore[arg-type]


def _of_token(token: str) -> bytes:
    """Tokens are long and random, so a plain hash keeps them."""
    return hashlib.sha256(token.encode(errors="replace")).digest()


def add(file: Path, name: str, password: str) -> None:
    """Add somebody, or give them a new password.

    :raises AccessError: if the name or the password cannot be taken.
    """
    if len(password) < LEAST_PASSWORD:
        raise AccessError(f"a password needs {LEAST_PASSWORD} characters or more")
    salt = secrets.token_bytes(16)
    _write(file, name, "scrypt", f"{salt.hex()}:{_of_password(password, salt).hex()}")


def add_token(file: Path, name: str) -> str:
    """Add a program, or give it a new token, which is returned and kept nowhere."""
    token = secrets.token_urlsafe(32)
    _write(file, name, "token", _of_token(token).hex())
    return token


def _write(file: Path, name: str, kind: str, hashed: str) -> None:
    if not _NAME.fullmatch(name) or name == "token":
        raise AccessError(f"not a name: {name[:80]!r}; letters, digits and . _ @ -, at most 64")
    try:
        kept = file.read_text("utf-8").splitlines() if file.exists() else []
        kept = [line for line in kept if not line.startswith(f"{name}:{kind}:")]
        new = file.with_name(f"{file.name}.new")
        with os.fdopen(
            os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8"
        ) as out:
            out.write("".join(f"{line}\n" for line in [*kept, f"{name}:{kind}:{hashed}"]))
        new.replace(file)
    except OSError as error:
        raise AccessError(f"cannot write {file}: {error.strerror}") from error


def main(arguments: list[str] | None = None) -> int:
    """Add people and programs."""
    parser = argparse.ArgumentParser(prog="python -m qa_ui.access", description=__doc__.splitlines()[0])
    parser.add_argument("file", type=Path, metavar="FILE")
    parser.add_argument(
        "what", choices=["add", "token"], help="a person with a password, or a program with a token"
    )
    parser.add_argument("name", metavar="NAME")
    options = parser.parse_args(arguments)
    try:
        if options.what == "token":
            print(add_token(options.file, options.name))
        elif sys.stdin.isatty():
            password = getpass.getpass("password: ")
            if getpass.getpass("again: ") != password:
                raise AccessError("these were two different passwords")
            add(options.file, options.name, password)
        else:
            add(options.file, options.name, sys.stdin.readline().rstrip("\n"))
    except AccessError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
