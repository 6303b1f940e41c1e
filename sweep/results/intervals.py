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
    n = stored["n"]
    return {
        "n": n,
        "horizon": stored["horizon"],
        "levels": [level for level in LEVELS if n and starts_for(level) <= n],
        "reason": None if n >= starts_for(LEVELS[-1]) else _reason(study.document, n),
        "forecasters": [{**of, "coverage": coverage_entries(study.winner, of)} for of in of_today],
    }


def coverage_entries(winner: Mapping[str, Any] | None, of: Mapping[str, Any]) -> list[dict[str, Any]] | None:
    """Return what a forecaster's intervals cover of the locked test, by level; None if it has not been measured.

    Steps are counted from 1.

    Args:
        winner: winner.json.
        of: the forecaster, as in winner.json.
    """
    entries = (winner or {}).get("coverage") or []
    entry = next((one for one in entries if one["of"] == of), None)
    if entry is None:
        return None
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


def _reason(document: Mapping[str, Any], n: int) -> str:
    """Return why there is no interval of the highest level."""
    return missing_level_text(LEVELS[-1], n) if n else no_intervals_text(document)
