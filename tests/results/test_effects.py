from dataclasses import replace

import numpy as np
import pytest

from sweep.config.records import TrialRecord
from sweep.results.effects import (
    Comparison,
    best_lead,
    common_rung,
    comparisons,
    effect_claims,
    effects_frame,
    groups_of,
)
from sweep.results.importances import importances
from sweep.results.study import StoredStudy, read_study
from sweep.results.tables import trials_frame

BUDGET = 900


def record_at(evaluation, number, errors, state="complete", params=None, reached=None):
    """Return a trial that was evaluated at 100, 200, ... sequence-steps with these errors."""
    entries = tuple(
        replace(
            evaluation,
            point=k,
            sequence_steps=100 * (k + 1),
            scores=replace(
                evaluation.scores, rollout_error=error, prefix_errors=(error, error, error, error)
            ),
        )
        for k, error in enumerate(errors)
    )
    return TrialRecord(
        number=number,
        state=state,
        params=params or {"cell": "gru"},
        config={"training": {"budget": BUDGET}},
        origin="sampled",
        evaluations=entries,
        rollout_error=min(errors) if errors and state not in ("failed", "running") else None,
        best=int(np.argmin(errors)) if errors else None,
        best_one_step=0 if errors else None,
        sequence_steps=100 * len(errors) if reached is None else reached,
    )


@pytest.fixture
def evaluation(one):
    return one.record(0).evaluations[0]


def study_of(folder, records, space=None, rungs=True):
    document = {
        **folder.read_study(),
        "training": {"budget": BUDGET},
        "space": space or {"cell": ["lstm", "gru"]},
        "pruning": {"enabled": rungs, "rungs": [{"at": 1 / 3, "keep": 0.5, "horizon": 0.3}]},
    }
    return StoredStudy(folder, document, tuple(records), {}, {}, None)


def test_all_trials_are_compared_where_all_have_been(one, evaluation):
    study = study_of(
        one,
        [
            record_at(evaluation, 0, [0.9, 0.5, 0.6, 0.1]),  # the best up to step 300 is .5; .1 came later
            record_at(evaluation, 1, [0.9, 0.8, 0.7], "pruned"),
            record_at(evaluation, 2, [0.2, 0.3], "diverged"),  # never reached the rung: 1, not .2
            record_at(evaluation, 3, [0.2, 0.3, 0.4, 0.5], "diverged"),  # diverged after it
            record_at(evaluation, 4, [0.1], "running"),  # may still reach it
            record_at(evaluation, 5, [0.4, 0.4, 0.4, 0.4], "running"),
            record_at(evaluation, 6, [], "failed"),
        ],
    )
    rung = common_rung(study)
    assert rung.scores == {0: 0.5, 1: 0.7, 2: 1.0, 3: 0.2, 5: 0.4}
    assert rung.words == "the error over the first 30 % of the rollout at 33 % of the budget"


def test_without_pruning_final_scores_are_compared(one, evaluation):
    records = [
        record_at(evaluation, 0, [0.9, 0.1]),
        record_at(evaluation, 1, [], "diverged"),
        record_at(evaluation, 2, [0.2], "running"),
    ]
    rung = common_rung(study_of(one, records, rungs=False))
    assert rung.scores == {0: 0.1, 1: 1.0}
    assert rung.at is None


def test_quantiles_by_value_include_the_pruned_and_the_diverged(one, evaluation):
    records = [
        record_at(evaluation, 0, [0.2] * 9, params={"cell": "gru"}),
        record_at(evaluation, 1, [0.4] * 3, "pruned", {"cell": "gru"}),
        record_at(evaluation, 2, [0.3], "diverged", {"cell": "gru"}),
        record_at(evaluation, 3, [0.5] * 9, params={"cell": "lstm"}),
    ]
    study = study_of(one, records)
    frame = effects_frame(study, trials_frame(study), common_rung(study)).set_index("value")
    assert list(frame.index) == ["lstm", "gru"]  # as in the study file
    assert frame.loc["gru", "trials"] == 3
    assert frame.loc["gru", "median"] == 0.4  # of .2, .4 and 1
    assert frame.loc["gru", "best"] == 0.2


def test_a_scheduler_is_judged_at_the_end_by_full_trials_only(one, evaluation):
    space = {"scheduler": {"none": {}, "cosine": {}}}
    records = [
        record_at(evaluation, 0, [0.9] * 8 + [0.1], params={"scheduler": "cosine"}),
        record_at(evaluation, 1, [0.5] * 3, "pruned", {"scheduler": "cosine"}),
        record_at(evaluation, 2, [0.6] * 9, params={"scheduler": "none"}),
    ]
    study = study_of(one, records, space)
    frame = effects_frame(study, trials_frame(study), common_rung(study)).set_index("value")
    assert frame.loc["cosine", "basis"] == "end"
    assert frame.loc["cosine", "trials"] == 1
    assert frame.loc["cosine", "median"] == 0.1


