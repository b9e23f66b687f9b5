"""What programs may change, where they may; and that batches and uploads are held to their limits."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import jsonschema
import pytest

from qa_ui.schema import ENDPOINTS, WRITING

MILL = "The old mill on the river was built by Anna Petrova in 1732."


@pytest.fixture
def client(open_server):
    from gradio_client import Client

    return Client(open_server.url, verbose=False)


def refused(client, **call):
    from gradio_client.exceptions import AppError

    with pytest.raises(AppError) as caught:
        client.predict(**call)
    return str(caught.value)


def test_a_program_adds_changes_and_removes_an_article(client):
    def add(text, **more):
        found = client.predict(text, "The mill", api_name="/add_article", **more)
        jsonschema.validate(found, WRITING["add_article"][1])
        return found

    try:
        added = add(MILL, date="2017-07-05")
        assert (added["state"], added["title"], added["source"]) == ("added", "The mill", "pasted/The mill")
        assert (added["date"], added["characters"], added["passages"]) == ("2017-07-05", len(MILL), 1)
        answer = client.predict("who built the old mill", api_name="/ask")
        assert (answer["answer"], answer["citations"][0]["article"]) == ("Anna Petrova", added["article"])
        assert add(MILL, date="2017-07-05")["state"] == "unchanged"
        newer = add(MILL.replace("1732", "1745"))
        assert (newer["state"], newer["article"]) == ("updated", added["article"])
        assert newer["version"] != added["version"]
        told = refused(client, text=MILL.replace("1732", "1745"), title="Again", api_name="/add_article")
        assert told == "pasted/Again is here already, word for word, as pasted/The mill"
        ref = answer["citations"][0]["ref"]
        assert client.predict(ref, api_name="/verify")["state"] != "gone"
    finally:
        gone = client.predict(added["article"], True, api_name="/remove_article")
    jsonschema.validate(gone, WRITING["remove_article"][1])
    assert gone == {"article": added["article"], "forgotten": True}
    assert client.predict(ref, api_name="/verify")["state"] == "gone"
    assert added["article"] not in [row["article"] for row in client.predict(api_name="/articles")]


def test_what_cannot_be_added_or_removed_is_said_in_one_line(client):
    assert (
        refused(client, text=" ", title="x", api_name="/add_article") == "pasted/x is empty; nothing to index"
    )
    told = refused(client, text="a word", title="x", date="soon", api_name="/add_article")
    assert told == "pasted/x has a date that is none: 'soon'; one looks like 2024-05-31"
    assert refused(client, text=5, title="x", api_name="/add_article") == "text must be a text"
    assert refused(client, article="nope", api_name="/remove_article") == "no article 'nope' in the index"
    assert refused(client, article="x", forget=1, api_name="/remove_article").startswith("article must be")


def test_where_nothing_may_be_changed_there_are_no_such_endpoints(closed_server):
    headers = {"Authorization": f"Bearer {closed_server.token}"}
    with httpx.Client(base_url=closed_server.url, headers=headers, timeout=60) as client:
        offered = client.get("/gradio_api/info").json()["named_endpoints"].keys()
        assert offered == {f"/{name}" for name in ENDPOINTS} | {"/chat"}
        for name in WRITING:
            for way in ("call", "call/v2", "run"):
                found = client.post(f"/gradio_api/{way}/{name}", json={"data": ["x", "y", None, None]})
                assert found.status_code >= 400, (way, name)
                assert set(found.json()) == {"detail"}


def test_each_question_of_a_batch_counts(start):
    server = start("--rate", "2")  # so low that no machine is slow enough to matter
    with httpx.Client(base_url=server.url, timeout=120) as client:
        given = {"data": [["who is niu jun", *[" "] * 39], None, 5, None]}
        event = client.post("/gradio_api/call/ask_batch", json=given).json()["event_id"]
        found = client.get(f"/gradio_api/call/ask_batch/{event}").text
        (answers,) = json.loads(found.strip().rpartition("event: complete\ndata: ")[2])
        assert len(answers) == 40
        again = client.post("/gradio_api/call/ask_batch", json=given)
        assert again.status_code == 429
        assert 60 < int(again.headers["retry-after"]) <= 20 * 60 + 1
        assert client.get("/gradio_api/info").status_code == 200, "what costs nearly nothing goes on"


def test_uploads_are_looked_at_before_they_are_kept(open_server):
    with httpx.Client(base_url=open_server.url, timeout=60) as client:

        def upload(name, content):
            return client.post("/gradio_api/upload", files={"files": (name, content)})

        (path,) = upload("a.txt", b"The mill.").json()
        assert Path(path).read_bytes() == b"The mill."
        for name in ("a.exe", "a.py", "../../x", "a"):
            found = upload(name, b"MZ")
            assert (found.status_code, set(found.json())) == (415, {"detail"}), name
        found = upload("a.txt", b"x" * 50_000_001)
        assert (found.status_code, found.json()) == (413, {"detail": "more was sent than is taken"})
        assert not list(Path(path).parents[1].glob("tmp*")), (
            "what was refused in the middle is not left there"
        )
        json_only = client.post("/gradio_api/upload", json={"files": ["x"]})
        assert json_only.status_code == 415
