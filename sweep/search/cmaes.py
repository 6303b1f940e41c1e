"""CMA-ES by replay: a proposal depends on the state of the strategy after the scores of past generations."""

import functools
from typing import Any

import numpy as np

from sweep.config.ranges import Value
from sweep.config.seeds import seed_of
from sweep.config.space import Space
from sweep.search.history import History


def propose_cmaes(space: Space, history: History, seed: int, number: int) -> dict[str, Value]:
    """Return a point of the latest generation that the settled trials complete.

    The strategy lives in the unit cube. It starts at the centre with a step of 1/4 (our choice). It receives the
    settled trials in generations, in the order of their numbers; the draw of a trial depends on its number.
    """
    strategy = _replay(space).told(history)
    strategy.reseed_rng(seed_of(seed, "cmaes", number) % 2**32)
    point = strategy.ask()
    return {
        axis.name: axis.span.from_unit(float(np.clip(u, 0, 1)))
        for axis, u in zip(space.axes, point, strict=True)
    }


class _Replay:
    """The strategy of one space, and the scores that it has received: a history repeats those of the one before."""

    def __init__(self, space: Space) -> None:
        self.space = space
        self._received: tuple[Any, ...] = ()
        self._strategy = self._begun()

    def told(self, history: History) -> Any:
        """Return the strategy after the complete generations of a history.

        A draw does not change how it goes on: it only decomposes the covariance, as the next generation would.
        """
        size = self._strategy.population_size
        scored = history.settled[: len(history.settled) // size * size]
        if scored[: len(self._received)] != self._received:
            self._received, self._strategy = (), self._begun()
        for first in range(len(self._received), len(scored), size):
            self._strategy.tell(
                [(self._point(params), score) for params, score in scored[first : first + size]]
            )
        self._received = scored
        return self._strategy

    def _begun(self) -> Any:
        from cmaes import CMA

        dimensions = len(self.space.axes)
        bounds = np.tile([0.0, 1.0], (dimensions, 1))
        return CMA(
            mean=np.full(dimensions, 0.5), sigma=0.25, bounds=bounds, seed=0
        )  # `tell` draws no numbers

    def _point(self, params: Any) -> np.ndarray:
        point = [axis.span.to_unit(params[axis.name]) for axis in self.space.axes]
        return np.clip(point, 1e-6, 1 - 1e-6)


@functools.lru_cache(maxsize=8)  # a space for each value that takes turns
def _replay(space: Space) -> _Replay:
    return _Replay(space)
