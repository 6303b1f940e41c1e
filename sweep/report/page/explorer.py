"""Any series, any channel, any start of a trial's rollouts, as numbers that the page draws without a request."""

import itertools
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from sweep.config.errors import StoreError
from sweep.report.plots.canvas import level_ticks, linear_ticks
from sweep.results.shown_rollouts import (
    Group,
    ShownRollout,
    all_starts,
    baseline_of,
    groups_of,
    rollout_limits,
)
from sweep.results.wording.numbers import number_text
from sweep.results.wording.rollouts import span_text, tick_texts, time_text
from sweep.store.folder import StudyFolder

NUMBERS_MOST = 150_000  # of all curves together: about 600 kB of the page
POINTS_MOST = 600  # of a curve; more cannot be told apart on a screen
HEIGHT = 1000  # whole numbers of a curve lie between 0, the lower limit, and this
TAIL = 0.25  # of the horizon: length of the true past that is drawn


def explorer_values(folder: StudyFolder, number: int, channels: Sequence[str]) -> dict[str, Any] | None:
    """Return the curves of a trial by series and channel, the worst first; None if no rollout is stored.

    As many starts as fit into NUMBERS_MOST: of each group first the median and the worst one, then the others.

    Args:
        folder: of the study.
        number: of the trial.
        channels: names of all channels, may be empty.
    """
    try:
        arrays = folder.rollout(number)
    except StoreError:
        return None
    try:
        baseline = folder.baseline_forecast()
    except StoreError:
        baseline = {}
    best = baseline_of(arrays, baseline)
    groups = groups_of(arrays, channels)[::-1]
    drawn: list[list[dict[str, Any]]] = [[] for _ in groups]
    left = NUMBERS_MOST
    for place, shown in _in_turn([all_starts(arrays, group) for group in groups]):
        curves = _curves(arrays, shown, None if best is None else best[1])
        left -= sum(len(curves.get(name, ())) for name in ("truth", "rollout", "baseline"))
        if left < 0:
            break
        drawn[place].append(curves)
    kept = [(group, starts) for group, starts in zip(groups, drawn, strict=True) if starts]
    return {
        "number": number,
        "baseline": "" if best is None else best[0],
        "series": _choices(group.series for group, _ in kept),
        "channels": _choices(group.channel for group, _ in kept),
        "groups": [_group(group, starts) for group, starts in kept],
        "left_out": len(groups) - len(kept),
    }


def _choices(names: Iterable[str | None]) -> list[str]:
    """Return the different names to choose from; none where there is nothing to choose."""
    different = list(dict.fromkeys(name for name in names if name))
    return different if len(different) > 1 else []


def _in_turn(starts: Sequence[Sequence[ShownRollout]]) -> Iterator[tuple[int, ShownRollout]]:
    """Yield the first start of each group, then the second of each, and so on, with the place of the group."""
    for row in itertools.zip_longest(*starts):
        yield from ((place, shown) for place, shown in enumerate(row) if shown is not None)


def _group(group: Group, starts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {
        "series": group.series or "",
        "channel": group.channel or "",
        "error": number_text(group.error),
        "starts": list(starts),
    }


def _curves(
    arrays: Mapping[str, np.ndarray], shown: ShownRollout, baseline: np.ndarray | None
) -> dict[str, Any]:
    """Return a start as whole numbers between the limits, with its ticks and its texts."""
    start, column, horizon = shown.start, shown.group.column, arrays["truth"].shape[1]
    past = np.asarray(arrays["past"][start, -max(1, int(TAIL * horizon)) :, column], dtype=float)
    truth = np.concatenate([past, np.asarray(arrays["truth"][start, :, column], dtype=float)])
    forecast = np.asarray(arrays["forecast"][start, :, column], dtype=float)
    low, high = rollout_limits(truth, forecast, float(arrays["scale"][start, column]))
    every = max(1, math.ceil(len(truth) / POINTS_MOST))

    def whole(values: np.ndarray) -> list[int | None]:
        places = np.clip((values[::every] - low) / (high - low), -0.02, 1.02) * HEIGHT
        return [round(float(place)) if math.isfinite(place) else None for place in places]

    y_ticks, level = level_ticks(low, high, 4)
    values = {
        "name": f"{shown.start_role} start" if shown.start_role else f"start {start + 1}",
        "note": f"valid for {shown.valid} of {horizon} steps",
        "level": f"values minus {level}" if level else "",
        "past": len(past),
        "horizon": horizon,
        "every": every,
        "valid": shown.valid,
        "y": [[round((place - low) / (high - low) * HEIGHT), text] for place, text in y_ticks],
        "x": [[place, text] for place, text in linear_ticks(0, horizon, 4)],
        "truth": whole(truth),
        "rollout": whole(np.concatenate([past[-1:], forecast])),
    }
    if baseline is not None:
        values["baseline"] = whole(np.concatenate([past[-1:], np.asarray(baseline[start, :, column], float)]))
    if "times" in arrays:
        times = arrays["times"][start, -horizon:]
        values["name"] += f", {time_text(times[0])}"
        values["note"] += f", {span_text(times)}"
        places = [0, horizon // 2, horizon - 1] if horizon > 2 else [0]
        values["x"] = [
            [place + 1, text] for place, text in zip(places, tick_texts(times[places]), strict=True)
        ]
    return values
