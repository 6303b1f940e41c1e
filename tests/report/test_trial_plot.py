import io
import subprocess
import sys
from dataclasses import replace

import matplotlib
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from sweep.config.errors import StoreError, UnknownName
from sweep.report.plots.canvas import (
    BASELINE,
    GOOD,
    INPUTS,
    drawable,
    level_ticks,
    linear_ticks,
    log_ticks,
    png,
)
from sweep.report.plots.panels import panels_of
from sweep.report.plots.study import effect_plot, small_png
from sweep.report.plots.trial import Drawn, draw_trial, trial_figure
from sweep.results.shown_rollouts import groups_of, shown_rollouts
from sweep.results.tables import trials_frame
from sweep.results.wording.rollouts import rollout_title, tick_texts, time_text


def picture(content):
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGB"), dtype=int)


def pixels(image, color, tolerance=12):
    wanted = [int(color[k : k + 2], 16) for k in (1, 3, 5)]
    return int((np.abs(image - wanted).max(axis=2) <= tolerance).sum())


def test_every_trial_of_a_study_can_be_drawn(study):
    shapes = {picture(draw_trial(study, number)).shape for number in (0, 1, 38, 39)}
    assert shapes == {(660, 1200, 3)}  # complete, diverged, failed, running


def test_equal_trials_give_equal_bytes(one):
    assert draw_trial(one, 0) == draw_trial(one, 0)


def test_a_missing_trial_is_an_error(one):
    with pytest.raises(StoreError, match="no trial 7"):
        draw_trial(one, 7)


def arrays_of(sines, rollout_files, change, **options):
    starts = sines(**options)
    forecast = change(starts.truth.copy())
    content = rollout_files(starts, forecast, starts.truth)["rollout.npz"]
    with np.load(io.BytesIO(content)) as arrays:
        return dict(arrays)


def panels(arrays, channels):
    return panels_of(arrays, shown_rollouts(arrays, groups_of(arrays, channels)))


def test_best_median_and_worst_start_are_shown(writer):
    *_, sines, rollout_files = writer

    def wrong_from(truth):
        for start in range(16):
            truth[start, 20 * start + 10 :] += 5.0
        return truth

    shown = panels(arrays_of(sines, rollout_files, wrong_from), ["y"])
    assert [panel.title for panel in shown] == ["best start", "median start", "worst start"]
    valid = [panel.valid for panel in shown]
    assert valid == sorted(valid, reverse=True)
    assert valid[0] == 310  # start 15 is wrong from step 311 on
    assert shown[0].left_at == 311
    assert not shown[0].lost


def test_axes_stay_near_the_truth_whatever_the_forecast(writer):
    *_, sines, rollout_files = writer

    def explode(truth):
        truth[:, 100:] = 1e30
        truth[:, 200:] = np.inf
        truth[:, 300:] = np.nan
        return truth

    panel = panels(arrays_of(sines, rollout_files, explode), [])[0]
    low, high = panel.limits
    assert -1.2 < low < -0.9
    assert 0.9 < high < 1 + 1.5 * np.sqrt(0.5) + 0.3  # truth, 1.5 scales and the padding
    assert panel.left_at == 101
    drawn = panel.rollout[np.isfinite(panel.rollout)]
    assert drawn.max() <= high + (high - low)
    lost = panels(arrays_of(sines, rollout_files, lambda truth: truth * np.nan), [])[0]
    assert (lost.left_at, lost.lost) == (1, True)


def test_a_forecast_within_reach_is_not_cut(writer):
    *_, sines, rollout_files = writer
    panel = panels(arrays_of(sines, rollout_files, lambda truth: truth - 0.8), [])[0]
    assert panel.left_at is None
    assert panel.limits[0] < -1.8


