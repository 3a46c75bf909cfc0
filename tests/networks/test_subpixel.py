"""Peaks of known place."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed (the 'learned' extra)")

from vloc.networks.subpixel import parabola_offsets  # noqa: E402 - needs torch


def offsets(scores: np.ndarray, *places: tuple[int, int]) -> list[tuple[float, float]]:
    """(down, across) of the peaks at (row, column)."""
    y, x = torch.tensor(places).T
    down, across = parabola_offsets(torch.tensor(scores, dtype=torch.float64), y, x)
    return list(zip(down.tolist(), across.tolist(), strict=True))


def test_the_top_of_a_paraboloid_is_found_exactly() -> None:
    y, x = np.mgrid[:5, :7]
    scores = 9 - (y - 2.3) ** 2 - 0.5 * (x - 3.6) ** 2
    np.testing.assert_allclose(offsets(scores, (2, 4)), [(0.3, -0.4)])


def test_pixels_at_the_border_stay_across_it() -> None:
    scores = np.array([[3.0, 5.0, 4.0], [0.0, 1.0, 0.0]])
    np.testing.assert_allclose(offsets(scores, (0, 1)), [(0.0, 1 / 6)])


def test_plateaus_and_pixels_that_are_no_maxima_stay_within_half_a_pixel() -> None:
    scores = np.array([[1.0, 1.0, 1.0], [1.0, 1.0, 1.9], [1.0, 1.0, 2.0]])
    assert offsets(scores, (1, 1)) == [(0.0, 0.0)]
    assert np.abs(offsets(np.array([[0.0, 0, 0], [0, 1, 1.9], [0, 0, 0]]), (1, 1))).max() <= 0.5
