"""`sweep treat`: which arms on which seeds, what the numbers say, what is refused, and that a kill changes nothing."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import sweep
from sweep.config.changes import config_differences
from sweep.config.errors import StudyFileError, SweepError
from sweep.config.seeds import fresh_seeds
from sweep.config.trial import trial_config_from_json
from sweep.data import load
from sweep.diagnosis.finding import Change, Finding
from sweep.followup import prescriptions as prescriptions_module
from sweep.followup.prescriptions import (
    PrescriptionChoice,
    choose_prescriptions,
    numbered_prescriptions,
    own_prescription,
)
from sweep.followup.treat import treat_trial
from sweep.followup.treatment_plan import random_arm, treatment_plan
from sweep.results.wording.treatment import treatment_texts
from sweep.search import Interrupts, Message, Outcome, Workers
from sweep.search.tasks import Functions
from sweep.store import DriverLock, StudyFolder
from sweep.study.components import known_names
from sweep.study.engine import StudyChanged
from tests.support.attack import (
    FAKES,
    comparable,
    fake_finish,
    fake_scores,
    fake_segment,
    opened,
    projected,
    small_study,
    trainings,
)
from tests.support.command_line import TINY, invoke
from tests.support.disturbances import WRITES, Mortality, counting, stopping
from tests.support.documentation import undocumented

TOTAL, NUMBER = 6, 3


def finding(code, confidence, *prescriptions, severity="issue"):
    changes = tuple(
        tuple(Change(path, value) for path, value in alternative.items()) for alternative in prescriptions
    )
    return Finding(code, severity, "text", {}, f"title of {code}", confidence, changes)


WINDOW = finding("C09", 0.9, {"training.window": 24}, {"training.window": 16, "training.burn_in": 4})
CLIP = finding("C06", 0.6, {"training.clip": 1.0})
UNITS = finding("C16", 0.3, {"model.hidden": 24})
LEAK = finding("C14", 0.8)
FOUND = (WINDOW, LEAK, CLIP, UNITS)


@pytest.fixture(scope="module")
def data():
    study = small_study()
    return load(study.data, study.score)


def record_of(path, number=NUMBER):
    return StudyFolder(path).record(number)


def plan_of(path, data, *changes, study=None, findings=(), number=NUMBER):
    """The plan for changes of the user's own, each an arm."""
    chosen = tuple(
        replace(own_prescription(change), number=k if k else None) for k, change in enumerate(changes)
    ) or numbered_prescriptions(findings)
    choice = PrescriptionChoice(chosen, chosen, tuple(findings))
    return treatment_plan(study or small_study(), record_of(path, number), data, choice, known_names())


def treated(path, plan, seeds=5, functions=FAKES, workers=1, interrupts=None, draw=None, events=None):
    watch = (lambda event: None) if events is None else events.append
    study = opened(path, watch=watch, interrupts=interrupts or Interrupts(), draw=draw, functions=functions)
    return treat_trial(study, record_of(path), plan, seeds, Workers(workers, "inline"))


def trained(path):
    return trainings(StudyFolder(path).treatment(NUMBER))


# --- which arms, on which seeds -------------------------------------------------------------------------


def test_all_arms_are_trained_on_the_same_fresh_seeds_to_the_end(driven, data):
    outcome, document = treated(driven, plan_of(driven, data, findings=(WINDOW,)))
    assert outcome is Outcome.DONE
    assert [arm["kind"] for arm in document["arms"]] == [
        "unchanged",
        "prescription",
        "prescription",
        "random",
    ]
    seeds = fresh_seeds(0, f"treat {NUMBER}", 5)
    keys = {arm["key"] for arm in document["arms"]}
    assert len(keys) == 4
    assert set(trained(driven)) == {(key, seed) for key in keys for seed in seeds}
    assert document["fresh_seeds"] == list(seeds)
    own = {record.config["seed"] for record in StudyFolder(driven).records()}
    assert not own & set(seeds)
    others = {*fresh_seeds(0, f"treat {NUMBER + 1}", 5), *fresh_seeds(0, "confirm", 5)}
    assert not others & set(seeds)
    assert document["arms"][0]["key"] == trial_config_from_json(record_of(driven).config).key
    for record in StudyFolder(driven).treatment(NUMBER).records():
        assert (record.origin, record.config["seed"] in seeds) == ("replicated", True)
        assert record.state in ("complete", "diverged")  # never pruned


