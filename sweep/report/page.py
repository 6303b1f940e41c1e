"""The page: one self-contained HTML file that a person can read in two minutes, from the report's document."""

import base64
import hashlib
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jinja2
import numpy as np
import pandas as pd
from markupsafe import Markup

from sweep.config.errors import StoreError
from sweep.report import plots
from sweep.report.effects import common_rung, is_late
from sweep.report.frames import leaderboard, trials_frame
from sweep.report.labels import config_words, count_text, duration_text, number_text, steps_text
from sweep.report.study import Study
from sweep.report.trial_plot import draw_trial

INLINE_BYTES = 2_500_000  # of trial plots; with the study's own plots the page stays below 5 MB
INLINE_BEST = 4  # trial plots shown as the best ones
EFFECTS_MOST = 24  # hyperparameters whose effect is drawn
TITLES = {
    "beaten_by_baseline": ("A baseline beats every trial", "Every trial against the baselines"),
    "loss_is_lying": ("The loss is lying", "The loss is a fair guide here"),
    "checkpoint_regret": ("The last checkpoint is not the best", "The last checkpoint is as good as the best"),
    "choices_matter": ("Some choices are better than others", "No choice stands out"),
    "near_bound": ("The best trial is at a bound of its range", "The ranges are wide enough"),
    "horizon_too_long": ("The horizon is too long", "The horizon fits the data"),
    "few_starts": ("Too few starts", "Enough starts"),
    "trial_failures": ("Trials failed", "No trial failed"),
}


def page_html(study: Study, document: Mapping[str, Any]) -> str:
    """Return the page. Everything from the study is escaped.

    Args:
        study: what the results folder holds.
        document: from `report_document`.
    """
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("sweep.report"), autoescape=True, undefined=jinja2.StrictUndefined
    )
    source = environment.loader
    assert source is not None
    script = source.get_source(environment, "report.js")[0]
    style = source.get_source(environment, "report.css")[0]
    return environment.get_template("report.html.j2").render(
        script=Markup(script),  # noqa: S704 - our own file
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        style=Markup(style),  # noqa: S704
        **_values(study, document),
    )


def _values(study: Study, document: Mapping[str, Any]) -> dict[str, Any]:
    trials = trials_frame(study)
    findings = {found["code"]: found for found in document["findings"]}
    best = next((t for t in document["trials"] if t["number"] == document["best"]), None)
    pictures = Pictures(study)
    best_plot = None if best is None else pictures.inline(best["number"])
    against = _default_baseline(document["baselines"])
    return {
        "study": document["study"],
        "score": document["score"],
        "status": status_text(document),
        "best": best,
        "no_best": document["no_best"],
        "advice": advice_text(document),
        "answer": "" if best is None else answer_text(document, best, findings),
        "best_words": [] if best is None else _words_of(study, best["number"]),
        "best_plot": best_plot,
        "tiles": [] if best is None else tiles_of(document, best),
        "findings": findings,
        "verdicts": {code: _title(found) for code, found in findings.items()},
        "headlines": [(code, _title(findings[code])) for code in TITLES if code != "choices_matter"],
        "baselines": document["baselines"],
        "missing_baselines": document["missing_baselines"],
        "against": against,
        "states": [*sorted({trial["state"] for trial in document["trials"]}), "baseline"],
        "board": board_rows(study, document, against),
        "pictures": picture_list(study, document, findings, pictures),
        "plots": _study_plots(trials, document, findings),
        "effects": document["effects"],
        "importances": document["importances"],
        "effect_plots": _effect_plots(study, trials),
        "cost": cost_facts(document),
        "commands": commands_of(study),
        "provenance": provenance_of(document),
    }


class Pictures:
    """Trial plots as data URIs, as long as the byte budget lasts."""

    def __init__(self, study: Study, budget: int = INLINE_BYTES) -> None:
        self.study = study
        self.left = budget

    def inline(self, number: int) -> str | None:
        """Return a trial's plot, drawn now if none is stored; None where there is none or the budget is spent."""
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


def data_uri(content: bytes) -> str:
    """Return a PNG as a URI that needs no request."""
    return "data:image/png;base64," + base64.b64encode(content).decode()


def status_text(document: Mapping[str, Any]) -> str:
    """Return how far the study is, in a sentence."""
    progress = document["progress"]
    names = ("complete", "pruned", "diverged", "failed", "running")
    parts = [f"{progress[name]} {name}" for name in names if progress[name]]
    count = sum(progress[name] for name in names)
    head = f"{count} trial{'' if count == 1 else 's'}" + (f": {', '.join(parts)}" if parts else "")
    if progress["finished"]:
        return f"{head}."
    asked = document["study"]["trials_asked"]
    return f"{head}. Not finished{f': {asked} were asked for' if asked else ''}; what follows is preliminary."


