"""The report as one document: the content of report.json, and all that page and terminal show (docs/report.md)."""

from collections import Counter
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd

from sweep.config.errors import StoreError
from sweep.config.records import SCORE_FORMAT, to_json
from sweep.data.trivial import TRIVIAL
from sweep.diagnosis.finding import findings_to_json
from sweep.results.breakdown import breakdown_section
from sweep.results.checks import check_findings
from sweep.results.commands import study_command
from sweep.results.confirmation import TEST_KEYS, confirmation_section
from sweep.results.contest import Contender
from sweep.results.diagnoses import Judged, diagnoses_section
from sweep.results.importances import importances
from sweep.results.intervals import intervals_section
from sweep.results.next_steps import next_steps
from sweep.results.selection import ranked
from sweep.results.study import StoredStudy, read_study
from sweep.results.study_tables import StudyTables
from sweep.results.tables import skill_or_nan, trial_row
from sweep.results.verdict import Verdict, verdict_of
from sweep.results.wording.next_steps import next_step_text
from sweep.results.wording.verdict import verdict_text
from sweep.score.comparisons import EXACT
from sweep.store.folder import StudyFolder

FORMAT = 2  # 1: `scale`, and so every score, was relative to the training mean
FINDING_KEYS = ("code", "title", "severity", "text", "evidence")
LEFT_OUT = ("last_rollout_error", "evaluations")  # columns of `trial_row` that the document does not hold


def report_document(study: StudyFolder | StudyTables) -> dict[str, Any]:
    """Return the whole report as JSON values; non-finite numbers are None. docs/report.md describes it.

    Raises:
        StoreError: there is no study, or a file of it is damaged.
    """
    tables = study if isinstance(study, StudyTables) else StudyTables(read_study(study))
    stored, rung = tables.study, tables.rung
    best, reason = stored.named
    number = None if best is None else best.number
    verdict = verdict_of(tables.contests.decisive, tables.loss_choice if stored.enough_starts else None)
    findings = check_findings(tables, stored.outside_checks)
    document = {
        "format": FORMAT,
        "verdict": verdict_section(verdict, stored),
        "next": [
            {"code": step.code, "reason": next_step_text(step), "command": step.command}
            for step in next_steps(stored, verdict, {finding.code: finding for finding in findings})
        ],
        "study": study_section(stored),
        "score": score_section(stored),
        "progress": progress_section(stored, tables.trials),
        "best": number,
        "no_best": reason,
        "best_basis": None if best is None else stored.basis,
        "test_looks": test_looks(stored),
        "confirmation": confirmation_section(stored),
        "confirmation_outdated": stored.outdated,
        "intervals": intervals_section(stored),
        "audit": stored.audit,
        "fit": stored.fits[-1] if stored.fits else None,
        "treatments": [dict(treatment) for treatment in stored.treatments],
        "baselines": {name: baseline_entry(stored, name) for name in stored.baselines},
        "missing_baselines": dict(stored.missing_baselines),
        "breakdown": breakdown_section(stored),
        "trials": [trial_entry(stored, index, number) for index in range(len(stored.records))],
        "diagnoses": diagnoses_section(
            Judged(stored.diagnoses, stored.records, tables.trials, stored.axes, stored.muted)
        ),
        "findings": [{key: getattr(finding, key) for key in FINDING_KEYS} for finding in findings],
        "effects": {
            "compared": rung.words,
            "rung": rung.at,
            "horizon_share": rung.horizon,
            "rows": tables.effects.to_dict("records"),
        },
        "damaged": list(stored.damaged),
        "importances": [asdict(entry) for entry in importances(stored, rung)],
    }
    cleaned: dict[str, Any] = to_json(_native(document))
    return cleaned


def stored_confirmation(folder: StudyFolder) -> dict[str, Any] | None:
    """Return `confirmation` of the report's document alone, None without one of today's best trials.

    Raises:
        StoreError: there is no study, or a file of it is damaged.
    """
    section = confirmation_section(read_study(folder))
    cleaned: dict[str, Any] | None = to_json(_native(section))
    return cleaned


