"""Facts about this machine: versions of packages and the kind of processor."""

import functools
import importlib.metadata
import platform
import re
from pathlib import Path
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
    machine = f"{platform.system()} {platform.machine()}"
    return {"versions": versions, "machine": machine, "arithmetic": arithmetic()}


@functools.cache
def arithmetic() -> str:
    """Return what decides about the rounding of torch's matrix products and factorisations.

    It names the linear algebra library, the instructions that torch chooses, and the maker of the processor, by which
    MKL chooses its code. Trials compute with one thread.
    """
    import torch

    library = re.search(r"BLAS_INFO=(\w+)", torch.__config__.show())
    parts = [library.group(1) if library else "unknown BLAS", torch.backends.cpu.get_cpu_capability()]
    return ", ".join([*parts, _processor_maker(), "1 thread"])


def _processor_maker() -> str:
    """Return the maker of the processor, such as GenuineIntel; empty where the system does not tell."""
    try:
        found = re.search(r"^vendor_id\s*:\s*(\S+)", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    except OSError:
        found = None
    return found.group(1) if found else platform.machine()
