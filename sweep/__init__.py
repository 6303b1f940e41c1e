"""Hyperparameter sweeps and diagnosis for recurrent sequence forecasters, scored on long rollouts."""

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from sweep.api import (
        Execution,
        audit,
        compare,
        confirm,
        diagnose,
        doctor,
        export,
        fit,
        forecast,
        init,
        load_forecaster,
        load_study,
        preview,
        report,
        reproduce,
        run,
        show,
        treat,
    )

__all__ = [
    "Execution",
    "__version__",
    "audit",
    "compare",
    "confirm",
    "diagnose",
    "doctor",
    "export",
    "fit",
    "forecast",
    "init",
    "load_forecaster",
    "load_study",
    "preview",
    "report",
    "reproduce",
    "run",
    "show",
    "treat",
]


class _Package(ModuleType):
    """Keeps its functions: importing the rooms `doctor`, `forecast` and `report` replaces none of the same name."""

    def __setattr__(self, name: str, value: Any) -> None:
        if not (isinstance(value, ModuleType) and name in __all__):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package


def __getattr__(name: str) -> Any:
    """Import the API on first use, so that `import sweep` and `sweep --help` stay instant."""
    if name in __all__:
        from sweep import api

        return getattr(api, name)
    raise AttributeError(f"module 'sweep' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
