"""A study in words: status, answer, scores of the best, cost, how to run it again.

Every function but `commands_of` takes the report's document.
"""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sweep.config.summary_words import fact_rows, forecast_text, seen_text, split_text
from sweep.config.text import duration_text, plural
from sweep.results.study import StoredStudy
from sweep.results.wording.confirmation import middle_text, seed_range_text, seeds_text
from sweep.results.wording.numbers import count_text, number_text, percent_text, range_text, steps_text
from sweep.results.wording.verdict import trivial_steps_text

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
    """Return which network is the best and by which scores, or why none is named."""
    number, confirmation = document["best"], document["confirmation"]
    if number is None:
        return f"No network is named: {document['no_best']}"
    if confirmation is None:
        return f"Best network: trial {number}, selected and not confirmed"
    if confirmation["verdict"] == "tied":
        return f"No single winner; first among equals: trial {number}"
    return f"Best network: trial {number}, confirmed on {seeds_text(confirmation['seeds'])}"


def answer_text(document: Document) -> str:
    """Return the scores of the best network's configuration, in two or three sentences."""
    best, confirmation = best_of(document), document["confirmation"]
    assert best is not None
    arm, test, verdict = _arm(document), best["test"], document["verdict"]
    scores = network_of(verdict) if test is None else test
    trivial = verdict["trivial_valid_steps"] if _same_part(verdict, test) else None
    beside = "" if trivial is None else f" ({trivial_steps_text(trivial)})"
    selected = f"it was selected with {number_text(best['rollout_error'])}"
    fresh = selected
    if arm is not None:
        error = number_text(arm["iqm"]["value"])
        fresh = f"its rollout error is {error} on {seeds_text(confirmation['seeds'])}, and {selected}"
    steps = steps_text(scores["valid_steps"], _horizon(document, test))
    text = f"The configuration of trial {best['number']} is valid for {steps} steps"
    if test is None:
        text += f" on validation data{beside}; {fresh}. It has not been scored on test data yet."
    else:
        error = number_text(test["rollout_error"])
        text += f" on locked test data{beside}, with a rollout error of {error}. On validation data {fresh}."
    if arm is None and document["progress"]["finished"]:
        name = shlex.quote(document["study"]["name"])
        text += f" It has not been confirmed on fresh seeds: sweep confirm {name}."
    return text


def verdict_severity(document: Document) -> str:
    """Return "ok" if a configuration is better than every baseline by scores that are not selected.

    "issue" if a baseline or a trivial forecast is better, else "not applicable".
    """
    verdict = document["verdict"]
    if verdict["kind"] in ("baseline", "nothing"):
        return "issue"
    proven = verdict["confirmed"] or verdict["part"] == "test"
    return "ok" if verdict["kind"] == "configuration" and proven else "not applicable"


