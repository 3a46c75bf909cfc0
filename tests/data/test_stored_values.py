"""Values that stores keep: what several of them, packed together, are after reading each back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vloc.atomic import write_bytes
from vloc.data.estimate import PoseEstimate
from vloc.data.evidence import Calibration, Evidence, Trials
from vloc.data.features import GlobalDescriptor, KeypointColors, LocalFeatures, Matches
from vloc.data.photo_matches import PhotoMatches, Sightings, features_at
from vloc.data.quality import ImageQuality
from vloc.data.rig_estimate import RigEstimate
from vloc.data.selection import Correspondences, Ranking, Trained
from vloc.geometry.camera import Camera
from vloc.geometry.rigid import Rigid
from vloc.run.shard import Shard, pack


def numbers(*shape: int, dtype: type = np.float32) -> np.ndarray:
    """0, 1, 2, ... in a shape."""
    return np.arange(np.prod(shape)).reshape(shape).astype(dtype)


def trials(count: int) -> Trials:
    flags = np.arange(count) % 2 == 0
    return Trials(numbers(count, len(Evidence.NAMES), dtype=np.float64), flags, ~flags, np.array([[count, 3]]))


PAIRS = {
    LocalFeatures: [
        LocalFeatures(numbers(n, 2), numbers(n, 8, dtype=np.uint8), numbers(n), numbers(n) + 7) for n in (3, 0)
    ],
    GlobalDescriptor: [GlobalDescriptor(numbers(4)), GlobalDescriptor(numbers(4) + 1)],
    KeypointColors: [KeypointColors(numbers(n, 3, dtype=np.uint8)) for n in (2, 0)],
    Matches: [Matches(numbers(2, 2, dtype=np.uint32), numbers(2)), Matches.none()],
    Ranking: [Ranking(numbers(2, 2, dtype=np.uint32), numbers(2)), Ranking(numbers(0, 2, dtype=np.uint32), numbers(0))],
    Correspondences: [
        Correspondences(*(numbers(2, dtype=np.int32) + k for k in (0, 5)), numbers(2), numbers(2, dtype=np.int32) + 9),
        Correspondences.none(),
    ],
    PhotoMatches: [PhotoMatches(numbers(2, 2), numbers(2, 2) + 7, numbers(2)), PhotoMatches.none()],
    Sightings: [
        Sightings(numbers(2, 2), numbers(2, dtype=np.int32), numbers(2), numbers(2, dtype=np.int32) + 9),
        Sightings.none(),
    ],
    Trained: [Trained({"words": numbers(3, 2)}), Trained({"words": numbers(0, 2)})],
    Trials: [trials(3), trials(0)],
    Calibration: [Calibration(2.0, -1.0, trials(3)), Calibration(0.5, 0.25, trials(0))],
    RigEstimate: [
        RigEstimate(Rigid.identity(), numbers(3, 3, dtype=np.int64), np.eye(6), 0.75, Evidence(1, 2, 3, 4, 5, 6)),
        RigEstimate(None, numbers(2, 3, dtype=np.int64), reason="no rig, keine Rigs: äöü"),
    ],
    ImageQuality: [ImageQuality(1, 2, 3, 4, 5, 6), ImageQuality(6, 5, 4, 3, 2, 1)],
}


def read_back(values: list[Any], folder: Path) -> list[Any]:
    """The values, written into one shard and read from it."""
    marks = [str(row) for row in range(len(values))]
    write_bytes(folder / "shard.h5", *pack(marks, marks, [value.to_arrays() for value in values]))
    shard = Shard(folder / "shard.h5")
    return [type(values[0]).from_arrays(shard.read(row)) for row in range(len(values))]


def assert_equal(found: Any, expected: Any) -> None:
    """Every field, arrays with their types."""
    for name, value in vars(expected).items():
        other = getattr(found, name)
        if isinstance(value, np.ndarray):
            assert other.dtype == value.dtype
            np.testing.assert_array_equal(other, value)
        elif isinstance(value, dict):
            assert other.keys() == value.keys() and all(np.array_equal(other[key], value[key]) for key in value)
        elif isinstance(value, Rigid) or hasattr(value, "to_arrays"):
            assert_equal(other, value)
        else:
            assert other == value, name


@pytest.mark.parametrize("kind", PAIRS)
def test_values_packed_together_come_back_each_as_it_was(kind: type, tmp_path: Path) -> None:
    for found, expected in zip(read_back(PAIRS[kind], tmp_path), PAIRS[kind], strict=True):
        assert_equal(found, expected)


def test_estimates_with_and_without_poses_come_back(tmp_path: Path) -> None:
    pose = Rigid(np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]]), np.array([1.0, 2, 3]))
    camera = Camera("PINHOLE", 10, 20, (1.5, 2.5, 3.5, 4.5))
    evidence = Evidence(-12.0, 0.5, 0.25, 0.125, 1e-3, 0.75)
    found = PoseEstimate(
        "é q.jpg", pose, "pnp", 20, 30, numbers(6, 6, dtype=np.float64), ("a.jpg", "b c.jpg"), reason="",
        camera=camera, focal_source="EXIF", focal_sigma_px=2.0, quality=PAIRS[ImageQuality][0], confidence=0.75,
        evidence=evidence,
    )  # fmt: skip
    lost = PoseEstimate("l", None, "none", 3, 4, reason="3 inliers; the image is blurred")
    again, lost_again = read_back([found, lost], tmp_path)
    for name, value in vars(found).items():
        if name not in ("cam_from_world", "covariance"):
            assert getattr(again, name) == value, name
    np.testing.assert_array_equal(again.cam_from_world.rotation, pose.rotation)
    np.testing.assert_array_equal(again.cam_from_world.translation, pose.translation)
    np.testing.assert_array_equal(again.covariance, found.covariance)
    assert vars(lost_again) == vars(lost)


def test_the_trials_of_images_add_up() -> None:
    both = Trials.joined([trials(3), trials(2)])
    np.testing.assert_array_equal(both.evidence, np.concatenate([trials(3).evidence, trials(2).evidence]))
    assert both.is_right.tolist() == [True, False, True, True, False]
    assert both.against_wrong_images.tolist() == [False, True, False, False, True]
    assert both.num_attempts.tolist() == [[5, 6]]
    assert Trials.joined([]).num_attempts.tolist() == [[0, 0]] and Trials.joined([]).evidence.shape == (
        0,
        len(Evidence.NAMES),
    )


def test_the_candidates_of_a_query_are_its_own_and_best_first() -> None:
    ranking = Ranking(np.array([[0, 5], [0, 3], [2, 9], [2, 1], [2, 4]], np.uint32), numbers(5))
    assert [ranking.of(query).tolist() for query in range(4)] == [[5, 3], [], [9, 1, 4], []]


def test_some_rows_of_features_are_theirs_in_every_column() -> None:
    features = PAIRS[LocalFeatures][0]
    some = features[np.array([2, 0])]
    assert len(some) == 2 and some.keypoints.tolist() == [[4, 5], [0, 1]] and some.descriptors[0, 0] == 16
    assert some.scores.tolist() == [2, 0] and some.scales.tolist() == [9, 7]


def test_evidence_has_as_many_names_as_numbers() -> None:
    evidence = Evidence(-12.0, 0.5, 0.25, 0.125, 1e-3, 0.75)
    assert Evidence.from_row(evidence.to_row()) == evidence
    assert [getattr(evidence, name) for name in Evidence.NAMES] == evidence.to_row().tolist()


def test_features_stored_before_photos_were_turned_are_of_upright_ones() -> None:
    stored = PAIRS[LocalFeatures][0].to_arrays()
    del stored["quarter_turns"]
    assert LocalFeatures.from_arrays(stored).quarter_turns == 0


def test_keypoints_without_descriptors_come_back(tmp_path: Path) -> None:
    bare = [features_at(numbers(n, 2), numbers(n)) for n in (3, 0)]
    for found, expected in zip(read_back(bare, tmp_path), bare, strict=True):
        assert_equal(found, expected)
        assert found.descriptors.shape == (len(expected), 0) and (found.lengths == 1).all()


def test_orientations_come_back_and_go_with_their_keypoints(tmp_path: Path) -> None:
    features = [LocalFeatures(numbers(n, 2), numbers(n, 8), numbers(n), numbers(n), 1, numbers(n) / 7) for n in (3, 0)]
    for found, expected in zip(read_back(features, tmp_path), features, strict=True):
        assert_equal(found, expected)
    np.testing.assert_array_equal(features[0][1:].angles, features[0].angles[1:])
