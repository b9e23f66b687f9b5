"""Who may do what, on every route there is."""

from __future__ import annotations

import base64
import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
from leak_helpers import PATHS

ROOT = Path(__file__).parents[2]
LEAKS = re.compile(
    rf"traceback|\.py\b|site-packages|{PATHS}|uvicorn|starlette|pydantic|fastapi/|python/|errors\.pydantic",
    re.IGNORECASE,
)
ASKED = {"data": ["where does niu jun work", [], None, 5, None]}


ROUTES = """
import json, qa_ui, gradio as gr
from fastapi import FastAPI
with gr.Blocks(analytics_enabled=False) as blocks:
    gr.Textbox()
def collect(routes, before=""):
    for route in routes:
        if hasattr(route, "original_router"):
            yield from collect(route.original_router.routes, before)
            continue
        path = before + getattr(route, "path", "")
        yield from ((method, path) for method in getattr(route, "methods", None) or ())
        yield from collect(getattr(route, "routes", None) or (), path.rstrip("/"))
app = gr.mount_gradio_app(FastAPI(), blocks, path="/", run_history=True, enable_monitoring=True)
print(json.dumps(list(collect(app.routes))))
"""


@pytest.fixture(scope="module")
def routes() -> list[tuple[str, str]]:
    """Every route that Gradio and we register, with something in the place of its parameters."""
    # In a process of its own: Gradio leaves event loops open.
    done = subprocess.run(
        [sys.executable, "-c", ROUTES], cwd=ROOT, capture_output=True, text=True, check=True
    )
    found = {(method, re.sub(r"\{[^}]*\}", "x", path) or "/") for method, path in json.loads(done.stdout)}
    assert len(found) > 60
    assert ("POST", "/gradio_api/queue/join") in found
    ours = {
        ("GET", "/healthz"),
        ("GET", "/mcp"),
        ("POST", "/mcp"),
        ("DELETE", "/mcp"),
        ("GET", "/gradio_api/mcp"),
    }
    return sorted(found | ours)


def basic(name: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()}


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def test_no_route_answers_without_credentials(closed_server, routes):
    with httpx.Client(base_url=closed_server.url, timeout=60) as client:
        for method, path in routes:
            found = client.request(method, path, json=ASKED if method == "POST" else None)
            if path.rstrip("/") == "/healthz":
                assert (found.status_code, found.json()) == (200, {"status": "ready"})
            else:
                assert found.status_code in (401, 404), (method, path)
                if method != "HEAD":
                    assert set(found.json()) == {"detail"}
            assert not LEAKS.search(found.text), (method, path)
        for path in ("/", "/config", "/gradio_api/info", "/gradio_api/queue/data?session_hash=x", "/assets/x.js",
                     "/mcp", "/theme.css", "/gradio_api/heartbeat/x", "/gradio_api/call/ask/x"):  # fmt: skip
            found = client.get(path)
            assert found.status_code == 401, path
            assert found.headers["www-authenticate"].startswith("Basic ")
        for path in ("/gradio_api/queue/join", "/gradio_api/call/ask", "/gradio_api/call/v2/ask", "/mcp",
                     "/gradio_api/run/ask", "/gradio_api/api/ask", "/gradio_api/cancel",
                     "/gradio_api/component_server"):  # fmt: skip
            assert client.post(path, json=ASKED).status_code == 401, path


def test_what_is_not_needed_is_not_there(open_server, closed_server, routes):
    gone = ("proxy=", "vibe", "dev/reload", "/stream/", "monitoring", "run-history", "/runs", "/upload", "file",
            "/docs", "custom_component", "process_recording", "deep_link", "profiling",
            "/login", "/logout", "/token")  # fmt: skip
    tried = 0
    with httpx.Client(timeout=60) as client:
        for method, path in routes:
            if any(part in path for part in gone) and not re.search("login_check", path):
                tried += 1
                allowed = path.startswith("/gradio_api/upload") or path.startswith("/gradio_api/file=")
                headers = bearer(closed_server.token)
                assert client.request(method, closed_server.url + path, headers=headers).status_code == 404, (
                    path
                )
                if not allowed:
                    assert client.request(method, open_server.url + path).status_code == 404, path
    assert tried > 20


@pytest.mark.parametrize(
    "headers",
    [basic("ada", "wrong"), basic("eve", "wrong horse battery"), basic("robot", "wrong horse battery"), bearer("x"),
     {"Authorization": "Basic !"}, {"Authorization": "Digest x"}, basic("", ""), basic("token", "x")],
)  # fmt: skip
def test_wrong_credentials(closed_server, headers):
    assert httpx.get(closed_server.url, headers=headers, timeout=60).status_code in (401, 429)


def test_after_ten_wrong_ones_a_minute_an_address_waits(closed_server):
    headers = {"X-Forwarded-For": "203.0.113.9"}
    found = [httpx.get(closed_server.url, headers=headers | bearer(f"x{n}"), timeout=60) for n in range(12)]
    assert found[-1].status_code == 429
    assert 0 < int(found[-1].headers["retry-after"]) <= 60
    other = {"X-Forwarded-For": "203.0.113.10"}
    assert httpx.get(closed_server.url, headers=other | bearer("x"), timeout=60).status_code == 401


