"""A first fit on data that have grown since the study ran: added rows are trained on, changed rows are refused."""

from pathlib import Path

import pandas as pd
import pytest
import torch

import sweep
from sweep.config.errors import StudyChanged, UsageError
from sweep.results.fits import fit_folder, latest_fit, stored_fits
from sweep.store import StudyFolder
from sweep.study.open_study import OpenStudy
from sweep.trial.checkpoint import read_checkpoint
from tests.forecast.conftest import table
from tests.forecast.test_fit import copied
from tests.support.command_line import invoke
from tests.support.disturbances import WRITES, Mortality

ADDED = 30


def grown(rows: int = 400) -> pd.DataFrame:
    """Return the table of the study with rows of each series after its end: those of its beginning once more."""
    parts = []
    for _, one in table(rows).groupby("unique_id"):
        later = one[: 400 + ADDED - rows].assign(ds=lambda frame: frame["ds"] + pd.Timedelta(hours=rows))
        parts += [one, later]
    return pd.concat(parts)


def fit(folder: StudyFolder, **settings):
    return sweep.fit(folder.name, results=folder.path.parent, seeds=1, executor="inline", **settings)


@pytest.fixture
def own(folder, tmp_path) -> StudyFolder:
    """A copy of the study, whose file is the copy's own."""
    copy = copied(folder, tmp_path)
    text = (copy.path / "study.toml").read_text()
    (copy.path / "study.toml").write_text(text.replace(str(folder.path.parents[1]), str(tmp_path)))
    table().to_csv(tmp_path / "two.csv", index=False)
    return copy


def weights(folder: StudyFolder) -> dict[str, torch.Tensor]:
    number = latest_fit(folder)["trainings"][0]
    return read_checkpoint(fit_folder(folder).weights(number))["state_dict"]


def test_the_rows_that_were_added_are_trained_on_and_said(own, tmp_path, monkeypatch):
    grown().to_csv(tmp_path / "two.csv", index=False)
    messages = []
    entry = fit(own, watch=lambda event: messages.append(getattr(event, "text", ""))).fit
    assert (entry["data"]["samples"], entry["data"]["added"]) == (860, 60)
    assert "two.csv begins with the data of the study; 60 rows added since are trained on, too" in messages
    forecast = sweep.forecast(str(own.path), fitted=True, known=grown().assign(
        ds=lambda frame: frame["ds"] + pd.Timedelta(hours=400 + ADDED)))  # fmt: skip
    assert forecast.times[0][0] == pd.Timestamp("2024-01-01") + pd.Timedelta(hours=400 + ADDED)
    assert not any("changed" in note for note in forecast.notes)

    other = copied(own, tmp_path / "other", best=False)
    grown().to_csv(tmp_path / "month.csv", index=False)
    (tmp_path / "two.csv").unlink()  # the study's own file is not read
    monkeypatch.chdir(tmp_path)
    done = invoke("fit", "two", "--seeds", "1", "--data", "month.csv", "--results", str(other.path.parent),
                  "--executor", "inline")  # fmt: skip
    assert done.exit_code == 0, done.stderr
    words = " ".join(done.stdout.split())
    assert "trained on all 860 samples, 60 of them added since the study ran" in words
    assert all(torch.equal(tensor, weights(other)[name]) for name, tensor in weights(own).items())


def test_a_killed_fit_resumes_and_does_not_mix_data(own, tmp_path, monkeypatch):
    whole = copied(own, tmp_path / "whole", best=False)
    grown().to_csv(tmp_path / "month.csv", index=False)
    fit(whole, data=tmp_path / "month.csv")
    mortality, done = Mortality(monkeypatch, WRITES, 1), None
    while done is None:
        done = mortality.attempt(lambda: fit(own, data=tmp_path / "month.csv"), most=6)
    assert mortality.deaths and done.fit == latest_fit(whole)
    assert all(torch.equal(tensor, weights(whole)[name]) for name, tensor in weights(own).items())
    monkeypatch.undo()
    second = fit(own).fit  # the study's own file is other data
    assert second["data"]["added"] == 0 and len(stored_fits(own)) == 2


@pytest.mark.parametrize("row", [0, 399, 401], ids=["training", "the end of test", "another series"])
def test_old_rows_that_differ_are_refused_in_one_line(own, tmp_path, row):
    changed = grown()
    changed.iloc[row if row < 400 else 400 + ADDED + row - 400, changed.columns.get_loc("y")] += 1e-6
    changed.to_csv(tmp_path / "month.csv", index=False)
    with pytest.raises(
        StudyChanged, match=r"the data in month\.csv do not begin .*: their first 800 rows differ"
    ) as error:
        fit(own, data=tmp_path / "month.csv")
    assert "\n" not in str(error.value)
    assert stored_fits(own) == []


def test_a_study_of_a_source_has_no_file(own, monkeypatch):
    config = OpenStudy(own.path / "study.toml", own).config
    sine = config.data.model_validate({"source": "sine"})
    monkeypatch.setattr(
        "sweep.study.open_study.OpenStudy.config", config.__class__(**{**vars(config), "data": sine})
    )
    with pytest.raises(UsageError, match="come from source 'sine', which no file continues: drop --data"):
        fit(own, data=Path("month.csv"))
