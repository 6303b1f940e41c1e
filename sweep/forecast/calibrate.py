"""The intervals of a study: calibrated once, stored in intervals.json, and read for a forecast."""

from collections.abc import Callable
from typing import Any

from sweep.config.errors import StoreError
from sweep.data import Data, Starts
from sweep.data.starts import level_of
from sweep.data.types import Array
from sweep.forecast.ensemble import Ensemble, combined
from sweep.forecast.intervals import Intervals, intervals_from_document, intervals_of_errors
from sweep.forecast.networks import Source
from sweep.results.wording.intervals import NOT_MEASURED, no_intervals_text
from sweep.store import StudyFolder

Predict = Callable[[Starts], Array]  # the forecasts from starts, (start, step, channel), data units


def intervals_of(folder: StudyFolder, of: Source | str) -> tuple[Intervals | None, str | None]:
    """Return the stored intervals of a forecaster, or None and the reason why there are none.

    Which levels they give depends on the number of calibration starts: `Intervals.gives`, and
    `sweep.results.wording.intervals.missing_level_text` for a level that they do not give.

    Args:
        folder: of the study.
        of: the networks that forecast, or the name of a baseline.

    Raises:
        StoreError: intervals.json is damaged.
    """
    document = folder.read_document("intervals")
    if document is None:
        return None, NOT_MEASURED
    try:
        if not document["n"]:
            return None, no_intervals_text(folder.read_study())
        wanted = identity(of)
        entry = next((one for one in document["forecasters"] if one["of"] == wanted), None)
        if entry is None:
            return None, NOT_MEASURED
        return intervals_from_document({**document, **entry}), None
    except (KeyError, TypeError, ValueError) as error:
        raise StoreError(f"{folder.path / 'intervals.json'} is damaged: {error!r}") from error


def identity(of: Source | str) -> dict[str, Any]:
    """Return the plain values that tell a forecaster from others: networks by their trial and seeds, or a baseline."""
    if isinstance(of, str):
        return {"baseline": of}
    return {"number": of.number, "basis": of.basis, "seeds": [config.seed for config, _ in of.trainings]}


def predict_of(ensemble: Ensemble) -> Predict:
    """Return the combined forecast of networks."""

    def predict(starts: Starts) -> Array:
        return combined(ensemble.forecasts(starts.past, starts.known, starts.series))

    return predict


def calibrated(predict: Predict, data: Data) -> Intervals:
    """Return the intervals of a forecaster.

    Args:
        predict: the forecaster.
        data: with calibration starts.
    """
    starts = data.calibration
    assert starts is not None
    errors = (predict(starts) - starts.truth) / starts.std[:, None]
    return intervals_of_errors(errors, level_of(data.train_raw, data.train_series).std)
