"""A study's identity, its document, and the configurations of its trials."""

import tomllib
from itertools import pairwise
from typing import Any

import pytest
import tomli_w
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from sweep.config.data_section import DataConfig
from sweep.config.records import PREFIXES
from sweep.config.sections import ModelConfig, PruningConfig, Rung, ScoreConfig, TrainingConfig
from sweep.config.seeds import fresh_seeds, seed_of, stream
from sweep.config.study import differences, identity
from sweep.config.trial import TrialConfig, trial_config_from_json

SGD = {"optimizer": "sgd", "sgd.lr": 0.1, "sgd.momentum": 0.5, "cell": "gru", "batch_size": 8}
LBFGS = {"optimizer": "lbfgs", "lbfgs.lr": 0.5, "lbfgs.history": 5, "cell": "lstm"}


# --- identity ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "override",
    [
        "search.trials=7",
        "run.workers=3",
        "run.executor='inline'",
        "run.device='cuda'",
        "diagnosis.mute=['S07']",
        "name=x",
        "description=x",
    ],
)
def test_settings_outside_the_identity(override: str, study):
    assert differences(study().document(), study(override).document()) == []


@pytest.mark.parametrize(
    ("override", "line"),
    [
        ("search.seed=7", "search.seed: 0 in the results, 7 now"),
        ("search.width=4", "search.width: 16 in the results, 4 now"),
        ("training.budget=5", "training.budget: 3000000 in the results, 5 now"),
        ("data.options.noise=0.5", "data.options.noise: not set in the results, 0.5 now"),
        ("space.cell=['gru']", "space.cell: ['lstm', 'gru'] in the results, ['gru'] now"),
        ("pruning.enabled=false", "pruning.enabled: True in the results, False now"),
        ("space.optimizer.adam.beta2=0.9", "space.optimizer.adam.beta2: 0.99 in the results, 0.9 now"),
    ],
)
def test_differences_are_named(override: str, line: str, study):
    assert line in differences(study().document(), study(override).document())


def test_the_place_of_a_data_file_is_not_part_of_the_identity(study):
    document = {"data": {"path": "/here/a.csv"}, "space": {"cell": ["gru"]}}
    one, two = study(document=document), study("data.path='/there/a.csv'", document=document)
    assert differences(one.document(), two.document()) == []
    other = study("data.path='/here/b.csv'", document=document)
    assert differences(one.document(), other.document()) == ["data.path: a.csv in the results, b.csv now"]


def test_the_order_of_the_file_changes_nothing(study, document: dict[str, Any]):
    turned = {**document, "space": dict(reversed(document["space"].items()))}
    turned["space"]["optimizer"] = dict(reversed(document["space"]["optimizer"].items()))
    one, two = study(document=document), study(document=turned)
    assert differences(one.document(), two.document()) == []
    assert one.space == two.space  # or the same study would propose other trials
    assert list(document["space"]["optimizer"]) != list(turned["space"]["optimizer"])


def test_a_document_can_be_read_again(study, document: dict[str, Any]):
    document["space"]["scheduler"] = ["none", "cosine"]
    document["space"]["head"] = [[], [8, 4]]
    document["enqueue"] = [{**one, "scheduler": "none", "head": [8, 4]} for one in (SGD, LBFGS)]
    first = study("data.options.noise=0.1", document=document)
    written = tomllib.loads(tomli_w.dumps(first.document()))
    again = study(document=written)
    assert identity(again.document()) == identity(first.document()) == identity(written)
    assert again == first
    assert again.trial(again.enqueue[0]) == first.trial(first.enqueue[0])


# --- configurations ---------------------------------------------------------------------------------


def test_parameters_go_where_they_belong(study):
    config = study("training.scheduler=cosine", "training.batch_size=99").trial(SGD)
    assert config.model.cell == "gru" and config.training.batch_size == 8
    assert config.training.optimizer.name == "sgd"
    assert config.training.optimizer.settings == {"lr": 0.1, "momentum": 0.5}
    assert config.training.scheduler.name == "cosine"
    adam = study().trial({"optimizer": "adam", "adam.lr": 0.01, "cell": "lstm", "batch_size": 16})
    assert adam.training.optimizer.settings == {"lr": 0.01, "beta2": 0.99}  # a fixed setting of one owner


