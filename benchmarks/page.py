"""How soon the page is usable: ``python -m benchmarks.page [--times 5] [--index DIR]``; wants Debian's chromium.

Starts ``ui.py``, waits until ``/healthz`` says that it is ready, and opens the page in fresh contexts of one browser:
nothing is cached. Seconds from the start of the navigation until the page takes a question, until Gradio's scripts
have connected it, and until a question typed at once has its answer and its evidence. Then, once the page is there,
seconds from Enter until other questions have their answer and their evidence. The best of all, since other work on
the machine only adds; and its load, to judge that.
"""

from __future__ import annotations

import argparse
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

from qa.articles import find_files, read_file
from qa.pipeline import open_index

ROOT = Path(__file__).resolve().parent.parent
QUESTION = "who is nikki haley"
MORE = ("where does niu jun work", "how much of north korea s trade is with china")
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")


def serve(index: str) -> tuple[subprocess.Popen[bytes], str, float]:
    """Start the page; the process, its address, and the seconds until it was ready."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    started = time.perf_counter()
    command = [sys.executable, "ui.py", "--index", index, "--port", str(port)]
    server = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}/"
    while server.poll() is None:
        try:
            urllib.request.urlopen(f"{url}healthz", timeout=5).close()
        except OSError:
            time.sleep(0.05)
        else:
            return server, url, time.perf_counter() - started
    sys.exit(f"error: ui.py --index {index} did not start; run it to see why")


def ask(page: Any, question: str) -> float:
    """Seconds from Enter until a question has its answer, and the article pane its place."""
    page.fill("#box", question)
    before = page.locator("#evidence").inner_html()
    started = time.perf_counter()
    page.keyboard.press("Enter")
    page.wait_for_function(
        """before => { const evidence = document.querySelector('#evidence');
        return evidence.querySelector('mark') && evidence.innerHTML !== before; }""",
        arg=before,
        polling=10,
    )
    return time.perf_counter() - started


def visit(browser: Any, url: str) -> dict[str, float]:
    """One visit with nothing cached."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    found = {}
    started = time.perf_counter()
    page.goto(url, wait_until="commit")
    page.wait_for_function("document.activeElement?.id === 'box'", polling=20)
    found["takes a question"] = time.perf_counter() - started
    page.keyboard.insert_text(QUESTION)
    page.keyboard.press("Enter")
    page.wait_for_selector("footer", state="attached")
    found["connected"] = time.perf_counter() - started
    page.wait_for_selector("#thread .quote")
    page.wait_for_selector("#evidence mark")
    found["answered"] = time.perf_counter() - started
    for number, question in enumerate(MORE, 2):
        found[f"question {number}"] = ask(page, question)
    context.close()
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--index", help="an index to serve; without it, one of the seeds")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        index = options.index or f"{folder}/index"
        if not options.index:
            with open_index(index, create=True) as pipeline:
                pipeline.add([read_file(f.path, source=f.source) for f in find_files([ROOT / "seeds"])])
        server, url, ready = serve(index)
        try:
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
                visits = [visit(browser, url) for _ in range(options.times)]
                browser.close()
        finally:
            server.terminate()
            server.wait(30)
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores; ui.py ready after {ready:.1f} s")
    for name in visits[0]:
        seconds = sorted(visit[name] for visit in visits)
        print(f"  {name:17} best {seconds[0]:.2f} s, median {seconds[len(seconds) // 2]:.2f} s")


if __name__ == "__main__":
    main()
