"""A finished trial knows its scores by series and by channel, and they are those of its best checkpoint."""

from typing import Any

import numpy as np
import pytest

from sweep.config.data_section import DataConfig
from sweep.trial import finish

Made = Any


@pytest.fixture
def long_table(tmp_path):
    time = np.arange(120)
    rows = ["unique_id,y,z"]
    for number, name in enumerate(("north", "south")):
        for k in time:
            rows.append(f"{name},{np.sin(0.5 * k + number)},{np.cos(0.3 * k)}")
    path = tmp_path / "table.csv"
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize("target", [(), ("z",)])
def test_it_is_that_of_the_best_checkpoint(trial: Made, segments: Made, long_table, target):
    data = DataConfig(path=str(long_table), target=target, split=(0.5, 0.25, 0.25))
    small = {"warmup": 8, "horizon": 10, "starts": 4}
    base = trial({"name": "adam", "lr": 0.05})
    config = base.model_copy(update={"data": data, "score": base.score.model_copy(update=small)})
    done = segments(config)
    best = min(segment.evaluation.scores.rollout_error for segment in done)
    made = finish(config, done[-1].checkpoint).breakdown
    assert made is not None
    assert [row.series for row in made.by_series] == ["north", "south"]
    assert [row.channel for row in made.by_channel] == ([] if target else ["y", "z"])
    for rows in (made.by_series, made.by_channel, made.by_series_and_channel):
        if rows:
            mean = np.average([row.rollout_error for row in rows], weights=[row.starts for row in rows])
            assert mean == pytest.approx(best, rel=1e-6)


def test_the_series_of_a_source_have_no_names(trial: Made, segments: Made):
    config = trial()
    assert finish(config, segments(config)[-1].checkpoint).breakdown is None
