"""Whatever is sent over HTTP, fitting the schemas or breaking them: an answer, or one line of error.

Requests are made by schemathesis from the endpoints' own schemas and from what Gradio's and MCP's routes take. The
server lives on, nothing takes for ever, no error is the server's, nothing of its inside is told, and the index stays
as it was.
"""

from __future__ import annotations

import json
import re
import shutil
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from leak_helpers import PATHS
from schemathesis import GenerationMode, openapi

from qa_ui.schema import ENDPOINTS, WRITING

# Nothing may hang for longer; on a machine of its own none takes a tenth of it.
SECONDS = 10
LEAKS = re.compile(
    rf"traceback|\.py\b|site-packages|{PATHS}|uvicorn|starlette|pydantic|gradio/", re.IGNORECASE
)
ANYTHING: dict[str, Any] = {}
TEXT = {"type": "string"}
LIST = {"type": "array", "items": ANYTHING, "maxItems": 6}
SESSION = {"session_hash": TEXT, "fn_index": {"type": "integer"}, "event_id": TEXT}
PAGE_CALLS = ["opening", "state", "cancel", "verdict", "whole_article", "place", "listing", "article", "look"]
RPC = ["initialize", "tools/list", "tools/call", "ping", "resources/list", "notifications/initialized"]
TOOLS = ["ask", "search", "list_articles", "verify_quote", "nothing"]
HELD = [
    "{",
    "[]",
    "null",
    '{"data": ' + "[" * 5000,
    "\x00",
    '{"data": [1e999]}',
    '{"data": ["\\ud800"]}',
    '{"a": 1}' * 3,
]


def body(properties: dict[str, Any], **more: object) -> dict[str, Any]:
    given = {"type": "object", "properties": properties, "required": list(properties), **more}
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": given}}}}


def paths(names: dict[str, Any]) -> dict[str, Any]:
    """What may be sent, as OpenAPI's paths."""
    found: dict[str, Any] = {}
    for name, (parameters, _) in names.items():
        needed = [key for key, schema in parameters.items() if "default" not in schema]
        found[f"/gradio_api/call/v2/{name}"] = {"post": body(parameters, required=needed)}
        found[f"/gradio_api/call/{name}"] = {"post": body({"data": LIST})}
    asked = {"name": {"enum": TOOLS}, "arguments": {"type": "object"}}
    message = {
        "jsonrpc": {"enum": ["2.0", "1.0"]}, "id": ANYTHING, "method": {"enum": RPC},
        "params": {"type": "object", "properties": asked, "required": list(asked)},
    }  # fmt: skip
    called = {"data": LIST, "component_id": {"type": "integer", "minimum": 0, "maximum": 9},
              "fn_name": {"enum": PAGE_CALLS}, "session_hash": TEXT}  # fmt: skip
    queued = {
        "data": LIST,
        "fn_index": {"type": "integer", "minimum": -1, "maximum": 12},
        "session_hash": TEXT,
    }
    found |= {
        "/gradio_api/queue/join": {"post": body(queued)},
        "/gradio_api/run/ask": {"post": body({"data": LIST})},
        "/gradio_api/component_server": {"post": body(called)},
        "/gradio_api/cancel": {"post": body(SESSION)},
        "/gradio_api/reset": {"post": body(SESSION)},
        "/mcp": {"post": body(message)},
    }
    for path in found.values():
        path["post"]["responses"] = {"200": {"description": "anything"}}
    return found


def operations(names: dict[str, Any]) -> list[Any]:
    description = {"openapi": "3.1.0", "info": {"title": "fuzz", "version": "1"}, "paths": paths(names)}
    return [found.ok() for found in openapi.from_dict(description).get_all_operations()]


def sound(response: httpx.Response) -> None:
    """Not the server's fault, one line, and nothing about its inside."""
    about = response.request.url, response.request.content[:300], response.text[:300]
    assert response.status_code < 500 or response.status_code == 503, about
    if response.status_code >= 400 and not response.request.url.path.startswith("/mcp"):
        assert set(response.json()) == {"detail"}, about
    if response.headers.get("content-type", "").startswith(("application/json", "text/event-stream")):
        assert not LEAKS.search(response.text), about


def send(client: httpx.Client, path: str, content: bytes) -> None:
    """A request, and what came of it where that is to be fetched."""
    headers = {"content-type": "application/json", "accept": "application/json, text/event-stream"}
    response = client.post(path, content=content, headers=headers)
    sound(response)
    if path.startswith("/gradio_api/call/") and response.status_code == 200:
        event = response.json()["event_id"]
        name = path.rpartition("/")[2]
        ended = client.get(f"/gradio_api/call/{name}/{event}")
        sound(ended)
        assert re.search(r"^event: (complete|error)$", ended.text, re.MULTILINE), (path, content[:300])


def state(client: httpx.Client) -> dict[str, Any]:
    """What the index holds."""
    event = client.post("/gradio_api/call/v2/ask", json={"question": "who is niu jun"}).json()["event_id"]
    found = client.get(f"/gradio_api/call/ask/{event}").text
    (answer,) = json.loads(found.strip().rpartition("event: complete\ndata: ")[2])
    return {"index": answer["index"], "answer": answer["answer"]}


def fuzz(server, names: dict[str, Any], examples: int) -> None:
    quietly = settings(
        max_examples=examples, derandomize=True, database=None, deadline=None,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    with httpx.Client(base_url=server.url, timeout=SECONDS) as client:
        for operation in operations(names):
            for mode in GenerationMode:

                @quietly
                @given(case=operation.as_strategy(generation_mode=mode))
                def one(case):
                    whole = isinstance(case.body, bytes)
                    send(client, case.path, case.body if whole else json.dumps(case.body).encode())

                one()
            for text in HELD:
                send(client, operation.path, text.encode())

        @quietly
        @given(event=st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1, max_size=40))
        def events(event):
            sound(client.get(f"/gradio_api/call/ask/{event}"))

        events()


def test_what_programs_may_send_and_what_not(open_server):
    with httpx.Client(base_url=open_server.url, timeout=SECONDS) as client:
        before = state(client)
        fuzz(open_server, {name: ENDPOINTS[name] for name in ("ask", "search", "verify", "verify_quote")}, 3)
        assert state(client) == before
        assert client.get("/healthz").json() == {"status": "ready"}
    assert open_server.process.poll() is None


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_at_length_and_what_may_change_the_index(start, index, tmp_path):
    shutil.copytree(index, tmp_path / "index")
    server = start("--mcp", "--index", str(tmp_path / "index"))
    fuzz(server, ENDPOINTS | WRITING, 25)
    with httpx.Client(base_url=server.url, timeout=SECONDS) as client:
        assert client.get("/healthz").json() == {"status": "ready"}
    assert server.process.poll() is None
    assert {path.name for path in tmp_path.iterdir()} == {"index"}, "nothing is written beside the index"
