"""docs/doctor.md: its examples run, and print what the page says; the page of an examination in a browser."""

import numpy as np

import sweep
from tests.support.browser import browser, fits_phones_and_screens
from tests.support.documentation import DOCS
from tests.support.examples import BLOCK, play

__all__ = ["browser"]
PAGE = (DOCS / "doctor.md").read_text(encoding="utf-8")


def test_the_examples_do_and_print_what_the_page_says(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    first = next(content for kind, content in BLOCK.findall(PAGE) if kind == "python")
    exec(compile(first, "doctor.md", "exec"), {})
    assert (tmp_path / "doctor.png").read_bytes().startswith(b"\x89PNG")
    (tmp_path / "doctor.png").unlink()
    assert play(PAGE.split("\n## An example\n")[1], "doctor.md") == ([0], 6)
    assert (tmp_path / "doctor.png").read_bytes().startswith(b"\x89PNG")
    assert "<title>sweep doctor</title>" in (tmp_path / "doctor.html").read_text()


def test_the_page_fits_phones_and_screens_in_light_and_dark(tmp_path, browser):
    wave = np.sin(np.arange(120) / 4)[None, :, None] * np.ones((2, 1, 2))
    names = ["a-channel-with-a-name-that-is-longer-than-a-phone-is-wide-and-<b>bold</b>", "x"]
    found = sweep.doctor(
        wave[:, 90:] / 2, wave[:, 90:], wave[:, :90], channels=names, series=["north", "south"]
    )
    (tmp_path / "doctor.html").write_text(found.page())
    fits_phones_and_screens(browser, tmp_path / "doctor.html")
