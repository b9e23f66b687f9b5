"""Serve the page: ``python ui.py [--index DIR] [--host ADDRESS] [--port N]``."""

from __future__ import annotations

import argparse
import errno
import os
import socket
import sys
import threading
from typing import TYPE_CHECKING

from qa.types import QAError
from qa_ui import words  # qa_ui keeps Gradio and the hub offline; it comes before them

if TYPE_CHECKING:
    from qa.pipeline import Pipeline

DEFAULT_PORT = 7860
LOOPBACK = ("127.0.0.1", "localhost", "::1")


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 65536):
        raise argparse.ArgumentTypeError(words.bad_port(text))
    return int(text)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="ui.py", description=words.ABOUT)
    parser.add_argument("--index", default="index", metavar="DIR", help=words.HELP_INDEX)
    parser.add_argument("--host", default=LOOPBACK[0], metavar="ADDRESS", help=words.HELP_HOST)
    parser.add_argument("--port", type=_port, metavar="N", help=words.HELP_PORT)
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
                raise OSError(words.port_taken(port)) from error
            raise OSError(words.bad_host(host)) from error
        return port
    raise OSError(words.port_taken(DEFAULT_PORT))


def _serve(pipeline: Pipeline, index: str, host: str, port: int) -> None:
    """Serve until interrupted."""
    from qa_ui.app import build, launch_options

    # Gradio fetches its own page once at the start; no proxy may stand in between.
    for name in ("NO_PROXY", "no_proxy"):
        os.environ[name] = ",".join(filter(None, [os.environ.get(name), *LOOPBACK]))
    app = build(pipeline, index)
    _, url, _ = app.launch(server_name=host, server_port=port, prevent_thread_lock=True, **launch_options())
    info = pipeline.info()
    print(words.serving(url, words.counts(info["articles"], info["passages"])), flush=True)
    try:
        threading.Event().wait()
    finally:
        app.close(verbose=False)


def main(argv: list[str] | None = None) -> int:
    """Open the index and serve its page; 0 when interrupted, 1 with one line on stderr when it cannot."""
    args = _parser().parse_args(argv)
    try:
        port = free_port(args.host, args.port)
        if args.port is None and port != DEFAULT_PORT:
            print(words.port_moved(DEFAULT_PORT, port), file=sys.stderr)
        if args.host not in LOOPBACK:
            print(words.exposed(args.host), file=sys.stderr)
        print(words.opening(args.index), file=sys.stderr, flush=True)
        from qa.pipeline import open_index  # after the arguments: it loads the models' libraries

        with open_index(args.index) as pipeline:
            _serve(pipeline, args.index, args.host, port)
    except (QAError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        pass
    return 0


if __name__ == "__main__":
    sys.exit(main())
