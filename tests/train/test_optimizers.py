"""Every optimizer of the table: it descends, refuses nonsense, and means by momentum what the docs say."""

import subprocess
import sys
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from sweep.config.ranges import Choice, contains
from sweep.train import OPTIMIZERS
from sweep.train.flat import FlatParameters
from sweep.train.lbfgs import MemoLBFGS

CURVATURE = torch.tensor([[4.0, 1.0], [1.0, 2.0]], dtype=torch.float64)
FAMILY = ("adam", "nadam", "adamw", "radam")


def built(name: str, parameters: list[Tensor], decay: float = 0.0, **settings: Any) -> torch.optim.Optimizer:
    spec = OPTIMIZERS[name]
    return spec.build(parameters, {**spec.defaults, **settings}, decay)


def quadratic(point: Tensor) -> Tensor:
    """1/2 of the sum of x' A x over the rows x; its gradient at x is A x, its minimum 0."""
    return 0.5 * (point @ CURVATURE * point).sum()


def start() -> nn.Parameter:
    return nn.Parameter(torch.tensor([[1.0, -2.0], [0.5, 3.0]], dtype=torch.float64))


def stepped(
    name: str, steps: int, decay: float = 0.0, point: nn.Parameter | None = None, **settings: Any
) -> Tensor:
    """Where `steps` updates on the quadratic lead to."""
    point = start() if point is None else point
    optimizer = built(name, [point], decay, **settings)

    def closure() -> float:
        point.grad = None
        loss = quadratic(point)
        loss.backward()
        return loss.item()

    for _ in range(steps):
        if OPTIMIZERS[name].full_batch:
            optimizer.step(closure)
        else:
            closure()
            optimizer.step()
    return point.detach()


def test_the_table_holds_what_the_documentation_names():
    named = {"sgd", "rmsprop", "adam", "nadam", "lbfgs", "adamw", "radam", "adagrad", "muon"}
    assert named <= set(OPTIMIZERS)


def test_the_entry_says_whether_it_has_momentum():
    without = {name for name in OPTIMIZERS if not OPTIMIZERS[name].has_momentum}
    assert without == {"lbfgs", "adagrad"}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_descends(name: str):
    before = float(quadratic(start().detach()))
    assert float(quadratic(stepped(name, 300, lr=0.02))) < 0.5 * before
    assert float(quadratic(stepped(name, 0, lr=0.02))) == before  # control


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_lowers_the_loss_of_a_sine(name: str, trainer):
    small = trainer({"name": name, "lr": OPTIMIZERS[name].space["lr"].from_unit(0.6)}, budget=4000)
    first = small.train(160, [])
    small.train(3000, [])
    assert small.train(4000, []) < 0.75 * first


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_defaults_and_ranges_fit_each_other(name: str):
    spec = OPTIMIZERS[name]
    spec.check(spec.defaults)
    assert set(spec.space) <= set(spec.defaults) and "lr" in spec.space
    assert ("momentum" in spec.space) == ("momentum" in spec.defaults)
    assert spec.source and spec.name == name
    for key, span in spec.space.items():
        for u in (0.0, 0.5, 1.0):
            spec.check({**spec.defaults, key: span.from_unit(u)})
        assert isinstance(span, Choice) or contains(span, span.from_unit(0.5))


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("lr", [0, -1.0, float("nan"), float("inf"), "fast", True])
def test_a_rate_that_cannot_be_is_refused(name: str, lr: Any):
    spec = OPTIMIZERS[name]
    with pytest.raises((ValueError, TypeError), match=rf"{name}\.lr must be"):
        spec.check({**spec.defaults, "lr": lr})


@pytest.mark.parametrize(
    ("name", "key", "value"),
    [
        *[(name, "momentum", value) for name in OPTIMIZERS for value in (1.0, -0.1, "much")],
        ("sgd", "nesterov", 1),
        ("rmsprop", "alpha", 1.5),
        ("rmsprop", "eps", -1.0),
        ("adam", "beta2", 1.0),
        ("adam", "eps", float("inf")),
        ("lbfgs", "history", 0),
        ("lbfgs", "history", 5.0),
        ("lbfgs", "line_search", "wolfe"),
    ],
)
def test_a_setting_that_cannot_be_is_refused(name: str, key: str, value: Any):
    spec = OPTIMIZERS[name]
    if key not in spec.defaults:
        return
    with pytest.raises((ValueError, TypeError), match=key if key != "eps" else "eps"):
        spec.check({**spec.defaults, key: value})


def test_heavy_ball_momentum_by_hand():
    # v <- m v + g, x <- x - lr v, twice
    x, velocity = start().detach().clone(), torch.zeros(2, 2).double()
    for _ in range(2):
        velocity = 0.9 * velocity + x @ CURVATURE
        x = x - 0.01 * velocity
    assert torch.allclose(stepped("sgd", 2, lr=0.01, momentum=0.9), x, atol=1e-14)
    assert not torch.allclose(stepped("sgd", 2, lr=0.01, momentum=0.0), x, atol=1e-3)


