"""A fit and its updates as commands: what is trained, kept, reused after a kill, refused and reported."""

import hashlib
import json
import shutil
from pathlib import Path
from statistics import median

import numpy as np
import pandas as pd
import pytest
import torch

import sweep
from sweep.config.data_section import DataConfig
from sweep.config.errors import DataError, StoreError, StudyChanged, SweepError, UsageError
from sweep.config.records import to_json
from sweep.config.seeds import fresh_seeds
from sweep.config.trial import trial_config_from_json
from sweep.data import load
from sweep.forecast import ensemble_of, networks_of
from sweep.forecast.update import _data_config
from sweep.results.fits import fit_folder, latest_fit, stored_fits
from sweep.search import Interrupts, Outcome
from sweep.search.tasks import Functions
from sweep.store import StudyFolder
from sweep.study.open_study import open_study
from sweep.trial import run_segment
from sweep.trial.checkpoint import read_checkpoint
from sweep.trial.inputs import data_of
from tests.forecast.conftest import table
from tests.support.command_line import invoke
from tests.support.disturbances import WRITES, Mortality
from tests.support.documentation import undocumented

INLINE = {"executor": "inline"}


def copied(folder: StudyFolder, place: Path, best: bool = True) -> StudyFolder:
    """Return a copy of a study in a results folder of its own; with `best` its network beats every baseline."""
    copy = StudyFolder(place / "results" / folder.name)
    shutil.copytree(folder.path, copy.path)
    if best:
        for name, key in (("baselines", "baselines"), ("winner", "baselines_test")):
            document = copy.read_document(name)
            worse = {one: {**entry, "rollout_error": 0.999} for one, entry in document[key].items()}
            copy.write_document(name, {**document, key: worse})
    return copy


def fit(folder: StudyFolder, **settings):
    return sweep.fit(folder.name, results=folder.path.parent, **{**INLINE, **settings})


def weights(folder: StudyFolder, number: int) -> dict[str, torch.Tensor]:
    return read_checkpoint(fit_folder(folder).weights(number))["state_dict"]


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(tensor, other[name]) for name, tensor in one.items())


@pytest.fixture(scope="module")
def fitted(folder, tmp_path_factory) -> StudyFolder:
    """A study whose named configuration is fitted on two seeds; tests only read it."""
    copy = copied(folder, tmp_path_factory.mktemp("fit"))
    fit(copy, seeds=2)
    return copy


@pytest.fixture
def own(fitted, tmp_path) -> StudyFolder:
    """A copy of that study, to write in."""
    copy = copied(fitted, tmp_path, best=False)
    return copy


@pytest.fixture
def more(tmp_path) -> Path:
    """The file of the study, with twenty more samples of each series."""
    table(420).to_csv(tmp_path / "more.csv", index=False)
    return tmp_path / "more.csv"


# --- a fit --------------------------------------------------------------------------------------------


def test_the_named_configuration_is_trained_on_fresh_seeds(fitted):
    (entry,) = stored_fits(fitted)
    winner = fitted.read_document("winner")["number"]
    assert (entry["number"], entry["trainings"], entry["left_out"], entry["scored"]) == (
        winner,
        [0, 1],
        0,
        False,
    )
    study = trial_config_from_json(fitted.record(winner).config)
    below = fit_folder(fitted)
    for number, seed in enumerate(fresh_seeds(0, "fit", 2)):
        record = below.record(number)
        assert (record.state, record.rollout_error, record.best) == ("complete", None, None)
        config = trial_config_from_json(record.config)
        assert config.seed == seed
        assert config.model_copy(update={"fitted": None}).key == study.key
        assert not (below.trial(number) / "rollout.npz").exists()
        assert not (below.trial(number) / "rollout.png").exists()


