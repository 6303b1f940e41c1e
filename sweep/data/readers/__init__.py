"""The readers of data files, and the table of readers by extension."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sweep.config.errors import DataError
from sweep.config.registry import Registry, nearest
from sweep.data.readers.arrays import read_npy, read_npz
from sweep.data.readers.tables import Columns, read_csv
from sweep.data.recording import Recording


@dataclass(frozen=True)
class Reader:
    """An entry of the table; `name` is the extension."""

    name: str
    read: Callable[[Path, Columns], Recording]


READERS: Registry[Reader] = Registry(
    "file type", [Reader(".csv", read_csv), Reader(".npy", read_npy), Reader(".npz", read_npz)]
)


def read_file(path: str, base: Path | None, columns: Columns) -> Recording:
    """Return the series of a file.

    Args:
        path: absolute, or relative to `base`.
        base: None is the current directory.
        columns: names of the columns of ids and time, if the file has columns.

    Raises:
        DataError: the file does not exist, is of unknown type, or has invalid content.
    """
    full = (base or Path()) / Path(path).expanduser()
    known = ", ".join(READERS)
    if full.suffix.lower() not in READERS:
        raise DataError(
            f"{path}: unknown extension {full.suffix!r}. Known: {known}. Convert the file, for example to .csv"
        )
    if not full.is_file():
        beside = [file.name for file in full.parent.iterdir()] if full.parent.is_dir() else []
        raise DataError(
            f"{path}: no such file in {full.parent.absolute()}.{nearest(full.name, beside)} Check data.path: a "
            "relative path in a study file is relative to the folder of that file, with --set to the current directory"
        )
    try:
        return READERS[full.suffix.lower()].read(full, columns)
    except OSError as error:
        reason = error.strerror or str(error)
        raise DataError(f"{path}: cannot be read ({reason}): check the file and its permissions") from None


__all__ = ["READERS", "Columns", "Reader", "read_file"]
