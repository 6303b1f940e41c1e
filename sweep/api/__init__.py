"""What sweep does, as functions: init, run, confirm, treat, audit, fit, forecast, report, diagnose, doctor, and more.

The command line only calls these. Nothing is imported before it is used, so that commands start quickly.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sweep.api.compare_studies import Compared, compare
    from sweep.api.examined import Examined, doctor
    from sweep.api.execution import plot
    from sweep.api.export_forecaster import export
    from sweep.api.fit_study import FitResult, fit
    from sweep.api.followup import (
        AuditResult,
        ConfirmResult,
        ReproduceResult,
        TreatResult,
        audit,
        confirm,
        reproduce,
        treat,
    )
    from sweep.api.forecast_study import forecast
    from sweep.api.init_study import Proposed, init
    from sweep.api.loaded_study import LoadedStudy
    from sweep.api.made_forecast import Forecast
    from sweep.api.read import diagnose, load_study, report, show
    from sweep.api.run_study import RunResult, preview, run
    from sweep.forecast.export import LoadedForecast, LoadedForecaster, Written, load_forecaster
    from sweep.results.listing import listing
    from sweep.search.execution import Execution

_HOME = {
    "AuditResult": "sweep.api.followup",
    "Compared": "sweep.api.compare_studies",
    "ConfirmResult": "sweep.api.followup",
    "Examined": "sweep.api.examined",
    "Execution": "sweep.search.execution",
    "Forecast": "sweep.api.made_forecast",
    "FitResult": "sweep.api.fit_study",
    "LoadedForecast": "sweep.forecast.export",
    "LoadedForecaster": "sweep.forecast.export",
    "LoadedStudy": "sweep.api.loaded_study",
    "Proposed": "sweep.api.init_study",
    "ReproduceResult": "sweep.api.followup",
    "RunResult": "sweep.api.run_study",
    "TreatResult": "sweep.api.followup",
    "Written": "sweep.forecast.export",
    "audit": "sweep.api.followup",
    "compare": "sweep.api.compare_studies",
    "confirm": "sweep.api.followup",
    "doctor": "sweep.api.examined",
    "diagnose": "sweep.api.read",
    "export": "sweep.api.export_forecaster",
    "forecast": "sweep.api.forecast_study",
    "fit": "sweep.api.fit_study",
    "init": "sweep.api.init_study",
    "listing": "sweep.results.listing",  # not by way of the others, which import torch
    "load_forecaster": "sweep.forecast.export",
    "load_study": "sweep.api.read",
    "plot": "sweep.api.execution",
    "preview": "sweep.api.run_study",
    "report": "sweep.api.read",
    "reproduce": "sweep.api.followup",
    "run": "sweep.api.run_study",
    "show": "sweep.api.read",
    "treat": "sweep.api.followup",
}

__all__ = [
    "AuditResult",
    "Compared",
    "ConfirmResult",
    "Examined",
    "Execution",
    "FitResult",
    "Forecast",
    "LoadedForecast",
    "LoadedForecaster",
    "LoadedStudy",
    "Proposed",
    "ReproduceResult",
    "RunResult",
    "TreatResult",
    "Written",
    "audit",
    "compare",
    "confirm",
    "diagnose",
    "doctor",
    "export",
    "fit",
    "forecast",
    "init",
    "listing",
    "load_forecaster",
    "load_study",
    "plot",
    "preview",
    "report",
    "reproduce",
    "run",
    "show",
    "treat",
]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(_HOME[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
