"""What the figures were measured on: printed by every benchmark above its table."""

import os
import platform
import subprocess
from pathlib import Path


def machine() -> str:
    """Return one line with commit, processor, cores and torch."""
    import torch

    here = Path(__file__).resolve().parent
    commit = subprocess.run(
        ["git", "-C", str(here), "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    ).stdout.strip()
    name = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.is_file():
        models = [line for line in info.read_text().splitlines() if line.startswith("model name")]
        name = models[0].split(":", 1)[1].strip() if models else name
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"commit {commit or 'unknown'}, {name}, {cores} cores, torch {torch.__version__}"
