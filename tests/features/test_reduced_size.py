import numpy as np
import pytest

from vloc.data.features import LocalFeatures
from vloc.features import FEATURES
from vloc.features.reduced_size import at_reduced_size, reduced
from vloc.runtime import Runtime


@pytest.mark.parametrize(
    ("shape", "longer_side", "expected"),
    [((100, 200), 50, (25, 50)), ((200, 100), 50, (50, 25)), ((40, 50), 50, (40, 50)), ((3, 1000), 10, (1, 10))],
)
def test_the_longer_side_is_what_was_asked(shape: tuple[int, ...], longer_side: int, expected: tuple[int, ...]) -> None:
    assert reduced(np.zeros(shape, np.uint8), longer_side).shape == expected


def test_colour_stays_colour() -> None:
    assert reduced(np.zeros((100, 200, 3), np.uint8), 50).shape == (25, 50, 3)


def test_a_new_pixel_is_the_mean_of_those_under_it() -> None:
    image = np.array([[10, 20, 100, 100], [30, 40, 100, 60]], np.uint8)
    assert reduced(image, 2).tolist() == [[25, 90]]


def test_corners_stay_corners_and_scales_grow_with_the_image() -> None:
    corners = np.array([[0, 0], [30, 20], [15, 10]], np.float32)
    small = LocalFeatures(corners, np.zeros((3, 8), np.uint8), corners[:, 0], np.array([1, 2, 4], np.float32))
    features = at_reduced_size(lambda image: small, 30)(np.zeros((100, 150), np.uint8))
    assert features.keypoints.tolist() == [[0, 0], [150, 100], [75, 50]]
    assert features.scales.tolist() == [5, 10, 20]


@pytest.mark.parametrize("name", ["sift", "colmap_sift"])
@pytest.mark.parametrize("size", [(400, 300), (357, 291)])
def test_a_spot_is_found_where_it_is_in_the_original(name: str, size: tuple[int, int]) -> None:
    center = np.array([203.3, 151.8])
    columns, rows = np.arange(size[0]) + 0.5, np.arange(size[1]) + 0.5
    spot = np.exp(-((columns - center[0]) ** 2 + (rows[:, None] - center[1]) ** 2) / (2 * 15.0**2))
    features = FEATURES.parse(f"{name}:max_size=150").load(Runtime())(np.rint(40 + 200 * spot).astype(np.uint8))
    # SIFT is 0.05 px of the reduced image off at this scale; a forgotten half pixel would be 0.7
    assert np.linalg.norm(features.keypoints - center, axis=1).min() < 0.2
