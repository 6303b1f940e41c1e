"""The trials that a sampler may use."""

from collections.abc import Mapping
from dataclasses import dataclass

from sweep.config.ranges import Value

Params = Mapping[str, Value]


@dataclass(frozen=True)
class History:
    """The trials that the proposal of a trial may depend on.

    `settled` holds the parameters and scores of the trials that count as ended, by number, without failed ones.
    `running` holds the parameters of the later trials. They count as running even if they ended long ago.
    """

    settled: tuple[tuple[Params, float], ...]
    running: tuple[Params, ...]
