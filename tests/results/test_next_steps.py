"""What to do next: which steps a study gets, in which order, and that their commands are understood as printed."""

import shlex
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from sweep.cli.main import main
from sweep.config.ranges import IntUniform, LogUniform, OneMinusLog, Uniform
from sweep.config.study_file import overridden, study_from_document
from sweep.diagnosis.finding import Change, Finding
from sweep.results.commands import changed_run_command, commands_run, study_command
from sweep.results.contest import Contender, Contest
from sweep.results.next_steps import _widened, next_steps
from sweep.results.study import read_study
from sweep.results.verdict import Verdict
from sweep.results.wording.next_steps import next_step_text
from sweep.store.folder import StudyFolder
from sweep.study.components import known_names

NETWORK = Contender("configuration", "trial 0", 0.1, 50.0, 0, "gru")
AR = Contender("baseline", "ar", 0.2, 40.0)
CONFIRMED = {
    "top": 3, "seeds": 3, "verdict": "winner", "leader": 0, "equals": [], "arms": [{"number": n} for n in (0, 1, 2)]
}  # fmt: skip
TIED = {**CONFIRMED, "verdict": "tied", "equals": [2]}


@pytest.fixture(scope="module")
def stored(study):
    """A finished study of made trials that is not confirmed, without diagnoses."""
    read = read_study(study)
    settled = tuple(record for record in read.records if record.settled)
    return replace(read, records=settled, confirmation=None, diagnoses={})


def quiet(**found):
    """Findings of checks that found nothing but what is given: evidence by code, as issues."""
    codes = ("near_bound", "budget_is_the_limit", "horizon_too_long")
    return {
        code: Finding(code, "issue" if code in found else "ok", "", found.get(code, {})) for code in codes
    }


def steps(study, kind="configuration", **found):
    use = {"configuration": NETWORK, "baseline": AR, "nothing": AR, "unknown": None}[kind]
    contest = Contest("validation", 0, NETWORK, (AR,))
    return next_steps(study, Verdict(kind, contest, use, None, None), quiet(**found))


def codes(*args, **kwargs):
    return [step.code for step in steps(*args, **kwargs)]


def diagnosis(*findings):
    return SimpleNamespace(code="S05", findings=findings)


def cause(path="training.clip", value=1.0, severity="issue", code="C06"):
    return Finding(code, severity, "", {}, "a cause", 0.9, ((Change(path, value),),))


ALL = {
    "near_bound": {"ends": {"adam.lr": "high"}},
    "budget_is_the_limit": {"longer": True},
    "horizon_too_long": {"skill": 0.1},
}


def test_a_study_that_has_not_ended_is_resumed_and_nothing_else(stored):
    assert codes(replace(stored, winner=None), **ALL) == ["resume"]


def test_a_selected_score_is_confirmed_before_it_is_used(stored):
    assert codes(stored) == ["confirm", "forecast"]


def test_a_confirmed_configuration_is_used_first(stored):
    assert codes(replace(stored, confirmation=CONFIRMED)) == ["forecast", "export"]
    assert codes(replace(stored, confirmation=CONFIRMED), **ALL) == ["forecast", "wider", "longer"]


def test_a_forecast_names_the_inputs_that_it_needs(stored):
    assert "--known" not in next_step_text(steps(stored)[-1])
    data = {**stored.document["data"], "static": ["size"]}
    facts = {**stored.facts, "data": {"known": ["valve", "size"]}}
    driven = replace(stored, document={**stored.document, "data": data, "record": facts})
    assert driven.inputs_ahead == ("valve",) and driven.driven
    text = next_step_text(steps(driven)[-1])
    assert "It needs valve of each step: add --known FILE" in text


def test_never_more_than_three(stored):
    for kind in ("configuration", "baseline", "nothing"):
        for confirmation in (None, CONFIRMED, TIED):
            assert len(steps(replace(stored, confirmation=confirmation), kind, **ALL)) == 3


def test_a_tie_asks_for_more_seeds_of_the_same_configurations_where_they_matter(stored):
    tied = replace(stored, confirmation=TIED)
    (step,) = [step for step in steps(tied) if step.code == "seeds"]
    assert step.command.startswith("sweep confirm sine --top 3 --seeds 6")
    assert "Trials 0 and 2 are not distinguishable on 3 fresh seeds" in next_step_text(step)
    assert "seeds" not in codes(tied, "baseline")
    few = replace(tied, document={**tied.document, "record": {**tied.facts, "n_eff_validation": 3}})
    assert "seeds" not in codes(few)


def test_a_beaten_network_is_treated_once(stored):
    sick = replace(stored, confirmation=CONFIRMED, diagnoses={0: diagnosis(cause())})
    assert codes(sick, "baseline") == ["treat", "forecast"]
    assert "treat" not in codes(sick)
    assert "treat" not in codes(replace(sick, treatments=({"number": 0, "arms": []},)), "baseline")
    muted = {**sick.document, "diagnosis": {"mute": ["C06"]}}
    assert "treat" not in codes(replace(sick, document=muted), "baseline")
    bare = diagnosis(replace(cause(), prescriptions=()))
    assert "treat" not in codes(replace(sick, diagnoses={0: bare}), "baseline")


def test_scaling_by_series_comes_first_where_most_trials_need_it(stored):
    needed = {n: diagnosis(cause("data.scaling", "series", code="C11")) for n in range(2)}
    other = {n: diagnosis(cause()) for n in range(2, 4)}
    assert codes(replace(stored, diagnoses=needed | other))[0] == "scaling"
    assert "scaling" not in codes(replace(stored, diagnoses=needed | other | {4: diagnosis()}))


