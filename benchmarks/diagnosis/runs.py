"""The runs: a key names one, and the splits have no run, seed, data or background in common."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from benchmarks.diagnosis.backgrounds import SPLITS, Background, pool
from benchmarks.diagnosis.data import KINDS
from benchmarks.diagnosis.faults import FAULTS, HEALTHY, SEVERITIES
from benchmarks.diagnosis.plan import Plan, plan_of
from sweep.config.seeds import seed_of
from sweep.model import CELLS

DATA_SEEDS = 3  # realisations of the data per split; our choice


@dataclass(frozen=True)
class Key:
    """One run. `seed` counts within (split, kind, cell); `severity` is 0 for a healthy run."""

    split: str
    kind: str
    cell: str
    background: int
    cause: str
    severity: int
    seed: int

    @property
    def twin(self) -> "Key":
        """Return the healthy run with the same background, seed and data."""
        return Key(self.split, self.kind, self.cell, self.background, HEALTHY, 0, self.seed)

    @property
    def place(self) -> str:
        """Return the name of the background among those of all kinds and cells."""
        return f"{self.kind} {self.cell} {self.background}"


def numbered_places(keys: Sequence[Key]) -> list[int]:
    """Return each run's background as a number, in the order of their first appearance: groups for `interval`."""
    numbers: dict[str, int] = {}
    return [numbers.setdefault(key.place, len(numbers)) for key in keys]


def plan(key: Key) -> Plan:
    """Return the plan of a run: that of its background, with the fault planted."""
    (background,) = (one for one in pool(key.split, key.kind, key.cell) if one.number == key.background)
    healthy = healthy_plan(key.split, background, key.seed)
    return healthy if key.cause == HEALTHY else FAULTS[key.cause].plant(healthy, key.severity)


def healthy_plan(split: str, background: Background, seed: int) -> Plan:
    """Return the plan of a healthy run; the run with the fault has the same seed, so both begin alike."""
    kind = KINDS[background.kind]
    data_seed = 100 * SPLITS.index(split) + seed % DATA_SEEDS
    content = ("diagnosis", split, background.kind, background.cell, background.number, seed)
    made = plan_of(kind, background.settings, data_seed, seed_of(*content))
    return replace(made, variant=seed)


def faulty(
    split: str,
    seeds: Sequence[int],
    kinds: Sequence[str],
    cells: Sequence[str] = tuple(CELLS),
    causes: Sequence[str] = tuple(FAULTS),
    severities: Sequence[int] = SEVERITIES,
) -> Iterator[Key]:
    """Yield the faulty runs, seed by seed, so that an early stop leaves a smaller but complete table.

    A seed takes the next of the backgrounds into which the fault can be planted; where there is none, the
    fault does not exist for that kind and cell.
    """
    for seed in seeds:
        for kind in kinds:
            for cell in cells:
                for cause in causes:
                    fits = FAULTS[cause].fits
                    usable = [b for b in pool(split, kind, cell) if fits(healthy_plan(split, b, seed))]
                    for severity in severities if usable else ():
                        number = usable[seed % len(usable)].number
                        yield Key(split, kind, cell, number, cause, severity, seed)


def healthy(
    split: str, seeds: Sequence[int], kinds: Sequence[str], cells: Sequence[str] = tuple(CELLS)
) -> Iterator[Key]:
    """Yield healthy runs of every background, seed by seed."""
    for seed in seeds:
        for kind in kinds:
            for cell in cells:
                for background in pool(split, kind, cell):
                    yield Key(split, kind, cell, background.number, HEALTHY, 0, seed)


def with_twins(keys: Sequence[Key]) -> list[Key]:
    """Return the runs, each seed's after the healthy twins of its faults, without repeats."""
    ordered: dict[Key, None] = {}
    for seed in dict.fromkeys(key.seed for key in keys):
        own = [key for key in keys if key.seed == seed]
        ordered.update(dict.fromkeys(key.twin for key in own))
        ordered.update(dict.fromkeys(own))
    return list(ordered)
