"""The forms of intervals.json, of `coverage` in winner.json, of fit.json, of coding.json and of rows.json."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, NotRequired

from pydantic import ConfigDict, Field
from typing_extensions import TypedDict

from sweep.store.forms.json_form import LARGEST_COUNT, OPEN, Count, Misfit, Share, Text

Positive = Annotated[int, Field(gt=0, le=LARGEST_COUNT)]
LARGEST = (
    1e154  # of a statistic of data: the square of anything larger is infinite, and sweep reads no such data
)
Mean = Annotated[float, Field(ge=-LARGEST, le=LARGEST)]
Scale = Annotated[float, Field(gt=0, le=LARGEST)]
Half = Annotated[float, Field(ge=0, allow_inf_nan=False)] | None  # a half width; null: infinite
Percent = Annotated[str, Field(pattern=r"^[1-9][0-9]?$")]  # from 1 to 99


class OfForm(TypedDict, total=False):
    """A forecaster: networks, or a baseline."""

    __pydantic_config__ = ConfigDict(extra="forbid")  # type: ignore[misc]
    number: Count
    basis: Literal["confirmed", "selected"]
    seeds: Annotated[list[int], Field(min_length=1)]
    baseline: Text


class ForecasterForm(TypedDict):
    """A forecaster of intervals.json; only `of` if there are no calibration starts."""

    __pydantic_config__ = OPEN  # type: ignore[misc]
    of: OfForm
    n: NotRequired[Count]
    horizon: NotRequired[Positive]
    ranks: NotRequired[list[Positive]]
    errors: NotRequired[list[list[list[Half]]]]
    std: NotRequired[list[list[Scale]]]


class IntervalsForm(TypedDict):
    """intervals.json."""

    __pydantic_config__ = OPEN  # type: ignore[misc]
    format: Literal[1]
    n: Count
    horizon: Positive | None
    channels: Annotated[list[Text], Field(min_length=1)]
    series: list[Text]
    forecasters: list[ForecasterForm]


class ByStepForm(TypedDict):
    """The coverage at each step."""

    value: Annotated[list[Share], Field(min_length=1)]
    low: list[Share]
    high: list[Share]


class LevelForm(TypedDict):
    """The coverage of one level."""

    value: Share
    low: Share
    high: Share
    by_step: ByStepForm


class CoverageForm(TypedDict):
    """What the intervals of a forecaster cover of the locked test."""

    of: OfForm
    n_eff: Positive
    levels: dict[Percent, LevelForm]


class FromForm(TypedDict):
    """The networks whose validation decided, or that were updated."""

    basis: Literal["confirmed", "selected", "fitted"]
    trainings: Annotated[list[Count], Field(min_length=1)]


class WindowsForm(TypedDict):
    """The training windows."""

    count: Positive
    steps: Positive


class FittedDataForm(TypedDict):
    """The data of a fit."""

    name: Text
    fingerprint: Text
    samples: Count
    added: NotRequired[Count]


FitForm = TypedDict(
    "FitForm",
    {
        "number": Count,
        "key": Text,
        "scored": Literal[False],
        "trainings": Annotated[list[Count], Field(min_length=1)],
        "left_out": Count,
        "from": FromForm,
        "ridge": Scale | None,
        "lowered_at": list[Share],
        "budget": Positive,
        "windows": WindowsForm,
        "data": FittedDataForm,
        "share": Share,
        "begins": Text | None,
    },
)  # an entry of fit.json; a class cannot have the key "from"


class FitsForm(TypedDict):
    """fit.json."""

    fits: list[FitForm]


class SeriesRowsForm(TypedDict):
    """The rows of a series."""

    name: Text
    rows: Count
    complete: Count


class RowsForm(TypedDict):
    """rows.json."""

    sha256: Text
    series: Annotated[list[SeriesRowsForm], Field(min_length=1)]


class CodingForm(TypedDict):
    """coding.json."""

    channels: Annotated[list[Text], Field(min_length=1)]
    targets: Annotated[list[Count], Field(min_length=1)]
    transforms: list[Text]
    season: Positive | None
    mean: Annotated[list[list[Mean]], Field(min_length=1)]
    std: list[list[Scale]]
    series: list[Text]
    calendar: list[Text]
    known: list[Text]
    static: list[Text]
    input_mean: list[Mean]
    input_scale: list[Scale]
    warmup: Positive
    step_seconds: Scale | None


def intervals_fit(document: Mapping[str, Any]) -> None:
    """Check that the intervals of each forecaster are of the starts, steps and channels of the file.

    Raises:
        Misfit: they are not.
    """
    n, horizon, width = document["n"], document["horizon"], len(document["channels"])
    if (horizon is None) != (n == 0):
        raise Misfit(f"horizon: {horizon} with {n} starts")
    for index, entry in enumerate(document["forecasters"]):
        place = f"forecasters.{index}"
        _require_forecaster(entry["of"], f"{place}.of")
        if not n:
            continue
        missing = [key for key in ("n", "horizon", "ranks", "errors", "std") if key not in entry]
        if missing:
            raise Misfit(f"{place}.{missing[0]}: missing")
        if (entry["n"], entry["horizon"]) != (n, horizon):
            raise Misfit(f"{place}: {entry['n']} starts and {entry['horizon']} steps, of {n} and {horizon}")
        ranks = entry["ranks"]
        if not ranks or ranks != sorted(set(ranks)) or ranks[-1] > n:
            raise Misfit(f"{place}.ranks: wanted rising ones from 1 to {n}")
        _require_table(entry["std"], width, f"{place}.std")
        if document["series"] and len(entry["std"]) != len(document["series"]) + 1:
            raise Misfit(f"{place}.std: wanted {len(document['series']) + 1} rows, got {len(entry['std'])}")
        if len(entry["errors"]) != len(ranks):
            raise Misfit(f"{place}.errors: wanted one table for each rank")
        for table in entry["errors"]:
            _require_table(table, width, f"{place}.errors", horizon)


def coverage_fits(document: Mapping[str, Any]) -> None:
    """Check that each coverage of winner.json is of one forecaster and of equally many steps.

    Raises:
        Misfit: it is not.
    """
    for index, entry in enumerate(document.get("coverage", ())):
        _require_forecaster(entry["of"], f"coverage.{index}.of")
        lengths = {len(values) for level in entry["levels"].values() for values in level["by_step"].values()}
        if len(lengths) > 1:
            raise Misfit(f"coverage.{index}: lists of different length by step")


def coding_fits(document: Mapping[str, Any]) -> None:
    """Check that the parts of a coding are of the same channels, series and inputs.

    Raises:
        Misfit: they are not.
    """
    width, rows = len(document["channels"]), len(document["mean"])
    if max(document["targets"]) >= width:
        raise Misfit(f"targets: there is no channel {max(document['targets'])}")
    _require_table(document["mean"], width, "mean")
    _require_table(document["std"], width, "std", rows)
    if document["series"] and rows != len(document["series"]) + 1:
        raise Misfit(f"mean: wanted {len(document['series']) + 1} rows, got {rows}")
    for name in ("input_mean", "input_scale"):
        if len(document[name]) != len(document["known"]):
            raise Misfit(f"{name}: wanted one for each of {len(document['known'])} known inputs")
    unknown = [name for name in document["static"] if name not in document["known"]]
    if unknown:
        raise Misfit(f"static: there is no known input {unknown[0]!r}")


def _require_forecaster(of: Mapping[str, Any], place: str) -> None:
    if set(of) not in ({"baseline"}, {"number", "basis", "seeds"}):
        raise Misfit(
            f"{place}: wanted number, basis and seeds, or baseline, got {', '.join(of) or 'nothing'}"
        )


def _require_table(rows: list[list[Any]], width: int, place: str, height: int | None = None) -> None:
    if not rows or len(rows) != (height or len(rows)) or any(len(row) != width for row in rows):
        raise Misfit(f"{place}: wanted {height or 'some'} rows of {width}")
