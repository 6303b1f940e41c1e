"""Rollouts over whole records: where they begin, how long they are, and what is said of records that differ."""

import numpy as np
import pandas as pd
import pytest

from sweep.config.data_section import DataConfig
from sweep.config.errors import DataError
from sweep.config.sections import HORIZON, ScoreConfig
from sweep.data import load


def table(*lengths: int) -> pd.DataFrame:
    """Records whose values are their own positions, plus 1000 for each record before."""
    rows = [(f"r{k}", 1000.0 * k + t, float(t)) for k, length in enumerate(lengths) for t in range(length)]
    return pd.DataFrame(rows, columns=["unique_id", "y", "u"])


def noisy(length: int) -> pd.DataFrame:
    return table(length).assign(y=np.random.default_rng(0).standard_normal(length))


def loaded(
    folder,
    frame,
    *,
    warmup=20,
    split=(0.5, 0.25, 0.25),
    horizon=None,
    missing="error",
    from_start=True,
    **data,
):
    frame.to_csv(folder / "a.csv", index=False)
    config = DataConfig(path="a.csv", channels=("y",), known=("u",), split=split, missing=missing, **data)
    limit = {} if horizon is None else {"horizon": horizon}
    return load(config, ScoreConfig(warmup=warmup, from_start=from_start, **limit), folder)


def test_one_record_is_one_rollout_to_its_end(tmp_path):
    data = loaded(tmp_path, table(400), split=(0.5, 0.2, 0.3))
    for part, begin, end in ((data.validation, 200, 280), (data.test, 280, 400)):
        assert part.position.tolist() == [begin + 20] and part.n_eff == 1
        np.testing.assert_array_equal(part.past[0, :, 0], np.arange(begin, begin + 20))
        np.testing.assert_array_equal(part.truth[0, :, 0], np.arange(begin + 20, end))
        known = part.known[0, :, 0] * np.arange(200).std() + np.arange(200).mean()
        np.testing.assert_allclose(known, np.arange(begin, end))
    assert data.validation.truth.shape[1] == 60 and data.test.truth.shape[1] == 100
    assert not any("starts fit" in text for text in data.warnings)


def test_each_record_is_one_rollout_as_long_as_the_shortest_allows(tmp_path):
    data = loaded(tmp_path, table(400, 240, 320))
    assert data.validation.position.tolist() == [220, 140, 180]
    assert data.test.position.tolist() == [320, 200, 260]
    assert data.validation.truth.shape == (3, 40, 1) and data.validation.n_eff == 3
    (text,) = [text for text in data.warnings if text.startswith("validation: the rollouts")]
    assert "of 3 records have 40 steps" in text and "(the longest: 80)" in text


def test_the_horizon_is_an_upper_bound(tmp_path):
    data = loaded(tmp_path, table(400, 240), horizon=30)
    assert data.validation.truth.shape[1] == data.test.truth.shape[1] == 30
    assert not any("the rollouts" in text for text in data.warnings)
    assert loaded(tmp_path, table(400, 240), horizon=500).validation.truth.shape[1] == 40


def test_a_record_that_is_too_short_is_not_scored(tmp_path):
    data = loaded(tmp_path, table(400, 400, 119))  # 29 samples in each part of the last: 9 after the warm-up
    assert data.validation.owner.tolist() == [0, 1] and data.validation.truth.shape[1] == 80
    assert any("1 of 3 records is too short" in text and "warm-up 20" in text for text in data.warnings)


def test_of_the_test_alone(tmp_path):
    # validation is as without it, test as with it, and the horizon does not bound the test
    data = loaded(tmp_path, table(400), split=(0.5, 0.2, 0.3), horizon=30, from_start="test")
    spread = loaded(tmp_path, table(400), split=(0.5, 0.2, 0.3), horizon=30, from_start=False)
    whole = loaded(tmp_path, table(400), split=(0.5, 0.2, 0.3))
    for name in ("past", "truth", "known", "position", "scale"):
        np.testing.assert_array_equal(getattr(data.validation, name), getattr(spread.validation, name))
        np.testing.assert_array_equal(getattr(data.test, name), getattr(whole.test, name))
    assert data.validation.truth.shape == (32, 30, 1) and data.test.truth.shape == (1, 100, 1)
    assert min(data.validation.position) == 200  # its warm-up reaches back into the training part
    assert any(text.startswith("validation: only") for text in loaded(
        tmp_path, table(400), horizon=95, from_start="test"
    ).warnings)  # fmt: skip


def test_of_the_test_alone_the_horizon_of_validation_is_needed():
    assert ScoreConfig(from_start="test").horizon == HORIZON
    with pytest.raises(ValueError, match="horizon may be absent only with from_start = true"):
        ScoreConfig(from_start="test", horizon=None)
    with pytest.raises(ValueError, match='true, false or "test"'):
        ScoreConfig.model_validate({"from_start": "validation"})


def test_no_record_is_long_enough(tmp_path):
    with pytest.raises(
        DataError, match=r"score\.warmup = 95 and 10 steps after it: score\.warmup = 90 or less"
    ):
        loaded(tmp_path, table(400), warmup=95)
    loaded(tmp_path, table(400), warmup=90)


def test_what_a_transform_consumes_may_lie_in_an_earlier_part(tmp_path):
    frame = noisy(400)
    data = loaded(tmp_path, frame, transforms=("seasonal_difference",), season=7)
    assert data.validation.position.tolist() == [220]
    np.testing.assert_allclose(data.validation.past[0, :, 0], frame["y"][193:220])


def test_a_record_of_its_own_gives_it_from_its_own_samples(tmp_path):
    noisy(300).to_csv(tmp_path / "v.csv", index=False)
    noisy(200).to_csv(tmp_path / "t.csv", index=False)
    data = loaded(
        tmp_path, noisy(400), validation_path="v.csv", test_path="t.csv",
        transforms=("seasonal_difference",), season=7,
    )  # fmt: skip
    assert data.validation.position.tolist() == data.test.position.tolist() == [27]
    assert data.validation.truth.shape[1] == 273 and data.test.truth.shape[1] == 173


def test_no_interpolated_sample_is_scored(tmp_path):
    frame = table(400)
    frame.loc[250, "y"] = np.nan
    data = loaded(tmp_path, frame, missing="fill")
    assert data.validation.position.tolist() == [251] and data.validation.truth.shape[1] == 49


def test_without_it_the_horizon_is_as_ever():
    assert ScoreConfig().horizon == HORIZON == 1000
    assert "from_start" not in ScoreConfig().model_dump()
    assert ScoreConfig(from_start=True).horizon is None
    assert ScoreConfig.model_validate(ScoreConfig(from_start=True).model_dump()).horizon is None
    with pytest.raises(ValueError, match="horizon may be absent only with from_start = true"):
        ScoreConfig(horizon=None)
