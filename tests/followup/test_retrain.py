"""Known configurations on fresh seeds, with trainings that cost nothing: what is trained, kept, refused, reported."""

import json

import numpy as np
import pytest

from sweep.config.errors import StoreError, StudyChanged
from sweep.config.seeds import fresh_seeds
from sweep.config.trial import trial_config_from_json
from sweep.followup import winner as best_module
from sweep.followup.confirm import confirm_best, covers
from sweep.followup.retrain import Arm, Retraining
from sweep.results.selection import candidates
from sweep.results.study import read_study
from sweep.search import Interrupts, Message, Outcome, Progress, Workers
from sweep.search.tasks import Functions
from sweep.store import StudyFolder
from tests.support.attack import (
    comparable,
    drive,
    fake_finish,
    fake_scores,
    fake_segment,
    opened,
    projected,
    small_study,
    sound,
    trainings,
)
from tests.support.disturbances import WRITES, Mortality, counting, stopping

TOTAL = 12


def confirmed(path, top=3, seeds=3, study=None, workers=1, **settings):
    """Confirm a study in a folder; return how it ended and what was stored."""
    one = opened(path, study, **settings)
    return confirm_best(one, one.folder.records(), top, seeds, Workers(workers, "inline"))


def trained(path):
    return trainings(StudyFolder(path / "confirm"))


def own_key(path, number):
    return trial_config_from_json(StudyFolder(path).record(number).config).key


# --- what is trained ------------------------------------------------------------------------------------


def test_the_best_are_trained_on_the_same_fresh_seeds_to_the_end(driven):
    outcome, document = confirmed(driven, top=4, seeds=3)
    assert outcome is Outcome.DONE
    study, folder = small_study(), StudyFolder(driven)
    best, _ = candidates(folder.records(), {})
    assert {arm["number"] for arm in document["arms"]} == {record.number for record in best[:4]}
    own = {record.config["seed"] for record in folder.records()}
    seeds = fresh_seeds(study.search.seed, "confirm", 3)
    assert set(trained(driven)) == {(own_key(driven, r.number), seed) for r in best[:4] for seed in seeds}
    assert not own & set(seeds)
    for record in StudyFolder(driven / "confirm").records():
        assert record.origin == "replicated"
        assert record.state in ("complete", "diverged")  # never pruned
        assert record.config["rungs"]  # the evaluation points are those of the selected trial


def test_a_pruned_trial_is_trained_to_the_end(tmp_path):
    path = tmp_path / "attacked"
    drive(small_study(), path, 24)
    best, _ = candidates(StudyFolder(path).records(), {})
    pruned = next(k for k, record in enumerate(best) if record.state == "pruned")
    confirmed(path, top=pruned + 1, seeds=1)
    key = own_key(path, best[pruned].number)
    ends = [content for (arm, _), (content, _) in trained(path).items() if arm == key]
    assert [end["state"] for end in ends] != ["pruned"]
    assert len(ends[0]["evaluations"]) > len(best[pruned].evaluations)


def test_a_seed_that_is_not_fresh_is_refused():
    study = small_study()
    params = {"optimizer": "lbfgs", "lbfgs.lr": 0.5, "scheduler": "none", "cell": "gru"}
    config = study.trial(params)
    with pytest.raises(ValueError, match="fresh seeds"):
        Retraining((Arm("a", config, params),), (config.seed,))
    with pytest.raises(ValueError, match="different arms"):
        Retraining((Arm("a", config, params), Arm("b", config, params)), (1,))


def test_nothing_of_it_is_a_trial_of_the_study(driven):
    before = projected(StudyFolder(driven)), [comparable(r) for r in sound(driven, TOTAL)]
    confirmed(driven)
    assert not (driven / "confirm" / "study.db").exists()
    assert (projected(StudyFolder(driven)), [comparable(r) for r in sound(driven, TOTAL)]) == before


def test_messages_name_the_trial_and_the_seed(driven):
    events = []
    confirmed(driven, top=2, seeds=2, watch=events.append)
    messages = [event.text for event in events if isinstance(event, Message)]
    assert messages[0] == (
        "confirming: the best 2 configurations on 2 fresh seeds each, unpruned; 4 of 4 trainings to run"
    )
    best, _ = candidates(StudyFolder(driven).records(), {})
    assert messages[1].startswith(f"confirm: trial {best[0].number}, fresh seed 1, ")
    last = [event for event in events if isinstance(event, Progress)][-1]
    assert (last.stage, last.total, last.best, last.share) == ("confirm", 4, None, 1.0)


