"""A study file gives a study, or all its mistakes at once: key path, what was wanted, what came."""

from pathlib import Path
from typing import Any

import pytest

from sweep.config.errors import StudyFileError
from sweep.config.study_file import overridden, study_from_file, toml_value
from sweep.study.components import known_names

STUDIES = sorted((Path(__file__).resolve().parents[2] / "studies").glob("*.toml"))

MISTAKES = [
    # sections
    ("modle.cell='gru'", "modle", ["no such section", "Did you mean 'model'?"]),
    ("model=5", "model", ["valid dictionary", "5"]),
    ("data.exogenous=['z']", "data.exogenous", ["not supported", "data.known", "data.calendar"]),
    ("score.quantiles=[0.1]", "score.quantiles", ["not supported", "one number per channel"]),
    ("model.hiden=3", "model.hiden", ["no such key", "Did you mean 'hidden'?", "layers"]),
    ("model.hidden='many'", "model.hidden", ["valid integer", "'many'"]),
    ("model.hidden=51.0", "model.hidden", ["valid integer", "51.0"]),
    ("model.hidden=true", "model.hidden", ["valid integer", "True"]),
    ("model.hidden=0", "model.hidden", ["greater than 0", "got 0"]),
    ("model.readout='incremant'", "model.readout", ["'increment' or 'value'", "Did you mean 'increment'?"]),
    ("model.cell='gur'", "model.cell", ["'gur'", "Did you mean 'gru'?", "lstm"]),
    ("model.head=[8, true]", "model.head.1", ["valid integer", "True"]),
    ("model.head=8", "model.head", ["valid tuple", "8"]),
    ("training.clip=true", "training.clip", ["valid number", "True"]),
    ("training.clip=nan", "training.clip", ["finite", "nan"]),
    ("training.clip=inf", "training.clip", ["finite", "inf"]),
    ("training.budget=2e6", "training.budget", ["valid integer", "2000000.0"]),
    ("training.burn_in=128", "training", ["burn_in + unroll = 128", "window of 128"]),
    (
        "training.burn_in=1.0",
        "training.burn_in",
        ["a number of steps up to 10000000, or a share below 1", "got 1.0"],
    ),
    (
        "training.burn_in=-1",
        "training.burn_in",
        ["a number of steps up to 10000000, or a share below 1", "got -1"],
    ),
    (
        "space.burn_in=[0.2, true]",
        "space.burn_in",
        ["a number of steps up to 10000000, or a share below 1", "got True"],
    ),
    ("training.readout_refit='allways'", "training.readout_refit", ["Did you mean 'always'?"]),
    ("space.readout_refit.alwys={}", "space.readout_refit", ["'alwys'", "Did you mean 'always'?"]),
    ("space.readout_refit.always.windw=5", "space.readout_refit.always.windw", ["Did you mean 'window'?"]),
    (
        "space.readout_refit.always.window=-5",
        "space.readout_refit.always.window",
        ["greater than or equal to 0"],
    ),
    (
        "space.readout_refit.always.burn_in=200",
        "space.readout_refit.always",
        ["leaves nothing of a window of 128"],
    ),
    ("space.readout_refit.always.budget=[1, 2]", "space.readout_refit.always.budget", ["one number"]),
    ("space.readout_refit.always.optimizer='adam'", "space.readout_refit.always", ["lbfgs", "not adam"]),
    ("space.readout_refit.always.optimizer='lbfg'", "space.readout_refit.always.optimizer", ["'lbfgs'"]),
    (
        "space.readout_refit.always.optimizer={ name = 'lbfgs', histry = 3 }",
        "space.readout_refit.always.optimizer.histry",
        ["Did you mean 'history'?"],
    ),
    (
        "space.readout_refit.always.optimizer=3",
        "space.readout_refit.always.optimizer",
        ["wanted a name", "3"],
    ),
    ("training.shuffle=1", "training.shuffle", ["valid boolean", "1"]),
    ("training.precision='float16'", "training.precision", ["float32", "float64", "'float16'"]),
    ("training.lr_warmup=1.0", "training.lr_warmup", ["less than 1", "1.0"]),
    ("score.horizon=9", "score.horizon", ["greater than or equal to 10", "9"]),
    ("search.sampler='tpee'", "search.sampler", ["'tpee'", "Did you mean 'tpe'?", "random"]),
    ("search.in_turn='sgd.lr'", "search.in_turn", ["wanted a choice", "cell", "got 'sgd.lr'"]),
    ("search.in_turn='batch_size'", "search.in_turn", ["that every trial has", "got 'batch_size'"]),
    ("run.executor='ray'", "run.executor", ["'loky', 'inline' or 'dask'", "'ray'"]),
    ("run.device='gpu'", "run.device", ["cpu", "cuda", "'gpu'"]),
    ("diagnosis.mute=['S7']", "diagnosis.mute", ["'S7'", "Did you mean 'S07'?"]),
    ("diagnosis.mute='S07'", "diagnosis.mute", ["valid tuple", "'S07'"]),
    # data
    ("data={}", "data", ["either source", "or path"]),
    ("data.path='a.csv'", "data", ["either source", "or path"]),
    ("data.source='sines'", "data.source", ["'sines'", "Did you mean 'sine'?", "lorenz"]),
    ("data.options.lenght=3", "data.options.lenght", ["Did you mean 'length'?"]),
    ("data.options.length='long'", "data.options.length", ["wanted int", "'long'"]),
    ("data.options.noise=-1.0", "data.options", ["noise", "-1.0"]),
    ("data.split=[0.5, 0.4, 0.2]", "data", ["add up to 1", "1.1"]),
    ("data.split=[0.5, 0.5]", "data.split.2", ["missing"]),
    ("data.transforms=['sqr']", "data.transforms", ["'sqr'", "Did you mean 'sqrt'?"]),
    ("data.calendar=['time_of_week']", "data.calendar", ["'time_of_week'", "time_of_day"]),
    # optimizer and scheduler with fixed settings
    ("training.scheduler='cosin'", "training.scheduler.name", ["'cosin'", "Did you mean 'cosine'?"]),
    ("training.scheduler=3", "training.scheduler", ["3"]),
    (
        "training.scheduler={ name = 'step', gama = 0.5 }",
        "training.scheduler.gama",
        ["Did you mean 'gamma'?"],
    ),
    ("training.scheduler={ name = 'step', every = 0 }", "training.scheduler", ["step.every", "positive"]),
    (
        "training.scheduler={ name = 'one_cycle', peak = 1.5 }",
        "training.scheduler",
        ["peak", "below 1", "1.5"],
    ),
    ("training.scheduler={ name = 'exponential', final = 0 }", "training.scheduler", ["final", "positive"]),
    ("training.scheduler={ name = 'cosine', final = nan }", "training.scheduler", ["final", "nan"]),
    (
        "training.optimizer={ name = 'adam', lr = 0.1 }",
        "training.optimizer",
        ["[space.optimizer.adam]", "lr"],
    ),
    # pruning
    ("pruning.rungs=[{ at = 0.1, keep = 0.5, horizn = 0.1 }]", "pruning.rungs.0.horizn", ["'horizon'?"]),
    (
        "pruning.rungs=[{ at = 0.1, keep = 0.5, horizon = 0.2 }]",
        "pruning.rungs.0.horizon",
        ["0.03, 0.1", "0.2"],
    ),
    ("pruning.rungs=[{ at = 0.1 }]", "pruning.rungs.0.keep", ["missing"]),
    ("pruning.rungs=[{ at = 0.5, keep = 0.5 }, { at = 0.1, keep = 0.5 }]", "pruning.rungs", ["rise in `at`"]),
    # space
    ("space=[]", "space", ["wanted a table"]),
    ("space={}", "space", ["is empty"]),
    ("space.hiden=[3]", "space.hiden", ["no such hyperparameter", "Did you mean 'hidden'?"]),
    ("space.budget=[3]", "space.budget", ["no such hyperparameter"]),
    ("space.cell=['lstn']", "space.cell", ["'lstn'", "Did you mean 'lstm'?"]),
    ("space.cell=[]", "space.cell", ["at least one value"]),
    ("space.cell=['gru', 'gru']", "space.cell", ["twice", "gru"]),
    ("space.cell='gru'", "space.cell", ["a list (a choice)", "log", "'gru'"]),
    ("space.hidden=[8, 0]", "space.hidden", ["greater than 0", "got 0"]),
    ("space.hidden=[true]", "space.hidden", ["valid integer", "True"]),
    ("space.hidden={ log = [8, 64] }", "space.hidden", ["valid integer", "8.0"]),
    ("space.hidden={ int = [8, 8] }", "space.hidden", ["low < high", "[8, 8]"]),
    ("space.hidden={ int = [8.5, 9] }", "space.hidden", ["whole numbers", "8.5"]),
    ("space.hidden={ logg = [8, 64] }", "space.hidden", ["'logg'", "Did you mean 'log'?"]),
    ("space.clip={ log = [0.0, 1.0] }", "space.clip", ["0 < low < high", "0.0"]),
    ("space.clip={ linear = [1.0, 0.5] }", "space.clip", ["low < high"]),
    ("space.clip={ linear = [0.0, nan] }", "space.clip", ["low < high"]),
    ("space.clip={ log = [0.1] }", "space.clip", ["[low, high], two numbers", "[0.1]"]),
    ("space.clip={ log = [0.1, true] }", "space.clip", ["[low, high], two numbers"]),
    ("space.clip={ log = [0.1, 1], int = [1, 2] }", "space.clip", ["wanted a list (a choice) or"]),
    ("space.head=[8, 16]", "space.head", ["valid tuple", "8"]),
    ("space.head=[[8, 0]]", "space.head", ["greater than 0", "(8, 0)"]),
    ("space.optimizer=[['adam']]", "space.optimizer", ["wanted a list of names or tables"]),
    ("space.optimizer='adam'", "space.optimizer", ["wanted a list of names or tables", "'adam'"]),
    ("space.optimizer=['adm']", "space.optimizer", ["no optimizer named 'adm'", "Did you mean 'adam'?"]),
    ("space.optimizer=['adam', 'adam']", "space.optimizer", ["'adam' twice"]),
    ("space.optimizer.adam=['lr']", "space.optimizer.adam", ["wanted a table of ranges"]),
    (
        "space.optimizer.adam.bta2=0.1",
        "space.optimizer.adam.bta2",
        ["no such setting", "Did you mean 'beta2'?"],
    ),
    ("space.optimizer.sgd.lr=-1.0", "space.optimizer.sgd.lr", ["positive", "-1.0"]),
    ("space.optimizer.sgd.lr=inf", "space.optimizer.sgd.lr", ["finite", "inf"]),
    ("space.optimizer.sgd.lr=[0.1, nan]", "space.optimizer.sgd.lr", ["finite", "nan"]),
    ("space.optimizer.sgd.momentum=1.0", "space.optimizer.sgd.momentum", ["[0, 1)", "1.0"]),
    ("space.optimizer.sgd.nesterov='yes'", "space.optimizer.sgd.nesterov", ["bool", "'yes'"]),
    ("space.optimizer.sgd.lr={ log1m = [0.0, 1.0] }", "space.optimizer.sgd.lr", ["log1m", "high < 1"]),
    ("space.optimizer.lbfgs.history={ log = [5, 50] }", "space.optimizer.lbfgs.history", ["int", "5.0"]),
    ("space.optimizer.lbfgs.history=[0, 5]", "space.optimizer.lbfgs.history", ["at least 1", "0"]),
    (
        "space.optimizer.lbfgs.line_search='wolf'",
        "space.optimizer.lbfgs.line_search",
        ["strong_wolfe", "'wolf'"],
    ),
    ("space.scheduler.step.gamma={ linear = [-1, 1] }", "space.scheduler.step.gamma", ["at least 0", "-1"]),
    ("space.window=[16, 64]\n", "", []),  # valid: the control of the two below
    ("space.burn_in=[0, 200]", "space", ["burn_in + unroll can reach 200", "window of 128"]),
    ("space.unroll={ int = [1, 128] }", "space", ["burn_in + unroll can reach 128", "window of 128"]),
    # enqueued trials
    ("enqueue=[3]", "enqueue", ["wanted tables [[enqueue]]"]),
    ("enqueue=[{ cell = 'gru' }]", "enqueue[0].optimizer", ["is missing"]),
    ("name=5", "name", ["wanted text", "5"]),
]


