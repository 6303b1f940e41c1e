"""What a study found, for people and for scripts: tidy tables, findings, plots, one page.

Importing this package imports neither matplotlib nor optuna: each name is loaded when it is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sweep.report.trial_plot import draw_trial

_HOME = {
    "draw_trial": "trial_plot",
}

__all__ = ["draw_trial"]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(f"sweep.report.{_HOME[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
