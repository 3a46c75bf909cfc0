"""Similarities recovered from points, by hand, by property, and against COLMAP."""

import numpy as np
import pycolmap
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from vloc.geometry.alignment import Similarity, align
from vloc.geometry.rigid import Rigid

POINTS = np.random.default_rng(0).normal(size=(10, 3))


def test_points_onto_themselves_is_the_identity():
    found = align(POINTS, POINTS)
    assert found.scale == pytest.approx(1) and np.allclose(found.translation, 0)
    assert np.allclose(found.rotation, np.eye(3))


def test_a_triangle_by_hand():
    triangle = np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0]])
    found = align(triangle, np.array([[5.0, 0, 0], [5, 2, 0], [3, 0, 0]]))  # twice as large, turned left, moved by 5
    assert found.scale == pytest.approx(2) and np.allclose(found.translation, [5, 0, 0])
    assert np.allclose(found.rotation, [[0, -1, 0], [1, 0, 0], [0, 0, 1]])


def test_a_mirrored_target_still_gives_a_rotation():
    assert np.linalg.det(align(POINTS, POINTS * [-1, 1, 1]).rotation) == pytest.approx(1)


@pytest.mark.parametrize("points", [POINTS[:2], np.outer(np.arange(5.0), [1, 2, 3]), np.ones((4, 3))])
def test_points_that_fix_no_rotation_are_refused(points):
    with pytest.raises(ValueError, match="points"):
        align(points, points)


def test_noisy_points_give_colmaps_similarity():
    noise = np.random.default_rng(1).normal(0, 0.1, (10, 3))
    target = 3 * POINTS @ Rotation.from_rotvec([0.3, -0.2, 1.0]).as_matrix().T + noise
    theirs = pycolmap.estimate_sim3d(POINTS, target).matrix()
    found = align(POINTS, target)
    assert np.allclose(np.hstack([found.scale * found.rotation, found.translation[:, None]]), theirs, atol=1e-9)


@given(st.floats(0.01, 100), st.floats(-3, 3), st.floats(-1e3, 1e3))
def test_any_similarity_is_recovered(scale, angle, offset):
    truth = Similarity(scale, Rotation.from_rotvec([angle, 0.1, -0.2]).as_matrix(), np.array([offset, 1.0, 0.0]))
    found = align(POINTS, truth.apply(POINTS))
    assert found.scale == pytest.approx(scale, rel=1e-6)
    assert np.allclose(found.apply(POINTS), truth.apply(POINTS), atol=1e-6 * scale + 1e-9)


def test_cameras_move_with_the_points_they_see():
    similarity = Similarity(2.0, Rotation.from_rotvec([0.1, 0.2, 0.3]).as_matrix(), np.array([1.0, 2, 3]))
    turned = Rigid(Rotation.from_rotvec([0, 0.5, 0]).as_matrix(), np.array([0.0, 1, 2]))
    cameras = Rigid.stack([turned, Rigid.identity()])
    moved = similarity.apply_to_cameras(cameras)
    for before, after in ((cameras[0], moved[0]), (cameras[1], moved[1])):
        assert np.allclose(after.apply(similarity.apply(POINTS)), 2.0 * before.apply(POINTS))
    assert np.allclose(similarity.apply_to_cameras(cameras[0]).translation, moved[0].translation)


def test_similarities_one_after_the_other_and_covariances() -> None:
    first = Similarity(2.0, Rotation.from_rotvec([0.1, 0.2, 0.3]).as_matrix(), np.array([1.0, 2, 3]))
    second = Similarity(0.5, Rotation.from_rotvec([1.0, 0, 0]).as_matrix(), np.array([0.0, -1, 0]))
    assert np.allclose((second @ first).apply(POINTS), second.apply(first.apply(POINTS)))
    assert Similarity.identity().is_identity and not first.is_identity
    samples = np.random.default_rng(2).normal(size=(500, 3)) * [1, 2, 3]
    moved = first.apply_to_covariances(np.cov(samples.T)[None])[0]
    assert np.allclose(moved, np.cov(first.apply(samples).T))


def test_nearly_straight_points_fix_a_rotation_and_straight_ones_do_not():
    bent = np.array([[0.0, 0, 0], [1, 0, 0], [2, 0, 1e-4], [3, 0, 0]])
    assert np.allclose(align(bent, 2 * bent).apply(bent), 2 * bent)
    with pytest.raises(ValueError, match="on one line"):
        align(bent * [1, 1, 0], bent * [1, 1, 0])


def test_only_what_changes_nothing_is_the_identity() -> None:
    turned = np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]])
    assert Similarity(1.0, np.eye(3), np.zeros(3)).is_identity
    for other in ((2.0, np.eye(3), np.zeros(3)), (1.0, turned, np.zeros(3)), (1.0, np.eye(3), np.array([0, 0, 1e-9]))):
        assert not Similarity(*other).is_identity
