"""Changes of a trial's configuration by key path: their results, and each mistake with its nearest right name."""

import pytest

from sweep.config.changes import changed, config_differences, parsed_changes
from sweep.config.errors import StudyFileError

PARAMS = {"optimizer": "sgd", "sgd.lr": 0.1, "sgd.momentum": 0.9, "batch_size": 8, "cell": "lstm"}


@pytest.fixture
def trial(study):
    return study().trial(PARAMS)


def test_given_values_change_and_nothing_else(trial, known):
    changes = {
        "training.optimizer.lr": 0.003,
        "score.warmup": 70,
        "data.scaling": "series",
        "model.head": [4],
    }
    after = changed(trial, changes, known)
    assert after.training.optimizer.settings == {"lr": 0.003, "momentum": 0.9}
    assert (after.score.warmup, after.data.scaling, after.model.head) == (70, "series", (4,))
    assert config_differences(trial, after) == [
        {"path": "data.scaling", "was": "global", "value": "series"},
        {"path": "score.warmup", "was": 1000, "value": 70},
        {"path": "model.head", "was": [], "value": [4]},
        {"path": "training.optimizer.lr", "was": 0.1, "value": 0.003},
    ]
    back = changed(after, {entry["path"]: entry["was"] for entry in config_differences(trial, after)}, known)
    assert back == trial
    assert (after.seed, after.engine, after.device) == (trial.seed, trial.engine, trial.device)


def test_a_whole_component_is_one_difference(trial, known):
    after = changed(trial, {"training.scheduler": {"name": "cosine"}, "training.optimizer": "adam"}, known)
    assert after.training.optimizer.settings == {}
    assert [entry["path"] for entry in config_differences(trial, after)] == [
        "training.optimizer",
        "training.scheduler",
    ]


def test_a_setting_that_the_trial_left_to_its_default_can_be_given(trial, known):
    after = changed(trial, {"training.optimizer.nesterov": True}, known)
    entry = {"path": "training.optimizer.nesterov", "was": None, "value": True}
    assert config_differences(trial, after) == [entry]


def test_an_unchanged_value_makes_no_difference(trial, known):
    after = changed(trial, {"training.optimizer.lr": 0.1}, known)
    assert after.key == trial.key
    assert config_differences(trial, after) == []


@pytest.mark.parametrize(
    ("path", "value", "text"),
    [
        ("trainig.window", 5, "no such key. Did you mean 'training'?"),
        ("training.optimzer.lr", 0.1, "no such key. Did you mean 'optimizer'?"),
        ("training.optimizer.momentun", 0.1, "no such setting. Did you mean 'momentum'?"),
        ("training.optimizer.lr", -1.0, "lr must be positive"),
        ("training.optimizer.lr", "fast", "must be of type float"),
        ("training.optimizer.name", "adm", "Did you mean 'adam'?"),
        ("training.window", 0.5, "valid integer, got 0.5"),
        ("training.burn_in", 128, "leaves nothing of a window of 128"),
        ("training.window.size", 5, "training.window is a value, not a table"),
        ("model.cell", "gur", "Did you mean 'gru'?"),
        ("data.scaling", "globl", "Did you mean 'global'?"),
        ("data.options.TT", 5, "Known: "),
        ("training", {}, "is a whole section; wanted a setting in it, such as training.budget"),
        ("seed", 3, "no such key"),
        ("engine", "torch", "no such key"),
    ],
)
def test_a_mistake_has_its_line(trial, known, path, value, text):
    with pytest.raises(StudyFileError, match=r"^the change: ") as caught:
        changed(trial, {path: value}, known)
    assert text in str(caught.value)


def test_all_mistakes_at_once(trial, known):
    with pytest.raises(StudyFileError, match="the change") as caught:
        changed(trial, {"training.window": 0.5, "model.hidden": 0}, known)
    assert len(caught.value.problems) == 2


def test_texts_become_values():
    texts = ["training.optimizer.lr=0.001", "training . scheduler = cosine", "model.head=[4, 4]"]
    assert parsed_changes(texts) == {
        "training.optimizer.lr": 0.001,
        "training.scheduler": "cosine",
        "model.head": [4, 4],
    }


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["nonsense"], r"wanted key\.path=value, got 'nonsense'"),
        (["training..lr=1"], r"wanted key\.path=value"),
        (["model.hidden=4", "model.hidden=5"], r"model\.hidden is given twice"),
    ],
)
def test_invalid_texts(texts, message):
    with pytest.raises(StudyFileError, match=message):
        parsed_changes(texts)