def test_ranges_are_binned_on_their_own_scale(one, evaluation):
    space = {"optimizer": {"sgd": {"lr": {"log": [1e-4, 1.0]}}}}
    values = [1.0001e-4, 5e-4, 5e-3, 5e-2, 0.5, 1.0]
    records = [
        record_at(evaluation, k, [0.1] * 9, params={"optimizer": "sgd", "sgd.lr": value})
        for k, value in enumerate(values)
    ]
    study = study_of(one, records, space)
    groups = groups_of(trials_frame(study), "sgd.lr", study.axes["sgd.lr"])
    assert [text for text, _ in groups] == ["0.0001 – 0.001", "0.001 – 0.01", "0.01 – 0.1", "0.1 – 1"]
    assert [numbers for _, numbers in groups] == [[0, 1], [2], [3], [4, 5]]


def test_the_lead_is_that_of_the_lowest_median_over_the_rest():
    values = np.array([0.5, 0.7, 0.1, 0.3, 0.9, 0.8])
    labels = np.array([0, 0, 1, 1, 2, 2])
    lead, winner = best_lead(values, labels)
    assert winner == 1
    assert lead == pytest.approx(0.75 - 0.2)  # medians of (.5 .7 .9 .8) and (.1 .3)


def claims_of(folder, evaluation, score_of, seed):
    rng = np.random.default_rng(seed)
    cells = ["lstm", "gru"]
    records = [
        record_at(evaluation, k, [float(score_of(cells[k % 2], rng))] * 9, params={"cell": cells[k % 2]})
        for k in range(40)
    ]
    study = study_of(folder, records)
    return effect_claims(
        comparisons(study, trials_frame(study), common_rung(study)), np.random.default_rng(0)
    )


def test_a_real_effect_is_claimed_with_its_interval(one, evaluation):
    claims = claims_of(one, evaluation, lambda cell, rng: rng.uniform(0.1, 0.5) + 0.3 * (cell == "lstm"), 0)
    assert [claim.value for claim in claims] == ["gru"]
    assert claims[0].low < 0.3 < claims[0].high
    assert claims[0].low > 0


def test_a_lead_that_may_be_none_is_not_claimed():
    # significant by the permutation test alone: medians .33 and .465, but the interval of the lead is -.04 to .26
    rng = np.random.default_rng(340)
    few = int(rng.integers(6, 30))
    groups = {"lstm": np.round(rng.normal(0.38, 0.15, few), 2), "gru": np.round(rng.normal(0.5, 0.15, 40), 2)}
    assert few == 7
    assert effect_claims([Comparison("cell", "rung", groups)], np.random.default_rng(0)) == []
    groups["lstm"] = groups["lstm"] - 0.1
    (claim,) = effect_claims([Comparison("cell", "rung", groups)], np.random.default_rng(0))
    assert claim.value == "lstm"
    assert 0 < claim.low < claim.others - claim.median < claim.high


def test_chance_is_not_claimed(one, evaluation):
    # control: 20 studies without an effect; at a level of 5 % five or more claims have a chance below .3 %
    none = [claims_of(one, evaluation, lambda cell, rng: rng.uniform(0.1, 0.9), seed) for seed in range(20)]
    assert sum(map(len, none)) <= 4


def test_values_with_fewer_than_five_trials_are_not_tested(one, evaluation):
    cells = ["gru"] * 9 + ["lstm"] * 4
    records = [record_at(evaluation, k, [0.5] * 9, params={"cell": cell}) for k, cell in enumerate(cells)]
    study = study_of(one, records)
    assert comparisons(study, trials_frame(study), common_rung(study)) == []
    study = study_of(one, [*records, record_at(evaluation, 13, [0.5] * 9, params={"cell": "lstm"})])
    (tested,) = comparisons(study, trials_frame(study), common_rung(study))
    assert {value: len(scores) for value, scores in tested.groups.items()} == {"gru": 9, "lstm": 5}


