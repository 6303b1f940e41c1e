"""What validation decided for networks, from made records: when training ends, the ridge, the plateaus."""

from dataclasses import replace

import numpy as np
import pytest

from sweep.config.data_section import DataConfig
from sweep.config.records import Evaluation, TrialRecord
from sweep.config.section import Component
from sweep.config.sections import ModelConfig, ScoreConfig, TrainingConfig
from sweep.config.trial import TrialConfig
from sweep.data import WindowSource
from sweep.forecast.fit_settings import (
    best_share,
    equal_budget,
    fitted_of,
    kept_ridge,
    lowered_at,
    read_errors,
    size_of,
)
from tests.support.attack import fake_scores

PLATEAU = Component.model_validate({"name": "plateau", "gamma": 0.5, "patience": 0})


def config_of(**training) -> TrialConfig:
    return TrialConfig(
        data=DataConfig(source="sine"),
        score=ScoreConfig(warmup=10, horizon=20, starts=3),
        model=ModelConfig(hidden=4, layers=1),
        training=TrainingConfig(**{"budget": 1000, "evaluations": 5, "scheduler": PLATEAU, **training}),
        seed=1,
    )


def record_of(errors, updates=None, evidence=None, last=None, **training) -> TrialRecord:
    """Return the record of a network with these rollout errors at 200, 400, ... sequence-steps.

    Args:
        errors: by evaluation.
        updates: by evaluation; None: 10, 20, ...
        evidence: of the readout refit, by evaluation index.
        last: score of the last evaluation after a readout refit at the end; None: as without.
    """
    evaluations = [
        Evaluation(
            k,
            200 * (k + 1),
            10 * (k + 1) if updates is None else updates[k],
            fake_scores(error),
            0.1,
            0.1,
            {"readout_refit": evidence[k]} if evidence and k in evidence else {},
        )
        for k, error in enumerate(errors)
    ]
    if last is not None:
        evaluations[-1] = replace(evaluations[-1], scores=fake_scores(last))
    best = min(range(len(evaluations)), key=lambda k: evaluations[k].scores.rollout_error)
    return TrialRecord(
        0,
        "complete",
        {},
        config_of(**training).model_dump(mode="json"),
        "replicated",
        tuple(evaluations),
        evaluations[best].scores.rollout_error,
        best,
    )


def refitted(errors, ridge, last) -> TrialRecord:
    """Return the record of a network whose readout was refitted at the end, with the score that this gave."""
    outcome = {"raw": min(errors), "refit": last, "ridge": ridge, "latest": errors[-1]}
    score = last if last < min(errors) else errors[-1]
    return record_of(errors, evidence={len(errors) - 1: outcome}, last=score, readout_refit="end")


def test_training_ends_at_the_median_share_of_the_best_checkpoints():
    records = [
        record_of([0.9, 0.5, 0.6, 0.7, 0.8]),
        record_of([0.9, 0.8, 0.7, 0.4, 0.5]),
        record_of([5, 4, 3, 2, 1]),
    ]
    assert [best_share(record) for record in records] == [0.4, 0.8, 1.0]
    assert fitted_of(records).stop == 0.8
    assert fitted_of(records[:2]).stop == pytest.approx(0.6)


def test_weights_that_no_update_has_changed_are_no_checkpoint():
    assert best_share(record_of([0.1, 0.5, 0.4], updates=[0, 10, 20])) == pytest.approx(0.6)


def test_a_mini_batch_over_the_budget_does_not_lengthen_it():
    record = record_of([0.5, 0.4])
    over = replace(
        record, evaluations=(record.evaluations[0], replace(record.evaluations[1], sequence_steps=1031))
    )
    assert best_share(over) == 1.0


def test_a_refit_at_the_end_does_not_move_the_best_checkpoint():
    record = refitted([0.9, 0.3, 0.6, 0.7, 0.8], 1e-8, 0.1)
    assert record.best == 4 and best_share(record) == 0.4 and kept_ridge(record) == 1e-8
    assert read_errors(record) == (0.9, 0.3, 0.6, 0.7, 0.8)