def test_the_median_of_two_seeds_is_the_worse_one(driven, data):
    _, document = treated(driven, plan_of(driven, data, findings=(WINDOW,)), seeds=2)
    assert all(arm["median"] == max(arm["errors"]) for arm in document["arms"])
    assert any(min(arm["errors"]) < max(arm["errors"]) for arm in document["arms"])


def test_a_prescription_is_made_whole(driven, data):
    plan = plan_of(driven, data, findings=(WINDOW,))
    base = trial_config_from_json(record_of(driven).config)
    paths = [[entry["path"] for entry in config_differences(base, arm.arm.config)] for arm in plan.arms[1:3]]
    assert paths == [["training.window"], ["training.window", "training.burn_in"]]


def test_nothing_of_it_is_a_trial_of_the_study(driven, data):
    before = projected(StudyFolder(driven)), [comparable(r) for r in StudyFolder(driven).records()]
    treated(driven, plan_of(driven, data, {"model.hidden": 9}), seeds=1)
    assert not (driven / f"treat/000{NUMBER}/study.db").exists()
    assert (projected(StudyFolder(driven)), [comparable(r) for r in StudyFolder(driven).records()]) == before


def chosen(path, monkeypatch, findings=FOUND, numbers=(), changes=None):
    monkeypatch.setattr(prescriptions_module, "prescribing_findings", lambda folder, record: tuple(findings))
    return choose_prescriptions(StudyFolder(path), record_of(path), numbers, changes or {})


def test_by_default_the_first_of_the_two_most_confident_findings(driven, monkeypatch):
    choice = chosen(driven, monkeypatch)
    assert [(entry.number, entry.code) for entry in choice.chosen] == [(1, "C09"), (3, "C06")]
    assert [(entry.number, entry.code) for entry in choice.offered] == [
        (1, "C09"), (2, "C09"), (3, "C06"), (4, "C16"),
    ]  # fmt: skip


def test_prescriptions_are_chosen_by_number(driven, monkeypatch):
    assert [entry.number for entry in chosen(driven, monkeypatch, numbers=(4, 2, 4)).chosen] == [4, 2]
    with pytest.raises(
        SweepError, match=r"trial 3 has no prescription 5\. Choose from:\n  1: C09 .*\n  2: C09"
    ):
        chosen(driven, monkeypatch, numbers=(5,))


def test_a_change_of_ones_own_needs_no_diagnosis(driven, monkeypatch):
    def never(folder, record):
        raise AssertionError("diagnosed")

    monkeypatch.setattr(prescriptions_module, "prescribing_findings", never)
    choice = choose_prescriptions(StudyFolder(driven), record_of(driven), (), {"model.hidden": 9})
    assert [entry.number for entry in choice.chosen] == [None]


def test_a_change_of_ones_own_beside_prescriptions(driven, monkeypatch):
    choice = chosen(driven, monkeypatch, numbers=(2,), changes={"model.hidden": 9})
    assert [entry.number for entry in choice.chosen] == [None, 2]


def test_findings_without_a_prescription_are_an_error(driven, monkeypatch):
    with pytest.raises(
        SweepError, match=r"no finding of trial 3 prescribes a change\. Give a change of your own"
    ):
        chosen(driven, monkeypatch, findings=())
    with pytest.raises(
        SweepError, match="prescribes a change; only other data help against C14 title of C14"
    ):
        chosen(driven, monkeypatch, findings=(LEAK,))


