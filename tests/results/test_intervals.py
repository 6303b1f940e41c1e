"""The intervals of a study in the report's document, and in words."""

from types import SimpleNamespace

import pytest

from sweep.results.intervals import coverage_entries, intervals_section
from sweep.results.wording.intervals import coverage_text, intervals_text, missing_level_text

NETWORKS = {"number": 3, "basis": "confirmed", "seeds": [1, 2]}
BASELINE = {"baseline": "ar"}


def covered(of, value=0.9):
    level = {"value": value, "low": 0.8, "high": 0.95, "by_step": {"value": [0.95, 0.85, 0.9]}}
    return {"of": of, "n_eff": 40, "levels": {"50": {**level, "value": 0.5}, "90": level}}


def study(n=20, forecasters=(NETWORKS,), coverage=(), number=3, calibration=0.4):
    stored = {"n": n, "horizon": 30 if n else None, "forecasters": [{"of": of} for of in forecasters]}
    return SimpleNamespace(
        intervals=stored,
        named=(None if number is None else SimpleNamespace(number=number), None),
        winner={"coverage": list(coverage)},
        document={"data": {"calibration": calibration} if calibration else {}},
    )


def test_the_section_holds_levels_and_coverage_of_each_forecaster():
    section = intervals_section(study(forecasters=(NETWORKS, BASELINE), coverage=[covered(BASELINE)]))
    assert (section["n"], section["horizon"], section["levels"], section["reason"]) == (
        20,
        30,
        [50, 80, 90],
        None,
    )
    networks, baseline = section["forecasters"]
    assert networks == {**NETWORKS, "coverage": None}
    assert baseline["baseline"] == "ar" and [one["level"] for one in baseline["coverage"]] == [50, 90]
    last = baseline["coverage"][1]
    assert (last["value"], last["lowest"], last["lowest_step"], last["n_eff"]) == (0.9, 0.85, 2, 40)


def test_there_is_no_section_for_another_trial_than_the_best():
    assert intervals_section(study(number=4)) is None
    assert intervals_section(study(number=None)) is None
    assert intervals_section(study(forecasters=(BASELINE,), number=None)) is not None
    plain = study()
    plain.intervals = None
    assert intervals_section(plain) is None


def test_coverage_is_that_of_the_same_networks():
    winner = {"coverage": [covered(NETWORKS)]}
    assert coverage_entries(winner, NETWORKS) is not None
    assert coverage_entries(winner, {**NETWORKS, "seeds": [1, 2, 3]}) is None
    assert coverage_entries(None, NETWORKS) is None


def test_the_words_say_what_is_covered():
    text = intervals_text(intervals_section(study(coverage=[covered(NETWORKS)])))
    assert text == (
        "Intervals of forecasts: 50, 80 and 90 % over 30 steps, calibrated on 20 starts that chose nothing and do not "
        "overlap. Those of trial 3 (2 networks) cover 50 % at 50 % and 90 % at 90 % (95 %: 80 % to 95 %, by 40 starts "
        "that do not overlap; the least at step 2: 85 %) of the locked test."
    )
    assert coverage_text(None) is None
    assert "locked test" not in intervals_text(intervals_section(study()))


@pytest.mark.parametrize(
    ("n", "share", "levels", "words"),
    [
        (
            0,
            0.0,
            [],
            "Intervals of forecasts: none, because the study keeps no samples for calibration; set data.cal",
        ),
        (0, 0.1, [], "(data.calibration = 0.1) hold no rollout"),
        (1, 0.1, [50], "50 % over 30 steps, calibrated on 1 start"),
        (
            8,
            0.1,
            [50, 80],
            "none of 90 %, which needs 9 calibration starts that do not overlap, and the study has 8",
        ),
        (9, 0.1, [50, 80, 90], "50, 80 and 90 % over"),
    ],
)
def test_a_reason_where_a_level_is_missing(n, share, levels, words):
    section = intervals_section(study(n=n, calibration=share))
    assert section["levels"] == levels
    assert (section["reason"] is None) == (90 in levels)
    assert words in intervals_text(section)


def test_the_reason_counts_what_the_level_needs():
    assert "none of 95 %, which needs 19" in missing_level_text(95, 18)