def grouped(sines, rollout_files, error=None, targets=(0, 1), starts=12):
    """Arrays of three named series with two target channels; `error` by series and channel."""
    made = sines(channels=2, starts=starts)
    names = np.array(["a", "b", "c"])[np.arange(starts) % 3]
    error = np.array([[0.1, 0.2], [0.3, 0.9], [0.5, 0.4]]) if error is None else error
    forecast = (
        made.truth + error[np.arange(starts) % 3][:, None, :] * (1 + np.arange(starts) / 100)[:, None, None]
    )
    with np.load(
        io.BytesIO(rollout_files(made, forecast, made.truth, targets=targets)["rollout.npz"])
    ) as stored:
        return {**stored, "series_names": names}


def test_the_median_and_the_worst_of_several_series_and_channels_are_shown(writer):
    *_, sines, rollout_files = writer
    arrays = grouped(sines, rollout_files)
    groups = groups_of(arrays, ["x", "y"])
    assert [(group.series, group.channel) for group in groups] == [
        ("a", "x"), ("a", "y"), ("b", "x"), ("c", "y"), ("c", "x"), ("b", "y"),
    ]  # fmt: skip
    shown = shown_rollouts(arrays, groups)
    assert [rollout_title(one) for one in shown] == [
        "median of 6, median start: b · x", "worst of 6, median start: b · y", "worst of 6, worst start: b · y",
    ]  # fmt: skip
    assert {int(one.start) % 3 for one in shown} == {1}
    assert shown[2].valid <= shown[1].valid
    drawn = panels(arrays, ["x", "y"])
    np.testing.assert_allclose(drawn[1].truth[-400:], arrays["truth"][shown[1].start, :, 1])


def test_one_group_can_be_chosen_and_an_unknown_one_is_refused(writer):
    *_, sines, rollout_files = writer
    arrays = grouped(sines, rollout_files)
    chosen = Drawn(arrays, ["x", "y"], series="c", channel="y")
    (group,) = chosen.groups
    assert [one.start_role for one in shown_rollouts(arrays, [group])] == ["best", "median", "worst"]
    with pytest.raises(UnknownName, match=r"no series named 'd'.*Known: a, b, c"):
        Drawn(arrays, ["x", "y"], series="d").groups  # noqa: B018
    with pytest.raises(UnknownName, match="no channel named 'z'"):
        Drawn(arrays, ["x", "y"], channel="z").groups  # noqa: B018


def test_the_only_scored_channel_is_named_where_there_are_several(writer):
    *_, sines, rollout_files = writer
    starts = sines(channels=3)
    content = rollout_files(starts, starts.truth + 0.1, starts.truth, targets=(1,))["rollout.npz"]
    with np.load(io.BytesIO(content)) as stored:
        assert panels(dict(stored), ["x", "y", "z"])[0].title == "best start: y"


def test_the_best_baseline_is_drawn_on_its_own_starts_only(one, writer):
    *_, sines, rollout_files = writer
    arrays = arrays_of(sines, rollout_files, lambda truth: truth * 0.9)
    baseline = {"name": np.array("ar"), "forecast": arrays["truth"] + 0.3, "last": arrays["past"][:, -1]}
    figure = trial_figure(one.record(0), Drawn(arrays, ["y"], baseline), one.curves(0))
    dashed = lambda figure: [len(axes.lines) for axes in figure.axes[:3]]  # noqa: E731
    assert dashed(figure) == [3, 3, 3]
    assert figure.axes[0].lines[1].get_color() == BASELINE
    assert "best baseline, ar" in [text.get_text() for text in figure.texts]
    moved = {**baseline, "last": baseline["last"] + 1}
    for other in ({}, moved, {**baseline, "forecast": baseline["forecast"][:, :-1]}):
        plain = trial_figure(one.record(0), Drawn(arrays, ["y"], other), one.curves(0))
        assert dashed(plain) == [2, 2, 2]


