"""The readers of data files, and the table of readers by extension."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from sweep.config.data_section import DataConfig
from sweep.config.errors import DataError
from sweep.config.registry import Registry, nearest
from sweep.config.text import shortened
from sweep.data.readers.arrays import read_mat, read_npy, read_npz
from sweep.data.readers.frames import read_excel, read_feather, read_parquet
from sweep.data.readers.layout import recording_of
from sweep.data.readers.table import Table
from sweep.data.readers.text import read_text
from sweep.data.recording import Recording


@dataclass(frozen=True)
class Reader:
    """An entry of the table; `name` is the extension. A table gets its layout afterwards."""

    name: str
    read: Callable[[Path, DataConfig], Recording | Table]


READERS: Registry[Reader] = Registry(
    "file type",
    [
        *(
            Reader(name, read_text)
            for name in (".csv", ".tsv", ".txt", ".dat", ".csv.gz", ".tsv.gz", ".txt.gz")
        ),
        Reader(".parquet", read_parquet),
        Reader(".feather", read_feather),
        Reader(".xlsx", read_excel),
        Reader(".npy", read_npy),
        Reader(".npz", read_npz),
        Reader(".mat", read_mat),
    ],
)


def extension_of(path: Path) -> str:
    """Return the extension as in the table: the last one, with the one before it if that is .gz."""
    parts = [part.lower() for part in path.suffixes]
    return "".join(parts[-2:]) if parts[-1:] == [".gz"] else "".join(parts[-1:])


def read_recording(config: DataConfig, base: Path | None) -> Recording:
    """Return the series of the files of a study: `path`, and those of validation and test, if there are any.

    Args:
        config: the `[data]` section, with a path.
        base: folder of relative paths; None is the current directory.

    Raises:
        DataError: as in `read_file`, or the files have different channels or steps.
    """
    recording = read_file(str(config.path), base, config)
    for path, part in ((config.validation_path, "validation"), (config.test_path, "test")):
        if path is None:
            continue
        other = read_file(path, base, config)
        if other.channels != recording.channels:
            raise DataError(
                f"{path}: the channels are {', '.join(other.channels)}, but those of {config.path} are "
                f"{', '.join(recording.channels)}: set data.channels"
            )
        if other.step != recording.step:
            raise DataError(
                f"{path}: the step is {other.step or 'unknown'}, but that of {config.path} is "
                f"{recording.step or 'unknown'}: set data.resample"
            )
        whole = [
            replace(series, ends=(0, len(series.values) if part == "validation" else 0))
            for series in other.series
        ]
        recording = replace(recording, series=(*recording.series, *whole))
    return recording


def read_file(path: str, base: Path | None, config: DataConfig) -> Recording:
    """Return the series of a file; NaN and jumps of `steps` mark what is missing.

    Args:
        path: absolute, or relative to `base`.
        base: None is the current directory.
        config: the settings of the file.

    Raises:
        DataError: the file does not exist, is of unknown type, or has invalid content.
    """
    try:
        full = (base or Path()) / Path(path).expanduser()
        exists = full.is_file()
    except (OSError, RuntimeError, ValueError) as error:  # a name that is too long, the home of nobody
        reason = getattr(error, "strerror", None) or str(error)
        raise DataError(f"{shortened(path)}: cannot be a file ({reason}): check data.path") from None
    known = ", ".join(READERS)
    extension = extension_of(full)
    if extension not in READERS:
        raise DataError(
            f"{path}: unknown extension {extension!r}. Known: {known}. Convert the file, for example to .csv"
        )
    if not exists:
        beside = [file.name for file in full.parent.iterdir()] if full.parent.is_dir() else []
        raise DataError(
            f"{path}: no such file in {full.parent.absolute()}.{nearest(full.name, beside)} Check data.path: a "
            "relative path in a study file is relative to the folder of that file, with --set to the current directory"
        )
    content = read_content(full, path, config)
    stem = full.name[: -len(extension)]
    return recording_of(content, config, stem) if isinstance(content, Table) else replace(content, name=stem)


def read_content(file: Path, path: str, config: DataConfig) -> Recording | Table:
    """Return what the reader of a file's type makes of it, before a table gets its layout.

    Args:
        file: that exists, of a known type.
        path: as it is named in messages.
        config: the settings of the file.

    Raises:
        DataError: it cannot be read, or has invalid content.
    """
    try:
        return READERS[extension_of(file)].read(file, config)
    except OSError as error:
        reason = error.strerror or str(error)
        raise DataError(f"{path}: cannot be read ({reason}): check the file and its permissions") from None


__all__ = ["READERS", "Reader", "extension_of", "read_content", "read_file", "read_recording"]
