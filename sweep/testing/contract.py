"""What all contracts share, and the tiny trial that they train."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

from sweep.config.data_section import DataConfig
from sweep.config.ranges import ends
from sweep.config.registry import Registry
from sweep.config.sections import ModelConfig, ScoreConfig, TrainingConfig
from sweep.config.trial import TrialConfig

BUDGET = 8_000  # sequence-steps of a tiny trial
WINDOW = 20
STEPS, WARMUP, HORIZON = 100, 30, 30  # of a tiny series, before a rollout, of a rollout


def tiny_trial(**changes: Any) -> TrialConfig:
    """Return a trial on sines that trains in a fraction of a second.

    Args:
        changes: fields of `TrialConfig` that replace the tiny trial's.
    """
    base = TrialConfig(
        data=DataConfig(source="sine", options={"T": 5, "length": STEPS, "series": 10}),
        score=ScoreConfig(warmup=WARMUP, horizon=HORIZON, starts=4),
        model=ModelConfig(hidden=6, layers=1),
        training=TrainingConfig(budget=BUDGET, evaluations=4, window=WINDOW, batch_size=8, burn_in=4),
        seed=1,
    )
    return base.model_copy(update=changes)


class Contract:
    """What all contracts share: a spec has a name and a source, and its table knows it."""

    spec: ClassVar[Any]
    table: ClassVar[Registry[Any]]

    @contextmanager
    def known(self) -> Iterator[None]:
        """Know the spec by its name inside."""
        with self.table.including(self.spec):
            yield

    def test_it_has_a_name_and_a_source(self) -> None:
        """A name that TOML and file names can hold; where it was published, or what it is."""
        assert self.spec.name and self.spec.name == self.spec.name.strip()
        assert not set(self.spec.name) & set('./\\"\n')
        texts = [getattr(self.spec, field, "") for field in ("source", "title", "description")]
        assert any(text.strip() for text in texts)

    def test_settings_and_ranges_fit_each_other(self) -> None:
        """Defaults can be used, every range is of a setting, and both of its ends can be used."""
        with self.known():
            settings = getattr(self.spec, "settable", None)
            if settings is None:
                return
            entry = settings()
            assert entry.problem({}) is None
            assert set(entry.space) <= set(entry.defaults)
            for key, span in entry.space.items():
                for value in ends(span):
                    assert entry.problem({key: value}) is None, f"{key} = {value!r}"