def test_real_times_are_shown_and_shortened(writer):
    *_, sines, rollout_files = writer
    arrays = arrays_of(sines, rollout_files, lambda truth: truth)
    steps = arrays["past"].shape[1] + 400
    hours = np.datetime64("2024-02-01T00:00", "ns") + np.arange(steps) * np.timedelta64(1, "h")
    arrays["times"] = np.tile(hours, (16, 1))
    first = time_text(hours[arrays["past"].shape[1]])
    assert panels(arrays, ["y"])[0].times == f"{first} to {time_text(hours[-1])}"
    assert time_text(np.datetime64("2024-02-28T00:00:00", "ns")) == "2024-02-28"
    assert time_text(np.datetime64("2024-02-28T07:00:00", "ns")) == "2024-02-28 07:00"
    assert time_text(np.datetime64("2024-02-28T07:00:05", "ns")) == "2024-02-28 07:00:05"
    assert tick_texts(hours[[1, 3]]) == ["2024-02-01 01:00", "03:00"]
    assert tick_texts(hours[[1, 30]]) == ["02-01 01:00", "02-02 06:00"]


def overlaps(figure):
    """The pairs of texts of a figure that overprint each other."""
    renderer = figure.canvas.get_renderer()
    boxes = [(text.get_text(), text.get_window_extent(renderer)) for text in figure.texts if text.get_text()]
    return [
        (one, other)
        for k, (one, box) in enumerate(boxes)
        for other, rival in boxes[k + 1 :]
        if min(box.x1, rival.x1) - max(box.x0, rival.x0) > 1
        and min(box.y1, rival.y1) - max(box.y0, rival.y0) > 1
    ]


def test_long_names_never_overprint(one, writer):
    *_, sines, rollout_files = writer
    arrays = with_inputs(grouped(sines, rollout_files), 3)
    long = "a name that is far longer than anybody wants to read, "
    arrays["series_names"] = np.array([long + name for name in arrays["series_names"]])
    arrays["input_names"] = np.array([long + name for name in arrays["input_names"]])
    steps = arrays["past"].shape[1] + 400
    hours = np.datetime64("2024-02-01T00:00", "ns") + np.arange(steps) * np.timedelta64(1, "h")
    arrays["times"] = np.tile(hours, (12, 1))
    baseline = {"name": np.array(long), "forecast": arrays["truth"], "last": arrays["past"][:, -1]}
    drawn = Drawn(arrays, [long + "x", long + "y"], baseline)
    figure = trial_figure(one.record(0), drawn, one.curves(0))
    assert overlaps(figure) == []
    width = figure.bbox.width
    renderer = figure.canvas.get_renderer()
    for text in figure.texts:
        box = text.get_window_extent(renderer)
        assert box.x0 >= 0 and box.x1 <= width and box.y0 >= 0, text.get_text()


def test_that_test_can_fail(one, writer):
    *_, sines, rollout_files = writer
    arrays = arrays_of(sines, rollout_files, lambda truth: truth)
    figure = trial_figure(one.record(0), Drawn(arrays, ["y"]), one.curves(0))
    figure.text(0.05, figure.texts[0].get_position()[1], "on top of it", va="top")
    assert overlaps(figure)


@pytest.mark.parametrize("past", [4, 20, 40, 60, 100])
def test_the_name_of_the_past_keeps_clear_of_the_ticks(one, writer, past):
    *_, sines, rollout_files = writer
    arrays = arrays_of(sines, rollout_files, lambda truth: truth * 0.9)
    arrays["past"] = arrays["past"][:, -past:]
    figure = trial_figure(one.record(0), Drawn(arrays, ["y"]), one.curves(0))
    renderer = figure.canvas.get_renderer()
    boxes = [(text.get_text(), text.get_window_extent(renderer)) for text in figure.texts]
    (name,) = [box for text, box in boxes if text == "true past"]
    ticks = [box for text, box in boxes if text == "0" and min(box.y1, name.y1) > max(box.y0, name.y0)]
    assert ticks and all(box.x0 - name.x1 >= 3 for box in ticks)


