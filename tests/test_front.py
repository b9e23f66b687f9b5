"""The page in the HTML that Gradio serves, without Gradio."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from qa_ui.front import SCRIPTS, Front, assets, inert, styles

HTML = "<html><head></head><body><gradio-app></gradio-app></body></html>"


def answered(
    path: str = "/", method: str = "GET", status: int = 200, parts: tuple[str, ...] = (HTML,)
) -> tuple[int, dict[bytes, bytes], str]:
    """What comes out of the front for what Gradio says."""

    async def gradio(scope: Any, receive: Any, send: Any) -> None:
        length = str(sum(map(len, parts))).encode()
        await send(
            {"type": "http.response.start", "status": status, "headers": [(b"Content-Length", length)]}
        )
        for n, part in enumerate(parts, 1):
            await send({"type": "http.response.body", "body": part.encode(), "more_body": n < len(parts)})

    sent: list[dict[str, Any]] = []

    async def send(message: Any) -> None:
        sent.append(dict(message))

    front = Front(gradio, lambda: "<p>Gänse</p>")
    asyncio.run(front({"type": "http", "path": path, "method": method}, None, send))  # type: ignore[arg-type]
    body = b"".join(message.get("body", b"") for message in sent[1:])
    return (
        sent[0]["status"],
        {name.lower(): value for name, value in sent[0]["headers"]},
        body.decode(),
    )


@pytest.mark.parametrize("parts", [(HTML,), (HTML[:9], HTML[9:30], HTML[30:])])
def test_the_page_stands_before_gradio(parts: tuple[str, ...]) -> None:
    status, headers, body = answered(parts=parts)
    assert status == 200
    assert body == HTML.replace("</head>", styles() + "</head>").replace(
        "<gradio-app>", "<p>Gänse</p><gradio-app>"
    )
    assert headers[b"content-length"] == str(len(body.encode())).encode()


@pytest.mark.parametrize(
    ("path", "method", "status"), [("/config", "GET", 200), ("/", "HEAD", 200), ("/", "GET", 503)]
)
def test_everything_else_is_left_as_it_is(path: str, method: str, status: int) -> None:
    assert answered(path, method, status)[::2] == (status, HTML)


def test_settings_cannot_end_their_element() -> None:
    data = {"words": "</script><!-- <b>"}
    assert "<" not in inert(data)
    assert json.loads(inert(data)) == data


def test_the_scripts_and_styles_cannot_end_their_element() -> None:
    scripts = assets("js", SCRIPTS).casefold()
    assert not any(end in scripts for end in ("</script", "<script", "<!--"))
    assert styles().count("</") == 1
