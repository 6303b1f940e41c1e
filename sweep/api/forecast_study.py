"""Forecasting with a stored study: what comes after the end of its data, or of new data of the same shape."""

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypedDict

import numpy as np
import pandas as pd

from sweep.api.given_data import Given, stored_form
from sweep.api.made_forecast import Forecast
from sweep.config.data_section import DataConfig
from sweep.config.errors import DataError, StudyChanged, UsageError
from sweep.config.text import plural
from sweep.data import Data
from sweep.data.coding import Coding, coding_of
from sweep.data.facts import Fact
from sweep.data.future import Future, Futures, futures_of
from sweep.data.new_data import read_known, read_new_data, settled
from sweep.data.starts import Level, level_of
from sweep.forecast.after import starts_after, study_recording
from sweep.forecast.calibrate import predict_by
from sweep.forecast.forecaster import forecaster_of
from sweep.forecast.intervals import require_levels
from sweep.forecast.measured import measured_for
from sweep.forecast.networks import Source
from sweep.results.breakdown import validation_errors
from sweep.results.wording.numbers import list_text
from sweep.study.open_study import OpenStudy, open_study, require_same_data
from sweep.trial.inputs import data_read_anew

PLAIN = {
    "separator": ",",
    "decimal": ".",
    "thousands": "",
    "comment": "",
    "encoding": "",
    "header": None,
    "key": "",
}
INDEX = "ds"  # column that holds the dates of an index in the stored form of a table
MOST_NAMES = 3  # of series that a note lists


class ForecastSettings(TypedDict, total=False):
    """The keyword arguments of `forecast` that do not name the study."""

    steps: int | None
    trial: int | None
    fitted: bool
    data: str | Path | Given | None
    known: str | Path | Given | None
    levels: Sequence[int]


def forecast(
    study: str = "sine",
    *,
    steps: int | None = None,
    trial: int | None = None,
    fitted: bool = False,
    data: str | Path | Given | None = None,
    known: str | Path | Given | None = None,
    levels: Sequence[int] = (50, 90),
    results: str | Path = "results",
) -> Forecast:
    """Return the forecast of the steps after the end of a study's data, or of new data of the same shape.

    By default that which the study's verdict names forecasts: the named configuration, as the median of its networks on
    fresh seeds, or a baseline. Test scores play no part in it; the last rows of the data are its past.

    Args:
        study: its name, or the path of its results folder.
        steps: to forecast; None: the study's horizon.
        trial: whose networks forecast; None: as the verdict says, or with `fitted` the one that was fitted last.
        fitted: whether the networks of the latest fit on all data forecast (`sweep.fit`), or of its latest update. They
            are not scored, and their intervals are those of the trial's other networks.
        data: new data, a file or a DataFrame, read with the settings of the study; None: those of the study, or with
            `fitted` those of the fit, which may have grown.
        known: inputs of the steps to forecast, with the time and the id of each row where the data have them; None: the
            last rows of the data, whose channels are empty. Static inputs are those of the last row.
        levels: of the intervals, whole percents.
        results: folder of all studies.

    Raises:
        UsageError: there is no such study, trial or fit, or a number is out of range.
        DataError: the data cannot be read, inputs are missing, or no series can be forecast.
        StudyChanged: the data of the study have changed since it began.
    """
    _require_numbers(steps, levels)
    opened = open_study(study, results, stored=True)
    forecaster = forecaster_of(opened.folder, trial, fitted)
    basis = _basis(opened, forecaster.of, data is not None)
    coding = basis.coding
    steps = steps or int((opened.facts or {})["horizon"])
    futures = _futures(basis, opened, steps, data, known)
    if not futures.series:
        raise DataError(
            *(f"{one.name or 'the series'} cannot be forecast: {one.reason}" for one in futures.left_out[:5])
        )
    starts = starts_after(futures.series, coding, steps, basis.level)
    values = predict_by(forecaster.of, opened.folder, basis.data, opened.config.run.device)(starts)
    measured = measured_for(opened.folder, forecaster.of)
    given, ends = measured.intervals, {}
    if given is not None:
        rows = given.rows_of([one.name for one in futures.series], starts.series)
        ends = given.around(values, [level for level in levels if given.gives(level)], rows)
    return Forecast(
        study=opened.folder.name,
        values=values,
        times=tuple(one.times.shown[len(one.past) :] for one in futures.series),
        names=tuple(one.name for one in futures.series),
        channels=coding.channels,
        targets=tuple(coding.channels[index] for index in coding.targets),
        levels=tuple(ends),
        low={level: pair[0] for level, pair in ends.items()},
        high={level: pair[1] for level, pair in ends.items()},
        forecaster=forecaster.document(),
        verdict=forecaster.verdict,
        coverage=measured.covered(list(ends)),
        left_out={one.name: one.reason for one in futures.left_out},
        notes=(
            *([basis.note] if basis.note and data is None else []),
            *futures.notes,
            *_unknown(futures.series, coding),
            *_not_finite(futures.series, values),
            *measured.notes(levels, steps),
        ),
        past=tuple(one.past for one in futures.series),
        past_times=tuple(one.times.shown[: len(one.past)] for one in futures.series),
        known=coding.known,
        inputs=tuple(one.inputs for one in futures.series),
        errors=validation_errors(
            opened.folder, forecaster.of if isinstance(forecaster.of, str) else forecaster.of.number
        ),
    )


def _require_numbers(steps: int | None, levels: Sequence[int]) -> None:
    if steps is not None and steps < 1:
        raise UsageError(f"wanted at least one step, got {steps}")
    require_levels(levels)


