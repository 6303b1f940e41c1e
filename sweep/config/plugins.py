"""Plug-ins: entries of sweep's tables from other packages, or from a Python file named for one run.

An installed package offers them as entry points, such as `[project.entry-points."sweep.optimizers"]`. A Python file
offers every spec at its module level; `--plugin FILE.py` names it, or SWEEP_PLUGIN, which worker processes inherit. A
file is never loaded because a results folder names it.
"""

import functools
import hashlib
import importlib.metadata
import importlib.util
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from sweep.config.errors import SweepError

VARIABLE = "SWEEP_PLUGIN"  # paths of plug-in files, separated as in PATH


class PluginError(SweepError):
    """A plug-in that cannot be used; the text names it and says what is wrong with it."""


@dataclass(frozen=True)
class PluginOrigin:
    """Where a plug-in comes from: a distribution and its version, or a file and a digest of its content."""

    place: str  # "sweep-lion", or "mine.py"
    version: str  # "0.3.1", or "sha256:0123456789abcdef"

    def __str__(self) -> str:
        return f"{self.place} {self.version}"


@dataclass(frozen=True)
class EntryPoint:
    """A plug-in of an installed package, not loaded yet."""

    name: str
    origin: PluginOrigin
    load: Callable[[], Any]  # returns the spec


def entry_points(group: str) -> list[EntryPoint]:
    """Return the plug-ins of installed packages in an entry-point group, such as "sweep.optimizers"."""
    points = importlib.metadata.entry_points(group=group)
    return [
        EntryPoint(point.name, PluginOrigin(point.dist.name, point.dist.version), point.load)
        for point in points
        if point.dist is not None
    ]


def plugin_files() -> tuple[Path, ...]:
    """Return the plug-in files of this process."""
    return tuple(Path(text) for text in os.environ.get(VARIABLE, "").split(os.pathsep) if text)


def files_in_use() -> tuple[tuple[Path, str], ...]:
    """Return each plug-in file of this process with the digest of its content, or the error if it cannot be read."""
    states = []
    for path in plugin_files():
        try:
            states.append((path, file_digest(path)))
        except PluginError as error:
            states.append((path, str(error)))
    return tuple(states)


@contextmanager
def using(files: Iterable[str | Path]) -> Iterator[None]:
    """Use plug-in files inside the context, in this process and in the worker processes that it starts.

    Raises:
        PluginError: a file does not exist or cannot be loaded.
    """
    added = [str(Path(file).resolve()) for file in files]
    before = os.environ.get(VARIABLE)
    paths = [*(path for path in (before or "").split(os.pathsep) if path), *added]
    if paths:
        os.environ[VARIABLE] = os.pathsep.join(dict.fromkeys(paths))
    try:
        for path in added:
            load_file(Path(path))
        yield
    finally:
        if before is None:
            os.environ.pop(VARIABLE, None)
        else:
            os.environ[VARIABLE] = before


def load_file(path: Path) -> tuple[ModuleType, PluginOrigin]:
    """Return the module of a plug-in file, loaded once per content, and its origin.

    Raises:
        PluginError: the file cannot be read, or raises an error.
    """
    digest = file_digest(path)
    return _loaded(path, digest), PluginOrigin(path.name, f"sha256:{digest}")


def file_digest(path: Path) -> str:
    """Return the first 16 hex digits of the SHA-256 of a plug-in file.

    Raises:
        PluginError: the file cannot be read.
    """
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()[:16]
    except OSError as error:
        raise PluginError(f"plug-in file {path}: {error.strerror or error}") from error


def error_text(error: BaseException) -> str:
    """Return the type and text of an error on one line."""
    return f"{type(error).__name__}: {' '.join(str(error).split())}"


@functools.cache
def _loaded(path: Path, digest: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"sweep_plugin_{digest}", path)
    if spec is None or spec.loader is None:
        raise PluginError(f"plug-in file {path}: not a Python file, whose name ends in .py")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise PluginError(f"plug-in file {path}: {error_text(error)}") from error
    return module
