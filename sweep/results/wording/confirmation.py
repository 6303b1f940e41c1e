"""What fresh seeds said, for people and for scripts: beside each selected score what it was worth."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from sweep.results.selection import confirmed_trial
from sweep.results.study import StoredStudy
from sweep.results.wording.numbers import config_words, number_text
from sweep.stats.ranking import iqm_with_interval

TEST_KEYS = ("rollout_error", "nrmse", "valid_steps")
ARM_KEYS = (
    "number",
    "selected",
    "selected_state",
    "errors",
    "valid_steps",
    "failed",
    "diverged",
    "replications",
    "iqm",
    "median",
    "optimism",
    "difference",
    "leader_wins",
    "p",
    "told_apart",
)
LEGEND = (
    "fresh: interquartile mean of the rollout error over fresh seeds, with its 95 % interval; seeds: the lowest "
    "and the highest; optimism: fresh minus selected"
)


def confirmation_section(study: StoredStudy) -> dict[str, Any] | None:
    """Return what report.json says of the confirmation (docs/report.md); None where there is none of today's best.

    `test` is what the networks of the named configuration score on the locked test, and which of them to use:
    the one that is best on validation.
    """
    stored = study.confirmation
    if stored is None:
        return None
    kept = ("top", "seeds", "verdict", "reason", "leader", "equals", "optimism", "seed_noise")
    arms = [
        {key: arm[key] for key in ARM_KEYS} | {"configuration": _words(study, arm["number"])}
        for arm in stored["arms"]
    ]
    section = {**{key: stored[key] for key in kept}, "arms": arms, "test": _test_section(study, stored)}
    number, reason = confirmed_trial(stored, study.baselines)
    return section if number is not None else section | {"verdict": "none", "reason": reason, "leader": None}


def _test_section(study: StoredStudy, stored: Mapping[str, Any]) -> dict[str, Any] | None:
    winner = study.winner or {}
    networks = winner.get("networks") or []
    if winner.get("number") != stored["leader"] or winner.get("basis") != "confirmed" or not networks:
        return None
    rows = [
        {
            "seed": network["seed"],
            "replication": network["replication"],
            "validation": network["validation"],
            **{key: network["test"].get(key) for key in TEST_KEYS},
        }
        for network in networks
    ]
    errors = np.array([row["rollout_error"] for row in rows])
    found = iqm_with_interval(errors, np.random.default_rng(0))
    use = min(rows, key=lambda row: (row["validation"], row["seed"]))
    return {
        "networks": rows,
        "median_seed": winner["median_seed"],
        "iqm": {"value": found.value, "low": found.low, "high": found.high},
        "looks": len(winner["looks"]),
        "use": {**use, "checkpoint": f"confirm/trials/{use['replication']:04d}/checkpoint.pt"},
    }


def _words(study: StoredStudy, number: int) -> str:
    record = next((record for record in study.records if record.number == number), None)
    return "" if record is None else " · ".join(config_words(record.config, record.params))


# --- in words -------------------------------------------------------------------------------------


def verdict_text(section: Mapping[str, Any]) -> str:
    """Return which configuration is named, and how far that is more than chance."""
    leader, seeds = section["leader"], seeds_text(section["seeds"])
    if section["verdict"] == "none":
        return f"No configuration is named: {section['reason']}."
    if section["verdict"] == "winner":
        others = [arm for arm in section["arms"] if arm["number"] != leader]
        worst = max(arm["p"] for arm in others)
        return (
            f"Trial {leader} is the best: on {seeds} it is told apart from all others that were confirmed "
            f"(largest p {number_text(worst, 2)})."
        )
    if section["verdict"] == "alone":
        return f"Trial {leader} is named: {section['reason']}."
    names = _listed([leader, *section["equals"]])
    text = f"No single winner: trials {names} cannot be told apart; {section['reason']}."
    worse = [a["number"] for a in section["arms"] if a["number"] not in (leader, *section["equals"])]
    if worse:
        text += f" Worse than the first: trial{'s' * (len(worse) > 1)} {_listed(worse)}."
    return f"{text} Trial {leader}, the lowest on {seeds}, is taken as the first among equals."


def optimism_text(section: Mapping[str, Any]) -> str:
    """Return how far the selected scores promised too much."""
    found = section["optimism"]
    value, low, high = found["value"], found["low"], found["high"]
    arms = len(section["arms"])
    what = f"the {arms} selected scores were" if arms > 1 else "the selected score was"
    how = "too good" if value >= 0 else "too bad"
    mean = " on average" if arms > 1 or section["seeds"] > 1 else ""
    text = f"Measured on fresh seeds, {what} {how} by {number_text(abs(value), 2)}{mean}"
    if low is not None:
        ends = (low, high) if value >= 0 else (-high, -low)
        text += f" (95 %: {number_text(ends[0], 2)} to {number_text(ends[1], 2)})"
        if low <= 0 <= high:
            text += ", which may be chance"
    noise = section["seed_noise"]
    if noise is not None:
        text += f"; the standard deviation between seeds is {number_text(noise, 2)}"
    return f"{text}."


def test_text(section: Mapping[str, Any]) -> str | None:
    """Return what the locked test says of the named configuration's networks; None where it was not read."""
    test = section["test"]
    if test is None:
        return None
    networks, use = test["networks"], test["use"]
    errors = [network["rollout_error"] for network in networks]
    text = f"On the locked test trial {section['leader']} has a rollout error of {number_text(errors[0])}"
    if len(networks) > 1:
        text = (
            f"On the locked test the {len(networks)} networks that trial {section['leader']} gave on fresh seeds "
            f"have a rollout error of {number_text(test['iqm']['value'])} (interquartile mean; "
            f"{range_text(min(errors), max(errors))}). What stands as its test score is that of the network with "
            f"the median error on validation, seed {test['median_seed']}"
        )
    text += (
        f". The network to use is the one with the lowest error on validation, seed {use['seed']}: "
        f"{number_text(use['rollout_error'])} on the test, {use['checkpoint']}."
    )
    if test["looks"] > 1:
        text += (
            f" The locked test has been read for {test['looks']} configurations of this study by now: it is less "
            "of a test than at first."
        )
    return text


