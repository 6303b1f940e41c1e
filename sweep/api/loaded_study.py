"""A stored study as DataFrames and pictures, for notebooks and scripts."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from sweep.results.document import report_document
from sweep.results.tables import errors_frame, leaderboard, rollout_frame, steps_frame, trials_frame
from sweep.store import StudyFolder


@dataclass(frozen=True)
class LoadedStudy:
    """What `sweep.load_study` returns; nothing of it is computed before it is asked for."""

    folder: StudyFolder

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
    def leaderboard(self) -> pd.DataFrame:
        """Return trials and baselines in one table, best first, with skills."""
        return leaderboard(self.folder)

    def steps(self, numbers: Sequence[int] | None = None) -> pd.DataFrame:
        """Return a row per trial and rollout step: errors free-running and on true inputs."""
        return rollout_frame(self.folder, numbers)

    def rollout(self, number: int) -> dict[str, np.ndarray]:
        """Return the arrays of a trial's rollouts: `forecast`, `truth` (start, step, channel) and more."""
        return self.folder.rollout(number)

    def plot(self, number: int) -> bytes:
        """Return a trial's rollout plot as PNG, the same as its rollout.png."""
        from sweep.report.plots.trial import draw_trial  # here: tables need no matplotlib

        return draw_trial(self.folder, number)

    def document(self) -> dict[str, object]:
        """Return what `sweep report --json` prints."""
        return report_document(self.folder)
