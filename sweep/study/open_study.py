"""Opening a study: one value for its file, overrides, results folder and execution, used by every command."""

import contextlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from sweep.config.data_section import DATA_FILES, DataConfig
from sweep.config.errors import DataError, StudyChanged, SweepError
from sweep.config.feedback import NO_INPUTS, without_feedback_at
from sweep.config.records import SCORE_FORMAT
from sweep.config.study import StudyConfig, differences, with_recorded_history
from sweep.config.study_file import study_from_file, toml_value
from sweep.data import Data, load, summary_of, window_warnings
from sweep.data.beginning import rows_document
from sweep.score import block_length
from sweep.search import Workers, check_sampler
from sweep.search.execution import Execution
from sweep.search.left_semaphores import remove_semaphores
from sweep.store import DriverLock, StudyFolder
from sweep.study.cluster import cluster_workers
from sweep.study.components import falling_schedulers, known_names
from sweep.study.engine import check_device, engine_facts, has_engine, with_engine
from sweep.study.find import chosen_study, stored_study
from sweep.study.machine import machine_facts


@dataclass(frozen=True)
class OpenStudy:
    """A study file or a stored study. Settings and data are read at first use."""

    file: Path  # study file; for a stored study its study.toml
    folder: StudyFolder  # of the results; need not exist yet
    overrides: tuple[str, ...] = ()  # `key.path=value`: recorded ones, then new ones
    execution: Execution = field(default_factory=Execution)
    any_engine: bool = False  # whether this machine's engine serves where it lacks the recorded one

    @property
    def stored(self) -> Mapping[str, Any] | None:
        """Return the values of the stored study.toml; None for a new study."""
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
            UsageError: the sampler cannot sample the space.
            StudyChanged: the stored scores are of an older format, or the settings differ from those of the stored
                study; the text lists the differences.
        """
        stored = self.stored
        known = known_names().with_recorded((stored or {}).get("plugins", {}))
        config = study_from_file(self.file, self.overrides, known)
        config = replace(config, name=self.folder.name, data=_with_absolute_path(config.data, self.file))
        if stored is not None:
            config = replace(config, search=with_recorded_history(config.search, stored.get("search", {})))
        check_sampler(config.search.sampler, config.space)
        if stored is not None:
            require_score_format(self.folder)
            changed = differences(stored, config.document())
            if changed:
                listed = "\n  ".join(changed)
                raise StudyChanged(
                    f"the study in {self.folder.path} was made with other settings:\n  {listed}\n"
                    "Run it under another name (--name), or undo the change"
                )
        recorded = None if stored is None else stored.get("record")
        if recorded is not None and self.any_engine and not has_engine(recorded):
            recorded = None
        config = with_engine(config, recorded)
        return replace(config, run=self.execution.settings(config.run))

    @cached_property
    def data(self) -> Data:
        """Return the data of the study.

        Raises:
            DataError: they cannot be loaded, or have no known inputs where trials may be without feedback.
        """
        data = load(self.config.data, self.config.score)
        _require_inputs(self.config, data)
        return data

    @property
    def warnings(self) -> tuple[str, ...]:
        """Return the warnings about plug-ins that cannot be used, and about the data.

        Raises:
            DataError: every training series is shorter than the shortest window of a trial.
        """
        unusable = dict.fromkeys(known_names().broken.values())  # a broken file breaks every table
        return (*unusable, *self.data.warnings, *window_warnings(self.data, self.config.windows))

    @contextlib.contextmanager
    def locked(self, same_data: bool = True) -> Iterator[None]:
        """Hold the lock that keeps other drivers out of the results folder, checked against the data and tidied up.

        Args:
            same_data: whether the data must be those of the stored study.

        Raises:
            UsageError: the study's device is not available here.
            StudyLocked: another driver runs the study.
            StudyChanged: the data have changed since the study began.
            SweepError: the folder cannot be created.
        """
        check_device(self.config.run.device)
        fingerprint = self.data.fingerprint if same_data else None
        _make(self.folder.path)
        with DriverLock(self.folder.lock) as lock:
            if lock.killed is not None:
                remove_semaphores(lock.killed)
            if fingerprint is not None:
                require_same_data(self.folder, fingerprint)
            self.folder.sweep_up()
            yield

    def workers(self) -> Workers:
        """Return the workers that train its trials; the caller closes them.

        Raises:
            UsageError: no Dask scheduler answers, or distributed is not installed.
        """
        run = self.config.run
        if run.executor == "dask":
            return cluster_workers(self.config, self.data)
        return Workers(run.workers, run.executor)

    def write(self) -> None:
        """Store the effective study with facts about its data and this machine."""
        data, horizon = self.data, self.data.validation.truth.shape[1]
        record = {
            "source": str(self.file),
            "overrides": list(self.overrides),
            "data_fingerprint": data.fingerprint,
            "data": summary_of(data).document(),
            "warnings": list(data.warnings),
            "channels": list(data.channels),
            "targets": list(data.targets),
            "period": data.period,
            "lyapunov_time": data.lyapunov_time,
            "horizon": horizon,
            "horizon_test": data.test.truth.shape[1],
            "block": block_length(data.period, horizon),
            "score_format": SCORE_FORMAT,
            "scale_from": scale_sources(data),
            "n_eff_validation": data.validation.n_eff,
            "n_eff_test": data.test.n_eff,
            "falling_schedulers": falling_schedulers(self.config),
            **engine_facts(self.config),
            **machine_facts(),
        }
        self.folder.write_study({**self.config.document(), "record": record})
        if data.rows is not None:
            self.folder.write_document("rows", rows_document(data.rows))


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
        overrides: `key.path=value` for any value of the study file, in addition to those recorded with the results. A
            relative `data.path` is relative to the current directory.
        execution: how it runs; None: by the settings of the study file.
        stored: whether the study must have results; it is then opened with the settings of its run.

    Raises:
        UsageError: the study does not exist; the text gives the nearest name.
    """
    execution = execution or Execution()
    if stored:
        folder = stored_study(study, Path(results))
        return OpenStudy(folder.path / "study.toml", folder, (), execution)
    chosen = chosen_study(study, name, Path(results))
    recorded: list[str] = []
    if chosen.folder.exists():
        recorded = list(chosen.folder.read_study().get("record", {}).get("overrides", []))
    placed = [text for override in overrides for text in _with_absolute_data_path(override)]
    together = tuple(_last_of_each([*recorded, *_last_of_each(placed)]))
    return OpenStudy(chosen.file, chosen.folder, together, execution)