@pytest.mark.parametrize("state", ["running", "failed"])
def test_a_trial_without_a_rollout_is_refused(driven, state):
    record = replace(record_of(driven), state=state)
    with pytest.raises(SweepError, match=f"trial 3 is {state}: it has no rollout to improve"):
        choose_prescriptions(StudyFolder(driven), record, (), {"model.hidden": 9})


def test_findings_are_those_of_the_diagnosis_that_were_found(driven, monkeypatch):
    from sweep.diagnosis.finding import finding_to_json

    symptom = finding("S04", 0.95)
    fine = finding("C20", 0.99, {"training.burn_in": 4}, severity="ok")
    entries = [finding_to_json(entry) for entry in (UNITS, symptom, fine, LEAK, WINDOW)]
    monkeypatch.setattr(
        prescriptions_module, "diagnosis_of", lambda folder, number, probes: {"findings": entries}
    )
    prescribing = prescriptions_module.prescribing_findings(StudyFolder(driven), record_of(driven))
    assert prescribing == (WINDOW, LEAK, UNITS)


# --- what cannot be tried -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"model.hidden": 8}, "it changes nothing: the trial has these settings already"),
        ({"training.window": 4, "training.burn_in": 4}, "it is not applicable: training: burn_in"),
        ({"training.optimizer.momentm": 0.5}, "it is not applicable: training.optimizer.momentm"),
        ({"score.horizon": 20}, r"it changes the task \(horizon\)"),
        ({"data.options": {"T": 3}}, r"it changes the task \(options\)"),
        ({"data.transforms": ["seasonal_difference"]}, "it is not applicable: "),
    ],
)
def test_a_change_that_cannot_be_tried_has_a_reason(driven, data, change, reason):
    with pytest.raises(SweepError, match=rf"no change can be tried on trial 3:\n  prescription 1: {reason}"):
        plan_of(driven, data, findings=(finding("C01", 0.9, change),))
    plan = plan_of(driven, data, findings=(finding("C01", 0.9, change, {"model.hidden": 9}),))
    _, document = treated(driven, plan, seeds=1)
    assert [entry["prescription"] for entry in document["left_out"]] == [1]
    assert [arm["prescription"] for arm in document["arms"]] == [None, 2, None]


def test_equal_prescriptions_are_tried_once(driven, data):
    twins = ({"model.hidden": 9}, {"model.hidden": 9, "model.layers": 1})
    events = []
    treated(driven, plan_of(driven, data, findings=(finding("C01", 0.9, *twins),)), seeds=1, events=events)
    messages = [event.text for event in events if isinstance(event, Message)]
    assert messages[0] == "prescription 2 is left out: it is the same configuration as prescription 1"
    assert messages[1].endswith("on 1 fresh seed each, unpruned; 3 of 3 trainings to run")


def test_the_users_own_mistake_is_a_usage_error(driven, data):
    with pytest.raises(
        StudyFileError, match=r"the change: model\.hiden: no such key\. Did you mean 'hidden'"
    ):
        plan_of(driven, data, {"model.hiden": 9})


def test_a_change_that_moves_the_starts_is_marked(driven, data):
    plan = plan_of(driven, data, {"score.warmup": 70}, {"data.scaling": "series"})
    assert [arm.same_starts for arm in plan.arms] == [True, False, True, True]


# --- the random change ----------------------------------------------------------------------------------


def test_the_random_change_is_one_and_always_the_same(driven):
    study, record = small_study(), record_of(driven)
    arm, reason = random_arm(study, record, set())
    assert reason is None
    again, _ = random_arm(study, record, set())
    assert again.arm.config == arm.arm.config
    differing = {key for key in {*arm.arm.params, *record.params}
                 if arm.arm.params.get(key) != record.params.get(key)}  # fmt: skip
    assert len([key for key in differing if "." not in key and key != "batch_size"]) <= 1
    assert arm.differences == config_differences(trial_config_from_json(record.config), arm.arm.config)
    others = [
        random_arm(small_study(f"search.seed={seed}"), record, set())[0].arm.config.key
        for seed in range(1, 9)
    ]
    assert len({arm.arm.config.key, *others}) > 5