def test_a_projection_needs_a_full_batch_optimizer_among_those_of_the_space(problems, study, document):
    study("training.readout_refit='always'")  # the space has lbfgs, too
    without = {**document, "space": {"optimizer": ["sgd", "adam"]}}
    (line,) = problems("training.readout_refit='always'", document=without)
    assert line.startswith(
        "training: always needs an optimizer that takes all windows at once (lbfgs), not sgd, adam"
    )
    with_axis = {**document, "space": {"optimizer": ["sgd", "adam"], "readout_refit": ["never", "always"]}}
    (line,) = problems(document=with_axis)
    assert line.startswith("space.readout_refit.always: always needs an optimizer")
    assert line.endswith('set space.readout_refit.always.optimizer = "..."')


def test_there_are_mistakes():
    assert len(MISTAKES) > 80


@pytest.mark.parametrize(("override", "key", "parts"), MISTAKES, ids=[entry[0] for entry in MISTAKES])
def test_a_mistake_gives_a_line(override: str, key: str, parts: list[str], study, problems):
    if not key:
        study(override.strip())
        return
    lines = [line for line in problems(override) if line.startswith(f"{key}: ")]
    assert 1 <= len(lines) <= 2, problems(override)  # two where both ends or values are wrong
    for part in parts:
        assert part in lines[0]


