"""The training loop against naive twins: what each setting does, what it costs, how a run goes on."""

import functools
import itertools
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from sweep.config.errors import DataError
from sweep.config.seeds import stream
from sweep.model.native.library import instruction_sets
from sweep.train import OPTIMIZERS, Trainer

Made = Any
SGD = {"name": "sgd", "lr": 0.05}


@pytest.fixture(params=["torch", *(f"native-{name}" for name in instruction_sets()[-1:])])
def trainer(request: pytest.FixtureRequest, trainer: Made) -> Made:
    """Make a trainer on each engine."""
    return functools.partial(trainer, engine=request.param)


def weights(trainer: Trainer) -> Tensor:
    return trainer.flat.snapshot()


def batch(trainer: Trainer, number: int = 0) -> tuple[Tensor, Tensor]:
    """The inputs and targets of a fresh trainer's first batch."""
    picks = trainer._order(0)[: trainer.config.batch_size]
    inputs, targets = trainer.windows.batch(picks)
    return torch.as_tensor(inputs), torch.as_tensor(targets)


def gradient_of(trainer: Trainer, loss: Tensor) -> Tensor:
    parts = torch.autograd.grad(loss, trainer.flat.parameters)
    return torch.cat([part.reshape(-1) for part in parts])


def after_one_sgd_update(trainer: Trainer, loss: Tensor, factor: float = 1.0) -> Tensor:
    return weights(trainer) - 0.05 * factor * gradient_of(trainer, loss)


# --- sequence-steps ---------------------------------------------------------------------------------


def test_a_sequence_step_is_one_sequence_by_one_step(trainer: Made):
    running = trainer(SGD, window=10, batch_size=4)
    running.train(1, [])
    assert (running.consumed, running.updates) == (40, 1)
    running.train(40, [])
    assert (running.consumed, running.updates) == (40, 1)
    running.train(41, [])
    assert (running.consumed, running.updates) == (80, 2)


def test_the_last_batch_of_an_epoch_counts_what_it_holds(trainer: Made):
    running = trainer(SGD, window=10, batch_size=7, shuffle=False)  # 16 windows: 7, 7, 2
    counts = []
    for _ in range(4):
        before = running.consumed
        running.train(before + 1, [])
        counts.append(running.consumed - before)
    assert counts == [70, 70, 20, 70]
    assert running.epoch == 1


def test_whole_series_are_windows(trainer: Made):
    running = trainer(SGD, window=0, batch_size=3)
    running.train(1, [])
    assert running.consumed == 3 * 40
    running.train(121, [])
    assert running.consumed == 4 * 40


def test_unrolled_steps_and_burn_in_cost_the_same(trainer: Made):
    running = trainer(SGD, window=10, batch_size=4, unroll=3, burn_in=2)
    running.train(1, [])
    assert running.consumed == 40


def test_closures_are_counted(trainer: Made, monkeypatch: pytest.MonkeyPatch):
    running = trainer("lbfgs", budget=10**6)
    calls = 0
    original = running._full_loss

    def counted() -> float:
        nonlocal calls
        calls += 1
        return original()

    monkeypatch.setattr(running, "_full_loss", counted)
    running.train(6000, [])
    assert running.consumed == calls * 16 * 10
    assert 1 < running.updates < calls  # line searches take some of them


@pytest.mark.parametrize("closures", [0.5, 1, 2, 3, 7, 12.5])
def test_closures_stay_within_the_budget(trainer: Made, closures: float):
    running = trainer("lbfgs", budget=round(160 * closures))
    before = weights(running)
    running.train(running.config.budget, [])
    assert running.consumed == 160 * max(1, int(closures)) and running.spent and running.diverged is None
    assert math.isnan(running.train(running.config.budget, []))
    assert (running.changes > 0) == (not torch.equal(weights(running), before)) == (closures >= 2)