def answer_text(document: Mapping[str, Any], best: Mapping[str, Any], findings: Mapping[str, Any]) -> str:
    """Return the answer in two or three sentences."""
    horizon = document["score"]["horizon"]
    test = best.get("test")
    if test is not None:
        text = (
            f"The best configuration is valid for {steps_text(test['valid_steps'], horizon)} steps on locked test data "
            f"(rollout error {number_text(test['rollout_error'])}; selected on validation with "
            f"{number_text(best['rollout_error'])})."
        )
    else:
        text = (
            f"The configuration selected on validation is valid there for {steps_text(best['valid_steps'], horizon)} "
            f"steps (rollout error {number_text(best['rollout_error'])}). It has not been scored on test data yet."
        )
    better = findings["beaten_by_baseline"]["evidence"].get("better") or []
    if better:
        text += f" The baseline{'s' if len(better) > 1 else ''} {', '.join(better)} still beat{'' if len(better) > 1 else 's'} it."
    loss = findings["loss_is_lying"]
    if loss["verdict"] == "found":
        text += (
            f" Choosing by the loss would have given {steps_text(loss['evidence']['by_loss_valid_steps'], horizon)} steps."
        )
    return text


def advice_text(document: Mapping[str, Any]) -> str:
    """Return what to do where there is no winner."""
    progress = document["progress"]
    scored = progress["complete"] + progress["pruned"] + progress["diverged"]
    if not document["trials"]:
        return "No trial has begun. The same sweep run command goes on from here."
    if not scored and progress["failed"] and not progress["running"]:
        return "Every trial failed; the reasons stand in the leaderboard and at the end of this page."
    if not scored:
        return "The study is still running; come back when the first trials are done."
    return (
        "Nothing has been learnt that is worth a name. Look at the worst rollouts below, then try lower learning rates, "
        "a longer budget or a shorter horizon."
    )


