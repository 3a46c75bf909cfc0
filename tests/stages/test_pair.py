from dataclasses import replace

import numpy as np
import pytest

from vloc.data.capture import Capture, Sensor
from vloc.data.reconstruction import Observations, Points, Reconstruction
from vloc.data.records import Records, Trajectory
from vloc.data.selection import Ranking
from vloc.errors import StageError
from vloc.geometry.camera import Camera
from vloc.geometry.rigid import Rigid
from vloc.retrieval import FUSIONS
from vloc.runtime import Runtime
from vloc.stages.pair import (
    PAIR,
    Layout,
    PairConfig,
    by_covisibility,
    by_distance,
    by_time,
    check,
    exhaustive,
    layout,
    unordered,
)

CAMERA = Camera("PINHOLE", 10, 10, (9.0, 9.0, 5.0, 5.0))


def line_of_cameras(xs: list[float]) -> Capture:
    """One camera that looks along z from places on the x axis."""
    records = Records.from_rows([(t, "cam", f"{t}.jpg") for t in range(len(xs))])
    poses = [(t, "cam", Rigid(np.eye(3), np.array([-x, 0.0, 0.0]))) for t, x in enumerate(xs)]
    return Capture({"cam": Sensor("camera", camera=CAMERA)}, records, Trajectory.from_rows(poses))


def whole(capture: Capture) -> Layout:
    return layout(capture, capture.images.names)


def rows(ranking: Ranking) -> set[tuple[int, int]]:
    return {(int(a), int(b)) for a, b in unordered(ranking).rows}


def test_exhaustive_pairs_are_all_of_them():
    assert rows(exhaustive(4)) == {(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)}


def test_a_pair_wanted_from_both_sides_is_matched_once_with_its_better_score():
    ranking = Ranking(np.array([[1, 0], [0, 1], [2, 2]], np.uint32), np.array([0.2, 0.7, 1.0], np.float32))
    result = unordered(ranking)
    assert result.rows.tolist() == [[0, 1]] and result.scores.tolist() == [np.float32(0.7)]


def test_pairs_are_sorted_by_rows_however_they_came():
    ranking = Ranking(np.array([[0, 2], [2, 1], [2, 0], [0, 1]], np.uint32), np.array([0.9, 0.8, 0.3, 0.1], np.float32))
    result = unordered(ranking)
    assert result.rows.tolist() == [[0, 1], [0, 2], [1, 2]]
    assert result.scores.tolist() == [np.float32(score) for score in (0.1, 0.9, 0.8)]


def test_distance_takes_the_nearest_within_the_limit():
    capture = line_of_cameras([0.0, 1.0, 3.0, 40.0])
    config = PairConfig(num_pairs=1, max_distance=25.0)
    assert rows(by_distance(config, whole(capture))) == {(0, 1), (1, 2)}


def test_sequence_pairs_neighbours_of_one_camera_only():
    records = Records.from_rows([(t, cam, f"{cam}{t}.jpg") for cam in ("l", "r") for t in range(3)])
    capture = Capture({c: Sensor("camera", camera=CAMERA) for c in "lr"}, records)
    names = list(records.names)
    found = {(names[a], names[b]) for a, b in rows(by_time(PairConfig(num_pairs=2), whole(capture)))}
    assert {tuple(sorted(pair)) for pair in found} == {
        ("l0.jpg", "l1.jpg"),
        ("l1.jpg", "l2.jpg"),
        ("r0.jpg", "r1.jpg"),
        ("r1.jpg", "r2.jpg"),
    }


def test_covisibility_without_a_reconstruction_says_so():
    capture = line_of_cameras([0.0, 1.0])
    with pytest.raises(StageError, match="no reconstruction"):
        by_covisibility(PairConfig(), whole(capture))


def scored(ranking: Ranking) -> dict[tuple[int, int], float]:
    """Score by pair, each pair once."""
    result = unordered(ranking)
    pairs = [tuple(row) for row in result.rows.tolist()]
    return dict(zip(pairs, result.scores.tolist(), strict=True))


def turned(degrees: float, x: float = 0.0) -> Rigid:
    """A camera at (x, 0, 0) that looks so far to the side."""
    half = np.radians(degrees) / 2
    rotation = Rigid.from_quat_wxyz(np.array([np.cos(half), 0.0, np.sin(half), 0.0]), np.zeros(3)).rotation
    return Rigid(rotation, rotation @ np.array([-x, 0.0, 0.0]))


def laid_out(poses: list[Rigid], observations: list[tuple[int, int]] = ()) -> Layout:
    """Posed images of one camera, a second apart."""
    count = len(poses)
    seen = np.array(observations, np.int64).reshape(-1, 2)
    return Layout(Rigid.stack(poses), np.ones(count, bool), np.arange(count), np.zeros(count, np.int32), seen)