def test_nesterov_by_hand():
    x, velocity = start().detach().clone(), torch.zeros(2, 2).double()
    for _ in range(2):
        gradient = x @ CURVATURE
        velocity = 0.9 * velocity + gradient
        x = x - 0.01 * (gradient + 0.9 * velocity)
    assert torch.allclose(stepped("sgd", 2, lr=0.01, momentum=0.9, nesterov=True), x, atol=1e-14)
    plain = stepped("sgd", 2, lr=0.01, momentum=0.0)
    assert torch.equal(stepped("sgd", 2, lr=0.01, momentum=0.0, nesterov=True), plain)  # not an error


def test_momentum_of_rmsprop_is_heavy_ball_on_the_scaled_gradient():
    x, square, velocity = start().detach().clone(), torch.zeros(2, 2).double(), torch.zeros(2, 2).double()
    for _ in range(3):
        gradient = x @ CURVATURE
        square = 0.9 * square + 0.1 * gradient**2
        velocity = 0.8 * velocity + gradient / (square.sqrt() + 1e-8)
        x = x - 0.01 * velocity
    assert torch.allclose(stepped("rmsprop", 3, lr=0.01, momentum=0.8, alpha=0.9), x, atol=1e-12)


@pytest.mark.parametrize("name", FAMILY)
def test_momentum_of_the_adam_family_is_beta1(name: str):
    optimizer = built(name, [start()], momentum=0.7, beta2=0.95)
    assert optimizer.param_groups[0]["betas"] == (0.7, 0.95)


def test_adam_by_hand():
    x, mean, square = start().detach().clone(), torch.zeros(2, 2).double(), torch.zeros(2, 2).double()
    for step in (1, 2, 3):
        gradient = x @ CURVATURE
        mean, square = 0.7 * mean + 0.3 * gradient, 0.95 * square + 0.05 * gradient**2
        x = x - 0.01 * (mean / (1 - 0.7**step)) / ((square / (1 - 0.95**step)).sqrt() + 1e-8)
    assert torch.allclose(stepped("adam", 3, lr=0.01, momentum=0.7, beta2=0.95), x, atol=1e-12)


def test_weight_decay_by_hand():
    x = start().detach()
    gradient = x @ CURVATURE
    decayed = x - 0.01 * (gradient + 0.5 * x)
    assert torch.allclose(stepped("sgd", 1, decay=0.5, lr=0.01), decayed, atol=1e-14)
    # decoupled: the weights shrink by lr * decay beside Adam's step, which at first is lr in each component
    adamw = x * (1 - 0.01 * 0.5) - 0.01 * gradient.sign()
    assert torch.allclose(stepped("adamw", 1, decay=0.5, lr=0.01), adamw, atol=1e-8)
    # coupled: the first step of Adam does not see the size of the gradient, so decay changes next to nothing
    assert torch.allclose(stepped("adam", 1, decay=0.5, lr=0.01), x - 0.01 * gradient.sign(), atol=1e-8)


def test_muon_takes_matrices_and_adamw_the_rest():
    matrix, bias = start(), nn.Parameter(torch.tensor([1.0, -1.0], dtype=torch.float64))
    optimizer = built("muon", [matrix, bias], lr=0.1, momentum=0.5)
    assert [len(group["params"]) for group in optimizer.param_groups] == [1, 1]
    assert optimizer.param_groups[0]["params"][0] is matrix
    assert optimizer.param_groups[1]["betas"][0] == 0.5
    for group in optimizer.param_groups:  # as a schedule sets rates
        group["lr"] = 0.01
    matrix.grad, bias.grad = torch.ones_like(matrix), torch.tensor([2.0, -2.0], dtype=torch.float64)
    optimizer.step()
    assert torch.allclose(bias.detach(), torch.tensor([0.99, -0.99], dtype=torch.float64), atol=1e-8)
    moved = (matrix - start()).detach().abs()
    assert 0 < float(moved.max()) < 0.02


@pytest.mark.parametrize("name", [name for name, spec in OPTIMIZERS.items() if not spec.full_batch])
@pytest.mark.parametrize("decay", [0.0, 0.01])
def test_one_flat_vector_gives_the_path_of_separate_parameters(name: str, decay: float):
    def network() -> nn.Module:
        torch.manual_seed(0)
        return nn.LSTM(2, 4, 2, batch_first=True).double()

    inputs = torch.linspace(-1, 1, 36, dtype=torch.float64).view(3, 6, 2)
    one, two = network(), network()
    flat = FlatParameters(one)
    parameters = [*flat.parameters] if OPTIMIZERS[name].per_matrix else [flat.vector]
    mine, theirs = built(name, parameters, decay), built(name, list(two.parameters()), decay)
    for _ in range(5):
        flat.gradient.zero_()
        two.zero_grad(set_to_none=False)
        for net in (one, two):
            net(inputs)[0].square().sum().backward()
        mine.step()
        theirs.step()
    for a, b in zip(one.parameters(), two.parameters(), strict=True):
        assert torch.allclose(a, b, rtol=0, atol=1e-12)
    assert torch.equal(flat.vector.detach(), torch.cat([p.detach().reshape(-1) for p in one.parameters()]))
    assert not torch.allclose(
        flat.vector, torch.cat([p.reshape(-1) for p in network().parameters()]), atol=1e-4
    )


