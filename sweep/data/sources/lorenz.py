"""The Lorenz system of 1963."""

from sweep.data.sources.flow import Flow, Point, Velocity, flow_source


def lorenz(sigma: float, rho: float, beta: float) -> Velocity:
    """Return x' = sigma (y - x), y' = x (rho - z) - y, z' = x y - beta z.

    Source: Lorenz (1963), Deterministic nonperiodic flow, equations 25 to 27.
    """

    def velocity(x: float, y: float, z: float) -> Point:
        return sigma * (y - x), x * (rho - z) - y, x * y - beta * z

    return velocity


LORENZ_FLOW = Flow(
    name="lorenz",
    published={"sigma": 10.0, "rho": 28.0, "beta": 8.0 / 3.0},
    velocity=lorenz,
    near=(1.0, 1.0, 20.0),
    dt=0.02,
    largest_step=0.005,  # our choice: the error of one step is then at most 2e-7 of the spread
    transient=50.0,  # about 45 Lyapunov times
    exponent=0.9056,
    turn=0.75,
    source="Lorenz (1963), J. Atmos. Sci. 20, 130; exponent 0.9056 per time unit: Sprott (2003)",
)
LORENZ = flow_source(LORENZ_FLOW)