def test_full_batch_optimizers_have_no_batch_size(study):
    space = study().space
    drawn: list[str] = []

    def first(optimizer: str):
        def value_of(axis):
            drawn.append(axis.name)
            return optimizer if axis.name == "optimizer" else axis.span.from_unit(0.0)

        return value_of

    assert "batch_size" not in space.draw(first("lbfgs")) and "batch_size" not in drawn
    assert "batch_size" in space.draw(first("sgd"))
    params = space.draw(first("adam"))
    assert set(params) == {"optimizer", "adam.lr", "batch_size", "cell"}


def test_settings_without_effect_on_full_batches_are_not_sampled_for_them(study):
    space = study("space.clip=[0.0, 1.0]", "space.shuffle=[true, false]").space
    for optimizer, more in (("lbfgs", set()), ("sgd", {"clip", "shuffle", "batch_size"})):
        drawn = space.draw(lambda a, o=optimizer: o if a.name == "optimizer" else a.span.from_unit(0.0))
        assert {"clip", "shuffle", "batch_size"} & set(drawn) == more


def test_windows_that_trials_may_have(study):
    assert study("training.window=77").windows == (77,)
    assert study("space.window=[16, 64, 32]").windows == (16, 64, 32)
    assert study("space.window={ int = [16, 64] }").windows == (16, 64)


def test_the_seed_depends_on_content_and_study_seed_alone(study):
    seed = study().trial(SGD).seed
    assert 0 <= seed < 2**63
    assert study("search.seed=1").trial(SGD).seed != seed
    assert study().trial({**SGD, "sgd.lr": 0.2}).seed != seed
    assert study("training.burn_in=1").trial(SGD).seed != seed
    assert study("run.device='cuda'").trial(SGD).seed == seed
    assert study("name=other", "search.trials=3", "search.width=2").trial(SGD).seed == seed
    assert study().trial(dict(reversed(SGD.items()))).seed == seed
    document = {"data": {"path": "/here/a.csv"}, "space": {"cell": ["gru"]}}
    here = study(document=document).trial({"cell": "gru"})
    there = study("data.path='/there/a.csv'", document=document).trial({"cell": "gru"})
    other = study("data.path='/here/b.csv'", document=document).trial({"cell": "gru"})
    assert here.seed == there.seed != other.seed


def test_more_fresh_seeds_begin_with_fewer_and_purposes_differ():
    assert fresh_seeds(0, "confirm", 5)[:3] == fresh_seeds(0, "confirm", 3)
    assert not set(fresh_seeds(0, "confirm", 5)) & set(fresh_seeds(0, "treat", 5))
    assert not set(fresh_seeds(0, "confirm", 5)) & set(fresh_seeds(1, "confirm", 5))


def test_seeds_of_content():
    assert seed_of(1, {"a": 1, "b": 2}) == seed_of(1, {"b": 2, "a": 1})
    assert seed_of(1, [2]) != seed_of(2, [1]) != seed_of([1, 2])
    streams = {stream(5, name) for name in ("initialisation", "order", "noise")}
    assert len(streams) == 3 and stream(5, "order") == stream(5, "order") != stream(6, "order")
    assert all(0 <= seed < 2**63 for seed in streams)


def test_a_configuration_survives_json(study):
    config = study("model.head=[4]", "data.split=[0.6, 0.2, 0.2]").trial(SGD)
    assert trial_config_from_json(config.model_dump(mode="json")) == config


# --- evaluation points ------------------------------------------------------------------------------


def configured(budget: int, evaluations: int, rungs: tuple[float, ...]) -> TrialConfig:
    return TrialConfig(
        data=DataConfig(source="sine"),
        score=ScoreConfig(),
        model=ModelConfig(),
        training=TrainingConfig(budget=budget, evaluations=evaluations),
        rungs=rungs,
        seed=0,
    )


shares = st.lists(st.floats(1e-4, 1.0), max_size=4, unique=True).map(sorted).map(tuple)


@given(st.integers(1, 10**8), st.integers(1, 60), shares)
def test_evaluation_points_rise_to_the_budget_over_the_rungs(budget: int, evaluations: int, rungs):
    config = configured(budget, evaluations, rungs)
    points = config.points
    assert points[-1] == budget and points[0] >= 1
    assert all(one < two for one, two in pairwise(points))
    assert len(points) <= evaluations + len(rungs)
    for rung in rungs:
        assert points[config.point_of(rung)] == max(1, round(rung * budget))


def test_two_rungs_that_lie_close_together_both_stay():
    config = configured(1000, 24, (0.331, 0.334))
    assert {331, 334} <= set(config.points)


