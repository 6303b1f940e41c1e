"""Facts about this machine: versions of packages and the kind of processor."""

import importlib.metadata
import platform
from typing import Any

PACKAGES = ("torch", "optuna", "numpy", "scipy")


def machine_facts() -> dict[str, Any]:
    """Return versions and machine, which are stored with studies and trials."""
    versions = {name: importlib.metadata.version(name) for name in PACKAGES}
    versions["python"] = platform.python_version()
    try:
        versions["sweep"] = importlib.metadata.version("sweep")
    except importlib.metadata.PackageNotFoundError:
        versions["sweep"] = "unknown"
    return {"versions": versions, "machine": f"{platform.system()} {platform.machine()}"}