def test_its_choices_are_those_of_the_confirmed_networks(fitted):
    (entry,) = stored_fits(fitted)
    below = StudyFolder(fitted.path / "confirm")
    records = [below.record(number) for number in entry["from"]["trainings"]]
    assert entry["from"]["basis"] == "confirmed" and len(records) == 2
    shares = []
    for record in records:
        errors = [evaluation.scores.rollout_error for evaluation in record.evaluations]
        steps = record.evaluations[errors.index(min(errors))].sequence_steps
        shares.append(min(1.0, steps / record.config["training"]["budget"]))
    assert entry["share"] == median(shares)
    assert entry["ridge"] is None and entry["lowered_at"] == []


def test_a_change_of_the_last_test_sample_changes_a_fit_and_no_trial(fitted, tmp_path):
    frame = table()
    frame.iloc[-1, frame.columns.get_loc("y")] += 1.0
    frame.to_csv(tmp_path / "two.csv", index=False)
    record, trial = fit_folder(fitted).record(0), fitted.record(latest_fit(fitted)["number"])
    results = {}
    for name, stored in (("fit", record), ("trial", trial)):
        config = trial_config_from_json(stored.config)
        if config.fitted is not None:
            config = config.model_copy(
                update={"fitted": config.fitted.model_copy(update={"fingerprint": ""})}
            )
        other = config.model_copy(
            update={"data": config.data.model_copy(update={"path": str(tmp_path / "two.csv")})}
        )
        both = [read_checkpoint(run_segment(one, None, 0).checkpoint) for one in (config, other)]
        results[name] = torch.equal(*(state["trainer"]["weights"] for state in both))
    assert results == {"fit": False, "trial": True}


def test_its_data_are_all_samples(fitted):
    (entry,) = stored_fits(fitted)
    assert entry["data"]["samples"] == len(table()) == 800
    assert entry["windows"] == {"count": 32, "steps": 24}  # 399 differences of each series


def test_a_second_call_trains_only_further_seeds(own):
    before = [weights(own, number) for number in (0, 1)]
    points = []

    def segment(config, checkpoint, point):
        points.append(config.seed)
        return run_segment(config, checkpoint, point)

    done = fit(own, seeds=3, functions=Functions(segment))
    assert done.fit["trainings"] == [0, 1, 2] and set(points) == {fresh_seeds(0, "fit", 3)[2]}
    assert all(same(old, weights(own, number)) for number, old in enumerate(before))
    assert len(stored_fits(own)) == 1


@pytest.mark.parametrize("seed", range(3))
def test_a_kill_at_any_moment_changes_no_bit(folder, fitted, tmp_path, monkeypatch, seed):
    copy = copied(folder, tmp_path)
    mortality = Mortality(monkeypatch, WRITES, seed)
    done = None
    while done is None:
        done = mortality.attempt(lambda: fit(copy, seeds=2), most=12)
    assert mortality.deaths
    assert done.fit == latest_fit(fitted)
    for number in (0, 1):
        assert same(weights(copy, number), weights(fitted, number))
        one, other = (fit_folder(each).record(number) for each in (copy, fitted))
        assert to_json(one.evaluations) == to_json(other.evaluations)


def test_an_interrupted_fit_is_not_stored_and_resumes(folder, fitted, tmp_path):
    copy, interrupts = copied(folder, tmp_path), Interrupts()

    def segment(config, checkpoint, point):
        interrupts.requests = 1
        return run_segment(config, checkpoint, point)

    stopped = fit(copy, seeds=2, interrupts=interrupts, functions=Functions(segment))
    assert stopped.outcome is Outcome.INTERRUPTED and stopped.fit is None and stored_fits(copy) == []
    assert fit(copy, seeds=2).fit == latest_fit(fitted)


def test_networks_that_failed_are_left_out(folder, tmp_path):
    copy = copied(folder, tmp_path)
    lost = set(fresh_seeds(0, "fit", 1))

    def segment(config, checkpoint, point):
        if config.seed in lost:
            raise MemoryError
        return run_segment(config, checkpoint, point)

    done = fit(copy, seeds=2, functions=Functions(segment))
    assert (done.fit["trainings"], done.fit["left_out"]) == ([1], 1)
    assert len(networks_of(copy, fitted=True).trainings) == 1
    again = copied(folder, tmp_path / "again")
    with pytest.raises(SweepError, match="no network was trained to its end on all data: out of memory"):
        fit(again, seeds=1, functions=Functions(segment))
    assert stored_fits(again) == []