def tiles_of(document: Mapping[str, Any], best: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the large numbers: valid steps, rollout error on test and on validation, the nearest baseline."""
    horizon, test = document["score"]["horizon"], best.get("test")
    source = best if test is None else test
    steps = f"{source['valid_steps']:.0f}" if source["valid_steps"] is not None else "–"
    unit = f"of {horizon}"
    for key, word in (("lyapunov_time", "Lyapunov times"), ("period", "periods")):
        length = document["score"][key]
        if length and source["valid_steps"] is not None:
            unit += f" = {source['valid_steps'] / length:.1f} {word}"
            break
    where = "validation, selected" if test is None else "locked test"
    tiles = [{"value": steps, "unit": unit, "name": f"valid steps, {where}", "good": True}]
    if test is not None:
        tiles.append({"value": number_text(test["rollout_error"]), "unit": "", "name": "rollout error, locked test", "good": True})
    tiles.append(
        {"value": number_text(best["rollout_error"]), "unit": "", "name": "rollout error, validation (selected)", "good": False}
    )
    rows = {
        name: (entry["test"] or entry if test is not None else entry)["rollout_error"]
        for name, entry in document["baselines"].items()
    }
    if rows:
        name = min(rows, key=lambda key: rows[key])
        exact = document["baselines"][name]["exact"]
        side = "locked test" if test is not None and document["baselines"][name]["test"] else "validation"
        value = "exact" if exact else number_text(rows[name])
        tiles.append({"value": value, "unit": name, "name": f"best baseline, {side}", "good": False})
    return tiles


def board_rows(study: Study, document: Mapping[str, Any], against: str | None) -> list[dict[str, Any]]:
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
                "what": entry["what"] + (f" — {record.reason}" if record is not None and record.reason else ""),
                "plot": f"../trials/{number:04d}/rollout.png" if has_plot else None,
                "text": text,
                "sort": {key: _sort_key(value) for key, value in {**plain, "skill": skill}.items()},
            }
        )
    return rows


def _sort_key(value: Any) -> str:
    if value is None or pd.isna(value):
        return ""
    return "1e308" if np.isposinf(value) else repr(float(value))


def picture_list(
    study: Study, document: Mapping[str, Any], findings: Mapping[str, Any], pictures: Pictures
) -> list[dict[str, Any]]:
    """Return the rollouts to show: the next best trials, the loss's choice, and the worst of each kind."""
    trials = [t for t in document["trials"] if t["rollout_error"] is not None]
    ranked = sorted(trials, key=lambda trial: (trial["rollout_error"], trial["number"]))
    wanted: dict[int, str] = {}
    for place, trial in enumerate(ranked[:INLINE_BEST], 1):
        wanted[trial["number"]] = "Best on validation" if place == 1 else f"{place}. on validation"
    by_loss = findings["loss_is_lying"]["evidence"].get("by_loss")
    if by_loss is not None and by_loss != document["best"]:
        wanted[by_loss] = wanted.get(by_loss, "") + (", and" if by_loss in wanted else "") + " what the loss would have chosen"
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
            shown.append({"number": number, "title": f"{words[0].upper()}{words[1:]}: trial {number}", "src": source})
    return shown


def cost_facts(document: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return what the study has cost."""
    progress, study = document["progress"], document["study"]
    facts = [
        ("trials", f"{len(document['trials'])}" + (f" of {study['trials_asked']}" if study["trials_asked"] else "")),
        ("sequence-steps", count_text(progress["sequence_steps"])),
        ("worker time", duration_text(progress["seconds"] or 0.0)),
    ]
    if progress["share_of_full_budget"] is not None:
        facts.append(("pruning and divergence", f"{progress['share_of_full_budget']:.0%} of what full trials would have cost"))
    if study["budget"]:
        facts.append(("budget of a trial", f"{count_text(study['budget'])} sequence-steps"))
    return facts


def commands_of(study: Study) -> list[str]:
    """Return the commands that run the study again and write this page."""
    facts, search = study.facts, study.document.get("search") or {}
    source = str(facts.get("source") or study.name)
    words = ["sweep", "run", source, "--trials", str(search.get("trials", 1))]
    if Path(source).stem != study.name:
        words += ["--name", study.name]
    for override in facts.get("overrides") or []:
        words += ["--set", str(override)]
    best = [] if study.winner is None or study.winner.get("number") is None else [study.winner["number"]]
    shows = [shlex.join(["sweep", "show", str(number), study.name]) for number in best]
    return [shlex.join(words), *shows, shlex.join(["sweep", "report", study.name])]


def provenance_of(document: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return what the numbers depend on."""
    study, score = document["study"], document["score"]
    versions = study["versions"]
    listed = ", ".join(f"{k} {v}" for k, v in versions.items()) if isinstance(versions, Mapping) else str(versions)
    facts = [
        ("data", study["data"]),
        ("data fingerprint", study["data_fingerprint"]),
        ("seed", study["seed"]),
        ("sampler", study["sampler"]),
        ("overrides", ", ".join(str(entry) for entry in study["overrides"]) or "none"),
        ("versions", listed),
        ("engine", study["engine"]),
        ("rollouts", f"{score['starts']} starts, warm-up {score['warmup']}, horizon {score['horizon']}"),
        ("starts that do not overlap", f"{score['n_eff_validation']} validation, {score['n_eff_test']} test"),
        ("block", None if score["block"] is None else f"{score['block']} steps"),
    ]
    return [(name, str(value)) for name, value in facts if value not in (None, "")]


def _study_plots(trials: pd.DataFrame, document: Mapping[str, Any], findings: Mapping[str, Any]) -> dict[str, str | None]:
    by_loss = findings["loss_is_lying"]["evidence"].get("by_loss")
    scored = trials["rollout_error"].notna()
    full = (trials["state"] == "complete") & trials["regret_last"].notna()
    return {
        "scatter": data_uri(plots.scatter_plot(trials, document["best"], by_loss)) if scored.sum() > 1 else None,
        "history": data_uri(plots.history_plot(trials)) if scored.any() else None,
        "regret": data_uri(plots.regret_plot(trials)) if full.any() else None,
    }


def _effect_plots(study: Study, trials: pd.DataFrame) -> list[dict[str, str]]:
    rung = common_rung(study)
    rng = np.random.default_rng(0)
    done = trials[(trials["state"] == "complete") & trials["rollout_error"].notna()]
    finished = dict(zip(done["number"], done["rollout_error"], strict=True))
    shown = []
    for name in trials.attrs["params"][:EFFECTS_MOST]:
        axis = study.axes.get(name)
        late = rung.at is not None and is_late(name, axis)
        scores = finished if late else rung.scores
        if not any(number in scores and name in params for number, params in _params(study)):
            continue
        image = plots.effect_plot(trials, name, axis, scores, rng)
        shown.append({"name": name, "src": data_uri(image), "caption": "rollout error at the end" if late else ""})
    return shown


def _params(study: Study) -> list[tuple[int, Mapping[str, Any]]]:
    return [(record.number, record.params) for record in study.records]


def _default_baseline(baselines: Mapping[str, Any]) -> str | None:
    """Return the baseline that skill is shown against first: the best that is not exact."""
    inexact = {name: entry["rollout_error"] for name, entry in baselines.items() if not entry["exact"]}
    return min(inexact or baselines, key=lambda name: baselines[name]["rollout_error"], default=None)


def _words_of(study: Study, number: int) -> list[str]:
    record = next(record for record in study.records if record.number == number)
    return config_words(record.config, record.params)


def _title(found: Mapping[str, Any]) -> str:
    yes, no = TITLES[found["code"]]
    return {"found": yes, "clear": no}.get(found["verdict"], f"{yes}?")


