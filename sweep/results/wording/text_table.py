"""A table whose cells are texts, laid out by the terminal and by the page."""

from dataclasses import dataclass


@dataclass(frozen=True)
class TextTable:
    """Rows of texts under a head; the first column names the row, the others are numbers."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def columns(self, count: int) -> "TextTable":
        """Return the first `count` columns, those that fit a terminal."""
        return TextTable(self.head[:count], tuple(row[:count] for row in self.rows))
