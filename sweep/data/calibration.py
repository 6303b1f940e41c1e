"""Samples that choose nothing, neither a checkpoint nor a winner: intervals of forecasts are calibrated on them."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from sweep.data.recording import Need, Recording, Series

MOST_STARTS = (
    2000  # rollouts for calibration; our choice: they scatter a coverage of 90 % by 0.013, and are quick
)


def with_kept_samples(recording: Recording, share: float) -> Recording:
    """Return the recording with the last share of its validation part for calibration.

    Of several series that are for validation alone, the last ones are kept whole; of other series the latest samples.

    Args:
        recording: split.
        share: of the validation part, in [0, 1).
    """
    if not share:
        return recording
    alone = [index for index, one in enumerate(recording.series) if _for_validation_alone(one)]
    whole: set[int] = set()
    if len(alone) > 1:
        count = int(np.clip(np.rint(len(alone) * share), 1, len(alone) - 1))
        whole = set(alone[-count:])
    undivided = set(alone) - whole if whole else set()
    return replace(
        recording,
        series=tuple(
            one if index in undivided else replace(one, kept=0 if index in whole else _latest(one, share))
            for index, one in enumerate(recording.series)
        ),
    )


def with_more_series(recording: Recording, need: Need, generate: Callable[[Need], Recording]) -> Recording:
    """Return the recording of a source with series for calibration, if the source makes a validation series per start.

    They are those that the source makes for more starts, so that no series of the recording changes.

    Args:
        recording: of the source.
        need: that it was made for.
        generate: returns the source's recording for a need.
    """
    made = [one for one in recording.series if _for_validation_alone(one)]
    if len(made) < need.starts:
        return recording
    more = [
        one for one in generate(replace(need, starts=2 * need.starts)).series if _for_validation_alone(one)
    ]
    same = all(np.array_equal(one.values, again.values) for one, again in zip(made, more, strict=False))
    if len(more) <= len(made) or not same:
        return recording
    kept = tuple(replace(one, kept=0) for one in more[len(made) :])
    return replace(recording, series=(*recording.series, *kept))


def _for_validation_alone(one: Series) -> bool:
    return one.ends == (0, len(one.values)) and one.kept is None


def _latest(one: Series, share: float) -> int:
    first, _, second = one.edges
    return second - int(np.rint((second - first) * share))
