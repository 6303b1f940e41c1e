"""The form of baseline.npz: the name of the best baseline, and its forecasts from the validation starts."""

from collections.abc import Mapping

import numpy as np

from sweep.store.forms.arrays import FLOAT, TEXT, ArrayForm, axis_sizes, stored_arrays
from sweep.store.forms.json_form import Misfit

REMEDY = "remove it and baselines.json, and sweep run scores the baselines again"
FORM: Mapping[str, ArrayForm] = {
    "name": ((), TEXT),
    "forecast": (("start", "step", "channel"), FLOAT),
    "last": (("start", "channel"), FLOAT),  # true values before the starts
}


def baseline_arrays(content: bytes) -> dict[str, np.ndarray]:
    """Return the arrays of a baseline.npz.

    Raises:
        Misfit: the content is not such a file; the text says what differs.
    """
    arrays = stored_arrays(content)
    for axis, size in axis_sizes(arrays, FORM, {}).items():
        if not size:
            raise Misfit(f"there is no {axis}")
    if not np.isfinite(arrays["last"]).all():
        raise Misfit("last has values that are not finite")
    return {name: arrays[name] for name in FORM}
