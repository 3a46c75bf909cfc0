"""4Seasons in two recordings of two keyframes, placed by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from vloc.datasets.four_seasons import FourSeasonsConfig, make

import vloc
from vloc.errors import DataError
from vloc.formats.results import read_poses

FIRST = 1602074877621449728
# Half a turn about z, as qx qy qz qw.
HALF_TURN = "0,0,1,0"


def recording(folder: Path, origin: str, scale: float) -> Path:
    """Frames at (1, 0, 0) and (2, 0, 0) of the visual world, which is the scene turned by half a turn about z."""
    for camera in ("cam0", "cam1"):
        (folder / "undistorted_images" / camera).mkdir(parents=True)
        for index in range(3):
            Image.new("L", (8, 4)).save(folder / "undistorted_images" / camera / f"{FIRST + index}.png")
    rows = [f"{FIRST + index},{index + 1},0,0,0,0,0,1,1.0,1,0\n" for index in range(2)]
    (folder / "GNSSPoses.txt").write_text("# frame_id, translation_x, ...\n" + "".join(rows))
    (folder / "Transformations.txt").write_text(
        f"# transform_S_AS: from SLAM scale\n0,0,0,0,0,0,1\n\n# TS_cam_imu\n9,9,9,0,0,0,1\n\n"
        f"# transform_w_gpsw: local\n0,0,0,{HALF_TURN}\n\n# transform_gps_imu\n0,0,0,0,0,0,1\n\n"
        f"# transform_e_gpsw: earth\n{origin},0,0,0,1\n\n# GNSS scale\n{scale}\n"
    )
    (folder / "imu.txt").write_text(f"{FIRST + 5} 1 2 3 4 5 6\n{FIRST} .1 .2 .3 .4 .5 .6\n")
    return folder


@pytest.fixture
def config(tmp_path: Path) -> FourSeasonsConfig:
    calibration = tmp_path / "calibration"
    calibration.mkdir()
    for number in (0, 1):
        (calibration / f"undistorted_calib_{number}.txt").write_text("Pinhole 5 5 4 2 0 0 0 0\n8 4\ncrop\n8 4\n")
    (calibration / "undistorted_calib_stereo.txt").write_text("1 0 0 0.3\n0 1 0 0\n0 0 1 0\n0 0 0 1\n")
    first = recording(tmp_path / "first", "4000000,500000,4900000", 2.0)
    second = recording(tmp_path / "second", "4000010,500000,4900000", 3.0)
    return FourSeasonsConfig(first, second, calibration)


def test_positions_are_metres_from_the_origin_of_the_first_recording(config: FourSeasonsConfig, tmp_path: Path) -> None:
    make(tmp_path / "out", config)
    mapping, truth = vloc.read(tmp_path / "out" / "mapping"), read_poses(tmp_path / "out" / "query_truth.txt")
    # Turned by half a turn and twice as large: 2 and 4 m west. The second recording's origin is 10 m east.
    left = [f"undistorted_images/cam0/{FIRST + index}.png" for index in range(2)]
    assert np.allclose([mapping.pose(name).center for name in left], [[-2, 0, 0], [-4, 0, 0]], atol=1e-8)
    assert np.allclose([truth[name].center for name in left], [[7, 0, 0], [4, 0, 0]], atol=1e-8)


@pytest.mark.parametrize("sign", [1, -1])
def test_the_right_camera_stands_on_the_right_however_the_file_says_it(
    config: FourSeasonsConfig, tmp_path: Path, sign: int
) -> None:
    matrix = f"1 0 0 {sign * 0.3}\n0 1 0 0\n0 0 1 0\n0 0 0 1\n"
    (config.calibration / "undistorted_calib_stereo.txt").write_text(matrix)
    make(tmp_path / "out", config)
    mapping = vloc.read(tmp_path / "out" / "mapping")
    left, right = (mapping.pose(f"undistorted_images/{camera}/{FIRST}.png") for camera in ("cam0", "cam1"))
    assert np.allclose(left.apply(right.center[None]), [[0.3, 0, 0]], atol=1e-8)


def test_frames_without_a_pose_stay_and_imu_readings_are_kept(config: FourSeasonsConfig, tmp_path: Path) -> None:
    make(tmp_path / "out", config)
    mapping = vloc.read(tmp_path / "out" / "mapping")
    assert (len(mapping.images), int(mapping.has_pose.sum())) == (6, 4)
    assert mapping.readings["gyroscope"].columns["y_speed"].tolist() == [0.2, 2]
    assert mapping.readings["accelerometer"].columns["x_accel"].tolist() == [0.4, 4]
    assert mapping.readings["gyroscope"].timestamps.tolist() == [FIRST, FIRST + 5]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("GNSSPoses.txt", "1602074877621449728,1,0\n", r"GNSSPoses\.txt:1: 2 numbers; expected 7"),
        ("GNSSPoses.txt", "x,1,0,0,0,0,0,1\n", r"GNSSPoses\.txt:1: frame id"),
        ("Transformations.txt", "# GNSS scale\n1\n", r"Transformations\.txt: no 'transform_S_AS'"),
        ("imu.txt", "5 1 2 3\n", r"imu\.txt:1: 3 numbers; expected 6"),
    ],
)
def test_broken_files_are_named_with_the_line(
    config: FourSeasonsConfig, tmp_path: Path, name: str, text: str, message: str
) -> None:
    (config.mapping / name).write_text(text)
    with pytest.raises(DataError, match=message):
        make(tmp_path / "out", config)
