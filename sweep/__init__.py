"""Hyperparameter sweeps and diagnosis for recurrent sequence forecasters, scored on long rollouts."""

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from sweep.api import audit as audit
    from sweep.api import confirm as confirm
    from sweep.api import load_study as load_study
    from sweep.api import report as report
    from sweep.api import run as run
    from sweep.api import treat as treat

__all__ = ["__version__", "audit", "confirm", "load_study", "report", "run", "treat"]


def __getattr__(name: str) -> Any:
    """Import the API on first use, so that `import sweep` and `sweep --help` stay instant."""
    if name in ("audit", "confirm", "load_study", "report", "run", "treat"):
        from sweep import api

        return getattr(api, name)
    raise AttributeError(f"module 'sweep' has no attribute {name!r}")
