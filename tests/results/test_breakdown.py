"""Scores by series and by channel: in the document, in trials.csv, as a table, in words, on the page, at 80 columns."""

import csv
import io
import json
from dataclasses import replace

import pytest
from rich.console import Console

from sweep.api.loaded_study import LoadedStudy
from sweep.config.breakdown import Breakdown, GroupScores
from sweep.config.records import to_json
from sweep.report.terminal.study import print_report
from sweep.report.terminal.trial import print_trial
from sweep.report.write import write_report
from sweep.results.breakdown import breakdown_columns, breakdown_frame, breakdown_section
from sweep.results.document import report_document, trial_document
from sweep.results.study import read_study
from sweep.results.wording.breakdown import breakdown_text, breakdown_title, shown_breakdown
from tests.support.documentation import undocumented

HOSTILE = "<b>[red]a[/red]"


def scored(series, channel, error, starts=4, steps=10.0, trivial=0.8):
    return GroupScores(series, channel, starts, error, steps, trivial, 1 - error / trivial)


def groups(*errors, names="abcdefghijklmnopqrstuvwxyz"):
    return Breakdown(by_series=tuple(scored(names[k], None, error) for k, error in enumerate(errors)))


def both(shift=0.0):
    cells = [("a", "x", 0.1), ("a", "y", 0.3), ("b", "x", 0.5), ("b", "y", 0.9)]
    return Breakdown(
        by_series=(scored("a", None, 0.2 + shift), scored("b", None, 0.7 + shift)),
        by_channel=(scored(None, "x", 0.3 + shift, 8), scored(None, "y", 0.6 + shift, 8)),
        by_series_and_channel=tuple(scored(*cell[:2], cell[2] + shift) for cell in cells),
    )


@pytest.fixture
def wide(one):
    """A study of one trial with two series and two channels, and baselines with the same."""
    one.write_record(replace(one.record(0), breakdown=both()))
    entry = {"nrmse": 1.0, "valid_steps": 4.0, "diverged_fraction": 0.0, "settings": {}}
    first = Breakdown(by_series=(scored("a", None, 0.8), scored("b", None, 0.4)))
    second = Breakdown(by_series=(scored("a", None, 0.6), scored("b", None, 0.5)))
    baselines = {
        "mean": {**entry, "rollout_error": 0.9},
        "ar": {**entry, "rollout_error": 0.6, "breakdown": to_json(first)},
        "analogues": {**entry, "rollout_error": 0.55, "breakdown": to_json(second)},
    }
    one.write_document("baselines", {"baselines": baselines})
    return one


def printed(show, *arguments):
    console = Console(file=io.StringIO(), width=80, color_system=None)
    show(arguments[0], console)
    return console.file.getvalue()


# --- in documents -----------------------------------------------------------------------------------


def test_with_one_series_and_one_channel_nothing_is_new(one):
    document, trial = report_document(one), trial_document(one, 0)
    assert document["breakdown"] is None and trial["breakdown"] is None
    assert "breakdown" not in json.loads((one.trial(0) / "trial.json").read_text(encoding="utf-8"))
    paths = write_report(one)
    assert 'id="breakdown"' not in paths.page.read_text(encoding="utf-8")
    header = paths.table.read_text(encoding="utf-8").splitlines()[0]
    assert not [name for name in header.split(",") if ".series." in name or ".channel." in name]
    assert breakdown_frame(one).empty and "rollout_error" in breakdown_frame(one)


def test_the_documents_hold_it_beside_the_best_baseline_of_each_group(wide):
    document, trial = report_document(wide), trial_document(wide, 0)
    section = document["breakdown"]
    assert (section["number"], section["seeds"]) == (0, 0)
    assert [(row["series"], row["rollout_error"]) for row in section["by_series"]] == [("a", 0.2), ("b", 0.7)]
    assert [(row["baseline"], row["baseline_error"]) for row in section["by_series"]] == [
        ("analogues", 0.6),
        ("ar", 0.4),
    ]
    assert [(row["baseline"], row["baseline_error"]) for row in section["by_channel"]] == [(None, None)] * 2
    assert len(section["by_series_and_channel"]) == 4
    assert trial["breakdown"] == to_json(both())
    assert document["baselines"]["ar"]["breakdown"]["by_series"][1]["rollout_error"] == 0.4
    assert document["baselines"]["mean"]["breakdown"] is None