def test_importance_goes_to_what_decides(one, evaluation):
    rng = np.random.default_rng(0)
    space = {
        "optimizer": {"sgd": {"lr": {"log": [1e-4, 1.0]}}, "adam": {"lr": {"log": [1e-4, 1.0]}}},
        "cell": ["lstm", "gru"],
        "scheduler": {"none": {}, "cosine": {}},
        "dropout": {"log1m": [0.0, 0.99]},
    }
    records = []
    for number in range(80):
        optimizer = str(rng.choice(["sgd", "adam"]))
        u = float(rng.uniform())
        params = {
            "optimizer": optimizer,
            f"{optimizer}.lr": 1e-4 * 1e4**u,
            "cell": str(rng.choice(["lstm", "gru"])),
            "scheduler": "none",
            "dropout": float(1 - 0.01 ** rng.uniform()),
        }
        records.append(record_at(evaluation, number, [min(1.0, abs(u - 0.5))] * 9, params=params))
    (importance,) = importances(study_of(one, records, space), common_rung(study_of(one, records, space)))
    assert list(importance.shares) == sorted(
        importance.shares, key=lambda name: (-importance.shares[name], name)
    )
    assert importance.reason is None
    assert sum(importance.shares.values()) == pytest.approx(1)
    assert set(list(importance.shares)[:2]) == {"sgd.lr", "adam.lr"}  # conditional, and yet first
    assert "scheduler" not in importance.shares
    assert "dropout" in importance.shares  # by its own name, not Optuna's "1-dropout"


def test_choices_are_judged_within_each_readout_refit(one, evaluation):
    # "gru" is better where the readout is trained, "lstm" where it is solved, and solving is better than both
    space = {"readout_refit": {"never": {}, "always": {}}, "cell": ["lstm", "gru"], "hidden": [8, 16]}
    levels = {("never", "gru"): 0.4, ("never", "lstm"): 0.6, ("always", "lstm"): 0.1, ("always", "gru"): 0.3}
    rng = np.random.default_rng(0)
    records = []
    for number in range(80):
        refit, cell = ("never", "always")[number % 2], str(rng.choice(["lstm", "gru"]))
        score = levels[refit, cell] + 0.02 * float(rng.uniform())
        params = {"readout_refit": refit, "cell": cell, "hidden": int(rng.choice([8, 16]))}
        records.append(record_at(evaluation, number, [score] * 9, params=params))
    study = study_of(one, records, space)
    trials, rung = trials_frame(study), common_rung(study)
    frame = effects_frame(study, trials, rung)
    assert set(frame[frame.param == "cell"].readout_refit) == {"never", "always"}
    assert set(frame[frame.param == "readout_refit"].basis) == {"end"}
    claims = effect_claims(comparisons(study, trials, rung), np.random.default_rng(0))
    best = {(claim.param, claim.readout_refit): claim.value for claim in claims}
    assert best == {
        ("readout_refit", None): "always", ("cell", "never"): "gru", ("cell", "always"): "lstm",
    }  # fmt: skip
    shares = {entry.readout_refit: entry for entry in importances(study, rung)}
    assert list(shares) == ["never", "always"]
    for entry in shares.values():
        assert entry.trials == 40 and set(entry.shares) == {"cell", "hidden"}


def test_readouts_solved_at_the_end_are_judged_there(one, evaluation):
    # at the rung "lstm" is ahead; once the readout is solved "gru" is
    space = {
        "readout_refit": {"never": {}, "end": {}},
        "cell": ["lstm", "gru"],
        "scheduler": {"none": {}, "step": {}},
    }
    rng = np.random.default_rng(0)
    records = []
    for number in range(80):
        cell, scheduler = str(rng.choice(["lstm", "gru"])), str(rng.choice(["none", "step"]))
        early, late = (0.3, 0.2) if cell == "lstm" else (0.6, 0.1)
        noise = 0.01 * float(rng.uniform())
        errors = [early + noise] * 8 + [late + noise]
        params = {"readout_refit": ("never", "end")[number % 2], "cell": cell, "scheduler": scheduler}
        records.append(record_at(evaluation, number, errors, params=params))
    study = study_of(one, records, space)
    trials, rung = trials_frame(study), common_rung(study)
    claims = effect_claims(comparisons(study, trials, rung), np.random.default_rng(0))
    best = {(claim.param, claim.readout_refit): (claim.value, claim.basis) for claim in claims}
    assert best == {("cell", "never"): ("lstm", "rung"), ("cell", "end"): ("gru", "end")}
    shares = {entry.readout_refit: entry.shares for entry in importances(study, rung)}
    assert set(shares["never"]) == {"cell"} and set(shares["end"]) == {"cell", "scheduler"}


def test_few_trials_have_no_importances_but_a_reason(one, evaluation):
    study = study_of(one, [record_at(evaluation, 0, [0.5] * 9)])
    (importance,) = importances(study, common_rung(study))
    assert importance.shares == {}
    assert importance.reason == "needs at least 20 scored trials, there are 1"


def test_the_example_study_has_effects_for_every_hyperparameter(study):
    read = read_study(study)
    frame = effects_frame(read, trials_frame(read), common_rung(read))
    assert set(frame["param"]) == set(read.axes)
    assert (frame["q25"] <= frame["median"]).all()