def verdict_section(verdict: Verdict, study: StoredStudy) -> dict[str, Any]:
    """Return what to use, and the scores behind it."""
    contest, loss = verdict.contest, verdict.loss
    return {
        "kind": verdict.kind,
        "text": verdict_text(verdict, study),
        "confirmed": contest.seeds > 0,
        "seeds": contest.seeds,
        "part": contest.part,
        "use": _contender(verdict.use),
        "other": _contender(verdict.other),
        "trivial": _contender(contest.trivial),
        "trivial_valid_steps": contest.trivial_valid_steps,
        "loss": None
        if loss is None
        else {key: getattr(loss, key) for key in ("number", "rollout_error", "valid_steps")},
    }


def _contender(entry: Contender | None) -> dict[str, Any] | None:
    return None if entry is None else asdict(entry) | {"exact": entry.exact}


def test_looks(study: StoredStudy) -> int:
    """Return for how many configurations the locked test has been read; each further one makes it less of a test."""
    winner = study.winner or {}
    return len(winner["looks"]) if "looks" in winner else int(bool(winner.get("test")))


def study_section(study: StoredStudy) -> dict[str, Any]:
    """Return the settings, data and versions of the study."""
    search, facts = study.document.get("search") or {}, study.facts
    return {
        "name": study.name,
        "description": study.document.get("description", ""),
        "source": facts.get("source"),
        "overrides": facts.get("overrides", []),
        "seed": search.get("seed"),
        "sampler": search.get("sampler"),
        "trials_asked": search.get("trials"),
        "budget": study.budget,
        "data": (study.document.get("data") or {}).get("source")
        or (study.document.get("data") or {}).get("path"),
        "data_fingerprint": facts.get("data_fingerprint"),
        "seen": facts.get("data"),
        "warnings": facts.get("warnings", []),
        "channels": facts.get("channels", []),
        "targets": facts.get("targets", []),
        "versions": facts.get("versions", {}),
        "engine": facts.get("engine"),
        "instructions": facts.get("instructions"),
    }


def score_section(study: StoredStudy) -> dict[str, Any]:
    """Return the task of a rollout: horizon, starts, warm-up and so on."""
    score, facts = study.document.get("score") or {}, study.facts
    return {
        "horizon": study.horizon,
        "horizon_test": study.horizon_on_test,
        "from_start": study.from_start,
        "starts": facts.get("n_eff_validation") if study.from_start is True else score.get("starts"),
        "warmup": score.get("warmup"),
        "block": facts.get("block"),
        "period": facts.get("period"),
        "lyapunov_time": facts.get("lyapunov_time"),
        "n_eff_validation": facts.get("n_eff_validation"),
        "n_eff_test": facts.get("n_eff_test"),
        "format": study.score_format,
        "outdated": study.score_format != SCORE_FORMAT,
        "scale_from": facts.get("scale_from", []),
        "trivial": _trivial(study),
    }


def _trivial(study: StoredStudy) -> dict[str, Any] | None:
    """Return the best trivial forecast on the validation starts; None if the baselines are not scored yet."""
    scored = {name: entry for name, entry in study.baselines.items() if name in TRIVIAL}
    if not scored:
        return None
    name = min(scored, key=lambda one: (scored[one]["rollout_error"], list(TRIVIAL).index(one)))
    return {"name": name, **{key: scored[name].get(key) for key in ("rollout_error", "valid_steps")}}


def progress_section(study: StoredStudy, trials: pd.DataFrame) -> dict[str, Any]:
    """Return how far the study is, and its cost."""
    states = Counter(record.state for record in study.records)
    whole = (study.budget or 0) * sum(record.settled for record in study.records)
    steps = int(trials["sequence_steps"].sum())
    return {
        "finished": study.finished,
        **{state: states.get(state, 0) for state in ("complete", "pruned", "diverged", "failed", "running")},
        "sequence_steps": steps,
        "share_of_full_budget": steps / whole if whole else None,
        "seconds": float(trials["seconds"].sum()),
    }