def test_pictures_are_drawn(driven):
    confirmed(driven, top=2, seeds=2, draw=lambda folder, number: f"{folder.name} {number}".encode())
    pictures = sorted((driven / "confirm/trials").glob("*/rollout.png"))
    assert [p.read_text() for p in pictures] == [f"confirm {k}" for k in range(4)]


# --- whatever happens, the same -------------------------------------------------------------------------


@pytest.mark.parametrize(("seed", "workers"), [(0, 2), (1, 4)])
def test_the_order_of_completion_changes_nothing(driven, in_random_order, seed, workers):
    _, straight = confirmed(driven, 4, 3)
    before = trained(driven)
    (driven / "confirm").rename(driven / "aside")
    in_random_order(seed)
    _, again = confirmed(driven, 4, 3, workers=workers)
    assert again == straight
    assert trained(driven) == before


@pytest.mark.parametrize("seed", range(3))
def test_a_driver_that_dies_at_any_write_goes_on_as_if_it_had_not(driven, in_random_order, monkeypatch, seed):
    _, straight = confirmed(driven, 3, 3)
    before = trained(driven)
    (driven / "confirm").rename(driven / "aside")
    (driven / "confirmation.json").unlink()
    in_random_order(seed)
    mortality = Mortality(monkeypatch, [*WRITES, (StudyFolder, "write_document")], seed)
    ended = None
    while ended is None:
        ended = mortality.attempt(lambda: confirmed(driven, 3, 3, workers=2), 25)
    _, document = ended
    assert mortality.deaths > 3
    assert document == straight
    assert trained(driven) == before
    assert json.loads((driven / "confirmation.json").read_text()) == straight


def test_a_stop_is_an_interruption_and_the_same_call_goes_on(driven):
    _, straight = confirmed(driven, 3, 3)
    (driven / "confirm").rename(driven / "aside")
    (driven / "confirmation.json").unlink()
    interrupts = Interrupts()
    functions = stopping(interrupts, after=7)
    assert confirmed(driven, 3, 3, functions=functions, interrupts=interrupts) == (Outcome.INTERRUPTED, None)
    assert not (driven / "confirmation.json").exists()
    assert confirmed(driven, 3, 3) == (Outcome.DONE, straight)


def test_a_damaged_record_is_put_aside_and_trained_again(driven):
    _, straight = confirmed(driven, 3, 3)
    (driven / "confirm/trials/0004/trial.json").write_bytes(b"{")
    events = []
    assert confirmed(driven, 3, 3, watch=events.append) == (Outcome.DONE, straight)
    assert any("the trial is trained again" in event.text for event in events if isinstance(event, Message))


# --- more and fewer --------------------------------------------------------------------------------------


def test_more_arms_and_seeds_keep_what_was_trained(driven):
    _, at_once = confirmed(driven, 4, 3)
    whole = trained(driven)
    (driven / "confirm").rename(driven / "aside")
    seen, documents = [], []
    for top, seeds in ((2, 2), (4, 2), (4, 3), (2, 2)):
        _, document = confirmed(driven, top, seeds, functions=counting(seen))
        documents.append(document)
    assert len(seen) == len(set(seen))  # nothing is trained twice
    assert trained(driven) == whole
    for arm, expected in zip(documents[2]["arms"], at_once["arms"], strict=True):
        assert {**arm, "replications": 0} == {**expected, "replications": 0}  # but for the numbers
    assert documents[3] == documents[0]


def test_what_is_asked_for_no_longer_is_left_alone(driven):
    interrupts = Interrupts()
    confirmed(driven, 5, 1, functions=stopping(interrupts, after=3), interrupts=interrupts)
    seen = []
    outcome, document = confirmed(driven, 2, 2, functions=counting(seen))
    assert outcome is Outcome.DONE
    assert [len(arm["errors"]) for arm in document["arms"]] == [2, 2]
    keys = {own_key(driven, arm["number"]) for arm in document["arms"]}
    assert {(key, seed) for key, seed, _ in seen} <= {
        (key, seed) for key in keys for seed in fresh_seeds(0, "confirm", 2)
    }


