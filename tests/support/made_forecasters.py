"""Small random networks with made codings, which need no study: what an export must forecast as sweep does."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import product

import numpy as np
import torch

from sweep.config.sections import ModelConfig
from sweep.data.codec import fit_codec
from sweep.data.coding import Coding
from sweep.data.transforms import build_transforms
from sweep.data.types import InputScaling
from sweep.forecast.ensemble import Ensemble, combined
from sweep.forecast.export import Columns, Step
from sweep.model import CELLS, Forecaster
from sweep.trial.inputs import DTYPES

STEPS, WARMUP, CHANNELS, SEASON = 100, 20, ("y", "z"), 6
TRANSFORMS = (
    (),
    ("log",),
    ("sqrt",),
    ("difference",),
    ("seasonal_difference",),
    ("log", "seasonal_difference"),
    ("sqrt", "difference"),
    ("seasonal_difference", "difference"),
)
OPTIONS = (  # of the model, in turn
    {"layers": 1},
    {"layers": 2, "head": (4,), "head_activation": "tanh"},
    {"layers": 1, "head": (4, 3)},
    {"layers": 2, "output_activation": "relu"},
    {"layers": 1, "feedback": False},
)
FEEDS = (  # calendar, inputs, constant ones among them, scaling; in turn
    ((), (), (), "global"),
    (("time_of_day", "time_of_year"), ("u", "size"), ("size",), "series"),
    ((), ("u",), (), "none"),
)
STEP = Step(number=3600.0, unit="second", text="1 hour")


@dataclass(frozen=True)
class Case:
    """An ensemble and the past of two series that it forecasts; arrays as `forecast` of the scripts takes them."""

    name: str
    ensemble: Ensemble
    model: ModelConfig
    columns: Columns
    past: np.ndarray  # (series, time, channel)
    known: np.ndarray  # (series, time + steps, input)
    times: list[list[datetime]]  # (series, time + steps)
    series: list[str]

    @property
    def expected(self) -> np.ndarray:
        """Return sweep's own forecast, (series, step, channel)."""
        coding, length = self.ensemble.coding, WARMUP + STEPS
        known = [
            coding.known_inputs(np.array(times, dtype="datetime64[ns]")[-length:], inputs[-length:])
            for times, inputs in zip(self.times, self.known, strict=True)
        ]
        rows = np.array([coding.row_of(name) for name in self.series])
        past = self.past[:, -coding.past_steps :]
        return combined(self.ensemble.forecasts(past, np.stack(known), rows))


def case(name, cell, readout, precision, transforms, options, feed, networks=2) -> Case:
    """Return a case with random numbers that are the same every time."""
    calendar, inputs, static, scaling = feed
    rng, rows = np.random.default_rng(0), 80
    when = np.arange(rows + STEPS)
    truth = np.stack(
        [
            np.stack([5 + k + np.sin(2 * np.pi * when / 12 + k), 4 + np.cos(2 * np.pi * when / 7)], axis=1)
            for k in range(3)
        ]
    ) + rng.normal(0, 0.1, (3, rows + STEPS, 2))
    built = build_transforms(transforms, SEASON if "seasonal_difference" in transforms else None)
    codec = fit_codec(built, tuple(truth[:2, :rows]), CHANNELS, scaling, ("north", "south"))
    known = rng.normal(3, 2, (3, rows + STEPS, len(inputs)))
    for k, key in enumerate(inputs):
        if key in static:
            known[:, :, k] = np.arange(3)[:, None]
    coding = Coding(
        channels=CHANNELS,
        targets=(0,),
        transforms=transforms,
        season=SEASON if "seasonal_difference" in transforms else None,
        mean=codec.mean,
        std=codec.std,
        series=("north", "south"),
        calendar=calendar,
        known=inputs,
        static=static,
        inputs=InputScaling(known.mean(axis=(0, 1)), known.std(axis=(0, 1))),
        warmup=WARMUP,
        step_seconds=3600.0,
    )
    model = ModelConfig(cell=cell, hidden=5, readout=readout, **options)
    width = len(CHANNELS) + 2 * len(calendar) + len(inputs)
    # what adds up for 100 steps stays small, or forecasts would grow without bound
    calm = (0.03 if readout == "increment" else 1.0) * (0.1 if codec.lag else 1.0)
    calm *= 0.1 if "output_activation" in options else 1.0  # never negative
    made = []
    for seed in range(networks):
        network = Forecaster(model, width, len(CHANNELS)).initialise(seed).to(DTYPES[precision])
        with torch.no_grad():
            for parameter in network.linears[-1].parameters():
                parameter.mul_(calm)
        made.append(network.eval())
    begin = datetime(2024, 2, 27, 22)
    times = [[begin + timedelta(hours=int(hour)) for hour in when]] * 3
    columns = Columns(series="unique_id", time="ds" if calendar else "")
    names = ["north", "south", "west"]  # the last one was not trained on
    return Case(name, Ensemble(tuple(made), coding), model, columns, truth[:, :rows], known, times, names)


def cases() -> list[Case]:
    """Return every cell x readout x precision x transform; the other options take turns."""
    made = []
    variants = product(CELLS, ("value", "increment"), ("float32", "float64"), TRANSFORMS)
    for number, (cell, readout, precision, transforms) in enumerate(variants):
        if (
            readout == "increment"
            and len(transforms) == 2
            and "log" not in transforms
            and "sqrt" not in transforms
        ):
            continue  # persistence of second differences grows with the square of the step
        options, feed = OPTIONS[number % len(OPTIONS)], FEEDS[number % len(FEEDS)]
        if not options.get("feedback", True) and not feed[1]:
            feed = FEEDS[1]
        name = "-".join([cell, readout, precision, *transforms, str(number)])
        made.append(case(name, cell, readout, precision, transforms, options, feed, 1 + number % 2))
    return made
