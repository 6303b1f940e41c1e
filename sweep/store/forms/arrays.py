"""NumPy archives of a declared form: each array has a kind, and its axes have the sizes of the other arrays."""

import io
import zipfile
from collections.abc import Mapping

import numpy as np

from sweep.store.forms.json_form import Misfit

FLOAT, INTEGER, BOOL, TEXT = "f", "iu", "b", "U"
ArrayForm = tuple[tuple[str, ...], str]  # the axes of an array, and its kind


def stored_arrays(content: bytes) -> dict[str, np.ndarray]:
    """Return the arrays of an uncompressed .npz by name.

    Raises:
        Misfit: the content is not such a file.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            packed = [entry.filename for entry in archive.infolist() if entry.compress_type]
        if packed:  # sweep stores them as they are; a packed one may fill the memory
            raise Misfit(f"{packed[0]} is compressed")
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            return {name: arrays[name] for name in arrays.files}
    except Misfit:
        raise
    except Exception as error:  # zipfile and numpy raise many kinds, none of which is documented
        raise Misfit(str(error).split("\n", 1)[0] or type(error).__name__) from None


def axis_sizes(
    arrays: Mapping[str, np.ndarray], form: Mapping[str, ArrayForm], later: Mapping[str, ArrayForm]
) -> dict[str, int]:
    """Return the length of each axis, which is the same in all arrays.

    Args:
        arrays: by name.
        form: of arrays that must be there.
        later: of arrays that may be missing.

    Raises:
        Misfit: an array is missing, or has another kind, or other axes.
    """
    sizes: dict[str, int] = {}
    for name, (axes, kinds) in {**form, **later}.items():
        if name not in arrays:
            if name in form:
                raise Misfit(f"{name} is missing")
            continue
        array = arrays[name]
        if array.dtype.kind not in kinds:
            raise Misfit(f"{name} is of the kind {array.dtype}")
        if array.ndim != len(axes):
            raise Misfit(f"{name} has the shape {array.shape}, wanted ({', '.join(axes)})")
        for axis, size in zip(axes, array.shape, strict=True):
            if sizes.setdefault(axis, size) != size:
                raise Misfit(f"{name} has {size} along {axis}, other arrays have {sizes[axis]}")
    return sizes
