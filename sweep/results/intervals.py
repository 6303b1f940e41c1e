"""The intervals of a study's forecasts as the report's document holds them: levels, reasons, coverage."""

from collections.abc import Mapping
from typing import Any

from sweep.results.study import StoredStudy
from sweep.results.wording.intervals import missing_level_text, no_intervals_text
from sweep.stats.conformal import starts_for

LEVELS = (50, 80, 90)  # percent, of which the coverage is measured


def intervals_section(study: StoredStudy) -> dict[str, Any] | None:
    """Return `intervals` of the document (docs/report.md); None before they are calibrated for today's best trial."""
    stored = study.intervals
    if stored is None:
        return None
    best, _ = study.named
    numbers = {None} if best is None else {None, best.number}
    of_today = [entry["of"] for entry in stored["forecasters"] if entry["of"].get("number") in numbers]
    if not of_today:
        return None
    measured = (study.winner or {}).get("coverage") or []
    n = stored["n"]
    return {
        "n": n,
        "horizon": stored["horizon"],
        "levels": [level for level in LEVELS if n and starts_for(level) <= n],
        "reason": None if n >= starts_for(LEVELS[-1]) else _reason(study.document, n),
        "forecasters": [
            {**of, "coverage": next((_levels(one) for one in measured if one["of"] == of), None)}
            for of in of_today
        ],
    }


def _reason(document: Mapping[str, Any], n: int) -> str:
    """Return why there is no interval of the highest level."""
    return missing_level_text(LEVELS[-1], n) if n else no_intervals_text(document)


def _levels(entry: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the coverage by level, with the lowest of the steps; steps are counted from 1."""
    return [
        {
            "level": int(level),
            **{key: one[key] for key in ("value", "low", "high")},
            "lowest": min(one["by_step"]["value"]),
            "lowest_step": 1 + one["by_step"]["value"].index(min(one["by_step"]["value"])),
            "n_eff": entry["n_eff"],
        }
        for level, one in entry["levels"].items()
    ]
