from __future__ import annotations

import asyncio

import httpx
import pytest

from qa_ui import uploads
from qa_ui.guard import Guard


class Server:
    """Takes a body in as Gradio does, and notes what came through."""

    def __init__(self):
        self.came = b""

    async def __call__(self, scope, receive, send):
        more = True
        while more:
            message = await receive()
            self.came += message.get("body", b"")
            more = message.get("more_body")
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"[]"})


def send(*, writable=True, path=uploads.PATH, **more):
    """The status, and what came through the guard."""
    server = Server()

    async def run():
        transport = httpx.ASGITransport(Guard(server, writable=writable))
        async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
            return await client.post(path, **more)

    return asyncio.run(run()).status_code, server.came


def form(*files, boundary=b"xyz"):
    """A body by hand, and its Content-Type: (name, content) for each file."""
    parts = [
        b'--%s\r\nContent-Disposition: form-data; name="files"; filename="%s"\r\n\r\n%s\r\n'
        % (boundary, name, content)
        for name, content in files
    ]
    kind = {"content-type": f"multipart/form-data; boundary={boundary.decode()}"}
    return {"content": b"".join(parts) + b"--%s--\r\n" % boundary, "headers": kind}


def piecemeal(content, size):
    async def pieces():
        for first in range(0, len(content), size):
            yield content[first : first + size]

    return pieces()


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_files_that_are_read_come_through_whole_however_they_are_cut(size):
    given = form((b"a.txt", b"one --xy two"), (b"b.CSV", b"title,text\n"), (b"c.zip", b""))
    whole = given["content"]
    assert send(**given | {"content": piecemeal(whole, size)}) == (200, whole)


@pytest.mark.parametrize("size", [3, 100_000])
@pytest.mark.parametrize(
    "name", [b"a.exe", b"a", b"", b"a.txt.js", b"a.txt\\", b".txt", b"txt", b'a.txt"; x="', b"\xff\xfe"]
)
def test_no_other_kind_comes_through(name, size):
    bad = b"MZ what must not reach the disk"
    given = form((b"a.txt", b"fine"), (name, bad))
    status, came = send(**given | {"content": piecemeal(given["content"], size)})
    if name == b'a.txt"; x="':
        assert status == 200, "a file name with an attribute after it is a.txt still"
        return
    assert status == 415
    assert bad not in came


def test_sizes(monkeypatch):
    monkeypatch.setattr(uploads, "MAX_BYTES", 10)
    monkeypatch.setattr(uploads, "TABLE_BYTES", 20)
    assert send(**form((b"a.txt", b"x" * 10), (b"b.csv", b"x" * 20), (b"c.txt", b"x" * 10)))[0] == 200
    assert send(**form((b"a.txt", b"x" * 11)))[0] == 413
    assert send(**form((b"a.csv", b"x" * 21)))[0] == 413
    given = form((b"a.txt", b"x" * 1000))
    status, came = send(**given | {"content": piecemeal(given["content"], 5)})
    assert (status, len(came) < 200) == (413, True)


def test_how_many(monkeypatch):
    monkeypatch.setattr(uploads, "UPLOAD_FILES", 3)
    assert send(**form(*[(b"a.txt", b"x")] * 3))[0] == 200
    assert send(**form(*[(b"a.txt", b"x")] * 4))[0] == 413


def test_all_together(monkeypatch):
    monkeypatch.setattr(uploads, "UPLOAD_BYTES", 500)
    given = form((b"a.txt", b"x" * 600))
    assert send(**given)[0] == 413
    status, came = send(**given | {"content": piecemeal(given["content"], 100)})  # says no length before
    assert (status, len(came) <= 500) == (413, True)


@pytest.mark.parametrize(
    ("content", "headers", "status"),
    [
        (b"{}", {"content-type": "application/json"}, 415),
        (b"", {}, 415),
        (b"x", {"content-type": "multipart/form-data"}, 415),
        (b"x", {"content-type": "multipart/form-data; boundary="}, 415),
        (b"x", {"content-type": f"multipart/form-data; boundary={'x' * 100}"}, 415),
        (b"no boundary here", {"content-type": "multipart/form-data; boundary=xyz"}, 400),
        (b'--xyz\r\nContent-Disposition: form-data; name="a"\r\n\r\nb\r\n--xyz--\r\n', None, 415),
        (b"--xyz\r\n\r\nb\r\n--xyz--\r\n", None, 415),
        (b"--xyz\r\n" + b"x: y\r\n" * 100 + b"\r\nb\r\n--xyz--\r\n", None, 400),
        (b'--xyz\r\nContent-Disposition: form-data; name="a"; filename="a.txt"\r\n'
         b'Content-Disposition: form-data; name="a"; filename="a.exe"\r\n\r\nb\r\n--xyz--\r\n', None, 415),
    ],
)  # fmt: skip
def test_what_is_no_form_with_files(content, headers, status):
    headers = {"content-type": "multipart/form-data; boundary=xyz"} if headers is None else headers
    assert send(content=content, headers=headers)[0] == status


def test_two_content_types_are_none():
    given = form((b"a.txt", b"x"))
    kinds = [
        ("content-type", given["headers"]["content-type"]),
        ("content-type", "multipart/form-data; boundary=b"),
    ]
    assert send(content=given["content"], headers=kinds)[0] == 415


def test_only_where_articles_may_be_added_and_nowhere_else():
    given = form((b"a.txt", b"x" * 2_000_000))
    assert send(**given)[0] == 200
    assert send(**given, writable=False) == (404, b"")
    assert send(**given, path="/mcp") == (413, b"")


def test_a_sender_that_goes_away_is_an_error_at_which_what_was_written_is_deleted():
    messages = [
        {"type": "http.request", "body": b"--xyz\r\n", "more_body": True},
        {"type": "http.disconnect"},
    ]

    async def run():
        async def receive():
            return messages.pop(0)

        upload = uploads.Upload(receive, [b"multipart/form-data; boundary=xyz"])
        await upload()
        with pytest.raises(uploads.RefusedUploadError):
            await upload()
        assert upload.refused == 400

    asyncio.run(run())