def _require_same_data(opened: OpenStudy) -> None:
    """Refuse data of the study that differ from those of its trials: their scaling would be another one.

    Raises:
        StudyChanged: they have changed.
    """
    try:
        require_same_data(opened.folder, opened.data.fingerprint)
    except StudyChanged as error:
        raise StudyChanged(f"{error}; give new rows in a file of their own (--data FILE)") from None


@dataclass(frozen=True)
class _Basis:
    """The data that a forecaster was trained on."""

    config: DataConfig
    data: Data | None  # None: networks of a fit forecast new data, and the file of the fit is gone
    coding: Coding
    level: Level | None  # of the training data; None: networks forecast, which do not read it
    note: str = ""  # what should be known of them


def _basis(opened: OpenStudy, of: Source | str, new: bool) -> _Basis:
    """Return the data of the study, or those of a fit, whose stored coding lets their file grow.

    Args:
        opened: the study.
        of: what forecasts.
        new: whether new data are forecast, so that the file of a fit need not be there.

    Raises:
        StudyChanged: the data of the study have changed, and the networks are not those of a fit.
    """
    if isinstance(of, str) or of.coding is None:
        _require_same_data(opened)
        config, data = opened.config.data, opened.data
        return _Basis(config, data, coding_of(data, config), level_of(data.train_raw, data.train_series))
    training = of.trainings[0][0]
    if new and training.data.path is not None and not Path(training.data.path).is_file():
        return _Basis(training.data, None, of.coding, None)
    data, fitted = data_read_anew(training), training.fitted
    changed = fitted is not None and data.fingerprint != fitted.fingerprint
    note = f"the data ({data.name}) have changed since the networks were trained on them" if changed else ""
    return _Basis(training.data, data, of.coding, None, note)


def _futures(
    basis: _Basis,
    opened: OpenStudy,
    steps: int,
    data: str | Path | Given | None,
    known: str | Path | Given | None,
) -> Futures:
    config, coding = basis.config, basis.coding
    own, trained = None, None
    if basis.data is None:
        config = settled(config, _recorded_facts(opened))
    else:
        own, trained = study_recording(config, opened.config.score)
        config = settled(config, own.facts)
    recording = own
    if data is not None:
        trained = None
        with _file(data, "data", config) as (path, settings):
            recording = read_new_data(path, settings, coding, own)
    assert recording is not None
    table = None
    if known is not None:
        with _file(known, "known", config) as (path, settings):
            table = read_known(path, settings, coding)
    return futures_of(recording, coding, config, steps, table, trained)


def _recorded_facts(opened: OpenStudy) -> list[Fact]:
    """Return what was understood of the study's data when it ran."""
    stored = ((opened.facts or {}).get("data") or {}).get("facts", [])
    return [Fact(one["name"], one["text"], one.get("key", ""), one.get("guessed", False)) for one in stored]


@contextlib.contextmanager
def _file(given: str | Path | Given, stem: str, config: DataConfig) -> Iterator[tuple[str, DataConfig]]:
    """Give the path of a file, and the settings to read it with; a table of Python gets a temporary file."""
    if isinstance(given, str | Path):
        yield str(given), config
        return
    if isinstance(given, pd.Series):
        given = given.to_frame("y" if given.name is None else given.name)
    if isinstance(given, pd.DataFrame):
        if isinstance(given.index, pd.DatetimeIndex | pd.PeriodIndex):
            config = config.model_copy(update={"time_column": INDEX})
        given, dated = _with_local_times(given, config.time_zone)
        config = config.model_copy(update=PLAIN | ({"time_format": ""} if dated else {}))
    name, content = stored_form(given)
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"{stem}{Path(name).suffix}"
        path.write_bytes(content)
        yield str(path), config


def _with_local_times(frame: pd.DataFrame, zone: str) -> tuple[pd.DataFrame, bool]:
    """Return a table whose times with a zone are on the study's local clock, and whether it has typed dates."""
    dated = isinstance(frame.index, pd.DatetimeIndex | pd.PeriodIndex)
    if zone and isinstance(frame.index, pd.DatetimeIndex) and frame.index.tz is not None:
        frame = frame.set_axis(frame.index.tz_convert(zone).tz_localize(None), axis=0)
    for column in frame.columns:
        kind = frame[column].dtype
        dated = dated or pd.api.types.is_datetime64_any_dtype(kind)
        if zone and isinstance(kind, pd.DatetimeTZDtype):
            frame = frame.assign(**{column: frame[column].dt.tz_convert(zone).dt.tz_localize(None)})
    return frame, dated


def _unknown(series: Sequence[Future], coding: Coding) -> list[str]:
    """Return a note about series that no network was trained on."""
    names = [one.name for one in series if one.row == -1]
    if not coding.series or not names:
        return []
    listed = ", ".join(names[:MOST_NAMES]) + (", ..." if len(names) > MOST_NAMES else "")
    return [
        f"{plural(len(names), 'series', 'series')} without training data ({listed}), scaled by the statistics of all "
        "series"
    ]


def _not_finite(series: Sequence[Future], values: Any) -> list[str]:
    """Return a note about forecasts that are not finite."""
    bad = ~np.isfinite(values).all(axis=(1, 2))
    if not bad.any():
        return []
    first = int(np.argmin(np.isfinite(values[bad]).all(axis=2).all(axis=0))) + 1
    names = [one.name for one, lost in zip(series, bad, strict=True) if lost and one.name]
    where = (
        f" of {list_text(names[:MOST_NAMES])}{' and more' if len(names) > MOST_NAMES else ''}"
        if names
        else ""
    )
    return [f"the forecast{where} is not finite from step {first} on: it has left the range of numbers"]
