"""Image lists: intrinsics or none, poses or none, and what is refused."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from PIL import Image
from scenes import captures, converted

from vloc.data.capture import Capture, Sensor
from vloc.data.records import Records
from vloc.errors import DataError
from vloc.formats.access import read, write
from vloc.geometry.camera import Camera


def test_names_may_hold_blanks_and_equal_intrinsics_share_a_sensor(tmp_path):
    path = tmp_path / "list.txt"
    same = "PINHOLE 4 3 1 2 2 1.5"
    path.write_text(f"# c\nmy  photo.jpg {same}\n\nPINHOLE 2.jpg {same}\nc.jpg SIMPLE_RADIAL 9 9 5 1 2 .1\n")
    capture = read(path)
    assert list(capture.images.names) == ["my  photo.jpg", "PINHOLE 2.jpg", "c.jpg"]
    assert capture.camera("my  photo.jpg") == Camera("PINHOLE", 4, 3, (1, 2, 2, 1.5))
    assert list(capture.sensors) == ["camera0", "camera1"]
    assert not capture.has_pose.any()


def test_pixel_center_0_moves_principal_points_and_images_stand_beside_the_list(tmp_path):
    (tmp_path / "list.txt").write_text("a.jpg SIMPLE_PINHOLE 4 3 1 2 1.5\n")
    (tmp_path / "a.jpg").write_bytes(b"pixels")
    capture = read(tmp_path / "list.txt", pixel_center=0)
    assert capture.camera("a.jpg").principal_point == (2.5, 2.0)
    assert capture.files.read("a.jpg") == b"pixels"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("b.jpg PINHOLE 4 3 1 2 2", "PINHOLE with 5 numbers, expected 6"),
        ("b.jpg PINHOLE 4 3 -1 2 2 2", "focal length -1"),
        ("b.jpg PINHOLE 4 3 1 2 2 nan", "not a number"),
        ("b.jpg PINHOLE 4 0 1 2 2 2", "image size 4 x 0"),
        ("b.jpg 4 3 1 2 2", "no camera model before 5 numbers, which are no pose of 7"),
        ("b.jpg", "no camera model, and no image to tell it: .*b.jpg: No such file"),
        ("../b.jpg", "leads out"),
        ("b.jpg PINHOLE 4 3 1 1 2 2 1 0 0 0 1 2", "PINHOLE with 12 numbers, expected 6"),
        ("b.jpg PINHOLE 4 3 1 1 2 2 1 0 0 0 1 2 nan", "not a number"),
        ("b.jpg PINHOLE 4 3 1 1 2 2 0 0 0 0 1 2 3", "quaternion of norm 0"),
        ("a.jpg PINHOLE 4 3 1 1 2 2", "'a.jpg' is here twice, also in line 1"),
        ("../b.jpg PINHOLE 4 3 1 1 2 2", "leads out"),
    ],
)
def test_broken_lines_are_refused_by_file_and_line(line, message, tmp_path):
    path = tmp_path / "list.txt"
    path.write_text(f"a.jpg PINHOLE 4 3 1 1 2 2\n{line}\n")
    with pytest.raises(DataError, match=rf"list\.txt:2: .*{message}"):
        read(path)


def test_lines_without_intrinsics_take_the_given_camera(tmp_path):
    (tmp_path / "list.txt").write_text("a b.jpg\n")
    capture = read(f"list:{tmp_path / 'list.txt'}", camera="SIMPLE_PINHOLE 4 3 1 2 1.5")
    assert capture.camera("a b.jpg") == Camera("SIMPLE_PINHOLE", 4, 3, (1, 2, 1.5))


def test_lines_of_all_kinds_stand_together(tmp_path):
    for name in ("a b.jpg", "c.jpg"):
        Image.new("L", (40, 30)).save(tmp_path / name)
    (tmp_path / "list.txt").write_text(
        # Half a turn about z, then 3 along x; another quaternion of norm 2.
        "c.jpg 0 0 0 1 3 0 0\na b.jpg\nd.jpg PINHOLE 4 3 1 2 2 1.5\ne.jpg PINHOLE 4 3 1 2 2 1.5 2 0 0 0 4 5 6\n"
    )
    capture = read(tmp_path / "list.txt")
    assert capture.has_pose.tolist() == [True, False, False, True]
    assert np.allclose(capture.pose("c.jpg").apply(np.array([[1.0, 2, 5]])), [[2, -2, 5]])
    assert capture.pose("e.jpg").translation.tolist() == [4, 5, 6]
    assert capture.camera("a b.jpg") == Camera("SIMPLE_RADIAL", 40, 30, (48.0, 20.0, 15.0, 0.0))
    assert [capture.sensor(name).has_guessed_focal for name in capture.images.names] == [True, True, False, False]
    assert any("2 images with a guessed focal length" in note for note in capture.notes)
    assert any("1 quaternions normalised (first: line 4, norm 2)" in note for note in capture.notes)


def test_params_without_size_take_it_from_the_image(tmp_path):
    Image.new("L", (40, 30)).save(tmp_path / "a.jpg")
    (tmp_path / "list.txt").write_text("a.jpg\n")
    assert read(tmp_path / "list.txt", camera="SIMPLE_PINHOLE,9,2,1").camera("a.jpg").width == 40


def test_lists_of_pairs_are_not_taken_for_lists_of_images(tmp_path):
    (tmp_path / "pairs.txt").write_text("a.jpg b.jpg\n")
    with pytest.raises(DataError, match="no format recognises it"):
        read(tmp_path / "pairs.txt")


CAMERAS = (
    Camera("UNKNOWN_CAMERA", 5, 7),
    Camera("OPENCV", 64, 48, (1 / 3, 51.0, 32.5, -24.0, 1e-9, 0.1, -0.0, 1e22)),
)


@settings(max_examples=40, deadline=None)
@given(captures(CAMERAS))
def test_captures_are_read_as_they_were_written(drawn):
    capture = drawn()
    assume(not any(name.startswith("#") for name in capture.images.names))
    again = converted(capture, "list")
    assert list(again.images.names) == list(capture.images.names)
    for name in capture.images.names:
        assert again.camera(name) == capture.camera(name)
        assert (again.pose(name) is None) == (capture.pose(name) is None)
        if (pose := capture.pose(name)) is not None:
            assert np.array_equal(again.pose(name).translation, pose.translation)
            assert np.abs(again.pose(name).rotation - pose.rotation).max() < 1e-12


@given(st.text(min_size=1, max_size=12))
def test_any_name_is_read_as_it_was_written_or_refused(tmp_path_factory, name):
    folder = tmp_path_factory.mktemp("names")
    sensors = {"camera0": Sensor("camera", camera=CAMERAS[1])}
    try:
        write(Capture(sensors, Records.from_rows([(0, "camera0", name)])), f"list:{folder / 'list.txt'}")
    except DataError as error:
        assert "cannot be written" in str(error)
        return
    assert list(read(f"list:{folder / 'list.txt'}").images.names) == [name]


@pytest.mark.parametrize("name", ["my  photo.jpg", "PINHOLE 2.jpg", "a PINHOLE", "x 1 2 3 4 5 6 7", "\u00fc b.png"])
def test_names_like_models_and_numbers_are_read_as_they_were_written(tmp_path, name):
    sensors = {"camera0": Sensor("camera", camera=CAMERAS[0])}
    losses = write(Capture(sensors, Records.from_rows([(0, "camera0", name)])), f"list:{tmp_path / 'list.txt'}")
    assert list(read(tmp_path / "list.txt").images.names) == [name]
    assert "1 image files, which are not copied" in losses


@pytest.mark.shared
def test_query_list_of_others_agrees_with_the_kapture_folder_of_the_same_queries(data: Path):
    listed = read(data / "strecha/fountain-P11/queries_with_intrinsics.txt")
    capture = read(data / "strecha/fountain-P11/query")
    assert {n: listed.camera(n) for n in listed.images.names} == {n: capture.camera(n) for n in capture.images.names}
