"""Trained networks of one configuration, which forecast together: the median of their forecasts."""

from dataclasses import dataclass

import numpy as np

from sweep.data.coding import Coding
from sweep.data.types import Array
from sweep.model import Network
from sweep.score.rollout import free_forecast


@dataclass(frozen=True)
class Ensemble:
    """Networks with the coding of the data that they were trained on."""

    networks: tuple[Network, ...]  # at least one
    coding: Coding

    def forecasts(self, past: Array, known: Array, series: Array) -> Array:
        """Return the forecasts of each network, (network, start, step, channel), data units; possibly not finite.

        Args:
            past: (start, coding.past_steps, channel), data units, finite.
            known: (start, warmup + steps, feature), by `Coding.known_inputs`.
            series: (start,), by `Coding.row_of`.
        """
        codec = self.coding.codec
        return np.stack([free_forecast(network, codec, past, known, series) for network in self.networks])


def combined(forecasts: Array) -> Array:
    """Return the median of several networks' forecasts, (start, step, channel); not finite where it is not.

    A network that is not finite at a step counts as infinitely high, so that fewer than half of them change nothing
    but the middle.

    Args:
        forecasts: (network, start, step, channel).
    """
    finite = np.where(np.isnan(forecasts), np.inf, forecasts)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.median(finite, axis=0))
