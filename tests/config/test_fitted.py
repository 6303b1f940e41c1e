"""The settings of a training on all data, and how they enter the identity of a configuration."""

import pytest

from sweep.config.data_section import DataConfig
from sweep.config.fitted import Begin, Fitted
from sweep.config.sections import ModelConfig, ScoreConfig, TrainingConfig
from sweep.config.trial import TrialConfig, trial_config_from_json

BEGIN = Begin(seed=3, file="/here/checkpoint.pt", digest="ab")


def config_of(fitted: Fitted | None = None, evaluations: int = 4) -> TrialConfig:
    return TrialConfig(
        data=DataConfig(source="sine"),
        score=ScoreConfig(warmup=10, horizon=20, starts=3),
        model=ModelConfig(),
        training=TrainingConfig(budget=1000, evaluations=evaluations),
        rungs=(0.6,),
        seed=1,
        fitted=fitted,
    )


def test_a_trial_with_scores_is_the_same_document_as_before():
    assert "fitted" not in config_of().model_dump(mode="json")
    assert config_of().key == TrialConfig.model_validate(config_of().model_dump()).key == "3b747fe24525538b"


def test_training_ends_at_the_share_and_keeps_the_points_before():
    assert config_of().points == (250, 600, 750, 1000)
    assert config_of(Fitted(stop=0.6)).points == (250, 600)
    assert config_of(Fitted(stop=0.7)).points == (250, 600, 700)
    assert config_of(Fitted(stop=0.0001)).points == (1,)


def test_a_scheduler_reads_the_errors_of_the_points_before():
    fitted = Fitted(errors=(0.9, None, 0.7, 0.6))
    assert [fitted.errors_at(point) for point in range(4)] == [[], [0.9], [0.9], [0.9, 0.7]]


def test_an_update_reads_all_errors_from_its_start():
    assert Fitted(errors=(0.9, None, 0.7), begins=(BEGIN,)).errors_at(0) == [0.9, 0.7]


def test_each_seed_continues_from_its_own_weights():
    fitted = Fitted(begins=(BEGIN, Begin(seed=4, file="/other/checkpoint.pt", digest="cd")))
    assert Fitted().begin_of(3) is None
    assert [fitted.begin_of(seed).digest for seed in (3, 4)] == ["ab", "cd"]
    with pytest.raises(ValueError, match="no stored weights of seed 5"):
        fitted.begin_of(5)


def test_the_key_holds_the_settings_but_not_the_place_of_the_weights():
    moved = BEGIN.model_copy(update={"file": "/there/checkpoint.pt"})
    other = BEGIN.model_copy(update={"digest": "cd"})
    keys = [config_of(Fitted(begins=(begin,))).key for begin in (BEGIN, moved, other)]
    assert keys[0] == keys[1] != keys[2]
    different = [
        Fitted(),
        Fitted(stop=0.5),
        Fitted(ridge=1e-8),
        Fitted(errors=(0.5,)),
        Fitted(fingerprint="a"),
    ]
    assert len({config_of(one).key for one in different} | {config_of().key}) == 6


def test_it_survives_the_record_of_a_training():
    fitted = Fitted(
        stop=1 / 3,
        ridge=1e-14,
        errors=(0.1, None),
        begins=(BEGIN,),
        coding={"mean": [[0.1 + 0.2]], "season": None},
    )
    config = config_of(fitted)
    assert trial_config_from_json(config.model_dump(mode="json")) == config