def with_inputs(arrays, count, flat=False):
    starts, steps = arrays["truth"].shape[0], arrays["past"].shape[1] + arrays["truth"].shape[1]
    rng = np.random.default_rng(0)
    inputs = np.cumsum(rng.normal(size=(starts, steps, count)), axis=1)
    inputs[..., 0] = 3.0 if flat else inputs[..., 0]
    names = np.array([f"input{n}" for n in range(count)])
    return {**arrays, "inputs": inputs, "input_names": names}


def test_inputs_from_outside_are_those_of_the_start_in_its_steps(writer):
    *_, sines, rollout_files = writer
    arrays = with_inputs(arrays_of(sines, rollout_files, lambda truth: truth * 0.9), 2)
    arrays["valid_steps"], arrays["past"] = np.arange(16), arrays["past"][:, -40:]
    for panel, start in zip(panels(arrays, ["y"]), (15, 7, 0), strict=True):
        whole = arrays["inputs"]
        low, high = whole.min(axis=(0, 1)), whole.max(axis=(0, 1))
        assert [line.text for line in panel.inputs] == [
            f"input{n} {low[n]:.4g} to {high[n]:.4g}" for n in range(2)
        ]
        assert panel.more_inputs == 0
        for n, line in enumerate(panel.inputs):
            wanted = whole[start, -len(panel.steps) :, n]
            assert low[n] + line.values * (high[n] - low[n]) == pytest.approx(wanted)


@pytest.mark.parametrize(("count", "drawn", "more"), [(1, 1, 0), (3, 3, 0), (4, 3, 1), (9, 3, 6)])
def test_at_most_three_inputs_are_drawn_and_the_others_counted(one, writer, count, drawn, more):
    *_, sines, rollout_files = writer
    arrays = with_inputs(arrays_of(sines, rollout_files, lambda truth: truth * 0.9), count, flat=True)
    assert len(panels(arrays, ["y"])[0].inputs) == drawn
    figure = trial_figure(one.record(0), Drawn(arrays, ["y"]), one.curves(0))
    texts = [text.get_text() for text in figure.texts]
    assert texts.count("input0 3") == 3  # constant: below each of three starts
    assert sum(text.startswith("input") for text in texts) == 3 * drawn
    assert texts.count(f"and {more} more input{'s' if more > 1 else ''}") == (3 if more else 0)
    image = picture(png(figure))
    for color, visible in zip(INPUTS, range(3), strict=True):
        assert (pixels(image, color) > 100) == (visible < drawn)
    assert texts.count("true past") == texts.count("step of the rollout") - 1 == 1


def test_without_inputs_the_picture_has_no_room_for_them(one, writer):
    *_, sines, rollout_files = writer
    arrays = arrays_of(sines, rollout_files, lambda truth: truth * 0.9)
    plain = trial_figure(one.record(0), Drawn(arrays, ["y"]), one.curves(0))
    driven = trial_figure(one.record(0), Drawn(with_inputs(arrays, 1), ["y"]), one.curves(0))
    assert (len(plain.axes), len(driven.axes)) == (5, 8)
    assert [len(axes.lines) for axes in (driven.axes[1], driven.axes[3], driven.axes[5])] == [1, 1, 1]
    assert plain.get_figheight() < driven.get_figheight()


def test_long_names_of_inputs_are_cut(writer):
    *_, sines, rollout_files = writer
    arrays = with_inputs(arrays_of(sines, rollout_files, lambda truth: truth), 1)
    arrays["input_names"] = np.array(["temperature of the northern hall"])
    (line,) = panels(arrays, [])[0].inputs
    assert line.text.startswith("temperature of…ern hall ")


