"""The log of training: numbers per update, summed into bins of the budget."""

import math
from typing import Any

import torch
from torch import Tensor

FIELDS = (
    "count", "loss", "loss_max", "gradient", "gradient_max", "ratio", "clipped", "lr", "sequence_steps",
    "updates", "cosine", "cosines",
)  # fmt: skip
BINS = 200  # our choice: points enough for a plot, however many updates there are


class Log:
    """Binned curves of a training run: loss, gradient norm, update-to-weight ratio, rate, clipped share, cosines."""

    def __init__(self, budget: int) -> None:
        self.budget = budget
        self.rows: dict[int, dict[str, float]] = {}

    def add(
        self,
        sequence_steps: int,
        updates: int,
        loss: float,
        gradient: float,
        ratio: float,
        lr: float,
        clipped: bool,
        cosine: float | None,
    ) -> None:
        """Record one update that ended at `sequence_steps`.

        `cosine` is that of the angle between its gradient and the gradient of the update before: near 1 the path is
        straight, below 0 the steps go back and forth. None for the first update of a segment.
        """
        bin_ = min(BINS - 1, sequence_steps * BINS // self.budget)
        row = self.rows.get(bin_)
        if row is None:
            row = self.rows[bin_] = {**dict.fromkeys(FIELDS, 0.0), "loss_max": -math.inf}
        row["count"] += 1
        row["loss"] += loss
        row["loss_max"] = max(row["loss_max"], loss)
        row["gradient"] += gradient
        row["gradient_max"] = max(row["gradient_max"], gradient)
        row["ratio"] += ratio
        row["clipped"] += clipped
        row["lr"] = lr
        row["sequence_steps"] = sequence_steps
        row["updates"] = updates
        if cosine is not None:
            row["cosine"] += cosine
            row["cosines"] += 1

    def state(self) -> Tensor:
        """Return the rows for a checkpoint as one tensor (bin, 1 + field), which loads faster than single numbers."""
        rows = [[bin_, *(row[name] for name in FIELDS)] for bin_, row in self.rows.items()]
        return torch.tensor(rows, dtype=torch.float64).reshape(-1, 1 + len(FIELDS))

    def restore(self, state: Tensor) -> None:
        """Load the rows of a checkpoint."""
        self.rows = {int(bin_): dict(zip(FIELDS, row, strict=True)) for bin_, *row in state.tolist()}

    def columns(self) -> dict[str, list[Any]]:
        """Return the curves as columns, with a row for each bin in which an update ended."""
        rows = [(bin_, self.rows[bin_]) for bin_ in sorted(self.rows)]
        means = {
            "loss": "loss", "gradient_norm": "gradient", "update_ratio": "ratio", "clip_fraction": "clipped",
        }  # fmt: skip
        columns: dict[str, list[Any]] = {
            "bin": [bin_ for bin_, _ in rows],
            "share": [row["sequence_steps"] / self.budget for _, row in rows],
            "sequence_steps": [int(row["sequence_steps"]) for _, row in rows],
            "updates": [int(row["updates"]) for _, row in rows],
        }
        for name, key in means.items():
            columns[name] = [row[key] / row["count"] for _, row in rows]
        columns["loss_max"] = [row["loss_max"] for _, row in rows]
        columns["gradient_norm_max"] = [row["gradient_max"] for _, row in rows]
        columns["lr"] = [row["lr"] for _, row in rows]
        columns["gradient_cosine"] = [
            row["cosine"] / row["cosines"] if row["cosines"] else math.nan for _, row in rows
        ]
        return columns
