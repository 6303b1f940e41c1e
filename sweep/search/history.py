"""What the proposal of a trial may depend on."""

from collections.abc import Mapping
from dataclasses import dataclass

from sweep.config.ranges import Value

Params = Mapping[str, Value]


@dataclass(frozen=True)
class History:
    """What the proposal of a trial may depend on.

    `settled` holds the trials that count as over, by number, with their scores (failed ones left out);
    `running` the parameters of those in between, which count as running even where they are long over.
    """

    settled: tuple[tuple[Params, float], ...]
    running: tuple[Params, ...]
