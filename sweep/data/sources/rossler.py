"""The Roessler system of 1976."""

from sweep.data.sources.flow import Flow, Point, Velocity, flow_source


def rossler(a: float, b: float, c: float) -> Velocity:
    """Return x' = -y - z, y' = x + a y, z' = b + z (x - c).

    Source: Roessler (1976), An equation for continuous chaos.
    """

    def velocity(x: float, y: float, z: float) -> Point:
        return -y - z, x + a * y, b + z * (x - c)

    return velocity


ROSSLER_FLOW = Flow(
    name="rossler",
    published={"a": 0.2, "b": 0.2, "c": 5.7},
    velocity=rossler,
    near=(1.0, 1.0, 0.0),
    dt=0.1,
    largest_step=0.015,
    transient=500.0,
    exponent=0.0714,
    turn=5.9,
    source="Roessler (1976), Phys. Lett. A 57, 397; exponent 0.0714 per time unit: Sprott (2003)",
)
ROSSLER = flow_source(ROSSLER_FLOW)