def test_a_line_search_cut_short_ends_at_the_best_point_it_has_seen(
    trainer: Made, monkeypatch: pytest.MonkeyPatch
):
    cut = 0
    for closures in range(2, 40):
        running = trainer("lbfgs", budget=160 * closures)
        seen: list[tuple[float, torch.Tensor]] = []
        original = running._full_loss

        def remembered(running=running, original=original, seen=seen) -> float:
            loss = original()
            seen.append((loss, weights(running)))
            return loss

        monkeypatch.setattr(running, "_full_loss", remembered)
        running.train(running.config.budget, [])
        assert len(seen) == closures
        ended = next(loss for loss, at in seen if torch.equal(at, weights(running)))
        cut += not torch.equal(seen[-1][1], weights(running))
        assert ended == min(loss for loss, _ in seen)
    assert cut  # some line search had tried worse points last


# --- what the settings do ---------------------------------------------------------------------------


def test_an_update_follows_the_gradient_of_the_mean_squared_error(trainer: Made):
    running = trainer(SGD)
    inputs, targets = batch(running)
    loss = ((running.network(inputs)[0] - targets) ** 2).mean()
    expected = after_one_sgd_update(running, loss)
    assert running.train(1, []) == pytest.approx(float(loss.detach()), rel=1e-12)
    assert torch.allclose(weights(running), expected, rtol=0, atol=1e-14)


def test_burn_in_is_not_scored(trainer: Made):
    running = trainer(SGD, burn_in=4)
    inputs, targets = batch(running)
    loss = ((running.network(inputs)[0] - targets) ** 2)[:, 4:].mean()
    expected = after_one_sgd_update(running, loss)
    running.train(1, [])
    assert torch.allclose(weights(running), expected, rtol=0, atol=1e-14)


def test_unrolled_steps_see_their_own_forecasts(trainer: Made):
    running = trainer(SGD, unroll=3)
    inputs, targets = batch(running)
    fed, total = inputs.clone(), torch.zeros(())
    for t in range(10):  # the twin runs the whole history at every step
        forecast = running.network(fed[:, : t + 1])[0][:, t]
        total = total + ((forecast - targets[:, t]) ** 2).mean() / 10
        if t >= 6 and t < 9:  # seven forced steps; the forecast of the seventh is the eighth's input
            fed = torch.cat([fed[:, : t + 1], forecast[:, None], fed[:, t + 2 :]], dim=1)
    expected = after_one_sgd_update(running, total)
    running.train(1, [])
    assert torch.allclose(weights(running), expected, rtol=0, atol=1e-14)
    plain = trainer(SGD)
    plain.train(1, [])
    assert not torch.allclose(weights(plain), expected, atol=1e-6)


def test_input_noise_is_on_the_inputs_and_drawn_anew_for_each_update(trainer: Made):
    running = trainer(SGD, input_noise=0.3)
    for update in range(2):
        picks = running._order(0)[4 * update : 4 * update + 4]
        inputs, targets = (torch.as_tensor(part) for part in running.windows.batch(picks))
        generator = torch.Generator().manual_seed(stream(3, "noise") + update)
        noise = torch.randn(4, 10, 1, generator=generator, dtype=torch.float64)
        loss = ((running.network(inputs + 0.3 * noise)[0] - targets) ** 2).mean()
        expected = after_one_sgd_update(running, loss)
        running.train(running.consumed + 1, [])
        assert torch.allclose(weights(running), expected, rtol=0, atol=1e-14)


def test_noise_spares_known_inputs(trainer: Made):
    running = trainer(SGD, input_noise=0.3)
    inputs = torch.ones(2, 5, 3).double()
    noisy = running._noisy(inputs, 1, 0)
    assert torch.equal(noisy[..., 1:], inputs[..., 1:]) and not (noisy[..., 0] == 1).any()
    assert torch.equal(inputs, torch.ones(2, 5, 3).double())
    assert float((running._noisy(torch.zeros(200, 50, 1).double(), 1, 0)).std()) == pytest.approx(
        0.3, rel=0.02
    )


