"""Studies that name plug-ins: what is recorded, what enters seeds and identities, and what is refused."""

from dataclasses import replace
from typing import Any

import pytest

from sweep.config.changes import changed
from sweep.config.errors import StudyFileError
from sweep.config.known_names import KnownNames, Settable
from sweep.config.ranges import IntUniform, LogUniform
from sweep.config.study import StudyConfig, differences, identity
from sweep.config.study_file import overridden, study_from_document
from sweep.config.trial import plugins_of

LION, MLP = "lion-sweep 0.2", "mine.py sha256:0123456789abcdef"
PLUGINS = {
    "optimizer lion": LION,
    "scheduler wave": LION,
    "cell mgu": LION,
    "model mlp": MLP,
    "source pendulum": LION,
    "sampler lucky": LION,
    "objective median": MLP,
    "baseline oracle": MLP,
    "probe pulse": MLP,
    "check odd": MLP,
}
DOCUMENT: dict[str, Any] = {
    "name": "plugged",
    "data": {"source": "sine"},
    "training": {"optimizer": "adam"},
    "space": {"batch_size": [8, 16]},
}
EVERYWHERE: dict[str, Any] = {
    "name": "plugged",
    "data": {"source": "pendulum"},
    "score": {"objective": "median", "baselines": ["oracle"]},
    "model": {"cell": "mgu"},
    "training": {"scheduler": "wave"},
    "search": {"sampler": "lucky"},
    "diagnosis": {"probes": ["pulse"], "checks": ["odd"]},
    "space": {
        "optimizer": ["adam", "lion"],
        "model": {"recurrent": {}, "mlp": {"width": [8, 16], "depth": 2}},
        "hidden": [4, 8],
    },
}


def positive(settings: Any) -> None:
    if settings["width"] <= 0:
        raise ValueError(f"width must be positive, got {settings['width']}")


@pytest.fixture(scope="session")
def plugged(known: KnownNames) -> KnownNames:
    """The known names with one plug-in of each kind."""
    mlp = Settable({"width": 8, "depth": 1}, {"width": IntUniform(4, 64)}, check=positive)
    return replace(
        known,
        optimizers={**known.optimizers, "lion": Settable({"lr": 0.1}, {"lr": LogUniform(1e-4, 1.0)})},
        schedulers={**known.schedulers, "wave": Settable({})},
        models={**known.models, "mlp": mlp},
        sources={**known.sources, "pendulum": Settable({"length": 1000})},
        cells=(*known.cells, "mgu"),
        samplers=(*known.samplers, "lucky"),
        objectives=(*known.objectives, "median"),
        baselines=("oracle",),
        probes=("pulse",),
        checks=("odd",),
        origins=PLUGINS,
        broken={},
    )


def read(known: KnownNames, *overrides: str, document: dict[str, Any] = DOCUMENT) -> StudyConfig:
    return study_from_document(overridden(document, overrides), known, "plugged.toml")


def problems(known: KnownNames, *overrides: str, document: dict[str, Any] = DOCUMENT) -> list[str]:
    with pytest.raises(StudyFileError, match=r"^plugged.toml: ") as caught:
        read(known, *overrides, document=document)
    return caught.value.problems


# --- what is recorded -----------------------------------------------------------------------------------


def test_a_study_records_the_plugins_that_it_names_and_no_others(plugged):
    assert read(plugged).plugins == {}
    assert "plugins" not in read(plugged).document()
    assert read(plugged, "training.optimizer=lion").plugins == {"optimizer lion": LION}
    whole = read(plugged, document=EVERYWHERE)
    assert whole.plugins == PLUGINS and whole.document()["plugins"] == PLUGINS
    assert read(plugged, document=whole.document()) == whole


def test_a_sampled_component_takes_the_place_of_the_fixed_one(plugged):
    study = read(plugged, "training.optimizer=lion", "space.optimizer=['adam', 'sgd']")
    assert study.plugins == {}
    assert read(plugged, "space.cell=['gru', 'mgu']").plugins == {"cell mgu": LION}


def test_a_trial_records_the_plugins_that_it_uses(plugged):
    study = read(plugged, document=EVERYWHERE)
    shared = (
        f"cell mgu = {LION}",
        f"objective median = {MLP}",
        f"scheduler wave = {LION}",
        f"source pendulum = {LION}",
    )
    recurrent = study.trial({"optimizer": "adam", "model": "recurrent", "hidden": 4, "adam.lr": 0.1})
    assert recurrent.plugins == shared
    both = study.trial({"optimizer": "lion", "lion.lr": 0.1, "model": "mlp", "mlp.width": 8})
    assert both.plugins == tuple(sorted([*shared, f"model mlp = {MLP}", f"optimizer lion = {LION}"]))


