"""Contract of samplers."""

import json
from typing import Any, ClassVar

from sweep.config.ranges import Choice, IntUniform, LogUniform, OneMinusLog
from sweep.config.seeds import seed_of
from sweep.config.space import Axis, Condition, Space
from sweep.search import SAMPLERS, History
from sweep.search.samplers import SamplerSpec
from sweep.testing.contract import Contract


class SamplerContract(Contract):
    """Contract of a `SamplerSpec`."""

    spec: ClassVar[SamplerSpec]
    table = SAMPLERS

    def space(self) -> Space:
        """Return a space that the sampler serves: with conditions, else numbers and a choice, else numbers."""
        numbers = (
            Axis("lr", ("training", "optimizer", "lr"), LogUniform(1e-4, 1.0)),
            Axis("hidden", ("model", "hidden"), IntUniform(2, 40)),
        )
        choice = Axis("optimizer", ("training", "optimizer"), Choice(("sgd", "adam")))
        momentum = Axis(
            "sgd.momentum",
            ("training", "optimizer", "momentum"),
            OneMinusLog(0.0, 0.99),
            Condition("optimizer", frozenset(["sgd"])),
        )
        spaces = (Space((choice, momentum, *numbers)), Space((choice, *numbers)), Space(numbers))
        return next(space for space in spaces if self.spec.refuses(space) is None)

    def test_it_draws_trials_of_the_space(self) -> None:
        """Every axis that exists has a value of its range, and trials differ."""
        from sweep.search.proposals import checked

        space = self.space()
        drawn: list[dict[str, Any]] = []
        for number in range(8):
            history = History(tuple((params, seed_of(k) / 2**63) for k, params in enumerate(drawn)), ())
            drawn.append(checked(self.spec.propose(space, history, 3, number), space))
        assert len({json.dumps(params, sort_keys=True) for params in drawn}) > 1

    def test_it_is_a_pure_function(self) -> None:
        """Equal arguments give equal trials, whatever was drawn in between."""
        space = self.space()
        first = self.spec.propose(space, History((), ()), 3, 0)
        self.spec.propose(space, History((), (first,)), 4, 1)
        assert self.spec.propose(space, History((), ()), 3, 0) == first