def test_distance_and_angle_add_up_each_as_a_part_of_its_limit():
    images = laid_out([turned(0), turned(30, 5.0), turned(46), turned(0, 25.0)])
    found = scored(by_distance(PairConfig(max_distance=25.0, max_angle_deg=45.0), images))
    # 2 - 5/25 - 30/45; 2 - 0 - 46/45 is beyond; 2 - 25/25 is just within; 16 deg and 5 m; 30 deg and 20 m
    expected = {(0, 1): 1.1333, (0, 3): 1.0, (1, 2): 2 - 0.2 - 16 / 45, (1, 3): 2 - 0.8 - 30 / 45}
    assert found == pytest.approx(expected, abs=1e-4)


def test_an_image_without_pose_has_no_distance():
    images = laid_out([turned(0), turned(0, 1.0), turned(0, 2.0)])
    known = Layout(images.cam_from_world, np.array([True, False, True]), *list(vars(images).values())[2:])
    assert scored(by_distance(PairConfig(), known)) == pytest.approx({(0, 2): 2 - 2 / 25})


def test_neighbours_in_time_count_by_steps_apart():
    images = laid_out([turned(0)] * 4)
    assert scored(by_time(PairConfig(num_pairs=1), images)) == {(0, 1): 1, (1, 2): 1, (2, 3): 1}
    two_steps = {(0, 1): 1, (1, 2): 1, (2, 3): 1, (0, 2): 0.5, (1, 3): 0.5}
    assert (
        scored(by_time(PairConfig(num_pairs=4), images))
        == scored(by_time(PairConfig(num_pairs=5), images))
        == two_steps
    )
    shuffled = Layout(*list(vars(images).values())[:2], np.array([5, -7, 6, 0]), *list(vars(images).values())[3:])
    assert scored(by_time(PairConfig(num_pairs=2), shuffled)) == {(1, 3): 1, (0, 3): 1, (0, 2): 1}


def test_covisibility_counts_points_that_both_images_show():
    # images 0 and 1 share points 1 and 2, image 2 shows point 2 twice, image 3 nothing of the others
    seen = [(0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (1, 3), (2, 2), (2, 2), (3, 9)]
    images = laid_out([turned(0)] * 4, seen)
    assert scored(by_covisibility(PairConfig(), images)) == {(0, 1): 2, (0, 2): 1, (1, 2): 1}
    assert scored(by_covisibility(PairConfig(num_pairs=1), images)) == {(0, 1): 2, (0, 2): 1}


def test_the_layout_of_some_images_is_in_the_order_of_their_names():
    capture = line_of_cameras([0.0, 1.0, 3.0])
    some = layout(capture, ["2.jpg", "0.jpg"])
    assert some.timestamps.tolist() == [2, 0] and some.devices.tolist() == [0, 0]
    np.testing.assert_allclose(some.cam_from_world.center[:, 0], [3, 0])
    assert some.has_pose.all() and some.observations.shape == (0, 2)


def test_points_of_a_reconstruction_follow_the_rows_of_the_chosen_images():
    capture = line_of_cameras([0.0, 1.0, 3.0])
    observations = Observations(*(np.array(column, np.int32) for column in ([4, 4, 5], [0, 2, 1], [0, 0, 0])))
    made = Reconstruction(Points(np.zeros((6, 3))), {"sift": observations})
    some = layout(replace(capture, reconstruction=made), ["2.jpg", "0.jpg"])
    assert sorted(map(tuple, some.observations.tolist())) == [(0, 4), (1, 4)]  # 2.jpg is row 0 now; 1.jpg is not there


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        ("exhaustive", {(0, 1), (0, 2), (1, 2)}),
        ("retrieval", {(0, 2), (1, 2)}),
        ("distance", {(0, 1), (1, 2)}),
        ("sequence", {(0, 1), (1, 2)}),
        ("covisibility", {(0, 2)}),
    ],
)
def test_each_method_goes_by_what_it_says(method: str, expected: set[tuple[int, int]]):
    images = laid_out([turned(0), turned(0, 1.0), turned(0, 3.0)], [(0, 1), (2, 1)])
    vectors = [np.array([[1.0, 0.0], [0.0, 1.0], [0.6, 0.8]], np.float32)]
    config = PairConfig(method=method, num_pairs=1)
    assert rows(PAIR.run(config, Runtime(), images, vectors, FUSIONS.parse("mean"))) == expected


@pytest.mark.parametrize("method", ["distance", "covisibility"])
def test_a_method_that_lacks_its_basis_is_refused_before_any_work(method: str):
    bare = Capture({"cam": Sensor("camera", camera=CAMERA)}, Records.from_rows([(0, "cam", "a.jpg")]))
    with pytest.raises(StageError, match=method):
        check(PairConfig(method=method), bare)
    check(PairConfig(method="sequence"), bare)
    check(PairConfig(method="distance"), line_of_cameras([0.0]))
