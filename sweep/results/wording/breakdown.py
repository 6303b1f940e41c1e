"""The scores by series and by channel in words: tables, worst first, and a sentence if a few carry the error.

Rows are those of `breakdown` in the report's document, or in a trial's.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sweep.config.text import plural
from sweep.results.wording.numbers import list_text, number_text, percent_text
from sweep.results.wording.text_table import TextTable
from sweep.score.comparisons import EXACT

SHOWN = 10  # rows of a table; the others are counted
FEW = 3  # series or channels that can carry the error
STANDS_OUT = 2.0  # times the largest error of the others, that each of the few has at least; our choice
SHARE = 1 / 3  # of the whole error that they carry together at least; our choice
WORTH = 0.05  # pooled rollout error from which the sentence is worth its place; our choice

BREAKDOWN_LEGEND = (
    "Skill is measured against the best trivial forecast of the same series or channel. Errors are relative to each "
    "series' and channel's own scale, so that large and small ones can be compared"
)

TERMINAL_SHOWN, TERMINAL_COLUMNS = 5, 5  # rows and columns of a table that fit a terminal

Rows = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class ShownRows:
    """A table of the worst series or channels, and how many are left out."""

    title: str
    table: TextTable
    more: str  # such as "and 12 more series, with rollout errors up to 0.2"; empty if all are shown


def breakdown_title(breakdown: Mapping[str, Any]) -> str:
    """Return the heading: by series, by channel, or both."""
    kinds = [kind for kind in ("series", "channel") if breakdown[f"by_{kind}"]]
    return f"By {list_text(kinds)}"


def shown_breakdown(breakdown: Mapping[str, Any], most: int = SHOWN) -> list[ShownRows]:
    """Return a table by series and one by channel, each only where there are several, worst first.

    Args:
        breakdown: of a document.
        most: rows of a table.
    """
    tables = []
    for kind in ("series", "channel"):
        rows = _worst_first(breakdown[f"by_{kind}"])
        if not rows:
            continue
        left = rows[most:]
        more = ""
        if left:
            count = f"{len(left)} more series" if kind == "series" else plural(len(left), "more channel")
            more = f"and {count}, with rollout errors up to {number_text(left[0]['rollout_error'])}"
        tables.append(ShownRows(f"By {kind}", _table(kind, rows[:most]), more))
    return tables


def _worst_first(rows: Rows) -> list[Mapping[str, Any]]:
    return sorted(rows, key=lambda row: -row["rollout_error"])


def _table(kind: str, rows: Rows) -> TextTable:
    beside = any(row.get("baseline") for row in rows)
    starts = ("starts",) if kind == "series" else ()
    head = (kind, *starts, "rollout error", "skill", "valid steps", *(("best baseline",) if beside else ()))
    return TextTable(head, tuple(_row(kind, row, beside) for row in rows))


def _row(kind: str, row: Mapping[str, Any], beside: bool) -> tuple[str, ...]:
    skill = "exact trivial" if row["trivial_skill"] is None else number_text(row["trivial_skill"], 2)
    cells = [str(row[kind]), *([str(row["starts"])] if kind == "series" else [])]
    cells += [number_text(row["rollout_error"]), skill, f"{row['valid_steps']:.0f}"]
    if beside:
        error = row["baseline_error"]
        exact = error is not None and error < EXACT
        cells.append(
            "–" if error is None else f"{row['baseline']} {'exact' if exact else number_text(error)}"
        )
    return tuple(cells)


def breakdown_text(breakdown: Mapping[str, Any]) -> str | None:
    """Return a sentence if a few series, or else a few channels, carry the error; None if none do."""
    return _carried(breakdown["by_series"], "series") or _carried(breakdown["by_channel"], "channel")


def _carried(rows: Rows, kind: str) -> str | None:
    """Return the sentence on the fewest that stand out and carry the error; errors count by their starts."""
    whole = _error_of(rows)
    if len(rows) < 2 or whole / sum(row["starts"] for row in rows) < WORTH:
        return None
    worst = _worst_first(rows)
    for count in range(1, min(FEW, len(rows) - 1) + 1):
        few, others = worst[:count], worst[count:]
        least = STANDS_OUT * others[0]["rollout_error"]
        share = _error_of(few) / whole
        if few[-1]["rollout_error"] >= least and share >= SHARE:
            names = list_text([repr(row[kind]) for row in few])
            noun = "series" if kind == "series" else "channels" if count > 1 else "channel"
            of = "" if count == 1 else f" ({count} of {len(rows)})"
            verb = "make" if count > 1 else "makes"
            return f"The {noun} {names}{of} {verb} up {percent_text(share)} of the rollout error."
    return None


def _error_of(rows: Rows) -> float:
    return math.fsum(row["starts"] * row["rollout_error"] for row in rows)
