from __future__ import annotations

import base64
import io
import re
import stat

import pytest

from qa_ui import access
from qa_ui.access import AccessError, Credentials, add, add_token


def basic(name, password):
    return "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "access"
    add(path, "ada", "päss wörd: long")
    return path


def test_a_password_is_kept_as_a_hash_that_only_the_owner_reads(file):
    kept = file.read_text()
    assert re.fullmatch(r"ada:scrypt:[0-9a-f]{32}:[0-9a-f]{64}\n", kept)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    add(file, "eve", "päss wörd: long")
    first, second = file.read_text().splitlines()
    assert first == kept.strip()
    assert second.split(":")[3] != first.split(":")[3], "salted"


def test_who(file):
    token = add_token(file, "robot")
    assert token not in file.read_text()
    known = Credentials(file)
    for _ in range(2):  # the second time it is remembered
        assert known.who(basic("ada", "päss wörd: long")) == "ada"
    assert known.who(f"Bearer {token}") == known.who(f"bearer  {token} ") == "robot"
    assert known.who(basic("token", token)) == "robot"
    for wrong in (
        basic("ada", "päss wörd: lon"), basic("Ada", "päss wörd: long"), basic("robot", token), basic("nobody", ""),
        basic("", ""), "Basic", "Basic !!", "Basic " + base64.b64encode(b"\xff\xfe").decode(), "Bearer", "Bearer x",
        "", token, basic("token", "päss wörd: long"), f"Digest {token}", "Bearer \ud800",
    ):  # fmt: skip
        assert known.who(wrong) is None, wrong


def test_a_new_password_and_a_new_token_replace_the_old(file):
    old = add_token(file, "ada")
    new = add_token(file, "ada")
    add(file, "ada", "another password")
    assert len(file.read_text().splitlines()) == 2
    known = Credentials(file)
    assert known.who(f"Bearer {old}") is None
    assert known.who(f"Bearer {new}") == "ada"
    assert known.who(basic("ada", "päss wörd: long")) is None
    assert known.who(basic("ada", "another password")) == "ada"


def test_several_files_comments_and_blank_lines(file, tmp_path):
    other = tmp_path / "other"
    token = add_token(other, "robot")
    other.write_text(f"# programs\n\n{other.read_text()}")
    known = Credentials(file, other)
    assert known.who(f"Bearer {token}") == "robot"
    assert known.who(basic("ada", "päss wörd: long")) == "ada"


@pytest.mark.parametrize(
    "line",
    ["ada:secret", "ada:scrypt:00", "ada:scrypt:zz:00", "a b:scrypt:00:00", "ada:md5:00:00", "ada:token:xx"],
)
def test_a_line_that_is_none_is_named(file, line):
    file.write_text(file.read_text() + line + "\n")
    with pytest.raises(AccessError) as caught:
        Credentials(file)
    assert str(caught.value).startswith(f"{file}, line 2: not a name with a hash")
    assert line not in str(caught.value), "it may be a password"


def test_files_that_let_nobody_in(tmp_path):
    with pytest.raises(AccessError, match=r"cannot read .*nowhere: No such file"):
        Credentials(tmp_path / "nowhere")
    (tmp_path / "empty").touch()
    with pytest.raises(AccessError, match=r"nobody is in it; add one: python -m qa_ui.access"):
        Credentials(tmp_path / "empty")
    (tmp_path / "bytes").write_bytes(b"\xff\xfe")
    with pytest.raises(AccessError, match="not a text"):
        Credentials(tmp_path / "bytes")


@pytest.mark.parametrize("name", ["", "a:b", "a b", "token", "x" * 65, "a\nb", "ä"])
def test_names(file, name):
    before = file.read_text()
    with pytest.raises(AccessError, match="not a name"):
        add(file, name, "long enough")
    assert file.read_text() == before


def test_from_the_shell(tmp_path, monkeypatch, capsys):
    file = str(tmp_path / "access")
    assert access.main([file, "token", "robot"]) == 0
    token = capsys.readouterr().out.strip()
    monkeypatch.setattr("sys.stdin", io.StringIO("a good password\n"))
    assert access.main([file, "add", "ada"]) == 0
    known = Credentials(file)
    assert (known.who(f"Bearer {token}"), known.who(basic("ada", "a good password"))) == ("robot", "ada")
    monkeypatch.setattr("sys.stdin", io.StringIO("short\n"))
    assert access.main([file, "add", "eve"]) == 1
    assert capsys.readouterr().err == "error: a password needs 10 characters or more\n"
