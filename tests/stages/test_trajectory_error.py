"""Errors of trajectories that are known by hand."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from vloc.errors import DataError
from vloc.geometry.alignment import Similarity
from vloc.geometry.rigid import Rigid
from vloc.stages.trajectory_error import trajectory_error

CENTERS = np.array([[0.0, 0, 0], [1, 0, 0], [2, 1, 0], [3, 1, 1], [4, 0, 2]])
NAMES = list("abcde")


def poses(centers: np.ndarray, turned_deg: float = 0.0) -> dict[str, Rigid]:
    turns = [Rotation.from_euler("z", turned_deg * row, degrees=True).as_matrix() for row in range(len(centers))]
    return {name: Rigid(turn, -turn @ at) for name, turn, at in zip(NAMES, turns, centers, strict=False)}


TRUTH = poses(CENTERS, 10.0)


def moved(by: Similarity) -> dict[str, Rigid]:
    return {name: by.apply_to_cameras(pose) for name, pose in TRUTH.items()}


TURN = Rotation.from_euler("xyz", [20, -30, 40], degrees=True).as_matrix()


def test_what_alignment_takes_away_is_no_error():
    shifted, scaled = (moved(Similarity(scale, TURN, np.array([5.0, 6, 7]))) for scale in (1.0, 2.0))
    for estimates, alignment in ((shifted, "rigid"), (scaled, "similarity")):
        told = trajectory_error(estimates, TRUTH, [NAMES], alignment)  # type: ignore[arg-type]
        assert (told.ate_m, told.rpe_m, told.rpe_deg) == pytest.approx((0, 0, 0), abs=1e-6)
        assert (told.num_poses, told.num_motions) == (5, 4)
    assert trajectory_error(scaled, TRUTH, [NAMES], "similarity").scale == pytest.approx(0.5)
    assert trajectory_error(shifted, TRUTH, [NAMES], "none").ate_m > 5
    assert trajectory_error(scaled, TRUTH, [NAMES], "rigid").ate_m > 0.5


def test_errors_are_root_mean_squares():
    off = {**TRUTH, "c": Rigid(np.eye(3), np.array([0.3, 0, 0])) @ TRUTH["c"]}
    told = trajectory_error(off, TRUTH, [NAMES], "none")
    assert told.ate_m == pytest.approx(0.3 / 5**0.5)
    assert told.rpe_m == pytest.approx(0.3 * (2 / 4) ** 0.5)  # the motions to it and from it
    turned = {**TRUTH, "e": Rigid(Rotation.from_euler("x", 8, degrees=True).as_matrix(), np.zeros(3)) @ TRUTH["e"]}
    assert trajectory_error(turned, TRUTH, [NAMES], "none").rpe_deg == pytest.approx(8 / 4**0.5)


def test_motions_over_a_missing_pose_or_from_track_to_track_are_none():
    estimates = {name: TRUTH[name] for name in "abde"}
    assert trajectory_error(estimates, TRUTH, [NAMES], "none").num_motions == 2
    assert trajectory_error(TRUTH, TRUTH, [list("ab"), list("cde")], "none").num_motions == 3
    alone = trajectory_error(TRUTH, TRUTH, [["a"], ["c"]], "none")
    assert (alone.num_poses, alone.num_motions, alone.rpe_m) == (2, 0, None)


def test_what_cannot_be_aligned_or_compared_is_refused():
    with pytest.raises(DataError, match="the trajectory cannot be aligned: points of shapes"):
        trajectory_error(TRUTH, TRUTH, [["a", "b"]], "rigid")
    with pytest.raises(DataError, match="no image of a sequence has both"):
        trajectory_error({}, TRUTH, [NAMES], "none")
