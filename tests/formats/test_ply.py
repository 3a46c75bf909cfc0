"""PLY files, read back by open3d where it is installed, by pycolmap, and by a small parser of the PLY header."""

import re
from pathlib import Path

import numpy as np
import pytest

from vloc.data.capture import Capture, Sensor
from vloc.data.reconstruction import Points, Reconstruction
from vloc.data.records import Records, Trajectory
from vloc.errors import DataError
from vloc.formats.access import write
from vloc.formats.ply import FRUSTUM_SHARE
from vloc.geometry.camera import Camera
from vloc.geometry.rigid import Rigid

XYZ = np.array([[1.0, 2, 3], [1 / 3, -1e6, 0]])
RGB = np.array([[0, 128, 255], [1, 2, 3]], np.uint8)
TYPES = {"double": "<f8", "int": "<i4", "uchar": "u1"}


def capture() -> Capture:
    """A camera of 90 degrees at (0, 0, 0), then one turned to the left at (3, 0, 4)."""
    camera = Camera("PINHOLE", 200, 100, (100.0, 100, 100, 50))
    left = Rigid(np.array([[0.0, 0, 1], [0, 1, 0], [-1, 0, 0]]), np.zeros(3))
    moved = Rigid(left.rotation, -left.rotation @ [3.0, 0, 4])
    return Capture(
        {"c": Sensor("camera", camera=camera)},
        Records.from_rows([(0, "c", "a.jpg"), (1, "c", "b.jpg"), (2, "c", "nowhere.jpg")]),
        Trajectory.from_rows([(0, "c", Rigid.identity()), (1, "c", moved)]),
        reconstruction=Reconstruction(Points(XYZ, RGB)),
    )


def parsed(path: Path) -> dict[str, np.ndarray]:
    """The elements of a binary PLY file by name."""
    header, _, data = path.read_bytes().partition(b"end_header\n")
    elements, place = {}, 0
    for name, count, body in re.findall(r"element (\w+) (\d+)\n((?:property \w+ \w+\n)+)", header.decode()):
        dtype = np.dtype([(n, TYPES[t]) for t, n in re.findall(r"property (\w+) (\w+)", body)])
        elements[name] = np.frombuffer(data, dtype, int(count), place)
        place += dtype.itemsize * int(count)
    assert place == len(data)
    return elements


def columns(table: np.ndarray, names: str) -> np.ndarray:
    return np.stack([table[name] for name in names.split()], axis=1)


def test_points_keep_every_digit_and_their_colours(tmp_path: Path) -> None:
    write(capture(), f"ply:{tmp_path / 'out'}")
    vertices = parsed(tmp_path / "out" / "points.ply")["vertex"]
    assert np.array_equal(columns(vertices, "x y z"), XYZ)
    assert np.array_equal(columns(vertices, "red green blue"), RGB)


def test_a_frustum_stands_at_the_camera_and_opens_along_its_view(tmp_path: Path) -> None:
    write(capture(), f"ply:{tmp_path / 'out'}")
    elements = parsed(tmp_path / "out" / "cameras.ply")
    corners = columns(elements["vertex"], "x y z").reshape(2, 5, 3)
    # The centres are 5 m apart. Half the width of the image is one focal length, half its height half of one.
    depth = FRUSTUM_SHARE * 5
    assert np.allclose(
        corners[0], depth * np.array([[0, 0, 0], [-1, -0.5, 1], [1, -0.5, 1], [1, 0.5, 1], [-1, 0.5, 1]])
    )
    # x of the second camera is the world's z, its z the world's -x.
    assert np.allclose(corners[1, 0], [3, 0, 4])
    assert np.allclose(corners[1, 2] - corners[1, 0], depth * np.array([-1, -0.5, 1]))
    assert elements["edge"]["vertex2"].max() == 9


def test_a_trajectory_is_a_line_through_the_centres_in_time(tmp_path: Path) -> None:
    write(capture(), f"ply:{tmp_path / 'out'}")
    elements = parsed(tmp_path / "out" / "trajectories.ply")
    assert np.allclose(columns(elements["vertex"], "x y z"), [[0, 0, 0], [3, 0, 4]])
    assert columns(elements["edge"], "vertex1 vertex2").tolist() == [[0, 1]]


def test_losses_are_counted_and_an_empty_drawing_is_refused(tmp_path: Path) -> None:
    assert "1 images without a pose" in write(capture(), f"ply:{tmp_path / 'out'}")
    empty = Capture({"c": Sensor("camera")}, Records.from_rows([]))
    with pytest.raises(DataError, match="nothing to draw"):
        write(empty, f"ply:{tmp_path / 'none'}")


def test_colmap_reads_the_points(tmp_path: Path) -> None:
    import pycolmap

    write(capture(), f"ply:{tmp_path / 'out'}")
    model = pycolmap.Reconstruction()
    model.import_PLY(str(tmp_path / "out" / "points.ply"))
    read = [model.points3D[number] for number in sorted(model.points3D)]
    assert np.allclose([point.xyz for point in read], XYZ)
    assert np.array_equal([point.color for point in read], RGB)


def test_open3d_reads_all_three(tmp_path: Path) -> None:
    open3d = pytest.importorskip("open3d", reason="the 'scan' extra is not installed", exc_type=ImportError)
    write(capture(), f"ply:{tmp_path / 'out'}")
    cloud = open3d.io.read_point_cloud(str(tmp_path / "out" / "points.ply"))
    assert np.array_equal(np.asarray(cloud.points), XYZ)
    assert np.allclose(np.asarray(cloud.colors) * 255, RGB)
    frusta = open3d.io.read_line_set(str(tmp_path / "out" / "cameras.ply"))
    assert (len(frusta.points), len(frusta.lines)) == (10, 16)
    track = open3d.io.read_line_set(str(tmp_path / "out" / "trajectories.ply"))
    assert np.asarray(track.lines).tolist() == [[0, 1]]
