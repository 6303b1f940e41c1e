"""Contract of data sources."""

from typing import ClassVar

import numpy as np

from sweep.config.data_section import DataConfig
from sweep.config.sections import ScoreConfig
from sweep.data import SOURCES, load
from sweep.data.recording import Need
from sweep.data.sources.source import SourceSpec
from sweep.testing.contract import Contract


class SourceContract(Contract):
    """Contract of a `SourceSpec`."""

    spec: ClassVar[SourceSpec]
    table = SOURCES

    def test_equal_options_give_equal_series(self) -> None:
        """`generate` is a pure function; its series are finite and have one column per channel."""
        need = Need(past=40, horizon=20, starts=3)
        options = self.spec.complete({})
        first, again = self.spec.generate(options, need), self.spec.generate(options, need)
        assert first.channels == again.channels and len(first.series) == len(again.series) > 0
        for one, other in zip(first.series, again.series, strict=True):
            assert one.values.ndim == 2 and one.values.shape[1] == len(first.channels)
            assert np.isfinite(one.values).all() and np.array_equal(one.values, other.values)
            assert (one.ends is not None) == self.spec.makes_parts

    def test_it_loads(self) -> None:
        """Training, validation and test data come out of it."""
        with self.known():
            data = load(DataConfig(source=self.spec.name), ScoreConfig(warmup=40, horizon=20, starts=3))
            assert data.train and len(data.validation.truth) and len(data.test.truth)
