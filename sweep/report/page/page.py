"""The page: one self-contained HTML file that a person can read in two minutes."""

import base64
import hashlib
from collections.abc import Collection, Hashable, Mapping
from typing import Any

import jinja2
import numpy as np
import pandas as pd
from markupsafe import Markup

from sweep.config.errors import StoreError
from sweep.report.page.diagnoses import diagnoses_values
from sweep.report.plots import study as plots
from sweep.report.plots.fresh_seeds import fresh_seeds_plot
from sweep.report.plots.trial import draw_trial
from sweep.results.effects import common_rung, is_late
from sweep.results.study import StoredStudy
from sweep.results.tables import leaderboard, trials_frame
from sweep.results.wording.confirmation import (
    optimism_text,
    range_text,
    seeds_text,
    signed_text,
    test_text,
    verdict_text,
)
from sweep.results.wording.diagnosis import symptom_words
from sweep.results.wording.numbers import config_words, number_text
from sweep.results.wording.study import (
    TITLES,
    advice_text,
    answer_text,
    commands_of,
    cost_facts,
    provenance_of,
    status_text,
    tiles_of,
    title_of,
)
from sweep.results.wording.treatment import treatment_values

INLINE_BYTES = 2_500_000  # of trial plots; with the study's own plots the page stays below 5 MB
PLACES = ("Best", "Second", "Third", "Fourth")  # trial plots shown as the best ones
EFFECTS_MOST = 24  # hyperparameters whose effect is drawn


def page_html(study: StoredStudy, document: Mapping[str, Any]) -> str:
    """Return the page. Everything from the study is escaped.

    Args:
        study: what the results folder holds.
        document: from `report_document`.
    """
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("sweep.report.page"), autoescape=True, undefined=jinja2.StrictUndefined
    )
    source = environment.loader
    assert source is not None
    script = source.get_source(environment, "report.js")[0]
    style = source.get_source(environment, "report.css")[0]
    return environment.get_template("report.html.j2").render(
        script=Markup(script),  # our own file
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        style=Markup(style),
        **_values(study, document),
    )


def _values(study: StoredStudy, document: Mapping[str, Any]) -> dict[str, Any]:
    trials = trials_frame(study)
    findings = {found["code"]: found for found in document["findings"]}
    best = next((t for t in document["trials"] if t["number"] == document["best"]), None)
    pictures = Pictures(study)
    best_plot = None if best is None else pictures.inline(best["number"])
    against = _default_baseline(document)
    return {
        "study": document["study"],
        "score": document["score"],
        "status": status_text(document),
        "best": best,
        "confirmation": confirmation_values(document),
        "treatments": treatment_values(document["treatments"]),
        "no_best": document["no_best"],
        "advice": advice_text(document),
        "answer": "" if best is None else answer_text(document, best, findings),
        "best_words": [] if best is None else _words_of(study, best["number"]),
        "best_plot": best_plot,
        "tiles": [] if best is None else tiles_of(document, best),
        "findings": findings,
        "verdicts": {code: title_of(found) for code, found in findings.items()},
        "headlines": [(code, title_of(findings[code])) for code in TITLES if code != "choices_matter"],
        "baselines": document["baselines"],
        "missing_baselines": document["missing_baselines"],
        "against": against,
        "states": [*sorted({trial["state"] for trial in document["trials"]}), "baseline"],
        "board": board_rows(study, document, against),
        "pictures": picture_list(study, document, findings, pictures),
        "plots": _study_plots(trials, document, findings),
        "diagnoses": diagnoses_values(document),
        "effects": document["effects"],
        "importances": document["importances"],
        "effect_plots": _effect_plots(study, trials, document["importances"]["shares"]),
        "cost": cost_facts(document),
        "commands": commands_of(study),
        "provenance": provenance_of(document),
    }


class Pictures:
    """Trial plots as data URIs, as long as the byte budget lasts."""

    def __init__(self, study: StoredStudy, budget: int = INLINE_BYTES) -> None:
        self.study = study
        self.left = budget

    def inline(self, number: int) -> str | None:
        """Return a trial's plot, drawn now if none is stored; None if there is none or no room."""
        path = self.study.folder.trial(number) / "rollout.png"
        try:
            content = path.read_bytes() if path.is_file() else draw_trial(self.study.folder, number)
        except (StoreError, OSError):
            return None
        content = plots.small_png(content)
        if len(content) > self.left:
            return None
        self.left -= len(content)
        return data_uri(content)


