"""docs/fit.md: its example runs, and prints what the page says."""

import pytest

from tests.support.documentation import DOCS
from tests.support.examples import play

PAGE = (DOCS / "fit.md").read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_example_does_and_prints_what_the_page_says(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SWEEP_EXECUTOR", "inline")
    assert play(PAGE.split("\n## An example\n")[1], "fit.md", stderr=True) == ([0, 2, 0, 0, 0], 6)
