"""The intervals of a study: calibrated and stored once, with what they cover of the locked test.

intervals.json holds the calibration errors of the forecasters that the study names today. winner.json holds the
coverage, beside the looks at the locked test, for each set of networks and each baseline that ever had one.
"""

from collections.abc import Callable
from typing import Any

from sweep.config.errors import StoreError
from sweep.data import Data, Starts, load
from sweep.data.starts import level_of
from sweep.data.types import Array
from sweep.forecast.ensemble import Ensemble, combined
from sweep.forecast.intervals import Intervals, coverage_of, intervals_from_document, intervals_of_errors
from sweep.forecast.networks import Source, ensemble_of, networks_of
from sweep.results.contest import contests
from sweep.results.intervals import LEVELS
from sweep.results.study import read_study
from sweep.results.verdict import verdict_of
from sweep.results.wording.intervals import NOT_MEASURED, no_intervals_text
from sweep.score.baselines.table import BASELINES
from sweep.store import StudyFolder
from sweep.study.open_study import OpenStudy
from sweep.trial.process import trial_process

FORMAT = 1

Predict = Callable[[Starts], Array]  # the forecasts from starts, (start, step, channel), data units


def calibrate(study: OpenStudy) -> dict[str, Any]:
    """Calibrate the forecasters that the study names, measure their coverage, and return winner.json with it.

    The forecasters are the networks of the named configuration, and the baseline if the verdict is to use one. Nothing
    that is stored is repeated: the coverage of each is measured once.

    Args:
        study: with its lock held, its winner named.
    """
    folder = study.folder
    named = forecasters_of(folder)
    stored = folder.read_document("intervals") or {}
    winner = folder.read_document("winner") or {}
    coverage = list(winner.get("coverage", []))
    wanted = [identity(of) for of in named]
    complete = [entry["of"] for entry in stored["forecasters"]] == wanted if stored else False
    measured = [entry["of"] for entry in coverage]
    if not wanted or (complete and (not stored["n"] or all(of in measured for of in wanted))):
        return winner
    with trial_process():
        data = load(study.config.data, study.config.score, calibrated=True)
        predicts = [predict_by(of, folder, data, study.config.run.device) for of in named]
        if not complete:
            folder.write_document("intervals", _document(data, wanted, predicts))
        if data.calibration is None:
            return winner
        for of, predict in zip(named, predicts, strict=True):
            intervals, _ = intervals_of(folder, of)
            if intervals is not None and identity(of) not in measured:
                coverage.append({"of": identity(of), **coverage_on_test(intervals, predict, data)})
    winner["coverage"] = coverage
    folder.write_document("winner", winner)
    return winner


def forecasters_of(folder: StudyFolder) -> list[Source | str]:
    """Return the networks of the named configuration, if one is named, and the baseline to use, if it is one.

    Raises:
        StoreError: a file of the study is damaged.
    """
    number = (folder.read_document("winner") or {}).get("number")
    networks: list[Source | str] = [] if number is None else [networks_of(folder, number)]
    verdict = verdict_of(contests(read_study(folder)).decisive)
    if verdict.use is not None and verdict.use.kind == "baseline":
        return [*networks, verdict.use.name]
    return networks


def intervals_of(folder: StudyFolder, of: Source | str) -> tuple[Intervals | None, str | None]:
    """Return the stored intervals of a forecaster, or None and the reason why there are none.

    Which levels they give depends on the number of calibration starts: `Intervals.gives`, and
    `sweep.results.wording.intervals.missing_level_text` for a level that they do not give. What they cover of the
    locked test: `sweep.results.intervals.coverage_entries` of winner.json and `identity(of)`.

    Args:
        folder: of the study.
        of: the networks that forecast, or the name of a baseline.

    Raises:
        StoreError: intervals.json is damaged.
    """
    document = folder.read_document("intervals")
    if document is None:
        return None, NOT_MEASURED
    if not document["n"]:
        return None, no_intervals_text(folder.read_study())
    wanted = identity(of)
    entry = next((one for one in document["forecasters"] if one["of"] == wanted), None)
    if entry is None:
        return None, NOT_MEASURED
    return intervals_from_document({**entry, "series": document["series"]}), None


def calibrated_for(folder: StudyFolder, of: Source | str) -> Source | str:
    """Return the forecaster whose intervals a forecaster has: for a fit the scored networks of its trial, else itself.

    Raises:
        StoreError: a file of the study is damaged.
    """
    if isinstance(of, str) or of.basis != "fitted":
        return of
    return networks_of(folder, of.number)


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


def coverage_on_test(intervals: Intervals, predict: Predict, data: Data) -> dict[str, Any]:
    """Return `n_eff` and `levels` of an entry of `coverage`: for the scored channels and the steps that are calibrated.

    It reads the locked test.

    Args:
        intervals: of the forecaster.
        predict: the forecaster.
        data: with test starts.
    """
    starts, chosen = data.test, list(data.targets)
    steps = min(intervals.horizon, starts.truth.shape[1])
    ends = intervals.around(predict(starts), LEVELS, starts.series)
    levels = {}
    for level, (low, high) in ends.items():
        part = (low[:, :steps, chosen], high[:, :steps, chosen])
        measured = coverage_of(part, starts.truth[:, :steps, chosen], starts.n_eff)
        columns = measured.by_step.T.tolist()
        levels[str(level)] = {
            **dict(zip(("value", "low", "high"), measured.mean, strict=True)),
            "by_step": dict(zip(("value", "low", "high"), columns, strict=True)),
        }
    return {"n_eff": starts.n_eff, "levels": levels}


def predict_by(of: Source | str, folder: StudyFolder, data: Data | None, device: str = "cpu") -> Predict:
    """Return the forecasts of networks, or of a baseline with the settings that were chosen for the study.

    Args:
        of: the networks, or the name of the baseline.
        folder: of the study.
        data: of the study; None: networks of a fit forecast, which need none.
        device: that computes.

    Raises:
        StoreError: baselines.json has no settings of the baseline.
    """
    if not isinstance(of, str):
        return predict_of(ensemble_of(of, data, device))
    name = of
    assert data is not None
    try:
        settings = folder.baselines()[name]["settings"]
    except KeyError as error:
        raise StoreError(f"{folder.path / 'baselines.json'} is damaged: no settings of {name!r}") from error

    def predict(starts: Starts) -> Array:
        with BASELINES.running(name):
            return BASELINES[name].fit(data, settings)(starts, starts.truth.shape[1])

    return predict


def _document(data: Data, wanted: list[dict[str, Any]], predicts: list[Predict]) -> dict[str, Any]:
    """Return intervals.json."""
    entries = [
        {"of": of, **({} if data.calibration is None else calibrated(predict, data).document())}
        for of, predict in zip(wanted, predicts, strict=True)
    ]
    starts = data.calibration
    return {
        "format": FORMAT,
        "n": 0 if starts is None else len(starts.position),
        "horizon": None if starts is None else starts.truth.shape[1],
        "channels": list(data.channels),
        "series": list(data.trained_series),
        "forecasters": entries,
    }
