"""Training of a network: tables of optimizers and schedulers, and the training loop with its log.

The unit of training is the sequence-step: one sequence advanced by one time step, forward and backward.
"""

from sweep.train.full_batch import FullBatchOptimizer, OutOfBudget
from sweep.train.loop import Trainer, full_batch_cost
from sweep.train.optimizers import OPTIMIZERS, OptimizerSpec, infeasible
from sweep.train.schedulers import SCHEDULERS, SchedulerSpec

__all__ = [
    "OPTIMIZERS",
    "SCHEDULERS",
    "FullBatchOptimizer",
    "OptimizerSpec",
    "OutOfBudget",
    "SchedulerSpec",
    "Trainer",
    "full_batch_cost",
    "infeasible",
]
