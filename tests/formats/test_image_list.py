"""Image lists with intrinsics."""

from pathlib import Path

import pytest

from vloc.errors import DataError
from vloc.formats.access import read
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
        ("b.jpg 4 3 1 2 2", "no camera model"),
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


@pytest.mark.shared
def test_query_list_of_others_agrees_with_the_kapture_folder_of_the_same_queries(data: Path):
    listed = read(data / "strecha/fountain-P11/queries_with_intrinsics.txt")
    capture = read(data / "strecha/fountain-P11/query")
    assert {n: listed.camera(n) for n in listed.images.names} == {n: capture.camera(n) for n in capture.images.names}
