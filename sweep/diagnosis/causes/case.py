"""The evidence for causes: a trial's configuration, record, curves, probes, and facts about its data."""

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from sweep.config.records import TrialRecord
from sweep.config.trial import TrialConfig
from sweep.data.types import Array
from sweep.diagnosis.facts import DataFacts


@dataclass(frozen=True)
class SetupFacts:
    """Facts about a configuration that its optimizer and its network know."""

    full_batch: bool  # the optimizer trains on all windows at once
    has_momentum: bool  # the optimizer has a setting "momentum"
    recurrent_weights: (
        int | None
    )  # input and recurrent weights of all layers, no biases; None: not a recurrent stack


@dataclass(frozen=True)
class Case:
    """One trained trial. All of it is stored, or follows without training from what is stored."""

    config: TrialConfig
    record: TrialRecord
    curves: Mapping[str, Array]  # columns of curves.csv by name, (bin,)
    probes: Mapping[str, Mapping[str, Any]]  # by name; only `reason` where a probe does not apply
    facts: DataFacts
    setup: SetupFacts
    horizon: int | None = None  # steps of its rollouts; None: those of its configuration

    @property
    def steps(self) -> int | None:
        """Return the steps of its rollouts; None: whole records of unknown length."""
        return self.horizon or self.config.score.horizon

    def probe(self, name: str, key: str) -> float:
        """Return a probe's number; NaN if the probe was not taken, does not apply, or has no such number."""
        value = self.probes.get(name, {}).get(key)
        return np.nan if value is None else float(value)

    def curve(self, name: str) -> Array:
        """Return a training curve, (bin,); empty if there was no update or the column is not recorded."""
        return self.curves.get(name, np.empty(0))

    def setting(self, name: str, default: float) -> float:
        """Return a numeric setting of the optimizer."""
        value = self.config.training.optimizer.settings.get(name, default)
        return float(value)


def curves_of(content: bytes) -> dict[str, Array]:
    """Return the columns of a curves.csv."""
    rows = list(csv.reader(io.StringIO(content.decode())))
    if len(rows) < 2:
        return {name: np.empty(0) for name in rows[0]} if rows else {}
    values = np.asarray(rows[1:], dtype=np.float64)
    return {name: values[:, column] for column, name in enumerate(rows[0])}
