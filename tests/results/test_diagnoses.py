"""Diagnoses in the report: counted by hand-made cases, shown everywhere, muted, and never trusted."""

import io
import json
import re
import shlex
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from rich.console import Console

from sweep.config.changes import parsed_changes
from sweep.config.ranges import Choice
from sweep.config.records import TrialRecord
from sweep.config.space import Axis
from sweep.config.trial import trial_config_from_json
from sweep.diagnosis.finding import Change, Finding
from sweep.diagnosis.trial_diagnosis import Diagnosis, diagnosis_from_json, diagnosis_to_json
from sweep.report.page.page import page_html
from sweep.report.terminal.diagnosis import print_diagnosis
from sweep.report.terminal.study import print_report
from sweep.report.terminal.trial import print_trial
from sweep.report.write import trials_csv
from sweep.results.diagnoses import Judged, cause_counts, choice_shares, diagnoses_section, symptom_counts
from sweep.results.document import report_document, trial_document
from sweep.results.study import read_study
from sweep.results.study_tables import StudyTables
from sweep.results.tables import leaderboard, trials_frame
from sweep.results.wording.diagnosis import changes_text, first_try_text, symptom_text
from sweep.store.folder import StudyFolder

# number: state, symptom, rollout error, cell, scheduler
CASES = {
    0: ("complete", "S01", 0.1, "gru", "cosine"),
    1: ("complete", "S05", 0.3, "gru", "none"),
    2: ("pruned", "S05", 0.2, "lstm", "cosine"),
    3: ("pruned", "S03", 0.8, "lstm", "cosine"),
    4: ("diverged", "S05", 0.9, "lstm", "none"),
    5: ("complete", None, 0.5, "lstm", "none"),  # from before diagnoses were stored
    6: ("failed", None, None, "gru", "none"),
}


def made(code: str, *causes: Finding) -> Diagnosis:
    symptom = {"code": code, "title": f"title of {code}", "text": f"text of {code}", "mixture": False}
    own = Finding(code, "issue", f"text of {code}", title=f"title of {code}", confidence=0.9)
    symptom |= {"shares": {code: 1.0}, "numbers": {}, "confidence": 0.9}
    return Diagnosis(symptom, (own, *causes), {})


def cause(code: str, severity: str, *prescriptions: tuple[Change, ...]) -> Finding:
    return Finding(code, severity, f"why {code}", {}, f"title of {code}", 0.7, prescriptions)  # type: ignore[arg-type]


LOWER = (Change("training.optimizer.lr", 0.001),)
BOTH = (Change("training.window", 256), Change("training.burn_in", 64))


def judged(muted: tuple[str, ...] = (), causes: dict[int, tuple[Finding, ...]] | None = None) -> Judged:
    records = [
        TrialRecord(number, state, {}, {}, "sampled", rollout_error=error)  # type: ignore[arg-type]
        for number, (state, _, error, _, _) in CASES.items()
    ]
    trials = pd.DataFrame(
        [
            {"number": number, "cell": cell, "scheduler": scheduler}
            for number, (*_, cell, scheduler) in CASES.items()
        ]
    )
    trials.attrs["params"] = ["cell", "scheduler"]
    axes = {
        "cell": Axis("cell", ("cell",), Choice(("lstm", "gru"))),
        "scheduler": Axis("scheduler", ("training", "scheduler"), Choice(("none", "cosine"))),
    }
    diagnoses = {n: made(code, *(causes or {}).get(n, ())) for n, (_, code, *_) in CASES.items() if code}
    return Judged(diagnoses, records, trials, axes, muted)


def test_symptoms_are_counted_once_per_trial():
    rows = symptom_counts(judged())
    assert [(row["code"], row["trials"], row["share"]) for row in rows] == [
        ("S05", 3, 0.6),
        ("S01", 1, 0.2),
        ("S03", 1, 0.2),
    ]
    assert rows[0]["title"] == "frequency drift" and rows[0]["best"] == 2
    assert rows[0]["by_state"] == {"complete": 1, "pruned": 1, "diverged": 1}


