"""What is drawn of a symptom has the numbers that were planted, and is left out where it would mislead."""

import numpy as np
import pandas as pd
import pytest

from sweep.report.plots.drawn_evidence import Envelope, PhaseError, envelope_of, evidence_of, phase_error_of
from sweep.report.plots.trial import Drawn, draw_trial, shown_symptom, trial_figure
from sweep.store.folder import StudyFolder

T = np.arange(1, 1001)
OMEGA, BLOCK = 2 * np.pi / 80, 80
TRUTH, PAST = np.sin(OMEGA * T), np.sin(OMEGA * np.arange(-199, 1))
PARAMS = {"optimizer": "sgd", "sgd.lr": 0.03, "sgd.momentum": 0.9, "scheduler": "cosine", "cell": "gru"}


@pytest.mark.parametrize("half_life", [100, 400, 3000])
def test_the_envelope_of_a_decay_is_the_planted_one(half_life: int):
    envelope = envelope_of(3 + 2 * TRUTH * 2 ** (-T / half_life), 3 + 2 * TRUTH, BLOCK)
    assert envelope is not None
    assert envelope.half_life == pytest.approx(half_life, rel=0.03)
    assert envelope.level == pytest.approx(3, abs=0.06) and envelope.height == pytest.approx(
        2, rel=0.1
    )  # the swing within a window, too, falls


@pytest.mark.parametrize(
    "forecast",
    [TRUTH, 1.001**T * TRUTH, np.zeros(1000), TRUTH * np.nan, np.where(T < 500, TRUTH, 0.4 * TRUTH)],
    ids=["steady", "growing", "constant", "nan", "step"],
)
def test_no_envelope_of_what_does_not_decay_exponentially(forecast: np.ndarray):
    assert envelope_of(forecast, TRUTH, BLOCK) is None


@pytest.mark.parametrize(("speed", "shift"), [(1.01, 0.0), (0.985, 0.0), (1.0, -0.8)])
def test_the_phase_error_is_the_planted_one_at_a_crest(speed: float, shift: float):
    marked = phase_error_of(PAST, np.sin(OMEGA * speed * T + shift), TRUTH, BLOCK, 300)
    assert marked is not None
    phase = OMEGA * (speed - 1) * marked.step + shift
    assert marked.phase == pytest.approx(phase, abs=0.05)
    assert marked.late == pytest.approx(-phase / OMEGA, abs=1)
    assert marked.value == pytest.approx(1, abs=0.01) and marked.step > 500
    assert TRUTH[round(marked.step) - 1] == marked.value


def test_a_phase_is_marked_before_it_passes_half_a_turn():
    marked = phase_error_of(PAST, np.sin(OMEGA * 1.06 * T), TRUTH, BLOCK, 100)
    assert marked is not None and 0.2 <= marked.phase <= 2.0


@pytest.mark.parametrize(
    ("forecast", "valid"), [(TRUTH, 300), (np.sin(OMEGA * 1.01 * T), 950), (TRUTH * np.nan, 0)]
)
def test_no_phase_of_what_does_not_drift_or_holds(forecast: np.ndarray, valid: int):
    assert phase_error_of(PAST, forecast, TRUTH, BLOCK, valid) is None


@pytest.fixture
def kinds(empty: StudyFolder, writer):
    _, write_trial, *_ = writer
    for number, (kind, size) in enumerate(
        [("damped", 0.25), ("drift", 0.03), ("fine", 0.5), ("collapsed", 0.2)]
    ):
        write_trial(empty, number, PARAMS, kind, size, 0.01)
    return empty


def lines_and_texts(folder: StudyFolder, number: int):
    record = folder.record(number)
    symptom = shown_symptom(folder, record)
    figure = trial_figure(record, Drawn(folder.rollout(number), ["y"]), pd.DataFrame(), symptom)
    return [len(axes.lines) for axes in figure.axes[:3]], " | ".join(text.get_text() for text in figure.texts)


@pytest.mark.parametrize(
    ("number", "code", "more", "words"),
    [
        (0, "S03", 2, {"half-life"}),
        (1, "S05", 3, {"marked", "steps early"}),
        (2, "S01", 0, set()),
        (3, "S02", 0, set()),
    ],
)
def test_the_plot_names_the_symptom_and_draws_its_evidence(kinds, number, code, more, words):
    lines, text = lines_and_texts(kinds, number)
    assert f"complete · {code} " in text
    assert lines == [2 + more] * 3
    assert {word for word in ("half-life", "marked", "steps early") if word in text} == words
    with_it = draw_trial(kinds, number)
    kinds.write_study({**kinds.read_study(), "diagnosis": {"mute": [code]}})
    lines, text = lines_and_texts(kinds, number)
    assert code not in text and lines == [2] * 3
    muted = draw_trial(kinds, number)
    (kinds.trial(number) / "diagnosis.json").unlink()  # a trial of before
    assert muted == draw_trial(kinds, number) != with_it


def test_evidence_is_in_data_units(kinds):
    arrays = dict(kinds.rollout(0))
    arrays |= {name: 10 + 5 * arrays[name] for name in ("truth", "past", "forecast")}
    arrays["mean"], arrays["scale"] = 10 + 5 * arrays["mean"], 5 * arrays["scale"]
    one, other = evidence_of(kinds.rollout(0), 0, 0, "S03"), evidence_of(arrays, 0, 0, "S03")
    assert isinstance(one, Envelope) and isinstance(other, Envelope)
    assert other.height == pytest.approx(5 * one.height, rel=1e-3)
    marked, scaled = evidence_of(kinds.rollout(1), 0, 0, "S05"), dict(kinds.rollout(1))
    scaled |= {name: 10 + 5 * scaled[name] for name in ("truth", "past", "forecast")}
    scaled["mean"], scaled["scale"] = 10 + 5 * scaled["mean"], 5 * scaled["scale"]
    again = evidence_of(scaled, 0, 0, "S05")
    assert isinstance(marked, PhaseError) and isinstance(again, PhaseError)
    assert again.value == pytest.approx(10 + 5 * marked.value, rel=1e-3)
    assert (again.step, again.late) == pytest.approx((marked.step, marked.late), rel=1e-3)
    assert evidence_of(arrays, 0, 0, "S07") is None
