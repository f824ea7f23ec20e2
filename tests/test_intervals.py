"""Intervals over sites: seeded, within the data, wider for fewer sites."""

from __future__ import annotations

import numpy as np
import pytest

from boilerplate.intervals import estimates, site_draws, site_sums

MEAN = np.array([[1.0, 1.0], [1.0, 0.0]])  # columns: pages, their figure


def mean(sums: np.ndarray) -> np.ndarray:
    return sums[..., 1:] / sums[..., :1]


def test_pages_of_a_site_are_added_up() -> None:
    sums = site_sums(np.array([[1, 2], [10, 20], [100, 200]]), ["b", "a", "b"])
    assert sums.tolist() == [[10, 20], [101, 202]]


def test_every_draw_holds_as_many_sites_as_there_are() -> None:
    draws = site_draws(7, draws=50, seed=1)
    assert draws.shape == (50, 7)
    assert set(draws.sum(axis=1)) == {7.0}
    assert len(np.unique(draws, axis=0)) > 40


def test_two_sites_of_opposite_figures_give_the_whole_range() -> None:
    [one] = estimates(MEAN, mean)
    assert one.as_list() == [0.5, 0.0, 1.0]
    assert str(one) == "0.500 [0.000, 1.000]"


def test_the_interval_is_that_of_the_normal_law_for_many_sites() -> None:
    figures = np.random.default_rng(0).random(2000)
    [one] = estimates(np.column_stack([np.ones(2000), figures]), mean)
    width = 2 * 1.96 * figures.std() / np.sqrt(2000)
    assert one.high - one.low == pytest.approx(width, rel=0.1)
    assert one.value == pytest.approx(figures.mean())


def test_the_seed_decides() -> None:
    sums = np.random.default_rng(0).random((40, 2)) + 1
    assert estimates(sums, mean, seed=3) == estimates(sums, mean, seed=3)
    assert estimates(sums, mean, seed=3) != estimates(sums, mean, seed=4)


def test_a_draw_without_the_figure_does_not_widen_it() -> None:
    sums = np.array([[1.0, 0.5], [0.0, 0.0]])  # the second site has no page of the kind
    with np.errstate(invalid="ignore"):
        [one] = estimates(sums, mean)
    assert one.as_list() == [0.5, 0.5, 0.5]
