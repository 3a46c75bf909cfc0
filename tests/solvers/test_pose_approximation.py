"""Weights and means of poses, against cases worked by hand and Markley's eigenvector."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from vloc.geometry.rigid import Rigid
from vloc.solvers.pose_approximation import ApproximationConfig, ErrorCurve, barycentre, mixture, weights_of

EQUAL, BY_COSINE, MIXED = (ApproximationConfig(weights) for weights in ("ewb", "csi", "bdi"))


def posed(degrees: float, center: tuple[float, float, float]) -> Rigid:
    """A camera turned about the vertical, that stands there."""
    rotation = Rotation.from_euler("y", degrees, degrees=True).as_matrix()
    return Rigid(rotation, -rotation @ np.array(center))


def of(descriptors: np.ndarray, query: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return descriptors @ query, descriptors @ descriptors.T


def test_all_images_count_alike_in_an_equal_weighted_barycentre() -> None:
    np.testing.assert_array_equal(weights_of(EQUAL, np.array([0.9, -0.1, 0.2]), np.eye(3)), np.full(3, 1 / 3))


def test_cosines_count_by_their_power() -> None:
    cosines = np.array([1.0, 0.5])
    np.testing.assert_allclose(weights_of(ApproximationConfig("csi", 1), cosines, np.eye(2)), [2 / 3, 1 / 3])
    np.testing.assert_allclose(weights_of(BY_COSINE, cosines, np.eye(2)), [256 / 257, 1 / 257])
    np.testing.assert_allclose(weights_of(ApproximationConfig("csi", 0.5), cosines, np.eye(2))[1], 1 / (1 + 2**0.5))


def test_negative_cosines_count_nothing_whatever_the_power() -> None:
    np.testing.assert_allclose(weights_of(BY_COSINE, np.array([0.5, -0.9]), np.eye(2)), [1, 0])


@pytest.mark.parametrize("config", [BY_COSINE, MIXED])
@pytest.mark.parametrize("gram", [np.eye(3), np.zeros((3, 3))])
def test_images_without_anything_in_common_with_the_query_count_alike(config, gram: np.ndarray) -> None:
    np.testing.assert_allclose(weights_of(config, np.zeros(3), gram), np.full(3, 1 / 3), atol=1e-6)


def test_a_query_that_is_a_mixture_is_found_to_be_it() -> None:
    weights = mixture(*of(np.eye(4)[:3], np.array([0.2, 0.3, 0.5, 0.0])))
    np.testing.assert_allclose(weights, [0.2, 0.3, 0.5], atol=2e-3)


def test_images_that_look_the_same_share_their_weight() -> None:
    descriptors = np.array([[1.0, 0], [1, 0], [0, 1]])
    np.testing.assert_allclose(mixture(*of(descriptors, np.array([0.6, 0.4]))), [0.3, 0.3, 0.4], atol=2e-3)


def test_a_query_outside_of_all_mixtures_is_the_nearest_of_them() -> None:
    # without w >= 0 the solution is w = (2, -1): an extrapolation to twice the distance
    line = np.array([[1.0, 0.0], [1.0, 0.1]])
    np.testing.assert_allclose(mixture(*of(line, np.array([1.0, -0.1]))), [1, 0], atol=1e-6)


@given(st.integers(1, 20), st.integers(1, 12), st.integers(0, 2**32 - 1))
def test_weights_are_never_negative_and_sum_to_one(count: int, dims: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(count + 1, dims)).astype(np.float32).astype(np.float64)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    for config in (EQUAL, BY_COSINE, MIXED):
        weights = weights_of(config, *of(vectors[:-1], vectors[-1]))
        assert (weights >= 0).all() and abs(weights.sum() - 1) < 1e-9


def test_the_mean_of_two_poses_is_half_way_between_centres_and_rotations() -> None:
    # the mean of translations would not stand between the two: the cameras look to different sides
    poses = Rigid.stack([posed(0, (0, 0, 0)), posed(90, (2, 0, 4))])
    found = barycentre(poses, np.array([0.5, 0.5]))
    expected = posed(45, (1, 0, 2))
    np.testing.assert_allclose(found.center, [1, 0, 2], atol=1e-12)
    np.testing.assert_allclose(found.rotation, expected.rotation, atol=1e-12)


def test_rotations_on_both_sides_of_a_half_turn_are_averaged_across_it() -> None:
    poses = Rigid.stack([posed(170, (0, 0, 0)), posed(-170, (0, 0, 0))])  # quaternions of opposite signs
    found = barycentre(poses, np.array([0.5, 0.5]))
    np.testing.assert_allclose(found.rotation, posed(180, (0, 0, 0)).rotation, atol=1e-12)


def test_the_mean_rotation_is_markleys() -> None:
    rng = np.random.default_rng(0)
    rotations = Rotation.from_rotvec(rng.normal(scale=0.4, size=(5, 3)))
    weights = np.array([0.1, 0.4, 0.2, 0.25, 0.05])
    quats = rotations.as_quat()
    eigenvector = np.linalg.eigh((weights[:, None] * quats).T @ quats)[1][:, -1]
    found = barycentre(Rigid(rotations.as_matrix(), np.zeros((5, 3))), weights)
    np.testing.assert_allclose(found.rotation, Rotation.from_quat(eigenvector).as_matrix(), atol=1e-12)


def test_less_similar_images_never_tell_more() -> None:
    curve = ErrorCurve.of(np.array([0.0, 0.5, 1.0]), 2.7955 * np.array([[0.1, 2.0], [0.3, 4.0], [0.2, 1.0]]))
    np.testing.assert_allclose(np.sqrt(np.diag(curve.covariance(0.0))), [0.3] * 3 + [4.0] * 3)
    np.testing.assert_allclose(np.sqrt(np.diag(curve.covariance(0.75))), [0.25] * 3 + [2.5] * 3)
    np.testing.assert_allclose(curve.covariance(2.0), np.diag([0.04] * 3 + [1.0] * 3))