def test_a_refit_that_was_not_better_left_the_readout():
    assert kept_ridge(refitted([0.9, 0.3, 0.6], 1e-8, 0.3)) is None
    assert kept_ridge(refitted([0.9, 0.3, 0.6], None, 0.3)) is None
    assert kept_ridge(record_of([0.9, 0.3], evidence={1: {"reason": "too few"}}, readout_refit="end")) is None
    assert kept_ridge(record_of([0.9, 0.3])) is None


def test_the_ridge_of_a_projected_readout_is_that_of_the_best_checkpoint():
    evidence = {k: {"raw": 1, "refit": 1, "ridge": ridge} for k, ridge in enumerate((1e-4, 1e-6, 1e-8))}
    record = record_of(
        [0.9, 0.2, 0.6], evidence=evidence, readout_refit="always", optimizer=Component(name="lbfgs")
    )
    assert kept_ridge(record) == 1e-6


@pytest.mark.parametrize(
    ("ridges", "median"),
    [
        ((1e-8, 1e-4, 1e-6), 1e-6),
        ((1e-8, 1e-4), 1e-4),
        ((None, 1e-8, 1e-6), 1e-6),
        ((None, 1e-8), None),
        ((None, None, 1e-8), None),
    ],
)
def test_the_ridge_is_the_median_of_those_that_were_kept(ridges, median):
    records = [refitted([0.9, 0.3], ridge, 0.1 if ridge else 0.3) for ridge in ridges]
    assert fitted_of(records).ridge == median


def test_the_scheduler_reads_the_errors_of_the_median_network():
    errors = ([0.9, 0.2], [0.8, 0.5], [0.7, 0.6], [0.6, 0.55])
    records = [record_of(list(each)) for each in errors]
    assert fitted_of(records[:3]).errors == (0.8, 0.5)
    assert fitted_of(records).errors == (0.6, 0.55)  # of four the worse of the middle two


def test_an_evaluation_of_unchanged_weights_is_not_read():
    assert read_errors(record_of([0.9, 0.5, 0.5, 0.4], updates=[10, 20, 20, 30])) == (0.9, 0.5, None, 0.4)
    assert read_errors(record_of([0.9, 0.5, 0.4, 0.4], updates=[10, 20, 20, 30])) == (0.9, 0.5, 0.4, 0.4)


def test_the_rate_is_lowered_where_the_median_network_had_a_plateau():
    fitted = fitted_of([record_of([0.9, 0.5, 0.6, 0.4, 0.45])])
    assert fitted.stop == 0.8
    config = config_of().model_copy(update={"fitted": fitted})
    assert config.points == (200, 400, 600, 800)
    assert lowered_at(config) == [0.6]  # 0.6 at 600 is no gain; 0.45 comes after the end
    longer = config.model_copy(update={"fitted": fitted.model_copy(update={"stop": 1.0})})
    assert lowered_at(longer) == [0.6]
    flat = longer.model_copy(update={"training": config_of(scheduler=Component(name="cosine")).training})
    assert lowered_at(flat) == []
    with pytest.raises(ValueError, match="wanted a training on all data"):
        lowered_at(config_of())


def test_a_full_batch_gets_as_many_updates_on_more_data():
    adam, lbfgs = config_of(), config_of(optimizer=Component(name="lbfgs"))
    assert equal_budget(adam, 1000, (10, 20), (25, 20)) == 1000
    assert equal_budget(lbfgs, 1000, (10, 20), (25, 20)) == 2500


def test_the_size_of_windows_counts_those_of_an_epoch():
    windows = WindowSource(np.zeros((30, 1)), np.zeros(1, int), (30,), 1, 5, stride=2)
    assert size_of(windows) == (3, 5)  # five windows of 5 steps, every second one
