"""Writing a study file that fits a data file."""

import os
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sweep.config.data_section import DataConfig
from sweep.config.errors import UsageError
from sweep.config.study import StudyConfig
from sweep.config.study_file import overridden, study_from_document
from sweep.data import DataSummary, load_recording, summary_of_recording
from sweep.data.readers import READERS, extension_of
from sweep.data.recording import target_indices
from sweep.store import checked_study_name
from sweep.store.files import write_atomic
from sweep.study.components import known_names
from sweep.study.proposal import proposal

READ_FROM = ("data", "score")  # sections whose given values a proposal depends on


@dataclass(frozen=True)
class Asked:
    """What a caller asks of a study of data that has no study file yet."""

    horizon: int | None = None  # free-running steps to score; None: chosen
    target: tuple[str, ...] = ()  # channels to forecast and score; empty: all
    known: tuple[str, ...] = ()  # inputs whose future is given
    overrides: tuple[str, ...] = ()  # `key.path=value`

    @property
    def settings(self) -> dict[str, Any]:
        """Return what is asked beside the overrides, by key path; None or an empty list: not asked."""
        return {
            "score.horizon": self.horizon,
            "data.target": list(self.target),
            "data.known": list(self.known),
        }


NOTHING = Asked()


def asked_of(
    horizon: int | None,
    target: str | Sequence[str],
    known: str | Sequence[str],
    overrides: Sequence[str],
) -> Asked:
    """Return what a caller asks; a single name may be given as text."""
    names = [(one,) if isinstance(one, str) else tuple(one) for one in (target, known)]
    return Asked(horizon, names[0], names[1], tuple(overrides))


@dataclass(frozen=True)
class Proposed:
    """A study file that fits a data file."""

    path: Path  # of the study file
    text: str
    summary: DataSummary
    study: StudyConfig
    intervals: str = (
        ""  # which intervals its forecasts will have, or why none; empty: a given division decides
    )


def init(
    file: str | Path,
    *,
    horizon: int | None = None,
    target: str | Sequence[str] = (),
    known: str | Sequence[str] = (),
    output: str | Path | None = None,
    overrides: Sequence[str] = (),
    force: bool = False,
) -> Proposed:
    """Write a study file that fits a data file, and return it with what was seen of the data.

    Args:
        file: of the data.
        horizon: free-running steps to score; None: chosen by period and length.
        target: the channel to forecast and score, or several; empty: all.
        known: the column of an input whose future is given, or several; empty: none.
        output: the study file; None: the data file's name with .toml, in the current directory.
        overrides: `key.path=value` for any value of the study file.
        force: whether an existing study file is overwritten.

    Raises:
        UsageError: the study file exists, or the file is not data.
        DataError: the data cannot be read, or are too few; the text says how many rows would do.
        StudyFileError: an override is invalid; the text lists every mistake.
    """
    path = Path(output) if output is not None else study_file_of(file)
    if path.suffix != ".toml":
        raise UsageError(f"the study file {path} must end in .toml")
    if path.exists() and not force:
        raise UsageError(
            f"{path} exists: run it, name another file with --output, or overwrite it with --force"
        )
    checked_study_name(path.stem)
    proposed = proposed_study(file, path, asked_of(horizon, target, known, overrides))
    if not path.parent.is_dir():
        raise UsageError(
            f"the folder {path.parent} does not exist: create it, or choose another with --output"
        )
    write_atomic(path, proposed.text.encode())
    return proposed


def proposed_study(file: str | Path, path: Path, asked: Asked = NOTHING) -> Proposed:
    """Return a study file that fits a data file; nothing is written.

    Args:
        file: of the data.
        path: where the study file will be.
        asked: what the study file should have.

    Raises:
        UsageError, DataError, StudyFileError: as in `init`.
    """
    data = Path(file).expanduser()
    if not is_data_file(data):
        raise UsageError(f"{file} is not a data file. Known: {', '.join(READERS)}")
    given = _given(asked.overrides)
    targets = list(asked.target or given.get("data.target", ()))
    inputs = list(asked.known or given.get("data.known", ()))
    sections = {
        name: {key.removeprefix(f"{name}."): one for key, one in given.items() if key.startswith(f"{name}.")}
        for name in READ_FROM
    }
    sections["data"] |= {"path": str(data.resolve()), "target": targets, "known": inputs}
    document: dict[str, Any] = {**sections, "space": {"cell": ["lstm", "gru"]}}
    config: DataConfig = study_from_document(document, known_names(), "--set").data
    recording = load_recording(config)
    summary = summary_of_recording(recording, target_indices(recording.channels, targets))
    made = proposal(summary, _place(data, path), asked.horizon, targets, inputs, given)
    study = _checked(made.text, path)
    return Proposed(path, made.text, replace(summary, name=path.stem), study, made.intervals)


def is_data_file(file: str | Path) -> bool:
    """Return whether a name has the extension of a data file."""
    return extension_of(Path(file)) in READERS


def study_file_of(file: str | Path) -> Path:
    """Return the study file of a data file: its name with .toml, in the current directory.

    Raises:
        UsageError: no study can have that name.
    """
    name = Path(file).name
    return Path(f"{checked_study_name(name[: len(name) - len(extension_of(Path(file)))])}.toml")


def _given(overrides: Sequence[str]) -> dict[str, Any]:
    """Return values by key path; later ones of the same path replace earlier ones."""
    given: dict[str, Any] = {}
    for text in overrides:
        document = overridden({}, [text])
        path = ".".join(part.strip() for part in text.partition("=")[0].split("."))
        value: Any = document
        for key in path.split("."):
            value = value[key]
        given[path] = value
    whole = [name for name in READ_FROM if name in given]
    if whole:
        raise UsageError(f"{whole[0]} is a whole section: set single values, such as {whole[0]}.KEY=VALUE")
    if "data.path" in given or "data.source" in given:
        raise UsageError("data.path is the file that is given: do not set it, or data.source")
    return given


def _checked(text: str, path: Path) -> StudyConfig:
    """Return the study of a proposed text.

    Raises:
        StudyFileError: an override does not fit.
    """
    document = tomllib.loads(text)
    return study_from_document({"name": path.stem, **document}, known_names(), f"the study file {path}")


def _place(data: Path, path: Path) -> str:
    """Return the data file's path as the study file has it: relative if it is in the same folder or below."""
    folder, full = path.resolve().parent, data.resolve()
    return Path(os.path.relpath(full, folder)).as_posix() if full.is_relative_to(folder) else str(full)
