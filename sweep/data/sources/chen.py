"""The Chen system of 1999: Lorenz' terms with other signs, faster and more chaotic."""

from sweep.data.sources.flow import Flow, Point, Velocity, flow_source


def chen(a: float, b: float, c: float) -> Velocity:
    """Return x' = a (y - x), y' = (c - a) x - x z + c y, z' = x y - b z.

    Source: Chen and Ueta (1999), Yet another chaotic attractor, equation 1.
    """

    def velocity(x: float, y: float, z: float) -> Point:
        return a * (y - x), (c - a) * x - x * z + c * y, x * y - b * z

    return velocity


CHEN_FLOW = Flow(
    name="chen",
    published={"a": 35.0, "b": 3.0, "c": 28.0},
    velocity=chen,
    near=(-3.0, 2.0, 20.0),
    dt=0.01,
    largest_step=0.0025,
    transient=20.0,
    exponent=2.0272,
    turn=0.3,
    source="Chen and Ueta (1999), Int. J. Bifurcation Chaos 9, 1465; exponent 2.0272 per time unit: Sprott (2003)",
)
CHEN = flow_source(CHEN_FLOW)
