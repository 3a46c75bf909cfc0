"""Fisher vectors held against derivatives taken by small steps, and mixtures against those that points are of."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import logsumexp
from scipy.stats import norm

from vloc.retrieval.fisher import LEAST_VARIANCE, Mixture

SHARES = np.array([0.7, 0.3])
MEANS = np.array([[0.0, 1, -1], [0.5, 0, 0.2]])
DEVIATIONS = np.array([[0.5, 0.4, 0.3], [0.6, 0.7, 0.4]])


def mixture(means: np.ndarray = MEANS, deviations: np.ndarray = DEVIATIONS, shares: np.ndarray = SHARES) -> Mixture:
    return Mixture(shares.astype(np.float32), means.astype(np.float32), (deviations**2).astype(np.float32))


def drawn(count: int, means: np.ndarray = MEANS) -> np.ndarray:
    """Points of the mixture."""
    rng = np.random.default_rng(0)
    kinds = rng.choice(2, count, p=SHARES)
    return rng.normal(means[kinds], DEVIATIONS[kinds]).astype(np.float32)


def likelihood(rows: np.ndarray, means: np.ndarray, deviations: np.ndarray, shares: np.ndarray = SHARES) -> float:
    """The mean log likelihood, by scipy."""
    logarithms = norm.logpdf(rows[:, None], means, deviations).sum(axis=2)
    return float(logsumexp(logarithms + np.log(shares), axis=1).mean())


def steepness(rows: np.ndarray, of_deviations: bool, step: float = 1e-6) -> np.ndarray:
    """Derivatives of the likelihood by every mean, or by every deviation."""
    slopes = np.zeros((2, 3))
    for place in np.ndindex(2, 3):
        move = np.zeros((2, 3))
        move[place] = step
        moves = (0, move) if of_deviations else (move, 0)
        sides = [likelihood(rows, MEANS + sign * moves[0], DEVIATIONS + sign * moves[1]) for sign in (1, -1)]
        slopes[place] = (sides[0] - sides[1]) / (2 * step)
    return slopes


@pytest.mark.parametrize("count", [40, 1])
def test_a_fisher_vector_is_the_gradient_in_units_of_the_fisher_information(count: int) -> None:
    rows = np.random.default_rng(1).normal(0, 1, (count, 3)).astype(np.float32)
    by_mean, by_deviation = np.split(mixture().gradient(rows).reshape(2, 6), 2, axis=1)
    roots = np.sqrt(SHARES)[:, None]
    np.testing.assert_allclose(by_mean, steepness(rows, False) * DEVIATIONS / roots, rtol=1e-4, atol=1e-5)
    expected = steepness(rows, True) * DEVIATIONS / (np.sqrt(2) * roots)
    np.testing.assert_allclose(by_deviation, expected, rtol=1e-4, atol=1e-5)


def test_nothing_pulls_at_a_mixture_by_what_was_drawn_from_it() -> None:
    rows = drawn(20_000)
    assert np.abs(mixture().gradient(rows)).max() < 0.03 < np.abs(mixture().gradient(rows + np.float32(0.1))).max()


def test_memberships_are_the_shares_of_the_likelihood() -> None:
    rows = drawn(50)
    each = SHARES * norm.pdf(rows[:, None], MEANS, DEVIATIONS).prod(axis=2)
    np.testing.assert_allclose(mixture().memberships(rows), each / each.sum(axis=1, keepdims=True), atol=1e-5)


def test_fitting_finds_the_mixture_that_points_were_drawn_from() -> None:
    rows = drawn(20_000)
    fitted, likelihoods = mixture(MEANS + 0.3, np.ones((2, 3)), np.array([0.5, 0.5])), []
    for _ in range(60):
        fitted = fitted.fitted(rows)
        likelihoods.append(likelihood(rows, fitted.means, np.sqrt(fitted.variances), fitted.shares))
    assert np.diff(likelihoods).min() > -1e-5
    np.testing.assert_allclose(fitted.shares, SHARES, atol=0.02)
    np.testing.assert_allclose(fitted.means, MEANS, atol=0.03)
    np.testing.assert_allclose(fitted.variances, DEVIATIONS**2, atol=0.03)


@pytest.mark.parametrize("far", [50.0, -50.0])
def test_a_gaussian_that_nothing_is_of_stays_in_its_place(far: float) -> None:
    means = np.vstack([MEANS[0], np.full(3, far)])
    fitted = mixture(means).fitted(drawn(500, MEANS[[0, 0]]))
    np.testing.assert_array_equal(fitted.means[1], means[1])
    np.testing.assert_allclose(fitted.variances[1], DEVIATIONS[1] ** 2, rtol=1e-6)
    assert 0 < fitted.shares[1] < 0.01 and np.isclose(fitted.shares.sum(), 1)


def test_points_in_one_place_leave_a_gaussian_its_least_variance() -> None:
    fitted = mixture().fitted(np.tile(MEANS[:1], (100, 1)).astype(np.float32))
    np.testing.assert_allclose(fitted.variances[0], LEAST_VARIANCE, rtol=1e-6)
