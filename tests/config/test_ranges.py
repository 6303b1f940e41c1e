"""Typed ranges: what is sampled has the distribution that the word promises."""

import math
import sys

import numpy as np
import optuna
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from optuna.distributions import FloatDistribution
from scipy import stats

from sweep.config.range_text import parse_range, span_document
from sweep.config.ranges import (
    RANGE_WORDS,
    Choice,
    IntUniform,
    LogUniform,
    OneMinusLog,
    Range,
    SpaceError,
    Uniform,
    contains,
    suggest,
)

SPANS: list[Range] = [
    LogUniform(1e-4, 1e-1),
    Uniform(-2.0, 3.0),
    OneMinusLog(0.0, 0.99),
    IntUniform(3, 9),
    Choice(("lstm", "gru", (36, 24), True, 7)),
]


def drawn(span: Range, count: int) -> list:
    """Values of a range, as Optuna's random sampler gives them."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=3))
    return [suggest(study.ask(), "x", span) for _ in range(count)]


def p_uniform(values: np.ndarray, low: float, high: float) -> float:
    return float(stats.kstest(values, "uniform", args=(low, high - low)).pvalue)


def p_log_uniform(values: np.ndarray) -> float:
    return p_uniform(np.log(values), math.log(1e-4), math.log(1e-1))


def p_one_minus_log(values: np.ndarray) -> float:
    return p_uniform(np.log(1 - values), math.log(0.01), 0.0)


def test_every_kind_of_range_is_tested():
    assert {type(span) for span in SPANS} == {*RANGE_WORDS.values(), Choice}


def test_log_is_log_uniform():
    assert p_log_uniform(np.array(drawn(LogUniform(1e-4, 1e-1), 400))) > 0.01


def test_log1m_is_log_uniform_in_the_distance_to_one():
    assert p_one_minus_log(np.array(drawn(OneMinusLog(0.0, 0.99), 400))) > 0.01


def test_linear_is_uniform():
    assert p_uniform(np.array(drawn(Uniform(-2.0, 3.0), 400)), -2.0, 3.0) > 0.01


def test_those_tests_can_fail():
    # control: the usual mistake, a uniform draw, is told apart from both logarithmic ones, and they from it
    rng = np.random.default_rng(0)
    assert p_log_uniform(rng.uniform(1e-4, 1e-1, 400)) < 1e-6
    assert p_one_minus_log(rng.uniform(0.0, 0.99, 400)) < 1e-6
    assert p_one_minus_log(np.exp(rng.uniform(math.log(1e-3), math.log(0.99), 400))) < 1e-6
    assert p_uniform(np.exp(rng.uniform(-5, math.log(3), 400)), -2.0, 3.0) < 1e-6


def test_integers_and_choices_are_even():
    counts = np.bincount(drawn(IntUniform(3, 9), 700))[3:]
    assert len(counts) == 7 and stats.chisquare(counts).pvalue > 0.01
    assert stats.chisquare([100, 100, 100, 100, 100, 100, 160]).pvalue < 1e-3  # control


@pytest.mark.parametrize("span", SPANS, ids=lambda span: type(span).__name__)
def test_every_drawn_value_lies_in_the_range_and_has_its_way_back(span: Range):
    for value in drawn(span, 100):
        assert contains(span, value)
        assert span.distribution()._contains(span.distribution().to_internal_repr(span.sampled(value)))
        back = span.value(span.sampled(value))
        assert back == value if not isinstance(value, float) else back == pytest.approx(value, rel=1e-12)


def test_unit_interval_by_hand():
    assert LogUniform(1e-4, 1e-2).from_unit(0.5) == pytest.approx(1e-3)
    assert Uniform(-2.0, 2.0).from_unit(0.25) == -1.0
    assert OneMinusLog(0.0, 0.99).from_unit(0.5) == pytest.approx(0.9)  # 1 - 0.1
    assert OneMinusLog(0.0, 0.99).to_unit(0.9) == pytest.approx(0.5)
    assert [IntUniform(3, 5).from_unit(u) for u in (0.0, 0.33, 0.34, 0.67, 1.0)] == [3, 3, 4, 5, 5]
    assert IntUniform(3, 5).to_unit(3) == pytest.approx(1 / 6)
    assert [Choice(("a", "b")).from_unit(u) for u in (0.0, 0.49, 0.5, 1.0)] == ["a", "a", "b", "b"]
    assert Choice(("a", "b")).to_unit("b") == 0.75


unit = st.floats(0, 1)
any_number = st.floats(allow_nan=False) | st.integers() | st.sampled_from([10**400, -(10**400), 2**48, 2**53])
kinds = st.sampled_from(list(RANGE_WORDS.values()))
near = st.integers(-3, 3)  # steps of float64 from one bound to the other


def accepted(kind: type, low: float, high: float) -> Range | None:
    """Return the range, None if it is refused."""
    try:
        return kind(low, high)
    except SpaceError:
        return None


def check_maps(span: Range, u: float) -> None:
    """Both maps give finite values: values in the range, and shares in [0, 1]."""
    for share in (0.0, u, 1.0):
        value = span.from_unit(share)
        assert contains(span, value) and math.isfinite(value)
        back = span.to_unit(value)
        assert math.isfinite(back) and 0 <= back <= 1
        assert contains(span, span.from_unit(back))
        assert contains(span, span.value(span.sampled(value)))
    assert span.to_unit(span.low) < span.to_unit(span.high)


@settings(max_examples=300, deadline=None)
@given(kinds, any_number, any_number, unit)
def test_every_accepted_range_maps_the_unit_interval_into_itself_and_back(kind, low, high, u: float):
    span = accepted(kind, low, high)
    if span is not None:
        check_maps(span, u)


@settings(max_examples=300, deadline=None)
@given(kinds, st.floats(allow_nan=False), near, unit)
def test_a_range_of_a_few_steps_of_float64_is_refused_or_maps(kind, low: float, steps: int, u: float):
    high = low
    for _ in range(abs(steps)):
        high = math.nextafter(high, math.copysign(math.inf, steps))
    span = accepted(kind, low, high)
    if span is not None:
        check_maps(span, u)


@pytest.mark.parametrize(
    "span",
    [
        Uniform(-8.9e307, 8.9e307),
        Uniform(1.0, math.nextafter(1.0, 2.0)),
        LogUniform(5e-324, sys.float_info.max),
        LogUniform(1e-100, sys.float_info.max),  # where log(low) + (log(high) - log(low)) is above log(high)
        OneMinusLog(0.0, math.nextafter(1.0, 0.0)),
        OneMinusLog(0.0, 2e-16),
        IntUniform(-(2**48), 2**48),
        IntUniform(2**48 - 1, 2**48),
    ],
    ids=str,
)
def test_the_widest_and_narrowest_ranges_serve_a_sampler(span: Range):
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=0, n_startup_trials=5))
    for _ in range(20):
        trial = study.ask()
        value = suggest(trial, "x", span)
        assert contains(span, value)
        study.tell(trial, span.to_unit(value))
    for share in np.linspace(0, 1, 101):
        check_maps(span, float(share))


bounds = st.tuples(st.floats(1e-300, 1e300), st.floats(1e-300, 1e300)).filter(lambda b: b[0] * 1.01 < b[1])


@given(bounds, unit)
def test_log_and_back(ends: tuple[float, float], u: float):
    span = LogUniform(*ends)
    value = span.from_unit(u)
    assert contains(span, value) and span.to_unit(value) == pytest.approx(u, abs=1e-9)


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6), unit)
def test_linear_and_back(low: float, width: float, u: float):
    span = Uniform(low, low + width)
    value = span.from_unit(u)
    assert contains(span, value) and span.to_unit(value) == pytest.approx(u, abs=1e-5)


@given(st.floats(0, 0.9), st.floats(0.91, 0.9999), unit)
def test_log1m_and_back(low: float, high: float, u: float):
    span = OneMinusLog(low, high)
    value = span.from_unit(u)
    assert contains(span, value) and span.to_unit(value) == pytest.approx(u, abs=1e-9)
    assert contains(span, span.value(span.sampled(value)))


@given(st.integers(-1000, 1000), st.integers(1, 1000), st.data())
def test_integers_and_back(low: int, width: int, data: st.DataObject):
    span = IntUniform(low, low + width)
    value = data.draw(st.integers(low, low + width))
    assert span.from_unit(span.to_unit(value)) == value and contains(span, value)
    assert contains(span, span.from_unit(data.draw(unit)))


@given(st.lists(st.integers() | st.text(), min_size=1, unique=True), st.data())
def test_choices_and_back(values: list, data: st.DataObject):
    span = Choice(tuple(values))
    value = data.draw(st.sampled_from(values))
    assert span.from_unit(span.to_unit(value)) == value
    assert span.from_unit(data.draw(unit)) in values


@pytest.mark.parametrize(
    ("span", "inside", "outside"),
    [
        (LogUniform(1e-3, 1.0), [1e-3, 1, 0.5], [9e-4, 1.1, True, "1", math.nan, math.inf]),
        (Uniform(-1.0, 1.0), [-1.0, 0, 1.0], [-1.1, math.nan, False]),
        (OneMinusLog(0.5, 0.99), [0.5, 0.99], [0.49, 0.991]),
        (IntUniform(2, 4), [2, 3, 4], [1, 5, 2.5, 3.0, True]),
        (Choice((8, 16)), [8, 16], [9, "8"]),
        (Choice(((36, 24), ())), [(36, 24), [36, 24], ()], [(24, 36), 36]),
    ],
    ids=lambda value: type(value).__name__,
)
def test_contains(span: Range, inside: list, outside: list):
    assert [value for value in inside if not contains(span, value)] == []
    assert [value for value in outside if contains(span, value)] == []


@pytest.mark.parametrize("span", SPANS, ids=lambda span: type(span).__name__)
def test_a_range_is_read_from_what_it_writes(span: Range):
    assert parse_range(span_document(span)) == span


def test_optuna_sees_one_minus_the_momentum():
    span = OneMinusLog(0.0, 0.99)
    assert span.key("sgd.momentum") == "1-sgd.momentum"
    assert span.distribution() == FloatDistribution(1 - 0.99, 1.0, log=True)
    assert span.value(0.25) == 0.75 and span.sampled(0.75) == 0.25


def test_a_value_that_no_choice_has():
    with pytest.raises(ValueError, match="'c' is not among"):
        Choice(("a", "b")).value("c")


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: LogUniform(0.0, 1.0), "0 < low < high"),
        (lambda: LogUniform(1.0, math.inf), "0 < low < high"),
        (lambda: Uniform(1.0, 1.0), "low < high"),
        (lambda: OneMinusLog(0.0, 1.0), "high < 1"),
        (lambda: IntUniform(1, 2.5), "whole numbers"),  # type: ignore[arg-type]
        (lambda: Choice(()), "at least one"),
        (lambda: Choice((1, 1.0)), "twice"),
        (lambda: LogUniform(1e300, math.nextafter(1e300, math.inf)), r"log\(high\) - log\(low\) above 0"),
        (lambda: LogUniform(1, 10**400), "that float64 holds"),
        (lambda: LogUniform(1e-400, 1.0), "0 < low < high"),
        (
            lambda: Uniform(-1.7e308, 1.7e308),
            r"linear needs a finite high - low, got \[-1.7e\+308, 1.7e\+308\]",
        ),
        (lambda: Uniform(0.0, 5e-324), "high - low above 0"),
        (lambda: Uniform(0, 2**53 + 1), "that float64 holds"),
        (lambda: OneMinusLog(0.0, 1e-17), r"log\(1 - low\) - log\(1 - high\) above 0"),
        (lambda: IntUniform(1, 9999999999999999999999), "int needs bounds from -281474976710656 to"),
        (lambda: IntUniform(-(10**400), 0), "int needs bounds from"),
        (lambda: IntUniform(0, math.inf), "whole numbers"),  # type: ignore[arg-type]
    ],
)
def test_invalid_ranges(make, text: str):
    with pytest.raises(SpaceError, match=text):
        make()


@pytest.mark.parametrize("span", [IntUniform(4, 8), LogUniform(1.0, 8.0), Uniform(0.0, 8.0)])
def test_numbers_of_a_table_are_numbers(span):
    # a column of integers without gaps holds NumPy's integers
    assert span.to_unit(np.int64(5)) == span.to_unit(5)
    assert type(span.sampled(np.int64(5))) is int
    with pytest.raises(TypeError, match="wanted a number, got True"):
        span.to_unit(True)