def test_a_trial_that_was_not_confirmed_decides_for_itself(folder, tmp_path):
    copy = copied(folder, tmp_path)
    confirmation = copy.read_document("confirmation")
    other = 1 - copy.read_document("winner")["number"]
    kept = [arm for arm in confirmation["arms"] if arm["number"] != other]
    copy.write_document("confirmation", {**confirmation, "arms": kept})
    entry = fit(copy, seeds=1, trial=other).fit
    assert entry["number"] == other and entry["from"] == {"basis": "selected", "trainings": [other]}
    record = copy.record(other)
    copy.write_record(record.__class__(**{**vars(record), "state": "pruned"}))
    with pytest.raises(
        UsageError, match=f"trial {other} is pruned: only a trial that was trained to its end"
    ):
        fit(copy, seeds=1, trial=other)


# --- networks that forecast -----------------------------------------------------------------------------


def test_the_networks_forecast_with_the_coding_of_all_data(fitted):
    source = networks_of(fitted, fitted=True)
    assert (source.number, source.basis, len(source.trainings)) == (latest_fit(fitted)["number"], "fitted", 2)
    config = source.trainings[0][0]
    whole, study = data_of(config), load(config.data, config.score)
    ensemble = ensemble_of(source, study)
    np.testing.assert_array_equal(ensemble.coding.mean, whole.codec.mean)
    assert not np.array_equal(ensemble.coding.mean, study.codec.mean)
    starts = study.test
    forecasts = ensemble.forecasts(starts.past, starts.known, starts.series)
    assert forecasts.shape == (2, *starts.truth.shape) and np.isfinite(forecasts).all()
    assert networks_of(fitted).basis == "confirmed"


def test_networks_that_are_not_fitted_are_refused(folder, fitted):
    with pytest.raises(
        UsageError, match="two has no networks that were trained on all data: sweep fit two trains"
    ):
        networks_of(folder, fitted=True)
    other = 1 - latest_fit(fitted)["number"]
    with pytest.raises(
        UsageError,
        match=f"two has no networks of trial {other} .*: sweep fit two --trial {other} trains them",
    ):
        networks_of(fitted, other, fitted=True)


def test_damaged_files_are_refused(own):
    below = fit_folder(own)
    path = below.trial(0) / "coding.json"
    path.write_text('{"channels": ["y"]}')
    with pytest.raises(StoreError, match=f"{path} is damaged: targets: Field required; remove its folder"):
        networks_of(own, fitted=True)
    (below.path / "fit.json").write_text('{"fit": []}')
    with pytest.raises(StoreError, match=r"fit\.json is damaged: fits: Field required; remove it, and"):
        stored_fits(own)


# --- an update ------------------------------------------------------------------------------------------


def test_an_update_continues_from_the_stored_weights_with_the_stored_scaling(own, more):
    before = [weights(own, number) for number in (0, 1)]
    old = latest_fit(own)
    entry = fit(own, update=True, data=more).fit
    assert [old, entry] == stored_fits(own)
    assert (entry["trainings"], entry["begins"], entry["share"]) == ([2, 3], old["key"], 0.2)
    assert entry["from"] == {"basis": "fitted", "trainings": [0, 1]} and entry["data"]["samples"] == 840
    below = fit_folder(own)
    for number, parent in ((2, 0), (3, 1)):
        config = trial_config_from_json(below.record(number).config)
        assert config.training.budget == 0.2 * old["budget"] and config.fitted.stop == 1.0
        begin = config.fitted.begin_of(config.seed)
        assert begin.digest == hashlib.sha256(below.weights(parent)).hexdigest()
        assert config.seed == below.record(parent).config["seed"]
        assert same(weights(own, parent), before[parent]) and not same(weights(own, number), before[parent])
        assert below.coding(number) == below.coding(parent)
    assert [config.seed for config, _ in networks_of(own, fitted=True).trainings] == list(
        fresh_seeds(0, "fit", 2)
    )


