"""docs/compare.md and docs/reproduce.md: their examples run, and print what the pages say."""

import re
import shlex
from pathlib import Path

import pytest

from tests.support.command_line import invoke

DOCS = Path(__file__).parents[2] / "docs"
BLOCK = re.compile(r"```(sh|text)\n(.*?)```", re.DOTALL)


@pytest.mark.slow
@pytest.mark.parametrize(("page", "lines"), [("compare.md", 5), ("reproduce.md", 2)])
def test_the_example_does_and_prints_what_the_page_says(page, lines, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SWEEP_EXECUTOR", "inline")
    output, checked = "", 0
    for kind, content in BLOCK.findall(
        (DOCS / page).read_text(encoding="utf-8").split("\n## An example\n")[1]
    ):
        if kind == "sh":
            program, *args = shlex.split(content)
            assert program == "sweep"
            done = invoke(*args)
            assert done.exit_code == 0, done.stderr
            output = " ".join(done.stdout.split())
        else:
            for line in content.strip().splitlines():
                assert " ".join(line.split()) in output
                checked += 1
    assert checked == lines