def test_plugins_of_a_trial_by_kind_and_name():
    document: dict[str, Any] = {
        "data": {"path": "a.csv"},
        "score": {},
        "model": {"cell": "lion"},
        "training": {"optimizer": {"name": "sgd"}, "scheduler": {"name": "wave"}},
    }
    assert plugins_of(document, {}) == ()
    assert plugins_of(document, PLUGINS) == (f"scheduler wave = {LION}",)  # a cell named lion is no optimizer
    document["training"]["optimizer"]["name"] = "lion"
    assert plugins_of(document, PLUGINS) == (f"optimizer lion = {LION}", f"scheduler wave = {LION}")


def test_a_change_to_a_plugin_is_recorded_and_a_change_away_from_it_too(plugged):
    trial = read(plugged).trial({"batch_size": 8})
    after = changed(trial, {"training.optimizer": {"name": "lion", "lr": 0.01}}, plugged)
    assert after.plugins == (f"optimizer lion = {LION}",)
    assert changed(after, {"training.optimizer": "adam"}, plugged).plugins == ()
    model = changed(trial, {"model.kind": "mlp", "model.options": {"width": 4}}, plugged)
    assert model.plugins == (f"model mlp = {MLP}",) and model.model.options == {"width": 4}


# --- seeds and identities -------------------------------------------------------------------------------


def test_installed_plugins_change_nothing_for_a_study_without_them(known, plugged):
    params = {"batch_size": 8}
    with_plugins, without = read(plugged), read(known)
    assert with_plugins.trial(params) == without.trial(params)
    assert identity(with_plugins.document()) == identity(without.document())


def test_the_version_of_a_plugin_enters_the_seeds_of_its_trials_alone(plugged):
    newer = replace(plugged, origins={**PLUGINS, "optimizer lion": "lion-sweep 0.3"})
    lion, adam = {"optimizer": "lion", "lion.lr": 0.1}, {"optimizer": "adam", "adam.lr": 0.1}
    for params, same in ((adam, True), (lion, False)):
        seeds = [
            read(names, "space.optimizer=['adam', 'lion']").trial({"batch_size": 8, **params}).seed
            for names in (plugged, newer)
        ]
        assert (seeds[0] == seeds[1]) is same


def test_the_recurrent_model_has_the_same_seed_whether_the_space_names_it_or_not(plugged):
    params = {"batch_size": 8}
    plain = read(plugged).trial(params)
    named = read(plugged, "space.model=['recurrent', 'mlp']").trial({**params, "model": "recurrent"})
    assert named == plain
    assert "kind" not in named.model_dump()["model"]
    other = read(plugged, "space.model=['recurrent', 'mlp']").trial(
        {**params, "model": "mlp", "mlp.width": 4}
    )
    assert other.seed != plain.seed


def test_another_version_is_a_difference_with_both_versions(plugged):
    newer = replace(plugged, origins={**PLUGINS, "optimizer lion": "lion-sweep 0.3"})
    stored = read(plugged, "training.optimizer=lion").document()
    now = read(newer, document=stored).document()
    assert differences(stored, now) == [
        "plugins.optimizer lion: lion-sweep 0.2 in the results, lion-sweep 0.3 now"
    ]
    assert differences(stored, read(plugged, document=stored).document()) == []


# --- plug-ins that are missing or cannot be used ----------------------------------------------------------


def test_a_recorded_plugin_that_is_missing_is_one_line_with_the_way_out(known, plugged):
    stored = read(plugged, document=EVERYWHERE).document()
    lines = problems(known, document=stored)
    assert len(lines) == len(PLUGINS)
    assert (
        "space.optimizer: the optimizer lion comes from lion-sweep 0.2, which is not available here: install it"
        in lines
    )
    assert (
        "score.objective: the objective median comes from mine.py sha256:0123456789abcdef, which is not "
        "available here: name the file again with --plugin"
    ) in lines


def test_a_recorded_plugin_that_is_no_longer_named_is_not_needed(known, plugged):
    stored = read(plugged, "training.optimizer=lion").document()
    assert read(known, "training.optimizer=adam", document=stored).plugins == {}


def test_a_broken_plugin_gives_its_reason_where_it_is_named_and_nowhere_else(known):
    reason = "plug-in optimizer 'lion' of lion-sweep 0.2: wanted an OptimizerSpec, got int"
    broken = replace(known, broken={"optimizer lion": reason})
    assert problems(broken, "training.optimizer=lion") == [f"training.optimizer.name: {reason}"]
    assert problems(broken, "space.optimizer=['lion', 'adam']") == [f"space.optimizer: {reason}"]
    (line,) = problems(broken, "training.scheduler=lion")  # another kind
    assert line.startswith("training.scheduler.name: no scheduler named 'lion'. Known: none, ")
    stored = {
        **DOCUMENT,
        "plugins": {"optimizer lion": LION},
    }  # why it is broken says more than that it is missing
    assert problems(broken, "training.optimizer=lion", document=stored) == [
        f"training.optimizer.name: {reason}"
    ]
    read(broken)