def test_noise_of_a_full_batch_stays_so_that_a_line_search_sees_one_function(trainer: Made):
    running = trainer("lbfgs", input_noise=0.3)
    first = running._full_loss()
    running.updates += 1
    assert running._full_loss() == first
    assert trainer("lbfgs")._full_loss() != first


def test_clipping_scales_the_gradient_to_the_limit(trainer: Made):
    running = trainer(SGD, clip=0.01)
    inputs, targets = batch(running)
    loss = ((running.network(inputs)[0] - targets) ** 2).mean()
    norm = float(gradient_of(running, ((running.network(inputs)[0] - targets) ** 2).mean()).norm())
    assert norm > 0.01
    expected = after_one_sgd_update(running, loss, factor=0.01 / norm)
    running.train(1, [])
    assert torch.allclose(weights(running), expected, rtol=0, atol=1e-14)
    (row,) = running.log.rows.values()
    assert row["clipped"] == 1 and row["gradient"] == pytest.approx(norm)  # the norm before clipping
    loose = trainer(SGD, clip=100.0)
    loose.train(1, [])
    assert loose.log.rows.popitem()[1]["clipped"] == 0


def test_weight_decay_pulls_to_zero(trainer: Made):
    running = trainer(SGD, weight_decay=0.5)
    inputs, targets = batch(running)
    before = weights(running)
    loss = ((running.network(inputs)[0] - targets) ** 2).mean()
    expected = after_one_sgd_update(running, loss) - 0.05 * 0.5 * before
    running.train(1, [])
    assert torch.allclose(weights(running), expected, rtol=0, atol=1e-14)


def test_weight_decay_is_part_of_a_full_batch_s_loss(trainer: Made):
    plain, decayed = trainer("lbfgs"), trainer("lbfgs", weight_decay=0.5)
    loss = plain._full_loss()
    size = weights(plain)
    assert decayed._full_loss() == pytest.approx(loss + 0.25 * float(size @ size), rel=1e-12)
    assert torch.allclose(decayed.flat.gradient, plain.flat.gradient + 0.5 * size, atol=1e-14)


def test_a_full_batch_is_all_windows_whatever_the_chunks(trainer: Made, monkeypatch: pytest.MonkeyPatch):
    whole = trainer("lbfgs")
    loss = whole._full_loss()
    inputs, targets = (torch.as_tensor(part) for part in whole.windows.batch(whole.windows.offsets(None)))
    assert inputs.shape == (16, 10, 1)
    expected = ((whole.network(inputs)[0] - targets) ** 2).mean()
    assert loss == pytest.approx(float(expected.detach()), rel=1e-12)
    assert torch.allclose(whole.flat.gradient, gradient_of(whole, expected), atol=1e-14)
    monkeypatch.setattr("sweep.train.loop.CHUNK", 5)  # 5, 5, 5, 1: uneven on purpose
    parts = trainer("lbfgs")
    assert parts._full_loss() == pytest.approx(loss, rel=1e-12)
    assert torch.allclose(parts.flat.gradient, whole.flat.gradient, atol=1e-14)


def test_the_rate_is_that_of_the_update_s_middle(trainer: Made):
    running = trainer({"name": "sgd", "lr": 0.2}, scheduler="cosine", budget=400, shuffle=False)
    rates = []
    while running.consumed < 400:
        running.train(running.consumed + 1, [])
        rates.append(running.lr)
    shares = (np.arange(10) + 0.5) / 10
    assert rates == pytest.approx(list(0.1 * (1 + np.cos(np.pi * shares))), rel=1e-12)


def test_the_warm_up_of_the_rate_is_a_share_of_the_budget(trainer: Made):
    running = trainer({"name": "sgd", "lr": 0.2}, lr_warmup=0.4, budget=400, shuffle=False)
    rates = []
    while running.consumed < 400:
        running.train(running.consumed + 1, [])
        rates.append(running.lr)
    assert rates == pytest.approx([0.025, 0.075, 0.125, 0.175] + [0.2] * 6, rel=1e-12)