@pytest.mark.parametrize("kind", ["password", "token", "token as a password"])
def test_the_right_credentials_ask(closed_server, kind):
    from gradio_client import Client

    headers = {
        "password": basic("ada", closed_server.password),
        "token": bearer(closed_server.token),
        "token as a password": basic("token", closed_server.token),
    }[kind]
    page = httpx.get(closed_server.url, headers=headers, timeout=60)
    assert page.status_code == 200
    client = Client(closed_server.url, headers=headers, verbose=False)
    assert client.predict("where does niu jun work", api_name="/ask")["answer"] == "peking university"


def test_requests_by_way_of_other_pages_and_names_are_refused(open_server, closed_server):
    def status(server=open_server, method="POST", path="/gradio_api/call/ask", **headers):
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return httpx.request(method, server.url + path, json=ASKED, headers=named, timeout=60).status_code

    own = open_server.url
    assert status() == status(Origin=own) == 200
    assert status(Origin="https://evil.example") == 403
    assert status(Origin="null") == 403
    assert status(Origin=own + "0") == 403
    assert status(Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="cors") == 403
    assert status(Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="navigate", method="GET", path="/") == 200
    assert status(Host="evil.example") == 403
    assert status(Host="evil.example", method="GET", path="/") == 403
    token = {"Authorization": f"Bearer {closed_server.token}"}
    assert status(closed_server, Origin="https://evil.example", **token) == 403
    assert (
        status(closed_server, Host="articles.example.org", Origin="https://articles.example.org", **token)
        == 200
    )


def test_headers_on_every_answer_and_no_cors(open_server):
    with httpx.Client(base_url=open_server.url, timeout=60) as client:
        for path in ("/", "/config", "/theme.css", "/gradio_api/info", "/healthz", "/nope", "/mcp"):
            found = client.get(path, headers={"Origin": open_server.url})
            assert found.headers["x-content-type-options"] == "nosniff", path
            assert found.headers["x-frame-options"] == "DENY"
            assert "frame-ancestors 'none'" in found.headers["content-security-policy"]
            assert not [name for name in found.headers if name.startswith("access-control")]
            assert not {"server", "x-powered-by"} & set(found.headers)
        assert (
            client.options("/gradio_api/call/ask", headers={"Origin": "https://evil.example"}).status_code
            == 403
        )


def test_errors_tell_nothing_of_the_inside(open_server):
    with httpx.Client(base_url=open_server.url, timeout=60) as client:
        bad = [
            client.post("/gradio_api/call/ask", content=b"{", headers={"content-type": "application/json"}),
            client.post("/gradio_api/call/ask", json=[]),
            client.post("/gradio_api/call/nope", json={"data": []}),
            client.post("/gradio_api/run/ask", json={"data": [{"a": 1}, 2, 3, 4, 5, 6, 7]}),
            client.post("/gradio_api/queue/join", json={"data": [], "fn_index": 99999, "session_hash": "x"}),
            client.post(
                "/gradio_api/component_server",
                json={"component_id": 1, "fn_name": "__init__"},
            ),
            client.get("/static/../../../../etc/passwd"),
            client.get("/static/%2e%2e/%2e%2e/%2e%2e/etc/passwd"),
            client.get("/assets/..%2f..%2froutes.py"),
            client.get("/gradio_api/file=/etc/passwd"),
            client.get("/gradio_api/nope"),
            client.put("/gradio_api/call/ask"),
        ]
        for found in bad:
            assert found.status_code >= 400, found.url
            assert set(found.json()) == {"detail"}
            assert not LEAKS.search(found.text)
        event = client.post("/gradio_api/call/ask", json={"data": []}).json()
        if "event_id" in event:
            text = client.get(f"/gradio_api/call/ask/{event['event_id']}").text
            assert "event: error" in text
            assert not LEAKS.search(text)


def test_too_much_is_not_taken(open_server):
    def chunks():
        for _ in range(40):
            yield b" " * 50_000

    with httpx.Client(base_url=open_server.url, timeout=60) as client:
        for path in ("/gradio_api/call/ask", "/gradio_api/queue/join", "/mcp"):
            assert client.post(path, content=b" " * 1_100_000).status_code == 413, path
        assert client.post("/gradio_api/call/ask", content=chunks()).status_code == 413
        assert client.post("/gradio_api/call/ask", json=ASKED).status_code == 200


def test_it_is_gone_within_five_seconds_though_pages_are_open(start):
    server = start()
    with (
        httpx.Client(base_url=server.url, timeout=60) as client,
        client.stream("GET", "/gradio_api/heartbeat/abc") as beat,
    ):
        assert beat.status_code == 200
        for _ in range(5):
            client.post("/gradio_api/call/ask", json=ASKED)
        begun = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        server.process.wait(30)
        assert time.monotonic() - begun < 5
    assert "Traceback" not in server.log.read_text()