@pytest.mark.parametrize(
    ("override", "line"),
    [
        ("plugins=5", "plugins: wanted a table, got 5"),
        ("model.kind=mpl", "model.kind: no model named 'mpl'. Did you mean 'mlp'? Known: recurrent, mlp"),
        ("model.options.width=4", "model.options.width: recurrent has no such setting. Known: none"),
        (
            "model={kind = 'mlp', options = {widht = 4}}",
            "model.options.widht: mlp has no such setting. Did you mean 'width'? Known: width, depth",
        ),
        (
            "model={kind = 'mlp', options = {width = 0}}",
            "model.options: width must be positive, got 0",
        ),
        (
            "score.objective=medain",
            "score.objective: no objective named 'medain'. Did you mean 'median'? Known: rollout_error, median",
        ),
        ("score.baselines=['mean']", "score.baselines: no baseline named 'mean'. Known: oracle"),
        (
            "diagnosis.probes=['puls']",
            "diagnosis.probes: no probe named 'puls'. Did you mean 'pulse'? Known: pulse",
        ),
        ("diagnosis.checks=['od']", "diagnosis.checks: no check named 'od'. Did you mean 'odd'? Known: odd"),
    ],
)
def test_a_mistake_gives_a_line(plugged, override, line):
    assert line in problems(plugged, override)


# --- models in the space ----------------------------------------------------------------------------------


def exists(study: StudyConfig, **params: Any) -> set[str]:
    return {axis.name for axis in study.space.axes if axis.exists(params)}


def test_hyperparameters_of_the_recurrent_model_exist_only_for_it(plugged):
    study = read(
        plugged,
        "space.model=['recurrent', 'mlp']",
        "space.hidden=[4, 8]",
        "space.cell=['lstm', 'gru']",
        "space.window=[16, 32]",
    )
    assert exists(study, model="recurrent") == {"model", "batch_size", "hidden", "cell", "window"}
    assert exists(study, model="mlp") == {"model", "mlp.width", "batch_size", "window"}
    mlp = study.trial({"model": "mlp", "mlp.width": 16, "batch_size": 8, "window": 16})
    assert (mlp.model.kind, mlp.model.options, mlp.training.window) == ("mlp", {"width": 16}, 16)
    recurrent = study.trial({"model": "recurrent", "batch_size": 8, "hidden": 4, "cell": "gru", "window": 16})
    assert recurrent.model.recurrent and (recurrent.model.hidden, recurrent.model.options) == (4, {})


def test_without_another_model_they_have_no_condition(plugged):
    for overrides in ((), ("space.model=['recurrent']",)):
        study = read(plugged, "space.hidden=[4, 8]", *overrides)
        assert next(axis for axis in study.space.axes if axis.name == "hidden").condition is None


@pytest.mark.parametrize("override", ["space.model=['mlp']", "model.kind='mlp'"])
def test_without_the_recurrent_model_they_are_refused(plugged, override):
    assert problems(plugged, override, "space.hidden=[4, 8]") == [
        "space.hidden: has no effect on mlp, only on recurrent"
    ]
    read(plugged, override)  # control


def test_settings_of_a_model_are_fixed_in_its_own_table(plugged):
    study = read(plugged, "space.model={mlp = {width = [4, 8], depth = 3}, recurrent = {}}")
    trial = study.trial({"model": "mlp", "mlp.width": 8, "batch_size": 8})
    assert trial.model.options == {"width": 8, "depth": 3}
    assert problems(plugged, "model={kind = 'mlp', options = {depth = 3}}", "space.model=['mlp']") == [
        "model.options: its settings (depth) have no effect, because the space names the model: "
        "put them under [space.model.mlp]"
    ]


def test_two_owners_cannot_have_hyperparameters_of_one_name(plugged):
    twin = Settable({"lr": 0.1, "momentum": 0.5, "width": 8})
    twins = replace(plugged, models={**plugged.models, "sgd": twin})
    optimizer = "space.optimizer={sgd = {lr = [0.1, 0.2], momentum = [0.5, 0.9]}}"
    model = "space.model.sgd={lr = [1.0, 2.0], momentum = [0.1, 0.2], width = [4, 8]}"
    assert problems(twins, optimizer, model) == [
        "space.model.sgd: space.optimizer.sgd has hyperparameters of the same names (sgd.lr, sgd.momentum). "
        "Give these settings fixed values, or rename the plug-in"
    ]
    fixed = read(twins, optimizer, "space.model.sgd={lr = 1.0, momentum = 0.1, width = [4, 8]}")
    names = [axis.name for axis in fixed.space.axes]
    assert sorted(names) == ["batch_size", "model", "optimizer", "sgd.lr", "sgd.momentum", "sgd.width"]
    trial = fixed.trial(
        {
            "optimizer": "sgd",
            "sgd.lr": 0.2,
            "sgd.momentum": 0.9,
            "model": "sgd",
            "sgd.width": 4,
            "batch_size": 8,
        }
    )
    assert trial.training.optimizer.settings == {"lr": 0.2, "momentum": 0.9}
    assert trial.model.options == {"lr": 1.0, "momentum": 0.1, "width": 4}
