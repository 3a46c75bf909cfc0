"""Which map images and points a pose is compared with, and by what, on made maps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from scipy.spatial.transform import Rotation

from vloc.data.features import LocalFeatures
from vloc.data.map_images import MapImages, Shown
from vloc.geometry.projection import project
from vloc.geometry.rigid import Rigid
from vloc.solvers.whitening import Whitening
from vloc.stages.guide import Found, Guide, images_showing, in_view, views_like

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
    assert views_like(posed, Rigid.identity(), np.arange(35, 40), 3)[0] == [2, 1, 0]
    assert views_like(posed, Rigid.identity(), np.arange(35, 40), 2)[0] == [2, 1]
    assert views_like(posed, Rigid.identity(), np.arange(5), 3)[0] == [0]  # the only one that shows them
    behind = Rigid(np.diag([-1.0, 1, -1]), np.zeros(3))  # looks away from the points, as another camera of a rig may
    assert views_like(posed, behind, np.arange(35, 40), 3)[0] == [1, 2, 0]


def test_views_come_and_go_little_by_little() -> None:
    sparse, _ = made()  # of points about 4 m away
    apart = np.array([0.0, 0.1, 0.2, 0.3, 0.4])
    centers = np.outer(apart * np.median(np.linalg.norm(sparse.points[35:40], axis=1)), [1, 0, 0])
    five = replace(
        sparse,
        image_names=list("abcde"),
        camera_of_image=np.zeros(5, np.int32),
        cam_from_world=Rigid(np.broadcast_to(np.eye(3), (5, 3, 3)), -centers),
        offsets=np.arange(6) * 40,
        point_of_keypoint=np.tile(np.arange(40, dtype=np.int32), 5),
    )
    rows, nearness = views_like(five, Rigid.identity(), np.arange(35, 40), 4)
    assert rows == [0, 1, 2, 3]
    np.testing.assert_allclose(nearness, [1, 1, 1, 0.5])  # from the third, at 0.2, to the first left out, at 0.4
    assert views_like(five, Rigid.identity(), np.arange(35, 40), 5)[1].tolist() == [1] * 5  # none is left out
    tripod = replace(five, cam_from_world=Rigid(five.cam_from_world.rotation, np.zeros((5, 3))))
    assert views_like(tripod, Rigid.identity(), np.arange(35, 40), 4)[1].tolist() == [1] * 4  # all are as near


def test_points_are_in_view_up_to_the_margin_around_the_picture() -> None:
    pixels = np.array([[-5.9, 9], [-6.1, 9], [9, -5.9], [9, -6.1], [105.9, 9], [106.1, 9], [9, 105.9], [9, 106.1]])
    in_front = np.column_stack([(pixels - 50) / 100, np.ones(8)])
    sparse = replace(made()[0], points=np.concatenate([in_front, -in_front, POINTS[16:]]))
    rows, seen = in_view(Rigid.identity(), CAMERA, sparse, np.arange(16), 6.0)
    assert rows.tolist() == [0, 2, 4, 6]
    np.testing.assert_allclose(seen, pixels[::2])


def test_points_that_a_lens_model_folds_into_the_picture_are_not_in_view() -> None:
    lens = replace(CAMERA, model="SIMPLE_RADIAL", params=(100.0, 50.0, 50.0, -0.06))
    in_front = np.array([[0.3, 0.2, 1.0], [4.1, 0.0, 1.0]])  # 4.1 (1 - 0.06 x 4.1^2) = -0.035: amid the picture
    assert abs(project(lens, in_front)[1, 0] - 46.5) < 0.1
    sparse = replace(made()[0], points=np.concatenate([in_front, POINTS[2:]]))
    assert in_view(Rigid.identity(), lens, sparse, np.arange(2))[0].tolist() == [0]


def test_keypoints_that_tell_their_orientation_are_found_without_descriptors_and_others_by_them() -> None:
    every, _ = made()
    sparse = replace(every, offsets=np.array([0, 40, 40, 40]), point_of_keypoint=every.point_of_keypoint[:40])
    rows, undescribed = np.arange(40), np.zeros_like(DESCRIPTORS)
    turned = replace(features(rows), angles=np.linspace(-3, 3, 40, dtype=np.float32))
    shown = MapImages(dict.fromkeys("abc", turned), sparse)
    plain = replace(shown(0), arrows=None)  # of a map that does not tell how its points look

    def found(own: LocalFeatures, by: Callable[[int], Shown] = shown) -> Found:
        return Guide(own, sparse, by, 1, 0.85, 0.5)(Rigid.identity(), CAMERA, rows, 2.0)

    assert found(replace(turned, descriptors=undescribed)).num_keypoints() == 40
    assert found(replace(turned, descriptors=undescribed, angles=-turned.angles)).num_keypoints() < 10
    assert found(features(rows)[:40]).num_keypoints() >= 38
    assert not found(replace(features(rows), descriptors=undescribed)).num_keypoints()
    assert found(turned, lambda _: plain).num_keypoints() >= 38


def test_a_keypoint_that_several_points_compete_for_is_counted_once() -> None:
    found = Found(np.array([3, 3, 5]), np.array([0, 1, 2]), Whitening(np.broadcast_to(np.eye(2), (3, 2, 2))))
    assert found.num_keypoints() == 2 and found.num_keypoints(np.array([True, True, False])) == 1
