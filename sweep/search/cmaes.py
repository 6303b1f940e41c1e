"""CMA-ES by replay: each proposal rebuilds the state of the strategy from the scores of past generations."""

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
    from cmaes import CMA

    dimensions = len(space.axes)
    bounds = np.tile([0.0, 1.0], (dimensions, 1))
    strategy = CMA(
        mean=np.full(dimensions, 0.5), sigma=0.25, bounds=bounds, seed=seed_of(seed, "cmaes", number) % 2**32
    )
    size = strategy.population_size
    for generation in range(len(history.settled) // size):
        scored_points = []
        for params, score in history.settled[generation * size : (generation + 1) * size]:
            point = [axis.span.to_unit(params[axis.name]) for axis in space.axes]
            scored_points.append((np.clip(point, 1e-6, 1 - 1e-6), score))
        strategy.tell(scored_points)
    point = strategy.ask()
    return {
        axis.name: axis.span.from_unit(float(np.clip(u, 0, 1)))
        for axis, u in zip(space.axes, point, strict=True)
    }