def test_data_that_the_networks_have_seen_train_nothing(own, more):
    messages = []
    entry = fit(own, update=True, watch=lambda event: messages.append(getattr(event, "text", ""))).fit
    assert entry == latest_fit(own) and len(stored_fits(own)) == 1
    assert "the latest networks were trained on these data: nothing to train" in messages
    first = fit(own, update=True, data=more, share=0.1).fit
    assert fit(own, update=True, data=more).fit == first and len(stored_fits(own)) == 2


def test_a_file_that_has_grown_updates_the_fit(own):
    path = Path(trial_config_from_json(own.record(0).config).data.path)
    content = path.read_bytes()
    try:
        table(410).to_csv(path, index=False)
        entry = fit(own, update=True, share=0.1).fit
        assert (entry["data"]["samples"], entry["share"]) == (820, 0.1)
        with pytest.raises(
            StudyChanged, match="do not begin with those of the study two: their first 800 rows differ"
        ):
            fit(own, seeds=3)
    finally:
        path.write_bytes(content)


def test_a_table_updates_the_fit(own, more):
    entry = fit(own, update=True, data=pd.read_csv(more, parse_dates=["ds"]), share=0.1).fit
    assert entry["data"]["samples"] == 840
    assert Path(entry["data"]["name"]).parent == fit_folder(own).path.resolve()


def test_an_update_after_an_update_continues_from_it(own, more, tmp_path):
    table(430).to_csv(tmp_path / "most.csv", index=False)
    first = fit(own, update=True, data=more, share=0.1).fit
    second = fit(own, update=True, data=tmp_path / "most.csv", share=0.1).fit
    assert second["begins"] == first["key"] and second["from"]["trainings"] == first["trainings"] == [2, 3]
    assert second["budget"] == first["budget"] == latest_fit(own)["budget"]


def test_a_killed_update_changes_no_bit(own, fitted, more, tmp_path, monkeypatch):
    other = copied(fitted, tmp_path / "other", best=False)
    fit(other, update=True, data=more)
    mortality, done = Mortality(monkeypatch, WRITES, 1), None
    while done is None:
        done = mortality.attempt(lambda: fit(own, update=True, data=more), most=8)
    assert mortality.deaths
    assert all(same(weights(own, number), weights(other, number)) for number in (2, 3))


def test_data_that_change_while_an_update_is_stopped_do_not_mix(own, more):
    mixed = []

    def segment(config, checkpoint, point):
        mixed.append(config.fitted.fingerprint)
        if len(mixed) == 3:
            raise KeyboardInterrupt
        return run_segment(config, checkpoint, point)

    with pytest.raises(KeyboardInterrupt):
        fit(own, update=True, data=more, functions=Functions(segment))
    table(440).to_csv(more.with_name("longer.csv"), index=False)
    more.with_name("longer.csv").replace(more)
    entry = fit(own, update=True, data=more).fit
    records = [fit_folder(own).record(number) for number in entry["trainings"]]
    assert {trial_config_from_json(record.config).fitted.fingerprint for record in records} == {
        entry["data"]["fingerprint"]
    }
    assert entry["data"]["fingerprint"] not in mixed and entry["data"]["samples"] == 880


# --- refusals and reports -------------------------------------------------------------------------------


def test_where_the_verdict_is_a_baseline_only_a_named_trial_is_fitted(folder, tmp_path):
    copy = copied(folder, tmp_path)
    number = copy.read_document("winner")["number"]
    for name, key in (("baselines", "baselines"), ("winner", "baselines_test")):
        document = copy.read_document(name)
        document[key]["arx"]["rollout_error"] = 0.0001
        copy.write_document(name, document)
    with pytest.raises(
        UsageError, match=f"^Use arx: .* To fit the network all the same: sweep fit two --trial {number}"
    ):
        fit(copy)
    assert stored_fits(copy) == []
    assert fit(copy, seeds=1, trial=number).fit["number"] == number


def test_a_study_that_names_no_configuration_is_refused(folder, tmp_path):
    copy = copied(folder, tmp_path)
    (copy.path / "winner.json").unlink()
    with pytest.raises(UsageError, match="two has not named a configuration yet: sweep confirm two does it"):
        fit(copy)


