"""docs/fit.md: its example runs, and prints what the page says."""

import re
import shlex
from pathlib import Path

import pytest

from tests.support.command_line import invoke

PAGE = (Path(__file__).parents[2] / "docs" / "fit.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"```(python|sh|text)\n(.*?)```", re.DOTALL)


@pytest.mark.slow
def test_the_example_does_and_prints_what_the_page_says(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SWEEP_EXECUTOR", "inline")
    output, codes, checked = "", [], 0
    for kind, content in BLOCK.findall(PAGE.split("\n## An example\n")[1]):
        if kind == "python":
            exec(compile(content, "fit.md", "exec"), {})
        elif kind == "sh":
            (line,) = content.strip().splitlines()
            program, *args = shlex.split(line)
            assert program == "sweep"
            done = invoke(*args)
            output = " ".join((done.stdout + done.stderr).split())
            codes.append(done.exit_code)
        else:
            for line in content.strip().splitlines():
                assert line in output
                checked += 1
    assert codes == [0, 2, 0, 0, 0] and checked == 6