def test_equal_configurations_are_confirmed_once(driven):
    from dataclasses import replace

    folder = StudyFolder(driven)
    best, _ = candidates(folder.records(), {})
    twin = replace(best[0], number=TOTAL)
    assert candidates([*folder.records(), twin], {})[0] == best


def test_a_longer_study_is_confirmed_anew_where_its_best_are_others(driven, looks):
    _, before = confirmed(driven, 2, 2)
    folder = StudyFolder(driven)
    assert covers(folder, folder.records(), 2, 2)
    assert not covers(folder, folder.records(), 3, 2)
    assert not covers(folder, folder.records(), 2, 3)
    drive(small_study(), driven, 40)
    records = folder.records()
    best, _ = candidates(records, {})
    assert {record.number for record in best[:2]} != {arm["number"] for arm in before["arms"]}
    assert not covers(folder, records, 2, 2)
    read = read_study(folder)
    assert (read.confirmation, read.outdated, read.basis) == (None, True, "selected")
    assert read.named[0].number == best[0].number
    assert name(driven)["basis"] == "selected"
    confirmed(driven, 2, 2)
    assert covers(folder, records, 2, 2)
    assert name(driven)["basis"] == "confirmed"


def test_more_configurations_than_there_are_scored_ones(driven):
    best, _ = candidates(StudyFolder(driven).records(), {})
    _, document = confirmed(driven, 99, 1)
    assert len(document["arms"]) == len(best) < 99
    assert document["top"] == 99
    assert covers(StudyFolder(driven), StudyFolder(driven).records(), 99, 1)


# --- what is refused --------------------------------------------------------------------------------------


def test_another_study_in_the_same_folder_is_refused(driven):
    confirmed(driven)
    with pytest.raises(StudyChanged, match=r"model\.hidden: 8 in the results, 9 now"):
        confirmed(driven, study=small_study("model.hidden=9"))


def test_other_data_are_refused(driven):
    confirmed(driven)
    folder = StudyFolder(driven)
    folder.write_study({**folder.read_study(), "record": {"data_fingerprint": "of other data"}})
    with pytest.raises(StudyChanged, match="fingerprint None in the results, of other data now"):
        confirmed(driven)


def test_records_that_are_not_of_the_plan_are_refused(driven):
    confirmed(driven, 3, 2)
    plan = json.loads((driven / "confirm/replication.json").read_text())
    plan["trainings"].reverse()
    (driven / "confirm/replication.json").write_text(json.dumps(plan))
    with pytest.raises(StoreError, match=r"trials/0000 does not match .*replication\.json"):
        confirmed(driven, 3, 2)
    (driven / "confirm/replication.json").write_text('{"trainings": [3]}')
    with pytest.raises(StoreError, match="is damaged"):
        confirmed(driven, 3, 2)


# --- what is reported -----------------------------------------------------------------------------------------

ERRORS = {  # by place among the selected, then by seed
    "clear": [[0.60, 0.70, 0.65, 0.62, 0.90], [0.11, 0.12, 0.13, 0.14, 0.15], [0.40, 0.42, 0.44, 0.46, 0.98]],
    "tied": [[0.30, 0.10, 0.50, 0.20, 0.40], [0.15, 0.32, 0.45, 0.21, 0.30], [0.90, 0.91, 0.92, 0.93, 0.94]],
}


def scripted(path, table, failing=()):
    """Trainings that end with the errors of a table; those in `failing`, (arm, seed), raise."""
    best, _ = candidates(StudyFolder(path).records(), {})
    place = {own_key(path, record.number): k for k, record in enumerate(best)}
    index = {seed: k for k, seed in enumerate(fresh_seeds(0, "confirm", 9))}

    def segment(config, checkpoint, point):
        from dataclasses import replace

        arm, seed = place[config.key], index[config.seed]
        if (arm, seed) in failing:
            raise RuntimeError("no luck")
        result = fake_segment(config, checkpoint, point)
        better = fake_scores(table[arm][seed])
        return replace(result, evaluation=replace(result.evaluation, scores=better), diverged=None)

    return Functions(segment, fake_finish), best