def test_shares_by_choice_and_of_a_scheduler_at_the_end_only():
    rows = {(row["param"], row["value"]): row for row in choice_shares(judged())}
    assert rows["cell", "lstm"]["shares"] == pytest.approx({"S05": 2 / 3, "S03": 1 / 3})
    assert rows["cell", "gru"]["shares"] == {"S01": 0.5, "S05": 0.5} and rows["cell", "gru"]["basis"] == "all"
    assert rows["scheduler", "none"] == {
        "param": "scheduler", "value": "none", "order": 0, "basis": "end", "trials": 1, "shares": {"S05": 1.0}
    }  # fmt: skip
    assert rows["scheduler", "cosine"]["shares"] == {"S01": 1.0}  # neither of the pruned ones
    assert all(sum(row["shares"].values()) == pytest.approx(1) for row in rows.values())


def test_a_range_is_no_choice():
    one = judged()
    one.trials["sgd.lr"] = 0.1
    one.trials.attrs["params"] = ["sgd.lr", "cell"]
    from sweep.config.ranges import LogUniform

    axes = {**one.axes, "sgd.lr": Axis("sgd.lr", ("training", "optimizer", "lr"), LogUniform(1e-3, 1.0))}
    assert {row["param"] for row in choice_shares(replace(one, axes=axes))} == {"cell"}


def test_causes_are_counted_with_what_is_to_be_tried_first():
    causes = {
        1: (cause("C03", "issue", LOWER, BOTH), cause("C09", "ok")),
        2: (cause("C03", "tip", BOTH, LOWER),),
        3: (cause("C09", "not applicable"), cause("C01", "issue")),
    }
    rows = cause_counts(judged(causes=causes))
    assert [(row["code"], row["trials"], row["numbers"]) for row in rows] == [
        ("C03", 2, [1, 2]),
        ("C01", 1, [3]),
    ]
    both = [{"path": "training.window", "value": 256}, {"path": "training.burn_in", "value": 64}]
    assert rows[0]["prescriptions"] == [
        {"changes": [{"path": "training.optimizer.lr", "value": 0.001}], "trials": 1, "example": 1},
        {"changes": both, "trials": 1, "example": 2},
    ]


def test_what_few_trials_are_told_is_no_advice_for_all():
    lower = {"changes": [{"path": "training.optimizer.lr", "value": 0.001}], "trials": 2, "example": 7}
    assert (
        first_try_text({"trials": 4, "prescriptions": [lower]}) == "try --change training.optimizer.lr=0.001"
    )
    assert first_try_text({"trials": 5, "prescriptions": [lower]}) == (
        "the change to try varies by trial; for trial 7: --change training.optimizer.lr=0.001"
    )
    assert first_try_text({"trials": 5, "prescriptions": []}) is None


def test_the_section_says_who_was_not_judged_and_causes_come_first():
    section = diagnoses_section(judged(("S05", "C03"), {1: (cause("C03", "issue", LOWER),)}))
    assert (section["judged"], section["not_judged"], section["muted"]) == (5, 1, ["S05", "C03"])
    drifting = section["trials"][1]
    assert [finding["code"] for finding in drifting["findings"]] == ["C03", "S05"]
    assert all(finding["muted"] for finding in drifting["findings"]) and drifting["symptom"]["muted"]
    assert not section["trials"][0]["symptom"]["muted"]
    assert [row["code"] for row in section["symptoms"] if row["muted"]] == ["S05"]
    json.dumps(section, allow_nan=False)


def test_words():
    assert symptom_text({"code": "S03", "title": "damped"}) == "S03 damped"
    assert symptom_text({"code": "S03", "title": "damped"}, muted=True) == "muted"
    assert symptom_text(None) == "–"
    changes = [
        {"path": "training.clip", "value": 0.5},
        {"path": "training.optimizer", "value": {"name": "sgd"}},
    ]
    text = changes_text(changes)
    assert text == "--change training.clip=0.5 --change 'training.optimizer={ name = \"sgd\" }'"
    assert changes_text([{"path": "training.shuffle", "value": False}]) == "--change training.shuffle=false"


