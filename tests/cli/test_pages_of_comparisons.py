"""docs/compare.md and docs/reproduce.md: their examples run, and print what the pages say."""

import pytest

from tests.support.documentation import DOCS
from tests.support.examples import play


@pytest.mark.slow
@pytest.mark.parametrize(("page", "lines"), [("compare.md", 5), ("reproduce.md", 2)])
def test_the_example_does_and_prints_what_the_page_says(page, lines, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SWEEP_EXECUTOR", "inline")
    text = (DOCS / page).read_text(encoding="utf-8").split("\n## An example\n")[1]
    codes, checked = play(text, page)
    assert set(codes) == {0} and checked == lines
