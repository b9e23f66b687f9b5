"""Serve the page, its endpoints and tools: ``python ui.py [--index DIR] [--host ADDRESS] [--port N] [--mcp] ...``."""

from __future__ import annotations

import argparse
import errno
import socket
import sys
from typing import TYPE_CHECKING

from qa.types import QAError
from qa_ui import server_words, words  # qa_ui keeps Gradio and the hub offline; it comes before them

if TYPE_CHECKING:
    from qa.pipeline import Pipeline
    from qa_ui.serve import Settings

DEFAULT_PORT = 7860
LOOPBACK = ("127.0.0.1", "localhost", "::1")


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 65536):
        raise argparse.ArgumentTypeError(server_words.bad_port(text))
    return int(text)


def _rate(text: str) -> float:
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 1_000_000):
        raise argparse.ArgumentTypeError(server_words.bad_rate(text))
    return float(text)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="ui.py", description=server_words.ABOUT)
    parser.add_argument("--index", default="index", metavar="DIR", help=server_words.HELP_INDEX)
    parser.add_argument("--host", default=LOOPBACK[0], metavar="ADDRESS", help=server_words.HELP_HOST)
    parser.add_argument("--port", type=_port, metavar="N", help=server_words.HELP_PORT)
    parser.add_argument("--mcp", action="store_true", help=server_words.HELP_MCP)
    parser.add_argument("--auth", metavar="FILE", help=server_words.HELP_AUTH)
    parser.add_argument("--token", metavar="FILE", help=server_words.HELP_TOKEN)
    parser.add_argument("--proxy", metavar="ADDRESS", help=server_words.HELP_PROXY)
    parser.add_argument("--rate", type=_rate, metavar="N", help=server_words.HELP_RATE)
    parser.add_argument("--writable", action="store_true", help=server_words.HELP_WRITABLE)
    return parser


def free_port(host: str, asked: int | None) -> int:
    """The port asked for, or the first free one from the default on.

    :raises OSError: if the port asked for is taken, or ``host`` is no address of this machine; one line.
    """
    for port in [asked] if asked else range(DEFAULT_PORT, DEFAULT_PORT + 100):
        try:
            family, kind, proto, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
            with socket.socket(family, kind, proto) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(address)
        except OSError as error:
            if error.errno == errno.EADDRINUSE and not asked:
                continue
            if error.errno in (errno.EADDRINUSE, errno.EACCES):
                raise OSError(server_words.port_taken(port)) from error
            raise OSError(server_words.bad_host(host)) from error
        return port
    raise OSError(server_words.port_taken(DEFAULT_PORT))


def _settings(args: argparse.Namespace, port: int) -> Settings:
    """How to serve.

    :raises QAError: if a file of credentials cannot be used.
    """
    from qa_ui.access import Credentials
    from qa_ui.serve import Settings

    files = [file for file in (args.auth, args.token) if file]
    return Settings(
        host=args.host, port=port, index=args.index, mcp=args.mcp, proxy=args.proxy, rate=args.rate,
        credentials=Credentials(*files) if files else None, writable=args.writable or None,
    )  # fmt: skip


def _serve(pipeline: Pipeline, settings: Settings) -> None:
    """Serve until interrupted."""
    from qa_ui.serve import Server, application

    info = pipeline.info()
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    url = f"http://{host}:{settings.port}/"

    def say() -> None:
        print(server_words.serving(url, words.counts(info["articles"], info["passages"])), flush=True)
        if settings.mcp:
            print(server_words.tools_at(url), flush=True)

    Server(application(pipeline, settings), settings, say).run()


def main(argv: list[str] | None = None) -> int:
    """Open the index and serve its page; 0 when interrupted, 1 with one line on stderr when it cannot."""
    parser = _parser()
    args = parser.parse_args(argv)
    alone = args.host in LOOPBACK and args.proxy is None
    if args.writable and not alone and not (args.auth or args.token):
        parser.error(server_words.writable_to_all())
    try:
        port = free_port(args.host, args.port)
        if args.port is None and port != DEFAULT_PORT:
            print(server_words.port_moved(DEFAULT_PORT, port), file=sys.stderr)
        if not alone and not (args.auth or args.token):
            print(server_words.exposed(args.host), file=sys.stderr)
        settings = _settings(args, port)
        print(server_words.opening(args.index), file=sys.stderr, flush=True)
        from qa.pipeline import open_index  # after the arguments: it loads the models' libraries

        with open_index(args.index) as pipeline:
            _serve(pipeline, settings)
    except (QAError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        pass
    return 0


if __name__ == "__main__":
    sys.exit(main())
