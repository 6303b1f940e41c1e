"""The baseline `narx_polynomial`: a polynomial of few lags of channels and known inputs, simulated.

y[t] is a sum of terms, products of up to `degree` of the values y[t - 1] .. y[t - n] and u[t] .. u[t - m + 1]. Terms
are selected one at a time: next is the one that explains most of what the others left (orthogonal least squares).
Each channel has its own terms. The number of terms is chosen by the simulation: the one-step error falls with each.
Weights have the lowest one-step error or, if refined, a low error of the simulation.
Forecasts stay within one range of the training data, so a simulation cannot diverge. Model units, float64.

Source: Billings (2013), "Nonlinear System Identification", section 3.2.
"""

from dataclasses import dataclass
from itertools import combinations_with_replacement, product
from math import comb

import numpy as np

from sweep.data.types import Array, Data
from sweep.score.baselines.driven import Lags, compared, require_inputs, simulated, training_rows
from sweep.score.baselines.output_error import Model, refined
from sweep.score.baselines.simple import Forecast, Settings
from sweep.score.comparisons import EXACT

# Tried settings; all are our choice
ORDERS = (1, 2, 3)
INPUT_ORDERS = (1, 2, 3, 4)
DEGREES = (2, 3)
TERMS = (2, 3, 4, 6, 8, 12, 16, 24, 32)
CANDIDATES_MOST = 250  # terms to select from, a bound on time
ROWS_MOST = 20_000  # of the regression; of more, evenly spaced rows are used
REFINED = 6  # lags and degrees whose weights are also refined, with each of REFINED_TERMS
REFINED_TERMS = (8, 12, 16, 24)
SAME = 1e-12  # share of a term that others leave, below which it is a copy of them


@dataclass(frozen=True)
class Selection:
    """The terms of one choice of lags and degree in the order of their selection, and what fits their weights."""

    lags: Lags
    products: Array  # (term, degree), places in a row of (1, values): a term is the product of these
    triangle: Array  # triangular factor of [terms | next values]
    order: tuple[tuple[int, ...], ...]  # per channel, terms
    low: Array  # (channel,), bounds of a forecast
    high: Array

    def forecast(self, data: Data, count: int, refine: bool) -> Forecast:
        """Return the simulation of the model with the first `count` terms of each channel.

        Args:
            data: the study's.
            count: 1 or more.
            refine: whether the weights are fitted to the simulation of the training data, not to one step.
        """
        chosen = [list(order[:count]) for order in self.order]
        used = sorted({term for terms in chosen for term in terms})
        weights = np.zeros((len(used), len(chosen)))
        for channel, terms in enumerate(chosen):
            goal = self.triangle[:, len(self.products) + channel]
            fitted = np.linalg.lstsq(self.triangle[:, terms], goal, rcond=None)[0]
            weights[[used.index(term) for term in terms], channel] = fitted
        products = self.products[used]
        if refine:
            weights = refined(data, Model(self.lags, products, self.low, self.high), weights)

        def step(row: Array) -> Array:
            after: Array = np.clip(terms_of(row, products) @ weights, self.low, self.high)
            return after

        return simulated(data, self.lags, step)


def choose_narx(data: Data) -> Settings:
    """Return {"order", "input_order", "degree", "terms", "refined"} with the lowest rollout error on validation.

    All lags, degrees and numbers of terms are compared with weights of the one-step fit, then the best lags and
    degrees with refined weights too.

    Raises:
        CannotServe: there are no known inputs, or the past or the training series are too short.
    """
    require_inputs(data)
    selections: dict[tuple[int, int, int], Selection] = {}

    def fit(data: Data, settings: Settings) -> Forecast:
        key = (settings["order"], settings["input_order"], settings["degree"])
        if key not in selections:
            selections[key] = selection_of(data, Lags(*key[:2]), key[2])
        return selections[key].forecast(data, settings["terms"], settings["refined"])

    plain = compared(data, _tried(data), fit, "a polynomial of past values")
    if plain[0][0] <= EXACT:
        return plain[0][1]
    kinds = list(dict.fromkeys((one["order"], one["input_order"], one["degree"]) for _, one in plain))[
        :REFINED
    ]
    again = [
        {**one, "refined": True}
        for _, one in plain
        if (one["order"], one["input_order"], one["degree"]) in kinds and one["terms"] in REFINED_TERMS
    ]
    return min([plain[0], *(compared(data, again, fit, "") if again else [])], key=lambda pair: pair[0])[1]


