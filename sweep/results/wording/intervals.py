"""Intervals of forecasts in words: why there are none, and what they cover of the locked test."""

from collections.abc import Mapping
from typing import Any

from sweep.config.text import plural
from sweep.results.wording.numbers import list_text, percent_text
from sweep.stats.conformal import starts_for

NOT_MEASURED = (
    "none, because this forecaster is not calibrated; sweep confirm calibrates the one that is named"
)


def other_networks_text(number: int, count: int, confirmed: bool) -> str:
    """Return that the intervals of networks that were trained on all data are those of other networks.

    Args:
        number: of the trial.
        count: of the other networks.
        confirmed: whether these are on fresh seeds.
    """
    which = f"{plural(count, 'network')} on fresh seeds" if confirmed else "its selected network"
    return f"measured on other networks, which were not trained on all data: trial {number}, {which}"


def intervals_text(section: Mapping[str, Any]) -> str:
    """Return what the intervals of a study's forecasts are worth, or why there are none.

    Args:
        section: `intervals` of the report's document.
    """
    if not section["levels"]:
        return f"Intervals of forecasts: {section['reason']}."
    levels = list_text(section["levels"])
    text = (
        f"Intervals of forecasts: {levels} % over {plural(section['horizon'], 'step')}, calibrated on "
        f"{plural(section['n'], 'start')} that chose nothing and do not overlap"
    )
    if section["reason"] is not None:
        text += f"; {section['reason']}"
    for forecaster in section["forecasters"]:
        coverage = coverage_text(forecaster["coverage"])
        if coverage is not None:
            text += f". Those of {forecaster_text(forecaster)} cover {coverage}"
    return f"{text}."


def coverage_text(coverage: list[Mapping[str, Any]] | None) -> str | None:
    """Return what share of the locked test the intervals cover, by level; None if it has not been measured.

    Args:
        coverage: of a forecaster, in the report's document.
    """
    if not coverage:
        return None
    last = coverage[-1]
    shares = [f"{percent_text(one['value'])} at {one['level']} %" for one in coverage[:-1]]
    shares.append(
        f"{percent_text(last['value'])} at {last['level']} % (95 %: {percent_text(last['low'])} to "
        f"{percent_text(last['high'])}, by {plural(last['n_eff'], 'start')} that {_do(last['n_eff'])} not overlap; the "
        f"least at step {last['lowest_step']}: {percent_text(last['lowest'])})"
    )
    return f"{list_text(shares)} of the locked test"


def forecaster_text(forecaster: Mapping[str, Any]) -> str:
    """Return whose intervals they are.

    Args:
        forecaster: of the report's document.
    """
    if "baseline" in forecaster:
        return f"the baseline {forecaster['baseline']}"
    networks = plural(len(forecaster["seeds"]), "network")
    return f"trial {forecaster['number']} ({networks})"


def no_intervals_text(study: Mapping[str, Any]) -> str:
    """Return why a study has no interval at all.

    Args:
        study: its study.toml.
    """
    share = (study.get("data") or {}).get("calibration") or 0.0
    if not share:
        return (
            "none, because the study keeps no samples for calibration; set data.calibration, such as 0.5, in the study "
            "file and run it under another name"
        )
    return (
        f"none, because the samples for calibration (data.calibration = {share:g}) hold no rollout; set a larger "
        "share, a larger validation part (data.split) or a shorter score.horizon, and run the study under another name"
    )


def missing_level_text(level: int, n: int) -> str:
    """Return why there is no interval of a level.

    Args:
        level: percent.
        n: starts for calibration.
    """
    return (
        f"none of {level} %, which needs {starts_for(level)} calibration starts that do not overlap, and the study has "
        f"{n}: a larger data.calibration or validation part, or a shorter score.horizon, gives more"
    )


def _do(count: int) -> str:
    return "does" if count == 1 else "do"
