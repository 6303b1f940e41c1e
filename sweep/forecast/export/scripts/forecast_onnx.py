"""Forecast with model_1.onnx, ... of this folder, with NumPy and onnxruntime alone.

    python forecast_onnx.py past.csv --steps 100 [--known future.csv] > forecast.csv

README.md describes the tables. From Python, call `forecast`, whose arguments are those of forecast_numpy.py.
"""

from functools import partial
from typing import Any

import forecast_numpy
import numpy as np
import onnxruntime
from forecast_tables import CARD, FOLDER, main


def network(entry: dict[str, Any]) -> forecast_numpy.Step:
    """Return one step of a network of the card, in model units: input and state in, forecast and state out."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # a step is too small to be divided
    session = onnxruntime.InferenceSession(FOLDER / entry["onnx"], options, ["CPUExecutionProvider"])
    parts = session.get_inputs()[1:]

    def step(x: Any, state: Any) -> tuple[Any, Any]:
        if state is None:
            state = [np.zeros((part.shape[0], len(x), part.shape[2]), CARD["precision"]) for part in parts]
        given = {part.name: value for part, value in zip(parts, state, strict=True)}
        forecast, *after = session.run(None, {"input": x.astype(CARD["precision"]), **given})
        return forecast, after

    return step


forecast = partial(forecast_numpy.forecast, networks=[network(entry) for entry in CARD["networks"]])

if __name__ == "__main__":
    main(forecast)