def test_a_clear_winner_and_its_optimism_by_hand(driven):
    functions, best = scripted(driven, ERRORS["clear"])
    _, document = confirmed(driven, 3, 5, functions=functions)
    assert (document["verdict"], document["reason"], document["equals"]) == ("winner", None, [])
    assert document["leader"] == best[1].number
    leader, second, third = document["arms"]
    assert [arm["number"] for arm in (leader, second, third)] == [best[k].number for k in (1, 2, 0)]
    assert leader["iqm"]["value"] == pytest.approx(0.13)  # .3 * .12 + .4 * .13 + .3 * .14
    assert leader["optimism"]["value"] == pytest.approx(0.13 - best[1].rollout_error)
    assert second["iqm"]["value"] == pytest.approx(0.3 * 0.42 + 0.4 * 0.44 + 0.3 * 0.46)
    assert (leader["told_apart"], second["told_apart"], third["told_apart"]) == (None, True, True)
    assert second["p"] == pytest.approx(2 / 252)
    gaps = [arm["optimism"]["value"] for arm in document["arms"]]
    assert document["optimism"]["value"] == pytest.approx(np.mean(gaps))
    assert document["optimism"]["low"] < document["optimism"]["value"] < document["optimism"]["high"]
    assert document["seed_noise"] == pytest.approx(
        np.sqrt(np.mean([np.var(row, ddof=1) for row in ERRORS["clear"]]))
    )


def test_no_single_winner_within_the_noise(driven):
    functions, best = scripted(driven, ERRORS["tied"])
    _, document = confirmed(driven, 3, 5, functions=functions)
    assert document["verdict"] == "tied"
    assert document["leader"] == best[1].number
    assert document["equals"] == [best[0].number]  # the third is told apart
    assert "within the noise" in document["reason"]


def test_three_seeds_name_no_winner_however_clear_it_looks(driven):
    functions, best = scripted(driven, ERRORS["clear"])
    _, document = confirmed(driven, 3, 3, functions=functions)
    assert (document["verdict"], document["leader"]) == ("tied", best[1].number)
    assert "3 seeds each are too few" in document["reason"]


def test_few_starts_allow_no_claim(driven):
    folder = StudyFolder(driven)
    folder.write_study({**folder.read_study(), "record": {"n_eff_validation": 7}})
    functions, best = scripted(driven, ERRORS["clear"])
    _, document = confirmed(driven, 3, 5, functions=functions)
    assert document["verdict"] == "tied"
    assert "only 7 validation starts" in document["reason"]
    assert document["equals"] == [best[2].number, best[0].number]
    assert {arm["told_apart"] for arm in document["arms"]} == {None}


def test_one_configuration_is_compared_with_nothing(driven):
    functions, best = scripted(driven, ERRORS["clear"])
    _, document = confirmed(driven, 1, 5, functions=functions)
    assert (document["verdict"], document["leader"]) == ("alone", best[0].number)


def test_a_training_that_fails_counts_as_1(driven):
    functions, best = scripted(driven, ERRORS["clear"], failing={(1, 0), (1, 3)})
    _, document = confirmed(driven, 3, 5, functions=functions)
    arm = next(arm for arm in document["arms"] if arm["number"] == best[1].number)
    assert arm["errors"] == [1.0, 0.12, 0.13, 1.0, 0.15]
    assert arm["failed"] == 2


def test_nothing_is_confirmed_where_nothing_was_learnt(tmp_path):
    def segment(config, checkpoint, point):
        from dataclasses import replace

        result = fake_segment(config, checkpoint, point)
        return replace(result, evaluation=replace(result.evaluation, scores=fake_scores(1.0)))

    path = tmp_path / "attacked"
    drive(small_study(), path, 4, Functions(segment, fake_finish))
    assert confirmed(path) == (Outcome.DONE, None)
    assert not (path / "confirm").exists()


# --- the locked test ----------------------------------------------------------------------------------------


@pytest.fixture
def looks(monkeypatch):
    """Count how often the locked test is read; there errors rise with the fresh seed: .01, .02, ..."""
    seen = []
    errors = {seed: 0.01 * (1 + k) for k, seed in enumerate(fresh_seeds(0, "confirm", 9))}

    def score_on_test(config, weights):
        seen.append((config.key, config.seed))
        return fake_scores(errors.get(config.seed, 0.5))

    monkeypatch.setattr(best_module, "score_on_test", score_on_test)
    return seen


def name(path):
    folder = StudyFolder(path)
    return best_module.name_best(folder, None, folder.records())