def test_a_random_change_that_is_an_arm_already_is_drawn_again(driven):
    study, record = small_study(), record_of(driven)
    first, _ = random_arm(study, record, set())
    second, _ = random_arm(study, record, {first.arm.config.key})
    assert second.arm.config.key != first.arm.config.key


def test_without_another_value_the_random_change_is_left_out(driven, data):
    study = replace(small_study(), space=type(small_study().space)(()))
    plan = plan_of(driven, data, {"model.hidden": 9}, study=study)
    assert [arm.kind for arm in plan.arms] == ["unchanged", "prescription"]
    _, document = treated(driven, plan, seeds=5)
    assert document["random_reason"] == "no hyperparameter of the search space has another value"
    assert [arm["against_random"] for arm in document["arms"]] == [None, None]
    text = " ".join(treatment_texts(document))
    assert "There is no random change to compare with: no hyperparameter" in text


# --- what the numbers say -------------------------------------------------------------------------------

ERRORS = {
    "unchanged": [0.4, 0.5, 0.6, 0.5, 0.4],
    "helps": [0.04, 0.05, 6e-10, 0.05, 0.04],
    "nothing": [0.3, 0.6, 0.5, 0.6, 0.3],
    "random": [0.2, 0.3, 0.4, 0.3, 0.2],
    "harms": [0.9, 0.9, 0.9, 0.9, 0.9],
}


def scripted(plan, names, failing=()):
    """Trainings that end with the errors of each arm's row; those of the arms in `failing` raise."""
    rows = {arm.arm.config.key: name for arm, name in zip(plan.arms, names, strict=True)}
    index = {seed: k for k, seed in enumerate(fresh_seeds(0, f"treat {NUMBER}", 9))}

    def segment(config, checkpoint, point):
        name = rows[config.key]
        if name in failing:
            raise RuntimeError("no luck")
        result = fake_segment(config, checkpoint, point)
        scores = fake_scores(ERRORS[name][index[config.seed]])
        return replace(result, evaluation=replace(result.evaluation, scores=scores), diverged=None)

    return Functions(segment, fake_finish)


def document_of(path, data, *names, seeds=5, failing=()):
    changes = [{"model.hidden": 9 + k} for k in range(len(names) - 2)]
    plan = plan_of(path, data, *changes)
    _, document = treated(path, plan, seeds, scripted(plan, names, failing))
    return document


def test_effects_by_hand(driven, data):
    document = document_of(driven, data, "unchanged", "helps", "nothing", "random")
    unchanged, helps, nothing, other = document["arms"]
    assert helps["errors"] == ERRORS["helps"]
    against = helps["against_unchanged"]
    assert against["decades"] == pytest.approx((4 * -1 + np.log10(1e-9 / 0.6)) / 5)  # with the floor of 1e-9
    assert (against["better"], against["worse"], against["equal"]) == (5, 0, 0)
    assert against["low"] <= against["decades"] <= against["high"] <= -1 + 1e-12
    beside = [np.log10(max(a, 1e-9) / b) for a, b in zip(ERRORS["helps"], ERRORS["random"], strict=True)]
    assert helps["against_random"]["decades"] == pytest.approx(np.mean(beside))
    assert (helps["verdict"], helps["beats_random"]) == ("helps", True)
    assert (nothing["verdict"], nothing["beats_random"]) == ("no difference shown", False)
    assert (other["verdict"], other["beats_random"], other["against_random"]) == ("helps", None, None)
    assert (unchanged["verdict"], unchanged["against_unchanged"]) == (None, None)
    own = record_of(driven).rollout_error
    gaps = [np.log10(error / own) for error in ERRORS["unchanged"]]
    assert document["chance"]["decades"] == pytest.approx(np.mean(gaps))
    assert document["reason"] is None
    assert helps["iqm"]["value"] == pytest.approx(0.3 * 0.04 + 0.4 * 0.04 + 0.3 * 0.05)