def test_where_nothing_beats_a_trivial_forecast_none_is_made(stored):
    assert codes(replace(stored, confirmation=CONFIRMED), "nothing") == []
    (step,) = steps(replace(stored, confirmation=CONFIRMED), "nothing", horizon_too_long={"skill": 0.1})
    assert step.code == "shorter" and "score.horizon=200" in step.command


def test_a_study_without_a_score_shows_a_failure(stored):
    failed = replace(stored, records=(replace(stored.records[3], state="failed"),))
    (step,) = steps(failed, "unknown")
    assert step.command.startswith("sweep show 3 sine")


def test_a_budget_of_its_own_is_the_one_that_grows(stored):
    record = stored.records[0]
    config = {
        **record.config,
        "training": {**record.config["training"], "readout_refit": "always", "budget": 500},
    }
    own = {**stored.document, "space": {"readout_refit": {"always": {"budget": 500}, "end": {}}}}
    study = replace(stored, document=own, records=(replace(record, config=config),), confirmation=CONFIRMED)
    (step,) = [step for step in steps(study, budget_is_the_limit={"longer": True}) if step.code == "longer"]
    assert "--set space.readout_refit.always.budget=1500" in step.command


@pytest.mark.parametrize(
    ("span", "up", "wanted"),
    [
        (LogUniform(1e-3, 0.1), True, LogUniform(1e-3, 1.0)),
        (LogUniform(1e-3, 0.1), False, LogUniform(1e-4, 0.1)),
        (OneMinusLog(0.0, 0.99), True, OneMinusLog(0.0, 0.999)),
        (OneMinusLog(0.0, 0.99), False, None),
        (IntUniform(4, 16), True, IntUniform(4, 32)),
        (IntUniform(1, 16), False, None),
        (Uniform(0.0, 0.5), True, None),
    ],
    ids=["log-up", "log-down", "log1m-up", "log1m-down", "int-up", "int-down", "linear"],
)
def test_a_range_grows_at_the_bound(span, up, wanted):
    assert _widened(span, up) == wanted


def test_every_command_is_understood_as_it_is_printed(stored):
    sick = replace(stored, diagnoses={0: diagnosis(cause()), 1: diagnosis(cause("data.scaling", "series"))})
    shown = {
        step.code: step
        for study in (sick, replace(sick, confirmation=TIED), replace(sick, winner=None))
        for kind in ("configuration", "baseline", "nothing")
        for found in (ALL, {key: ALL[key] for key in list(ALL)[1:]}, {key: ALL[key] for key in list(ALL)[2:]})
        for step in steps(study, kind, **found)
    }
    assert {"confirm", "seeds", "wider", "longer", "shorter", "treat", "scaling", "resume"} <= set(shown)
    for step in shown.values():
        program, name, *words = shlex.split(step.command)
        assert program == "sweep" and next_step_text(step).endswith(".")
        if name not in ("forecast", "export"):
            main.commands[name].make_context(name, words)
        if name == "run" and step.code != "resume":
            settings = [words[k + 1] for k, word in enumerate(words) if word == "--set"]
            study_from_document(overridden(stored.document, settings), known_names(), "study.toml")


def test_a_folder_of_another_place_and_a_hostile_name_are_quoted(stored, tmp_path):
    odd = replace(stored, folder=StudyFolder(tmp_path / "a b'; rm x"))
    words = shlex.split(study_command(odd.folder, "show", 3, ...))
    assert words == ["sweep", "show", "3", "a b'; rm x", "--results", str(tmp_path)]
    words = shlex.split(changed_run_command(odd, "longer", {"training.budget": 6e6}))
    assert words[2:5] == [str(tmp_path / "a b'; rm x" / "study.toml"), "--name", "a b'; rm x-longer"]
    assert "training.budget=6000000" in words
    here = replace(stored, folder=StudyFolder(Path("results/sine")))
    assert study_command(here.folder, "confirm") == "sweep confirm sine"


def test_reproduce_has_what_was_run(stored):
    facts = {**stored.facts, "source": "my.toml", "overrides": ["a.b=[1, 2]"]}
    document = {**stored.document, "record": facts, "confirm": {"top": 3, "seeds": 5}}
    document["plugins"] = {"optimizer adamax": "mine.py sha256:0123", "cell x": "sweep-x 1.0"}
    treatment = {
        "number": 4, "seeds": 5,
        "arms": [
            {"kind": "unchanged"},
            {"kind": "prescription", "prescription": 2, "changes": []},
            {"kind": "prescription", "prescription": None, "changes": [{"path": "training.clip", "value": 0.5}]},
        ],
    }  # fmt: skip
    study = replace(
        stored,
        document=document,
        treatments=(treatment,),
        audit={"trials": [1, 2]},
        folder=StudyFolder(stored.folder.path),
    )
    run, treat, audit = commands_run(study)
    folder = str(stored.folder.path.parent)
    assert shlex.split(run) == [
        "sweep", "run", "my.toml", "--trials", str(len(stored.records)), "--name", "sine",
        "--set", "a.b=[1, 2]", "--plugin", "mine.py", "--no-confirm", "--results", folder,
    ]  # fmt: skip
    assert "sweep treat 4 sine --seeds 5 --prescription 2" in treat and "--change training.clip=0.5" in treat
    assert "sweep audit sine --trials 2" in audit
    more = commands_run(replace(study, confirmation={**CONFIRMED, "top": 4}))
    assert "--no-confirm" not in more[0] and "sweep confirm sine --top 4 --seeds 3" in more[1]
    same = commands_run(replace(study, confirmation={**CONFIRMED, "top": 3, "seeds": 5}))
    assert len(same) == 3
