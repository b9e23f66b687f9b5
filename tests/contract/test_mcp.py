"""The tools, by the protocol's own client over its transport."""

from __future__ import annotations

import asyncio
import json
import traceback
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from mcp import ClientSession
from mcp.client.streamable_http import streamable_http_client

REF = "001_34707f324662fe23-7752956a@27c04ac46719#2866-2883"


@asynccontextmanager
async def session(server, headers=None):
    import httpx

    async with (
        httpx.AsyncClient(headers=headers, timeout=60) as client,
        streamable_http_client(f"{server.url}/mcp", http_client=client) as (read, write, _),
        ClientSession(read, write, read_timeout_seconds=timedelta(seconds=60)) as opened,
    ):
        await opened.initialize()
        yield opened


def call(server, tool, given, headers=None):
    """What a tool answered, checked: the text is the same JSON as the structure."""

    async def run():
        async with session(server, headers) as opened:
            return await opened.call_tool(tool, given)

    result = asyncio.run(run())
    if not result.isError:
        (text,) = result.content
        assert json.loads(text.text) == result.structuredContent
    return result


def test_the_tools_and_what_is_said_of_them(open_server):
    async def run():
        async with session(open_server) as opened:
            return (await opened.list_tools()).tools

    tools = {tool.name: tool for tool in asyncio.run(run())}
    assert list(tools) == ["ask", "search", "list_articles", "verify_quote"]
    for tool in tools.values():
        assert len(tool.description) > 50
        assert tool.annotations.readOnlyHint
        assert tool.outputSchema["type"] == "object"
        for parameter in tool.inputSchema["properties"].values():
            assert parameter["description"]
            assert parameter["examples"]
    assert tools["ask"].inputSchema["required"] == ["question"]
    assert tools["verify_quote"].inputSchema["required"] == ["quote"]


def test_an_answer_cites(open_server, pipeline):
    found = call(open_server, "ask", {"question": "where does niu jun work"}).structuredContent
    own = pipeline.ask("where does niu jun work").to_json()
    assert found["citations"] == own["citations"]
    assert found["citations"][0]["ref"] == REF
    assert call(open_server, "ask", {"question": "who won the world cup"}).structuredContent["abstained"]


def test_the_other_tools(open_server, pipeline):
    rows = call(open_server, "search", {"query": "niu jun", "top_k": 2}).structuredContent["result"]
    assert rows == pipeline.search("niu jun", 2)
    listed = call(open_server, "list_articles", {}).structuredContent["result"]
    assert [row["article"] for row in listed] == [info.article for info in pipeline.articles()]
    quote = "Niu Jun, an expert at Harvard University"
    check = call(open_server, "verify_quote", {"quote": quote}).structuredContent
    assert check == pipeline.verify_quote(quote).to_json()
    assert [(c["claimed"], c["article"]) for c in check["places"][0]["diff"] if c["op"] == "replace"] == [
        ("Harvard", "peking")
    ]


@pytest.mark.parametrize(
    ("tool", "given", "words"),
    [
        ("ask", {"question": " "}, "the question is empty; ask something"),
        (
            "ask",
            {"question": "x", "articles": ["nope"]},
            "no article matches 'nope'; see the list of articles",
        ),
        ("ask", {}, "'question' is a required property"),
        ("ask", {"question": "x", "sudo": True}, "'sudo' was unexpected"),
        ("verify_quote", {"quote": 7}, "7 is not of type 'string'"),
        ("rm", {}, "no tool 'rm'; there are ask, search, list_articles, verify_quote"),
    ],
)
def test_an_error_is_one_line_to_act_on(open_server, tool, given, words):
    result = call(open_server, tool, given)
    assert result.isError
    assert words in result.content[0].text
    assert "\n" not in result.content[0].text


def test_with_a_token_and_not_without(closed_server):
    bearer = {"Authorization": f"Bearer {closed_server.token}"}
    found = call(closed_server, "ask", {"question": "where does niu jun work"}, bearer)
    assert found.structuredContent["answer"] == "peking university"
    with pytest.raises(Exception) as caught:  # noqa: PT011  (a group of groups; whatever it is, it tells of 401)
        call(closed_server, "ask", {"question": "where does niu jun work"})
    assert "401 Unauthorized" in "".join(traceback.format_exception(caught.value))
