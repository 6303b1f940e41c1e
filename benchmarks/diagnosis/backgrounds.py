"""Good settings for healthy runs, per kind of data and cell, and which of them may calibrate or score.

backgrounds.json holds them, as `search.py` found them.
"""

import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TABLE = Path(__file__).with_name("backgrounds.json")
# "score" was scored more than once during development; "final" is scored once, at the end
SCORED = ("score", "final")
SPLITS = ("label", "calibrate", *SCORED)


@dataclass(frozen=True)
class Background:
    """Settings that forecast well on a kind of data, and the rollout errors of the search's seeds."""

    number: int
    kind: str
    cell: str
    split: str  # "calibrate" or "score"
    settings: Mapping[str, Any]  # `model` and `training`
    found: tuple[float, ...]


@functools.cache
def backgrounds(kind: str, cell: str) -> tuple[Background, ...]:
    """Return all backgrounds of a kind of data and a cell."""
    rows = [row for row in json.loads(TABLE.read_text()) if (row["kind"], row["cell"]) == (kind, cell)]
    return tuple(
        Background(number, kind, cell, row["split"], row["settings"], tuple(row["found"]))
        for number, row in enumerate(rows)
    )


def pool(split: str, kind: str, cell: str) -> tuple[Background, ...]:
    """Return the backgrounds of a split: some for calibration, the others for scoring, all for labels.

    Labels use all because they show what a fault does to the rollout, and no threshold depends on them. A kind that is
    kept out is not used for calibration, and all its backgrounds are scored.
    """
    every = backgrounds(kind, cell)
    if split == "label":
        return every
    return tuple(one for one in every if one.split == ("score" if split in SCORED else split))