def test_the_documentation_names_every_key(wide):
    section = report_document(wide)["breakdown"]
    assert undocumented({*section}, "report.md", "A breakdown") == []
    assert undocumented({*section["by_series"][0]}, "report.md", "An entry of these lists") == []


def confirmed(study, fresh):
    arm = {
        "number": 0,
        "replications": [record.number for record in fresh],
        "errors": [0.5] * len(fresh),
        "iqm": {"value": 0.5, "low": 0.4, "high": 0.6},
    }
    confirmation = {"arms": [arm], "leader": 0, "seeds": len(fresh), "verdict": "alone", "equals": []}
    return replace(study, confirmation=confirmation, fresh=tuple(fresh))


def test_on_fresh_seeds_it_is_over_them(wide):
    study = read_study(wide)
    record = study.records[0]
    fresh = [replace(record, number=k, breakdown=both(0.02 * k)) for k in (1, 2, 3)]
    section = breakdown_section(confirmed(study, fresh))
    assert section is not None and section["seeds"] == 3
    assert section["by_series"][0]["rollout_error"] == pytest.approx(0.24)  # not the selected 0.2
    assert section["by_series"][0]["trivial_skill"] == pytest.approx(1 - 0.24 / 0.8)
    assert section["by_series_and_channel"][3]["rollout_error"] == pytest.approx(0.94)


def test_a_training_without_a_checkpoint_counts_as_one(wide):
    study = read_study(wide)
    record = study.records[0]
    lost = replace(record, number=2, best=None, breakdown=None)
    section = breakdown_section(confirmed(study, [replace(record, number=1), lost]))
    assert section is not None and section["seeds"] == 2
    row = section["by_series"][0]
    assert row["rollout_error"] == pytest.approx((0.2 + 1) / 2) and row["valid_steps"] == 0


def test_fresh_trainings_of_an_earlier_version_leave_the_selected_scores(wide):
    study = read_study(wide)
    record = study.records[0]
    fresh = [replace(record, number=1), replace(record, number=2, breakdown=None)]
    section = breakdown_section(confirmed(study, fresh))
    assert section is not None
    assert (section["seeds"], section["by_series"][0]["rollout_error"]) == (0, 0.2)


# --- as tables --------------------------------------------------------------------------------------


def test_a_row_per_trial_series_and_channel(wide):
    frame = LoadedStudy(wide).breakdown
    assert len(frame) == 8 and set(frame["number"]) == {0}
    cells = frame[frame["series"].notna() & frame["channel"].notna()]
    assert dict(
        zip(zip(cells["series"], cells["channel"], strict=True), cells["rollout_error"], strict=True)
    ) == {
        ("a", "x"): 0.1,
        ("a", "y"): 0.3,
        ("b", "x"): 0.5,
        ("b", "y"): 0.9,
    }
    alone = frame[frame["channel"].isna()]
    assert list(alone["series"]) == ["a", "b"] and list(alone["valid_steps"]) == [10, 10]


def test_columns_do_not_collide_whatever_the_names(wide):
    same = "rollout_error.series.a"
    made = Breakdown(
        by_series=(scored("a", None, 0.1), scored("=a", None, 0.2)),
        by_channel=(scored(None, "a", 0.3), scored(None, same, 0.4)),
    )
    wide.write_record(replace(wide.record(0), breakdown=made))
    table = write_report(wide).table.read_text(encoding="utf-8")
    header, row = list(csv.reader(io.StringIO(table)))
    assert len(set(header)) == len(header) and not [name for name in header if name.startswith("=")]
    values = dict(zip(header, row, strict=True))
    assert values["rollout_error.series.a"] == "0.1" and values["rollout_error.series.=a"] == "0.2"
    assert values["rollout_error.channel.a"] == "0.3" and values[f"rollout_error.channel.{same}"] == "0.4"
    assert float(values["trivial_skill.series.a"]) == pytest.approx(1 - 0.1 / 0.8)
    assert values["valid_steps.channel.a"] == "10.0"


def test_very_many_series_get_no_columns(wide):
    def columns(count):
        made = Breakdown(
            by_series=tuple(scored(f"s{k}", None, 0.1) for k in range(count)),
            by_channel=(scored(None, "x", 0.1), scored(None, "y", 0.2)),
        )
        return breakdown_columns([replace(wide.record(0), breakdown=made)])[0]

    assert len(columns(32)) == 3 * 34
    assert set(columns(33)) == {
        f"{metric}.channel.{name}"
        for metric in ("rollout_error", "trivial_skill", "valid_steps")
        for name in "xy"
    }


