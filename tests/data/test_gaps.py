"""Gaps: pieces hold what is there and nothing else, and no part learns of another."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sweep.config.data_section import DataConfig
from sweep.config.errors import DataError
from sweep.config.sections import ScoreConfig
from sweep.data import gaps, load, window_source
from sweep.data.gaps import SHORTEST, without_gaps
from sweep.data.recording import Recording, Series

SCORE = ScoreConfig(warmup=10, horizon=12, starts=6)


def recording(values, ends, steps=None, **fields):
    values = np.asarray(values, dtype=float)
    values = values[:, None] if values.ndim == 1 else values
    channels = tuple("xyz"[: values.shape[1]])
    return Recording("made", channels, (Series("made", values, ends=ends, steps=steps, **fields),))


def with_holes(length, holes):
    values = np.arange(length, dtype=float)
    for begin, end in holes:
        values[begin:end] = np.nan
    return values


def pieces(values, ends, rule, limit=3, steps=None):
    return without_gaps(recording(values, ends, steps), rule, limit, lag=0)


def test_series_without_gaps_are_not_changed():
    whole = recording(np.arange(40.0), (20, 30))
    for rule in ("error", "cut", "fill"):
        made = without_gaps(whole, rule, 3, 0)
        assert made.series[0].values is whole.series[0].values and made.facts == ()


def test_a_gap_is_refused_with_both_keys():
    with pytest.raises(DataError, match=r'5 samples missing in 2 gaps \(longest 4.*"cut".*"fill"'):
        pieces(with_holes(60, [(20, 24), (40, 41)]), (30, 45), "error")


def test_a_cut_leaves_the_values_between_gaps():
    made = pieces(with_holes(60, [(20, 24), (40, 41)]), (30, 45), "cut")
    assert [one.values[:, 0].tolist() for one in made.series] == [
        list(range(20)),
        list(range(24, 40)),
        list(range(41, 60)),
    ]
    assert [one.ends for one in made.series] == [(20, 20), (6, 16), (0, 4)]
    assert [one.offset for one in made.series] == [0, 24, 41] and {one.owner for one in made.series} == {0}
    assert "5 samples missing in 2 gaps (longest 4): 3 pieces" in made.facts[0].text


def test_missing_steps_are_gaps_as_missing_values_are():
    rows = np.delete(np.arange(60), [20, 21, 22, 23, 40])
    made = pieces(rows.astype(float), (26, 41), "cut", steps=rows)
    assert [one.values[:, 0].tolist() for one in made.series] == [
        list(range(20)),
        list(range(24, 40)),
        list(range(41, 60)),
    ]


def test_short_holes_are_filled_by_straight_lines_and_long_ones_cut():
    made = pieces(with_holes(60, [(20, 24), (50, 53)]), (30, 45), "fill")
    assert [len(one.values) for one in made.series] == [20, 36]
    second = made.series[1]
    np.testing.assert_allclose(second.values[:, 0], np.arange(24, 60))
    assert np.flatnonzero(second.filled).tolist() == [26, 27, 28]  # 50, 51 and 52
    assert second.unfilled("test") == [(21, 26), (29, 36)] and second.unfilled("validation") == [(6, 21)]


def test_a_channel_keeps_its_values_where_only_another_is_missing():
    values = np.stack([with_holes(40, [(10, 12)]), np.arange(40.0) ** 2], axis=1)
    made = pieces(values, (25, 30), "fill").series[0]
    assert made.values[10:12].tolist() == [[10, 100], [11, 121]]
    assert made.filled[10:12].all() and made.filled.sum() == 2


def test_a_hole_between_two_parts_is_never_filled():
    made = pieces(with_holes(60, [(30, 31)]), (30, 45), "fill")
    assert [one.ends for one in made.series] == [(30, 30), (0, 14)]
    # the control: the same hole within a part
    assert len(pieces(with_holes(60, [(28, 29)]), (30, 45), "fill").series) == 1


def test_ends_of_a_series_that_are_missing_are_left_out():
    made = pieces(with_holes(60, [(0, 5), (57, 60)]), (30, 45), "error")
    (one,) = made.series
    assert one.values[:, 0].tolist() == list(range(5, 57)) and one.ends == (25, 40)
    assert made.facts[0].text == "8 incomplete samples at the beginning or end left out"


def test_short_pieces_are_left_out_and_counted():
    values = with_holes(60, [(20, 21), (21 + SHORTEST - 1, 22 + SHORTEST - 1)])
    made = pieces(values, (40, 50), "cut")
    assert [one.offset for one in made.series] == [0, 22 + SHORTEST - 1]
    assert f"{SHORTEST - 1} samples in pieces of fewer than {SHORTEST} left out" in made.facts[0].text


def test_a_series_without_a_whole_stretch_is_refused_if_it_is_the_only_one():
    values = np.where(np.arange(60) % 2, np.nan, 1.0)
    with pytest.raises(DataError, match=r"made: no 10 samples in a row are complete"):
        pieces(values, (40, 50), "cut")


@settings(max_examples=80, deadline=None)
@given(
    length=st.integers(30, 120),
    missing=st.sets(st.integers(0, 119), max_size=30),
    cut=st.tuples(st.floats(0.2, 0.6), st.floats(0.6, 0.9)),
    share=st.sampled_from([None, 0.0, 0.5, 1.0]),
    rule=st.sampled_from(["cut", "fill"]),
    limit=st.integers(1, 6),
)
def test_every_value_is_of_its_step_and_every_part_knows_only_itself(
    length, missing, cut, share, rule, limit
):
    values = np.sin(np.arange(length) * 1.7)
    gone = sorted(step for step in missing if step < length)
    values[gone] = np.nan
    first, second = int(length * cut[0]), int(length * cut[1])
    kept = None if share is None else second - int((second - first) * share)
    ends, edges = (first, second), (first, second if kept is None else kept, second)
    try:
        made = without_gaps(recording(values, ends, kept=kept), rule, limit, 0)
    except DataError:
        return
    for piece in made.series:
        at = piece.offset + np.arange(len(piece.values))
        filled = piece.filled if piece.filled is not None else np.zeros(len(at), dtype=bool)
        np.testing.assert_array_equal(piece.values[~filled, 0], values[at[~filled]])
        assert np.isfinite(piece.values).all() and len(at) >= SHORTEST
        for part, (begin, end) in piece.parts.items():
            number = ("train", "validation", "calibration", "test").index(part)
            own = np.searchsorted(edges, at[begin:end], side="right")
            assert (own == number).all(), part
            other = values.copy()
            outside = np.searchsorted(edges, np.arange(length), side="right") != number
            other[outside] += 100.0  # NaN stays NaN
            changed = without_gaps(recording(other, ends, kept=kept), rule, limit, 0)
            same = next(one for one in changed.series if one.offset == piece.offset)
            np.testing.assert_array_equal(same.values[begin:end], piece.values[begin:end])


def noise(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape) + 5.0


def loaded(tmp_path, values, **settings):
    np.save(tmp_path / "values.npy", values)
    return load(DataConfig(path="values.npy", **settings), SCORE, tmp_path)


@pytest.mark.parametrize("rule", ["cut", "fill"])
def test_nothing_reaches_across_a_gap(tmp_path, rule):
    values = np.arange(600.0)
    gone = [*range(100, 110), 250, 251, 470, *range(520, 533)]
    values[gone] = np.nan
    data = loaded(tmp_path, values, missing=rule, fill_limit=3)
    filled = {250, 251, 470} if rule == "fill" else set()

    def steps_in(rows):
        return set(np.rint(np.ravel(rows)).astype(int).tolist())

    for part in (data.validation, data.test):
        for past, truth in zip(part.past, part.truth, strict=True):
            whole = np.concatenate([past, truth])[:, 0]
            np.testing.assert_allclose(np.diff(whole), 1.0)  # steps in a row
            assert not steps_in(truth) & set(gone)  # filled samples are never scored
            assert not steps_in(past) & (set(gone) - filled)
    source = window_source(data, 16)
    mean, std = data.codec.mean[0], data.codec.std[0]
    inputs, targets = source.batch(source.offsets(np.random.default_rng(0)))
    windows = np.concatenate([inputs[:, :, :1], targets[:, -1:, :1]], axis=1) * std + mean
    np.testing.assert_allclose(np.diff(windows[..., 0], axis=1), 1.0, atol=1e-6)
    assert len(data.train) == (4 if rule == "cut" else 3) - 1


def test_statistics_are_of_the_whole_series_not_of_its_pieces(tmp_path):
    values = noise(2, 400, 1) * np.array([1.0, 50.0])[:, None, None]
    values[:, 100] = np.nan
    data = loaded(tmp_path, values, missing="cut", scaling="series")
    assert data.train_series == (0, 0, 1, 1) and data.codec.mean.shape == (3, 1)
    for index in (0, 1):
        training = np.delete(values[index, :280], 100, axis=0)
        np.testing.assert_allclose(data.codec.mean[index], training.mean(axis=0))
        np.testing.assert_allclose(data.codec.std[index], training.std(axis=0))
        np.testing.assert_allclose(data.validation.mean[data.validation.series == index], training.mean())


def test_a_value_beyond_training_changes_nothing_of_training(tmp_path):
    values = noise(600, 1)
    values[[100, 101, 300, 419, 450, 511]] = np.nan
    before = loaded(tmp_path, values, missing="fill")
    values[420:] *= 7.0  # the first sample after the hole at 419, too
    after = loaded(tmp_path, values, missing="fill")
    for old, new in zip(before.train, after.train, strict=True):
        np.testing.assert_array_equal(old, new)
    np.testing.assert_array_equal(before.codec.std, after.codec.std)
    assert before.period == after.period and before.fingerprint != after.fingerprint


@pytest.mark.parametrize("rule", ["cut", "fill"])
def test_a_series_in_many_pieces_asks_for_the_part_of_each_row_twice(monkeypatch, rule):
    asked = []
    part_of = gaps._part_of

    def counted(series, rows):
        asked.append(len(rows))
        return part_of(series, rows)

    monkeypatch.setattr(gaps, "_part_of", counted)
    values = with_holes(4000, [(begin, begin + 5) for begin in range(20, 3990, 20)])
    made = pieces(values, (2800, 3400), rule, limit=3)
    assert len(made.series) == 200 and sum(asked) <= 2 * len(values)
