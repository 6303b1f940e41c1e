"""The forms of scores: baselines.json, and the locked test in winner.json."""

from collections.abc import Mapping
from typing import Any, Literal, NotRequired

from typing_extensions import TypedDict

from sweep.store.forms.forecasts import CoverageForm, coverage_fits
from sweep.store.forms.json_form import OPEN, Count, Misfit, Number, OrNull, Settings, Share, Text
from sweep.store.forms.records import BreakdownForm


class BaselineForm(TypedDict, total=False):
    """A baseline: its scores, or the reason why it has none."""

    __pydantic_config__ = OPEN  # type: ignore[misc]
    rollout_error: Share | None
    prefix_errors: list[Share | None]
    nrmse: OrNull
    rmse: list[OrNull] | None
    valid_steps: OrNull
    diverged_fraction: OrNull
    settings: Settings
    seconds: OrNull
    reason: Text
    breakdown: BreakdownForm | None


class BaselinesForm(TypedDict):
    """baselines.json."""

    baselines: dict[str, BaselineForm]


class TestForm(TypedDict):
    """Scores on the locked test."""

    __pydantic_config__ = OPEN  # type: ignore[misc]
    rollout_error: Share
    nrmse: OrNull
    valid_steps: Number
    rmse: NotRequired[list[OrNull]]


class NetworkForm(TypedDict):
    """A network on the locked test."""

    __pydantic_config__ = OPEN  # type: ignore[misc]
    seed: Count
    replication: Count
    validation: Share
    test: TestForm


class LookForm(TypedDict, total=False):
    """A look at the locked test."""

    __pydantic_config__ = OPEN  # type: ignore[misc]
    basis: Literal["selected", "confirmed"]
    key: Text
    number: Count
    test: TestForm
    networks: list[NetworkForm]
    median_seed: Count | None


class WinnerForm(TypedDict):
    """winner.json."""

    __pydantic_config__ = OPEN  # type: ignore[misc]
    number: Count | None
    reason: NotRequired[Text | None]
    basis: NotRequired[Literal["selected", "confirmed"]]
    test: NotRequired[TestForm | None]
    networks: NotRequired[list[NetworkForm]]
    median_seed: NotRequired[Count | None]
    baselines_test: NotRequired[dict[str, BaselineForm] | None]
    looks: NotRequired[list[LookForm]]
    coverage: NotRequired[list[CoverageForm]]


def winner_fits(document: Mapping[str, Any]) -> None:
    """Check that a winner with networks names one of them as the median, and the coverage of intervals.

    Raises:
        Misfit: it does not, or a coverage is not of one forecaster.
    """
    coverage_fits(document)
    for entry in (document, *document.get("looks", ())):
        seeds = [network["seed"] for network in entry.get("networks", ())]
        if seeds and entry.get("median_seed") not in seeds:
            raise Misfit(f"median_seed: there is no network of seed {entry.get('median_seed')}")
    if document.get("networks") and "looks" not in document:
        raise Misfit("looks: missing beside networks")
