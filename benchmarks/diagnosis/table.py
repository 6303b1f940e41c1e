"""The tables of a document of `run.py`, as Markdown."""

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.diagnosis.data import KINDS
from benchmarks.diagnosis.faults import FAULTS
from sweep.model import CELLS

MARKS = {"bites": "**{:+.2f}**", "ambiguous": "{:+.2f}", "too few": "({:+.2f})"}


def text(document: Mapping[str, Any]) -> str:
    """Return the measurements: counts, healthy runs, and a row per fault."""
    lines = [
        f"{document['runs']} of {document['wanted']} runs, {document['cpu_seconds']:.0f} s of one core, "
        f"{document['cpu_seconds_per_run'] or 0:.2f} s each",
        "",
        "| kind | cell | healthy runs | rollout error, median (10 % to 90 %) | within the bound |",
        "|---|---|---|---|---|",
    ]
    for row in document["healthy"]:
        span = f"{row['median']:.3f} ({row['low']:.3f} to {row['high']:.3f})"
        lines.append(
            f"| {row['kind']} | {row['cell']} | {row['runs']} | {span} | {row['within_bound']:.0%} |"
        )
    if document["bites"]:
        lines += ["", *_bites(document["bites"])]
    return "\n".join(lines)


def _bites(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return a row per cause; in each cell the decades by severity, bold if the fault bites."""
    places = [(kind, cell) for kind in KINDS for cell in CELLS]
    places = [place for place in places if any((row["kind"], row["cell"]) == place for row in rows)]
    found = {(row["cause"], row["kind"], row["cell"], row["severity"]): row for row in rows}
    heads = [f"{kind} {cell}" for kind, cell in places]
    lines = [f"| cause | {' | '.join(heads)} |", "|---" * (1 + len(heads)) + "|"]
    for cause in FAULTS:
        cells = []
        for place in places:
            here = [found.get((cause, *place, severity)) for severity in (1, 2, 3)]
            cells.append(
                " ".join(MARKS[row["verdict"]].format(row["decades"]) if row else "–" for row in here)
            )
        if any(cell != "– – –" for cell in cells):
            lines.append(f"| `{cause}` | {' | '.join(cells)} |")
    return lines