def test_what_harms_and_is_worse_than_a_random_change(driven, data):
    document = document_of(driven, data, "unchanged", "harms", "random")
    arm = document["arms"][1]
    assert (arm["verdict"], arm["beats_random"]) == ("harms", False)
    text = " ".join(treatment_texts(document))
    assert "harms: 0.28 decades worse than unchanged" in text
    assert "it is worse than a random change" in text


def test_what_helps_no_more_than_a_random_change_is_not_called_better(driven, data):
    document = document_of(driven, data, "unchanged", "random", "random")
    arm = document["arms"][1]
    assert (arm["verdict"], arm["beats_random"]) == ("helps", False)
    assert "it is not shown to beat a random change" in " ".join(treatment_texts(document))


def test_fewer_than_five_seeds_claim_nothing(driven, data):
    document = document_of(driven, data, "unchanged", "helps", "random", seeds=4)
    assert [arm["verdict"] for arm in document["arms"]] == [None, "no claim", "no claim"]
    assert document["arms"][1]["beats_random"] is None
    assert document["reason"] == "4 seeds each are too few: below 5 nothing is claimed, whatever the errors"
    text = " ".join(treatment_texts(document))
    assert "allows no claim" in text and "helps" not in text


def test_few_starts_allow_no_claim(driven, data):
    folder = StudyFolder(driven)
    folder.write_study({**folder.read_study(), "record": {"n_eff_validation": 7}})
    document = document_of(driven, data, "unchanged", "helps", "random")
    assert document["arms"][1]["verdict"] == "no claim"
    assert document["reason"] == "only 7 validation starts do not overlap; below 8 nothing is claimed"


def test_where_every_training_fails_nothing_is_claimed(driven, data):
    document = document_of(driven, data, "unchanged", "helps", "random", failing=("unchanged",))
    unchanged, helps, other = document["arms"]
    assert (unchanged["failed"], unchanged["errors"]) == (5, [1.0] * 5)
    assert (helps["verdict"], other["verdict"]) == ("no claim", "no claim")
    assert helps["beats_random"] is True  # these two were trained


# --- whatever happens, the same -------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(3))
def test_a_driver_that_dies_at_any_write_goes_on_as_if_it_had_not(driven, data, monkeypatch, seed):
    plan = plan_of(driven, data, findings=(WINDOW,))
    _, straight = treated(driven, plan)
    before = trained(driven)
    (driven / "treat").rename(driven / "aside")
    mortality = Mortality(monkeypatch, [*WRITES, (StudyFolder, "write_document")], seed)
    ended = None
    while ended is None:
        ended = mortality.attempt(lambda: treated(driven, plan), 40)
    _, document = ended
    assert mortality.deaths > 3
    assert document == straight
    assert trained(driven) == before
    assert StudyFolder(driven).treated() == [straight["number"]]
    assert StudyFolder(driven).treatment_document(straight["number"]) == straight


def test_a_stop_is_an_interruption_and_the_same_call_goes_on(driven, data):
    plan = plan_of(driven, data, {"model.hidden": 9})
    _, straight = treated(driven, plan)
    (driven / "treat").rename(driven / "aside")
    interrupts = Interrupts()
    stopped = treated(driven, plan, functions=stopping(interrupts, after=7), interrupts=interrupts)
    assert stopped == (Outcome.INTERRUPTED, None)
    assert StudyFolder(driven).treated() == []
    assert treated(driven, plan) == (Outcome.DONE, straight)