# --- L-BFGS -----------------------------------------------------------------------------------------


def rosenbrock(x: Tensor) -> Tensor:
    """The sum over neighbours of (1 - x)^2 + 20 (y - x^2)^2: a bent valley."""
    return ((1 - x[:-1]) ** 2).sum() + 20 * ((x[1:] - x[:-1] ** 2) ** 2).sum()


def lbfgs_path(kind: str, steps: int, search: str | None, lr: float = 0.5) -> tuple[list[Tensor], int]:
    """The points that L-BFGS visits on Rosenbrock's function, and how many closures that took."""
    x = nn.Parameter(torch.tensor([-1.2, 1.0, 0.7], dtype=torch.float64))
    calls = 0

    def closure() -> float:
        nonlocal calls
        calls += 1
        x.grad = None
        loss = rosenbrock(x)
        loss.backward()
        return loss.item()

    if kind == "memo":
        optimizer: torch.optim.LBFGS = MemoLBFGS([x], lr=lr, history_size=10, line_search_fn=search)
    else:
        optimizer = torch.optim.LBFGS(
            [x], lr, max_iter=1, max_eval=26, history_size=10, line_search_fn=search
        )
    path = []
    for _ in range(steps):
        optimizer.step(closure)
        path.append(x.detach().clone())
    return path, calls


@pytest.mark.parametrize("search", ["strong_wolfe", None])
def test_the_memo_changes_no_point_and_saves_closures(search: str | None):
    lr = 0.5 if search else 0.02
    mine, fewer = lbfgs_path("memo", 25, search, lr)
    theirs, closures = lbfgs_path("torch", 25, search, lr)
    assert all(torch.equal(one, two) for one, two in zip(mine, theirs, strict=True))
    if search:
        assert fewer <= closures - 24  # each step but the first begins where the search has just been
        assert float(rosenbrock(mine[-1])) < 0.1 * float(rosenbrock(torch.tensor([-1.2, 1.0, 0.7])))
    else:
        assert fewer == closures == 25  # a step of fixed length looks nowhere


def test_the_line_search_satisfies_the_strong_wolfe_conditions():
    # one step from far away: torch's own limit of evaluations would leave the search at the first one
    x = nn.Parameter(torch.tensor([-1.2, 1.0, 0.7], dtype=torch.float64))
    optimizer = MemoLBFGS([x], lr=1e-4, history_size=10, line_search_fn="strong_wolfe")
    calls = 0

    def closure() -> float:
        nonlocal calls
        calls += 1
        x.grad = None
        loss = rosenbrock(x)
        loss.backward()
        return loss.item()

    before = closure()
    gradient, begin = x.grad.clone(), x.detach().clone()
    assert optimizer.step(closure) == before
    assert optimizer.start_norm == pytest.approx(float(gradient.norm()))
    after, slope = closure(), float(x.grad @ -gradient)
    initial = -float(gradient @ gradient)
    length = float((x.detach() - begin).norm() / gradient.norm())
    assert calls > 3
    assert after <= before + 1e-4 * length * initial
    assert abs(slope) <= 0.9 * abs(initial)


def test_a_closure_that_is_not_finite_ends_the_step():
    x = nn.Parameter(torch.tensor([1.0], dtype=torch.float64))
    optimizer = MemoLBFGS([x], lr=100.0, history_size=10, line_search_fn="strong_wolfe")
    calls = 0

    def closure() -> float:
        nonlocal calls
        calls += 1
        x.grad = torch.full((1,), 2.0, dtype=torch.float64)
        return float("nan") if x.item() < 0 else 1.0

    assert optimizer.step(closure) == 1.0  # the loss at the start is known
    assert optimizer.lost and calls == 2


def test_a_rate_of_zero_moves_nothing():
    x = nn.Parameter(torch.tensor([1.0, 2.0], dtype=torch.float64))
    optimizer = MemoLBFGS([x], lr=1.0, history_size=10, line_search_fn="strong_wolfe")
    optimizer.param_groups[0]["lr"] = 0.0

    def closure() -> float:
        x.grad = None
        loss = (x**2).sum()
        loss.backward()
        return loss.item()

    assert optimizer.step(closure) == 5.0
    assert x.tolist() == [1.0, 2.0] and not optimizer.lost


def test_who_compiles_in_the_same_process_finds_torch_as_it_was():
    code = (
        "import torch\n"
        "from sweep.train import OPTIMIZERS\n"
        "for spec in OPTIMIZERS.values(): spec.check(spec.defaults)\n"
        "more = torch.nn.Parameter(torch.zeros(7))\n"
        "optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(2))], lr=0.1)\n"
        "def thaw(x):\n"
        "    optimizer.add_param_group({'params': [more]})\n"
        "    return 2 * x\n"
        "assert torch.compile(thaw, backend='eager')(torch.ones(1)) == 2\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, done.stderr