def test_all_mistakes_come_at_once(problems):
    lines = problems(
        "model.hiden=3",
        "training.budget=0",
        "data.source='sines'",
        "space.cell=['lstn']",
        "space.optimizer.sgd.momentum=2.0",
        "space.optimizer.adam.rl=1",
        "colour=1",
    )
    assert sorted(line.split(":")[0] for line in lines) == [
        "colour",
        "data.source",
        "model.hiden",
        "space.cell",
        "space.optimizer.adam.rl",
        "space.optimizer.sgd.momentum",
        "training.budget",
    ]


def test_a_range_past_both_ends_gives_a_line_per_end(problems):
    assert len(problems("space.optimizer.sgd.lr={ linear = [-2, -1] }")) == 2
    assert len(problems("space.optimizer.lbfgs.history={ int = [-2, 7] }")) == 1


def test_a_window_that_the_space_makes_too_small(problems, study):
    study("training.burn_in=10", "space.window=[16, 64]")
    (line,) = problems("training.burn_in=10", "space.window=[8, 64]")
    assert line.startswith("space: burn_in + unroll can reach 10") and "window of 8" in line
    study("training.window=0", "space.burn_in=[0, 500]")  # a whole series: known only with the data


def test_batch_size_of_a_fixed_full_batch_optimizer(problems, study):
    document = {"data": {"source": "sine"}, "space": {"cell": ["gru"], "batch_size": [8]}}
    study(document=document)
    (line,) = problems("training.optimizer='lbfgs'", document=document)
    assert line.startswith("space.batch_size: has no effect on lbfgs")
    lines = problems("training.optimizer='lbfgs'", "space.clip=[0.0, 1.0]", document=document)
    assert [line.split(":")[0] for line in lines] == ["space.batch_size", "space.clip"]
    (line,) = problems("space.optimizer=['lbfgs']", document=document)
    assert line.startswith("space.batch_size: has no effect on lbfgs")
    gp = study("space.optimizer=['sgd', 'adam']", document=document).space
    assert next(axis for axis in gp.axes if axis.name == "batch_size").condition is None


