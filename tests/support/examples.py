"""The examples of a page of docs/: run block by block, each output compared with what the page shows."""

import re
import shlex

from tests.support.command_line import invoke

BLOCK = re.compile(r"```(python|sh|text)\n(.*?)```", re.DOTALL)


def play(section, name, stderr=False):
    """Run the blocks of a section in order; fail unless each line of a text block is in the output before it.

    Args:
        section: text of the page.
        name: of the page, for tracebacks.
        stderr: whether messages count as output.

    Returns:
        The exit codes of the commands, and the number of lines that were found.
    """
    output, codes, checked = "", [], 0
    for kind, content in BLOCK.findall(section):
        if kind == "python":
            exec(compile(content, name, "exec"), {})
        elif kind == "sh":
            (line,) = content.strip().splitlines()
            program, *args = shlex.split(line)
            assert program == "sweep"
            done = invoke(*args)
            output = " ".join((done.stdout + (done.stderr if stderr else "")).split())
            codes.append(done.exit_code)
        else:
            for line in content.strip().splitlines():
                assert " ".join(line.split()) in output, line
                checked += 1
    return codes, checked
