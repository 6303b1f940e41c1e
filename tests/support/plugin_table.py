"""A table of shapes for tests of plug-ins, and files that offer shapes."""

from dataclasses import dataclass
from pathlib import Path

from sweep.config.registry import Registry

HEADER = "from tests.support.plugin_table import Shape\n"


@dataclass(frozen=True)
class Shape:
    """An entry of the table."""

    name: str
    corners: int = 0


TRIANGLE, SQUARE = Shape("triangle", 3), Shape("square", 4)


def shapes() -> Registry[Shape]:
    """Return a new table with two entries of its own."""
    return Registry("shape", [TRIANGLE, SQUARE], Shape)


def shape_file(path: Path, content: str) -> Path:
    """Write a plug-in file and return its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(HEADER + content)
    return path
