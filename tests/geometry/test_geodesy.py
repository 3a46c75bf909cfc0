"""Satellite positions in metres, against figures of the WGS84 ellipsoid and a worked example of its publisher."""

import numpy as np
import pytest

from vloc.geometry.geodesy import ecef_from_wgs84, enu_from_wgs84


def test_axes_of_the_ellipsoid() -> None:
    places = np.array([[0.0, 0, 0], [0, 90, 0], [90, 0, 0], [0, 180, 100]])
    expected = [[6378137, 0, 0], [0, 6378137, 0], [0, 0, 6356752.314245], [-6378237, 0, 0]]
    np.testing.assert_allclose(ecef_from_wgs84(places), expected, atol=1e-5)


def test_the_example_of_epsg_guidance_note_7_2() -> None:
    # EPSG 9602: 53 48' 33.820" N, 2 07' 46.380" E, 73.0 m -> X 3771793.968, Y 140253.342, Z 5124304.349
    place = np.array([[53 + 48 / 60 + 33.820 / 3600, 2 + 7 / 60 + 46.380 / 3600, 73.0]])
    np.testing.assert_allclose(ecef_from_wgs84(place)[0], [3771793.968, 140253.342, 5124304.349], atol=1e-3)


@pytest.mark.parametrize("longitude", [0.0, 2.35, -122.0, 179.0])
def test_small_steps_are_the_ellipsoids_radii_times_the_angle(longitude: float) -> None:
    origin = np.array([45.0, longitude, 120.0])
    step = 1e-5
    places = origin + np.array([[step, 0, 0], [0, step, 0], [0, 0, 2.0]])
    # at 45 degrees the meridian's radius is 6367381.816 m and the prime vertical's 6388838.290 m; heights add
    north = (6367381.816 + 120) * np.radians(step)
    east = (6388838.290 + 120) * np.cos(np.radians(45)) * np.radians(step)
    np.testing.assert_allclose(enu_from_wgs84(places, origin), [[0, north, 0], [east, 0, 0], [0, 0, 2]], atol=2e-6)


def test_a_place_a_degree_away_lies_below_the_horizon() -> None:
    moved = enu_from_wgs84(np.array([[1.0, 0, 0]]), np.zeros(3))[0]
    assert moved[0] == pytest.approx(0) and 110_500 < moved[1] < 110_600 and -970 < moved[2] < -950