def test_enqueued_trials_are_complete_and_in_range(study, problems):
    good = {"optimizer": "sgd", "sgd.lr": 0.1, "sgd.momentum": 0.5, "cell": "gru", "batch_size": 8}

    def of(*entries: dict[str, Any]) -> dict[str, Any]:
        return {**study().document(), "enqueue": list(entries)}

    assert study(document=of(good)).enqueue == (good,)
    full = {"optimizer": "lbfgs", "lbfgs.lr": 0.5, "lbfgs.history": 5, "cell": "gru"}
    assert study(document=of(good, full)).enqueue[1] == full
    lines = problems(document=of(good, {**good, "sgd.lr": 5.0, "cell": "rnn", "batch_size": 9}))
    assert [line.split(":")[0] for line in lines] == [
        "enqueue[1].sgd.lr",
        "enqueue[1].batch_size",
        "enqueue[1].cell",
    ]
    (line,) = problems(document=of({**full, "batch_size": 8}))
    assert line.startswith("enqueue[0].batch_size: not a hyperparameter of this trial")
    (line,) = problems(document=of({**good, "sgd.momentun": 0.5}))
    assert "Did you mean 'sgd.momentum'?" in line
    missing = {key: value for key, value in good.items() if key not in ("sgd.lr", "cell")}
    assert sorted(problems(document=of(missing))) == [
        "enqueue[0].cell: is missing",
        "enqueue[0].sgd.lr: is missing",
    ]
    (line,) = problems(document=of({**good, "sgd.lr": True}))
    assert line.startswith("enqueue[0].sgd.lr: True is not in")


