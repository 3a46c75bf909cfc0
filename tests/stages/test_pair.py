import numpy as np
import pytest

from vloc.data.capture import Capture, Sensor
from vloc.data.records import Records, Trajectory
from vloc.data.selection import Ranking
from vloc.errors import StageError
from vloc.geometry.camera import Camera
from vloc.geometry.rigid import Rigid
from vloc.stages.pair import Layout, PairConfig, by_covisibility, by_distance, by_time, exhaustive, layout, unordered

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
