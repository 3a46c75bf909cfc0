"""nerfstudio and instant-ngp: a camera by hand, real round trips, and what is refused."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from PIL import Image
from scenes import captures, check_same_cameras, check_same_intrinsics, converted, maupertuis

from vloc.errors import DataError
from vloc.formats.access import find_format, read, write
from vloc.geometry.camera import Camera
from vloc.geometry.projection import project

IDENTITY = [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]
SHARED = {"w": 100, "h": 80, "fl_x": 50, "cx": 50, "cy": 40}


def saved(folder: Path, content: dict, name: str = "transforms.json") -> Path:
    (folder / name).write_text(json.dumps(content))
    return folder / name


def frame(matrix: list = IDENTITY, name: str = "images/0.jpg", **more: object) -> dict:
    return {"file_path": name, "transform_matrix": matrix, **more}


def test_camera_placed_by_hand_sees_the_point_where_opengl_says(tmp_path):
    # At (10, 0, 0), turned a quarter about world z, so that its x axis is world y and its y axis is world -x; OpenGL
    # cameras look along -z: the point (10 - 2, 3, -5) is 3 to its right, 2 above its axis and 5 in front of it.
    matrix = [[0, -1, 0, 10], [1, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]
    capture = read(saved(tmp_path, {**SHARED, "frames": [frame(matrix)]}))
    point = capture.pose("0.jpg").apply(np.array([[8.0, 3, -5]]))
    assert np.allclose(point, [[3, -2, 5]])
    assert np.allclose(project(capture.camera("0.jpg"), point), [[50 + 50 * 3 / 5, 40 - 50 * 2 / 5]])


def test_motion_of_the_world_is_undone_scale_first(tmp_path):
    # nerfstudio stored 2 * (A c), A: (x, y, z) -> (x, z, -y) + (0, 0, 7); a centre at (1, 2, 3) becomes (2, 6, 10).
    applied = [[1, 0, 0, 0], [0, 0, 1, 0], [0, -1, 0, 7]]
    stored = [[1, 0, 0, 2], [0, 0, 1, 6], [0, -1, 0, 10]]
    capture = read(
        saved(tmp_path, {**SHARED, "applied_transform": applied, "applied_scale": 2, "frames": [frame(stored)]})
    )
    assert np.allclose(capture.pose("0.jpg").center, [1, 2, 3])
    assert np.allclose(capture.pose("0.jpg").rotation, np.diag([1, -1, -1]))
    assert len(capture.notes) == 2


def test_gallery_through_four_conversions_ends_as_it_began(data, tmp_path):
    first = read(data / "virtual_gallery_tutorial" / "mapping", pixel_center=0.0)
    steps = ["kapture", "colmap", "kapture", "nerfstudio", "kapture"]
    capture = first
    for i, form in enumerate(steps):
        write(capture, f"{form}:{tmp_path / str(i)}", transfer="skip")
        capture = read(f"{form}:{tmp_path / str(i)}")
    assert len(capture.images) == 12
    check_same_cameras(first, capture)
    for name in first.images.names:
        assert np.allclose(first.camera(name).params, capture.camera(name).params, rtol=0, atol=1e-9)


def test_real_scene_keeps_its_cameras_and_tells_what_it_lost(data, tmp_path):
    capture = maupertuis(data)
    check_same_cameras(capture, converted(capture, "nerfstudio"))
    losses = write(capture, f"nerfstudio:{tmp_path / 'out'}")
    assert any("observations" in line for line in losses) and not any(line.endswith(" points") for line in losses)
    assert (tmp_path / "out" / "images" / "00.jpg").is_file()
    assert find_format(tmp_path / "out" / "transforms.json")[0].name == "nerfstudio"


def test_points_and_their_colours_stand_beside_the_frames_as_splatting_tools_read_them(data, tmp_path):
    capture = maupertuis(data)
    write(capture, f"nerfstudio:{tmp_path / 'out'}", transfer="skip")
    assert json.loads((tmp_path / "out" / "transforms.json").read_text())["ply_file_path"] == "sparse_pc.ply"
    head, _, body = (tmp_path / "out" / "sparse_pc.ply").read_bytes().partition(b"end_header\n")
    assert b"property uchar red" in head and f"element vertex {len(capture.reconstruction.points)}".encode() in head
    rows = np.frombuffer(body, [("xyz", "<f8", 3), ("rgb", "u1", 3)])
    np.testing.assert_array_equal(rows["xyz"], capture.reconstruction.points.xyz)
    np.testing.assert_array_equal(rows["rgb"], capture.reconstruction.points.rgb)


def test_points_without_colour_are_written_black_and_counted(data, tmp_path):
    capture = maupertuis(data)
    points = replace(capture.reconstruction.points, rgb=None)
    grey = replace(capture, reconstruction=replace(capture.reconstruction, points=points))
    losses = write(grey, f"nerfstudio:{tmp_path / 'out'}", transfer="skip")
    assert f"{len(points)} points without colour, written black" in losses


CAMERAS = (
    Camera("SIMPLE_PINHOLE", 64, 48, (50.0, 31.0, 24.0)),
    Camera("PINHOLE", 64, 48, (50.0, 51.0, 31.0, 24.0)),
    Camera("SIMPLE_RADIAL", 64, 48, (50.0, 31.0, 24.0, -0.1)),
    Camera("RADIAL", 64, 48, (50.0, 31.0, 24.0, -0.1, 0.01)),
)
OTHERS = (
    Camera("OPENCV", 64, 48, (50.0, 51.0, 31.0, 24.0, 0.1, -0.2, 0.01, 0.02)),
    Camera("OPENCV_FISHEYE", 64, 48, (50.0, 51.0, 31.0, 24.0, 0.1, -0.2, 0.01, 0.02)),
    Camera("RADIAL_FISHEYE", 64, 48, (50.0, 31.0, 24.0, 0.1, -0.2)),
    Camera("SIMPLE_RADIAL_FISHEYE", 64, 48, (50.0, 31.0, 24.0, 0.1)),
)


@settings(max_examples=40, deadline=None)
@given(captures(CAMERAS, all_posed=True))
def test_captures_are_read_as_they_were_written(drawn):
    capture = drawn()
    again = converted(capture, "nerfstudio")
    check_same_cameras(capture, again)
    assert [again.camera(name) for name in capture.images.names] == [
        capture.camera(name) for name in capture.images.names
    ]


@settings(max_examples=20, deadline=None)
@given(captures(OTHERS, all_posed=True))
def test_lenses_are_read_as_they_were_written(drawn):
    capture = drawn()
    check_same_cameras(capture, converted(capture, "nerfstudio"))


def test_intrinsics_of_a_frame_go_before_those_of_the_file(tmp_path):
    frames = [frame(), frame(name="images/1.jpg", fl_x=60, k1=0.5), frame(name="images/2.jpg", fl_y=70)]
    capture = read(saved(tmp_path, {**SHARED, "frames": frames}))
    assert capture.camera("0.jpg") == Camera("PINHOLE", 100, 80, (50.0, 50.0, 50.0, 40.0))
    assert capture.camera("1.jpg") == Camera("OPENCV", 100, 80, (60.0, 60.0, 50.0, 40.0, 0.5, 0.0, 0.0, 0.0))
    assert capture.camera("2.jpg") == Camera("PINHOLE", 100, 80, (50.0, 70.0, 50.0, 40.0))
    assert len(capture.sensors) == 3


def test_angle_of_view_and_the_size_of_the_image_serve_where_the_file_says_no_more(tmp_path):
    (tmp_path / "train").mkdir()
    Image.new("L", (40, 20)).save(tmp_path / "train" / "r_0.png")
    capture = read(saved(tmp_path, {"camera_angle_x": np.pi / 2, "frames": [frame(name="./train/r_0.png")]}))
    check_same_intrinsics(capture.camera("train/r_0.png"), Camera("PINHOLE", 40, 20, (20.0, 20.0, 20.0, 10.0)))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"frames": [frame(name="../0.jpg")]}, r"transforms.json: \$.frames\[0\].file_path.*'\.\.' leads out"),
        ({"frames": [frame(name="/etc/passwd")]}, "absolute path"),
        ({"frames": [frame(), frame()]}, r"\$.frames\[1\].file_path: image 'images/0.jpg' is here twice"),
        ({"frames": [frame([[1, 0, 0, 0]] * 3)]}, r"\$.frames\[0\].transform_matrix: no rotation"),
        ({"frames": [frame([[-1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0]])]}, "no rotation: determinant -1"),
        ({"frames": [frame([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 2]])]}, "expected 0, 0, 0, 1"),
        ({"frames": [frame([[1, 0, 0]] * 3)]}, r"\$.frames\[0\].transform_matrix.*array of length"),
        ({"frames": [frame(w="wide")]}, r"\$.frames\[0\].w: Expected float \| null, got str"),
        ({"frames": [frame(w=0.5)]}, r"image size 0.5 x 80"),
        ({"frames": [frame(fl_x=-1)]}, r"focal length -1"),
        ({"frames": [frame(camera_model="EQUIRECTANGULAR")]}, "camera_model 'EQUIRECTANGULAR', expected one of"),
        ({"frames": [frame(k3=0.1)]}, "do not fit OPENCV"),
        ({"frames": [frame()], "applied_scale": 0}, r"\$.applied_scale: Expected float >= 1e-12"),
        ({}, "missing required field frames"),
    ],
)  # fmt: skip
def test_what_cannot_be_true_is_refused_by_its_place(content, message, tmp_path):
    with pytest.raises(DataError, match=message):
        read(saved(tmp_path, {**SHARED, **content}))


def test_broken_json_is_refused_by_line(tmp_path):
    (tmp_path / "transforms.json").write_text('{\n"frames": [\n}')
    with pytest.raises(DataError, match=r"transforms.json:3: not JSON"):
        read(tmp_path / "transforms.json")


def test_frame_without_size_or_image_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"\$.frames\[0\]: no w and h, and no image"):
        read(saved(tmp_path, {"fl_x": 50, "frames": [frame()]}))


def test_several_types_of_keypoints_need_no_choice_where_none_is_written(data):
    capture = maupertuis(data)
    work = capture.reconstruction
    twice = replace(work, keypoints={**work.keypoints, "other": work.keypoints["SIFT"]})
    check_same_cameras(capture, converted(replace(capture, reconstruction=twice), "nerfstudio"))


def test_models_that_nerfstudio_lacks_are_refused_at_write_time(tmp_path):
    capture = read(saved(tmp_path, {**SHARED, "frames": [frame()]}))
    camera = Camera("FOV", 100, 80, (50.0, 50.0, 50.0, 40.0, 0.9))
    sensor = next(iter(capture.sensors.values()))
    broken = type(capture)({"camera0": type(sensor)("camera", camera=camera)}, capture.images, capture.trajectory)
    with pytest.raises(DataError, match="camera 'camera0': nerfstudio has no FOV"):
        write(broken, f"nerfstudio:{tmp_path / 'out'}")
