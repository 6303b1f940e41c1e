"""Made contests of a leading configuration with baselines, as checks and the verdict read them."""

from collections.abc import Mapping

from sweep.results.contest import Contender, Contest, Contests, Part


def made_contest(
    error: float | None,
    baselines: Mapping[str, float],
    seeds: int = 0,
    part: Part = "validation",
    valid_steps: float = 50.0,
    trivial_steps: float = 5.0,
) -> Contest:
    """Return a contest of trial 0 with baselines by rollout error, each of which has `trivial_steps` valid steps."""
    network = None
    if error is not None:
        network = Contender("configuration", "trial 0", error, valid_steps, 0, "gru · adam lr 0.01")
    entries = [Contender("baseline", name, value, trivial_steps) for name, value in baselines.items()]
    return Contest(part, seeds, network, tuple(sorted(entries, key=lambda entry: entry.rollout_error)))


def made_contests(
    error: float | None,
    baselines: Mapping[str, float],
    seeds: int = 0,
    test: tuple[float, Mapping[str, float]] | None = None,
) -> Contests:
    """Return the contest on validation, and with `test` (error, baselines) that on the locked test."""
    there = None if test is None else made_contest(*test, seeds=seeds, part="test")
    return Contests(made_contest(error, baselines, seeds), there)
