"""The diagnoses on the page: rows of texts, and shares as tints."""

from collections.abc import Mapping, Sequence
from typing import Any

from sweep.results.wording.diagnosis import MUTED, changes_text, symptom_text
from sweep.results.wording.numbers import percent_text

PRESCRIBED_MOST = 3  # sets of changes that are shown per cause


def diagnoses_values(document: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the section as texts; None if no trial was diagnosed.

    Args:
        document: from `report_document`.
    """
    section = document["diagnoses"]
    if not section["judged"]:
        return None
    shown = [row for row in section["symptoms"] if not row["muted"]]
    muted = [row for row in section["symptoms"] if row["muted"]]
    codes = [row["code"] for row in shown]
    return {
        "judged": section["judged"],
        "not_judged": section["not_judged"],
        "other_rules": section["other_rules"],
        "muted": ", ".join(section["muted"]),
        "symptoms": [_symptom_row(row) for row in shown] + ([_together(muted)] if muted else []),
        "columns": [(row["code"], row["title"]) for row in shown] + ([(MUTED, MUTED)] if muted else []),
        "choices": _choices(section["choices"], codes, bool(muted)),
        "late": any(row["basis"] == "end" for row in section["choices"]),
        "causes": [_cause_row(row) for row in section["causes"] if not row["muted"]],
    }


def _symptom_row(row: Mapping[str, Any]) -> dict[str, Any]:
    return {**row, "name": symptom_text(row), "percent": percent_text(row["share"])}


def _together(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    share = sum(row["share"] for row in rows)
    return {
        "code": MUTED,
        "name": MUTED,
        "trials": sum(row["trials"] for row in rows),
        "share": share,
        "percent": percent_text(share),
        "by_state": {key: sum(row["by_state"][key] for row in rows) for key in rows[0]["by_state"]},
        "best": None,
    }


def _choices(rows: Sequence[Mapping[str, Any]], codes: Sequence[str], muted: bool) -> list[dict[str, Any]]:
    """Return a table per choice: `name`, `late`, and per value its trials and a cell per column."""
    tables: dict[str, dict[str, Any]] = {}
    for row in rows:
        table = tables.setdefault(
            row["param"], {"name": row["param"], "late": row["basis"] == "end", "rows": []}
        )
        shares = [row["shares"].get(code, 0.0) for code in codes]
        if muted:
            shares.append(sum(share for code, share in row["shares"].items() if code not in codes))
        cells = [{"share": share, "text": percent_text(share) if share else ""} for share in shares]
        table["rows"].append({"value": row["value"], "trials": row["trials"], "cells": cells})
    return list(tables.values())


def _cause_row(row: Mapping[str, Any]) -> dict[str, Any]:
    tries = [f"{changes_text(each['changes'])} ({each['trials']})" for each in row["prescriptions"]]
    return {
        "name": f"{row['code']} {row['title']}",
        "trials": row["trials"],
        "percent": percent_text(row["share"]),
        "tries": tries[:PRESCRIBED_MOST],
        "more": max(0, len(tries) - PRESCRIBED_MOST),
    }
