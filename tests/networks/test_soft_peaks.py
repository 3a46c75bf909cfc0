"""Maxima of maps worked out by hand."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed (the 'learned' extra)")

from vloc.networks.soft_peaks import local_maxima, normalised, soft_peaks  # noqa: E402


def spot(x: float, y: float, width: int = 20, height: int = 12) -> torch.Tensor:
    """0.9 at (x, y), falling off as a parabola."""
    columns, rows = torch.arange(width) - x, torch.arange(height)[:, None] - y
    return (0.9 - 0.1 * (columns**2 + rows**2)).clamp(min=0)


@pytest.mark.parametrize("place", [(9.0, 6.0), (9.3, 5.8), (12.4, 4.6)])
def test_a_spot_is_found_to_a_tenth_of_a_pixel(place: tuple[float, float]) -> None:
    places, scores = soft_peaks(spot(*place), 0.5)
    assert places.shape == (1, 2)
    assert (places[0] - torch.tensor(place)).abs().max() < 0.1
    assert 0 <= 0.9 - scores[0] <= 0.05  # 0.1 (0.5^2 + 0.5^2): between four pixels


def test_what_a_maximum_suppresses_makes_room_for_the_next_one() -> None:
    """In a row 0.9 0.8 0.7 0.6 ..., a step a pixel, 0.9 suppresses two; of the rest 0.6 is the largest."""
    scores = torch.zeros(9, 20)
    scores[4, 5:13] = torch.tensor([0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2])
    assert (local_maxima(scores) & (scores > 0))[4].nonzero().flatten().tolist() == [5, 8, 11]


def test_nothing_is_found_at_the_border_or_under_the_threshold() -> None:
    for x, y in ((1.0, 6.0), (18.0, 6.0), (9.0, 1.0), (9.0, 10.0)):
        assert len(soft_peaks(spot(x, y), 0.2)[0]) == 0
    assert len(soft_peaks(spot(9.0, 6.0), 0.95)[0]) == 0
    assert soft_peaks(torch.zeros(3, 3), 0.2)[0].shape == (0, 2)


def test_places_go_from_minus_one_to_one_between_outer_centres() -> None:
    places = normalised(torch.tensor([[0.0, 0.0], [19.0, 11.0], [9.5, 5.5]]), torch.zeros(12, 20))
    assert torch.equal(places, torch.tensor([[-1.0, -1.0], [1.0, 1.0], [0.0, 0.0]]))
