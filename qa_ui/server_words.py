"""What the program that serves the page says: in the terminal, and to programs with an HTTP status."""

from __future__ import annotations

from .words import FAILED


def port_taken(port: int) -> str:
    """Error line: the port the person asked for is in use."""
    return f"port {port} is taken; choose another with --port {port + 1}"


def port_moved(port: int, used: int) -> str:
    """The default port was in use, so the next free one serves."""
    return f"port {port} is taken, so this is on {used}"


def bad_host(host: str) -> str:
    """Error line: the address is not one of this machine."""
    return f"cannot listen on {host}: not an address of this machine; leave --host out for 127.0.0.1"


def bad_port(text: str) -> str:
    """Error line: not a port number."""
    return f"not a port: {text}; a number from 1 to 65535"


def bad_rate(text: str) -> str:
    """Error line: not a rate."""
    return f"not a rate: {text}; a whole number of requests a minute, above 0"


def opening(index: str) -> str:
    """Said while the index and the models load."""
    return f"opening {index} …"


def serving(url: str, counts_: str) -> str:
    """Said once the page is up."""
    return f"{counts_} — open {url} in a browser (Ctrl-C to stop)"


def exposed(host: str) -> str:
    """Warning: the page is open to others."""
    return f"note: {host} lets other machines reach this page, and nobody is asked for a password"


ABOUT = "Ask the articles in a browser."
HELP_INDEX = "the index to ask (default: index)"
HELP_HOST = "address to listen on (default: 127.0.0.1, this machine only)"
HELP_PORT = "port to listen on (default: 7860, or the next free one)"

# What a program is told with an HTTP status.
HTTP_ERRORS = {
    400: "this request makes no sense here",
    401: "a name and password, or a token, is needed",
    403: "this request came by way of another page or name, and is not answered",
    404: "there is nothing at this address",
    405: "this address takes other methods",
    413: "more was sent than is taken",
    415: "only files that hold articles are taken: .txt, .md, .html, .pdf, .docx, .srt, .vtt, .csv, .jsonl, .zip",
    422: "this is not what the endpoint takes; /gradio_api/info describes it",
    429: "too many requests; wait as long as Retry-After says",
    500: FAILED,
    503: "busy: too many questions are waiting; ask again in a few seconds",
}

HELP_AUTH = (
    "ask for a name and password, or a token, of this file; python -m qa_ui.access FILE add NAME makes it"
)
HELP_TOKEN = "the same, of a file with tokens for programs; python -m qa_ui.access FILE token NAME"
HELP_MCP = "also offer the articles to agents as tools (Model Context Protocol), at /mcp"
HELP_PROXY = "address of a reverse proxy in front, whose X-Forwarded-For is believed"
HELP_RATE = "requests a minute of each caller (default: 60; without a limit on this machine alone)"
HELP_WRITABLE = "let others than this machine add and remove articles too; takes --auth or --token"


def writable_to_all() -> str:
    """Usage error: articles would be open to everybody."""
    return "--writable beyond this machine takes --auth or --token: anybody could change the articles"


def tools_at(url: str) -> str:
    """Said once the page is up, with --mcp."""
    return f"tools for agents (MCP): {url}mcp"