@pytest.mark.parametrize(
    "value", [6_000_000, 6e6, 6e-06, 1e-4, 0.99871, True, {"name": "none"}, "a b's", [0.5, 2]], ids=repr
)
def test_changes_can_be_pasted_back_as_printed(value):
    words = shlex.split(changes_text([{"path": "training.x", "value": value}]))
    assert words[0] == "--change" and len(words) == 2
    assert parsed_changes(words[1:]) == {"training.x": value}
    assert "e+" not in words[1]


# --- shown ------------------------------------------------------------------------------------------


@pytest.fixture
def copy(study: StudyFolder, tmp_path: Path) -> StudyFolder:
    return StudyFolder(Path(shutil.copytree(study.path, tmp_path / "sine")))


def rewritten(folder: StudyFolder, number: int, change: Any) -> None:
    path = folder.trial(number) / "diagnosis.json"
    path.write_text(json.dumps(change(json.loads(path.read_text()))))


def with_cause(folder: StudyFolder, number: int, cause: Finding) -> None:
    def change(values: dict[str, Any]) -> dict[str, Any]:
        diagnosis = diagnosis_from_json(values)
        return diagnosis_to_json(replace(diagnosis, findings=(*diagnosis.findings, cause)))

    rewritten(folder, number, change)


def muting(folder: StudyFolder, *codes: str) -> None:
    folder.write_study({**folder.read_study(), "diagnosis": {"mute": list(codes)}})


def printed(show: Any, *arguments: Any, width: int = 80) -> str:
    stream = io.StringIO()
    show(*arguments, Console(file=stream, width=width, color_system=None))
    return stream.getvalue()


def test_every_scored_trial_has_a_symptom_in_every_table(study: StudyFolder):
    document = report_document(study)
    codes = {trial["number"]: trial["symptom"] for trial in document["trials"]}
    scored = {t["number"] for t in document["trials"] if t["state"] in ("complete", "pruned", "diverged")}
    assert {number for number, code in codes.items() if code} == scored
    assert len({*codes.values()} - {None}) >= 3  # or the tables show less than they seem to
    frame = trials_frame(study).set_index("number")
    assert all(frame.loc[number, "symptom"] == codes[number] for number in scored)
    board = leaderboard(study).set_index("name")
    assert board.loc["trial 0", "symptom"] == codes[0] and board.loc["trial 0", "symptom_title"]
    header, first = trials_csv(document).splitlines()[:2]
    assert first.split(",")[header.split(",").index("symptom")] == codes[0]
    assert sum(row["trials"] for row in document["diagnoses"]["symptoms"]) == len(scored)
    assert {row["param"] for row in document["diagnoses"]["choices"]} == {
        "cell", "optimizer", "scheduler", "batch_size"
    }  # fmt: skip


def test_the_terminal_shows_codes_and_with_room_titles(study: StudyFolder):
    document = report_document(study)
    narrow, wide = (printed(print_report, document, width=width) for width in (80, 120))
    code = next(t["symptom"] for t in document["trials"] if t["number"] == document["best"])
    (row,) = [line for line in narrow.splitlines() if line.startswith(f"trial {document['best']} ")]
    assert f" {code} " in row
    (row,) = [line for line in wide.splitlines() if line.startswith(f"trial {document['best']} ")]
    title = next(r["title"] for r in document["diagnoses"]["symptoms"] if r["code"] == code)
    assert f" {code} {title} " in row
    assert f"{code} {title} " in " ".join(narrow.split())


def test_a_trial_says_its_symptom_in_one_line(study: StudyFolder):
    document = trial_document(study, 0)
    symptom = document["diagnosis"]["symptom"]
    assert document["symptom"] == symptom["code"]
    text = printed(print_trial, document, width=400)
    assert f"\n{symptom['code']} {symptom['title']}: {symptom['text']}\n" in text
    assert set(document["diagnosis"]) == {"symptom", "findings", "probes"}


