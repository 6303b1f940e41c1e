"""Intervals of forecasts in words: why there are none, and what they cover."""

from collections.abc import Mapping
from typing import Any

NOT_MEASURED = "no interval: the forecaster has not been calibrated (sweep confirm does it)"


def no_intervals_text(study: Mapping[str, Any]) -> str:
    """Return why a study has no interval at all.

    Args:
        study: its study.toml.
    """
    share = (study.get("data") or {}).get("calibration") or 0.0
    if not share:
        return (
            "no interval: the study keeps no samples for calibration; set data.calibration, such as 0.5, in the study "
            "file and run it under another name"
        )
    return (
        f"no interval: the samples for calibration (data.calibration = {share:g}) hold no rollout; give a larger share "
        "or a larger validation part (data.split), or a shorter score.horizon, and run it under another name"
    )


def missing_level_text(level: int, needed: int, n: int) -> str:
    """Return why there is no interval of a level.

    Args:
        level: percent.
        needed: starts that the level needs.
        n: starts for calibration.
    """
    return (
        f"no {level} % interval: it needs {needed} calibration starts that do not overlap, and the study has {n} "
        "(a larger data.calibration or validation part, or a shorter score.horizon, gives more)"
    )
