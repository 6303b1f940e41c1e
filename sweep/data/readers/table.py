"""Tables: what a reader of a file of columns returns, before columns get their roles."""

from dataclasses import dataclass, field

import pandas as pd

from sweep.data.facts import Fact
from sweep.data.types import Array


@dataclass(frozen=True)
class Table:
    """The columns of a file.

    Cells of a text file are stripped text. A column without a name has the name "". Columns of other files keep their
    type: numbers, datetime64 or objects.
    """

    name: str  # of the file, for messages
    frame: pd.DataFrame  # (row, column); column names are different texts; the index is 0, 1, ...
    lines: Array | None = None  # (row,), line of each row in a text file, from 1
    decimal: str = "."  # how numbers are written in text cells
    thousands: str = ""
    facts: tuple[Fact, ...] = ()
    # values and missing cells by column, so that each is parsed once (`sweep.data.readers.numbers`)
    parsed: dict[str, tuple[Array, Array]] = field(
        default_factory=dict, init=False, compare=False, repr=False
    )

    def place(self, row: int) -> str:
        """Return the place of a row, for messages: its line, or its number in files without lines."""
        return f"line {int(self.lines[row])}" if self.lines is not None else f"row {row + 1}"