def test_evaluation_points_by_hand():
    assert configured(1000, 4, ()).points == (250, 500, 750, 1000)
    assert configured(1000, 4, (0.5,)).points == (250, 500, 750, 1000)
    assert configured(1000, 4, (0.52,)).points == (250, 520, 750, 1000)  # instead of its neighbour
    assert configured(1000, 1, ()).points == (1000,)
    log_spaced = configured(2430, 24, ()).points
    assert log_spaced[:3] == (10, 30, 90)  # 1/243, 1/81, 1/27 of the budget
    assert len(log_spaced) == 24


def test_a_rung_is_judged_on_a_share_that_is_recorded():
    for share in PREFIXES:
        Rung(at=0.5, keep=0.5, horizon=share)
    with pytest.raises(ValueError, match=r"wanted one of the recorded shares .* got 0.2"):
        Rung(at=0.5, keep=0.5, horizon=0.2)
    assert all(rung.horizon in PREFIXES for rung in PruningConfig().rungs)


# --- values of readout_refit that own settings ------------------------------------------------------

ALWAYS = {
    "window": 500,
    "burn_in": 0.2,
    "budget": 1000,
    "optimizer": {"name": "lbfgs", "history": 30},
    "scheduler": "none",
    "ridge": {"log": [1e-14, 1e-6]},
}


@pytest.fixture
def owned(study, document: dict[str, Any]):
    document["space"] |= {"readout_refit": {"never": {}, "always": ALWAYS}, "window": [64, 32]}
    document["space"]["scheduler"] = ["cosine", "step"]
    return study(document=document)


def drawn(study, value: str) -> dict[str, Any]:
    return study.space.draw(lambda axis: value if axis.name == "readout_refit" else axis.span.from_unit(0.0))


def test_a_value_of_readout_refit_owns_settings(owned):
    params = drawn(owned, "always")
    assert set(params) == {"readout_refit", "always.ridge", "cell"}
    training = owned.trial(params).training
    assert (training.window, training.unscored(500), training.budget) == (500, 100, 1000)
    assert hash(owned.space) == hash(owned.space)  # samplers keep what they know by space
    assert training.optimizer.name == "lbfgs" and training.optimizer.settings == {"history": 30}
    assert training.scheduler.name == "none" and training.precision == "float64"
    assert training.ridge == pytest.approx(1e-14)


def test_the_other_values_keep_the_space_s_own(owned):
    params = drawn(owned, "never")
    assert {"optimizer", "scheduler", "window", "batch_size"} <= set(params) and "always.ridge" not in params
    training = owned.trial(params).training
    assert (training.window, training.budget, training.precision) == (64, 3_000_000, "float32")
    assert owned.windows == (64, 32, 500)


def test_a_document_with_owned_settings_can_be_read_again(owned, study):
    written = tomllib.loads(tomli_w.dumps(owned.document()))
    assert study(document=written) == owned
    params = drawn(owned, "always")
    assert study(document=written).trial(params) == owned.trial(params)


def test_the_words_of_before_are_understood(study):
    assert study("training.readout_refit=true").training.readout_refit == "end"
    assert study("training.readout_refit=false").training.readout_refit == "never"
    assert study("space.readout_refit=[false, true]").space_document["readout_refit"] == {
        "never": {},
        "end": {},
    }


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"output_activation": "relu"}, "needs a linear last layer"),
        ({"kind": "mlp"}, "needs sweep's own model"),
    ],
)
def test_a_readout_without_a_closed_form_is_infeasible(owned, changes: dict[str, Any], reason: str):
    config = owned.trial(drawn(owned, "always"))
    with pytest.raises(ValidationError, match=reason):
        TrialConfig.model_validate({**config.model_dump(), "model": {**config.model.model_dump(), **changes}})


@given(st.integers(2, 600), st.floats(0, 0.999), st.integers(0, 599))
def test_a_share_of_any_window_leaves_something_to_score(window: int, share: float, unroll: int):
    unroll = min(unroll, window - 1)
    training = TrainingConfig(window=window, burn_in=share, unroll=unroll)
    assert training.unscored(window) + unroll < window


def test_the_default_burn_in_is_a_quarter_of_the_window():
    assert TrainingConfig(window=128).unscored(128) == 32
    assert TrainingConfig(window=128, unroll=28).unscored(128) == 25
    assert TrainingConfig(window=0).unscored(999) == 249
    assert TrainingConfig(window=128, burn_in=20).unscored(128) == 20
