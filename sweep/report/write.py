"""The files of a report: the page, report.json and trials.csv."""

import csv
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sweep.results.breakdown import breakdown_columns
from sweep.results.comparison.compared import Comparison
from sweep.results.document import report_document
from sweep.results.rmse import rmse_columns
from sweep.results.study import read_study
from sweep.results.study_tables import StudyTables
from sweep.store.files import write_atomic
from sweep.store.folder import StudyFolder

if TYPE_CHECKING:
    import pandas as pd

FORMULA = (
    "=",
    "+",
    "-",
    "@",
    "\t",
    "\r",
)  # first characters of a text that spreadsheets take for a formula (OWASP)


@dataclass(frozen=True)
class ReportPaths:
    """The files of a report."""

    page: Path
    document: Path
    table: Path


def write_report(folder: StudyFolder) -> ReportPaths:
    """Write a study's report/index.html, report.json and trials.csv, and return where they are.

    Raises:
        StoreError: there is no study, a file of it is damaged, or the folder cannot be written.
    """
    from sweep.report.page.page import page_html  # here: most commands need neither plots nor templates

    tables = StudyTables(read_study(folder))
    document = report_document(tables)
    paths = ReportPaths(
        folder.report / "index.html", folder.report / "report.json", folder.report / "trials.csv"
    )
    folder.make_report()
    text = json.dumps(document, indent=1, allow_nan=False, ensure_ascii=False)
    write_atomic(paths.document, f"{text}\n".encode(), durable=False)
    write_atomic(paths.table, _trials_csv(tables, document).encode(), durable=False)
    write_atomic(paths.page, page_html(tables, document).encode(), durable=False)
    return paths


def write_comparison(comparison: Comparison, folder: StudyFolder, path: str | Path | None = None) -> Path:
    """Write the page of a comparison and return where it is.

    Args:
        comparison: of studies.
        folder: of the last study.
        path: of the page; None: report/compare.html of that study.

    Raises:
        CannotWrite: the page cannot be written there.
    """
    from sweep.report.page.comparison import (
        comparison_html,
    )  # here: most commands need no plots and templates

    content = comparison_html(comparison).encode()
    if path is None:
        folder.make_report()
        path = folder.report / "compare.html"
    return written(str(path), content)


def study_csv(folder: StudyFolder) -> str:
    """Return the content of a study's trials.csv.

    Raises:
        StoreError: there is no study.
    """
    tables = StudyTables(read_study(folder))
    return _trials_csv(tables, report_document(tables))


def _trials_csv(tables: StudyTables, document: Mapping[str, Any]) -> str:
    breakdown = breakdown_columns(tables.study.records)
    more = {
        record.number: {
            **rmse_columns(tables.study.facts, record.scores.rmse if record.scores else None),
            **breakdown[record.number],
        }
        for record in tables.study.records
    }
    return trials_csv(document, more)


def trials_csv(document: Mapping[str, Any], more: Mapping[int, Mapping[str, Any]] | None = None) -> str:
    """Return the trials of a report document as CSV: a row per trial, hyperparameters as `params.<name>`.

    A text cell that a spreadsheet would take for a formula gets a leading apostrophe; numbers are left alone.

    Args:
        document: of the report.
        more: columns by number of the trial, from `rmse_columns` and `breakdown_columns`; they come last.
    """
    more = more or {}
    further = dict.fromkeys(name for columns in more.values() for name in columns)
    trials = document["trials"]
    names = dict.fromkeys(name for trial in trials for name in trial["params"])
    columns = dict.fromkeys(key for trial in trials for key in trial if key not in ("params", "rmse", "test"))
    if not trials:
        columns = dict.fromkeys(("number", "state", "rollout_error"))
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow([*columns, *(f"params.{name}" for name in names), *further])
    for trial in trials:
        cells = [trial.get(key) for key in columns] + [trial["params"].get(name) for name in names]
        cells += [more.get(trial["number"], {}).get(name) for name in further]
        writer.writerow([guarded(cell) for cell in cells])
    return buffer.getvalue()


def forecast_csv(frame: "pd.DataFrame") -> str:
    """Return a forecast as CSV: a row per series, time and channel; names are guarded as in `trials_csv`."""
    names = {name: [guarded(cell) for cell in frame[name]] for name in ("series", "channel")}
    text: str = frame.assign(**names).to_csv(index=False, lineterminator="\n")
    return text


def written(path: str, content: bytes) -> Path:
    """Write a file that a user named, and return its path.

    Raises:
        StoreError: its folder is missing, or it cannot be written.
    """
    write_atomic(Path(path), content, durable=False)
    return Path(path)


def guarded(cell: Any) -> Any:
    """Return a cell that spreadsheets do not run: text that begins like a formula gets a leading apostrophe."""
    if isinstance(cell, list):
        cell = json.dumps(cell)
    if isinstance(cell, str) and cell.lstrip(" ").startswith(FORMULA):
        return f"'{cell}"
    return cell
