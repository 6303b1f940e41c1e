"""Splits: which samples of each series are for training, for validation and for test."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from sweep.config.data_section import DataConfig
from sweep.config.errors import DataError
from sweep.config.registry import nearest
from sweep.config.text import plural
from sweep.data.recording import Recording, Series

SPLIT_SEED = 0  # of the draw of series; fixed, so that the parts of a study are the same in every run

Shares = tuple[float, float, float]


def split(recording: Recording, config: DataConfig) -> Recording:
    """Return the recording with the parts of every series; series that have parts already are not changed.

    A part that has a file of its own gets nothing of the other series.

    Args:
        recording: with whole series, before gaps are cut.
        config: its `split`, and what the shares divide: the time of each series, or the series.

    Raises:
        DataError: a series is named that does not exist, or there are too few series to divide.
    """
    taken = (None, config.validation_path, config.test_path)
    shares = [0.0 if path else share for share, path in zip(config.split, taken, strict=True)]
    first, second, third = (share / sum(shares) for share in shares)
    if config.split_by == "series":
        return _split_by_series(recording, (first, second, third), config)
    return split_in_time(recording, (first, second, third))


def split_in_time(recording: Recording, shares: Shares) -> Recording:
    """Return the recording with every series split; series that have parts already are not changed.

    The first share of the samples is for training, the second for validation, the last for test; ends are rounded.
    """
    divided = (
        series if series.ends else replace(series, ends=_ends(len(series.values), shares))
        for series in recording.series
    )
    return replace(recording, series=tuple(divided))


def all_for_training(recording: Recording) -> Recording:
    """Return the recording with every sample of every series for training, also of those that have other parts."""
    return replace(
        recording,
        series=tuple(
            replace(one, ends=(len(one.values), len(one.values)), kept=None) for one in recording.series
        ),
    )


def _ends(length: int, shares: Shares) -> tuple[int, int]:
    return int(np.rint(length * shares[0])), int(np.rint(length * (shares[0] + shares[1])))


def _split_by_series(recording: Recording, shares: Shares, config: DataConfig) -> Recording:
    free = [index for index, series in enumerate(recording.series) if series.ends is None]
    named = {
        "validation": _indices("validation_series", config.validation_series, recording.series, free),
        "test": _indices("test_series", config.test_series, recording.series, free),
    }
    both = set(named["validation"]) & set(named["test"])
    if both:
        name = recording.series[min(both)].name
        raise DataError(f"data.validation_series and data.test_series both name {name!r}: name it once")
    drawn = _drawn([index for index in free if index not in {*named["validation"], *named["test"]}])
    part = dict.fromkeys(drawn, "train")
    for name, share in (("validation", shares[1]), ("test", shares[2])):
        indices = named[name]
        if not indices and share:
            count = max(1, int(np.rint(len(free) * share)))
            indices, drawn = drawn[:count], drawn[count:]
        part.update(dict.fromkeys(indices, name))
    if "train" not in part.values():
        given = plural(len(free), "series", "series")
        raise DataError(
            f'data.split_by = "series" needs series for training, validation and test, got {given}: give more series, '
            'name fewer for validation and test, or set data.split_by = "time"'
        )
    return replace(
        recording,
        series=tuple(
            series
            if index not in part
            else replace(series, ends=_ends_of_part(part[index], len(series.values)))
            for index, series in enumerate(recording.series)
        ),
    )


def _ends_of_part(part: str, length: int) -> tuple[int, int]:
    return {"train": (length, length), "validation": (0, length), "test": (0, 0)}[part]


def _drawn(indices: Sequence[int]) -> list[int]:
    order = np.random.default_rng(SPLIT_SEED).permutation(len(indices))
    return [indices[place] for place in order]


def _indices(key: str, names: Sequence[str], series: Sequence[Series], free: Sequence[int]) -> list[int]:
    """Return the indices of the named series."""
    known = {series[index].name: index for index in free if series[index].name}
    for name in names:
        if name not in known:
            listed = ", ".join(list(known)[:10]) + (", ..." if len(known) > 10 else "")
            raise DataError(
                f"data.{key}: no series named {name!r}.{nearest(name, list(known))} "
                f"Known: {listed or 'none, because the file has no column of ids'}"
            )
    return [known[name] for name in dict.fromkeys(names)]
