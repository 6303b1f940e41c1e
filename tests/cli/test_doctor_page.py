"""docs/doctor.md: its examples run, and print what the page says."""

import re
import shlex
from pathlib import Path

from tests.support.command_line import invoke

PAGE = (Path(__file__).parents[2] / "docs" / "doctor.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"```(python|sh|text)\n(.*?)```", re.DOTALL)


def test_the_examples_do_and_print_what_the_page_says(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    first = next(content for kind, content in BLOCK.findall(PAGE) if kind == "python")
    exec(compile(first, "doctor.md", "exec"), {})
    assert (tmp_path / "doctor.png").read_bytes().startswith(b"\x89PNG")
    (tmp_path / "doctor.png").unlink()
    output, checked = "", 0
    for kind, content in BLOCK.findall(PAGE.split("\n## An example\n")[1]):
        if kind == "python":
            exec(compile(content, "doctor.md", "exec"), {})
        elif kind == "sh":
            program, *args = shlex.split(content)
            assert program == "sweep"
            done = invoke(*args)
            assert done.exit_code == 0, done.stderr
            output = " ".join(done.stdout.split())
        else:
            for line in content.strip().splitlines():
                assert line in output
                checked += 1
    assert checked == 6
    assert (tmp_path / "doctor.png").read_bytes().startswith(b"\x89PNG")
    assert "<title>sweep doctor</title>" in (tmp_path / "doctor.html").read_text()
