"""The form of rollout.npz: arrays by name, each with its axes and kind."""

import io
import zipfile
from collections.abc import Mapping

import numpy as np

from sweep.store.forms.json_form import Misfit

FLOAT, INTEGER, BOOL, TEXT = "f", "iu", "b", "U"
# Axes and kind by name; an axis has the same length in all arrays. Of "some" starts there are at most all.
FORM: Mapping[str, tuple[tuple[str, ...], str]] = {
    "forecast": (("start", "step", "channel"), FLOAT),
    "truth": (("start", "step", "channel"), FLOAT),
    "past": (("start", "past", "channel"), FLOAT),
    "one_step": (("some", "step", "channel"), FLOAT),
    "nrmse": (("step",), FLOAT),
    "one_step_nrmse": (("step",), FLOAT),
    "exposure_gap": (("step",), FLOAT),
    "scale": (("start", "channel"), FLOAT),
    "mean": (("start", "channel"), FLOAT),
    "std": (("start", "channel"), FLOAT),
    "valid_steps": (("start",), INTEGER + FLOAT),
}
LATER: Mapping[str, tuple[tuple[str, ...], str]] = {  # an older version did not store them
    "block": ((), INTEGER),
    "targets": (("target",), INTEGER),
    "scale_from": (("start", "channel"), TEXT),
    "exact": (("start", "channel"), BOOL),
    "trivial": ((), TEXT),
    "trivial_error": ((), FLOAT),
    "trivial_noise": ((), FLOAT),
    "trivial_exact": ((), BOOL),
    "trivial_valid_steps": (("start",), INTEGER + FLOAT),
    "series": (("start",), INTEGER),
    "position": (("start",), INTEGER),
    "inputs": (("start", "past and step", "input"), FLOAT),
    "input_names": (("input",), TEXT),
}
TOGETHER = (("inputs", "input_names"), tuple(name for name in LATER if name.startswith("trivial")))


def rollout_arrays(content: bytes) -> dict[str, np.ndarray]:
    """Return the arrays of a rollout.npz.

    Raises:
        Misfit: the content is not such a file; the text says what differs.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            packed = [entry.filename for entry in archive.infolist() if entry.compress_type]
        if packed:  # sweep stores them as they are; a packed one may fill the memory
            raise Misfit(f"{packed[0]} is compressed")
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            loaded = {name: arrays[name] for name in arrays.files}
    except Misfit:
        raise
    except Exception as error:  # zipfile and numpy raise many kinds, none of which is documented
        raise Misfit(str(error).split("\n", 1)[0] or type(error).__name__) from None
    _check(loaded)
    return loaded


def _check(arrays: Mapping[str, np.ndarray]) -> None:
    sizes: dict[str, int] = {}
    for name, (axes, kinds) in {**FORM, **LATER}.items():
        if name not in arrays:
            if name in FORM:
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
    for axis in ("start", "step", "channel", "past", "target"):
        if not sizes.get(axis, 1):
            raise Misfit(f"there is no {axis}")
    if sizes["some"] > sizes["start"]:
        raise Misfit(f"one_step has {sizes['some']} starts of {sizes['start']}")
    if sizes.get("past and step", sizes["past"] + sizes["step"]) != sizes["past"] + sizes["step"]:
        raise Misfit("inputs do not span the past and the steps")
    for group in TOGETHER:
        there = [name for name in group if name in arrays]
        if there and len(there) < len(group):
            raise Misfit(f"{there[0]} is there, but not all of {', '.join(group)}")
    bounds = {
        "targets": (0, sizes["channel"] - 1),
        "block": (1, sizes["step"]),
        "valid_steps": (0, sizes["step"]),
        "trivial_valid_steps": (0, sizes["step"]),
    }
    for name, (low, high) in bounds.items():
        if name in arrays and not ((arrays[name] >= low) & (arrays[name] <= high)).all():
            raise Misfit(f"{name} has values outside of {low} to {high}")
    for name in ("truth", "past", "scale"):
        if not np.isfinite(arrays[name]).all():
            raise Misfit(f"{name} has values that are not finite")
    if not (arrays["scale"] > 0).all():
        raise Misfit("scale has values that are not positive")
