"""Merging captures: what is shared, what is renamed, what is refused."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

from vloc.data import splitting
from vloc.data.capture import Capture, Sensor
from vloc.data.merging import merge
from vloc.data.reconstruction import Features, InMemory, MatchedPairs, Observations, Points, Reconstruction
from vloc.data.records import Readings, Records, Trajectory
from vloc.data.rigs import RigMember
from vloc.errors import DataError
from vloc.geometry.camera import Camera
from vloc.geometry.rigid import Rigid

CAMERA = Camera("PINHOLE", 64, 48, (50.0, 50.0, 32.0, 24.0))


@dataclass(frozen=True)
class Texts:
    """Files in memory."""

    text: str

    def read(self, name: str) -> bytes:
        return f"{self.text} {name}".encode()

    def stamp(self, name: str) -> str:
        return self.text


def at(x: float) -> Rigid:
    return Rigid(np.eye(3), np.array([-float(x), 0.0, 0.0]))


def capture(text: str = "a", start: int = 0, focal: float = 50.0, **changes: object) -> Capture:
    """Two images of one camera on a rig, each with three keypoints; two points, seen by both."""
    names = ["0.jpg", "1.jpg"]
    arrays = {name: np.full((3, 2), float(start + i)) for i, name in enumerate(names)}
    pair = (names[0], names[1])
    work = Reconstruction(
        Points(np.full((2, 3), float(start)), np.zeros((2, 3), np.uint8)),
        {"k": Observations(*(np.array(c, np.int32) for c in ([0, 0, 1, 1], [0, 1, 0, 1], [0, 1, 2, 0])))},
        {"k": Features("k", np.dtype(np.float64), 2, names, InMemory(arrays))},
        {"d": Features("d", np.dtype(np.float64), 2, names, InMemory(arrays), "k", "L2")},
        matches={"k": MatchedPairs([pair], InMemory({pair: np.array([[0.0, 1, 1]])}))},
    )
    parts = {
        "sensors": {"cam": Sensor("camera", camera=Camera("PINHOLE", 64, 48, (focal, 50.0, 32.0, 24.0)))},
        "images": Records.from_rows([(start, "cam", names[0]), (start + 1, "cam", names[1])]),
        "trajectory": Trajectory.from_rows([(start, "rig", at(start)), (start + 1, "rig", at(start + 1))]),
        "rigs": (RigMember("rig", "cam", Rigid.identity()),),
        "reconstruction": work,
        "files": Texts(text),
    }
    return Capture(**(parts | changes))


def test_images_of_one_name_are_refused_without_prefixes() -> None:
    with pytest.raises(DataError, match=r"image '0\.jpg' \(2 in all\) is in several captures; give a prefix"):
        merge([capture("a"), capture("b", 10)])


def test_one_capture_is_merged_into_itself_and_none_into_nothing() -> None:
    readings = Readings(np.array([3, 7]), np.zeros(2, np.int32), ("gps",), {"x": np.array([1.0, 2.0])})
    one = capture(sensors={**capture().sensors, "gps": Sensor("gnss")}, readings={"gnss": readings}, pixel_center=0.0)
    merged = merge([one])
    assert list(merged.images.names) == list(one.images.names) and merged.pixel_center == 0
    assert merged.readings["gnss"].columns["x"].tolist() == [1, 2]
    with pytest.raises(DataError, match="expected one capture or more"):
        merge([])


def test_colours_that_all_or_no_points_have_are_no_loss() -> None:
    assert merge([capture("a"), capture("b", 10)], ["day", "night"]).left_out == ()
    pale = [replace(one.reconstruction, points=Points(one.reconstruction.points.xyz)) for one in (capture(), capture())]
    assert merge([capture(reconstruction=work) for work in pale], ["day", "night"]).left_out == ()


def test_prefixes_keep_both_images_and_each_reads_its_own_file() -> None:
    merged = merge([capture("a"), capture("b", 10)], ["day", "night"])
    assert list(merged.images.names) == ["day/0.jpg", "day/1.jpg", "night/0.jpg", "night/1.jpg"]
    assert merged.files.read("night/1.jpg") == b"b 1.jpg"
    assert merged.files.stamp("day/0.jpg") == "a"
    assert merged.files.stamp("0.jpg") == "missing"


def test_equal_sensors_and_rigs_are_shared() -> None:
    merged = merge([capture("a"), capture("b", 10)], ["day", "night"])
    assert list(merged.sensors) == ["cam"]
    assert [(m.rig_id, m.sensor_id) for m in merged.rigs] == [("rig", "cam")]
    assert np.allclose(merged.cam_from_world.center[:, 0], [0, 1, 10, 11])


def test_another_sensor_of_the_same_id_is_renamed_with_its_rig() -> None:
    merged = merge([capture("a"), capture("b", 10, focal=60.0)], ["day", "night"])
    assert list(merged.sensors) == ["cam", "night_cam"]
    assert [(m.rig_id, m.sensor_id) for m in merged.rigs] == [("rig", "cam"), ("night_rig", "night_cam")]
    assert merged.camera("night/0.jpg").focal[0] == 60
    assert merged.pose("night/1.jpg").center[0] == 11


def test_another_sensor_of_the_same_id_is_refused_without_prefixes() -> None:
    other = capture("b", 10, 60.0, images=Records.from_rows([(10, "cam", "x.jpg")]), reconstruction=None)
    with pytest.raises(DataError, match="'cam' is another sensor or rig in another capture; give a prefix"):
        merge([capture("a"), other])


def test_images_of_one_camera_at_one_time_get_a_camera_each() -> None:
    merged = merge([capture("a"), capture("b", 0, trajectory=capture("b", 5).trajectory)], ["day", "night"])
    assert set(merged.images.device_ids) == {"cam", "night_cam"}
    assert len({*zip(merged.images.timestamps.tolist(), merged.images.devices.tolist(), strict=True)}) == 4


def test_points_observations_features_and_matches_are_joined() -> None:
    work = merge([capture("a"), capture("b", 10)], ["day", "night"]).reconstruction
    assert work.points.xyz[:, 0].tolist() == [0, 0, 10, 10]
    seen = work.observations["k"]
    assert seen.points.tolist() == [0, 0, 1, 1, 2, 2, 3, 3]
    assert seen.images.tolist() == [0, 1, 0, 1, 2, 3, 2, 3]
    assert work.keypoints["k"].load("night/1.jpg").tolist() == [[11, 11]] * 3
    assert work.matches["k"].pairs == [("day/0.jpg", "day/1.jpg"), ("night/0.jpg", "night/1.jpg")]
    assert work.matches["k"].load(("night/0.jpg", "night/1.jpg")).tolist() == [[0, 1, 1]]


def test_features_that_differ_under_one_name_are_renamed_or_refused() -> None:
    other = capture("b", 10)
    wide = replace(other.reconstruction.keypoints["k"], width=4)
    other = replace(other, reconstruction=replace(other.reconstruction, keypoints={"k": wide}))
    work = merge([capture("a"), other], ["day", "night"]).reconstruction
    assert list(work.keypoints) == ["k", "night_k"]
    assert {name: own.keypoints_type for name, own in work.descriptors.items()} == {"d": "k", "night_d": "night_k"}
    assert list(work.observations) == ["k", "night_k"]
    with pytest.raises(DataError, match="features of type 'k' are"):
        merge([capture("a"), replace(other, images=Records.from_rows([(10, "cam", "x"), (11, "cam", "y")]))])


def test_colours_that_only_some_points_have_are_left_out_with_a_note() -> None:
    other = capture("b", 10)
    bare = replace(other.reconstruction, points=Points(np.ones((2, 3))))
    merged = merge([capture("a"), replace(other, reconstruction=bare)], ["day", "night"])
    assert merged.reconstruction.points.rgb is None
    assert "2 colours of points left out: another capture's points have none" in merged.left_out


def test_the_parts_of_a_split_merge_to_the_capture_they_came_from() -> None:
    whole = capture()
    rows = splitting.every_nth(whole, 2)
    merged = merge([splitting.part_of(whole, rows), splitting.part_of(whole, ~rows)])
    assert list(merged.images.names) == list(whole.images.names)
    assert np.array_equal(merged.trajectory.quat_wxyz, whole.trajectory.quat_wxyz)
    assert merged.trajectory.timestamps.tolist() == whole.trajectory.timestamps.tolist()
    assert set(merged.sensors) == set(whole.sensors)
    assert merged.reconstruction.keypoints["k"].images == whole.reconstruction.keypoints["k"].images


@pytest.mark.parametrize("prefixes", [["a"], ["a", "a"], ["a", ""]])
def test_prefixes_must_be_as_many_as_captures_and_different(prefixes: list[str]) -> None:
    with pytest.raises(DataError, match="prefixes"):
        merge([capture("a"), capture("b", 10)], prefixes)
