"""Parts of the documentation, so that a test looks for a key where it is explained and nowhere else."""

import re
from pathlib import Path

DOCS = Path(__file__).resolve().parents[2] / "docs"


def part(page: str, name: str) -> str:
    """Return one part of a page of docs/: the text from a heading, or from a line such as `A trial:`, to the next.

    Args:
        page: file name, such as "report.md".
        name: the heading or the line, without its marks.
    """
    text = (DOCS / page).read_text(encoding="utf-8")
    begins = list(re.finditer(r"^(?:#+ (.+)|([A-Z][\w ]+):)$", text, re.MULTILINE))
    parts = {}
    for begin, end in zip(begins, [*begins[1:], None], strict=True):
        parts[begin[1] or begin[2]] = text[begin.start() : end.start() if end else None]
    assert name in parts, f"docs/{page} has no part {name!r}, only {', '.join(parts)}"
    return parts[name]


def undocumented(keys: set[str], page: str, name: str) -> list[str]:
    """Return the keys that a part of a page does not name as code."""
    text = part(page, name)
    return sorted(key for key in keys if f"`{key}`" not in text)
