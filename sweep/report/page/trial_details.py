"""The panel of each trial on the page: a short diagnosis, errors by series and channel, the treatment."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from sweep.config.records import TrialRecord, to_json
from sweep.diagnosis.finding import findings_to_json
from sweep.diagnosis.trial_diagnosis import Diagnosis
from sweep.results.commands import study_command
from sweep.results.diagnoses import SHOWN
from sweep.results.study import StoredStudy
from sweep.results.wording.breakdown import shown_breakdown
from sweep.results.wording.diagnosis import alternatives_text, diagnosis_lines, probe_rows
from sweep.results.wording.treatment import (
    treatment_heading,
    treatment_helped,
    treatment_short_text,
    treatment_table,
    treatment_texts,
)

ROWS = 5  # of a trial's table of series or channels
PROBED_MOST = 200  # trials whose probes are on the page, the best ones: 3 kB each


def trial_details(study: StoredStudy) -> list[dict[str, Any]]:
    """Return the panels by trial number, as texts; without trials that have nothing to show."""
    ranked = sorted(study.records, key=lambda record: (record.rollout_error is None, record.rollout_error))
    probed = {record.number for record in ranked[:PROBED_MOST]}
    panels = [_panel(study, record, record.number in probed) for record in study.records]
    return [panel for panel in panels if panel["lines"] or panel["tables"] or panel["treatment"]]


def treatment_values(treatment: Mapping[str, Any]) -> dict[str, Any]:
    """Return a treatment as texts and its table."""
    return {
        "heading": treatment_heading(treatment),
        "severity": "ok" if treatment_helped(treatment) else "not applicable",
        "short": treatment_short_text(treatment),
        "table": treatment_table(treatment),
        "texts": treatment_texts(treatment),
    }


def _panel(study: StoredStudy, record: TrialRecord, probed: bool) -> dict[str, Any]:
    number = record.number
    treatment = next((one for one in study.treatments if one["number"] == number), None)
    breakdown = to_json(record.breakdown)
    return {
        "number": number,
        "tables": [asdict(shown) for shown in shown_breakdown(breakdown, ROWS)] if breakdown else [],
        "treatment": None if treatment is None else treatment_values(treatment),
        **_diagnosis(study, number, study.diagnoses.get(number), probed),
    }


def _diagnosis(study: StoredStudy, number: int, diagnosis: Diagnosis | None, probed: bool) -> dict[str, Any]:
    if diagnosis is None:
        return {"lines": [], "findings": [], "probes": []}
    symptom = {**diagnosis.symptom, "muted": diagnosis.code in study.muted}
    findings = findings_to_json(diagnosis.findings, study.muted)
    treat = study_command(study.folder, "treat", number, ...)
    return {
        "lines": [asdict(line) for line in diagnosis_lines(symptom, findings, treat)],
        "findings": [
            {
                "name": f"{finding['code']} {finding['title']}",
                "severity": finding["severity"],
                "text": finding["text"],
                "tries": [f"{treat} {words}" for words in alternatives_text(finding["prescriptions"])],
            }
            for finding in findings
            if finding["severity"] in SHOWN and not finding["muted"] and finding["code"] != symptom["code"]
        ],
        "probes": [(name, probe_rows(measured)) for name, measured in diagnosis.probes.items()]
        if probed
        else [],
    }
