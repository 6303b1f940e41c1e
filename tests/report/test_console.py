"""Output streams that lack characters, and tables that are narrower than their cells."""

import io
import subprocess
import sys

import pytest
from rich.console import Console

from sweep.report.terminal.console import print_facts, print_table
from sweep.results.wording.text_table import TextTable

CODE = """
from rich.console import Console
{safe}
print("0.1–0.2 → ✓ 日 · é")
Console().print("0.1–0.2 → ✓ 日 · é")
"""
SAFE = "from sweep.cli.options import replace_unprintable; replace_unprintable()"


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("latin-1", "0.1-0.2 -> + ? · é"),
        ("ascii", "0.1-0.2 -> + ? | ?"),
        ("utf-8", "0.1–0.2 → ✓ 日 · é"),
    ],
)
def test_characters_that_an_encoding_lacks_are_replaced(encoding, text):
    run = lambda safe: subprocess.run(  # noqa: E731
        [sys.executable, "-c", CODE.format(safe=safe)],
        env={"PYTHONIOENCODING": encoding, "PYTHONPATH": ":".join(sys.path), "COLUMNS": "80"},
        capture_output=True,
        check=False,
    )
    shown = run(SAFE)
    assert shown.returncode == 0, shown.stderr
    assert shown.stdout.decode(encoding).splitlines() == [text, text]
    if encoding != "utf-8":
        assert b"UnicodeEncodeError" in run("").stderr  # control: without it


def test_values_are_wrapped_below_each_other():
    console = Console(file=io.StringIO(), width=30, color_system=None)
    print_facts(console, [("name", "one two three four five six"), ("longer name", "1")])
    assert console.file.getvalue().splitlines() == [
        "  name         one two three",
        "               four five six",
        "  longer name  1",
    ]


def test_no_cell_is_cut():
    table = TextTable(("", "configuration", "x"), (("trial 1", "abcdefghijklmnopqrstuvwxyz", "0.5"),))
    console = Console(file=io.StringIO(), width=20, color_system=None)
    print_table(console, table)
    lines = console.file.getvalue().splitlines()
    letters = "".join(character for line in lines for character in line if character.isalpha())
    assert set("abcdefghijklmnopqrstuvwxyz") <= set(letters) and "…" not in "".join(lines)
    assert max(map(len, lines)) <= 20


def test_an_option_with_a_quoted_value_stays_on_one_line():
    out = io.StringIO()
    text = (
        "it looks like an input whose future is known: --known 'inlet temperature [°C]' (the model's guess)"
    )
    print_facts(Console(file=out, width=60), [("inputs", text)])
    lines = out.getvalue().splitlines()
    assert len(lines) > 1 and any("--known 'inlet temperature [°C]'" in line for line in lines)
    assert " ".join(out.getvalue().split()) == f"inputs {text}"