def test_more_seeds_keep_what_was_trained_and_nothing_is_trained_twice(driven, data):
    seen = []
    plan = plan_of(driven, data, {"model.hidden": 9})
    for seeds in (2, 5, 5):
        treated(driven, plan, seeds, counting(seen))
    assert (
        len(seen)
        == len(set(seen))
        == 3 * 5 * 6 - sum(6 - len(content["evaluations"]) for content, _ in trained(driven).values())
    )


def test_every_prescription_that_was_ever_tried_is_counted(driven, data):
    def draw(folder, number):
        return b"picture"

    _, first = treated(driven, plan_of(driven, data, {"model.hidden": 9}), seeds=1)
    _, second = treated(driven, plan_of(driven, data, {"model.hidden": 10}), seeds=1, draw=draw)
    _, third = treated(driven, plan_of(driven, data, {"model.hidden": 9}), seeds=1)
    assert [len(document["tried"]) for document in (first, second, third)] == [1, 2, 2]
    text = " ".join(treatment_texts(third))
    assert (
        "2 prescribed configurations have been tried on this trial, including those of earlier treatments"
        in text
    )
    pictures = list(StudyFolder(driven).treatment(NUMBER).path.glob("trials/*/rollout.png"))
    assert len(pictures) == 4  # those of the first call's arms were still missing


# --- the command ------------------------------------------------------------------------------------------

RUN = (
    "run",
    "sine",
    "--trials",
    "2",
    "--executor",
    "inline",
    "--no-confirm",
    *TINY,
    "--set",
    "score.starts=8",
)


@pytest.fixture(scope="module")
def small(tmp_path_factory) -> Path:
    results = tmp_path_factory.mktemp("small")
    done = invoke(*RUN, "--results", str(results))
    assert done.exit_code == 0, done.stderr
    return results


@pytest.fixture
def results(small, tmp_path) -> Path:
    return Path(shutil.copytree(small, tmp_path / "results"))


def treat(results, *options, trial="1"):
    return invoke("treat", trial, "sine", "--executor", "inline", "--results", str(results), *options)


@pytest.fixture
def known_findings(monkeypatch):
    monkeypatch.setattr(prescriptions_module, "prescribing_findings", lambda folder, record: FOUND)


def test_the_json_document_is_the_documented_one_and_that_of_the_report(results, known_findings):
    assert (
        json.loads(invoke("report", "sine", "--json", "--results", str(results)).stdout)["treatments"] == []
    )
    shown = treat(results, "--seeds", "2", "--json")
    assert shown.exit_code == 0, shown.stderr
    document = json.loads(shown.stdout)
    assert [arm["code"] for arm in document["arms"]] == [None, "C09", "C06", None]
    assert document["unmended"] == [{"code": "C14", "title": "title of C14"}]
    report = json.loads(invoke("report", "sine", "--json", "--results", str(results)).stdout)
    assert report["treatments"] == [document]
    trial = json.loads(invoke("show", "1", "sine", "--json", "--results", str(results)).stdout)
    assert trial["treatment"] == document
    other = json.loads(invoke("show", "0", "sine", "--json", "--results", str(results)).stdout)
    assert other["treatment"] is None
    arm = document["arms"][1]
    keys = {*document, *arm, *arm["against_unchanged"], *document["offered"][0], *arm["changes"][0]}
    assert undocumented(keys, "report.md", "A treatment") == []
    assert undocumented({"treatments"}, "report.md", "report.json") == []
    assert "NaN" not in shown.stdout and "Infinity" not in shown.stdout


