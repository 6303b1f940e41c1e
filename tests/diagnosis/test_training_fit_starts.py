"""The rollout tasks that the probe of training fit makes: every array has a row per start."""

from dataclasses import fields, replace

import numpy as np

from sweep.diagnosis.probes.training_fit import STARTS, _shortened, training_starts
from tests.support.made_data import data_of


def test_every_array_has_a_row_per_start():
    rng = np.random.default_rng(0)
    train = [rng.normal(size=(80, 1)), rng.normal(size=(60, 1))]
    values = rng.normal(size=(STARTS + 5, 40, 1))
    data = data_of(train, values, values, 20)
    known = training_starts(data, 10, 10)
    few = _shortened(replace(data.validation, owner=np.arange(STARTS + 5)), 10, 10)
    for starts in (known, few):
        assert len(starts.truth) == STARTS
        arrays = {f.name: getattr(starts, f.name) for f in fields(starts) if f.name != "n_eff"}
        lengths = {
            name: len(array) for name, array in arrays.items() if array is not None
        }  # no inputs from outside
        assert set(lengths.values()) == {STARTS}, lengths
    assert set(known.owner.tolist()) == {0, 1}
