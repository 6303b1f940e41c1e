"""Conformal intervals around a forecast, per step and channel, from its errors on starts that chose nothing.

The half width of an interval is an order statistic of the absolute calibration errors: that of rank
ceil((n + 1) level), with n calibration starts. If the errors of the calibration starts and of a new start are
exchangeable, the interval covers the truth with at least that probability, whatever the forecaster.

Source: Papadopoulos, Proedrou, Vovk and Gammerman (2002), "Inductive confidence machines for regression", and for
several steps ahead Stankeviciute, Alaa and van der Schaar (2021), "Conformal time-series forecasting", without their
correction for the joint coverage of all steps.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sweep.config.errors import UsageError
from sweep.data.types import Array
from sweep.stats.conformal import WHOLE_PERCENTS, rank_of
from sweep.stats.proportion import wilson_interval

DIGITS = 6  # significant ones of a stored error


@dataclass(frozen=True)
class Intervals:
    """Order statistics of a forecaster's absolute errors on its calibration starts."""

    n: int  # calibration starts, none of which overlap
    ranks: tuple[int, ...]  # rising, in 1 .. n
    errors: Array  # (rank, step, channel), training standard deviations of the series, >= 0, possibly inf
    std: Array  # (training series + 1, channel), data units, > 0; the last row: all series together
    series: tuple[str, ...] = ()  # names by row of `std`, without the last; empty: series have no names

    @property
    def horizon(self) -> int:
        """Return the steps that are calibrated."""
        return int(self.errors.shape[1])

    def gives(self, level: int) -> bool:
        """Return whether there are enough calibration starts for a level, in percent."""
        return rank_of(self.n, level) in self.ranks

    def rows_of(self, names: Sequence[str], rows: Array) -> Array:
        """Return the rows of `std` of some series, (series,): by name; -1 for one that was not calibrated.

        Args:
            names: of the series.
            rows: (series,), of the coding of a forecaster, which count where series have no names.
        """
        own = len(self.std) - 1
        if self.series:
            return np.array([self.series.index(one) if one in self.series else -1 for one in names])
        return np.where(rows < own, rows, -1)

    def around(
        self, forecast: Array, levels: Sequence[int], rows: Array | None = None
    ) -> dict[int, tuple[Array, Array]]:
        """Return the lower and the upper end of the intervals by level, for those levels that `gives` allows.

        Both ends have the shape of the forecast. They are NaN beyond the calibrated horizon and where the forecast is
        not finite, and infinite where so many calibration forecasts were not finite that no bound holds.

        Args:
            forecast: (series, step, channel), data units.
            levels: whole percents.
            rows: (series,), rows of `std`, by `rows_of`; None: every series is the first one.
        """
        rows = np.zeros(len(forecast), dtype=np.int64) if rows is None else rows
        unit = self.std[rows][:, None]  # (series, 1, channel)
        steps = min(self.horizon, forecast.shape[1])
        center = np.where(np.isfinite(forecast[:, :steps]), forecast[:, :steps], np.nan)
        result = {}
        for level in levels:
            if not self.gives(level):
                continue
            half = unit * self.errors[self.ranks.index(rank_of(self.n, level)), :steps]
            ends = np.full((2, *forecast.shape), np.nan)
            for end, sign in zip(ends, (-1, 1), strict=True):
                end[:, :steps] = np.where(np.isinf(half), sign * np.inf, center + sign * half)
            result[level] = (ends[0], ends[1])
        return result

    def document(self) -> dict[str, Any]:
        """Return the intervals as plain values for JSON; an infinite error is None."""
        return {
            "n": self.n,
            "horizon": self.horizon,
            "ranks": list(self.ranks),
            "errors": [[[_stored(error) for error in step] for step in rank] for rank in self.errors],
            "std": self.std.tolist(),
        }


@dataclass(frozen=True)
class Coverage:
    """The share of true values inside the intervals of one level, with 95 % intervals by independent starts."""

    mean: tuple[float, float, float]  # value, low, high; over starts, steps and scored channels
    by_step: Array  # (step, 3): value, low, high; over starts and scored channels


def require_levels(levels: Sequence[int]) -> None:
    """Refuse levels of intervals that are not whole percents.

    Raises:
        UsageError: one is not.
    """
    for level in levels:
        if level not in WHOLE_PERCENTS:
            raise UsageError(f"wanted levels in whole percents from 1 to 99, got {level}")


def intervals_of_errors(errors: Array, std: Array) -> Intervals:
    """Return the intervals of all whole percents.

    Args:
        errors: (start, step, channel), forecast minus truth in training standard deviations of each start's series; a
            forecast that is not finite counts as infinitely wrong.
        std: (training series + 1, channel), data units.
    """
    n = len(errors)
    ranks = sorted({rank_of(n, level) for level in WHOLE_PERCENTS if rank_of(n, level) <= n})
    ordered = np.sort(np.where(np.isfinite(errors), np.abs(errors), np.inf), axis=0)
    return Intervals(n, tuple(ranks), ordered[[rank - 1 for rank in ranks]], std)


def intervals_from_document(document: Mapping[str, Any]) -> Intervals:
    """Return the intervals that `Intervals.document` described."""
    std = np.asarray(document["std"], dtype=np.float64)
    errors = np.asarray(document["errors"], dtype=np.float64)  # None becomes NaN
    errors = np.where(np.isnan(errors), np.inf, errors)
    ranks = tuple(int(rank) for rank in document["ranks"])
    series = tuple(str(name) for name in document.get("series", ()))
    return Intervals(int(document["n"]), ranks, errors.reshape(len(ranks), -1, std.shape[1]), std, series)


def coverage_of(ends: tuple[Array, Array], truth: Array, n_eff: int) -> Coverage:
    """Return the coverage of intervals; a missing interval covers nothing.

    Args:
        ends: lower and upper, (start, step, channel), data units.
        truth: same shape.
        n_eff: starts that do not overlap, at least 1: the others add nothing to what is known.
    """
    inside = (ends[0] <= truth) & (truth <= ends[1])
    by_step = [wilson_interval(share, n_eff) for share in inside.mean(axis=(0, 2))]
    return Coverage(wilson_interval(float(inside.mean()), n_eff), np.asarray(by_step))


def _stored(error: float) -> float | None:
    return float(f"{error:.{DIGITS}g}") if math.isfinite(error) else None
