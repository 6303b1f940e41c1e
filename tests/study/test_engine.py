"""A study keeps to the engine that it was begun with."""

from dataclasses import replace

import pytest

import sweep.study.engine
from sweep import api
from sweep.config.errors import StudyChanged, SweepError
from sweep.config.study import StudyConfig
from sweep.config.study_file import study_from_file
from sweep.model.native.library import instruction_sets
from sweep.store import StudyFolder
from sweep.study.components import known_names
from sweep.study.engine import engine_facts, with_engine
from sweep.study.find import study_files

SMALL = (
    "training.budget=3000", "training.evaluations=3", "training.window=20", "training.burn_in=2",
    "model.hidden=5", "model.layers=1", "score.warmup=50", "score.horizon=50", "score.starts=4",
    "pruning.enabled=false", "search.sampler=random", "training.precision=float64",
)  # fmt: skip


def sine(*overrides: str) -> StudyConfig:
    return study_from_file(study_files()["sine"], list(overrides), known_names())


@pytest.fixture
def has(monkeypatch: pytest.MonkeyPatch):
    def only(*names: str) -> None:
        monkeypatch.setattr(sweep.study.engine, "instruction_sets", lambda: names)

    return only


def test_a_new_study_takes_the_best_set(has):
    has("baseline", "avx2")
    assert with_engine(sine(), None).instructions == "avx2"
    assert with_engine(sine("run.engine=torch"), None).instructions is None
    assert with_engine(sine("run.device=cuda"), None).instructions is None
    has()
    assert with_engine(sine(), None).instructions is None
    with pytest.raises(SweepError, match="the compiled kernel was not built"):
        with_engine(sine("run.engine=native"), None)


def test_a_resumed_study_keeps_its_set(has):
    has("baseline", "avx2")
    recorded = engine_facts(with_engine(sine(), None))
    has("baseline", "avx2", "avx512")
    assert with_engine(sine(), recorded).instructions == "avx2"
    has("baseline")
    with pytest.raises(StudyChanged, match=r"avx2 instructions.*available: baseline"):
        with_engine(sine(), recorded)


def test_a_study_begun_without_a_kernel_goes_on_without(has):
    has()
    recorded = engine_facts(with_engine(sine(), None))
    has("baseline")
    assert with_engine(sine(), recorded).instructions is None


def test_another_engine_is_refused(has):
    has("baseline")
    recorded = engine_facts(with_engine(sine(), None))
    with pytest.raises(StudyChanged, match=r'begun with run.engine = "auto", not "torch"'):
        with_engine(sine("run.engine=torch"), recorded)
    torch = engine_facts(with_engine(sine("run.engine=torch"), None))
    assert with_engine(sine(), torch).run.engine == "torch"  # a bare resume keeps what was recorded


def test_the_engine_is_no_part_of_a_trial_s_seed():
    params = {"cell": "gru", "optimizer": "adam", "adam.lr": 0.01, "adam.momentum": 0.9, "scheduler": "none"}
    study = with_engine(sine(), None)
    native = study.trial({**params, "batch_size": 16})
    torch = replace(study, kernel=None).trial({**params, "batch_size": 16})
    assert (native.engine, torch.engine) == (f"native-{instruction_sets()[-1]}", "torch")
    assert native.seed == torch.seed


def test_both_engines_give_the_same_study(tmp_path):
    scores = []
    for engine in ("native", "torch"):
        overrides = [*SMALL, f"run.engine={engine}"]
        (tmp_path / engine / "sine").mkdir(parents=True)
        StudyFolder(tmp_path / engine / "sine").write_document(
            "baselines", {"baselines": {}}
        )  # they take long
        api.run(
            "sine",
            trials=6,
            overrides=overrides,
            results=tmp_path / engine,
            executor="inline",
            plots=False,
        )
        study = api.load_study("sine", results=tmp_path / engine)
        scores.append(study.trials.set_index("number")["rollout_error"])
        with pytest.raises(StudyChanged, match=r"begun with run.engine"):
            other = "torch" if engine == "native" else "native"
            api.run("sine", overrides=[f"run.engine={other}"], results=tmp_path / engine)
    assert len(scores[0]) == 6
    assert (scores[0] - scores[1]).abs().max() < 1e-6
    assert (scores[0] < 1).any()


def test_a_confirmation_keeps_to_the_study_s_engine(tmp_path, has):
    overrides = [*SMALL, "run.engine=native"]
    (tmp_path / "sine").mkdir()
    StudyFolder(tmp_path / "sine").write_document("baselines", {"baselines": {}})
    quiet = {"results": tmp_path, "executor": "inline", "plots": False}
    api.run("sine", trials=2, overrides=overrides, confirm=False, **quiet)
    has("neon")
    with pytest.raises(StudyChanged, match=rf"{instruction_sets()[-1]} instructions.*available: neon"):
        api.confirm("sine", top=1, seeds=1, **quiet)
