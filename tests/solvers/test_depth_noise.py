"""The noise of depth, against noise that is drawn."""

import numpy as np
import pytest

from vloc.solvers.depth_noise import depth_noise, sigmas_of


@pytest.mark.parametrize(("s0", "s2"), [(0.005, 0.0), (0.0, 0.002), (0.004, 0.001)])
def test_the_noise_that_was_drawn_is_found_among_wrong_matches(s0: float, s2: float) -> None:
    rng = np.random.default_rng(0)
    depths = rng.uniform(1, 6, 20_000)
    off = rng.normal(0, np.sqrt(2) * np.hypot(s0, s2 * depths**2))
    off[::20] = rng.normal(0, 1, 1000)
    at = np.array([1.5, 3.0, 5.5])
    np.testing.assert_allclose(sigmas_of(depth_noise(off, depths), at), np.hypot(s0, s2 * at**2), rtol=0.15)


def test_exact_depth_is_taken_as_well_known_but_not_as_perfect() -> None:
    depths = np.linspace(1, 6, 100)
    assert sigmas_of(depth_noise(np.zeros(100), depths), np.array([4.0])).tolist() == [4e-4]


def test_a_percent_is_assumed_where_few_matches_tell() -> None:
    found = depth_noise(np.zeros(10), np.full(10, 3.0))
    assert sigmas_of(found, np.array([3.0])) == pytest.approx([0.03])
    assert np.isfinite(depth_noise(np.zeros(0), np.zeros(0))).all()
