"""The page: one self-contained HTML file that a person can read in two minutes."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from sweep.config.errors import StoreError
from sweep.report.page.diagnoses import diagnoses_values
from sweep.report.page.explorer import explorer_values
from sweep.report.page.rendering import data_uri, rendered
from sweep.report.page.trial_details import treatment_values, trial_details
from sweep.report.plots import study as plots
from sweep.report.plots.fresh_seeds import fresh_seeds_plot
from sweep.report.plots.trial import draw_trial
from sweep.results.commands import commands_run, study_command
from sweep.results.effects import REFIT, is_late, strata
from sweep.results.study import StoredStudy
from sweep.results.study_tables import StudyTables
from sweep.results.tables import skill_or_nan
from sweep.results.wording.breakdown import (
    BREAKDOWN_LEGEND,
    breakdown_text,
    breakdown_title,
    shown_breakdown,
)
from sweep.results.wording.confirmation import (
    CONFIRMATION_LEGEND,
    confirmation_heading,
    confirmation_table,
    confirmation_verdict_text,
    optimism_text,
    test_text,
)
from sweep.results.wording.fit import fit_text
from sweep.results.wording.intervals import intervals_text
from sweep.results.wording.leaderboard import board_rows
from sweep.results.wording.numbers import config_words, number_text
from sweep.results.wording.study import (
    answer_text,
    baselines_on_test_text,
    cost_facts,
    data_facts,
    heading_text,
    provenance_of,
    score_facts,
    status_text,
    verdict_severity,
)
from sweep.results.wording.treatment import TREATMENT_LEGEND

INLINE_BYTES = 2_500_000  # of trial plots; with the study's own plots the page stays below 5 MB
PLACES = ("Best", "Second", "Third", "Fourth")  # trial plots shown as the best ones
EFFECTS_MOST = 24  # hyperparameters whose effect is drawn
TOLD_BELOW = (
    "choices_matter",
    "beaten_by_baseline",
)  # issues that are no headline: the verdict says the latter
SECTIONS = {  # findings with a section of their own; all others are in the last one
    "leaderboard": ("beaten_by_baseline",),
    "loss": ("loss_is_lying",),
    "choices": ("choices_matter", "near_bound"),
    "checkpoints": ("checkpoint_regret",),
}


def page_html(tables: StudyTables, document: Mapping[str, Any]) -> str:
    """Return the page. Everything from the study is escaped.

    Args:
        tables: of the stored study.
        document: from `report_document`.
    """
    return rendered("report.html.j2", **_values(tables, document))


def _values(tables: StudyTables, document: Mapping[str, Any]) -> dict[str, Any]:
    study, pictures = tables.study, Pictures(tables.study)
    words = {record.number: config_words(record.config, record.params) for record in study.records}
    best, findings = document["best"], {finding["code"]: finding for finding in document["findings"]}
    placed = {code for codes in SECTIONS.values() for code in codes}
    headlines = [f for f in findings.values() if f["severity"] == "issue" and f["code"] not in TOLD_BELOW]
    told = placed | {finding["code"] for finding in headlines}
    best_plot = None if best is None else pictures.inline(best)
    against = (best_baseline(document["baselines"]) or (None,))[0]
    return {
        "study": document["study"],
        "score": document["score"],
        "verdict": {"text": document["verdict"]["text"], "severity": verdict_severity(document)},
        "status": status_text(document),
        "heading": heading_text(document),
        "best": best,
        "answer": None if best is None else answer_text(document),
        "best_words": words.get(best, []),
        "best_plot": best_plot,
        "next": document["next"],
        "explorer": None
        if best is None
        else explorer_values(study.folder, best, study.facts.get("channels", [])),
        "scores": [asdict(fact) for fact in score_facts(document)],
        "headlines": headlines,
        "notes_of": {name: [findings[code] for code in codes] for name, codes in SECTIONS.items()},
        "other_notes": [finding for code, finding in findings.items() if code not in told],
        "confirmation": _confirmation_values(document),
        "intervals": None if document["intervals"] is None else intervals_text(document["intervals"]),
        "breakdown": _breakdown_values(document),
        "fit": None if document["fit"] is None else fit_text(document["fit"]),
        "treatments": [treatment_values(treatment) for treatment in document["treatments"]],
        "treatment_legend": TREATMENT_LEGEND,
        "baselines": document["baselines"],
        "baselines_on_test": baselines_on_test_text(document),
        "missing_baselines": document["missing_baselines"],
        "against": against,
        "states": [*sorted({trial["state"] for trial in document["trials"]}), "baseline"],
        "board": _board(
            study, document, against, {number: " · ".join(each) for number, each in words.items()}
        ),
        "pictures": _trial_pictures(document, findings, pictures),
        "plots": _study_plots(tables, document, findings),
        "diagnoses": diagnoses_values(document),
        "anew": study_command(study.folder, "report", ..., "--diagnose-anew"),
        "details": trial_details(study),
        "effects": document["effects"],
        "importances": document["importances"],
        "effect_plots": _effect_plots(tables, document["importances"]),
        "cost": cost_facts(document),
        "commands": commands_run(study),
        "provenance": provenance_of(document),
        "data_facts": data_facts(document),
        "data_warnings": [*document["damaged"], *document["study"]["warnings"]],
    }


class Pictures:
    """Trial plots as data URIs, as long as the byte budget lasts."""

    def __init__(self, study: StoredStudy, budget: int = INLINE_BYTES) -> None:
        self.study = study
        self.left = budget

    def inline(self, number: int) -> str | None:
        """Return a trial's plot, drawn now if none is stored; None if it cannot be drawn or exceeds the budget."""
        folder = self.study.folder
        try:
            content = folder.picture(number) or draw_trial(folder, number)
        except StoreError:
            return None
        content = plots.small_png(content)
        if len(content) > self.left:
            return None
        self.left -= len(content)
        return data_uri(content)


