"""The table of an experiment with faults: attempts and losses by row."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Row:
    """One fault: how often it was tried, and what was lost."""

    number: str  # of the fault matrix
    fault: str
    attempts: int = 0
    losses: int = 0
    notes: list[str] = field(default_factory=list)

    def loss(self, text: str) -> None:
        """Count a loss."""
        self.losses += 1
        self.notes.append(text)


class Table:
    """The rows in the order of their first attempt, written to a file as they are completed."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rows: list[Row] = []

    def row(self, number: str, fault: str) -> Row:
        """Return a new row; those before are complete."""
        self.save()
        self.rows.append(Row(number, fault))
        return self.rows[-1]

    def save(self) -> None:
        """Write the table."""
        self.path.write_text(self.markdown() + "\n")

    def markdown(self) -> str:
        """Return the table as Markdown, with the notes below it."""
        lines = ["| row | fault | attempts | losses |", "|---|---|---|---|"]
        lines += [f"| {row.number} | {row.fault} | {row.attempts} | {row.losses} |" for row in self.rows]
        notes = [f"* {row.fault}: {note}" for row in self.rows for note in row.notes]
        return "\n".join([*lines, "", *notes] if notes else lines)

    @property
    def losses(self) -> int:
        """Return the losses of `sweep`, without those of its rivals."""
        return sum(row.losses for row in self.of_sweep())

    def of_sweep(self) -> Iterable[Row]:
        """Return the rows without those of plain Optuna."""
        return (row for row in self.rows if "plain Optuna" not in row.fault)
