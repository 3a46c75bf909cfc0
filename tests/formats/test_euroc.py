"""EuRoC: cameras on a body by hand, EuRoC's own sheet, inertial readings, and what is refused."""

from pathlib import Path

import numpy as np
import pytest

from vloc.errors import DataError
from vloc.formats.access import find_format, read, write
from vloc.formats.euroc.sensor import read_sheet
from vloc.geometry.camera import Camera

# As EuRoC's machine hall 01 has it.
CAM0 = """#Default imu sensor yaml file
sensor_type: camera
comment: VI-Sensor cam0 (MT9M034)

# Sensor extrinsics wrt. the body-frame.
T_BS:
  cols: 4
  rows: 4
  data: [0.0148655429818, -0.999880929698, 0.00414029679422, -0.0216401454975,
         0.999557249008, 0.0149672133247, 0.025715529948, -0.064676986768,
        -0.0257744366974, 0.00375618835797, 0.999660727178, 0.00981073058949,
         0.0, 0.0, 0.0, 1.0]

# Camera specific definitions.
rate_hz: 20
resolution: [752, 480]
camera_model: pinhole
intrinsics: [458.654, 457.296, 367.215, 248.375] #fu, fv, cu, cv
distortion_model: radial-tangential
distortion_coefficients: [-0.28340811, 0.07395907, 0.00019359, 1.76187114e-05]
"""
# By hand: at x = 1 of the body, looking along the body's x: its z is the body's x, its x the body's -y, its y -z.
PLAIN = """sensor_type: camera
T_BS:
  data: [0, 0, 1, 1,  -1, 0, 0, 0,  0, -1, 0, 0,  0, 0, 0, 1]
resolution: [100, 80]
intrinsics: [50, 50, 50, 40]
"""
IMU = "sensor_type: imu\nT_BS:\n  data: [1, 0, 0, 0,  0, 1, 0, 0,  0, 0, 1, 0,  0, 0, 0, 1]\n"
TIME = 1403636579763555584


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """One camera, one inertial unit and ground truth with the body at (10, 0, 0), turned a quarter about z."""
    root = tmp_path / "MH"
    half = repr(0.5**0.5)
    states = f"{TIME},10,0,0,{half},0,0,{half},0,0,0,0,0,0,0,0,0\n"
    parts = {
        "cam0/sensor.yaml": PLAIN,
        "cam0/data.csv": f"#timestamp [ns],filename\r\n{TIME},{TIME}.png\r\n{TIME + 5},{TIME + 5}.png\r\n",
        "imu0/sensor.yaml": IMU,
        "imu0/data.csv": f"#timestamp [ns],x,y,z,a,b,c\n{TIME},0.1,0.2,0.3,9.1,9.2,9.3\n",
        "state_groundtruth_estimate0/sensor.yaml": IMU.replace("imu", "visual-inertial"),
        "state_groundtruth_estimate0/data.csv": f"#timestamp{',x' * 16}\n{states}",
    }
    for name, text in parts.items():
        path = root / "mav0" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, newline="")
    return root


def test_camera_on_the_body_sees_the_point_in_front_of_it(folder):
    capture = read(folder)
    pose = capture.pose(f"cam0/data/{TIME}.png")
    # The body's x is the world's y, so the camera is at (10, 1, 0) and looks along y; world x is to its right.
    assert np.allclose(pose.center, [10, 1, 0])
    assert np.allclose(pose.apply(np.array([[13.0, 6, 2]])), [[3, -2, 5]])
    assert find_format(folder)[0].name == "euroc"


def test_principal_points_count_from_the_first_pixels_centre_unless_told(folder):
    # cx = 50, cy = 40 in Kalibr's convention, the first pixel's centre at 0.
    assert read(folder).camera(f"cam0/data/{TIME}.png").params[2:4] == (50.5, 40.5)
    assert read(folder, pixel_center=0.5).camera(f"cam0/data/{TIME}.png").params[2:4] == (50.0, 40.0)


def test_images_between_poses_have_none_and_that_is_told(folder):
    capture = read(folder)
    assert capture.has_pose.tolist() == [True, False]
    assert any("1 images without ground truth at their time" in note for note in capture.notes)
    assert any("velocities and biases left out" in note for note in capture.notes)