def network_of(verdict: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the entry of the leading configuration in the verdict of a study that has a score."""
    entry: Mapping[str, Any] = verdict["use"] if verdict["kind"] == "configuration" else verdict["other"]
    return entry


def next_step_text(document: Document) -> str:
    """Return what to do if no network is named."""
    progress = document["progress"]
    scored = progress["complete"] + progress["pruned"] + progress["diverged"]
    if not document["trials"]:
        return "No trial has begun. Rerun the same sweep run command to resume."
    if not scored and progress["failed"] and not progress["running"]:
        return "Every trial failed. The leaderboard and the end of the report give the reasons."
    if not scored:
        return "The study is still running. Come back when the first trials are done."
    scaling = _scaling_text(document)
    if scaling is not None:
        return scaling
    findings = {finding["code"]: finding["severity"] for finding in document["findings"]}
    budget, horizon = (findings[code] for code in ("budget_is_the_limit", "horizon_too_long"))
    changes = ["other learning rates"]
    changes += [] if budget == "ok" else ["a larger budget"]
    changes += [] if horizon == "ok" else ["a shorter horizon"]
    return f"Look at the rollouts, then try {_or_text(changes)}."


def _scaling_text(document: Document) -> str | None:
    """Return the advice to scale by series if most diagnosed trials have that prescription; None otherwise.

    Other learning rates or a larger budget do not help where one scaling does not fit all series.
    """
    for row in document["diagnoses"]["causes"]:
        first = row["prescriptions"][0]["changes"] if row["prescriptions"] else []
        by_series = [{"path": "data.scaling", "value": "series"}]
        if first == by_series and row["share"] >= 0.5 and not row["muted"]:
            return (
                f'Most trials have the cause {row["code"]} {row["title"]}: set data.scaling = "series" and run '
                "the study again under another name."
            )
    return None


def _or_text(entries: Sequence[str]) -> str:
    return entries[0] if len(entries) == 1 else f"{', '.join(entries[:-1])} or {entries[-1]}"


@dataclass(frozen=True)
class ScoreFact:
    """One of the large numbers."""

    name: str
    value: str
    note: str = ""  # unit, or spread
    good: bool = (
        False  # whether the configuration is better than every baseline by scores that are not selected
    )


def score_facts(document: Document) -> list[ScoreFact]:
    """Return the scores of the best network's configuration, best known first, and those of the best baseline."""
    best, arm, verdict = best_of(document), _arm(document), document["verdict"]
    if best is None:
        return []
    test = best["test"]
    wins = verdict_severity(document) == "ok"
    facts = [_valid_steps_fact(document, test, wins)]
    if test is not None:
        networks = (document["confirmation"] or {}).get("test") or {"networks": []}
        errors = [network["rollout_error"] for network in networks["networks"]]
        note = f"({middle_text(len(errors))}, {seed_range_text(errors)})" if len(errors) > 1 else ""
        facts.append(ScoreFact("rollout error, locked test", number_text(test["rollout_error"]), note, wins))
    if arm is not None:
        name = f"rollout error, {seeds_text(len(arm['errors']))}"
        low, high = arm["iqm"]["low"], arm["iqm"]["high"]
        note = "" if low is None else f"({range_text(low, high)})"
        facts.append(ScoreFact(name, number_text(arm["iqm"]["value"]), note))
    facts.append(ScoreFact("rollout error, selected", number_text(best["rollout_error"])))
    entry = next((e for e in (verdict["use"], verdict["other"]) if e and e["kind"] == "baseline"), None)
    if entry is not None:
        side = {"test": "locked test", "validation": "validation"}[verdict["part"]]
        value = "exact" if entry["exact"] else number_text(entry["rollout_error"])
        facts.append(ScoreFact(f"best baseline, {side}", value, f"({entry['name']})"))
    return facts


def _horizon(document: Document, test: Mapping[str, Any] | None) -> int | None:
    """Return the steps of a rollout, of the locked test where its scores are given."""
    steps: int | None = document["score"]["horizon" if test is None else "horizon_test"]
    return steps


def _valid_steps_fact(document: Document, test: Mapping[str, Any] | None, wins: bool) -> ScoreFact:
    """Return the valid steps beside those of a trivial forecast, which they must exceed to be called good."""
    verdict = document["verdict"]
    scores = network_of(verdict) if test is None else test
    seeds = seeds_text(verdict["seeds"]) if verdict["confirmed"] else "selected"
    place = "locked test" if test is not None else f"validation, {seeds}"
    steps, note = scores["valid_steps"], f"of {_horizon(document, test)}"
    for key, unit in (("lyapunov_time", "Lyapunov times"), ("period", "periods")):
        length = document["score"][key]
        if length and steps is not None:
            note += f" = {steps / length:.1f} {unit}"
            break
    trivial = verdict["trivial_valid_steps"] if _same_part(verdict, test) else None
    note += "" if trivial is None else f"; {trivial_steps_text(trivial)}"
    good = wins and steps is not None and steps > (trivial or 0.0)
    return ScoreFact(f"valid steps, {place}", "–" if steps is None else f"{steps:.0f}", note, good)


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


def _same_part(verdict: Mapping[str, Any], test: Mapping[str, Any] | None) -> bool:
    """Return whether the verdict's scores are on the same starts as those that are shown."""
    return bool(verdict["part"] == "test") == (test is not None)


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


def data_facts(document: Document) -> list[tuple[str, str]]:
    """Return what was understood of the data, by name; empty where an older study does not say."""
    seen = document["study"]["seen"]
    if seen is None:
        return []
    rows = [("seen", seen_text(seen)), ("forecast", forecast_text(seen)), ("parts", split_text(seen))]
    return [row for row in (*rows, *fact_rows(seen)) if row[1]]


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
        ("rollouts", _rollouts_text(score)),
        ("starts that do not overlap", f"{score['n_eff_validation']} validation, {score['n_eff_test']} test"),
        ("block", None if score["block"] is None else f"{score['block']} steps"),
    ]
    return [(name, str(value)) for name, value in facts if value not in (None, "")]


def _rollouts_text(score: Mapping[str, Any]) -> str:
    """Return number, warm-up and horizon of the rollouts; whole records have another horizon on test."""
    starts = score["starts"]
    many = f"{starts} starts" if starts != 1 else "1 start"
    text = f"{many}, warm-up {score['warmup']}, horizon {score['horizon']}"
    if score["from_start"] == "test":
        return f"{text} (test: whole records, {score['horizon_test']})"
    return f"{text} (test: {score['horizon_test']}), whole records" if score["from_start"] else text


def _engine_text(study: Mapping[str, Any]) -> str | None:
    """Return the engine in words: the setting, and what the trials compute with."""
    wanted, instructions = study.get("engine"), study.get("instructions")
    if wanted in (None, "torch") or instructions is None:
        return wanted
    return f"{wanted}: " + ("torch" if instructions == "none" else f"native, {instructions}")
