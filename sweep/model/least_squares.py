"""The last linear layer of a network as a least-squares problem with a closed-form solution.

The targets y[t] of the layer, the next values or their increments, are regressed on its inputs a[t], the activations:

    minimise over W, b: mean over t of |W a[t] + b - y[t]|^2 + ridge |W|^2

in float64 by an orthogonal factorisation, because normal equations would square the condition number.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

ROWS_AT_ONCE = 16384  # of a factorisation: more rows take more memory, fewer more time; our choice


@dataclass(frozen=True)
class Regression:
    """The triangular factor of the rows [1 | activations | goals], float64."""

    triangle: Tensor  # (1 + activation + channel, same)
    rows: int
    channels: int

    def extended(self, rows: Tensor) -> "Regression":
        """Return the regression with more rows (row, 1 + activation + channel)."""
        triangle = self.triangle
        for block in torch.split(rows, ROWS_AT_ONCE):
            triangle = torch.linalg.qr(torch.cat([triangle, block]), mode="r").R
        return Regression(triangle, self.rows + len(rows), self.channels)

    def solve(self, ridge: float) -> Tensor:
        """Return (1 + activation, channel), the bias in the first row.

        Args:
            ridge: penalty on the squared weights per row, > 0; the bias is not penalised.
        """
        width = self.triangle.shape[1] - self.channels
        penalty = math.sqrt(ridge * self.rows) * torch.eye(width).to(self.triangle)
        penalty[0, 0] = 0.0
        left = torch.cat([self.triangle[:width, :width], penalty])
        q, r = torch.linalg.qr(left)
        right: Tensor = q[:width].T @ self.triangle[:width, width:]
        weights: Tensor = torch.linalg.solve_triangular(r, right, upper=True)
        return weights

    def squared_error(self, weights: Tensor) -> float:
        """Return the sum over rows and channels of squared errors with weights (1 + activation, channel).

        It is computed from the factor: more exactly than from the rows, as no small number is the difference of two
        large ones where the weights are those of a small ridge.
        """
        width = self.triangle.shape[1] - self.channels
        misfit = self.triangle[:, :width] @ weights - self.triangle[:, width:]
        return float(misfit.square().sum())

    def mean_square(self) -> float:
        """Return the mean over rows and channels of the squared goals."""
        return float(self.triangle[:, -self.channels :].square().sum()) / (self.rows * self.channels)


def no_rows(activations: int, channels: int, like: Tensor) -> Regression:
    """Return the regression before its first row, on the device of a tensor."""
    width = 1 + activations + channels
    return Regression(torch.zeros(0, width, dtype=torch.float64, device=like.device), 0, channels)


def rows_of(activations: Tensor, goals: Tensor) -> Tensor:
    """Return the rows [1 | activations | goals] of a regression.

    Args:
        activations: (..., activation), float64.
        goals: (..., channel), float64.

    Returns:
        (row, 1 + activation + channel).
    """
    return torch.cat([torch.ones_like(goals[..., :1]), activations, goals], dim=-1).flatten(0, -2)
