"""CMA-ES by replay: its state is made anew from the scores of past generations at each proposal."""

import numpy as np

from sweep.config.ranges import Value
from sweep.config.seeds import seed_of
from sweep.config.space import Space
from sweep.search.history import History


def propose_cmaes(space: Space, history: History, seed: int, number: int) -> dict[str, Value]:
    """Return a point of the latest generation that the settled trials complete.

    The strategy lives in the unit cube, starting at its centre with a step of 1/4 (our choice). Settled
    trials are told in generations, in the order of their numbers; a trial's draw depends on its number.
    """
    from cmaes import CMA

    dimensions = len(space.axes)
    bounds = np.tile([0.0, 1.0], (dimensions, 1))
    strategy = CMA(
        mean=np.full(dimensions, 0.5), sigma=0.25, bounds=bounds, seed=seed_of(seed, "cmaes", number) % 2**32
    )
    size = strategy.population_size
    for generation in range(len(history.settled) // size):
        told = []
        for params, score in history.settled[generation * size : (generation + 1) * size]:
            point = [axis.span.to_unit(params[axis.name]) for axis in space.axes]
            told.append((np.clip(point, 1e-6, 1 - 1e-6), score))
        strategy.tell(told)
    point = strategy.ask()
    return {
        axis.name: axis.span.from_unit(float(np.clip(u, 0, 1)))
        for axis, u in zip(space.axes, point, strict=True)
    }
