"""OpenMVG: a camera by hand, real reprojections, and what is refused."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from scenes import captures, check_same_cameras, check_same_observations, converted, maupertuis, reprojection_errors

from vloc.errors import DataError
from vloc.formats.access import find_format, read, write
from vloc.formats.openmvg.matches import read_matches
from vloc.geometry.camera import Camera
from vloc.geometry.projection import project


def view(number: int = 0, name: str = "0.jpg", intrinsic: int = 0) -> dict[str, Any]:
    data = {
        "local_path": "", "filename": name, "width": 100, "height": 80,
        "id_view": number, "id_intrinsic": intrinsic, "id_pose": number,
    }  # fmt: skip
    return {"key": number, "value": {"polymorphic_id": 1073741824, "ptr_wrapper": {"id": 2147483649, "data": data}}}


def intrinsic(kind: str = "pinhole", **coefficients: list) -> dict[str, Any]:
    common = {"width": 100, "height": 80, "focal_length": 50.0, "principal_point": [50.0, 40.0]}
    data = {"value0": common, **coefficients} if coefficients else common
    return {"polymorphic_id": 2147483649, "polymorphic_name": kind, "ptr_wrapper": {"id": 2147483650, "data": data}}


def content(**changes: object) -> dict[str, Any]:
    # The camera stands at (10, 0, 0) and looks along world x: its z axis is world x, its x axis is world -y (right of
    # x, with z up), its y axis is world -z. Rows of the rotation are the camera's axes in the world.
    pose = {"rotation": [[0, -1, 0], [0, 0, -1], [1, 0, 0]], "center": [10, 0, 0]}
    # (15, -3, 2) is 5 in front, 3 right, 2 up: at 50 + 50 * 3/5, 40 - 50 * 2/5.
    point = {"X": [15, -3, 2], "observations": [{"key": 0, "value": {"id_feat": 7, "x": [80, 20]}}]}
    return {
        "sfm_data_version": "0.3", "root_path": "/home/someone/photos", "views": [view()],
        "intrinsics": [{"key": 0, "value": intrinsic()}], "extrinsics": [{"key": 0, "value": pose}],
        "structure": [{"key": 5, "value": point}], "control_points": [], **changes,
    }  # fmt: skip


def saved(folder: Path, **changes: object) -> Path:
    (folder / "sfm_data.json").write_text(json.dumps(content(**changes)))
    return folder / "sfm_data.json"


def test_camera_placed_by_hand_sees_the_point_where_it_was_observed(tmp_path):
    capture = read(saved(tmp_path))
    point = capture.pose("0.jpg").apply(np.array([[15.0, -3, 2]]))
    assert np.allclose(point, [[3, -2, 5]])
    # (80, 20) by the file, which counts from the first pixel's centre.
    assert np.allclose(project(capture.camera("0.jpg"), point), [[80.5, 20.5]])
    assert reprojection_errors(capture).max() < 1e-12
    assert np.allclose(capture.pose("0.jpg").center, [10, 0, 0])


def test_real_scene_reprojects_as_before(data, tmp_path):
    capture = maupertuis(data)
    again = converted(capture, "openmvg")
    check_same_cameras(capture, again)
    before, after = reprojection_errors(capture), reprojection_errors(again)
    assert len(after) == 3355
    assert abs(np.median(before) - 0.25) < 0.01
    assert np.allclose(np.sort(before), np.sort(after), atol=1e-6)
    losses = write(capture, f"openmvg:{tmp_path / 'out'}")
    assert any("colours of points" in line for line in losses)
    assert find_format(tmp_path / "out" / "sfm_data.json")[0].name == "openmvg"


@settings(max_examples=40, deadline=None)
@given(captures())
def test_captures_are_read_as_they_were_written(drawn):
    capture = drawn()
    again = converted(capture, "openmvg")
    check_same_cameras(capture, again)
    check_same_observations(capture, again)


@settings(max_examples=20, deadline=None)
@given(
    captures(
        (
            Camera("SIMPLE_RADIAL", 64, 48, (50.0, 31.0, 24.0, -0.1)),
            Camera("RADIAL", 64, 48, (50.0, 31.0, 24.0, -0.1, 0.01)),
            Camera("FULL_OPENCV", 64, 48, (50.0, 50.0, 31.0, 24.0, 0.1, -0.2, 0.01, 0.02, 0.03, 0.0, 0.0, 0.0)),
            Camera("OPENCV_FISHEYE", 64, 48, (50.0, 50.0, 31.0, 24.0, 0.1, -0.2, 0.01, 0.02)),
        )
    )
)
def test_lenses_are_read_as_they_were_written(drawn):
    capture = drawn()
    again = converted(capture, "openmvg")
    for name in capture.images.names:
        assert again.camera(name) == capture.camera(name)


# OpenMVG's Camera_Pinhole_Brown.hpp: t_x = t2 (r2 + 2 x x) + 2 t1 x y, t_y = t1 (r2 + 2 y y) + 2 t2 x y, times
# nothing; k_diff = k1 r2 + k2 r2^2 + k3 r2^3.
def test_brown_distortion_is_openmvg_own_formula(tmp_path):
    brown = intrinsic("pinhole_brown_t2", disto_t2=[0.1, -0.2, 0.3, 0.01, -0.02])
    camera = read(saved(tmp_path, intrinsics=[{"key": 0, "value": brown}])).camera("0.jpg")
    x, y = 0.3, -0.2
    r2 = x * x + y * y
    radial = 1 + 0.1 * r2 - 0.2 * r2**2 + 0.3 * r2**3
    expected = [
        50 + 50 * (x * radial - 0.02 * (r2 + 2 * x * x) + 2 * 0.01 * x * y),
        40 + 50 * (y * radial + 0.01 * (r2 + 2 * y * y) - 2 * 0.02 * x * y),
    ]
    assert np.allclose(project(camera, np.array([[x, y, 1.0]])) - 0.5, [expected])


def test_name_of_a_type_is_told_once_and_serves_all(tmp_path):
    later = {**intrinsic(), "polymorphic_id": 1}
    del later["polymorphic_name"]
    cameras = [{"key": 0, "value": intrinsic()}, {"key": 1, "value": later}]
    assert len(read(saved(tmp_path, intrinsics=cameras)).sensors) == 2


def test_views_with_priors_and_without_intrinsics_are_read(tmp_path):
    prior = view(intrinsic=4294967295)
    prior["value"]["ptr_wrapper"]["data"] = {"value0": prior["value"]["ptr_wrapper"]["data"], "center": [0, 0, 0]}
    capture = read(saved(tmp_path, views=[prior], extrinsics=[], structure=[]))
    assert capture.camera("0.jpg") == Camera("UNKNOWN_CAMERA", 100, 80)
    assert converted(capture, "openmvg").camera("0.jpg") == Camera("UNKNOWN_CAMERA", 100, 80)


def test_image_with_a_pose_but_no_intrinsics_is_refused_at_write_time(tmp_path):
    capture = read(saved(tmp_path, views=[view(intrinsic=4294967295)]))
    with pytest.raises(DataError, match="camera 'unknown_100x80' has no intrinsics"):
        write(capture, f"openmvg:{tmp_path / 'out'}")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sfm_data_version": "0.9"}, r"\$.sfm_data_version: '0.9'"),
        ({"views": [view(name="../0.jpg")]}, r"\$.views\[0\]: image .*leads out"),
        ({"views": [view(), view(1)]}, r"\$.views\[1\]: image '0.jpg' is here twice, also in \$.views\[0\]"),
        ({"views": [view(), view(0, "1.jpg")]}, "an id_view is there twice"),
        ({"views": [view(intrinsic=3)]}, r"id_intrinsic 3 is not among"),
        ({"views": [view(number=1)]}, r"\$.structure\[0\].value.observations\[0\]: view 0 is not among"),
        ({"intrinsics": [{"key": 0, "value": intrinsic("spherical")}]}, r"\$.intrinsics\[0\]: .*'spherical'"),
        ({"intrinsics": [{"key": 0, "value": intrinsic("fisheye", fisheye=[1.0])}]}, "1 numbers in fisheye"),
        ({"extrinsics": [{"key": 0, "value": {"rotation": [[2, 0, 0]] * 3, "center": [0, 0, 0]}}]}, "no rotation"),
        ({"extrinsics": [{"key": 0, "value": {"center": [0, 0, 0]}}]}, r"missing required field rotation"),
    ],
)  # fmt: skip
def test_what_cannot_be_true_is_refused_by_its_place(changes, message, tmp_path):
    with pytest.raises(DataError, match=message):
        read(saved(tmp_path, **changes))


def test_real_features_and_matches_come_back(data):
    capture = maupertuis(data)
    first, second = capture.reconstruction, converted(capture, "openmvg").reconstruction
    for name in capture.images.names:
        before = first.keypoints["SIFT"].load(name).astype(np.float64)
        assert np.array_equal(second.keypoints["openmvg"].load(name)[:, :2], before[:, :2])
        assert np.array_equal(second.descriptors["openmvg"].load(name), first.descriptors["SIFT"].load(name))
    assert sorted(second.matches["openmvg"].pairs) == sorted(first.matches["SIFT"].pairs)
    for pair in first.matches["SIFT"].pairs:
        assert np.array_equal(second.matches["openmvg"].load(pair)[:, :2], first.matches["SIFT"].load(pair)[:, :2])


def test_matches_are_of_view_ids_and_columns_follow_the_names(tmp_path):
    views = [view(0, "b.jpg"), view(1, "a.jpg")]
    path = saved(tmp_path, views=views, structure=[])
    (tmp_path / "a.feat").write_text("1 2 3 4\n5 6 7 8\n")
    (tmp_path / "b.feat").write_text("1.5 2.5 1 0\n")
    (tmp_path / "matches.f.txt").write_text("0 1\n1\n0 1\n")
    work = read(path).reconstruction
    assert work.keypoints["openmvg"].load("b.jpg").tolist() == [[2.0, 3.0, 1, 0]]
    assert work.matches["openmvg"].load(("a.jpg", "b.jpg")).tolist() == [[1, 0, 1]]
    (tmp_path / "matches.f.txt").write_text("0 1\n1\n0 2\n")
    with pytest.raises(DataError, match=r"matches.f.txt:1: a match beyond the keypoints: b.jpg and a.jpg"):
        read(path)
    (tmp_path / "a.feat").write_text("1 2 3\n")
    with pytest.raises(DataError, match=r"a.feat:1: 3 fields; expected 4: x y scale orientation"):
        read(path)


# Written by cereal 1.3.2 (libcereal-dev) from a map like OpenMVG's PairWiseMatches: (0, 1): (2, 5), (1, 0);
# (0, 300): none; (1, 2): (70000, 3).
CEREAL = {
    "little": (
        "01 0300000000000000 00000000 01000000 0200000000000000 02000000 05000000 01000000 00000000"
        "00000000 2c010000 0000000000000000 01000000 02000000 0100000000000000 70110100 03000000"
    ),
    "big": (
        "00 0000000000000003 00000000 00000001 0000000000000002 00000002 00000005 00000001 00000000"
        "00000000 0000012c 0000000000000000 00000001 00000002 0000000000000001 00011170 00000003"
    ),
}


@pytest.mark.parametrize("order", CEREAL)
def test_matches_that_cereal_wrote_are_read(order, tmp_path):
    (tmp_path / "matches.f.bin").write_bytes(bytes.fromhex(CEREAL[order]))
    names = {0: "b", 1: "a", 2: "c", 300: "d"}
    found = read_matches(tmp_path / "matches.f.bin", names, {"a": 70001, "b": 3, "c": 4, "d": 0})
    assert found.pairs == [("a", "b"), ("a", "c"), ("b", "d")]
    assert found.load(("a", "b")).tolist() == [[5, 2, 1], [0, 1, 1]]
    assert found.load(("a", "c")).tolist() == [[70000, 3, 1]]
    assert found.load(("b", "d")).shape == (0, 3)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda data: b"", r"first byte b''"),
        (lambda data: b"\2" + data[1:], r"first byte b'\\x02', expected 1 or 0"),
        (lambda data: data[:20], "the file ends at byte 20, within a pair"),
        (lambda data: data[:-4], r"byte 57: 1 matches, more than the 77 bytes of the file hold"),
        (lambda data: data + b"x", "1 bytes after the last pair"),
        (lambda data: data.replace(b"\x2c\1", b"\x2d\1"), "byte 41: views 0 and 301, expected two views"),
    ],
)
def test_binary_matches_that_are_cut_or_wrong_are_refused_by_byte(change, message, tmp_path):
    (tmp_path / "matches.f.bin").write_bytes(change(bytes.fromhex(CEREAL["little"])))
    counts = dict.fromkeys("abcd", 70001)
    with pytest.raises(DataError, match=rf"matches.f.bin:.*{message}"):
        read_matches(tmp_path / "matches.f.bin", {0: "b", 1: "a", 2: "c", 300: "d"}, counts)


def test_binary_matches_are_used_and_other_files_of_matches_remarked_by_name(tmp_path):
    path = saved(tmp_path, views=[view(0, "b.jpg"), view(1, "a.jpg")], structure=[])
    (tmp_path / "a.feat").write_text("1 2 3 4\n")
    (tmp_path / "b.feat").write_text("1 2 3 4\n")
    pair = bytes.fromhex("01 0100000000000000 00000000 01000000 0100000000000000 00000000 00000000")
    (tmp_path / "matches.f.bin").write_bytes(pair)
    (tmp_path / "matches.putative.bin").write_bytes(pair)
    capture = read(path)
    assert capture.reconstruction.matches["openmvg"].load(("a.jpg", "b.jpg")).tolist() == [[0, 0, 1]]
    assert capture.notes == ("matches.putative.bin: 1 file of matches left unread: matches.f.bin is read",)
    (tmp_path / "matches.f.txt").write_text("0 1\n1\n0 0\n")
    unread = ("matches.f.bin: 1 file of matches left unread: matches.f.txt is read", "matches.putative.bin: 1 file of")
    assert [note.startswith(unread) for note in read(path).notes] == [True, True]
    (tmp_path / "a.feat").unlink()
    assert sum("left unread: there are no features" in note for note in read(path).notes) == 3


def test_descriptors_that_are_cut_are_refused_by_file(tmp_path):
    path = saved(tmp_path, structure=[])
    (tmp_path / "0.feat").write_text("1 2 3 4\n")
    (tmp_path / "0.desc").write_bytes((1).to_bytes(8, "little") + b"x" * 127)
    with pytest.raises(DataError, match=r"0.desc: 135 bytes, expected 8 and 1 rows"):
        read(path).reconstruction.descriptors["openmvg"].load("0.jpg")


def test_features_that_the_structure_lacks_are_refused(tmp_path):
    path = saved(tmp_path)
    (tmp_path / "0.feat").write_text("1 2 3 4\n")
    with pytest.raises(DataError, match=r"\$.structure\[0\]: feature 7 of '0.jpg', whose .feat has 1"):
        read(path)


def test_two_focal_lengths_are_refused_at_write_time(data, tmp_path):
    capture = read(data / "strecha" / "fountain-P11" / "mapping")
    with pytest.raises(DataError, match=r"focal lengths .*, OpenMVG has one"):
        write(capture, f"openmvg:{tmp_path / 'out'}")
