"""The report as one document: what report.json holds and what page and terminal show (docs/report.md)."""

from collections import Counter
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd

from sweep.config.errors import StoreError
from sweep.config.records import TrialRecord, to_json
from sweep.diagnosis.finding import findings_to_json
from sweep.results.checks import study_findings as findings
from sweep.results.checks.beaten_by_baseline import NOTHING_YET, Results, beaten_by_baseline
from sweep.results.checks.budget_is_the_limit import budget_is_the_limit
from sweep.results.checks.pruning_stopped_winners import pruning_stopped_winners
from sweep.results.checks.seed_noise import seed_noise
from sweep.results.diagnoses import Judged, diagnoses_section
from sweep.results.effects import CommonRung, common_rung, comparisons, effect_claims, effects_frame
from sweep.results.importances import Importances, importances
from sweep.results.study import StoredStudy, read_study
from sweep.results.tables import leaderboard, skill_or_nan, trial_row, trials_frame
from sweep.results.wording.confirmation import TEST_KEYS, confirmation_section
from sweep.score.comparisons import EXACT
from sweep.store.folder import StudyFolder

FORMAT = 1
SEED = 0  # of the bootstraps, so that equal studies give equal reports


def report_document(folder: StudyFolder | StoredStudy) -> dict[str, Any]:
    """Return the whole report as JSON values; non-finite numbers are None. docs/report.md describes it.

    Raises:
        StoreError: there is no study, or a file of it is damaged.
    """
    study = folder if isinstance(folder, StoredStudy) else read_study(folder)
    trials, board = trials_frame(study), leaderboard(study)
    rung = common_rung(study)
    best, reason = study.named
    number = None if best is None else best.number
    document = {
        "format": FORMAT,
        "study": study_section(study),
        "score": score_section(study),
        "progress": progress_section(study, trials),
        "best": number,
        "no_best": reason,
        "best_basis": None if best is None else study.basis,
        "test_looks": test_looks(study),
        "confirmation": confirmation_section(study),
        "confirmation_outdated": study.outdated,
        "audit": study.audit,
        "treatments": [dict(treatment) for treatment in study.treatments],
        "baselines": {name: baseline_entry(study, name) for name in study.baselines},
        "missing_baselines": dict(study.missing_baselines),
        "trials": [trial_entry(study, index, number) for index in range(len(study.records))],
        "diagnoses": diagnoses_section(
            Judged(study.diagnoses, study.records, trials, study.axes, study.muted)
        ),
        "findings": [asdict(found) for found in findings_of(study, trials, board, rung)],
        "effects": {
            "compared": rung.words,
            "rung": rung.at,
            "horizon_share": rung.horizon,
            "rows": effects_frame(study, trials, rung).to_dict("records"),
        },
        "importances": _importances_section(importances(study, rung)),
    }
    cleaned: dict[str, Any] = to_json(_native(document))
    return cleaned


def stored_confirmation(folder: StudyFolder) -> dict[str, Any] | None:
    """Return the `confirmation` of the report's document alone, None where there is none of today's best.

    Raises:
        StoreError: there is no study, or a file of it is damaged.
    """
    section = confirmation_section(read_study(folder))
    cleaned: dict[str, Any] | None = to_json(_native(section))
    return cleaned


def test_looks(study: StoredStudy) -> int:
    """Return for how many configurations the locked test has been read; each further one makes it less locked."""
    winner = study.winner or {}
    return len(winner["looks"]) if "looks" in winner else int(bool(winner.get("test")))


def findings_of(
    study: StoredStudy, trials: pd.DataFrame, board: pd.DataFrame, rung: CommonRung
) -> list[findings.Finding]:
    """Return every finding, in the order in which a person should read them."""
    best, _ = study.named
    rng = np.random.default_rng(SEED)
    tested = comparisons(study, trials, rung)
    claims = effect_claims(tested, rng) if study.claims else []
    return [
        beaten_by_baseline(board, None if best is None else best.number, _results(study, best)),
        findings.loss_is_lying(trials, study.horizon, study.claims, rng),
        findings.checkpoint_regret(trials),
        findings.choices_matter(claims, len(tested), study.claims, rung.words),
        findings.near_bound(None if best is None else best.params, study.axes),
        findings.horizon_too_long(board),
        budget_is_the_limit(study.records),
        seed_noise(study.records, study.confirmation),
        pruning_stopped_winners(study.records, study.audit),
        findings.few_starts(study.n_eff),
        findings.trial_failures(trials),
    ]


def _results(study: StoredStudy, best: TrialRecord | None) -> Results:
    """Return what the best trial's configuration and the baselines score where nothing was selected."""
    if best is None:
        return NOTHING_YET
    arms = [] if study.confirmation is None else study.confirmation["arms"]
    fresh = next((arm["iqm"]["value"] for arm in arms if arm["number"] == best.number), None)
    test = study.scores_on_test(best.number)
    if test is None:
        return Results(fresh)
    stored = (study.winner or {}).get("baselines_test") or {}
    errors = {name: entry.get("rollout_error") for name, entry in stored.items()}
    known = {name: error for name, error in errors.items() if error is not None}
    return Results(fresh, test.get("rollout_error"), known)


