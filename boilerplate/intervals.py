"""How sure a figure is: the bootstrap over sites, because pages of one site err alike.

Efron and Tibshirani, An Introduction to the Bootstrap (1993), ch. 13: sites are drawn
with replacement, and the middle 95 % of the figures that come out are the interval.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Estimate", "estimates", "site_draws", "site_sums"]

Reals = NDArray[np.float64]

DRAWS = 1000
OUTSIDE = (2.5, 97.5)  # per cent


@dataclass(frozen=True)
class Estimate:
    """A figure and the ends of its 95 % interval.

    >>> print(Estimate(0.5, 0.4, 0.61))
    0.500 [0.400, 0.610]
    """

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        """Write the figure with its interval."""
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"

    def as_list(self) -> list[float]:
        """Give value, low and high, rounded to four digits.

        >>> Estimate(0.50004, 0.4, 0.6).as_list()
        [0.5, 0.4, 0.6]
        """
        return [round(number, 4) for number in (self.value, self.low, self.high)]


def site_sums(rows: NDArray[Any], sites: Sequence[str]) -> Reals:
    """Add up the rows of each site: (documents x columns) to (sites x columns).

    >>> site_sums(np.array([[1.0], [2.0], [4.0]]), ["b", "a", "b"]).tolist()
    [[2.0], [5.0]]
    """
    number = np.unique(np.array(sites, dtype=str), return_inverse=True)[1]
    order = np.argsort(number, kind="stable")
    first = np.flatnonzero(np.diff(number[order], prepend=-1))
    sums: Reals = np.add.reduceat(rows[order].astype(np.float64), first, axis=0)
    return sums


def site_draws(sites: int, *, draws: int = DRAWS, seed: int = 0) -> Reals:
    """Say how often each draw of a bootstrap holds each site: (draws x sites).

    >>> site_draws(3, draws=2).sum(axis=1).tolist()
    [3.0, 3.0]
    """
    random = np.random.default_rng(seed)
    return random.multinomial(sites, np.full(sites, 1 / sites), size=draws).astype(np.float64)


def estimates(
    sums: Reals, figures: Callable[[Reals], Reals], *, draws: int = DRAWS, seed: int = 0
) -> list[Estimate]:
    """Give the figures of the summed sites, each with its interval over sites drawn anew.

    ``figures`` turns (... x columns) sums into (... x figures); a figure that a draw cannot
    have is NaN and does not count.

    >>> [one] = estimates(np.array([[1.0, 2.0], [1.0, 2.0]]), lambda sums: sums[..., :1] / sums[..., 1:])
    >>> print(one)
    0.500 [0.500, 0.500]
    """
    values = figures(sums.sum(axis=0))
    drawn = figures(site_draws(len(sums), draws=draws, seed=seed) @ sums)
    drawn = np.where(np.isnan(drawn), values, drawn)
    low, high = np.percentile(drawn, OUTSIDE, axis=0)
    return [Estimate(*map(float, triple)) for triple in zip(values, low, high, strict=True)]