def test_the_words_say_whether_the_advice_worked(results, known_findings):
    shown = treat(results, "--seeds", "2")
    assert shown.exit_code == 0, shown.stderr
    text = " ".join(shown.stdout.split())
    assert "Trial 1, treated on 2 fresh seeds each" in text
    assert "this difference is chance." in text
    assert "Prescription 1 (C09 title of C09: training.window 32 → 24) allows no claim" in text
    assert "No change of configuration helps against C14 title of C14; only other data do." in text
    assert "Other prescriptions, for --prescription: 2 (C09 training.window 16" in text
    assert "2 seeds each are too few" in text
    assert max(map(len, shown.stdout.splitlines()[1:6])) <= 80
    assert "treating: trial 1 unchanged, prescription 1, prescription 3, random change of" in shown.stderr
    page = invoke("show", "1", "sine", "--results", str(results)).stdout
    assert "treated on 2 fresh seeds" in page and "allows no claim" in page
    assert "Treated: trial 1: prescription 1 (C09) allows no claim" in " ".join(
        invoke("report", "sine", "--results", str(results)).stdout.split()
    )
    html = (results / "sine/report/index.html").read_text(encoding="utf-8")
    assert 'id="treatments"' in html and "C09 title of C09" in html


def test_a_page_without_treatments_has_no_such_section(results):
    invoke("report", "sine", "--results", str(results))
    assert 'id="treatments"' not in (results / "sine/report/index.html").read_text(encoding="utf-8")


def test_a_real_change_is_trained_and_kept(results):
    first = treat(results, "--seeds", "1", "--change", "model.hidden=5", "--json")
    assert first.exit_code == 0, first.stderr
    assert [arm["kind"] for arm in json.loads(first.stdout)["arms"]] == [
        "unchanged",
        "prescription",
        "random",
    ]
    again = treat(results, "--seeds", "1", "--change", "model.hidden=5", "--json")
    assert again.stdout == first.stdout
    assert "trainings to run" in first.stderr
    assert "trainings to run" not in again.stderr


@pytest.mark.parametrize(
    ("options", "code", "text"),
    [
        (("--change", "nonsense"), 2, "wanted key.path=value, got 'nonsense'"),
        (("--change", "model.cell=gur"), 2, "Did you mean 'gru'?"),
        (("--change", "model.hidden=4"), 1, "it changes nothing"),
        (("--seeds", "0"), 2, "x<=10000"),
    ],
)
def test_a_refusal_gives_its_reason(results, options, code, text):
    shown = treat(results, *options)
    assert shown.exit_code == code
    assert text in shown.stderr
    assert not (results / "sine/treat").exists()


def test_a_missing_trial_a_lock_and_changed_data_are_refused(results):
    change = ("--change", "model.hidden=5", "--seeds", "1")
    assert "no trial 77 in" in treat(results, *change, trial="77").stderr
    with DriverLock(results / "sine/.lock"):
        assert "is being run by process" in treat(results, *change).stderr
    study = results / "sine/study.toml"
    fingerprint = StudyFolder(results / "sine").read_study()["record"]["data_fingerprint"]
    study.write_text(study.read_text().replace(fingerprint, "0" * 64))
    shown = treat(results, *change)
    assert (shown.exit_code, "have changed" in shown.stderr) == (2, True)


def test_an_engine_that_is_not_here_is_refused(results):
    folder = StudyFolder(results / "sine")
    document = folder.read_study()
    document["record"] |= {"engine": "native", "instructions": "abacus"}
    folder.write_study(document)
    with pytest.raises(StudyChanged, match="abacus instructions, which are not available"):
        sweep.treat(
            1,
            "sine",
            changes={"model.hidden": 5},
            results=results,
            executor="inline",
        )


def test_in_python(results):
    with pytest.raises(ValueError, match="at least one seed, got seeds=0"):
        sweep.treat(1, "sine", seeds=0, results=results)
    done = sweep.treat(
        1,
        "sine",
        seeds=1,
        changes={"model.hidden": 5},
        results=results,
        executor="inline",
        plots=False,
    )
    assert done.treatment["arms"][1]["changes"] == [{"path": "model.hidden", "was": 4, "value": 5}]
    assert not done.interrupted
