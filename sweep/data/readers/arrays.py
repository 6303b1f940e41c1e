"""Readers of arrays: `[time]`, `[time, channel]` or `[series, time, channel]`, in files of NumPy and MATLAB."""

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from sweep.config.data_section import DataConfig
from sweep.config.errors import DataError
from sweep.config.registry import nearest
from sweep.config.text import toml_string
from sweep.data.facts import Fact
from sweep.data.readers.input_like import input_facts
from sweep.data.recording import Recording, Series
from sweep.data.types import Array

ARRAY_MAGIC, ARCHIVE_MAGIC, HDF5_MAGIC = b"\x93NUMPY", b"PK", b"\x89HDF"  # first bytes of formats
SHAPES = "[time], [time, channel] or [series, time, channel]"


def read_npy(path: Path, config: DataConfig) -> Recording:
    """Return the series of a `.npy` file; NaN marks what is missing.

    Raises:
        DataError: the file is not an array of numbers in one of the shapes.
    """
    loaded = _loaded(path)
    if isinstance(loaded, Mapping):
        raise DataError(f"{path.name}: is an archive of arrays, not one array: rename it to .npz")
    return _recording(path, path.name, loaded, config)


def read_npz(path: Path, config: DataConfig) -> Recording:
    """Return the series of the only array of a `.npz` file, or of the array `data.key`.

    Raises:
        DataError: there are several arrays and no key, or as in `read_npy`.
    """
    loaded = _loaded(path)
    if not isinstance(loaded, Mapping):
        raise DataError(f"{path.name}: is one array, not an archive: rename it to .npy")
    return _chosen(path, loaded, config)


def read_mat(path: Path, config: DataConfig) -> Recording:
    """Return the series of the only array of numbers of a MATLAB file, or of the variable `data.key`.

    A vector is a series, whether it is a row or a column.

    Raises:
        DataError: as in `read_npz`, or the file is of MATLAB's version 7.3.
    """
    from scipy.io import loadmat

    with path.open("rb") as file:
        head = file.read(512 + len(HDF5_MAGIC))
    if head.startswith(HDF5_MAGIC) or head[512:].startswith(HDF5_MAGIC):
        raise DataError(f"{path.name}: a MATLAB file of version 7.3: save it with save(..., '-v7')")
    try:
        loaded = loadmat(path)
    except Exception as error:  # scipy has many
        raise DataError(f"{path.name}: cannot be read as a MATLAB file ({error}): save it again") from None
    arrays = {name: _vector(value) for name, value in loaded.items() if not name.startswith("__")}
    return _chosen(path, arrays, config)


def _vector(values: Any) -> Any:
    return (
        values.reshape(-1)
        if isinstance(values, np.ndarray) and values.ndim == 2 and 1 in values.shape
        else values
    )


def _chosen(path: Path, arrays: Mapping[str, Any], config: DataConfig) -> Recording:
    """Return the series of the array that is named, or of the only one."""
    shapes = [f"{name} {getattr(values, 'shape', '')}".strip() for name, values in arrays.items()]
    if config.key:
        if config.key not in arrays:
            raise DataError(
                f"{path.name}: no array {config.key!r} (data.key).{nearest(config.key, list(arrays))} "
                f"Arrays: {', '.join(shapes) or 'none'}"
            )
        return _recording(path, f"{path.name}, array {config.key!r}", arrays[config.key], config)
    series = {name: values for name, values in arrays.items() if _is_series(values)}
    if len(series) == 1:  # beside texts and single numbers, such as a sampling time
        arrays = series
    if len(arrays) != 1:
        keys = " or ".join(f"data.key = {toml_string(name)}" for name in list(arrays)[:3])
        raise DataError(
            f"{path.name}: {len(arrays)} arrays ({', '.join(shapes)}): set {keys}"
            if arrays
            else f"{path.name}: contains no array: save one of {SHAPES}"
        )
    ((name, values),) = arrays.items()
    return _recording(path, f"{path.name}, array {name!r}", values, config)


def _is_series(values: Any) -> bool:
    return isinstance(values, np.ndarray) and values.dtype.kind in "fiu" and values.size > 1


def _loaded(path: Path) -> Array | Mapping[str, Array]:
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


def _recording(path: Path, label: str, values: Any, config: DataConfig) -> Recording:
    if isinstance(values, np.ndarray) and values.dtype.names:
        raise DataError(
            f"{label}: is a structure of {', '.join(values.dtype.names)}: save them as arrays, each by itself or as "
            "columns of one"
        )
    if not isinstance(values, np.ndarray) or values.dtype.kind not in "fiu":
        kind = values.dtype if isinstance(values, np.ndarray) else type(values).__name__
        raise DataError(f"{label}: wanted real numbers, got {kind}: convert them with array.astype(float)")
    if values.ndim not in (1, 2, 3) or values.size == 0:
        raise DataError(f"{label}: wanted the shape {SHAPES}, got {values.shape}: reshape it")
    bad = np.argwhere(np.isinf(values))
    if len(bad):
        index = [int(number) for number in bad[0]]
        raise DataError(
            f"{label}, index {index} (counted from 0): {values[tuple(index)]} is not a finite number "
            f"({len(bad)} in all): correct the value, or write NaN for a missing one"
        )
    if config.resample:
        raise DataError(f"{label}: data.resample needs times, and an array has none: drop data.resample")
    if values.ndim == 2:
        values = _vector(values)  # one time of many channels is nothing to learn from
    cube = values[None, :, None] if values.ndim == 1 else values[None] if values.ndim == 2 else values
    names = ("y",) if cube.shape[2] == 1 else tuple(f"x{number}" for number in range(cube.shape[2]))
    for key in ("channels", "known", "static"):
        unknown = [name for name in getattr(config, key) if name not in names]
        if unknown:
            raise DataError(
                f"{label}: no channel {unknown[0]!r} (data.{key}).{nearest(unknown[0], names)} "
                f"Channels: {', '.join(names)}"
            )
    chosen = config.channels or tuple(name for name in names if name not in config.inputs)
    if not chosen:
        raise DataError(
            f"{label}: no channel beside the inputs ({', '.join(config.inputs)}): name fewer inputs"
        )
    columns = [names.index(name) for name in (*chosen, *config.inputs)]
    cube = np.ascontiguousarray(cube[:, :, columns], dtype=np.float64)
    many = len(cube) > 1
    facts = []
    if values.ndim == 2 and values.shape[0] < values.shape[1]:
        facts.append(
            Fact(
                "shape",
                f"{values.shape[0]} times of {values.shape[1]} channels; transpose it if it is not so",
            )
        )
    if len(chosen) > 1 and not config.target and not config.channels:
        facts.append(Fact("forecast", f"all {len(chosen)} channels", f'target = ["{chosen[0]}"]', True))
    facts += input_facts(chosen, cube[:, :, : len(chosen)].reshape(-1, len(chosen)), config)
    return Recording(
        path.stem,
        tuple(chosen),
        tuple(
            Series(f"{label}, series {n}" if many else label, one, name=str(n) if many else "")
            for n, one in enumerate(cube)
        ),
        known=config.inputs,
        facts=tuple(facts),
    )