def test_one_start_and_two_starts_have_one_and_two_panels(writer):
    *_, sines, rollout_files = writer
    for count, titles in ((1, ["only start"]), (2, ["best start", "worst start"])):
        arrays = arrays_of(sines, rollout_files, lambda truth: truth, starts=count)
        assert [panel.title for panel in panels(arrays, [])] == titles


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e30, -1e30])
def test_forecasts_that_are_no_numbers_are_drawn(one, writer, bad):
    *_, sines, rollout_files = writer
    starts = sines()
    forecast = starts.truth.copy()
    forecast[:, 57:] = bad
    one.write_files(0, rollout_files(starts, forecast, forecast))
    assert picture(draw_trial(one, 0)).std() > 5


def test_a_single_evaluation_and_no_curves_are_enough(empty, writer):
    _, write_trial, *_ = writer
    write_trial(empty, 3, {"cell": "gru"}, "collapsed", 0.5, 1e-12, stop=1, state="pruned")
    (empty.trial(3) / "curves.csv").unlink()
    draw_trial(empty, 3)


def test_names_are_drawn_literally(one):
    record = one.record(0)
    nasty = "$\\frac{1$ <script>alert(1)</script> \x1b[31m 日本 " + "long " * 200
    one.write_record(replace(record, reason=nasty, params={**record.params, "$\\bad": nasty}))
    draw_trial(one, 0)
    assert drawable("a\x1b日é") == "a??é"


def test_names_of_channels_and_hyperparameters_start_no_formula(study, one, writer):
    *_, sines, rollout_files = writer
    document = one.read_study()
    document["record"]["channels"] = ["$\\frac{1$", "b"]
    one.write_study(document)
    starts = sines(channels=2)
    one.write_files(0, rollout_files(starts, starts.truth, starts.truth))
    draw_trial(one, 0)
    trials = trials_frame(study).rename(columns={"cell": "$\\frac{1$"})
    effect_plot(trials, "$\\frac{1$", None, {0: 0.5, 2: 0.4}, np.random.default_rng(0))


def test_the_green_bar_is_as_long_as_the_rollout_is_valid(empty, writer):
    _, write_trial, *_ = writer
    for number, size in ((0, 0.01), (1, 1.5)):
        write_trial(empty, number, {"cell": "gru"}, "damped", size, 0.01)
    long, short = (picture(draw_trial(empty, number)) for number in (0, 1))
    assert pixels(long, GOOD) > 3 * pixels(short, GOOD)


def test_nothing_global_is_touched(one):
    before = dict(matplotlib.rcParams)
    draw_trial(one, 0)
    assert dict(matplotlib.rcParams) == before


def test_plots_leave_pyplot_alone():
    code = "import sys, sweep.report.plots.trial; sys.exit('matplotlib.pyplot' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_small_picture_keeps_rare_colours(one):
    content = draw_trial(one, 0)
    small = small_png(content)
    assert len(small) < 0.6 * len(content)
    before, after = picture(content), picture(small)
    assert pixels(after, GOOD) > 0.7 * pixels(before, GOOD) > 0
    assert np.abs(before - after).mean() < 2


def test_ticks_are_round_and_inside():
    assert linear_ticks(0, 400, 5) == (
        (0.0, "0"),
        (100.0, "100"),
        (200.0, "200"),
        (300.0, "300"),
        (400.0, "400"),
    )
    assert [text for _, text in log_ticks(1e-3, 2)] == ["1", "0.1", "0.01", "0.001"]
    assert [place for place, _ in log_ticks(1e-6, 30)] == [10.0, 0.1, 0.001, 1e-05]


def test_ticks_far_from_zero_are_distances_from_a_level():
    ticks, level = level_ticks(1e9 - 1.2, 1e9 + 1.2, 3)
    assert level == "1000000000"
    assert [text for _, text in ticks] == ["-1", "+0", "+1"]
    assert [place - 1e9 for place, _ in ticks] == [-1, 0, 1]
    assert level_ticks(-1.2, 1.2, 3) == (linear_ticks(-1.2, 1.2, 3), "")


def test_figures_need_no_record_of_the_budget(one):
    record = replace(one.record(0), config={})
    trial_figure(record, Drawn({}), pd.DataFrame())