def test_inertial_readings_are_two_sensors_on_the_body(folder):
    capture = read(folder)
    assert capture.readings["gyroscope"].columns["z_speed"].tolist() == [0.3]
    assert capture.readings["accelerometer"].columns["x_accel"].tolist() == [9.1]
    assert capture.readings["accelerometer"].timestamps.tolist() == [TIME]
    assert {member.sensor_id for member in capture.rigs} == {"cam0", "imu0_gyroscope", "imu0_accelerometer"}


def test_kapture_holds_all_of_it(folder, tmp_path):
    capture = read(folder)
    assert write(capture, f"kapture:{tmp_path / 'out'}", transfer="skip") == [
        "2 image and other record files not copied, as asked"
    ]
    again = read(tmp_path / "out")
    assert again.images.timestamps.tolist() == [TIME, TIME + 5]
    assert np.allclose(again.pose(f"cam0/data/{TIME}.png").center, [10, 1, 0])


def test_euroc_own_sheet_is_read(tmp_path):
    (tmp_path / "sensor.yaml").write_text(CAM0)
    sheet = read_sheet(tmp_path / "sensor.yaml")
    distortion = (-0.28340811, 0.07395907, 0.00019359, 1.76187114e-05)
    assert sheet.camera == Camera("OPENCV", 752, 480, (458.654, 457.296, 367.215, 248.375, *distortion))
    assert np.allclose(sheet.body_from_sensor.translation, [-0.0216401454975, -0.064676986768, 0.00981073058949])
    assert np.allclose(sheet.body_from_sensor.rotation[0], [0.0148655429818, -0.999880929698, 0.00414029679422])


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[50, 50, 50, 40]", "[50, 50, 50]", r"sensor.yaml:5: 3 numbers in 'intrinsics'; expected 4"),
        ("[50, 50, 50, 40]", "[50, nan, 50, 40]", r"sensor.yaml:5: 'intrinsics': not a number"),
        ("[50, 50, 50, 40]", "!!python/object/apply:os.system [ls]", r"sensor.yaml:5: 'intrinsics' is no list"),
        ("[50, 50, 50, 40]", "[50, 50,", r"sensor.yaml:5: the list of 'intrinsics' does not end"),
        ("0, 0, 1, 1, ", "0, 0, 2, 1, ", r"sensor.yaml:3: no rotation"),
        ("0, 0, 0, 1]", "0, 0, 0, 2]", r"sensor.yaml:3: T_BS: last row"),
        ("resolution: [100, 80]", "nothing", r"sensor.yaml:4: no 'key: value'"),
        ("resolution: [100, 80]", "sensor_type: camera", r"sensor.yaml:4: 'sensor_type' is here twice, also in line 1"),
        ("resolution: [100, 80]", "", r"no 'resolution'"),
        ("intrinsics", "distortion_model: fov\nintrinsics", r"sensor.yaml:5: unknown camera model"),
    ],
)
def test_sheets_that_cannot_be_understood_are_refused_by_line(old, new, message, folder):
    path = folder / "mav0" / "cam0" / "sensor.yaml"
    path.write_text(PLAIN.replace(old, new))
    with pytest.raises(DataError, match=message):
        read(folder)


@pytest.mark.parametrize(
    ("part", "text", "message"),
    [
        ("cam0", "1,../../0.png\n", r"cam0/data.csv:1: '\.\.' leads out"),
        ("cam0", "1,0.png\n1,1.png\n", r"cam0/data.csv:2: time 1 does not come after"),
        ("cam0", "1,0.png\n2,0.png\n", r"cam0/data.csv: a file name is here twice"),
        ("imu0", "1,2,3\n", r"imu0/data.csv:1: 3 fields"),
        ("state_groundtruth_estimate0", "1,0,0,0,0,0,0,0" + ",0" * 9 + "\n", "data.csv:1: quaternion of norm 0"),
    ],
)
def test_rows_that_cannot_be_true_are_refused_by_line(part, text, message, folder):
    (folder / "mav0" / part / "data.csv").write_text(text)
    with pytest.raises(DataError, match=message):
        read(folder)