def test_a_budget_below_one_update_still_has_a_rate(trainer: Made):
    running = trainer({"name": "sgd", "lr": 0.2}, scheduler="cosine", budget=3)
    running.train(3, [])
    assert running.updates == 1 and running.lr == pytest.approx(0.1)


def test_plateau_hears_of_rollout_errors(trainer: Made):
    settings = {"name": "plateau", "gamma": 0.5, "patience": 0, "threshold": 0.0}
    running = trainer({"name": "sgd", "lr": 0.2}, scheduler=settings)
    running.train(1, [0.5])
    assert running.lr == 0.2
    running.train(41, [0.5, 0.6])
    assert running.lr == 0.1


def test_a_window_must_hold_more_than_what_is_not_scored(trainer: Made):
    trainer(SGD, window=0, burn_in=30, unroll=9)
    with pytest.raises(DataError, match=r"burn_in \+ training.unroll = 40 leaves nothing of 40 steps"):
        trainer(SGD, window=0, burn_in=30, unroll=10)


# --- order ------------------------------------------------------------------------------------------


def visited(trainer: Trainer, batches: int) -> list[tuple[int, int]]:
    return [tuple(pick) for _ in range(batches) for pick in trainer._next_picks().tolist()]


def test_without_shuffling_windows_come_in_order(trainer: Made):
    order = [(series, begin) for series in range(4) for begin in (0, 10, 20, 30)]
    running = trainer(SGD, shuffle=False, batch_size=5)
    assert visited(running, 8) == order + order  # two epochs of 5, 5, 5, 1
    assert visited(trainer(SGD, shuffle=False, batch_size=5, seed=9), 4) == order


def test_shuffling_visits_every_window_once_and_each_epoch_differs(trainer: Made):
    running = trainer(SGD, batch_size=5)
    for epoch in range(2):
        rng = np.random.default_rng([stream(3, "order"), epoch])
        windows = [tuple(pick) for pick in running.windows.offsets(rng).tolist()]
        order: list[tuple[int, int]] = []
        while len(order) < len(windows):
            order += visited(running, 1)
            assert running.epoch == epoch
        assert sorted(order) == sorted(windows) and order != windows
    first = visited(trainer(SGD, batch_size=4), 3)
    assert visited(trainer(SGD, batch_size=12), 1) == first  # the batch size changes no order
    assert visited(trainer(SGD, batch_size=4, seed=4), 3) != first


def test_the_order_ignores_global_random_states(trainer: Made):
    np.random.seed(1)
    torch.manual_seed(1)
    one = trainer("adam", input_noise=0.1)
    one.train(1000, [])
    np.random.seed(2)
    torch.manual_seed(2)
    state, tensor_state = np.random.get_state()[1].copy(), torch.random.get_rng_state()
    two = trainer("adam", input_noise=0.1)
    built = torch.random.get_rng_state()
    two.train(1000, [])
    assert torch.equal(weights(one), weights(two))
    assert np.array_equal(np.random.get_state()[1], state)
    assert torch.equal(torch.random.get_rng_state(), built)
    assert tensor_state.shape == built.shape


# --- going on ---------------------------------------------------------------------------------------


def same(one: Any, two: Any) -> bool:
    """Whether two states are equal to the last bit."""
    if isinstance(one, Tensor):
        return isinstance(two, Tensor) and torch.equal(one, two)
    if isinstance(one, Mapping):
        return set(one) == set(two) and all(same(one[key], two[key]) for key in one)
    if isinstance(one, list | tuple):
        return len(one) == len(two) and all(same(a, b) for a, b in zip(one, two, strict=True))
    return one == two or (one != one and two != two)