def narx_polynomial(data: Data, settings: Settings) -> Forecast:
    """Return the simulation of the fitted polynomial."""
    lags = Lags(int(settings["order"]), int(settings["input_order"]))
    selection = selection_of(data, lags, int(settings["degree"]))
    return selection.forecast(data, int(settings["terms"]), bool(settings["refined"]))


def _tried(data: Data) -> list[Settings]:
    """Return the settings that the data cover, few terms first."""
    tried: list[Settings] = []
    for terms, order, input_order, degree in product(TERMS, ORDERS, INPUT_ORDERS, DEGREES):
        lags = Lags(order, input_order)
        candidates = comb(lags.width(data) + degree, degree)
        if terms <= candidates <= CANDIDATES_MOST and lags.covered(data, candidates):
            names = {"order": order, "input_order": input_order, "degree": degree}
            tried.append({**names, "terms": terms, "refined": False})
    return tried


def selection_of(data: Data, lags: Lags, degree: int) -> Selection:
    """Return the selection of terms for each channel, max(TERMS) at most.

    Raises:
        CannotServe: no training piece is long enough.
    """
    rows, goals = training_rows(data, lags)
    stride = -(-len(rows) // ROWS_MOST)
    rows, goals = rows[::stride], goals[::stride]
    products = np.array(list(combinations_with_replacement(range(rows.shape[1] + 1), degree)))
    table = np.concatenate([terms_of(rows, products), goals], axis=1)
    triangle = np.asarray(np.linalg.qr(table, mode="r"))
    order = tuple(
        selected(triangle[:, : len(products)], triangle[:, len(products) + channel], max(TERMS))
        for channel in range(goals.shape[1])
    )
    whole = np.concatenate(data.train)
    low, high = whole.min(axis=0), whole.max(axis=0)
    return Selection(lags, products, triangle, order, 2 * low - high, 2 * high - low)


def terms_of(rows: Array, products: Array) -> Array:
    """Return (row, term), products of the values of each row.

    Args:
        rows: (row, number).
        products: (term, degree), places in a row; 0 is the constant 1, the values count from 1.
    """
    extended = np.concatenate([np.ones((len(rows), 1)), rows], axis=1)
    terms: Array = extended[:, products[:, 0]]
    for factor in products.T[1:]:
        terms = terms * extended[:, factor]
    return terms


def selected(candidates: Array, goal: Array, most: int) -> tuple[int, ...]:
    """Return the places of the terms that explain the goal best together, one at a time.

    Each next term takes the most from the squared error of the goal, once what the terms before it explain is taken
    from both.

    Args:
        candidates: (row, term); a triangular factor gives the same selection as the rows that it stands for.
        goal: (row,).
        most: terms to select; fewer, at least one, if these explain the goal to rounding.
    """
    left, error = candidates.copy(), goal.copy()
    sizes = (candidates**2).sum(axis=0)
    places: list[int] = []
    while len(places) < most:
        norms = (left**2).sum(axis=0)
        usable = norms > SAME * sizes
        usable[places] = False
        if not usable.any():
            break
        gains = np.where(usable, (error @ left) ** 2 / np.where(usable, norms, 1.0), -1.0)
        place = int(np.argmax(gains))
        places.append(place)
        direction = left[:, place] / np.sqrt(norms[place])
        left -= np.outer(direction, direction @ left)
        error -= direction * (direction @ error)
        if error @ error <= SAME**2 * (goal @ goal):
            break
    return tuple(places)
