"""Thomas' system: three coordinates that play the same part in turn, slow and weakly chaotic."""

import math

from sweep.data.sources.flow import Flow, Point, Velocity, flow_source


def thomas(b: float) -> Velocity:
    """Return x' = -b x + sin y, and y', z' by cyclic exchange of x, y, z.

    Source: Thomas (1999), Deterministic chaos seen in terms of feedback circuits.
    """

    def velocity(x: float, y: float, z: float) -> Point:
        return math.sin(y) - b * x, math.sin(z) - b * y, math.sin(x) - b * z

    return velocity


THOMAS_FLOW = Flow(
    name="thomas",
    published={"b": 0.18},
    velocity=thomas,
    near=(0.1, 0.0, 0.0),
    dt=0.3,
    largest_step=0.075,
    transient=1000.0,
    exponent=0.0349,
    turn=10.0,
    source="Thomas (1999), Int. J. Bifurcation Chaos 9, 1889; exponent 0.0349 per time unit: Sprott (2003)",
)
THOMAS = flow_source(THOMAS_FLOW)
