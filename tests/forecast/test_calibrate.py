"""Calibration and coverage of a study's forecasters: stored once, resumed, and read."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import sweep
from sweep.config.errors import StoreError
from sweep.data import load
from sweep.forecast import calibrate as module
from sweep.forecast import ensemble_of, networks_of
from sweep.forecast.calibrate import calibrated, forecasters_of, identity, intervals_of, predict_of
from sweep.forecast.ensemble import combined
from sweep.results.document import report_document
from sweep.results.wording.intervals import NOT_MEASURED, intervals_text
from sweep.score.baselines.table import BASELINES
from sweep.store import StudyFolder


@pytest.fixture
def copy(folder, tmp_path) -> StudyFolder:
    shutil.copytree(folder.path, tmp_path / "results" / "two")
    return StudyFolder(tmp_path / "results" / "two")


def again(copy: StudyFolder, **settings):
    return sweep.confirm("two", **{"top": 2, "seeds": 2, "results": copy.path.parent, **settings})


@pytest.fixture
def readings(monkeypatch) -> list[str]:
    """Return the parts of the data whose forecasts were computed, as they are read."""
    read: list[str] = []
    predict = module._predict

    def counted(study, of, data):
        made = predict(study, of, data)

        def one(starts):
            read.append("test" if starts is data.test else "calibration")
            return made(starts)

        return one

    monkeypatch.setattr(module, "_predict", counted)
    return read


def test_the_stored_intervals_are_the_order_statistics_of_the_networks(folder):
    source = networks_of(folder)
    intervals, reason = intervals_of(folder, source)
    assert reason is None
    config = source.trainings[0][0]
    data = load(config.data, config.score, calibrated=True)
    starts = data.calibration
    made = combined(ensemble_of(source, data).forecasts(starts.past, starts.known, starts.series))
    errors = np.sort(np.abs(made - starts.truth) / starts.std[:, None], axis=0)
    assert intervals.n == len(starts.position) == 12
    rank = intervals.ranks.index(12)  # ceil(13 * 0.9) = 12
    np.testing.assert_allclose(intervals.errors[rank], errors[11], rtol=1e-5)
    # each series in its own units: the training statistics of data units, in the rows of the coding
    np.testing.assert_allclose(intervals.std[:2], [values.std(axis=0) for values in data.train_raw])
    forecast = np.zeros((2, 12, 2))
    low, high = intervals.around(forecast, [90], np.array([0, 1]))[90]
    np.testing.assert_allclose(high - low, 2 * errors[11] * intervals.std[:2, None], rtol=1e-5)


def test_coverage_is_measured_on_test_and_stored_beside_the_looks(folder):
    source, winner = networks_of(folder), folder.read_document("winner")
    intervals, _ = intervals_of(folder, source)
    entry = next(one for one in winner["coverage"] if one["of"] == identity(source))
    config = source.trainings[0][0]
    data = load(config.data, config.score, calibrated=True)
    ends = intervals.around(predict_of(ensemble_of(source, data))(data.test), [50], data.test.series)
    inside = (ends[50][0] <= data.test.truth) & (data.test.truth <= ends[50][1])
    assert entry["n_eff"] == data.test.n_eff
    assert set(entry["levels"]) == {"50", "80", "90"}
    assert entry["levels"]["50"]["value"] == pytest.approx(inside[..., 0].mean())  # y is the target, z is not
    assert entry["levels"]["50"]["by_step"]["value"] == pytest.approx(inside[..., 0].mean(axis=0).tolist())
    assert inside[..., 0].mean() != inside[..., 1].mean()
    for level in entry["levels"].values():
        assert level["low"] <= level["value"] <= level["high"]


def test_test_is_read_once(copy, readings):
    before = copy.read_document("winner")
    assert again(copy).winner == before
    assert readings == []


def test_a_confirmation_without_intervals_gets_them(copy, readings):
    whole, winner = copy.read_document("intervals"), copy.read_document("winner")
    (copy.path / "intervals.json").unlink()
    copy.write_document("winner", {key: value for key, value in winner.items() if key != "coverage"})
    assert intervals_of(copy, networks_of(copy)) == (None, NOT_MEASURED)
    assert report_document(copy)["intervals"] is None
    after = again(copy).winner
    assert {**after, "coverage": []} == {**winner, "coverage": []}
    assert [one["of"] for one in after["coverage"]] == [identity(of) for of in forecasters_of(copy)]
    assert all(one in winner["coverage"] for one in after["coverage"])
    assert copy.read_document("intervals") == whole
    assert readings.count("test") == len(whole["forecasters"])


def test_a_stop_before_the_coverage_is_resumed(copy, readings):
    winner = copy.read_document("winner")
    own = identity(networks_of(copy))
    others = [one for one in winner["coverage"] if one["of"] != own]
    assert len(others) == len(winner["coverage"]) - 1
    copy.write_document("winner", {**winner, "coverage": others})
    again(copy)
    after = copy.read_document("winner")["coverage"]
    assert after[:-1] == others and after[-1] in winner["coverage"]
    assert readings == ["test"]


def test_lost_intervals_are_calibrated_again_without_a_look_at_test(copy, readings):
    whole = copy.read_document("intervals")
    (copy.path / "intervals.json").unlink()
    again(copy)
    assert copy.read_document("intervals") == whole
    assert "test" not in readings and readings


def test_more_seeds_are_other_networks(copy):
    before = copy.read_document("winner")["coverage"]
    again(copy, seeds=3)
    source = networks_of(copy)
    assert len(source.trainings) == 3
    assert intervals_of(copy, source)[0] is not None
    after = copy.read_document("winner")["coverage"]
    assert after[: len(before)] == before and identity(source) in [one["of"] for one in after[len(before) :]]


def test_another_trial_has_no_intervals(folder):
    source = networks_of(folder)
    assert intervals_of(folder, replace(source, number=1 - source.number)) == (None, NOT_MEASURED)


def test_the_baseline_that_is_to_be_used_is_calibrated(copy):
    winner = copy.read_document("winner")
    scores = {**winner["baselines_test"]["persistence"], "rollout_error": 1e-3}
    on_test = {**winner["baselines_test"], "seasonal_naive": scores}
    copy.write_document("winner", {**winner, "baselines_test": on_test})
    assert forecasters_of(copy)[1:] == ["seasonal_naive"]
    again(copy)
    intervals, _ = intervals_of(copy, "seasonal_naive")
    config = networks_of(copy).trainings[0][0]
    data = load(config.data, config.score, calibrated=True)
    fitted = BASELINES["seasonal_naive"].fit(data, copy.baselines()["seasonal_naive"]["settings"])
    same = calibrated(lambda starts: fitted(starts, 12), data)
    np.testing.assert_allclose(intervals.errors, same.errors, rtol=1e-5)
    section = report_document(copy)["intervals"]
    assert section["forecasters"][1]["baseline"] == "seasonal_naive"
    assert "the baseline seasonal_naive cover" in intervals_text(section)


def test_damage_is_one_line(copy):
    document = copy.read_document("intervals")
    document["forecasters"][0]["ranks"] = "x"
    copy.write_document("intervals", document)
    with pytest.raises(StoreError, match=r"intervals\.json is damaged"):
        intervals_of(copy, networks_of(copy))


def study_of(place: Path, name: str, folder: StudyFolder, **changes: str) -> StudyFolder:
    """Run the study of the fixture with other values of its file, confirmed on one fresh seed."""
    shutil.copy(folder.path.parent.parent / "two.csv", place / "two.csv")
    text = (folder.path.parent.parent / "two.toml").read_text()
    for old, new in changes.items():
        line = next(line for line in text.splitlines() if line.startswith(f"{old} ="))
        text = text.replace(line, new)
    (place / f"{name}.toml").write_text(text)
    sweep.run(str(place / f"{name}.toml"), results=place, confirm=False)
    sweep.confirm(name, top=1, seeds=1, results=place)
    return StudyFolder(place / name)


@pytest.mark.slow
def test_without_samples_for_calibration_the_reason_names_the_key(folder, tmp_path):
    made = study_of(tmp_path, "plain", folder, calibration="")
    intervals, reason = intervals_of(made, forecasters_of(made)[0])
    assert intervals is None and "set data.calibration, such as 0.5" in reason
    section = report_document(made)["intervals"]
    assert section["levels"] == [] and section["reason"] == reason
    assert intervals_text(section) == f"Intervals of forecasts: {reason}."
    assert made.read_document("winner")["coverage"] == []


@pytest.mark.slow
def test_with_few_starts_only_low_levels(folder, tmp_path):
    made = study_of(tmp_path, "few", folder, calibration="calibration = 0.2")
    intervals, _ = intervals_of(made, forecasters_of(made)[0])
    assert intervals.n == 4
    assert [intervals.gives(level) for level in (50, 80, 90)] == [True, True, False]
    section = report_document(made)["intervals"]
    assert section["levels"] == [50, 80]
    assert "none of 90 %, which needs 9 calibration starts" in intervals_text(section)
    assert set(made.read_document("winner")["coverage"][0]["levels"]) == {"50", "80"}


def test_the_document_is_plain_and_documented(folder):
    document = folder.read_document("intervals")
    json.dumps(document, allow_nan=False)
    page = (Path(__file__).parents[2] / "docs" / "intervals.md").read_text(encoding="utf-8")
    entry = document["forecasters"][0]
    winner = folder.read_document("winner")
    section = report_document(folder)["intervals"]
    own = {*document, *entry, *winner["coverage"][0], *section, *section["forecasters"][0]["coverage"][0]}
    assert [name for name in sorted(own) if f"`{name}`" not in page] == []
