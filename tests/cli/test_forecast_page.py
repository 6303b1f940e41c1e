"""docs/forecast.md: its example runs, and what the page shows is printed but for the figures."""

import re
import shlex
from pathlib import Path

import pytest

from tests.support.command_line import invoke

PAGE = (Path(__file__).parents[2] / "docs" / "forecast.md").read_text(encoding="utf-8")
EXAMPLE = PAGE.split("\n## An example\n")[1].split("\n## ")[0]
BLOCK = re.compile(r"```(python|sh|text)\n(.*?)```", re.DOTALL)
FIGURE = re.compile(r"-?\d+\.\d+(?!\d)")


def masked(text: str) -> str:
    """Return a text in one line, its figures replaced."""
    return FIGURE.sub("#", " ".join(text.split()))


def absent(line: str, output: str) -> list[str]:
    """Return the parts of a line between dots that an output lacks."""
    return [part for part in line.split("...") if masked(part).strip() not in masked(output)]


@pytest.mark.slow
def test_the_example_runs_and_prints_what_the_page_shows(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SWEEP_EXECUTOR", "inline")
    names: dict[str, object] = {}
    output, commands, checked = "", [], 0
    for kind, content in BLOCK.findall(EXAMPLE):
        if kind == "python":
            exec(compile(content, "forecast.md", "exec"), names)
        elif kind == "sh":
            program, *args = shlex.split(content)
            assert program == "sweep"
            done = invoke(*args)
            assert done.exit_code == 0, done.stderr
            output = done.stdout
            commands.append(args[0])
        else:
            for line in content.strip().splitlines():
                assert absent(line, output) == [], output
                checked += 1
    assert commands == ["init", "run", "forecast"] and checked == 9
    assert (tmp_path / "heat.png").read_bytes().startswith(b"\x89PNG")
    frame = names["frame"]
    written = (tmp_path / "heat_forecast.csv").read_text().splitlines()
    assert written[0].split(",") == list(frame.columns) and len(written) == 49
    assert written[-1].startswith(",2024-04-01 23:00:00,48,heat,")  # past the end of the month
    assert capsys.readouterr().out.endswith("less heat an hour\n")


def test_the_control_a_line_that_is_not_printed_is_found():
    assert absent("2024-03-31 00:00 heat 56.53", "2024-03-31  00:00  heat  9.8") == []
    assert absent("The intervals ... of test", "The intervals cover 50 % of tests") == []
    assert absent("2024-03-31 01:00 heat 56.53", "2024-03-31 00:00 heat 56.53")
    assert absent("The intervals ... of the locked test", "The intervals cover nothing")
