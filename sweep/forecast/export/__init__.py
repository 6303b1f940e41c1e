"""Networks to take home: a folder with weights, a card, scripts that need no sweep, and ONNX; and how it is read back.

The scripts are in `scripts`, and are copied as they are: everything that differs between studies is in the card.
"""

from sweep.forecast.export.card import Card, Columns, Step
from sweep.forecast.export.load import LoadedForecast, LoadedForecaster, load_forecaster
from sweep.forecast.export.write import Written, write_export

__all__ = [
    "Card",
    "Columns",
    "LoadedForecast",
    "LoadedForecaster",
    "Step",
    "Written",
    "load_forecaster",
    "write_export",
]
