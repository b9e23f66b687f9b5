from __future__ import annotations

import asyncio

import httpx
import pytest

from qa_ui import guard
from qa_ui.guard import Guard, Rate
from qa_ui.uploads import Body


async def hello(scope, receive, send):
    """Says who it is, in all the ways it should not."""
    while (await receive()).get("more_body"):
        pass
    if scope["path"] == "/config":
        raise RuntimeError("/secret/path")
    status = 500 if scope["path"] == "/theme.css" else 200
    headers = [
        (b"server", b"x/1.0"),
        (b"Access-Control-Allow-Origin", b"*"),
        (b"X-Frame-Options", b"ALLOW"),
        (b"x-own", b"1"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"hello /secret/path"})


def ask(app, method="GET", path="/", client=("203.0.113.1", 5), **more):
    async def run():
        transport = httpx.ASGITransport(app, client=client)
        async with httpx.AsyncClient(transport=transport, base_url="http://here") as browser:
            return await browser.request(method, path, **more)

    return asyncio.run(run())


def test_headers_are_ours():
    found = ask(Guard(hello))
    assert (found.status_code, found.text, found.headers["x-own"]) == (200, "hello /secret/path", "1")
    assert found.headers.get_list("x-frame-options") == ["DENY"]
    assert set(found.headers) == {*guard.HEADERS, "x-own"}


@pytest.mark.parametrize(
    ("path", "status"), [("/config", 500), ("/theme.css", 500), ("/nope", 404), ("/docs", 404)]
)
def test_errors_are_ours(path, status, capsys):
    found = ask(Guard(hello), path=path)
    assert found.status_code == status
    assert set(found.json()) == {"detail"}
    assert "secret" not in found.text
    assert set(found.headers) == {*guard.HEADERS, "content-type", "content-length"}
    assert ("/secret/path" in capsys.readouterr().err) == (path == "/config"), (
        "the terminal has the whole story"
    )


@pytest.mark.parametrize(
    "path",
    ["/gradio_api/upload", "/gradio_api/file=/etc/passwd", "/gradio_api/proxy=http://x", "//", "/static/../x",
     "/assets/", "/gradio_api/call/a/b/c/d", "/gradio_api/vibe-edit", "/gradio_api/../config/x", "/mcp/x"],
)  # fmt: skip
def test_what_is_not_listed_is_not_there(path):
    async def run():
        sent = []

        async def send(message):
            sent.append(message)

        scope = {
            "type": "http",
            "path": path,
            "method": "GET",
            "headers": [(b"host", b"here")],
            "client": ("::1", 1),
        }
        await Guard(hello)(scope, None, send)
        return sent[0]["status"]

    assert asyncio.run(run()) == 404


def test_a_body_is_counted_whatever_it_is_said_to_be():
    async def chunks():
        for _ in range(30):
            yield b" " * 50_000

    assert ask(Guard(hello), "POST", "/mcp", content=chunks()).status_code == 413
    for length in ("-1", "x", "٣", "9" * 30):
        headers = [(b"host", b"here"), (b"content-length", length.encode())]
        assert Body(None, 100).announced({"content-length": length}), headers


def test_websockets_are_closed():
    async def run():
        sent = []

        async def send(message):
            sent.append(message)

        await Guard(hello)({"type": "websocket", "path": "/", "headers": []}, None, send)
        return sent

    assert asyncio.run(run()) == [{"type": "websocket.close", "code": 1008}]


def test_a_bucket_fills_evenly(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(guard.time, "monotonic", lambda: now[0])
    rate = Rate(60)
    assert [rate.wait("a") for _ in range(60)] == [0.0] * 60
    assert rate.wait("a") == pytest.approx(1.0)
    assert rate.wait("b") == 0.0
    now[0] += 0.5
    assert rate.wait("a") == pytest.approx(0.5)
    now[0] += 0.6
    assert rate.wait("a") == 0.0
    now[0] += 10_000
    assert [bool(rate.wait("a")) for _ in range(61)] == [False] * 60 + [True]


def test_what_a_request_costs_besides_is_waited_for_afterwards(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(guard.time, "monotonic", lambda: now[0])
    rate = Rate(60)
    assert rate.wait("a") == 0.0
    rate.charge("a", 99.0)
    assert rate.wait("a") == pytest.approx(41.0)
    assert rate.wait("b") == 0.0
    now[0] += 41.1
    assert rate.wait("a") == 0.0
    assert rate.wait("a") > 0


def test_callers_are_forgotten_in_the_end(monkeypatch):
    monkeypatch.setattr(guard, "CALLERS", 3)
    rate = Rate(1)
    for caller in "abcda":
        assert rate.wait(caller) == 0.0
    assert rate.wait("d") > 0
    assert len(rate._buckets) == 3


def test_each_caller_has_a_rate_and_asking_costs_most():
    app = Guard(hello, rate=Rate(3))
    asked = [ask(app, "POST", "/mcp").status_code for _ in range(4)]
    assert asked == [200, 200, 200, 429]
    limited = ask(app, "POST", "/mcp")
    assert 1 <= int(limited.headers["retry-after"]) <= 21
    assert ask(app, "POST", "/mcp", client=("203.0.113.2", 1)).status_code == 200
    app = Guard(hello, rate=Rate(3))
    assert [ask(app, path="/assets/x.js").status_code for _ in range(50)] == [200] * 50


def test_the_addresses_of_one_ipv6_network_are_one_caller():
    callers = {guard._caller({"client": (host, 1)}) for host in ("2001:db8::1", "2001:db8::ffff:2")}
    assert callers == {"2001:db8::/64"}
    assert guard._caller({"client": ("203.0.113.1", 1)}) == "203.0.113.1"
    assert guard._caller({"client": None}) == "unknown"


def test_hosts():
    app = Guard(hello, hosts=frozenset({"127.0.0.1", "::1"}))
    for host, status in [
        ("127.0.0.1:7860", 200),
        ("[::1]:7860", 200),
        ("127.0.0.1.evil.example", 403),
        ("evil", 403),
        ("", 403),
    ]:
        assert ask(app, headers={"host": host}).status_code == status, host