def test_a_trial_from_before_diagnoses_were_stored(copy: StudyFolder):
    (copy.trial(0) / "diagnosis.json").unlink()
    document = report_document(copy)
    assert document["trials"][0]["symptom"] is None and document["diagnoses"]["not_judged"] == 1
    assert "not diagnosed: sweep diagnose 0" in printed(print_trial, trial_document(copy, 0))
    page = page_html(StudyTables(read_study(copy)), document)
    assert "Trials without a diagnosis: 1." in page and 'data-details="0"' not in page
    for path in copy.path.glob("trials/*/diagnosis.json"):
        path.unlink()
    document = report_document(copy)
    assert 'id="symptoms"' not in page_html(StudyTables(read_study(copy)), document)
    assert "Symptoms of" not in printed(print_report, document)


@pytest.mark.parametrize(
    "content", ["{", "[]", '{"symptom": {}}', '{"symptom": 3, "findings": [], "probes": {}}']
)
def test_a_damaged_diagnosis_is_as_good_as_none_for_the_report(copy: StudyFolder, content: str):
    (copy.trial(0) / "diagnosis.json").write_text(content)
    document = report_document(copy)
    assert document["trials"][0]["symptom"] is None
    page_html(StudyTables(read_study(copy)), document)


def test_the_page_counts_and_holds_every_trials_findings(copy: StudyFolder):
    with_cause(copy, 0, cause("C03", "issue", LOWER, BOTH))
    study = StudyTables(read_study(copy))
    document = report_document(study)
    page = page_html(study, document)
    for row in document["diagnoses"]["symptoms"]:
        assert re.search(
            rf'<tr data-symptom="{row["code"]}"><td class="name">{row["code"]} {row["title"]}</td>'
            rf'<td class="number" data-label="trials">{row["trials"]}</td>',
            page,
        )
    assert page.count("<template data-details=") == document["diagnoses"]["judged"]
    (details,) = re.findall(r'<template data-details="0">.*?</template>', page, re.DOTALL)
    assert document["diagnoses"]["trials"][0]["symptom"]["text"] in details
    assert "why C03" in details
    folder = copy.path.parent
    treat = f"sweep treat 0 sine --results {folder} --change"
    assert f"<code>{treat} training.optimizer.lr=0.001</code>" in details
    assert f"{treat} training.window=256 --change training.burn_in=64</span>" in details
    assert '<span class="try">--change training.optimizer.lr=0.001 (1)</span>' in page
    assert page.count('<tr class="group">') == 4


NASTY = "<script>alert(1)</script>"


def test_the_page_trusts_nothing(copy: StudyFolder):
    def change(values: dict[str, Any]) -> dict[str, Any]:
        values["symptom"] |= {"code": f"S99{NASTY}", "title": NASTY, "text": NASTY}
        values["findings"][0] |= {"code": f"C{NASTY}", "title": NASTY, "text": NASTY, "severity": "issue"}
        values["findings"][0]["prescriptions"] = [[{"path": NASTY, "value": {NASTY: NASTY}}]]
        return values

    rewritten(copy, 0, change)
    study = StudyTables(read_study(copy))
    page = page_html(study, report_document(study))
    assert NASTY not in page and page.count("&lt;script&gt;") >= 8
    text = printed(print_trial, trial_document(copy, 0))
    assert NASTY in text  # plain text, no markup


