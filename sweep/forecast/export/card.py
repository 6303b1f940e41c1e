"""The card of an exported forecaster: all that is needed to build and feed its networks, and where they come from."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from sweep.config.section import Section
from sweep.config.sections import ModelConfig
from sweep.data.coding import Coding, coding_from_document
from sweep.forecast.measured import Measured, measured_from_document
from sweep.store.forms import DOCUMENTS

FORMAT = "sweep forecaster 1"
CARD, README = "card.json", "README.md"
NAMES = r"network_\d+\.safetensors|model_\d+\.onnx"
MONTHS = {"month": 1, "quarter": 3, "year": 12}  # units of a step that is counted in months

Precision = Literal["float32", "float64"]


class Step(Section):
    """The distance of two rows."""

    number: float
    unit: Literal["second", "month", "weekday"]
    text: str  # such as "15 minutes"


class Columns(Section):
    """The columns of the tables that the networks forecast, beside their channels and inputs."""

    series: str = "unique_id"  # names of series; the column may be absent
    time: str = ""  # dates; empty: the data have none


class StoredNetwork(Section):
    """The files of one network."""

    weights: str
    sha256: str  # of the weights
    onnx: str | None  # None: code of a plug-in computes the network
    seed: int | None  # of its training


@dataclass(frozen=True)
class Card:
    """The content of card.json."""

    coding: Coding
    model: ModelConfig
    precision: Precision
    networks: tuple[StoredNetwork, ...]
    columns: Columns
    step: Step | None  # None: the data have no dates
    plugins: tuple[str, ...]  # that compute the networks, with their origins: "cell mgu = mine.py sha256:..."
    intervals: Measured | None  # None: the networks were not those of a study
    about: Mapping[str, Any]  # JSON values: study, configuration, scores, symptom, limits, versions

    @property
    def inputs(self) -> int:
        """Return the width of a network's input."""
        return self.coding.width

    @property
    def files(self) -> tuple[str, ...]:
        """Return the names of the files of the networks."""
        return tuple(name for one in self.networks for name in (one.weights, one.onnx) if name is not None)

    def document(self) -> dict[str, Any]:
        """Return the card as plain values for JSON."""
        return {
            "format": FORMAT,
            **self.about,
            "precision": self.precision,
            "model": {name: getattr(self.model, name) for name in ModelConfig.model_fields},
            "inputs": self.inputs,
            "past_steps": self.coding.past_steps,
            "networks": [one.model_dump() for one in self.networks],
            "columns": self.columns.model_dump(),
            "step": None if self.step is None else self.step.model_dump(),
            "coding": self.coding.document(),
            "intervals": None if self.intervals is None else self.intervals.document(self.coding.channels),
            "plugins": list(self.plugins),
        }


OWN_KEYS = frozenset(  # the others are `about`
    (
        "format",
        "precision",
        "model",
        "inputs",
        "past_steps",
        "networks",
        "columns",
        "step",
        "coding",
        "intervals",
        "plugins",
    )
)


def card_from_document(document: Mapping[str, Any]) -> Card:
    """Return the card that `Card.document` described.

    Raises:
        KeyError, TypeError, ValueError, AttributeError: the document is damaged, or no card of this format.
        UnknownName, DataError: as `coding_from_document`.
    """
    if document.get("format") != FORMAT:
        raise ValueError(f"wanted the format {FORMAT!r}, got {document.get('format')!r}")
    if document["precision"] not in get_args(Precision):
        raise ValueError(f"wanted the precision float32 or float64, got {document['precision']!r}")
    step = document["step"]
    DOCUMENTS["coding"].require(document["coding"])
    coding, intervals = coding_from_document(document["coding"]), document.get("intervals")
    card = Card(
        coding=coding,
        model=ModelConfig.model_validate(document["model"]),
        precision=document["precision"],
        networks=tuple(StoredNetwork.model_validate(one) for one in document["networks"]),
        columns=Columns.model_validate(document["columns"]),
        step=None if step is None else Step.model_validate(step),
        plugins=tuple(str(one) for one in document["plugins"]),
        intervals=None if intervals is None else measured_from_document(intervals, coding.channels),
        about={key: value for key, value in document.items() if key not in OWN_KEYS},
    )
    if not card.networks:
        raise ValueError("it names no networks")
    for plugin in card.plugins:
        if not re.fullmatch(r"(cell|model) \S+ = .+", plugin):
            raise ValueError(f"wanted a plug-in with its origin, got {plugin!r}")
    for name in card.files:
        if not re.fullmatch(NAMES, name, re.ASCII):
            raise ValueError(f"wanted the name of a network's file, got {name!r}")
    return card


def step_of(text: str, seconds: float | None) -> Step | None:
    """Return the step of recorded data, None if they have no dates.

    Args:
        text: as recorded, such as "15 minutes", "1 quarter" or "1 weekday".
        seconds: the median distance of two rows; None: no dates.
    """
    if seconds is None:
        return None
    figure, _, unit = text.partition(" ")
    unit = unit.removesuffix("s")
    if unit in MONTHS:
        return Step(number=float(figure) * MONTHS[unit], unit="month", text=text)
    if unit == "weekday":
        return Step(number=float(figure), unit="weekday", text=text)
    return Step(number=seconds, unit="second", text=text)
