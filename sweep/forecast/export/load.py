"""An exported forecaster, read back. Nothing is unpickled, and no code of the folder is executed."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from pydantic import ValidationError

from sweep.config.errors import StoreError, SweepError, UnknownName, UsageError
from sweep.data.types import Array
from sweep.forecast.ensemble import Ensemble, combined
from sweep.forecast.export.card import CARD, Card, StoredNetwork, card_from_document
from sweep.forecast.export.given import given_past
from sweep.forecast.export.onnx_model import EXTRA
from sweep.forecast.intervals import require_levels
from sweep.forecast.measured import Measured
from sweep.model import Network, engine, network_of_model
from sweep.store.files import read_json
from sweep.trial.inputs import DTYPES
from sweep.trial.plugins import check_plugins

UNKNOWN = "none, because the folder has none: export the networks of the study again"


@dataclass(frozen=True)
class LoadedForecast:
    """A forecast with its intervals, each part in the form of the past."""

    values: Any
    low: Mapping[int, Any]  # ends by level; NaN beyond the calibrated steps, possibly infinite
    high: Mapping[int, Any]
    notes: tuple[
        str, ...
    ]  # whose errors the intervals are, where these are other networks, and why one is missing
    coverage: tuple[
        Mapping[str, Any], ...
    ]  # what they cover of the locked test of the study (docs/report.md)


@dataclass(frozen=True)
class LoadedForecaster:
    """The networks of an exported folder, ready to forecast."""

    card: Card
    ensemble: Ensemble

    def forecast(
        self,
        past: Array | pd.DataFrame,
        steps: int,
        known: Array | pd.DataFrame | None = None,
        levels: Sequence[int] | None = None,
    ) -> Any:
        """Return the median of the networks' forecasts of the next steps, in the form of `past`.

        Args:
            past: the true past, oldest row first, even in time and without gaps; at least `card.coding.past_steps`
                rows, the last of which count. An array (time, column) or (series, time, column) has the channels, then
                the inputs, in the order of the card. A data frame has them by name, with the columns of times and of
                the names of series, as in the tables of README.md.
            steps: to forecast, at least 1.
            known: the inputs of the steps to forecast, like `past` without the channels; None without inputs whose
                future must be given.
            levels: of intervals, whole percents, such as (50, 90); None: the forecast alone.

        Returns:
            (step, channel) or (series, step, channel), data units; or a data frame with the same columns as `past`,
            without the inputs. A value is not finite where most networks diverge. With levels a `LoadedForecast`, whose
            parts have this form.

        Raises:
            DataError: the past or the known inputs do not fit the networks.
            UsageError: a level is not a whole percent.
        """
        require_levels(levels or ())
        given = given_past(self.card, past, steps, known)
        values = combined(self.ensemble.forecasts(given.past, given.known, given.rows))
        if levels is None:
            return given.answer(values)
        measured = self.card.intervals or Measured(None, {}, UNKNOWN)
        ends = {}
        if measured.intervals is not None:
            rows = measured.intervals.rows_of(given.names, given.rows)
            ends = measured.intervals.around(values, levels, rows)
        return LoadedForecast(
            values=given.answer(values),
            low={level: given.answer(pair[0]) for level, pair in ends.items()},
            high={level: given.answer(pair[1]) for level, pair in ends.items()},
            notes=tuple(measured.notes(levels, steps)),
            coverage=measured.covered(list(ends)),
        )


def load_forecaster(path: str | Path) -> LoadedForecaster:
    """Return the forecaster of a folder that `sweep export` wrote.

    Raises:
        StoreError: the folder is not an export, or a file of it is damaged; the text names the file.
        PluginError: a plug-in that computes the networks is missing, or of another version.
        UsageError: the package safetensors is not installed.
    """
    place = Path(path)
    card = _card(place)
    check_plugins(card.plugins)
    networks = [_network(place, card, stored) for stored in card.networks]
    return LoadedForecaster(card, Ensemble(tuple(networks), card.coding))


def _card(place: Path) -> Card:
    file = place / CARD
    if not file.is_file():
        raise StoreError(f"{place} is not an export of sweep: {CARD} is missing")
    try:
        return card_from_document(read_json(file))
    except StoreError:
        raise
    except (SweepError, KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        reason = f"{error.args[0]!r} is missing" if type(error) is KeyError else str(error)
        if isinstance(error, ValidationError):
            first = error.errors(include_url=False, include_input=False)[0]
            reason = f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
        raise StoreError(f"{file} is damaged or not of sweep: {' '.join(reason.split())}") from None


def _network(place: Path, card: Card, stored: StoredNetwork) -> Network:
    """Return a network with its weights."""
    file = place / stored.weights
    try:
        content = file.read_bytes()
    except OSError as error:
        raise StoreError(f"cannot read {file}: {error.strerror or error}") from error
    if hashlib.sha256(content).hexdigest() != stored.sha256:
        raise StoreError(
            f"{file} is damaged, or belongs to another export: its content is not that of {CARD}"
        )
    tensors = _tensors(content, file)
    channels, dtype = len(card.coding.channels), DTYPES[card.precision]
    if any(value.is_floating_point() and value.dtype != dtype for value in tensors.values()):
        raise StoreError(f"{file} does not fit {CARD}: wanted {card.precision}")
    _require_size(card, tensors, file)
    try:
        network = network_of_model(card.model, card.inputs, channels, engine("torch")).to(dtype=dtype)
    except UnknownName as error:
        raise StoreError(
            f"{place / CARD} is damaged, or of a plug-in that is missing here: {error}"
        ) from None
    try:
        network.load_state_dict(tensors)
    except RuntimeError as error:
        raise StoreError(f"{file} does not fit {CARD}: {' '.join(str(error).split())}") from None
    return network.eval()


def _require_size(card: Card, tensors: Mapping[str, torch.Tensor], file: Path) -> None:
    """Refuse a network whose sizes are not those of its weights, before it is built."""
    model, shapes = card.model, {tuple(value.shape) for value in tensors.values()}
    widths = {model.hidden, *model.head} if model.recurrent else set()
    known = {width for shape in shapes for width in shape}
    if model.recurrent and (model.layers > len(tensors) or not widths <= known):
        raise StoreError(f"{file} does not fit {CARD}: its sizes differ")


def _tensors(content: bytes, file: Path) -> dict[str, torch.Tensor]:
    try:
        from safetensors import SafetensorError  # here: the package is optional
        from safetensors.torch import load
    except ImportError:
        raise UsageError(f"loading {file} needs safetensors: {EXTRA}") from None
    try:
        return dict(load(content))
    except (SafetensorError, KeyError, TypeError, ValueError, RuntimeError) as error:
        raise StoreError(f"{file} is damaged: {' '.join(str(error).split())}") from None
