"""Which map images and points a pose is compared with, and by what, on made maps."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.spatial.transform import Rotation

from vloc.data.map_images import MapImages
from vloc.geometry.rigid import Rigid
from vloc.stages.guide import Guide, images_showing, in_view, views_like

from .test_expected import CAMERA, DESCRIPTORS, POINTS, features, made


def test_images_that_show_most_of_the_points_come_first_and_others_not_at_all() -> None:
    sparse, _ = made()
    assert images_showing(sparse, np.arange(5, 15), 3) == [0, 1]
    assert images_showing(sparse, np.arange(20, 40), 2) == [0, 1]
    assert images_showing(sparse, np.arange(0), 3) == []


def test_the_views_most_like_a_pose_come_first_and_those_that_show_none_of_the_points_not_at_all() -> None:
    sparse, _ = made()  # of points about 4 m away; 0.4 m to the side are as much as a tenth of a radian
    centers, turns = np.array([[0.5, 0, 0], [0, 0, 0], [0.1, 0, 0]]), np.array([0.0, 0.1, 0.0])
    rotations = Rotation.from_rotvec(np.outer(turns, [0, 1, 0])).as_matrix()
    posed = replace(sparse, cam_from_world=Rigid(rotations, -np.einsum("nij,nj->ni", rotations, centers)))
    assert views_like(posed, Rigid.identity(), np.arange(35, 40), 3) == [2, 1, 0]
    assert views_like(posed, Rigid.identity(), np.arange(35, 40), 2) == [2, 1]
    assert views_like(posed, Rigid.identity(), np.arange(5), 3) == [0]  # the only one that shows them
    behind = Rigid(np.diag([-1.0, 1, -1]), np.zeros(3))  # looks away from the points, as another camera of a rig may
    assert views_like(posed, behind, np.arange(35, 40), 3) == [1, 2, 0]


def test_points_are_in_view_up_to_the_margin_around_the_picture() -> None:
    pixels = np.array([[-5.9, 9], [-6.1, 9], [9, -5.9], [9, -6.1], [105.9, 9], [106.1, 9], [9, 105.9], [9, 106.1]])
    in_front = np.column_stack([(pixels - 50) / 100, np.ones(8)])
    sparse = replace(made()[0], points=np.concatenate([in_front, -in_front, POINTS[16:]]))
    rows, seen = in_view(Rigid.identity(), CAMERA, sparse, np.arange(16), 6.0)
    assert rows.tolist() == [0, 2, 4, 6]
    np.testing.assert_allclose(seen, pixels[::2])


def test_keypoints_that_tell_their_orientation_are_found_without_descriptors_and_others_by_them() -> None:
    sparse, _ = made()
    rows, undescribed = np.arange(40), np.zeros_like(DESCRIPTORS)
    turned = replace(features(rows), angles=np.linspace(-3, 3, 40, dtype=np.float32))
    shown = MapImages(dict.fromkeys("abc", turned), replace(sparse, offsets=np.array([0, 40, 40, 40])))(0)
    at = Rigid.identity(), CAMERA, [shown], 2.0
    assert len(Guide(replace(turned, descriptors=undescribed), sparse, 0.85)(*at)[0]) == 40
    other_way = replace(turned, descriptors=undescribed, angles=-turned.angles)
    assert len(Guide(other_way, sparse, 0.85)(*at)[0]) < 6
    assert not len(Guide(features(rows)[:40], sparse, 0.85)(*at)[0]) < 38
    assert not len(Guide(replace(features(rows), descriptors=undescribed), sparse, 0.85)(*at)[0])
    plain = [replace(shown, arrows=None)]  # of a map that does not tell how its points look
    assert len(Guide(turned, sparse, 0.85)(Rigid.identity(), CAMERA, plain, 2.0)[0]) >= 38
