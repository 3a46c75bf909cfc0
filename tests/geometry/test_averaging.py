"""Means of transforms of which some are wrong, against means worked by hand and drawn truth."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from vloc.geometry.averaging import geometric_median, robust_mean, rotation_median
from vloc.geometry.pose_error import pose_errors
from vloc.geometry.rigid import Rigid


def drawn(count: int, wrong: float = 0.0, seed: int = 0) -> tuple[Rigid, Rigid, np.ndarray]:
    """Transforms with errors of 0.01 rad and 0.02 m around one, some of them anywhere; which these are."""
    rng = np.random.default_rng(seed)
    truth = Rigid(Rotation.random(random_state=seed).as_matrix(), rng.normal(size=3))
    turns = Rotation.from_rotvec(rng.normal(0, 0.01, (count, 3))) * Rotation.from_matrix(truth.rotation)
    is_wrong = np.arange(count) < wrong * count
    turns = [
        Rotation.random(random_state=i) if bad else turn
        for i, (turn, bad) in enumerate(zip(turns, is_wrong, strict=True))
    ]
    places = truth.translation + rng.normal(0, 0.02, (count, 3)) + is_wrong[:, None] * rng.normal(0, 5, (count, 3))
    return Rigid(np.stack([turn.as_matrix() for turn in turns]), places), truth, is_wrong


def test_the_median_of_points_on_a_line_is_the_middle_one() -> None:
    points = np.array([[0.0, 0, 0], [1, 0, 0], [2, 0, 0], [50, 0, 0], [-9, 0, 0]])
    np.testing.assert_allclose(geometric_median(points), [1, 0, 0], atol=1e-6)


def test_the_median_of_a_triangles_corners_sees_them_under_equal_angles() -> None:
    corners = np.array([[0.0, 0, 0], [4, 0, 0], [1, 3, 0]])
    directions = corners - geometric_median(corners)
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    np.testing.assert_allclose(directions @ directions.T, np.full((3, 3), -0.5) + 1.5 * np.eye(3), atol=1e-6)


def test_the_median_of_turns_about_one_axis_is_the_middle_one() -> None:
    angles = np.radians([10, 20, 30, 170, -5])
    turns = Rotation.from_rotvec(angles[:, None] * [0, 0, 1]).as_matrix()
    found = Rotation.from_matrix(rotation_median(turns)).as_rotvec()
    np.testing.assert_allclose(np.degrees(found), [0, 0, 20], atol=1e-4)


def test_without_wrong_ones_the_mean_has_their_noise_over_the_root_of_their_number() -> None:
    errors = []
    for seed in range(20):
        transforms, truth, _ = drawn(100, seed=seed)
        errors.append(pose_errors(robust_mean(transforms).mean.inverse(), truth.inverse()))
    metres, radians = np.sqrt((np.array(errors) ** 2).mean(axis=0))
    assert radians == pytest.approx(0.01 * np.sqrt(3 / 100), rel=0.3)
    assert metres < 0.02 * np.sqrt(3 / 100) * 1.3


@pytest.mark.parametrize("wrong", [0.2, 0.45])
def test_wrong_ones_are_told_and_left_out(wrong: float) -> None:
    transforms, truth, is_wrong = drawn(100, wrong, seed=3)
    found = robust_mean(transforms)
    assert not found.agrees[is_wrong].any() and found.agrees[~is_wrong].mean() > 0.9
    assert Rotation.from_matrix(found.mean.rotation @ truth.rotation.T).magnitude() < 0.005
    assert np.linalg.norm(found.mean.translation - truth.translation) < 0.01


def test_one_transform_is_its_own_mean() -> None:
    transforms, _, _ = drawn(1)
    found = robust_mean(transforms)
    assert found.agrees.all() and max(pose_errors(found.mean, transforms[0])) < 1e-9


def test_residuals_are_angles_and_distances_from_the_mean() -> None:
    turns = Rotation.from_rotvec([[0, 0, -0.1], [0, 0, 0.1]]).as_matrix()
    found = robust_mean(Rigid(turns, np.array([[0.0, 0, 0], [0.2, 0, 0]])))
    np.testing.assert_allclose(found.radians, 0.1, atol=1e-9)
    np.testing.assert_allclose(found.metres, 0.1, atol=1e-9)