def test_overrides_are_toml_values_or_plain_text():
    base = {"model": {"hidden": 51}, "space": {"cell": ["lstm"]}}
    result = overridden(
        base,
        [
            "model.hidden=8",
            "model.readout=value",
            "training.optimizer.name = 'adam'",
            "space.cell=['gru']",
            "a.b=",
        ],
    )
    assert result == {
        "model": {"hidden": 8, "readout": "value"},
        "training": {"optimizer": {"name": "adam"}},
        "space": {"cell": ["gru"]},
        "a": {"b": ""},
    }
    assert base == {"model": {"hidden": 51}, "space": {"cell": ["lstm"]}}  # the document itself is left alone
    assert overridden({}, ["x=1", "x=2"]) == {"x": 2}
    assert overridden({}, ["x.lr={ log = [1e-3, 1] }"]) == {"x": {"lr": {"log": [1e-3, 1]}}}
    assert overridden({}, ["x=a=b"]) == {"x": "a=b"}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1),
        ("1.0", 1.0),
        ("true", True),
        ("'1'", "1"),
        ("cosine", "cosine"),
        ("[1, 2]", [1, 2]),
        ("", ""),
    ],
)
def test_toml_value(text: str, value: Any):
    assert toml_value(text) == value and type(toml_value(text)) is type(value)


def test_several_lines_are_no_value():
    assert toml_value("1\ny = 2") == "1\ny = 2"


@pytest.mark.parametrize("text", ["model.hidden", "=3", "model.=3", ".hidden=3", "model..hidden=3"])
def test_an_override_without_key_or_value(text: str):
    with pytest.raises(StudyFileError, match=r"^--set: wanted key.path=value, got"):
        overridden({}, [text])


def test_an_override_through_a_value():
    with pytest.raises(StudyFileError, match="model is a value, not a table"):
        overridden({"model": 3}, ["model.hidden=3"])


def test_a_name_alone_is_a_component_with_defaults(study):
    assert study("training.scheduler=cosine").training.scheduler.name == "cosine"


def test_files_that_cannot_be_read(tmp_path: Path, known):
    with pytest.raises(StudyFileError, match="cannot be read"):
        study_from_file(tmp_path / "none.toml", [], known)
    (tmp_path / "bad.toml").write_text("x = ")
    with pytest.raises(StudyFileError, match="is not valid TOML"):
        study_from_file(tmp_path / "bad.toml", [], known)
    (tmp_path / "latin.toml").write_bytes(b"x = '\xe9'")
    with pytest.raises(StudyFileError, match="cannot be read"):
        study_from_file(tmp_path / "latin.toml", [], known)


def test_the_name_is_the_file_s(tmp_path: Path, known):
    path = tmp_path / "mine.toml"
    path.write_text("[data]\nsource = 'sine'\n[space]\ncell = ['gru']\n")
    assert study_from_file(path, [], known).name == "mine"
    assert study_from_file(path, ["name=other"], known).name == "other"


def test_there_are_studies():
    assert len(STUDIES) >= 7


@pytest.mark.parametrize("path", STUDIES, ids=lambda path: path.stem)
def test_shipped_studies_are_right(path: Path):
    study = study_from_file(path, [], known_names())
    assert study.name == path.stem and study.description
    for params in study.enqueue:
        study.trial(params)


def test_the_default_study_samples_the_six_axes():
    path = next(path for path in STUDIES if path.stem == "sine")
    names = {axis.name for axis in study_from_file(path, [], known_names()).space.axes}
    assert {
        "optimizer",
        "scheduler",
        "cell",
        "batch_size",
        "sgd.lr",
        "sgd.momentum",
        "adam.momentum",
    } <= names
