"""The readers of numpy files: arrays `[time]`, `[time, channel]` or `[series, time, channel]`."""

import zipfile
from pathlib import Path

import numpy as np

from sweep.config.errors import DataError
from sweep.data.readers.tables import Columns
from sweep.data.recording import Recording, Series
from sweep.data.types import Array

ARRAY_MAGIC, ARCHIVE_MAGIC = b"\x93NUMPY", b"PK"  # first bytes of the two formats
SHAPES = "[time], [time, channel] or [series, time, channel]"


def read_npy(path: Path, columns: Columns) -> Recording:
    """Return the series of a `.npy` file; `columns` has no effect.

    Raises:
        DataError: the file is not an array of finite numbers in one of the shapes.
    """
    loaded = _loaded(path)
    if isinstance(loaded, dict):
        raise DataError(f"{path.name}: is an archive of arrays, not one array: rename it to .npz")
    return _recording(path, path.name, loaded)


def read_npz(path: Path, columns: Columns) -> Recording:
    """Return the series of a `.npz` file with exactly one array; `columns` has no effect.

    Raises:
        DataError: the file is not exactly one array of finite numbers in one of the shapes.
    """
    loaded = _loaded(path)
    if not isinstance(loaded, dict):
        raise DataError(f"{path.name}: is one array, not an archive: rename it to .npy")
    if len(loaded) != 1:
        raise DataError(
            f"{path.name}: wanted exactly one array, got {len(loaded)} ({', '.join(loaded) or 'none'}): save "
            "one with np.savez(path, values=array)"
        )
    ((name, values),) = loaded.items()
    return _recording(path, f"{path.name}, array {name!r}", values)


def _loaded(path: Path) -> Array | dict[str, Array]:
    """Return the array, or the arrays of an archive by name, without running code in the file."""
    with path.open("rb") as file:
        head = file.read(len(ARRAY_MAGIC))
        file.seek(0)
        if not head:
            raise DataError(f"{path.name}: the file is empty: save an array of {SHAPES}")
        if head != ARRAY_MAGIC and not head.startswith(ARCHIVE_MAGIC):
            raise DataError(f"{path.name}: not written by numpy: save it with np.save or np.savez")
        try:
            loaded = np.load(file, allow_pickle=False)
            if isinstance(loaded, np.ndarray):
                return loaded
            with loaded:
                return dict(loaded)
        except (ValueError, EOFError, zipfile.BadZipFile) as error:
            if "pickle" in str(error) or "Object arrays" in str(error):
                raise DataError(
                    f"{path.name}: contains pickled objects, which could run code and are refused: save an "
                    "array of numbers, such as array.astype(float)"
                ) from None
            raise DataError(
                f"{path.name}: not a readable array ({error}): save it again with np.save or np.savez"
            ) from None


def _recording(path: Path, label: str, values: Array) -> Recording:
    if values.dtype.kind not in "fiu":
        raise DataError(
            f"{label}: wanted real numbers, got {values.dtype}: convert them with array.astype(float)"
        )
    if values.ndim not in (1, 2, 3) or values.size == 0:
        raise DataError(f"{label}: wanted the shape {SHAPES}, got {values.shape}: reshape it")
    bad = np.argwhere(~np.isfinite(values))
    if len(bad):
        index = [int(number) for number in bad[0]]
        raise DataError(
            f"{label}, index {index} (counted from 0): {values[tuple(index)]} is not a finite number "
            f"({len(bad)} in all): fill it in, or cut the series there"
        )
    cube = values[None, :, None] if values.ndim == 1 else values[None] if values.ndim == 2 else values
    channels = ("y",) if cube.shape[2] == 1 else tuple(f"x{number}" for number in range(cube.shape[2]))
    cube = np.ascontiguousarray(cube, dtype=np.float64)
    many = len(cube) > 1
    return Recording(
        path.stem,
        channels,
        tuple(Series(f"{label}, series {n}" if many else label, one) for n, one in enumerate(cube)),
    )
