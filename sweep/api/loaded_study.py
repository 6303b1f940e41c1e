"""A stored study as DataFrames and pictures, for notebooks and scripts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np
import pandas as pd

from sweep.results.breakdown import breakdown_frame
from sweep.results.document import report_document
from sweep.results.tables import errors_frame, leaderboard, rollout_frame, steps_frame, trials_frame
from sweep.store import StudyFolder

if TYPE_CHECKING:
    from sweep.api.forecast_study import ForecastSettings
    from sweep.api.made_forecast import Forecast
    from sweep.report.plots.picture import Picture


@dataclass(frozen=True)
class LoadedStudy:
    """A stored study; each table is computed when it is first needed."""

    folder: StudyFolder

    @property
    def name(self) -> str:
        """Return the study's name."""
        return self.folder.name

    @cached_property
    def trials(self) -> pd.DataFrame:
        """Return a row per trial: state, scores, cost, one column per hyperparameter (docs/report.md)."""
        return trials_frame(self.folder)

    @cached_property
    def evaluations(self) -> pd.DataFrame:
        """Return a row per trial and evaluation point."""
        return steps_frame(self.folder)

    @cached_property
    def errors(self) -> pd.DataFrame:
        """Return a row per trial, evaluation point and step 1, 2, 5, 10, ... of the horizon."""
        return errors_frame(self.folder)

    @cached_property
    def breakdown(self) -> pd.DataFrame:
        """Return a row per trial, series and channel: where the rollout error comes from.

        `series` or `channel` is None in rows of all of them together. Empty with one series and one channel.
        """
        return breakdown_frame(self.folder)

    @cached_property
    def leaderboard(self) -> pd.DataFrame:
        """Return trials and baselines in one table, best first, with skills."""
        return leaderboard(self.folder)

    def steps(self, numbers: Sequence[int] | None = None) -> pd.DataFrame:
        """Return a row per trial and rollout step: errors free-running and on true inputs.

        Args:
            numbers: trials to read; None: all.
        """
        return rollout_frame(self.folder, numbers)

    def rollout(self, number: int) -> dict[str, np.ndarray]:
        """Return the arrays of a trial's rollouts: `forecast`, `truth` (start, step, channel) and more."""
        return self.folder.rollout(number)

    def plot(self, number: int, series: str | None = None, channel: str | None = None) -> Picture:
        """Return a trial's rollout plot, a PNG that a notebook shows and that has `save(path)`.

        Args:
            number: of the trial.
            series: name of the only series to show; None: any, the median and the worst one.
            channel: name of the only target channel to show; None: any.

        Raises:
            SweepError: there is no such trial, series or channel.
        """
        from sweep.report.plots.picture import Picture  # here: tables need no matplotlib
        from sweep.report.plots.trial import draw_trial

        return Picture(draw_trial(self.folder, number, series, channel))

    def forecast(self, **settings: Unpack[ForecastSettings]) -> Forecast:
        """Return the forecast of the steps after the end of the study's data, or of new data; see `sweep.forecast`."""
        from sweep.api.forecast_study import forecast  # here: tables need no torch

        return forecast(str(self.folder.path), **settings)

    def document(self) -> dict[str, Any]:
        """Return the document that `sweep report --json` prints."""
        return report_document(self.folder)

    def _repr_html_(self) -> str:
        from sweep.report.page.notebook import notebook_html  # here: only notebooks need it

        return notebook_html(self.document())
