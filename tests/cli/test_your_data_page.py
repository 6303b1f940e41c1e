"""docs/your-data.md: its examples make files, and what it says about them is what the command prints."""

import re
import shlex
from pathlib import Path

import pytest

from tests.support.command_line import invoke

PAGE = (Path(__file__).parents[2] / "docs" / "your-data.md").read_text(encoding="utf-8")
EXAMPLES = ("One series", "Many series", "Gaps and odd times", "Inputs from outside")
BLOCK = re.compile(r"```(python|sh|text)\n(.*?)```", re.DOTALL)


def section(title: str) -> str:
    """Return the text of a section of the page."""
    return PAGE.split(f"\n## {title}\n")[1].split("\n## ")[0]


def test_the_examples_do_and_print_what_the_page_says(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    output, commands, checked = "", 0, 0
    for title in EXAMPLES:
        for kind, content in BLOCK.findall(section(title)):
            if kind == "python":
                exec(compile(content, "your-data.md", "exec"), names)
            elif kind == "sh":
                (line,) = content.strip().splitlines()
                program, *args = shlex.split(line)
                assert program == "sweep" and "--dry-run" in args
                done = invoke(*args)
                output, commands = " ".join((done.stdout + done.stderr).split()), commands + 1
            else:
                for line in content.strip().splitlines():
                    assert " ".join(line.split()) in output, line
                    checked += 1
    assert commands == 7 and checked >= 19


@pytest.mark.parametrize("words", ["never scored", "irregular times"])
def test_the_control_a_line_that_is_not_printed_is_found(words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.csv").write_text("y\n" + "\n".join(str(n % 7) for n in range(300)) + "\n")
    done = invoke("run", "a.csv", "--dry-run")
    assert words not in done.stdout + done.stderr and "data: a: 300 rows" in " ".join(done.stdout.split())
