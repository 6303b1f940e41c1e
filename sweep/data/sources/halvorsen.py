"""Halvorsen's system: three coordinates that play the same part in turn."""

from sweep.data.sources.flow import Flow, Point, Velocity, flow_source


def halvorsen(a: float) -> Velocity:
    """Return x' = -a x - 4 y - 4 z - y^2, and y', z' by cyclic exchange of x, y, z.

    Source: Sprott (2003), Chaos and Time-Series Analysis, appendix A, Halvorsen's cyclically symmetric attractor.
    """

    def velocity(x: float, y: float, z: float) -> Point:
        return (
            -a * x - 4 * y - 4 * z - y * y,
            -a * y - 4 * z - 4 * x - z * z,
            -a * z - 4 * x - 4 * y - x * x,
        )

    return velocity


HALVORSEN_FLOW = Flow(
    name="halvorsen",
    published={"a": 1.27},
    velocity=halvorsen,
    near=(-5.0, 0.0, 0.0),
    dt=0.03,
    largest_step=0.0075,
    transient=50.0,
    exponent=0.7899,
    turn=0.9,
    source="Sprott (2003), Chaos and Time-Series Analysis, appendix A; exponent 0.7899 per time unit: the same",
)
HALVORSEN = flow_source(HALVORSEN_FLOW)
