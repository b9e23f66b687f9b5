"""The endpoints: their schema as committed, their answers the pipeline's own, from each language the README shows."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import pytest

from qa_ui.schema import ENDPOINTS, WRITING

SCHEMA = Path(__file__).with_name("api.json")
README = (Path(__file__).parents[2] / "README.md").read_text("utf-8")
REF = "001_34707f324662fe23-7752956a@27c04ac46719#2866-2883"


def described(server) -> dict[str, Any]:
    """What /info says of the endpoints for programs, without Gradio's own examples, which name the port."""
    info = httpx.get(f"{server.url}/gradio_api/info", timeout=60).json()["named_endpoints"]
    for about in info.values():
        about.pop("code_snippets", None)
    return {name: about for name, about in info.items() if name != "/chat"}


def test_names_parameters_and_results_are_those_committed(open_server):
    """Programs depend on them. On purpose? UPDATE_SCHEMA=1 writes the new ones, for CHANGELOG.md to tell of."""
    found = described(open_server)
    if os.environ.get("UPDATE_SCHEMA"):
        SCHEMA.write_text(json.dumps(found, indent=1, ensure_ascii=False, sort_keys=True) + "\n", "utf-8")
    assert found == json.loads(SCHEMA.read_text("utf-8"))


def test_every_parameter_and_field_has_a_description_and_an_example():
    def fields(schema, name):
        assert schema.get("description"), name
        kinds = schema.get("anyOf", [schema])
        for kind in kinds:
            for key, inner in kind.get("properties", {}).items():
                yield from fields(inner, f"{name}.{key}")
            if "items" in kind and "properties" in kind["items"]:
                yield from fields(kind["items"], f"{name}[]")
        if not any("properties" in kind or "properties" in kind.get("items", {}) for kind in kinds):
            yield name, schema

    for endpoint, (parameters, result) in (ENDPOINTS | WRITING).items():
        if endpoint == "ask_batch":
            result = result["items"]["anyOf"][1]
        for name, schema in [*parameters.items(), ("result", result)]:
            for field, leaf in fields(schema, f"{endpoint}.{name}"):
                example = leaf.get("examples") or leaf.get("items", {}).get("examples")
                assert example, field
                if leaf.get("examples"):
                    jsonschema.validate(leaf["examples"][0], leaf)


def test_view_api_reads_well(open_server, capsys):
    from gradio_client import Client

    Client(open_server.url, verbose=False).view_api()
    shown = capsys.readouterr().out
    assert 'predict(question, history, articles, top_k, min_confidence, api_name="/ask")' in shown
    for words in ("the question, in words; read up to 2000 characters", "decline below this probability",
                  "the quote, to the character", "names this place for ever; verify takes it"):  # fmt: skip
        assert words in shown


def test_results_are_the_pipelines_own_and_as_the_schema_says(open_server, pipeline):
    from gradio_client import Client

    client = Client(open_server.url, verbose=False)
    answer = client.predict("where does niu jun work", api_name="/ask")
    own = pipeline.ask("where does niu jun work").to_json()
    assert {**answer, "timings_ms": {}, "index": {}} == {**own, "timings_ms": {}, "index": {}}
    declined = client.predict("who won the world cup", api_name="/ask")
    assert declined["abstained"]
    results = {
        "ask": answer,
        "ask_batch": client.predict(
            ["where does niu jun work", " ", "who won the world cup"], api_name="/ask_batch"
        ),
        "search": client.predict("niu jun", 3, api_name="/search"),
        "articles": client.predict(api_name="/articles"),
        "verify": client.predict(REF, api_name="/verify"),
        "verify_quote": client.predict("Niu Jun, an expert at Harvard University", api_name="/verify_quote"),
    }
    for name, result in [*results.items(), ("ask", declined)]:
        jsonschema.validate(result, ENDPOINTS[name][1])
    first, second, third = results["ask_batch"]
    assert first["citations"] == answer["citations"]
    assert second == {"schema": 1, "question": " ", "error": "the question is empty; ask something"}
    assert third["reason"] == declined["reason"]
    assert results["search"] == pipeline.search("niu jun", 3)
    assert [row["article"] for row in results["articles"]] == [info.article for info in pipeline.articles()]
    assert results["verify"] == pipeline.verify(REF).to_json()
    assert (
        results["verify_quote"] == pipeline.verify_quote("Niu Jun, an expert at Harvard University").to_json()
    )


@pytest.mark.parametrize(
    ("endpoint", "given", "words"),
    [
        ("/ask", {"question": " "}, "the question is empty; ask something"),
        ("/ask", {"question": "x", "top_k": 0}, "top_k must be a whole number from 1 to 50, not 0"),
        (
            "/ask",
            {"question": "x", "articles": ["nope"]},
            "no article matches 'nope'; see the list of articles",
        ),
        ("/ask_batch", {"questions": []}, "questions must be a list of 1 to 100"),
        ("/ask_batch", {"questions": ["x"] * 101}, "questions must be a list of 1 to 100"),
        ("/verify", {"ref": "x"}, "not a reference: 'x'; one looks like article@0123456789ab#10-20"),
        (
            "/verify_quote",
            {"quote": "?"},
            "the quote holds no word; give the words an article is said to contain",
        ),
    ],
)
def test_an_error_is_one_line_to_act_on(open_server, endpoint, given, words):
    from gradio_client import Client
    from gradio_client.exceptions import AppError

    with pytest.raises(AppError) as caught:
        Client(open_server.url, verbose=False).predict(**given, api_name=endpoint)
    assert str(caught.value) == words


# ---- the README's examples


def example(language: str) -> str:
    section = README.split("\n## From a program\n")[1].split("\n## ")[0]
    (block,) = re.findall(rf"^```{language}\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
    return block


def in_place(block: str, server) -> str:
    assert "http://127.0.0.1:7860" in block
    return block.replace("http://127.0.0.1:7860", server.url)


def needs(program: str) -> str:
    path = shutil.which(program)
    if path is None:
        say = f"no {program} on this machine: apt-get install {'nodejs' if program == 'node' else program}"
        if os.environ.get("CI") == "true":
            pytest.fail(say)
        pytest.skip(say)
    return path


def test_the_python_example(open_server, capsys):
    exec(compile(in_place(example("python"), open_server), "README.md", "exec"), {})
    answer, batch, check = capsys.readouterr().out.splitlines()
    assert re.fullmatch(rf"peking university 0\.\d+ {re.escape(REF)}", answer)
    assert batch == "['peking university', 'u n ambassador']"
    assert check == "near"


def test_the_curl_example(open_server):
    needs("curl")
    done = subprocess.run(
        ["bash", "-c", in_place(example("bash"), open_server)],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    event, data = done.stdout.strip().splitlines()
    assert event == "event: complete"
    assert json.loads(data.removeprefix("data: "))[0]["answer"] == "peking university"


def test_the_javascript_example(open_server, tmp_path):
    script = tmp_path / "example.mjs"
    script.write_text(in_place(example("javascript"), open_server), "utf-8")
    done = subprocess.run([needs("node"), script], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == f"peking university {REF}"