@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_restored_run_goes_on_bit_for_bit(name: str, precision: str, trainer: Made, reread: Made):
    settings = {
        "precision": precision, "scheduler": "one_cycle", "clip": 0.3, "input_noise": 0.05, "batch_size": 7,
    }  # fmt: skip
    stops = (300, 900, 1500, 3000)
    if OPTIMIZERS[name].full_batch:
        settings["budget"] = 20000
        stops = (500, 2500, 4500, 8000)
    whole = trainer(name, **settings)
    for until in stops:
        whole.train(until, [0.5])
    state = None
    for until in stops:
        part = trainer(name, **settings)
        if state is not None:
            part.restore(state)
        part.train(until, [0.5])
        state = reread(part.state())
    assert whole.updates > 4
    assert same(state, reread(whole.state()))
    forgetful = trainer(name, **settings)  # control: without its optimizer's state a run differs
    forgetful.restore({**state, "optimizer": forgetful.optimizer.state_dict()})
    whole.train(whole.consumed + 600, [0.5])
    forgetful.train(forgetful.consumed + 600, [0.5])
    assert name == "sgd" or not torch.equal(weights(forgetful), weights(whole))


def test_that_comparison_can_fail(trainer: Made):
    one, two = trainer("adam"), trainer("adam")
    one.train(200, [])
    two.train(240, [])
    assert not same(one.state(), two.state())
    assert not same({"a": torch.zeros(2)}, {"a": torch.zeros(3)})
    assert not same([1], [1, 2]) and not same(1.0, math.nan)


# --- what is not finite -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name, spec in OPTIMIZERS.items() if not spec.full_batch])
def test_a_loss_that_is_not_finite_stops_for_good(name: str, trainer: Made, reread: Made):
    running = trainer(name, precision="float32")
    running.train(100, [])
    before = weights(running)
    running.windows.rows[::2] = 1e30  # its square is beyond float32
    running.windows.rows[1::2] = -1e30
    loss = running.train(4000, [])
    assert math.isnan(loss)
    assert (
        running.diverged is not None and "loss inf" in running.diverged and "at update 4" in running.diverged
    )
    assert torch.equal(weights(running), before) and running.updates == 3
    consumed = running.consumed
    assert math.isnan(running.train(4000, [])) and running.consumed == consumed
    later = trainer(name, precision="float32")
    later.restore(reread(running.state()))
    later.train(4000, [])
    assert later.consumed == consumed and later.diverged == running.diverged


def test_a_step_out_of_the_range_of_numbers_is_taken_back(trainer: Made):
    running = trainer({"name": "sgd", "lr": 3e38}, precision="float32")
    running.windows.rows[:] *= 100
    before = weights(running)
    running.train(4000, [])
    assert running.diverged is not None and "left the range of numbers in update 1" in running.diverged
    assert torch.equal(weights(running), before) and running.updates == 0


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_rate_of_a_million_is_no_exception(name: str, trainer: Made):
    running = trainer({"name": name, "lr": 1e6}, precision="float32", budget=2000)
    running.train(2000, [])
    assert torch.isfinite(weights(running)).all()
    assert running.diverged is not None or running.spent or running.consumed >= 2000


def test_l_bfgs_restarts_from_its_best_point(trainer: Made, monkeypatch: pytest.MonkeyPatch):
    running = trainer("lbfgs", budget=10**6)
    running.train(2000, [])
    updates, best = running.updates, running.best_loss
    original, broken = running._full_loss, True

    def sometimes() -> float:
        value = original()
        return math.nan if broken else value

    monkeypatch.setattr(running, "_full_loss", sometimes)
    running.optimizer.memo = []
    running.train(running.consumed + 1, [])
    assert running.restarts == 1 and running.updates == updates and running.diverged is None
    assert torch.equal(weights(running), running.best_weights)
    assert running.optimizer.memo == [] and not running.optimizer.state
    broken = False
    running.train(running.consumed + 1000, [])
    assert running.best_loss < best and running.restarts_without_gain == 0 and running.diverged is None


def test_l_bfgs_gives_up_after_three_restarts_in_vain(trainer: Made, monkeypatch: pytest.MonkeyPatch):
    running = trainer("lbfgs", budget=10**6)
    running.train(2000, [])
    original = running._full_loss

    def broken() -> float:
        original()
        return math.nan

    monkeypatch.setattr(running, "_full_loss", broken)
    running.optimizer.memo = []
    running.train(10**6, [])
    assert running.restarts == 3 and running.diverged is not None and "3 times in a row" in running.diverged
    assert torch.equal(weights(running), running.best_weights)