def confirmation_values(document: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return what the page shows of the confirmation: words, rows of texts and the plot; None without one."""
    section = document["confirmation"]
    if section is None:
        return None
    rows = []
    for arm in section["arms"]:
        failed = f", {arm['failed']} failed" if arm["failed"] else ""
        apart = {True: "told apart", False: "not told apart", None: "–"}[arm["told_apart"]]
        rows.append(
            {
                "number": arm["number"],
                "named": arm["number"] == section["leader"],
                "configuration": arm["configuration"],
                "selected": number_text(arm["selected"]),
                "iqm": number_text(arm["iqm"]["value"]),
                "interval": range_text(arm["iqm"]["low"], arm["iqm"]["high"]),
                "seeds": range_text(min(arm["errors"]), max(arm["errors"])) + failed,
                "optimism": signed_text(arm["optimism"]["value"]),
                "p": "–" if arm["p"] is None else number_text(arm["p"], 2),
                "apart": apart,
            }
        )
    return {
        "seeds": seeds_text(section["seeds"]),
        "verdict": verdict_text(section),
        "optimism": optimism_text(section),
        "found": section["verdict"] != "winner",
        "rows": rows,
        "test": test_text(section),
        "plot": data_uri(fresh_seeds_plot(section, document["score"]["horizon"])),
    }


def data_uri(content: bytes) -> str:
    """Return a PNG as a URI that needs no request."""
    return "data:image/png;base64," + base64.b64encode(content).decode()


def board_rows(study: StoredStudy, document: Mapping[str, Any], against: str | None) -> list[dict[str, Any]]:
    """Return the leaderboard's rows as texts and sorting keys; a missing value has the key ""."""
    rows = []
    rank = 0
    for entry in leaderboard(study).to_dict("records"):
        trial = entry["kind"] == "trial"
        number = int(entry["number"]) if trial else None
        scored = pd.notna(entry["rollout_error"])
        rank += trial and scored
        skill = entry.get(f"skill.{against}", np.nan)
        plain = {key: entry[key] for key in ("rollout_error", "valid_steps", "nrmse", "one_step_error")}
        text = {key: number_text(float(value)) for key, value in plain.items()}
        text["symptom"] = _symptom_text(entry, study.muted) if trial else ""
        text["valid_steps"] = "–" if pd.isna(plain["valid_steps"]) else f"{plain['valid_steps']:.0f}"
        exact_base = against is not None and document["baselines"][against]["exact"]
        text["skill"] = "exact" if exact_base else number_text(float(skill))
        if entry["exact"]:
            text["rollout_error"] = "exact"
        record = next((r for r in study.records if r.number == number), None)
        has_plot = number is not None and (study.folder.trial(number) / "rollout.png").is_file()
        rows.append(
            {
                "kind": entry["kind"],
                "name": entry["name"],
                "number": number,
                "best": trial and number == document["best"],
                "rank": rank if trial and scored else "",
                "state": entry["state"] if trial else "baseline",
                "what": entry["what"],
                "reason": "" if record is None else record.reason or "",
                "plot": f"../trials/{number:04d}/rollout.png" if has_plot else None,
                "text": text,
                "sort": {key: _sort_key(value) for key, value in {**plain, "skill": skill}.items()},
            }
        )
    return rows


def _symptom_text(entry: Mapping[Hashable, Any], muted: Collection[str]) -> str:
    if entry["symptom"] is None or pd.isna(entry["symptom"]):
        return symptom_words(None)
    return symptom_words(
        {"code": entry["symptom"], "title": entry["symptom_title"]}, entry["symptom"] in muted
    )


def _sort_key(value: Any) -> str:
    if value is None or pd.isna(value):
        return ""
    return "1e308" if np.isposinf(value) else repr(float(value))


def picture_list(
    study: StoredStudy, document: Mapping[str, Any], findings: Mapping[str, Any], pictures: Pictures
) -> list[dict[str, Any]]:
    """Return the rollouts to show: the next best trials, the loss's choice, and the worst of each kind."""
    trials = [t for t in document["trials"] if t["rollout_error"] is not None]
    ranked = sorted(trials, key=lambda trial: (trial["rollout_error"], trial["number"]))
    wanted: dict[int, str] = {}
    for place, trial in enumerate(ranked[: len(PLACES)]):
        wanted[trial["number"]] = f"{PLACES[place]} on validation"
    by_loss = findings["loss_is_lying"]["evidence"].get("by_loss")
    if by_loss is not None and by_loss != document["best"]:
        wanted[by_loss] = (
            wanted.get(by_loss, "")
            + (", and" if by_loss in wanted else "")
            + " what the loss would have chosen"
        )
    for state, words in (("complete", "Worst that trained to the end"), ("diverged", "Worst that diverged")):
        rest = [trial for trial in ranked if trial["state"] == state and trial["number"] not in wanted]
        if rest:
            wanted[rest[-1]["number"]] = words
    running = [t["number"] for t in document["trials"] if t["state"] == "running"]
    wanted.pop(document["best"], None)
    shown = []
    for number, words in wanted.items():
        if number in running:
            continue
        source = pictures.inline(number)
        if source is not None:
            words = words.strip()
            shown.append(
                {"number": number, "title": f"{words[0].upper()}{words[1:]}: trial {number}", "src": source}
            )
    return shown


def _study_plots(
    trials: pd.DataFrame, document: Mapping[str, Any], findings: Mapping[str, Any]
) -> dict[str, str | None]:
    by_loss = findings["loss_is_lying"]["evidence"].get("by_loss")
    scored = trials["rollout_error"].notna()
    full = (trials["state"] == "complete") & trials["regret_last"].notna()
    return {
        "scatter": data_uri(plots.scatter_plot(trials, document["best"], by_loss))
        if scored.sum() > 1
        else None,
        "history": data_uri(plots.history_plot(trials)) if scored.any() else None,
        "regret": data_uri(plots.regret_plot(trials)) if full.any() else None,
    }


def _effect_plots(
    study: StoredStudy, trials: pd.DataFrame, shares: Mapping[str, float]
) -> list[dict[str, str]]:
    """Return a plot per hyperparameter, the most important first."""
    rung = common_rung(study)
    done = trials[(trials["state"] == "complete") & trials["rollout_error"].notna()]
    finished = dict(zip(done["number"], done["rollout_error"], strict=True))
    compared: dict[str, tuple[Mapping[int, float], str]] = {}
    for name in trials.attrs["params"]:
        late = rung.at is not None and is_late(name, study.axes.get(name))
        scores = finished if late else rung.scores
        if any(record.number in scores and name in record.params for record in study.records):
            compared[name] = (scores, "rollout error at the end" if late else "")
    lowest = min((min(scores.values()) for scores, _ in compared.values()), default=0.0)
    low = np.floor(4 * lowest) / 4
    rng = np.random.default_rng(0)
    names = sorted(compared, key=lambda name: -shares.get(name, -1.0))[:EFFECTS_MOST]
    return [
        {
            "name": name,
            "src": data_uri(
                plots.effect_plot(trials, name, study.axes.get(name), compared[name][0], rng, min(low, 0.75))
            ),
            "caption": compared[name][1],
        }
        for name in names
    ]


def _default_baseline(document: Mapping[str, Any]) -> str | None:
    """Return the baseline that skill is shown against first: the strongest one beaten, or else the weakest.

    Skill against a nearly exact one would be a huge negative number for every trial.
    """
    errors = {str(name): float(entry["rollout_error"]) for name, entry in document["baselines"].items()}
    scores = [t["rollout_error"] for t in document["trials"] if t["rollout_error"] is not None]
    beaten = [name for name in errors if errors[name] > min(scores, default=1.0)]
    if beaten:
        return min(beaten, key=lambda name: errors[name])
    return max(errors, key=lambda name: errors[name], default=None)


def _words_of(study: StoredStudy, number: int) -> list[str]:
    record = next(record for record in study.records if record.number == number)
    return config_words(record.config, record.params)