def test_muted_findings_stay_in_json_and_are_not_told(copy: StudyFolder):
    document = report_document(copy)
    code = document["trials"][0]["symptom"]
    title = next(row["title"] for row in document["diagnoses"]["symptoms"] if row["code"] == code)
    symptom_text = document["diagnoses"]["trials"][0]["symptom"]["text"]
    with_cause(copy, 0, cause("C03", "issue", LOWER))
    muting(copy, code, "C03")
    study = StudyTables(read_study(copy))
    document = report_document(study)
    assert document["trials"][0]["symptom"] == code
    assert document["diagnoses"]["trials"][0]["symptom"]["muted"]
    (entry,) = [f for f in document["diagnoses"]["trials"][0]["findings"] if f["code"] == "C03"]
    assert entry["muted"] and entry["text"] == "why C03"
    page = page_html(study, document)
    assert symptom_text not in page and "why C03" not in page and f"{code} {title}" not in page
    assert f"Muted in the study file: {code}, C03." in page
    terminal = printed(print_report, document, width=120)
    assert f"{code} {title}" not in terminal and "C03" not in terminal and "muted" in terminal
    shown = trial_document(copy, 0)
    assert symptom_text not in printed(print_trial, shown, width=400)
    assert all(
        finding["muted"] == (finding["code"] in (code, "C03")) for finding in shown["diagnosis"]["findings"]
    )
    diagnosis = {
        **shown["diagnosis"],
        "number": 0,
        "state": "complete",
        "rollout_error": 0.5,
        "recomputed": False,
        "treat": "sweep treat 0 sine",
        "treatment": None,
    }
    for everything in (True, False):
        text = printed(lambda *args: print_diagnosis(*args, everything=everything), diagnosis, width=400)  # noqa: B023
        assert symptom_text not in text and "why C03" not in text and f"muted: C03, {code}" in text


def test_a_diagnosis_has_five_lines_and_all_numbers_only_on_demand():
    findings = [
        {"code": code, "title": code, "text": f"why {code}. Evidence: 7.", "severity": severity, "confidence": sure,
         "muted": False, "prescriptions": tries}
        for code, severity, sure, tries in (
            ("S07", "issue", 0.9, []),
            ("C02", "tip", 0.9, []),
            ("C05", "issue", 0.6, [[{"path": "training.budget", "value": 6_000_000}]]),
            ("C01", "issue", 0.5, [[{"path": "training.clip", "value": 1.0}]]),
            ("C09", "ok", None, []),
        )
    ]  # fmt: skip
    document = {
        "number": 3, "rollout_error": 0.5, "findings": findings, "probes": {"units": {"size": [1.5, 2.0], "weight": 7}},
        "symptom": {"code": "S05", "title": "drift", "text": "It drifts.", "muted": False},
        "recomputed": False, "treat": "sweep treat 3 mine", "treatment": None,
    }  # fmt: skip
    _, *lines = printed(print_diagnosis, document, width=400).splitlines()
    assert lines == [
        "S05 drift: It drifts.",
        "C05 C05: why C05.",
        "Try: sweep treat 3 mine --change training.budget=6000000",
        "Also found: C01 C01, C02 C02, S07 S07.",
        "1 checked and not found, 0 not applicable, 1 probe. Every number: --all",
    ]
    whole = printed(lambda *args: print_diagnosis(*args, everything=True), document, width=400)
    assert "  size: [1.5, 2]" in whole and "weight" not in whole and "Evidence: 7." in whole
    assert "sweep treat 3 mine --change training.clip=1.0" in whole


def test_a_prescription_that_would_be_refused_is_not_shown(copy: StudyFolder):
    window = trial_config_from_json(copy.record(0).config).training.window
    same = {"path": "training.window", "value": window}
    refused = ([{"path": "training.clip", "value": -1.0}], [{"path": "score.horizon", "value": 50}], [same])
    with_cause(copy, 0, cause("C03", "issue", LOWER))

    def change(values: dict[str, Any]) -> dict[str, Any]:
        (found,) = [finding for finding in values["findings"] if finding["code"] == "C03"]
        found["prescriptions"] = [*refused, *found["prescriptions"]]
        return values

    rewritten(copy, 0, change)
    (found,) = [f for f in trial_document(copy, 0)["diagnosis"]["findings"] if f["code"] == "C03"]
    assert found["prescriptions"] == [[{"path": "training.optimizer.lr", "value": 0.001}]]
