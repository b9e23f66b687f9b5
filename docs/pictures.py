"""Take the README's pictures: ``python docs/pictures.py [ADDRESS]``, with ``python ui.py`` serving the seeds."""

from __future__ import annotations

import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

DOCS = Path(__file__).parent
PICTURES = {
    "answer": "How much of North Korea's trade does China account for?",
    "declined": "Where was Nikki Haley born?",
}


def main(url: str = "http://127.0.0.1:7860") -> None:
    """One picture of an answer with its evidence, one of an honest no."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        for name, question in PICTURES.items():
            page = browser.new_page(viewport={"width": 1280, "height": 720}, device_scale_factor=1.25)
            page.goto(url)
            page.wait_for_selector("#thread .welcome")
            page.fill("#box", question)
            page.press("#box", "Enter")
            page.wait_for_selector("#thread .card")
            page.wait_for_timeout(1000)  # the evidence has glided to its place
            page.screenshot(path=DOCS / f"{name}.png")
            page.close()
        browser.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