def _breakdown_values(document: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the scores by series and by channel; None with one of each."""
    breakdown = document["breakdown"]
    if breakdown is None:
        return None
    return {
        "title": breakdown_title(breakdown),
        "number": breakdown["number"],
        "seeds": breakdown["seeds"],
        "legend": BREAKDOWN_LEGEND,
        "text": breakdown_text(breakdown),
        "tables": [asdict(shown) for shown in shown_breakdown(breakdown)],
    }


def _confirmation_values(document: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the confirmation as texts, its table and its plot; None without one."""
    section = document["confirmation"]
    if section is None:
        return None
    return {
        "heading": confirmation_heading(section),
        "legend": CONFIRMATION_LEGEND,
        "table": confirmation_table(section),
        "first": next(
            (k for k, arm in enumerate(section["arms"]) if arm["number"] == section["leader"]), None
        ),
        "verdict": confirmation_verdict_text(section),
        "severity": _confirmation_severity(document),
        "texts": [text for text in (optimism_text(section), test_text(section)) if text],
        "plot": data_uri(
            fresh_seeds_plot(section, document["score"]["horizon"], best_baseline(document["baselines"]))
        ),
    }


def _confirmation_severity(document: Mapping[str, Any]) -> str:
    """Return "ok" for a winner that is also better than every baseline, "issue" without a winner."""
    if document["confirmation"]["verdict"] != "winner":
        return "issue"
    return "ok" if verdict_severity(document) == "ok" else "not applicable"


def best_baseline(baselines: Mapping[str, Any]) -> tuple[str, float] | None:
    """Return name and rollout error on validation of the best baseline, None if none is scored."""
    errors = {str(name): float(entry["rollout_error"]) for name, entry in baselines.items()}
    return min(errors.items(), key=lambda item: item[1]) if errors else None


def _board(
    study: StoredStudy, document: Mapping[str, Any], against: str | None, words: Mapping[int, str]
) -> list[dict[str, Any]]:
    """Return the leaderboard's rows with rank, plot, skill and sorting keys; a missing value has the key ""."""
    base = None if against is None else document["baselines"][against]
    rows, rank = [], 0
    for row in board_rows(document, words):
        error, is_trial = row.values["rollout_error"], row.number is not None
        rank += is_trial and error is not None
        skill = None if base is None else skill_or_nan(error, base["rollout_error"])
        number = row.number
        has_plot = number is not None and study.folder.picture(number) is not None
        rows.append(
            {
                **vars(row),
                "rank": rank if is_trial and error is not None else "",
                "plot": f"../trials/{number:04d}/rollout.png" if has_plot else None,
                "skill": "exact" if base is not None and base["exact"] else number_text(skill),
                "sort": {key: _sort_key(value) for key, value in {**row.values, "skill": skill}.items()},
            }
        )
    return rows


def _sort_key(value: float | None) -> str:
    if value is None or np.isnan(value):
        return ""
    return "1e308" if np.isposinf(value) else repr(float(value))


def _trial_pictures(
    document: Mapping[str, Any], findings: Mapping[str, Any], pictures: Pictures
) -> list[dict[str, Any]]:
    """Return the rollouts to show: the next best trials, the loss's choice, and the worst of each kind."""
    trials = [t for t in document["trials"] if t["rollout_error"] is not None and t["state"] != "running"]
    by_error = sorted(trials, key=lambda trial: (trial["rollout_error"], trial["number"]))
    wanted = {
        trial["number"]: f"{place} on validation" for trial, place in zip(by_error, PLACES, strict=False)
    }
    by_loss = findings["loss_is_lying"]["evidence"].get("by_loss")
    if by_loss is not None and by_loss != document["best"]:
        words = "the choice of the loss"
        wanted[by_loss] = f"{wanted[by_loss]}, and {words}" if by_loss in wanted else words.capitalize()
    for state, words in (("complete", "Worst that trained to the end"), ("diverged", "Worst that diverged")):
        rest = [trial for trial in by_error if trial["state"] == state and trial["number"] not in wanted]
        if rest:
            wanted[rest[-1]["number"]] = words
    wanted.pop(document["best"], None)
    sources = {number: pictures.inline(number) for number in wanted}
    return [
        {"number": number, "title": f"{words}: trial {number}", "src": sources[number]}
        for number, words in wanted.items()
        if sources[number] is not None
    ]


def _study_plots(
    tables: StudyTables, document: Mapping[str, Any], findings: Mapping[str, Any]
) -> dict[str, str | None]:
    trials, by_loss = tables.trials, findings["loss_is_lying"]["evidence"].get("by_loss")
    scored = trials["rollout_error"].notna()
    full = (trials["state"] == "complete") & trials["regret_last"].notna()
    drawn = {
        "scatter": plots.scatter_plot(trials, document["best"], by_loss) if scored.sum() > 1 else None,
        "history": plots.history_plot(trials) if scored.any() else None,
        "regret": plots.regret_plot(trials) if full.any() else None,
    }
    return {name: None if content is None else data_uri(content) for name, content in drawn.items()}


def _effect_plots(tables: StudyTables, importances: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    """Return a plot per hyperparameter, those of each `readout_refit` together, the most important first."""
    study, trials, rung = tables.study, tables.trials, tables.rung
    done = trials[(trials["state"] == "complete") & trials["rollout_error"].notna()]
    finished = dict(zip(done["number"], done["rollout_error"], strict=True))
    members = strata(study)
    shown: list[tuple[str, Mapping[int, float], str]] = []
    if study.axes.get(REFIT) is not None:
        shown.append((REFIT, finished, "rollout error at the end"))
    for entry in importances:
        refit, shares = entry["readout_refit"], entry["shares"]
        compared = []
        for name in trials.attrs["params"]:
            late = rung.at is not None and is_late(name, study.axes.get(name), refit)
            scores = {
                n: score for n, score in (finished if late else rung.scores).items() if n in members[refit]
            }
            if name != REFIT and any(r.number in scores and name in r.params for r in study.records):
                captions = ["rollout error at the end"] if late else []
                captions += [] if refit is None else [f"readout_refit = {refit}"]
                compared.append((name, scores, ", ".join(captions)))
        shown += sorted(compared, key=lambda each: -shares.get(each[0], -1.0))[:EFFECTS_MOST]
    lowest = min((min(scores.values()) for _, scores, _ in shown if scores), default=0.0)
    low = min(np.floor(4 * lowest) / 4, 0.75)
    rng = np.random.default_rng(0)
    return [
        {
            "name": name,
            "src": data_uri(plots.effect_plot(trials, name, study.axes.get(name), scores, rng, low)),
            "caption": caption,
        }
        for name, scores, caption in shown
    ]
