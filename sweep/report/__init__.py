"""What a study found, for people and for scripts: tidy tables, findings, plots, one page.

Importing this package imports neither matplotlib nor optuna: each name is loaded when it is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sweep.report.confirmation import confirmation_lines, optimism_text, verdict_text
    from sweep.report.diagnosis_text import print_diagnosis
    from sweep.report.document import report_document, stored_confirmation, trial_document
    from sweep.report.frames import errors_frame, leaderboard, rollout_frame, steps_frame, trials_frame
    from sweep.report.pruning import audit_lines, audit_text
    from sweep.report.text import print_report, print_trial
    from sweep.report.treatment import treatment_lines, treatment_texts
    from sweep.report.trial_plot import draw_trial
    from sweep.report.write import ReportPaths, write_report

_HOME = {
    "ReportPaths": "write",
    "audit_lines": "pruning",
    "audit_text": "pruning",
    "confirmation_lines": "confirmation",
    "draw_trial": "trial_plot",
    "errors_frame": "frames",
    "leaderboard": "frames",
    "optimism_text": "confirmation",
    "print_diagnosis": "diagnosis_text",
    "print_report": "text",
    "print_trial": "text",
    "report_document": "document",
    "rollout_frame": "frames",
    "steps_frame": "frames",
    "stored_confirmation": "document",
    "treatment_lines": "treatment",
    "treatment_texts": "treatment",
    "trial_document": "document",
    "trials_frame": "frames",
    "verdict_text": "confirmation",
    "write_report": "write",
}

__all__ = [
    "ReportPaths",
    "audit_lines",
    "audit_text",
    "confirmation_lines",
    "draw_trial",
    "errors_frame",
    "leaderboard",
    "optimism_text",
    "print_diagnosis",
    "print_report",
    "print_trial",
    "report_document",
    "rollout_frame",
    "steps_frame",
    "stored_confirmation",
    "treatment_lines",
    "treatment_texts",
    "trial_document",
    "trials_frame",
    "verdict_text",
    "write_report",
]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(f"sweep.report.{_HOME[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
