"""Studies of data that are given instead of a study file: a data file, or arrays and tables of Python."""

import io
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Union

import numpy as np

from sweep.api.init_study import Asked, proposed_study, study_file_of
from sweep.config.errors import StudyChanged, SweepError, UsageError
from sweep.store import StudyFolder, checked_study_name
from sweep.store.files import write_atomic

if TYPE_CHECKING:
    import pandas as pd

Given = Union["pd.DataFrame", "pd.Series[Any]", np.ndarray]

PROPOSED = "proposed.toml"  # in the results folder of a study of given data
TABLE, ARRAY = "data.csv", "data.npy"
OF_DATA = "data."  # overrides with which the data are read


def study_of_file(
    file: str,
    asked: Asked,
) -> Path:
    """Return the study file of a data file: <stem>.toml in the current directory, written if it is not there.

    Raises:
        UsageError: the study file has another data file, horizon, target or inputs.
        DataError: as in `sweep.init`.
    """
    path = study_file_of(file)
    if path.exists():
        _require_same(path, Path(file), asked)
        return path
    checked_study_name(path.stem)
    proposed = proposed_study(file, path, _of_data(asked))
    write_atomic(path, proposed.text.encode())
    return path


@contextmanager
def previewed_study_of_file(
    file: str,
    asked: Asked,
) -> Iterator[Path]:
    """Give the study file of a data file, a temporary one if there is none: a preview writes nothing.

    Raises:
        UsageError, DataError: as in `study_of_file`.
    """
    path = study_file_of(file)
    if path.exists():
        _require_same(path, Path(file), asked)
        yield path
        return
    with TemporaryDirectory() as folder:
        temporary = Path(folder) / path.name
        proposed = proposed_study(file, temporary, _of_data(asked))
        temporary.write_text(proposed.text, encoding="utf-8")
        yield temporary


def study_of_values(
    data: Given,
    name: str,
    results: Path,
    asked: Asked,
) -> Path:
    """Store data in the results folder of a study, with the study file that fits them, and return that file.

    Args:
        data: a DataFrame or Series; or an array [time], [time, channel] or [series, time, channel].
        name: of the study.
        results: folder of all studies.
        asked: what the study file should have; of the overrides only those of `[data]`.

    Raises:
        StudyChanged: the study has other data, another horizon, another target or other inputs.
        UsageError: the data have another type, or the name belongs to a study of a study file.
        DataError: as in `sweep.init`.
    """
    folder = results / checked_study_name(name)
    path = folder / PROPOSED
    file_name, content = stored_form(data)
    stored = folder / file_name
    if path.exists():
        if not stored.exists() or stored.read_bytes() != content:
            raise StudyChanged(
                f"the study in {folder} was made with other data: run these under another name (name=...)"
            )
        _require_same(path, stored, asked)
        return path
    if StudyFolder(folder).exists():
        raise UsageError(f"{folder} holds a study of a study file: choose another name (name=...)")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SweepError(f"cannot create the folder {folder}: {error.strerror or error}") from error
    write_atomic(stored, content)
    try:
        proposed = proposed_study(stored, path, _of_data(asked))
    except SweepError:
        stored.unlink()
        if not any(folder.iterdir()):
            folder.rmdir()
        raise
    write_atomic(path, proposed.text.encode())
    return path


def stored_form(data: Given) -> tuple[str, bytes]:
    """Return the file name and the bytes in which data are stored; every number is read back exactly.

    Raises:
        UsageError: the data are neither a table nor an array of numbers.
    """
    import pandas as pd

    if isinstance(data, pd.Series):
        data = data.to_frame(data.name if data.name is not None else "y")
    if isinstance(data, pd.DataFrame):
        return TABLE, _csv(data).encode()
    if isinstance(data, np.ndarray | list | tuple):
        array = np.asarray(data)
        if array.dtype.kind not in "fiu":
            raise UsageError(f"data: wanted an array of real numbers, got {array.dtype}")
        content = io.BytesIO()
        np.save(content, np.ascontiguousarray(array, dtype=np.float64), allow_pickle=False)
        return ARRAY, content.getvalue()
    raise UsageError(
        f"data: wanted a pandas DataFrame or Series or a NumPy array, got {type(data).__name__}: convert it, or save "
        "it as a file and give its path"
    )


def _csv(frame: Any) -> str:
    """Return a table as CSV: dates of its index as column ds, numbers with all their digits."""
    import pandas as pd

    if isinstance(frame.index, pd.PeriodIndex):
        frame = frame.set_axis(frame.index.to_timestamp(), axis=0)
    if isinstance(frame.index, pd.MultiIndex) or isinstance(frame.columns, pd.MultiIndex):
        raise UsageError(
            "data: the table has an index of several levels: use frame.reset_index(), with the ids in a column "
            "unique_id and the times in a column ds"
        )
    frame = frame.rename(columns=str)
    if isinstance(frame.index, pd.DatetimeIndex):
        if "ds" in frame.columns:
            raise UsageError("data: both the index and the column ds hold times: drop one of them")
        frame = frame.rename_axis("ds").reset_index()
    for column in frame.columns:
        kind = frame[column].dtype
        if isinstance(kind, pd.DatetimeTZDtype):  # clocks that change have no even steps: times in UTC have
            frame[column] = frame[column].dt.tz_convert("UTC").dt.tz_localize(None)
        elif pd.api.types.is_bool_dtype(kind) or pd.api.types.is_float_dtype(kind):
            frame[column] = frame[column].astype("float64")
    text: str = frame.to_csv(index=False, lineterminator="\n")
    return text


def _of_data(asked: Asked) -> Asked:
    """Return what is asked with the overrides by which data are read; the others are those of the run."""
    of_data = (text for text in asked.overrides if text.strip().startswith(OF_DATA))
    return replace(asked, overrides=tuple(of_data))


def _require_same(path: Path, file: Path, asked: Asked) -> None:
    """Refuse a study file of another data file, horizon, target or inputs."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} cannot be read: {error}") from error
    data = document.get("data", {})
    place = data.get("path")
    own = None if place is None else (path.resolve().parent / Path(place).expanduser()).resolve()
    if own != file.expanduser().resolve():
        raise UsageError(
            f"{path} exists and is for {place or data.get('source')}, not for {file}: run {path} itself, or write "
            f"another study file with `sweep init {file} --output OTHER.toml` and run that"
        )
    for key, wanted in asked.settings.items():
        section, _, name = key.partition(".")
        stored = document.get(section, {}).get(name, [] if isinstance(wanted, list) else None)
        if wanted and wanted != stored:
            raise StudyChanged(
                f"{path} has {key} = {stored}, not {wanted}: edit it, or write another study file with "
                "`sweep init --output OTHER.toml` and run that; for given data choose another name"
            )
