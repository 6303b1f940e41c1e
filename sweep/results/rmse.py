"""The RMSE of forecasts in data units, by target channel: its columns in tables, and its words."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from sweep.results.wording.numbers import number_text

SHOWN = 3  # most target channels in one cell; our choice


def rmse_names(channels: Sequence[str], targets: Sequence[int], count: int) -> list[str]:
    """Return the columns: `rmse` with one target channel, else `rmse.<channel>`.

    Args:
        channels: all of the data.
        targets: indices of the scored ones.
        count: how many numbers there are; without as many names, channels are numbered.
    """
    if count == 1:
        return ["rmse"]
    names = [channels[index] for index in targets]
    return [f"rmse.{name}" for name in (names if len(names) == count else range(count))]


def rmse_columns(facts: Mapping[str, Any], values: Sequence[float | None] | None) -> dict[str, float]:
    """Return the numbers by column, empty where they are not recorded; null, not finite, becomes +inf.

    Args:
        facts: of the study, with `channels` and `targets`.
        values: by target channel; empty or None: not recorded.
    """
    values = values or ()
    names = rmse_names(facts.get("channels") or (), facts.get("targets") or (), len(values))
    return {name: math.inf if value is None else value for name, value in zip(names, values, strict=True)}


def rmse_text(values: Sequence[float | None] | None) -> str:
    """Return the numbers in one cell, in the order of the target channels: `0.49`, or `0.49, 1.2, ...`."""
    if not values:
        return "–"
    shown = [number_text(math.inf if value is None else value) for value in values[:SHOWN]]
    return ", ".join([*shown, *(["..."] if len(values) > SHOWN else [])])
