"""study.toml as run is a study file again."""

import pytest

from sweep.config.study import differences
from sweep.config.study_file import study_from_file
from sweep.store import StudyFolder
from sweep.study.components import known_names
from sweep.study.find import study_files
from tests.support.attack import SMALL, small_study


def stored_again(study, path):
    folder = StudyFolder(path)
    folder.write_study({**study.document(), "record": {"overrides": ["a=1"], "period": None}})
    return study_from_file(path / "study.toml", ["run.executor=inline"], known_names())


def test_the_small_study_survives(tmp_path):
    first = {"optimizer": "lbfgs", "lbfgs.lr": 0.5, "scheduler": "none", "cell": "gru"}
    study = small_study(document={**SMALL, "enqueue": [first]})
    again = stored_again(study, tmp_path)
    assert differences(study.document(), again.document()) == []
    assert again.space == study.space
    assert again.enqueue == study.enqueue
    assert again.trial(first) == study.trial(first)
    # control: a change of one value is seen
    changed = stored_again(small_study("model.hidden=9", document={**SMALL, "enqueue": [first]}), tmp_path)
    assert differences(study.document(), changed.document()) == ["model.hidden: 8 in the results, 9 now"]


@pytest.mark.parametrize("name", sorted(study_files()))
def test_every_study_that_comes_with_sweep_survives(tmp_path, name):
    study = study_from_file(study_files()[name], [], known_names())
    again = stored_again(study, tmp_path)
    assert differences(study.document(), again.document()) == []
    assert (again.space, again.enqueue, again.data, again.training) == (
        study.space,
        study.enqueue,
        study.data,
        study.training,
    )


def test_there_are_such_studies():
    assert "sine" in study_files()
