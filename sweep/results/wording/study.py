"""A study in words: status, answer, scores of the best, cost, how to run it again.

Every function but `commands_of` takes the report's document.
"""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sweep.config.text import duration_text, plural
from sweep.results.study import StoredStudy
from sweep.results.wording.confirmation import seed_range_text, seeds_text
from sweep.results.wording.numbers import count_text, number_text, percent_text, range_text, steps_text

STATES = ("complete", "pruned", "diverged", "failed", "running")

Document = Mapping[str, Any]


def status_text(document: Document) -> str:
    """Return how far the study is, in a sentence."""
    progress = document["progress"]
    parts = [f"{progress[name]} {name}" for name in STATES if progress[name]]
    text = plural(sum(progress[name] for name in STATES), "trial") + (
        f": {', '.join(parts)}" if parts else ""
    )
    if document["score"]["outdated"]:
        text += ". Scores by an older definition (docs/metrics.md): not comparable with today's"
    if progress["finished"]:
        return f"{text}."
    asked = document["study"]["trials_asked"]
    wanted = f" (the study file sets {plural(asked, 'trial')})" if asked else ""
    return f"{text}. Not finished{wanted}: the results are preliminary."


def best_of(document: Document) -> Mapping[str, Any] | None:
    """Return the trial that wins, None if none does."""
    return next((trial for trial in document["trials"] if trial["number"] == document["best"]), None)


def heading_text(document: Document) -> str:
    """Return which trial wins and by which scores, or why none does."""
    number, confirmation = document["best"], document["confirmation"]
    if number is None:
        return f"No winner: {document['no_best']}"
    if confirmation is None:
        return f"Best: trial {number}, selected and not confirmed"
    if confirmation["verdict"] == "tied":
        return f"No single winner; first among equals: trial {number}"
    return f"Best: trial {number}, confirmed on {seeds_text(confirmation['seeds'])}"


def answer_text(document: Document) -> str:
    """Return how good the winning configuration is, in two or three sentences."""
    best, horizon, confirmation = best_of(document), document["score"]["horizon"], document["confirmation"]
    assert best is not None
    arm, test = _arm(document), best["test"]
    subject, selected = f"The configuration of trial {best['number']}", number_text(best["rollout_error"])
    if test is None:
        text = (
            f"{subject} is valid for {steps_text(best['valid_steps'], horizon)} steps on validation data, where it was "
            f"selected (rollout error {selected}). It has not been scored on test data yet."
        )
    else:
        fresh = (
            ""
            if arm is None
            else f"{number_text(arm['iqm']['value'])} on {seeds_text(confirmation['seeds'])}, "
        )
        text = (
            f"{subject} is valid for {steps_text(test['valid_steps'], horizon)} steps on locked test data (rollout "
            f"error {number_text(test['rollout_error'])}; on validation data {fresh}selected with {selected})."
        )
    if arm is None and document["progress"]["finished"]:
        name = shlex.quote(document["study"]["name"])
        text += f" It has not been confirmed on fresh seeds: sweep confirm {name}."
    findings = {finding["code"]: finding for finding in document["findings"]}
    better = findings["beaten_by_baseline"]["evidence"].get("better") or []
    if len(better) == 1:
        text += f" The baseline {better[0]} still beats it."
    elif better:
        text += f" The baselines {', '.join(better)} still beat it."
    loss = findings["loss_is_lying"]
    if loss["severity"] == "issue":
        steps = steps_text(loss["evidence"]["by_loss_valid_steps"], horizon)
        text += f" Choosing by the loss would have given {steps} steps."
    return text


def next_step_text(document: Document) -> str:
    """Return what to do if there is no winner."""
    progress = document["progress"]
    scored = progress["complete"] + progress["pruned"] + progress["diverged"]
    if not document["trials"]:
        return "No trial has begun. Rerun the same sweep run command to resume."
    if not scored and progress["failed"] and not progress["running"]:
        return "Every trial failed. The leaderboard and the end of the report give the reasons."
    if not scored:
        return "The study is still running. Come back when the first trials are done."
    return (
        "No trial learnt enough to be named. Look at the rollouts, then try lower learning rates, a larger budget or a "
        "shorter horizon."
    )


@dataclass(frozen=True)
class ScoreFact:
    """One of the large numbers."""

    name: str
    value: str
    note: str = ""  # unit, or spread
    good: bool = False  # whether it is a result rather than a selected score


def score_facts(document: Document) -> list[ScoreFact]:
    """Return the scores of the winning configuration, best known first, and those of the best baseline."""
    best, arm = best_of(document), _arm(document)
    if best is None:
        return []
    test = best["test"]
    place = "validation, selected" if test is None else "locked test"
    facts = [_valid_steps_fact(document, best if test is None else test, place)]
    if test is not None:
        networks = (document["confirmation"] or {}).get("test") or {"networks": []}
        errors = [network["rollout_error"] for network in networks["networks"]]
        note = f"(median of {len(errors)} networks, {seed_range_text(errors)})" if len(errors) > 1 else ""
        facts.append(ScoreFact("rollout error, locked test", number_text(test["rollout_error"]), note, True))
    if arm is not None:
        name = f"rollout error, {seeds_text(len(arm['errors']))}"
        low, high = arm["iqm"]["low"], arm["iqm"]["high"]
        note = "" if low is None else f"({range_text(low, high)})"
        facts.append(ScoreFact(name, number_text(arm["iqm"]["value"]), note))
    facts.append(ScoreFact("rollout error, selected", number_text(best["rollout_error"])))
    errors_of = {
        name: (entry["test"] or entry if test is not None else entry)["rollout_error"]
        for name, entry in document["baselines"].items()
    }
    if errors_of:
        name = min(errors_of, key=lambda key: errors_of[key])
        entry = document["baselines"][name]
        side = "locked test" if test is not None and entry["test"] else "validation"
        value = "exact" if entry["exact"] else number_text(errors_of[name])
        facts.append(ScoreFact(f"best baseline, {side}", value, f"({name})"))
    return facts