def study_section(study: StoredStudy) -> dict[str, Any]:
    """Return what was run, so that it can be run again."""
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
        "channels": facts.get("channels", []),
        "targets": facts.get("targets", []),
        "versions": facts.get("versions", {}),
        "engine": facts.get("engine"),
        "instructions": facts.get("instructions"),
    }


def score_section(study: StoredStudy) -> dict[str, Any]:
    """Return what a rollout was asked to do."""
    score, facts = study.document.get("score") or {}, study.facts
    return {
        "horizon": study.horizon,
        "starts": score.get("starts"),
        "warmup": score.get("warmup"),
        "block": facts.get("block"),
        "period": facts.get("period"),
        "lyapunov_time": facts.get("lyapunov_time"),
        "n_eff_validation": facts.get("n_eff_validation"),
        "n_eff_test": facts.get("n_eff_test"),
    }


def progress_section(study: StoredStudy, trials: pd.DataFrame) -> dict[str, Any]:
    """Return how far the study is and what it has cost."""
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
    """Return a baseline's scores on validation, and on test where they are known."""
    entry = study.baselines[name]
    test = ((study.winner or {}).get("baselines_test") or {}).get(name)
    keys = ("rollout_error", "nrmse", "valid_steps", "diverged_fraction", "settings", "seconds")
    return {
        **{key: entry.get(key) for key in keys},
        "exact": entry["rollout_error"] < EXACT,
        "test": {key: test.get(key) for key in TEST_KEYS}
        if test and test.get("rollout_error") is not None
        else None,
    }


def trial_entry(study: StoredStudy, index: int, best: int | None) -> dict[str, Any]:
    """Return one trial of the document; `test` stands in the best one alone, None until it is scored."""
    record = study.records[index]
    row = trial_row(record, study.diagnoses.get(record.number))
    kept = (
        "number",
        "state",
        "origin",
        "symptom",
        "rollout_error",
        "nrmse",
        "valid_steps",
        "valid_steps_low",
        "valid_steps_high",
        "one_step_error",
        "diverged_fraction",
        "exposure_gap",
        "regret_last",
        "regret_one_step",
        "best_at",
        "lowest_one_step_error",
        "loss_rollout_error",
        "loss_valid_steps",
        "sequence_steps",
        "updates",
        "seconds",
        "diverged_at",
        "reason",
    )
    entry = {key: row[key] for key in kept} | {"params": dict(record.params)}
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
    ranked = sorted(
        (r.rollout_error, r.number) for r in study.records if r.settled and r.rollout_error is not None
    )
    place = next((k + 1 for k, (_, other) in enumerate(ranked) if other == number), None)
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
        "confirmation": next((arm for arm in _arms(study) if arm["number"] == number), None),
        "treatment": next((dict(t) for t in study.treatments if t["number"] == number), None),
        "is_best": best is not None and best.number == number,
        "rank": place,
        "ranked": len(ranked),
        "diagnosis": _diagnosis(study, number),
        "skill": {
            name: skill_or_nan(record.rollout_error, entry["rollout_error"])
            for name, entry in study.baselines.items()
        },
        "best_evaluation": record.best,
        "best_one_step_evaluation": record.best_one_step,
        "config": dict(record.config),
        "evaluations": evaluations,
        "host": dict(record.host),
        "files": {path.name: str(path) for path in sorted(here.iterdir()) if not path.name.startswith(".")},
    }
    cleaned: dict[str, Any] = to_json(_native(document))
    return cleaned


def _diagnosis(study: StoredStudy, number: int) -> dict[str, Any] | None:
    """Return diagnosis.json with what is muted; None where there is none."""
    diagnosis = study.diagnoses.get(number)
    if diagnosis is None:
        return None
    return {
        "symptom": {**diagnosis.symptom, "muted": diagnosis.code in study.muted},
        "findings": findings_to_json(diagnosis.findings, study.muted),
        "probes": diagnosis.probes,
    }


def _arms(study: StoredStudy) -> list[dict[str, Any]]:
    section = confirmation_section(study)
    return [] if section is None else list(section["arms"])


def _importances_section(found: Importances) -> dict[str, Any]:
    return {"shares": dict(found.shares), "trials": found.trials, "reason": found.reason}


def _native(value: Any) -> Any:
    """Return NumPy and pandas scalars as Python's, so that `to_json` sees every non-finite number."""
    if isinstance(value, dict):
        return {key: _native(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_native(entry) for entry in value]
    if value is pd.NA:
        return None
    return value.item() if isinstance(value, np.generic) else value
