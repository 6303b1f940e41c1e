"""A browser for pages: the system's Chromium, else that of playwright. Skipped without one, but on CI."""

import os
import re
from pathlib import Path

import pytest

CHROMIUM = Path("/usr/bin/chromium")
ARGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
BEYOND = """() => Array.from(document.querySelectorAll("main *")).filter((node) =>
  node.getClientRects().length && node.getBoundingClientRect().right > innerWidth + 1).length"""


@pytest.fixture(scope="module")
def browser():
    """Return a browser."""
    from playwright.sync_api import Error, sync_playwright

    with sync_playwright() as playwright:
        path = str(CHROMIUM) if CHROMIUM.exists() else None
        try:
            browser = playwright.chromium.launch(executable_path=path, args=ARGS)
        except Error:
            if path or os.environ.get("CI"):
                raise
            pytest.skip("no Chromium")
        yield browser
        browser.close()


def fits_phones_and_screens(browser, page):
    """Fail unless a page without requests fits 390 and 1200 px, and its colours follow the scheme.

    Args:
        browser: open.
        page: path of the file.
    """
    for width in (390, 1200):
        for scheme in ("light", "dark"):
            tab = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
            problems = []
            tab.on("console", lambda message, problems=problems: problems.append(message.text))
            tab.on(
                "request",
                lambda asked, problems=problems: (
                    asked.url.startswith(("file://", "data:")) or problems.append(asked.url)
                ),
            )
            tab.goto(page.as_uri())
            assert tab.evaluate("document.documentElement.scrollWidth") <= width
            assert tab.evaluate(BEYOND) == 0
            assert tab.eval_on_selector_all("img", "all => all.every((one) => one.naturalWidth > 0)")
            colors = [
                tab.evaluate(f"getComputedStyle(document.body).{name}")
                for name in ("backgroundColor", "color")
            ]
            paper, ink = (sum(map(int, re.findall(r"\d+", color)[:3])) / 3 for color in colors)
            assert (paper > ink + 120) if scheme == "light" else (ink > paper + 120)
            assert problems == []
            tab.close()