def seeds_text(count: int) -> str:
    """Return the number of fresh seeds in words."""
    return f"{count} fresh seed{'s' * (count != 1)}"


def range_text(low: Any, high: Any) -> str:
    """Return two ends, short: `0.00343–0.0121`; a dash where there are none."""
    return "–" if low is None or high is None else f"{number_text(low)}–{number_text(high)}"


def signed_text(value: float) -> str:
    """Return a number with its sign."""
    return f"{'+' if value >= 0 else '-'}{number_text(abs(value), 2)}"


def confirmation_lines(section: Mapping[str, Any]) -> list[str]:
    """Return a table of at most 80 columns in plain lines, selected scores beside confirmed ones."""
    head = ("", "selected", "fresh", "95 %", "seeds", "optimism")
    widths = (13, 9, 9, 18, 18, 10)
    rows = [head, *(_row(arm) for arm in section["arms"])]
    lines = []
    for row in rows:
        cells = [f"  {row[0]}".ljust(widths[0])]
        cells += [text.rjust(width) for text, width in zip(row[1:], widths[1:], strict=True)]
        lines.append("".join(cells))
    return lines


def _row(arm: Mapping[str, Any]) -> tuple[str, ...]:
    iqm, errors = arm["iqm"], arm["errors"]
    spread = range_text(min(errors), max(errors)) if len(errors) > 1 else "–"
    return (
        f"trial {arm['number']}",
        number_text(arm["selected"]),
        number_text(iqm["value"]),
        range_text(iqm["low"], iqm["high"]),
        spread,
        signed_text(arm["optimism"]["value"]),
    )


def _listed(numbers: Sequence[int]) -> str:
    words = [str(number) for number in numbers]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