def _last_of_each(overrides: Sequence[str]) -> list[str]:
    """Return the last override of each key path; a repetition of an earlier override keeps its place."""
    kept: dict[str, str] = {}
    for text in overrides:
        key = text.partition("=")[0].strip()
        if kept.get(key) != text:
            kept.pop(key, None)
            kept[key] = text
    return list(kept.values())


# A relative path of data is relative to the place where it is written: the folder of the study file, or, for an
# override, the current directory. Both become absolute when they are read, so that a study can be resumed from any
# directory.


def _with_absolute_path(data: DataConfig, file: Path) -> DataConfig:
    """Return `[data]` with absolute paths; a relative one is relative to the study file."""
    paths = {key: path for key in DATA_FILES if (path := getattr(data, key)) is not None}
    return data.model_copy(update={key: _absolute(path, file.parent) for key, path in paths.items()})


def _with_absolute_data_path(override: str) -> list[str]:
    """Return an override with absolute paths of data, in several parts if it sets all of `[data]`.

    A relative path is relative to the current directory.
    """
    key, _, text = override.partition("=")
    keys, value = [part.strip() for part in key.split(".")], toml_value(text.strip())
    if keys == ["data"] and isinstance(value, Mapping):
        return [
            override,
            *(_path_override(key, value[key]) for key in DATA_FILES if isinstance(value.get(key), str)),
        ]
    if len(keys) == 2 and keys[0] == "data" and keys[1] in DATA_FILES and isinstance(value, str):
        return [_path_override(keys[1], value)]
    return [override]


def _path_override(key: str, path: str) -> str:
    return f"data.{key}={json.dumps(_absolute(path, Path()), ensure_ascii=False)}"


def _absolute(path: str, folder: Path) -> str:
    """Return an absolute path; `~` is the home folder. What cannot be a path is returned as it is."""
    try:
        return str((folder / Path(path).expanduser()).resolve())
    except (OSError, ValueError, RuntimeError):
        return path


def require_score_format(folder: StudyFolder) -> None:
    """Refuse stored results whose scores are defined otherwise than today's: the two cannot be compared.

    Raises:
        StudyChanged: the results are of an older score format.
    """
    if folder.exists() and folder.read_study().get("record", {}).get("score_format", 1) != SCORE_FORMAT:
        raise StudyChanged(
            f"the results in {folder.path} have scores by an older definition (docs/metrics.md), which cannot be "
            "compared with today's: run the study under another name (--name)"
        )


def require_same_data(folder: StudyFolder, fingerprint: str) -> None:
    """Refuse data that are not those of the stored results, whose scores and networks belong to other values.

    Args:
        folder: of the study; one without results has no data yet.
        fingerprint: of the data that were loaded.

    Raises:
        StudyChanged: the data have changed since the study began.
    """
    before = folder.read_study().get("record", {}).get("data_fingerprint") if folder.exists() else None
    if before is not None and before != fingerprint:
        raise StudyChanged(
            f"the data of the study in {folder.path} have changed since it began: restore them, or run it under "
            "another name (--name)"
        )


def scale_sources(data: Data) -> list[str]:
    """Return by target channel the trivial forecasts that set the scale of validation errors, the most frequent first.

    Each is followed by its share of the starts where there are several.
    """
    texts = []
    for channel in data.targets:
        counts = Counter(data.validation.scale_from[:, channel].tolist())
        total = counts.total()
        parts = [
            name if len(counts) == 1 else f"{name} {count / total:.0%}"
            for name, count in counts.most_common()
        ]
        texts.append(", ".join(parts))
    return texts


def _require_inputs(config: StudyConfig, data: Data) -> None:
    """Refuse trials without feedback on data without known inputs."""
    spans = {axis.name: axis.span for axis in config.space.axes}
    if without_feedback_at(config.model, spans) and not data.train_known[0].shape[1]:
        raise DataError(f"model.feedback: {NO_INPUTS}")


def _make(path: Path) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SweepError(f"cannot create the folder {path}: {error.strerror or error}") from error
