"""One study against another: verdicts, equal budgets, new symptoms, shared starts, refusals."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from sweep.config.errors import UsageError
from sweep.config.records import Evaluation, Scores, TrialRecord
from sweep.data.types import Starts
from sweep.results.comparison.basis import NotComparable
from sweep.results.comparison.compared import compared
from sweep.results.comparison.document import comparison_document
from sweep.results.study import StoredStudy, read_study
from sweep.results.wording.comparison import basis_text, verdict_text
from sweep.store.folder import StudyFolder
from tests.support.made_study import BUDGET, sines, study_document, write_trial

BASELINES = {"mean": {"rollout_error": 1.0}}
ERRORS = tuple(0.1 * 1.05**rank for rank in range(12))
SEEDS = (0.1, 0.11, 0.12, 0.13, 0.14)


def record(number, error, seed=0, state="complete", budget=BUDGET) -> TrialRecord:
    config = {"seed": seed, "training": {"budget": budget}}
    scores = Scores(error or 1.0, (error or 1.0,) * 4, 1.0, 9.0, 8.0, 10.0, 0.0, 0.1, 0.1)
    evaluated = (Evaluation(0, budget, 100, scores, 0.1, 0.01),)
    return TrialRecord(number, state, {}, config, "sampled", evaluated, error, best=0, sequence_steps=budget)


def confirmation(leader, errors):
    arm = {"number": leader, "replications": list(range(len(errors))), "errors": list(errors)}
    iqm = {"value": float(np.median(errors)), "low": None, "high": None}
    return {
        "seeds": len(errors),
        "leader": leader,
        "arms": [arm | {"iqm": iqm, "valid_steps": [1.0] * len(errors)}],
    }


def made(errors=ERRORS, fresh=SEEDS, name="one", symptoms=None, budget=BUDGET, **changes) -> StoredStudy:
    """A study of these selected errors and errors on fresh seeds; of all trials the same symptom, unless told."""
    records = tuple(record(number, error, number, budget=budget) for number, error in enumerate(errors))
    leader = int(np.argmin(errors))
    codes = dict(enumerate(symptoms or []))
    trained = tuple(record(number, error, 100 + number) for number, error in enumerate(fresh or ()))
    return StoredStudy(
        folder=StudyFolder(Path("nowhere") / name),
        document=study_document(name, **changes),
        records=records,
        baselines=BASELINES,
        missing_baselines={},
        winner=None,
        confirmation=confirmation(leader, fresh) if fresh else None,
        diagnoses={number: SimpleNamespace(code=code) for number, code in codes.items()},  # type: ignore[misc]
        fresh=trained,
    )


def pair(first, second):
    return compared([first, second]).pairs[0]


def times(factor, errors):
    return tuple(min(1.0, factor * error) for error in errors)


def test_a_doubled_error_is_worse_and_its_mirror_better():
    worse = pair(made(), made(times(2, ERRORS), times(2, SEEDS), "two"))
    assert (worse.verdict, worse.alarm) == ("worse", True)
    assert (worse.ahead.ahead, worse.ahead.needed) == (12, 7)
    assert "two is worse than one: 12 trials of one are better than the best trial of two" in verdict_text(
        worse
    )
    better = pair(made(times(2, ERRORS), times(2, SEEDS), "two"), made())
    assert (better.verdict, better.alarm) == ("better", False)


def test_both_the_search_and_the_seeds_must_agree():
    lucky = pair(
        made(), made(times(1.2, ERRORS), times(2, SEEDS), "two")
    )  # 4 trials lead: the luck of a search
    assert (lucky.ahead.ahead, lucky.verdict) == (4, "no difference shown")
    noisy = pair(made(), made(times(2, ERRORS), (0.09, 0.15, 0.16, 0.17, 0.125), "two"))
    assert noisy.ahead.beyond_chance and noisy.seeds.p > 0.05 and noisy.verdict == "no difference shown"


def test_without_a_confirmation_the_selected_scores_decide():
    unconfirmed = pair(made(fresh=None), made(times(2, ERRORS), times(2, SEEDS), "two"))
    assert (unconfirmed.seeds, unconfirmed.verdict) == (None, "worse")
    assert "not both studies are confirmed" in verdict_text(unconfirmed)


def test_exact_scores_are_equal():
    tiny = times(1e-11, ERRORS)
    assert pair(made(tiny, None), made(times(500, tiny), None, "two")).verdict == "no difference shown"
    exact = pair(made(fresh=(1e-13,) * 5), made(times(2, ERRORS), (4e-11,) * 5, "two"))
    assert exact.ahead.beyond_chance and exact.verdict == "no difference shown"


def test_few_starts_or_few_trials_claim_nothing():
    document = study_document()["record"] | {"n_eff_validation": 7}
    few = pair(made(record=document), made(times(5, ERRORS), times(5, SEEDS), "two", record=document))
    assert (few.verdict, few.alarm) == ("no claim", False)
    assert "only 7 starts do not overlap" in verdict_text(few)
    short = pair(made(ERRORS[:4]), made(times(5, ERRORS), times(5, SEEDS), "two"))
    assert (
        short.verdict == "no claim"
        and "4 and 4 trials within the equal budget are too few" in verdict_text(short)
    )


def test_a_longer_search_is_compared_by_its_first_trials():
    long = made((*times(2, ERRORS), *ERRORS), SEEDS, "long")
    result = pair(long, made(times(2, ERRORS), SEEDS, "two"))
    assert (result.budget.unit, result.budget.limit) == ("trials", 12)
    assert len(result.first.equal.trials) == 12 and result.ahead.ahead == 0


def test_trials_of_other_budgets_are_compared_by_sequence_steps():
    result = pair(made(), made(ERRORS, SEEDS, "two", budget=2 * BUDGET))
    assert (result.budget.unit, result.budget.limit) == ("sequence-steps", 12 * BUDGET)
    assert [len(side.equal.trials) for side in (result.first, result.second)] == [12, 6]


def test_a_failed_training_counts_as_1():
    failed = replace(record(12, None, 12), state="failed", best=None)
    study = made()
    result = pair(replace(study, records=(*study.records, failed)), made(name="two"))
    assert result.first.scores.errors[-1] == 1


def symptoms_of(monkeypatch, first, second):
    """Let the networks on fresh seeds of the studies one and two show these symptoms."""
    shown = {"one": first, "two": second}
    monkeypatch.setattr(
        "sweep.results.comparison.search_scores.readable_diagnoses",
        lambda folder, records: {
            number: SimpleNamespace(code=code) for number, code in enumerate(shown[folder.path.parent.name])
        },
    )


@pytest.mark.parametrize(
    ("fresh", "before", "after", "alarm"),
    [
        ((["S01"] * 5, ["S05"] * 5), ["S01"] * 12, ["S05"] * 12, True),
        ((["S05"] * 5, ["S05"] * 5), ["S01"] * 12, ["S05"] * 12, False),  # seeds of the first show it, too
        (
            (["S01"] * 5, ["S05"] * 5),
            ["S01"] * 6 + ["S05"] * 6,
            ["S05"] * 12,
            False,
        ),  # a good trial of the first
        ((["S01"] * 5, ["S05"] * 5), ["S01"] * 7 + ["S05"] * 5, ["S05"] * 3 + ["S01"] * 9, True),
        (
            (["S01"] * 5, ["S05"] * 5),
            ["S01"] * 12,
            ["S05"] * 2 + ["S01"] * 10,
            False,
        ),  # the third-best is right
        ((["S01"] * 5, ["S05"] * 3 + ["S01"] * 2), ["S01"] * 12, ["S05"] * 12, False),  # some seeds are right
        ((["S05"] * 5, ["S01"] * 5), ["S05"] * 12, ["S01"] * 12, False),  # health is no symptom
    ],
    ids=["new", "seeds", "a good trial", "just enough", "third-best", "some seeds", "healthy"],
)
def test_a_new_symptom(monkeypatch, fresh, before, after, alarm):
    symptoms_of(monkeypatch, *fresh)
    result = pair(made(symptoms=before), made(name="two", symptoms=after))
    assert (result.verdict, result.alarm) == ("no difference shown", alarm)
    assert (
        "New symptom in the leading configuration of two: S05 frequency drift, in 5 of 5"
        in verdict_text(result)
    ) is alarm


def test_a_muted_symptom_is_not_new(monkeypatch):
    symptoms_of(monkeypatch, ["S01"] * 5, ["S05"] * 5)
    muted = made(name="two", symptoms=["S05"] * 12, diagnosis={"mute": ["S05"]})
    assert pair(made(symptoms=["S01"] * 12), muted).symptom is None


def test_what_differs_is_listed_with_both_values():
    changed = made(name="two", search={"trials": 40, "seed": 7, "width": 16, "sampler": "random"})
    rows = {entry.path: (entry.first, entry.second) for _, entry in pair(made(), changed).differences.items}
    assert rows == {"search.seed": (0, 7), "search.sampler": ("tpe", "random")}
    wider = made(name="two", space={"cell": ["gru"], "batch_size": [8, 16, 32, 64]})
    assert {entry.path for entry in pair(made(), wider).differences.space} >= {"space.cell"}
    assert list(pair(made(), made(name="two")).differences.items) == []


def test_every_later_study_is_compared_with_the_first():
    comparison = compared([made(), made(name="two"), made(times(2, ERRORS), times(2, SEEDS), "three")])
    assert [pair.alarm for pair in comparison.pairs] == [False, True] and comparison.worse
    document = comparison_document(comparison)
    assert [entry["first"]["name"] for entry in document["pairs"]] == ["one", "one"]
    with pytest.raises(UsageError, match="wanted at least two studies to compare, got 1"):
        compared([made()])


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        ({"score_format": 1}, "their definitions of scores differ"),
        ({"channels": ["z"]}, "their channels differ"),
        ({"data_fingerprint": "aa" * 32}, r"scores are of different tasks \(other data\).*share no start"),
    ],
)
def test_studies_of_other_tasks_are_refused(facts, message):
    other = made(name="two", record=study_document()["record"] | facts)
    with pytest.raises(NotComparable, match=message):
        compared([made(), other])


def cut(starts: Starts, rows: list[int], horizon: int) -> Starts:
    """Some of the starts, and a part of the horizon."""
    values = {name: getattr(starts, name) for name in Starts.__dataclass_fields__}
    kept = {name: value[rows] if isinstance(value, np.ndarray) else value for name, value in values.items()}
    return Starts(**{**kept, "truth": kept["truth"][:, :horizon]})


def test_shared_starts_are_scored_again(tmp_path):
    everything = sines(starts=10, horizon=100)
    parts = {"one": (list(range(10)), 100), "two": ([3, 8, 5], 60)}
    studies = []
    for name, (rows, horizon) in parts.items():
        folder = StudyFolder(tmp_path / name)
        score = {"warmup": 100, "horizon": horizon, "starts": len(rows)}
        facts = study_document()["record"] | {"data_fingerprint": name * 8}
        document = study_document(name, score=score, record=facts)
        folder.write_study(document)
        starts = cut(everything, rows, horizon)
        if name == "two":  # its own scale must not count
            starts = replace(starts, scale=3 * starts.scale)
        write_trial(folder, 0, {"cell": "gru"}, "drift", 0.05, 0.01, starts=starts, document=document)
        studies.append(read_study(folder))
    result = pair(*studies)
    assert (result.basis.kind, result.basis.starts, result.basis.horizon) == ("rescored", 3, 60)
    assert "horizon 100 and 60; starts 10 and 3" in basis_text(result)
    # the naive twin: errors of both on starts 3, 5, 8 over 60 steps, blocks of 12 steps
    for study, rows, side in zip(studies, ([3, 5, 8], [0, 2, 1]), (result.first, result.second), strict=True):
        arrays = study.folder.rollout(0)
        wrong = (arrays["forecast"][rows, :60, 0] - arrays["truth"][rows, :60, 0]) / everything.scale[
            [3, 5, 8]
        ]
        blocks = np.sqrt((wrong.reshape(3, 5, 12) ** 2).mean(axis=2))
        assert side.scores.best.error == pytest.approx(np.minimum(blocks, 1).mean())
    assert result.verdict == "no claim"
