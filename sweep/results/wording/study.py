"""What the page says in words: the answer, how far the study is, what it cost, how to run it again."""

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sweep.results.study import StoredStudy
from sweep.results.wording.confirmation import range_text, seeds_text, verdict_text
from sweep.results.wording.numbers import count_text, duration_text, number_text, steps_text

TITLES = {
    "beaten_by_baseline": ("A baseline is better", "Every baseline is beaten"),
    "loss_is_lying": ("Choosing by the loss costs", "The loss is a fair guide here"),
    "checkpoint_regret": (
        "The last checkpoint is not the best",
        "The last checkpoint is as good as the best",
    ),
    "choices_matter": ("Some choices are better than others", "No choice stands out"),
    "near_bound": ("The best trial is at a bound of its range", "The ranges are wide enough"),
    "horizon_too_long": ("The horizon is too long", "The horizon fits the data"),
    "few_starts": ("Too few starts", "Enough starts"),
    "budget_is_the_limit": ("The budget is the limit", "The budget was enough"),
    "seed_noise": ("The best ranks are within seed noise", "The best stands clear of seed noise"),
    "pruning_stopped_winners": ("Pruning stopped a winner", "Pruning stopped no winner"),
    "trial_failures": ("Trials failed", "No trial failed"),
}


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
    wanted = f" (the study asks for {asked} trials)" if asked else ""
    return f"{head}. Not finished{wanted}: what follows is preliminary."


def answer_text(document: Mapping[str, Any], best: Mapping[str, Any], findings: Mapping[str, Any]) -> str:
    """Return the answer in two or three sentences."""
    horizon, test = document["score"]["horizon"], best.get("test")
    confirmation = document["confirmation"]
    arm = None
    if confirmation is not None:
        arm = next(arm for arm in confirmation["arms"] if arm["number"] == best["number"])
    if test is not None:
        one = "The best configuration" if arm is None or confirmation["verdict"] != "tied" else "It"
        text = (
            f"{one} is valid for {steps_text(test['valid_steps'], horizon)} steps "
            f"on locked test data (rollout error {number_text(test['rollout_error'])}; "
        )
        if arm is None:
            text += f"selected on validation with {number_text(best['rollout_error'])})."
        else:
            text += (
                f"{number_text(arm['iqm']['value'])} on {seeds_text(confirmation['seeds'])} on validation, "
                f"where it was selected with {number_text(best['rollout_error'])})."
            )
    else:
        one = "The configuration selected on validation" if arm is None else "It"
        text = (
            f"{one} is valid there for "
            f"{steps_text(best['valid_steps'], horizon)} steps (rollout error "
            f"{number_text(best['rollout_error'])}). It has not been scored on test data yet."
        )
    if arm is not None and (confirmation["verdict"] == "tied" or test is None):
        text = f"{verdict_text(confirmation)} {text}"
    if arm is None and document["progress"]["finished"]:
        text += " It has not been confirmed on fresh seeds."
    better = findings["beaten_by_baseline"]["evidence"].get("better") or []
    if better:
        many = len(better) > 1
        text += f" The baseline{'s' * many} {', '.join(better)} still {'beat' if many else 'beats'} it."
    loss = findings["loss_is_lying"]
    if loss["verdict"] == "found":
        steps = steps_text(loss["evidence"]["by_loss_valid_steps"], horizon)
        text += f" Choosing by the loss would have given {steps} steps."
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
        "Nothing has been learnt that is worth a name. Look at the rollouts below, then try lower learning "
        "rates, a longer budget or a shorter horizon."
    )


def tiles_of(document: Mapping[str, Any], best: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the large numbers: valid steps, rollout errors on test and validation, the best baseline."""
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
        tiles.append(
            {
                "value": number_text(test["rollout_error"]),
                "unit": "",
                "name": "rollout error, locked test",
                "good": True,
            }
        )
    if document["confirmation"] is not None:
        arm = next(arm for arm in document["confirmation"]["arms"] if arm["number"] == best["number"])
        tiles.append(
            {
                "value": number_text(arm["iqm"]["value"]),
                "unit": range_text(arm["iqm"]["low"], arm["iqm"]["high"]),
                "name": f"rollout error, validation, {seeds_text(len(arm['errors']))}",
                "good": False,
            }
        )
    tiles.append(
        {
            "value": number_text(best["rollout_error"]),
            "unit": "",
            "name": "rollout error, validation (selected)",
            "good": False,
        }
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


def cost_facts(document: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return what the study has cost."""
    progress, study = document["progress"], document["study"]
    facts = [
        (
            "trials",
            f"{len(document['trials'])}" + (f" of {study['trials_asked']}" if study["trials_asked"] else ""),
        ),
        ("sequence-steps", count_text(progress["sequence_steps"])),
        ("worker time", duration_text(progress["seconds"] or 0.0)),
    ]
    if progress["share_of_full_budget"] is not None:
        facts.append(
            (
                "with pruning and divergence",
                f"{progress['share_of_full_budget']:.0%} of what full trials would have cost",
            )
        )
    if study["budget"]:
        facts.append(("budget of a trial", f"{count_text(study['budget'])} sequence-steps"))
    return facts


def commands_of(study: StoredStudy) -> list[str]:
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
    if study.confirmation is not None:
        top, seeds = study.confirmation["top"], study.confirmation["seeds"]
        shows.insert(
            0, shlex.join(["sweep", "confirm", study.name, "--top", str(top), "--seeds", str(seeds)])
        )
    return [shlex.join(words), *shows, shlex.join(["sweep", "report", study.name])]


def provenance_of(document: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return what the numbers depend on."""
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
        ("engine", _engine(study)),
        ("rollouts", f"{score['starts']} starts, warm-up {score['warmup']}, horizon {score['horizon']}"),
        ("starts that do not overlap", f"{score['n_eff_validation']} validation, {score['n_eff_test']} test"),
        ("block", None if score["block"] is None else f"{score['block']} steps"),
    ]
    return [(name, str(value)) for name, value in facts if value not in (None, "")]


def _engine(study: Mapping[str, Any]) -> str | None:
    """Return the engine in words: what was asked for, and what the trials compute with."""
    wanted, instructions = study.get("engine"), study.get("instructions")
    if wanted in (None, "torch") or instructions is None:
        return wanted
    return f"{wanted}: " + ("torch" if instructions == "none" else f"native, {instructions}")


def title_of(found: Mapping[str, Any]) -> str:
    """Return the heading of a finding: what it says if found, if clear, or the open question."""
    yes, no = TITLES[found["code"]]
    return {"found": yes, "clear": no}.get(found["verdict"], f"{yes}?")