# --- in words ---------------------------------------------------------------------------------------


def words(*errors, starts=None):
    made = to_json(groups(*errors))
    for row, count in zip(made["by_series"], starts or [4] * len(errors), strict=True):
        row["starts"] = count
    return breakdown_text(made)


def test_a_few_series_that_carry_the_error_are_named():
    assert words(0.9, 0.1, 0.1, 0.1, 0.1) == "The series 'a' makes up 69 % of the rollout error."
    assert (
        words(0.1, 0.9, 0.1, 0.1, 0.8, 0.1)
        == "The series 'b' and 'e' (2 of 6) make up 81 % of the rollout error."
    )


@pytest.mark.parametrize(
    "errors",
    [
        (0.5, 0.5, 0.5, 0.5),  # all alike
        (0.5, 0.4, 0.3, 0.3),  # no one stands out
        (0.06, 0.01, 0.01, 0.01),  # hardly any error
        (1.0, *[0.4] * 20),  # stands out, but carries little
        (0.9, 0.9, 0.9, 0.9, 0.1),  # not few
        (0.4, 0.3),
    ],
)
def test_no_sentence_where_none_carry_it(errors):
    assert words(*errors) is None


def test_starts_count():
    assert words(0.9, 0.1, 0.1, 0.1) is not None
    assert words(0.9, 0.1, 0.1, 0.1, starts=[1, 40, 40, 40]) is None


def test_of_channels_too():
    made = to_json(Breakdown(by_channel=(scored(None, "x", 0.9), scored(None, "y", 0.1))))
    assert breakdown_text(made) == "The channel 'x' makes up 90 % of the rollout error."
    assert breakdown_title(made) == "By channel"


def test_the_worst_come_first_and_the_rest_are_counted():
    (shown,) = shown_breakdown(to_json(groups(*[0.05 * k for k in range(12)])))
    assert [row[0] for row in shown.table.rows] == list("lkjihgfedc")
    assert shown.more == "and 2 more series, with rollout errors up to 0.05"
    (few,) = shown_breakdown(to_json(groups(0.1, 0.2)))
    assert few.more == "" and few.table.head == ("series", "starts", "rollout error", "skill", "valid steps")


def test_an_exact_trivial_forecast_and_an_exact_baseline_are_called_so():
    made = to_json(groups(0.1, 0.2))
    made["by_series"][0] |= {"trivial_skill": None, "baseline": "ar", "baseline_error": 1e-12}
    made["by_series"][1] |= {"baseline": None, "baseline_error": None}
    (shown,) = shown_breakdown(made)
    assert shown.table.rows[1][3:] == ("exact trivial", "10", "ar exact")
    assert shown.table.rows[0][-1] == "–"


# --- for people -------------------------------------------------------------------------------------


def test_a_trial_shows_it_at_80_columns(wide):
    rows = [(HOSTILE, 0.9), *((f"series with a longer name {k}", 0.01 * k) for k in range(9))]
    made = Breakdown(by_series=tuple(scored(name, None, error) for name, error in rows))
    wide.write_record(replace(wide.record(0), breakdown=made))
    text = printed(print_trial, trial_document(wide, 0))
    assert max(map(len, text.splitlines())) <= 80
    assert HOSTILE in text and "and 5 more series, with rollout errors up to 0.04" in text
    assert f"The series {HOSTILE!r} makes up 71 % of the rollout error." in " ".join(text.split())
    assert " ".join(printed(print_report, report_document(wide)).split()).count("makes up 71 %") == 1


def test_a_trial_without_one_shows_nothing_of_it(one):
    assert "starts  rollout error" not in printed(print_trial, trial_document(one, 0))


def test_the_page_has_a_section_that_escapes_names(wide):
    made = replace(both(), by_series=(scored(HOSTILE, None, 0.9), scored("b", None, 0.1)))
    wide.write_record(replace(wide.record(0), breakdown=made))
    text = write_report(wide).page.read_text(encoding="utf-8")
    section = text.split('<section id="breakdown">')[1].split("</section>")[0]
    assert '<a href="#breakdown">By series and channel</a>' in text
    assert "<h2>By series and channel</h2>" in section and "makes up 90 % of the rollout error" in section
    assert "<b>" not in section and "&lt;b&gt;[red]a[/red]" in section
    assert section.index("&lt;b&gt;") < section.index(">b<") and "ar 0.4" in section
