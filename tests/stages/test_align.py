"""Maps brought into frames that are known, with cameras that disagree and with what fixes nothing."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from vloc.data.frame import Frame
from vloc.errors import StageError
from vloc.geometry.alignment import Similarity
from vloc.geometry.pose_error import pose_errors
from vloc.geometry.rigid import Rigid
from vloc.geometry.robust_alignment import RobustAlignment, align_robustly
from vloc.stages import align
from vloc.stages.align import Fit, frame_of_distance, frame_of_positions, moved_frame
from vloc.stages.place import moved
from vloc.stages.positions import Positions

from .cameras import ELSEWHERE, NAMES, eight_cameras

fit_poses, fit_positions = partial(align.fit_poses, seed=0), partial(align.fit_positions, seed=0)
OWN = Frame.of_reconstruction(posed=False)


def poses(sparse) -> dict[str, Rigid]:
    return {name: sparse.cam_from_world[row] for name, row in sparse.row_of.items()}


def test_poses_in_another_frame_bring_the_map_there() -> None:
    sparse = eight_cameras()
    there = moved(sparse, ELSEWHERE)
    fit = fit_poses(sparse, poses(there))
    found = moved(sparse, moved_frame(Frame(True, "aligned"), OWN, fit.target_from_map).similarity)
    assert np.allclose(found.points, ELSEWHERE.apply(sparse.points), atol=1e-9)
    assert np.max(pose_errors(found.cam_from_world, there.cam_from_world)) < 1e-7
    assert fit.about("m").startswith("8 of 8 images agree") and fit.disagreeing == {}


def test_a_camera_that_was_moved_is_named_with_its_distance() -> None:
    sparse = eight_cameras()
    targets = poses(sparse)
    targets["3.jpg"] = Rigid(targets["3.jpg"].rotation, targets["3.jpg"].translation + np.array([0.0, 0, 2]))
    fit = fit_poses(sparse, {**targets, "unknown.jpg": Rigid.identity()})
    assert list(fit.disagreeing) == ["3.jpg"] and fit.disagreeing["3.jpg"] == pytest.approx(2)
    assert "7 of 8 images agree" in fit.about("m")


def test_of_many_cameras_that_disagree_the_three_furthest_are_named() -> None:
    residuals = np.array([0.01, 0.03, 0.02, 0.05, 9, 7, 5, 8])
    found = RobustAlignment(ELSEWHERE, residuals, residuals < 1, 10.0, 10.0)
    expected = "4 of 8 images agree, residuals median 0.0250 m, largest 0.0500 m; elsewhere: 4.jpg 9.00 m, 7.jpg 8.00 m"
    assert Fit(NAMES, found).about("m") == expected + ", 5.jpg 7.00 m ..."
    frame = frame_of_positions(Fit(NAMES, found), Positions({}, None), OWN)
    # sqrt(0.0039 / (4 - 7 / 3)) / sqrt(3) of 10 sqrt(4)
    assert frame.about.endswith("; scale known to 0.14 %")


def test_what_fixes_no_frame_is_refused_with_its_reason() -> None:
    sparse = eight_cameras()
    known = poses(sparse)
    with pytest.raises(StageError, match="2 images in common"):
        fit_poses(sparse, {name: known[name] for name in NAMES[:2]})
    with pytest.raises(StageError, match="one place"):
        fit_poses(sparse, {name: Rigid(pose.rotation, np.zeros(3)) for name, pose in known.items()})
    turned = {
        name: Rigid(np.diag([1.0, -1, -1]) @ pose.rotation, pose.translation * [1, -1, -1])
        for name, pose in known.items()
    }
    with pytest.raises(StageError, match="look 180 degrees apart"):
        fit_poses(sparse, turned)
    mixed = {name: known[other] for name, other in zip(NAMES, np.roll(NAMES, 3), strict=True)}
    found = align_robustly(sparse.cam_from_world.center, np.roll(sparse.cam_from_world.center, 3, axis=0), seed=0)
    part = round(100 * found.spread / found.extent)
    with pytest.raises(StageError, match=f"another shape: {part}% of its size"):
        fit_poses(sparse, mixed)


def test_positions_with_noise_give_the_scale_within_what_they_say() -> None:
    sparse = eight_cameras()
    rng = np.random.default_rng(1)
    large = replace(
        sparse, cam_from_world=Rigid(sparse.cam_from_world.rotation, sparse.cam_from_world.translation * 10)
    )
    true = moved(large, ELSEWHERE).cam_from_world.center * 5
    fit = fit_positions(large, Positions(dict(zip(NAMES, true + rng.normal(0, 0.5, true.shape), strict=True)), None))
    assert abs(fit.target_from_map.scale - 1) < 4 * fit.alignment.scale_error < 0.1


def test_positions_that_leave_scale_or_turn_open_are_refused_with_figures() -> None:
    sparse = eight_cameras()
    rng = np.random.default_rng(1)
    centers = sparse.cam_from_world.center
    rough = Positions(dict(zip(NAMES, centers + rng.normal(0, 3, centers.shape), strict=True)), None)
    with pytest.raises(StageError, match=r"a scale known to \d?\d\.\d %, 2 % are needed"):
        fit_positions(sparse, rough)
    line = np.outer(np.arange(8.0), [3.0, 0, 0]) + rng.normal(0, 0.02, (8, 3))
    poses_on_line = Rigid(
        sparse.cam_from_world.rotation, -np.einsum("nij,nj->ni", sparse.cam_from_world.rotation, line)
    )
    with pytest.raises(StageError, match="near to one line"):
        fit_positions(
            replace(sparse, cam_from_world=poses_on_line),
            Positions(dict(zip(NAMES, line + rng.normal(0, 0.02, (8, 3)), strict=True)), None),
        )
    with pytest.raises(StageError, match="4 images of the map have a position"):
        fit_positions(sparse, Positions(dict(zip(NAMES[:4], centers, strict=False)), None))


def test_a_distance_scales_the_map_about_its_origin() -> None:
    sparse = eight_cameras()
    before = np.linalg.norm(np.subtract(*sparse.cam_from_world.center[:2]))
    frame = frame_of_distance(sparse, OWN, "0.jpg", "1.jpg", 12.0)
    after = moved(sparse, frame.similarity)
    assert np.linalg.norm(np.subtract(*after.cam_from_world.center[:2])) == pytest.approx(12)
    assert np.allclose(after.points, sparse.points * 12 / before) and frame.metric
    small = moved(sparse, Similarity(1e-3, np.eye(3), np.zeros(3)))
    assert frame_of_distance(small, OWN, "0.jpg", "1.jpg", 12.0).similarity.scale == pytest.approx(12e3 / before)
    with pytest.raises(StageError, match=r"'no\.jpg'"):
        frame_of_distance(sparse, OWN, "0.jpg", "no.jpg", 1.0)
    with pytest.raises(StageError, match="one place"):
        frame_of_distance(sparse, OWN, "0.jpg", "0.jpg", 1.0)


def test_one_frame_after_another_is_one_motion_of_the_reconstruction() -> None:
    sparse = eight_cameras()
    first = moved_frame(OWN, OWN, ELSEWHERE)
    there = moved(sparse, first.similarity)
    second = frame_of_distance(there, first, "0.jpg", "5.jpg", 3.0)
    twice = moved(sparse, second.similarity)
    assert np.linalg.norm(np.subtract(*twice.cam_from_world.center[[0, 5]])) == pytest.approx(3)
    factor = second.similarity.scale / first.similarity.scale
    assert np.allclose(twice.points, there.points * factor)


def test_no_turn_is_more_than_half_a_turn() -> None:
    assert [align._degrees(radians) for radians in (0.1, 3.0, 4.0)] == [
        "up to 6 degrees", "up to 172 degrees", "up to 180 degrees"
    ]  # fmt: skip