def test_l_bfgs_that_never_had_a_finite_loss(trainer: Made):
    running = trainer("lbfgs")
    running.windows.rows[:] = math.inf
    before = weights(running)
    running.train(4000, [])
    assert running.diverged is not None and running.updates == 0
    assert torch.equal(weights(running), before)


def test_l_bfgs_at_a_minimum_uses_up_its_budget(trainer: Made):
    running = trainer("lbfgs", budget=4000)
    running.windows.rows[:] = 0.0
    running.flat.vector.data.zero_()  # persistence of a constant: the loss and its gradient are 0
    running.train(4000, [])
    assert running.consumed >= 4000 and running.diverged is None


# --- the log ----------------------------------------------------------------------------------------


def test_curves_hold_means_and_maxima_of_their_bins(trainer: Made):
    running = trainer(SGD, budget=4000, clip=0.2, shuffle=False)
    losses, ratios = [], []
    while running.consumed < 4000:
        before = weights(running)
        losses.append(running.train(running.consumed + 1, []))
        ratios.append(float((weights(running) - before).norm() / before.norm()))
    columns = running.log.columns()
    # 100 updates in 200 bins of 20 sequence-steps: a row each, the last two share the last bin
    assert columns["sequence_steps"][:3] == [40, 80, 120] and columns["share"][0] == 0.01
    assert columns["loss"][:98] == pytest.approx(losses[:98])
    assert columns["update_ratio"][:98] == pytest.approx(ratios[:98])
    assert columns["bin"][-1] == 199 and columns["updates"][-1] == 100
    coarse = trainer(SGD, budget=400_000, shuffle=False)
    coarse.train(4000, [])
    rows = coarse.log.columns()
    assert rows["bin"] == [0, 1, 2] and rows["updates"] == [49, 99, 100]
    assert rows["loss_max"][0] > rows["loss"][0]
    assert {len(column) for column in rows.values()} == {3}


def test_the_cosine_is_that_of_gradients_in_a_row(trainer: Made):
    running = trainer(SGD, window=10, batch_size=4, budget=120, clip=1e-3, shuffle=False)
    gradients = []
    twin = trainer(SGD, window=10, batch_size=4, budget=120, clip=1e-3, shuffle=False)
    for number in range(3):
        inputs, targets = batch_at(twin, number)
        forecasts, _ = twin.network(inputs)
        gradients.append(gradient_of(twin, torch.nn.functional.mse_loss(forecasts, targets)))
        twin.train(twin.consumed + 1, [])
    running.train(120, [])
    cosines = running.log.columns()["gradient_cosine"]
    wanted = [float(torch.cosine_similarity(a, b, dim=0)) for a, b in itertools.pairwise(gradients)]
    assert math.isnan(cosines[0]) and cosines[1:] == pytest.approx(wanted, rel=1e-4)
    assert all(
        math.isnan(cosine) for cosine in twin.log.columns()["gradient_cosine"]
    )  # segments of one update


def batch_at(trainer: Trainer, number: int) -> tuple[Tensor, Tensor]:
    """The inputs and targets of a trainer's batch, without shuffling."""
    size = trainer.config.batch_size
    inputs, targets = trainer.windows.batch(trainer._order(0)[number * size : (number + 1) * size])
    return torch.as_tensor(inputs), torch.as_tensor(targets)


@pytest.mark.parametrize("name", ["sgd", "adam", "rmsprop", "nadam", "muon"])
@pytest.mark.parametrize("rate", [1e40, 1e308])
def test_a_rate_beyond_the_range_of_the_precision_diverges(trainer: Made, name: str, rate: float):
    made = trainer({"name": name, "lr": rate}, precision="float32")
    made.train(made.consumed + 1, ())
    assert made.diverged == "the weights left the range of numbers in update 1"
    assert all(torch.isfinite(parameter).all() for parameter in made.network.parameters())
