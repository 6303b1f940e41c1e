"""A stored study with its tables: what checks, document and page read."""

import copy
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from sweep.config.records import TrialRecord
from sweep.results.contest import Contests, contests
from sweep.results.effects import (
    Claim,
    CommonRung,
    Comparison,
    common_rung,
    comparisons,
    effect_claims,
    effects_frame,
)
from sweep.results.loss_choice import LossChoice, loss_choice
from sweep.results.study import StoredStudy
from sweep.results.tables import leaderboard, trials_frame

SEED = 0  # of the bootstraps, so that equal studies give equal reports


@dataclass(frozen=True)
class StudyTables:
    """A stored study and its tables, each computed when it is first needed."""

    study: StoredStudy

    @cached_property
    def trials(self) -> pd.DataFrame:
        """Return `trials_frame`."""
        return trials_frame(self.study)

    @cached_property
    def leaderboard(self) -> pd.DataFrame:
        """Return `leaderboard`."""
        return leaderboard(self.study)

    @property
    def best(self) -> TrialRecord | None:
        """Return the trial that wins, None if none does."""
        return self.study.named[0]

    @cached_property
    def contests(self) -> Contests:
        """Return the leading configuration beside the baselines, on validation and on the locked test."""
        return contests(self.study)

    @cached_property
    def loss_choice(self) -> LossChoice | None:
        """Return what the loss would have picked."""
        return loss_choice(self.trials, self.contests.validation.network)

    @cached_property
    def rung(self) -> CommonRung:
        """Return the scores at which all trials are compared."""
        return common_rung(self.study)

    @cached_property
    def effects(self) -> pd.DataFrame:
        """Return `effects_frame`."""
        return effects_frame(self.study, self.trials, self.rung)

    @cached_property
    def comparisons(self) -> list[Comparison]:
        """Return the choices with enough trials to be tested."""
        return comparisons(self.study, self.trials, self.rung)

    @property
    def claims(self) -> list[Claim]:
        """Return the values of choices that are shown to be better; none where too few starts do not overlap."""
        return self._claims_and_rng[0]

    def rng(self) -> np.random.Generator:
        """Return a generator for a bootstrap, in the same state at every call."""
        return copy.deepcopy(self._claims_and_rng[1])

    @cached_property
    def _claims_and_rng(self) -> tuple[list[Claim], np.random.Generator]:
        rng = np.random.default_rng(SEED)
        claims = effect_claims(self.comparisons, rng) if self.study.enough_starts else []
        return claims, rng
