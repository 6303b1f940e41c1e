"""A confirmation in words: its table, and sentences on verdict, optimism and the locked test.

Every function takes `confirmation` of the report's document.
"""

from collections.abc import Mapping
from typing import Any

from sweep.config.text import plural
from sweep.results.rmse import rmse_text
from sweep.results.wording.numbers import list_text, number_text, range_text, signed_text
from sweep.results.wording.text_table import TextTable

CONFIRMATION_LEGEND = (
    "fresh: interquartile mean of the rollout error over fresh seeds, with its 95 % interval; seeds: the lowest and "
    "the highest error; optimism: fresh minus selected"
)
TERMINAL_COLUMNS = 6  # of the table: as many as fit 80 characters


def confirmation_heading(section: Mapping[str, Any]) -> str:
    """Return the heading of the table."""
    return f"Confirmed on {seeds_text(section['seeds'])} each, rollout errors on validation"


def confirmation_table(section: Mapping[str, Any]) -> TextTable:
    """Return selected scores beside those on fresh seeds, a row per configuration, best first."""
    head = ("", "selected", "fresh", "95 %", "seeds", "optimism", "p", "against the first", "configuration")
    return TextTable(head, tuple(_row(arm) for arm in section["arms"]))


def _row(arm: Mapping[str, Any]) -> tuple[str, ...]:
    iqm = arm["iqm"]
    failed = f", {arm['failed']} failed" if arm["failed"] else ""
    return (
        f"trial {arm['number']}",
        number_text(arm["selected"]),
        number_text(iqm["value"]),
        range_text(iqm["low"], iqm["high"]),
        seed_range_text(arm["errors"]) + failed,
        signed_text(arm["optimism"]["value"]),
        number_text(arm["p"], 2),
        {True: "distinguishable", False: "not distinguishable", None: "–"}[arm["told_apart"]],
        arm["configuration"],
    )


def confirmation_verdict_text(section: Mapping[str, Any]) -> str:
    """Return which configuration is named, and whether its lead is more than chance."""
    leader, seeds = section["leader"], seeds_text(section["seeds"])
    if section["verdict"] == "none":
        return f"No configuration is named: {section['reason']}."
    if section["verdict"] == "winner":
        worst = max(arm["p"] for arm in section["arms"] if arm["number"] != leader)
        return (
            f"Trial {leader} is the best: on {seeds} it is distinguishable from all other confirmed configurations "
            f"(largest p {number_text(worst, 2)})."
        )
    if section["verdict"] == "alone":
        return f"Trial {leader} is named: {section['reason']}."
    equals = [leader, *section["equals"]]
    text = f"No single winner: trials {list_text(equals)} are not distinguishable; {section['reason']}."
    worse = [arm["number"] for arm in section["arms"] if arm["number"] not in equals]
    if worse:
        text += f" Worse than the first: {'trial' if len(worse) == 1 else 'trials'} {list_text(worse)}."
    return f"{text} Trial {leader} has the lowest error on {seeds} and is the first among equals."


def optimism_text(section: Mapping[str, Any]) -> str:
    """Return by how much fresh seeds differ from the selected scores."""
    value, low, high = (section["optimism"][key] for key in ("value", "low", "high"))
    arms = len(section["arms"])
    scores = "the selected score" if arms == 1 else f"the {arms} selected scores"
    mean = " on average" if arms > 1 or section["seeds"] > 1 else ""
    way = "higher" if value >= 0 else "lower"
    text = f"On fresh seeds the error is{mean} {number_text(abs(value), 2)} {way} than {scores}"
    if low is not None:
        ends = (low, high) if value >= 0 else (-high, -low)
        text += f" (95 %: {number_text(ends[0], 2)} to {number_text(ends[1], 2)})"
        if low <= 0 <= high:
            text += ", which may be chance"
    if section["seed_noise"] is not None:
        text += f"; the standard deviation between seeds is {number_text(section['seed_noise'], 2)}"
    return f"{text}."


def _rmse(network: Mapping[str, Any]) -> str:
    return f" (rmse {rmse_text(network['rmse'])})" if network.get("rmse") else ""


def test_text(section: Mapping[str, Any]) -> str | None:
    """Return the locked test's result for the named configuration's networks; None if it has not been read."""
    test = section["test"]
    if test is None:
        return None
    networks, use = test["networks"], test["use"]
    errors = [network["rollout_error"] for network in networks]
    text = f"On the locked test trial {section['leader']} has a rollout error of {number_text(errors[0])}."
    if len(networks) > 1:
        text = (
            f"On the locked test the {len(networks)} networks of trial {section['leader']} on fresh seeds have a "
            f"rollout error of {number_text(test['iqm']['value'])} (interquartile mean; {seed_range_text(errors)}). "
            f"The test score of the configuration is that of the {middle_text(len(networks))}, seed "
            f"{test['median_seed']}."
        )
    text += (
        f" Of these networks, take the one with the lowest error on validation, seed {use['seed']}: "
        f"{number_text(use['rollout_error'])} on the test{_rmse(use)}, {use['checkpoint']}."
    )
    if test["looks"] > 1:
        text += (
            f" The locked test has now been read for {test['looks']} configurations of this study: each further one "
            "makes it less of a test."
        )
    return text


def confirmation_texts(section: Mapping[str, Any]) -> list[str]:
    """Return the sentences on a confirmation, a paragraph each."""
    texts = (confirmation_verdict_text(section), optimism_text(section), test_text(section))
    return [text for text in texts if text]


def middle_text(count: int) -> str:
    """Return which of several networks stands for all: the median one, of an even number the worse middle one."""
    return f"{'median' if count % 2 else 'worse middle one'} of {count} networks"


def seeds_text(count: int) -> str:
    """Return the number of fresh seeds in words."""
    return plural(count, "fresh seed")


def seed_range_text(errors: list[float]) -> str:
    """Return the lowest and the highest of several errors, a dash for a single one."""
    return range_text(min(errors), max(errors)) if len(errors) > 1 else "–"