@pytest.mark.parametrize(
    ("settings", "error", "why"),
    [
        (
            {"update": True, "seeds": 3},
            UsageError,
            "an update trains every network of the latest fit: drop --seeds",
        ),
        (
            {"data": "few.csv"},
            StudyChanged,
            r"few\.csv, series 'north' has 20 rows instead of 400 or more. Restore",
        ),
        ({"share": 0.1}, UsageError, "--share needs --update: a fit has the budget of its study"),
        ({"seeds": 0}, ValueError, "needs at least one seed, got seeds=0"),
        (
            {"update": True, "share": 1.5},
            ValueError,
            r"needs a share of the budget in \(0, 1\], got share=1.5",
        ),
        ({"trial": 9}, StoreError, "no trial 9 in"),
        (
            {"update": True, "trial": 9},
            UsageError,
            "two has no networks of trial 9 that were trained on all data",
        ),
        ({"update": True, "data": "no.csv"}, DataError, r"no\.csv: no such file"),
        ({"update": True, "data": "few.csv"}, DataError, "training.window = 24 needs 25 samples in a row"),
    ],
    ids=[
        "seeds",
        "data",
        "share",
        "no seed",
        "whole share",
        "no trial",
        "not fitted",
        "no file",
        "few samples",
    ],
)
def test_what_cannot_be_fitted_is_refused(own, tmp_path, monkeypatch, settings, error, why):
    monkeypatch.chdir(tmp_path)
    table(20).to_csv("few.csv", index=False)
    with pytest.raises(error, match=why):
        fit(own, **settings)
    assert len(stored_fits(own)) == 1


def test_a_source_has_no_new_data(own):
    study = open_study("two", own.path.parent, stored=True)
    sine = DataConfig(source="sine")
    with pytest.raises(UsageError, match="come from source 'sine', which makes no new ones: sweep fit two"):
        _data_config(sine, None, study)
    other = _data_config(sine, Path("new.csv"), study)
    assert (other.source, other.path) == (None, str(Path("new.csv").resolve()))


def test_the_command_prints_and_the_report_has_a_line(own, more):
    place = ["--results", str(own.path.parent), "--executor", "inline"]
    shown = invoke("fit", "two", "--seeds", "2", *place)
    number = latest_fit(own)["number"]
    text = " ".join(shown.stdout.split())
    assert shown.exit_code == 0, shown.stderr
    share = f"{latest_fit(own)['share']:.0%}"
    line = (
        f"Fit of trial {number}: 2 networks, trained on all 800 samples, {share} of the budget; not scored."
    )
    assert line in text
    assert (
        "The choices of validation are replaced by the median choices of 2 networks of fresh seeds." in text
    )
    updated = invoke("fit", "two", "--update", "--data", str(more), "--share", "0.1", "--json", *place)
    document = json.loads(updated.stdout)
    assert document == latest_fit(own)
    assert "updating: trial" in updated.stderr and "complete: not scored" in updated.stderr
    keys = {*document, *document["from"], *document["data"], *document["windows"]}
    assert undocumented(keys, "report.md", "A fit") == []
    assert undocumented({"fit"}, "report.md", "report.json") == []
    report = invoke("report", "two", "--results", str(own.path.parent))
    done = "updated with the 840 samples of more.csv, 10% of the budget; not scored."
    line = f"Fit of trial {number}: 2 networks, {done}"
    assert line in " ".join(report.stdout.split())
    assert line in (own.path / "report/index.html").read_text(encoding="utf-8")
    stored = json.loads((own.path / "report/report.json").read_text(encoding="utf-8"))
    assert stored["fit"] == document


def test_a_report_without_a_fit_has_no_such_line(folder, tmp_path):
    copy = copied(folder, tmp_path)
    report = invoke("report", "two", "--results", str(copy.path.parent))
    assert "Fit of trial" not in report.stdout
    assert "Fit of trial" not in (copy.path / "report/index.html").read_text(encoding="utf-8")