def test_the_test_is_read_once_for_the_one_that_is_named(driven, looks):
    functions, best = scripted(driven, ERRORS["clear"])
    confirmed(driven, 3, 5, functions=functions)
    winner = name(driven)
    assert (winner["number"], winner["basis"]) == (best[1].number, "confirmed")
    assert {key for key, _ in looks} == {own_key(driven, best[1].number)}
    assert len(looks) == 5  # its networks of all fresh seeds: none of them is its own seed's
    assert best[1].config["seed"] not in {seed for _, seed in looks}
    assert [network["validation"] for network in winner["networks"]] == ERRORS["clear"][1]
    assert winner["median_seed"] == 3  # of five whose errors rise
    assert winner["test"] == winner["networks"][2]["test"]
    assert name(driven) == winner
    assert len(looks) == 5


def test_of_two_networks_the_worse_one_is_the_score_to_expect(driven, looks):
    functions, _ = scripted(driven, [[0.1, 0.3]])
    confirmed(driven, 1, 2, functions=functions)
    winner = name(driven)
    assert winner["median_seed"] == 2
    assert winner["test"] == winner["networks"][1]["test"]
    assert winner["test"]["rollout_error"] > winner["networks"][0]["test"]["rollout_error"]
    (arm,) = StudyFolder(driven).read_document("confirmation")["arms"]
    assert arm["median"] == 0.3


def test_the_median_network_is_the_median_on_the_test(driven, looks):
    # on validation the third is the median; on the test errors rise with the seed
    functions, _ = scripted(driven, [[0.3, 0.1, 0.2]])
    confirmed(driven, 1, 3, functions=functions)
    winner = name(driven)
    assert winner["median_seed"] == 2


def test_more_seeds_do_not_read_it_again_another_leader_does(driven, looks):
    functions, best = scripted(driven, [[0.2, 0.2, 0.9, 0.9, 0.9], [0.3, 0.3, 0.3, 0.3, 0.3]])
    confirmed(driven, 2, 2, functions=functions)
    assert name(driven)["number"] == best[0].number
    confirmed(driven, 1, 2, functions=functions)
    assert name(driven)["number"] == best[0].number
    assert len(looks) == 2
    confirmed(driven, 2, 5, functions=functions)
    winner = name(driven)
    assert winner["number"] == best[1].number
    assert len(looks) == 2 + 5
    assert [look["number"] for look in winner["looks"]] == [best[0].number, best[1].number]


def test_without_a_confirmation_the_selected_trial_is_scored(driven, looks):
    best, _ = candidates(StudyFolder(driven).records(), {})
    winner = name(driven)
    assert (winner["number"], winner["basis"], winner["networks"]) == (best[0].number, "selected", [])
    assert looks == [(own_key(driven, best[0].number), best[0].config["seed"])]
    name(driven)
    assert len(looks) == 1


def test_lost_weights_are_one_error_with_the_path(driven, looks):
    confirmed(driven, 1, 1)
    (driven / "confirm/trials/0000/checkpoint.pt").unlink()
    with pytest.raises(StoreError, match=r"cannot read .*confirm/trials/0000/checkpoint\.pt"):
        name(driven)


def test_where_every_fresh_seed_fails_nothing_is_named_and_the_test_stays_locked(driven, looks):
    everything = {(arm, seed) for arm in range(3) for seed in range(3)}
    functions, _ = scripted(driven, ERRORS["clear"], failing=everything)
    confirmed(driven, 3, 3, functions=functions)
    winner = name(driven)
    assert winner["number"] is None
    assert winner["reason"].startswith("on fresh seeds every configuration's rollout error is 1")
    assert looks == []
    assert read_study(StudyFolder(driven)).named[0] is None


def test_a_configuration_no_better_than_persistence_on_fresh_seeds_is_not_named(driven, looks):
    StudyFolder(driven).write_document("baselines", {"baselines": {"persistence": {"rollout_error": 0.95}}})
    functions, _ = scripted(driven, [[0.96] * 3, [0.97] * 3])
    confirmed(driven, 2, 3, functions=functions)
    assert name(driven)["reason"].startswith(
        "on fresh seeds no configuration beats the baseline 'persistence'"
    )
    assert looks == []


def test_a_failed_network_is_as_bad_on_the_test_as_can_be(driven, looks):
    functions, best = scripted(driven, ERRORS["clear"], failing={(1, 1)})
    confirmed(driven, 3, 5, functions=functions)
    winner = name(driven)
    assert winner["number"] == best[1].number
    assert winner["networks"][1]["test"] == {"rollout_error": 1.0, "nrmse": None, "valid_steps": 0.0}
    assert len(looks) == 4
