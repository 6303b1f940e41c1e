"""The form of rollout.npz: arrays by name, each with its axes and kind."""

from collections.abc import Mapping

import numpy as np

from sweep.store.forms.arrays import BOOL, FLOAT, INTEGER, TEXT, ArrayForm, axis_sizes, stored_arrays
from sweep.store.forms.json_form import Misfit

# Of "some" starts there are at most all.
FORM: Mapping[str, ArrayForm] = {
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
LATER: Mapping[str, ArrayForm] = {  # an older version did not store them
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
    loaded = stored_arrays(content)
    _check(loaded)
    return loaded


def _check(arrays: Mapping[str, np.ndarray]) -> None:
    sizes = axis_sizes(arrays, FORM, LATER)
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
