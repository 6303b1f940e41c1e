"""Opening a study: its file, its overrides and its results folder become one value, used by every command."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from sweep.config.errors import StudyChanged, SweepError
from sweep.config.sections import DataConfig
from sweep.config.study import StudyConfig, differences
from sweep.config.study_file import read_study
from sweep.data import Data, load, window_warnings
from sweep.score import block_length
from sweep.search import Workers, check_sampler
from sweep.search.execution import Execution
from sweep.store import DriverLock, StudyFolder
from sweep.study.components import known_names
from sweep.study.engine import check_device, engine_facts, with_engine
from sweep.study.find import chosen_study, stored_study
from sweep.study.machine import machine_facts


@dataclass(frozen=True)
class OpenStudy:
    """A study file or a stored study. Settings and data are read when they are first needed."""

    file: Path  # study file; for a stored study its study.toml
    folder: StudyFolder  # of the results; need not exist yet
    overrides: tuple[str, ...] = ()  # `key.path=value`: the recorded ones, then the new ones
    execution: Execution = field(default_factory=Execution)

    @property
    def stored(self) -> Mapping[str, Any] | None:
        """Return study.toml as it is stored now; None for a new study."""
        return self.folder.read_study() if self.folder.exists() else None

    @property
    def facts(self) -> Mapping[str, Any] | None:
        """Return `[record]` of the stored study, facts about its data and its machine; None for a new study."""
        stored = self.stored
        return None if stored is None else stored.get("record", {})

    @cached_property
    def config(self) -> StudyConfig:
        """Return the settings with which the study runs.

        Raises:
            StudyFileError: the study file is invalid; the text lists every mistake.
            UsageError: the sampler cannot serve the search space.
            StudyChanged: the settings differ from those of the stored study; the text lists the differences.
        """
        config = read_study(self.file, self.overrides, known_names())
        config = replace(config, name=self.folder.name, data=_with_absolute_path(config.data, self.file))
        check_sampler(config.search.sampler, config.space)
        stored = self.stored
        if stored is not None:
            changed = differences(stored, config.document())
            if changed:
                listed = "\n  ".join(changed)
                raise StudyChanged(
                    f"the study in {self.folder.path} was made with other settings:\n  {listed}\n"
                    "Run it under another name (--name), or undo the change"
                )
        config = with_engine(config, None if stored is None else stored.get("record", {}))
        return replace(config, run=self.execution.settings(config.run))

    @cached_property
    def data(self) -> Data:
        """Return the data of the study.

        Raises:
            DataError: they cannot be loaded.
        """
        return load(self.config.data, self.config.score)

    @property
    def warnings(self) -> tuple[str, ...]:
        """Return plug-ins that cannot be used, and what is unusual about the data.

        Raises:
            DataError: no training series is as long as any window that trials may use.
        """
        unusable = known_names().broken.values()
        return (*unusable, *self.data.warnings, *window_warnings(self.data, self.config.windows))

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other drivers out of the results folder, which is checked against the data and tidied up.

        Raises:
            UsageError: the study's device is not available here.
            StudyLocked: another driver runs the study.
            StudyChanged: the data have changed since the study began.
            SweepError: the folder cannot be made.
        """
        check_device(self.config.run.device)
        fingerprint = self.data.fingerprint
        _make(self.folder.path)
        with DriverLock(self.folder.lock):
            before = (self.facts or {}).get("data_fingerprint")
            if before is not None and before != fingerprint:
                raise StudyChanged(
                    f"the data of the study in {self.folder.path} have changed since it began; "
                    "run it under another name (--name)"
                )
            self.folder.sweep_up()
            yield

    def workers(self) -> Workers:
        """Return the workers that train its trials, to be closed by the caller."""
        return Workers(self.config.run.workers, self.config.run.executor)

    def write(self) -> None:
        """Store the study as it runs, with facts about its data and this machine."""
        data, horizon = self.data, self.data.validation.truth.shape[1]
        record = {
            "source": str(self.file),
            "overrides": list(self.overrides),
            "data_fingerprint": data.fingerprint,
            "channels": list(data.channels),
            "targets": list(data.targets),
            "period": data.period,
            "lyapunov_time": data.lyapunov_time,
            "block": block_length(data.period, horizon),
            "n_eff_validation": data.validation.n_eff,
            "n_eff_test": data.test.n_eff,
            **engine_facts(self.config),
            **machine_facts(),
        }
        self.folder.write_study({**self.config.document(), "record": record})


def open_study(
    study: str,
    results: str | Path = "results",
    *,
    name: str | None = None,
    overrides: Sequence[str] = (),
    execution: Execution | None = None,
    stored: bool = False,
) -> OpenStudy:
    """Open a study by its name or path.

    Args:
        study: name of a study, or path of a study file; with `stored` also the path of a results folder.
        results: folder of all studies.
        name: name of the results folder; None: the study's.
        overrides: `key.path=value` for any value of the study file, on top of those recorded with the results.
        execution: how it runs; None: as the study file says.
        stored: whether only a study that has results will do; its settings are those it ran with.

    Raises:
        UsageError: there is no such study; the text names the nearest.
    """
    execution = execution or Execution()
    if stored:
        folder = stored_study(study, Path(results))
        return OpenStudy(folder.path / "study.toml", folder, (), execution)
    chosen = chosen_study(study, name, Path(results))
    recorded: list[str] = []
    if chosen.folder.exists():
        recorded = list(chosen.folder.read_study().get("record", {}).get("overrides", []))
    together = tuple(_last_of_each([*recorded, *_last_of_each(overrides)]))
    return OpenStudy(chosen.file, chosen.folder, together, execution)


def _last_of_each(overrides: Sequence[str]) -> list[str]:
    """Return the last override of each key path; one that repeats an earlier one keeps its place."""
    kept: dict[str, str] = {}
    for text in overrides:
        key = text.partition("=")[0].strip()
        if kept.get(key) != text:
            kept.pop(key, None)
            kept[key] = text
    return list(kept.values())


def _with_absolute_path(data: DataConfig, file: Path) -> DataConfig:
    """Return `[data]` with an absolute path: a relative one is relative to the study file."""
    if data.path is None:
        return data
    return data.model_copy(update={"path": str((file.parent / data.path).resolve())})


def _make(path: Path) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SweepError(f"cannot make the folder {path}: {error.strerror or error}") from error
