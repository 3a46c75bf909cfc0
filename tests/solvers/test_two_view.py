"""Two-view verification keeps right matches and drops wrong ones, poses unknown."""

import numpy as np
import pytest
from world import FISHEYE, OPENCV, PINHOLE

from vloc.errors import DataError
from vloc.geometry.camera import Camera
from vloc.geometry.projection import project
from vloc.solvers.two_view import TwoViewConfig, verify_with_ransac


def pair(camera, count=600, outliers=0.4, seed=0):
    rng = np.random.default_rng(seed)
    points = rng.uniform([-2, -2, 4], [2, 2, 8], (count, 3))
    first = project(camera, points) + rng.normal(0, 0.3, (count, 2))
    second = project(camera, points + np.array([0.5, 0.0, 0.1])) + rng.normal(0, 0.3, (count, 2))
    wrong = rng.random(count) < outliers
    second[wrong] = rng.uniform(0, [1000, 800], (wrong.sum(), 2))
    return first, second, wrong


@pytest.mark.parametrize("camera", [PINHOLE, OPENCV, FISHEYE])
def test_right_matches_are_kept_and_wrong_ones_dropped(camera):
    first, second, wrong = pair(camera)
    kept = verify_with_ransac(first, camera, second, camera, TwoViewConfig())
    assert kept[~wrong].mean() > 0.99 and kept[wrong].mean() < 0.05


def test_a_wrong_focal_length_needs_no_trust():
    first, second, wrong = pair(PINHOLE)
    guessed = Camera("PINHOLE", 1000, 800, (1500.0, 1500.0, 500.0, 400.0))
    kept = verify_with_ransac(first, guessed, second, guessed, TwoViewConfig(), trust_intrinsics=False)
    assert kept[~wrong].mean() > 0.98 and kept[wrong].mean() < 0.05


@pytest.mark.parametrize("trust", [True, False])
def test_random_matches_keep_none(trust):
    first, second, _ = pair(PINHOLE, 100, outliers=1.0)
    config = TwoViewConfig(min_inliers=40)
    assert not verify_with_ransac(first, PINHOLE, second, PINHOLE, config, trust_intrinsics=trust).any()


@pytest.mark.parametrize("count", [0, 1, 14])
def test_too_few_matches_keep_none(count):
    first, second, _ = pair(PINHOLE, count, outliers=0)
    kept = verify_with_ransac(first, PINHOLE, second, PINHOLE, TwoViewConfig())
    assert kept.shape == (count,) and not kept.any()


def test_a_pair_keeps_its_inliers_from_the_wanted_number_on():
    first, second, _ = pair(PINHOLE, 60, outliers=0.2)

    def kept(least: int) -> np.ndarray:
        return verify_with_ransac(first, PINHOLE, second, PINHOLE, TwoViewConfig(min_inliers=least))

    found = kept(8)
    assert np.array_equal(kept(int(found.sum())), found) and not kept(int(found.sum()) + 1).any()


def test_the_same_seed_keeps_the_same_matches():
    first, second, _ = pair(OPENCV)
    once, again = (verify_with_ransac(first, OPENCV, second, OPENCV, TwoViewConfig(), seed=5) for _ in range(2))
    assert np.array_equal(once, again)


@pytest.mark.wrong_shapes
def test_matches_of_unequal_length_are_refused():
    with pytest.raises(DataError, match="matched points"):
        verify_with_ransac(np.zeros((3, 2)), PINHOLE, np.zeros((4, 2)), PINHOLE, TwoViewConfig())