def _valid_steps_fact(document: Document, scores: Mapping[str, Any], place: str) -> ScoreFact:
    steps, note = scores["valid_steps"], f"of {document['score']['horizon']}"
    for key, unit in (("lyapunov_time", "Lyapunov times"), ("period", "periods")):
        length = document["score"][key]
        if length and steps is not None:
            note += f" = {steps / length:.1f} {unit}"
            break
    return ScoreFact(f"valid steps, {place}", "–" if steps is None else f"{steps:.0f}", note, True)


def baselines_on_test_text(document: Document) -> str | None:
    """Return the rollout errors of the baselines on the locked test, best first; None before they are scored."""
    tests = {name: entry["test"] for name, entry in document["baselines"].items() if entry["test"]}
    if not tests:
        return None
    exact = {name for name in tests if document["baselines"][name]["exact"]}
    listed = ", ".join(
        f"{name} {'exact' if name in exact else number_text(tests[name]['rollout_error'])}"
        for name in sorted(tests, key=lambda name: tests[name]["rollout_error"])
    )
    return f"Baselines on the locked test: {listed}."


def _arm(document: Document) -> Mapping[str, Any] | None:
    """Return the winning configuration's arm of the confirmation."""
    arms = (document["confirmation"] or {"arms": []})["arms"]
    return next((arm for arm in arms if arm["number"] == document["best"]), None)


def cost_facts(document: Document) -> list[tuple[str, str]]:
    """Return what the study has cost."""
    progress, study = document["progress"], document["study"]
    asked = f" of {study['trials_asked']}" if study["trials_asked"] else ""
    facts = [
        ("trials", f"{len(document['trials'])}{asked}"),
        ("sequence-steps", count_text(progress["sequence_steps"])),
        ("worker time", duration_text(progress["seconds"] or 0.0)),
    ]
    if progress["share_of_full_budget"] is not None:
        share = percent_text(progress["share_of_full_budget"])
        facts.append(("with pruning and divergence", f"{share} of the cost of full trials"))
    if study["budget"]:
        facts.append(("budget of a trial", f"{count_text(study['budget'])} sequence-steps"))
    return facts


def commands_of(study: StoredStudy) -> list[str]:
    """Return the commands that run the study again and write its report."""
    facts, search = study.facts, study.document.get("search") or {}
    source = str(facts.get("source") or study.name)
    run = ["sweep", "run", source, "--trials", str(search.get("trials", 1))]
    if Path(source).stem != study.name:
        run += ["--name", study.name]
    for override in facts.get("overrides") or []:
        run += ["--set", str(override)]
    commands = [run]
    if study.confirmation is not None:
        top, seeds = study.confirmation["top"], study.confirmation["seeds"]
        commands.append(["sweep", "confirm", study.name, "--top", str(top), "--seeds", str(seeds)])
    number = (study.winner or {}).get("number")
    if number is not None:
        commands.append(["sweep", "show", str(number), study.name])
    return [shlex.join(command) for command in (*commands, ["sweep", "report", study.name])]


def provenance_of(document: Document) -> list[tuple[str, str]]:
    """Return what the numbers depend on: data, seed, settings, versions."""
    study, score = document["study"], document["score"]
    versions = study["versions"]
    listed = (
        ", ".join(f"{k} {v}" for k, v in versions.items()) if isinstance(versions, Mapping) else str(versions)
    )
    facts = [
        ("data", study["data"]),
        ("data fingerprint", study["data_fingerprint"]),
        ("seed", study["seed"]),
        ("sampler", study["sampler"]),
        ("overrides", ", ".join(str(entry) for entry in study["overrides"]) or "none"),
        ("versions", listed),
        ("engine", _engine_text(study)),
        ("rollouts", f"{score['starts']} starts, warm-up {score['warmup']}, horizon {score['horizon']}"),
        ("starts that do not overlap", f"{score['n_eff_validation']} validation, {score['n_eff_test']} test"),
        ("block", None if score["block"] is None else f"{score['block']} steps"),
    ]
    return [(name, str(value)) for name, value in facts if value not in (None, "")]


def _engine_text(study: Mapping[str, Any]) -> str | None:
    """Return the engine in words: the setting, and what the trials compute with."""
    wanted, instructions = study.get("engine"), study.get("instructions")
    if wanted in (None, "torch") or instructions is None:
        return wanted
    return f"{wanted}: " + ("torch" if instructions == "none" else f"native, {instructions}")