def baseline_entry(study: StoredStudy, name: str) -> dict[str, Any]:
    """Return a baseline's scores on validation, and on test if they are known."""
    entry = study.baselines[name]
    test = study.baselines_on_test.get(name)
    keys = ("rollout_error", "nrmse", "rmse", "valid_steps", "diverged_fraction", "settings", "seconds")
    return {
        **{key: entry.get(key) for key in keys},
        "exact": entry["rollout_error"] < EXACT,
        "breakdown": entry.get("breakdown"),
        "test": {key: test.get(key) for key in TEST_KEYS}
        if test and test.get("rollout_error") is not None
        else None,
    }


def trial_entry(study: StoredStudy, index: int, best: int | None) -> dict[str, Any]:
    """Return one trial of the document; only the best one has `test`, None until it is scored."""
    record = study.records[index]
    row = trial_row(record, study.diagnoses.get(record.number))
    entry = {key: value for key, value in row.items() if key not in LEFT_OUT} | {
        "rmse": None if record.scores is None else list(record.scores.rmse) or None,
        "params": dict(record.params),
    }
    if record.number == best:
        test = study.scores_on_test(best)
        entry["test"] = None if test is None else {key: test.get(key) for key in TEST_KEYS}
    return entry


def trial_document(folder: StudyFolder, number: int) -> dict[str, Any]:
    """Return one trial as JSON values: its entry of the report, its configuration, evaluations and files.

    Raises:
        StoreError: there is no such trial, or a file is damaged.
    """
    record = folder.record(number)
    study = read_study(folder)
    index = next((k for k, other in enumerate(study.records) if other.number == number), None)
    if index is None:
        raise StoreError(f"no trial {number} in {folder.path}")
    best, _ = study.named
    confirmed = confirmation_section(study) or {"arms": []}
    arm = next((arm for arm in confirmed["arms"] if arm["number"] == number), None)
    error = record.rollout_error if arm is None else arm["iqm"]["value"]
    order = [other.number for other in ranked(study.records)]
    here = folder.trial(number)
    evaluations = [
        {
            "point": e.point,
            "sequence_steps": e.sequence_steps,
            "updates": e.updates,
            "train_loss": e.train_loss,
            "lr": e.lr,
            **asdict(e.scores),
        }
        for e in record.evaluations
    ]
    document = {
        "format": FORMAT,
        "study": study.name,
        "score": score_section(study),
        **trial_entry(study, index, None if best is None else best.number),
        "confirmation": arm,
        "treatment": next((dict(t) for t in study.treatments if t["number"] == number), None),
        "is_best": best is not None and best.number == number,
        "rank": order.index(number) + 1 if number in order else None,
        "ranked": len(order),
        "diagnosis": _diagnosis(study, number),
        "treat": study_command(folder, "treat", number, ...),
        "skill": {
            name: skill_or_nan(error, entry["rollout_error"]) for name, entry in study.baselines.items()
        },
        "best_evaluation": record.best,
        "best_one_step_evaluation": record.best_one_step,
        "breakdown": record.breakdown,
        "config": dict(record.config),
        "evaluations": evaluations,
        "host": dict(record.host),
        "files": {path.name: str(path) for path in sorted(here.iterdir()) if not path.name.startswith(".")},
    }
    cleaned: dict[str, Any] = to_json(_native(document))
    return cleaned


def _diagnosis(study: StoredStudy, number: int) -> dict[str, Any] | None:
    """Return diagnosis.json, each finding with `muted`; None if there is none."""
    diagnosis = study.diagnoses.get(number)
    if diagnosis is None:
        return None
    return {
        "symptom": {**diagnosis.symptom, "muted": diagnosis.code in study.muted},
        "findings": findings_to_json(diagnosis.findings, study.muted),
        "probes": diagnosis.probes,
    }


def _native(value: Any) -> Any:
    """Return NumPy and pandas scalars as Python's, so that `to_json` sees every non-finite number."""
    if isinstance(value, dict):
        return {key: _native(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_native(entry) for entry in value]
    if value is pd.NA:
        return None
    return value.item() if isinstance(value, np.generic) else value
