"""The table of optimizers. Study files, tests and documentation read it: to add an optimizer, add an entry."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.optim import SGD, Adagrad, Adam, AdamW, NAdam, Optimizer, RAdam, RMSprop

from sweep.config.known_names import Settable, check_types
from sweep.config.ranges import LogUniform, OneMinusLog, Range
from sweep.config.registry import Registry
from sweep.config.sections import TrainingConfig
from sweep.train.lbfgs import MemoLBFGS
from sweep.train.muon import MuonWithAdamW
from sweep.train.plain import without_compiler

MOMENTUM = OneMinusLog(0.0, 0.99)
SHARES = ("momentum", "beta2", "alpha")  # weights of the past in a running mean: 1 would never forget it
Make = Callable[[list[Tensor], Mapping[str, Any], float], Optimizer]


@dataclass(frozen=True)
class OptimizerSpec:
    """An optimizer: how it is built from parameters, settings and weight decay, and which ranges make sense.

    The setting "lr", the learning rate, is required. "momentum" means heavy-ball momentum for SGD, RMSprop and Muon,
    and beta1 for the Adam family.
    """

    name: str
    make: Make
    defaults: Mapping[str, Any]
    space: Mapping[str, Range]
    source: str
    full_batch: bool = False  # trains on all windows at once, as a `FullBatchOptimizer`; it has no batch_size
    per_matrix: bool = False  # takes the separate parameters instead of one flat vector

    def __post_init__(self) -> None:
        if "lr" not in self.defaults:
            raise ValueError(f"the optimizer {self.name!r} needs a default of its learning rate, 'lr'")

    @property
    def has_momentum(self) -> bool:
        """Return whether the optimizer has a setting "momentum"."""
        return "momentum" in self.defaults

    def build(self, params: list[Tensor], settings: Mapping[str, Any], decay: float) -> Optimizer:
        """Return the optimizer of these parameters.

        Args:
            params: to train.
            settings: a value for each key of `defaults`.
            decay: weight decay, >= 0.
        """
        with without_compiler():
            return self.make(params, settings, decay)

    def check(self, settings: Mapping[str, Any]) -> None:
        """Raise ValueError or TypeError for settings with which the optimizer cannot be built."""
        check_types(self.name, self.defaults, settings)
        if not settings["lr"] > 0:
            raise ValueError(f"{self.name}.lr must be positive, got {settings['lr']!r}")
        for key in set(SHARES) & set(settings):
            if not 0 <= settings[key] < 1:
                raise ValueError(f"{self.name}.{key} must lie in [0, 1), got {settings[key]!r}")
        parameter = torch.nn.Parameter(torch.zeros(2, 2))
        self.build([parameter], settings, 0.0)

    def settable(self) -> Settable:
        """Return the entry as a study file sees it."""
        return Settable(self.defaults, self.space, self.full_batch, self.check)


def _sgd(params: list[Tensor], s: Mapping[str, Any], decay: float) -> Optimizer:
    nesterov = bool(s["nesterov"]) and s["momentum"] > 0
    return SGD(params, lr=s["lr"], momentum=s["momentum"], nesterov=nesterov, weight_decay=decay)


def _rmsprop(params: list[Tensor], s: Mapping[str, Any], decay: float) -> Optimizer:
    return RMSprop(
        params, lr=s["lr"], momentum=s["momentum"], alpha=s["alpha"], eps=s["eps"], weight_decay=decay
    )


def _adam_like(kind: Callable[..., Optimizer], **how: bool) -> Make:
    def make(params: list[Tensor], s: Mapping[str, Any], decay: float) -> Optimizer:
        betas = (s["momentum"], s["beta2"])
        return kind(params, lr=s["lr"], betas=betas, eps=s["eps"], weight_decay=decay, **how)

    return make


def _adagrad(params: list[Tensor], s: Mapping[str, Any], decay: float) -> Optimizer:
    return Adagrad(params, lr=s["lr"], eps=s["eps"], weight_decay=decay)


def _lbfgs(params: list[Tensor], s: Mapping[str, Any], decay: float) -> Optimizer:
    # here weight decay is part of the loss: a line search must see the function whose gradient it follows
    search = None if s["line_search"] == "none" else s["line_search"]
    if search not in (None, "strong_wolfe"):
        raise ValueError(f"lbfgs.line_search must be 'strong_wolfe' or 'none', got {s['line_search']!r}")
    if s["history"] < 1:
        raise ValueError(f"lbfgs.history must be at least 1, got {s['history']!r}")
    return MemoLBFGS(params, lr=s["lr"], history_size=s["history"], line_search_fn=search)


def _muon(params: list[Tensor], s: Mapping[str, Any], decay: float) -> Optimizer:
    return MuonWithAdamW(params, lr=s["lr"], momentum=s["momentum"], weight_decay=decay)


ADAM = {"lr": 1e-3, "momentum": 0.9, "beta2": 0.999, "eps": 1e-8}

OPTIMIZERS: Registry[OptimizerSpec] = Registry(
    "optimizer",
    spec=OptimizerSpec,
    entries=[
        OptimizerSpec(
            name="sgd",
            make=_sgd,
            defaults={"lr": 0.1, "momentum": 0.0, "nesterov": False},
            space={"lr": LogUniform(1e-3, 3.0), "momentum": MOMENTUM},
            source="Robbins & Monro (1951); Polyak (1964); Sutskever et al. (2013)",
        ),
        OptimizerSpec(
            name="rmsprop",
            make=_rmsprop,
            defaults={"lr": 1e-3, "momentum": 0.0, "alpha": 0.99, "eps": 1e-8},
            space={"lr": LogUniform(1e-5, 3e-2), "momentum": MOMENTUM},
            source="Tieleman & Hinton (2012), lecture 6.5",
        ),
        OptimizerSpec(
            name="adam",
            make=_adam_like(Adam, fused=True),
            defaults=ADAM,
            space={"lr": LogUniform(1e-4, 1e-1), "momentum": MOMENTUM},
            source="Kingma & Ba (2015)",
        ),
        OptimizerSpec(
            name="nadam",
            make=_adam_like(NAdam),
            defaults=ADAM,
            space={"lr": LogUniform(1e-4, 1e-1), "momentum": MOMENTUM},
            source="Dozat (2016)",
        ),
        OptimizerSpec(
            name="lbfgs",
            make=_lbfgs,
            defaults={"lr": 1.0, "history": 10, "line_search": "strong_wolfe"},
            space={"lr": LogUniform(0.1, 1.0)},
            source="Liu & Nocedal (1989); strong Wolfe search after Nocedal & Wright (2006), algorithm 3.5",
            full_batch=True,
        ),
        OptimizerSpec(
            name="adamw",
            make=_adam_like(AdamW, fused=True),
            defaults=ADAM,
            space={"lr": LogUniform(1e-4, 1e-1), "momentum": MOMENTUM},
            source="Loshchilov & Hutter (2019)",
        ),
        OptimizerSpec(
            name="radam",
            make=_adam_like(RAdam),
            defaults=ADAM,
            space={"lr": LogUniform(1e-4, 1e-1), "momentum": MOMENTUM},
            source="Liu et al. (2020)",
        ),
        OptimizerSpec(
            name="adagrad",
            make=_adagrad,
            defaults={"lr": 1e-2, "eps": 1e-10},
            space={"lr": LogUniform(1e-3, 1.0)},
            source="Duchi et al. (2011)",
        ),
        OptimizerSpec(
            name="muon",
            make=_muon,
            defaults={"lr": 1e-3, "momentum": 0.95},
            space={"lr": LogUniform(1e-4, 1e-1), "momentum": MOMENTUM},
            source="Jordan et al. (2024); the rate is scaled to the RMS of AdamW's update, Liu et al. (2025)",
            per_matrix=True,
        ),
    ],
)


def infeasible(training: TrainingConfig) -> str | None:
    """Return why an optimizer cannot train with these settings, None if it can."""
    name = training.optimizer.name
    if training.projected and not OPTIMIZERS[name].full_batch:
        return f'readout_refit = "always" needs an optimizer that takes all windows at once, not {name}'
    return None
