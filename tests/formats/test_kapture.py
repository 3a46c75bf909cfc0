"""kapture folders: values worked by hand, refusals by file and line, and folders that vloc did not write."""

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vloc.data.capture import Capture, Sensor
from vloc.data.records import Records, Trajectory
from vloc.data.rigs import RigMember
from vloc.errors import DataError
from vloc.formats.access import read, write
from vloc.geometry.camera import Camera
from vloc.geometry.rigid import Rigid


def edit(folder: Path, name: str, old: str, new: str) -> None:
    path = folder / "sensors" / f"{name}.txt"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def same_sensors_part(a: Capture, b: Capture) -> None:
    """Everything of the sensors part is equal, to the last bit."""
    assert dict(a.sensors) == dict(b.sensors)
    for x, y in [(a.images, b.images), *((a.others[k], b.others[k]) for k in a.others | b.others)]:
        assert (x.device_ids, list(x.names)) == (y.device_ids, list(y.names))
        assert np.array_equal(x.timestamps, y.timestamps)
        assert np.array_equal(x.devices, y.devices)
    for name in ("timestamps", "devices", "quat_wxyz", "translation"):
        assert np.array_equal(getattr(a.trajectory, name), getattr(b.trajectory, name), equal_nan=True)
    assert a.trajectory.device_ids == b.trajectory.device_ids
    assert [(m.rig_id, m.sensor_id) for m in a.rigs] == [(m.rig_id, m.sensor_id) for m in b.rigs]


def test_sensors_records_and_poses_are_what_the_files_say(folder):
    capture = read(folder)
    assert capture.sensors["cam0"] == Sensor("camera", "left", Camera("PINHOLE", 640, 480, (500, 501, 320, 240)))
    assert capture.sensors["lidar"] == Sensor("lidar", "")
    assert list(capture.images.names) == ["a/0.jpg", "b/0.jpg", "a/1.jpg"]
    assert capture.images.timestamps.tolist() == [10, 10, 20]
    assert capture.notes == ()
    assert np.allclose(capture.pose("a/0.jpg").translation, [1, 2, 3])
    # cam1 is turned by 180 degrees about y: (x, y, z) -> (-x, y, -z), then moved by (0.5, 0, 0).
    assert np.allclose(capture.pose("b/0.jpg").translation, [-0.5, 2, -3])
    assert np.allclose(capture.pose("a/1.jpg").quat_wxyz, [0.6, 0.8, 0, 0])


def test_pixel_center_0_moves_the_principal_point_by_half_a_pixel(folder):
    capture = read(folder, pixel_center=0)
    assert capture.camera("a/0.jpg").principal_point == (320.5, 240.5)
    assert capture.pixel_center == 0


def test_image_root_can_be_given(folder, tmp_path):
    (tmp_path / "elsewhere" / "a").mkdir(parents=True)
    (tmp_path / "elsewhere" / "a" / "0.jpg").write_bytes(b"pixels")
    assert read(folder, images=tmp_path / "elsewhere").files.read("a/0.jpg") == b"pixels"


@pytest.mark.parametrize(
    ("name", "old", "new", "message"),
    [
        ("sensors", "1.1", "1.2", r"sensors\.txt:1: kapture format 1\.2 is not known"),
        ("sensors", "1.1", "1.10", r"sensors\.txt:1: kapture format 1\.10 is not known"),
        ("sensors", "# kapture format: 1.1\n", "", r"sensors\.txt:1: no version"),
        ("rigs", "1.1", "2.0", r"rigs\.txt:1: kapture format 2\.0 is not known"),
        ("sensors", "PINHOLE", "PINHOL", r"sensors\.txt:3: camera model 'PINHOL'"),
        ("sensors", ", 240.0", "", r"sensors\.txt:3: PINHOLE with 5 numbers, expected 6"),
        ("sensors", "500.0", "nan", r"sensors\.txt:3: 'nan': not a number"),
        ("sensors", "500.0", "-500.0", r"sensors\.txt:3: PINHOLE with focal length -500\.0"),
        ("sensors", "500.0", "0", r"sensors\.txt:3: PINHOLE with focal length 0\.0"),
        ("sensors", "640", "640.5", r"sensors\.txt:3: image size 640\.5"),
        ("sensors", "640", "0", r"sensors\.txt:3: image size 0 x 480"),
        ("sensors", "cam1", "cam0", r"sensors\.txt:4: sensor 'cam0' is here twice"),
        ("sensors", ", , lidar", ", , sonar", r"sensors\.txt:5: sensor type is not known; .*found 'sonar'"),
        ("sensors", "lidar, , lidar", "lidar", r"sensors\.txt:5: 1 fields"),
        (
            "sensors",
            "camera, PINHOLE, 640, 480, 500.0, 501.0, 320.0, 240.0",
            "camera",
            r":3: camera without intrinsics",
        ),
        ("rigs", "rig, cam0", "cam1, cam0", r"rigs\.txt:3: rig 'cam1' has the id of a sensor"),
        ("rigs", "rig, cam1", "rig, cam0", r"rigs\.txt:4: 'cam0' is in rig 'rig' twice"),
        ("rigs", "0.5, 0.0, 0.0", ", , ", r"rigs\.txt:4: half a pose in a rig"),
        ("trajectories", "0.6, 0.8, 0.0, 0.0", "0, 0, 0, 0", r"trajectories\.txt:4: quaternion of norm 0"),
        ("trajectories", "0.6, 0.8", "nan, 0.8", r"trajectories\.txt:4: qw: not a number; found 'nan'"),
        ("trajectories", "0.6, 0.8", "1e300, 1e300", r"trajectories\.txt:4: qw: number out of range; found '1e300'"),
        ("trajectories", "0.6, 0.8", ", 0.8", r"trajectories\.txt:4: part of a rotation is empty"),
        ("trajectories", ", 0.25", ", ", r"trajectories\.txt:4: part of a translation is empty"),
        ("trajectories", ", 0.25", "", r"trajectories\.txt:4: 8 fields; expected 9"),
        ("trajectories", "20, cam0", "10, rig", r"trajectories\.txt:4: timestamp 10 of 'rig' is here twice, .* line 3"),
        ("trajectories", "20,", "2.5,", r"trajectories\.txt:4: timestamp: not an integer; found '2\.5'"),
        ("records_camera", "20, cam0", "10, cam0", r"records_camera\.txt:5: timestamp 10 of 'cam0' is here twice"),
        ("records_camera", "a/1.jpg", "a/0.jpg", r"records_camera\.txt:5: 'a/0\.jpg' is here twice, also in line 3"),
        ("records_camera", "20, cam0", "20, cam9", r"records_camera\.txt:5: device 'cam9' is not in sensors\.txt"),
        ("records_camera", "20, cam0", "20, lidar", r"records_camera\.txt:5: device 'lidar' is of type lidar"),
        ("records_camera", "a/1.jpg", "/etc/passwd", r"records_camera\.txt:5: absolute path"),
        ("records_camera", "a/1.jpg", "../a/1.jpg", r"records_camera\.txt:5: '\.\.' leads out"),
        ("records_camera", "a/1.jpg", "", r"records_camera\.txt:5: empty path"),
    ],
)
def test_broken_rows_are_refused_by_file_and_line(name, old, new, message, folder):
    edit(folder, name, old, new)
    with pytest.raises(DataError, match=message):
        read(folder)


def test_circles_of_rigs_are_refused_and_nested_rigs_composed(folder):
    path = folder / "sensors" / "rigs.txt"
    outer = "outer, rig, 1, 0, 0, 0, 0, 0, 7\n"
    path.write_text(path.read_text() + outer)
    edit(folder, "trajectories", "10, rig", "10, outer")
    assert np.allclose(read(folder).pose("a/0.jpg").translation, [1, 2, 10])
    path.write_text(path.read_text() + "rig, outer, , , , , , , \n")
    with pytest.raises(DataError, match=r"rigs\.txt:\d: rigs contain each other in a circle"):
        read(folder)


def test_what_refers_to_absent_sensors_is_left_out_and_counted(folder):
    for name, line in (
        ("rigs", "rig, gone, 1, 0, 0, 0, 0, 0, 0\n"),
        ("trajectories", "30, gone, 1, 0, 0, 0, 0, 0, 0\n"),
    ):
        path = folder / "sensors" / f"{name}.txt"
        path.write_text(path.read_text() + line)
    capture = read(folder)
    assert capture.notes == ()
    assert capture.left_out == (
        "rigs.txt: 1 rows left out: sensors.txt has no such sensor (first: gone)",
        "trajectories.txt: 1 rows left out: no such device (first: gone)",
    )
    assert len(capture.rigs) == 2
    assert len(capture.trajectory) == 2


def test_quaternions_off_norm_are_normalised_and_counted(folder):
    edit(folder, "trajectories", "0.6, 0.8, 0.0, 0.0", "-2.04, -2.72, 0.0, 0.0")
    edit(folder, "trajectories", "rig, 1.0", "rig, 1.001")
    capture = read(folder)
    assert capture.notes == ("trajectories.txt: 1 quaternions normalised (first: line 4, norm 3.4)",)
    assert np.allclose(np.linalg.norm(capture.trajectory.quat_wxyz, axis=1), 1, atol=1e-15)
    assert np.allclose(capture.pose("a/1.jpg").quat_wxyz, [0.6, 0.8, 0, 0])


def test_half_poses_are_kept_as_missing_numbers_and_written_back(folder, tmp_path):
    edit(folder, "trajectories", "0.6, 0.8, 0.0, 0.0", ", , , ")
    capture = read(folder)
    assert np.isnan(capture.trajectory.quat_wxyz[1]).all()
    assert capture.pose("a/1.jpg") is None
    write(capture, f"kapture:{tmp_path / 'out'}", transfer="skip")
    same_sensors_part(read(tmp_path / "out"), capture)


def test_nanosecond_timestamps_keep_all_digits(folder):
    edit(folder, "records_camera", "20, cam0", "1555399760151000123, cam0")
    assert read(folder).images.timestamps.tolist() == [10, 10, 1555399760151000123]


def test_camera_option_gives_intrinsics_to_unknown_cameras_only(folder):
    with pytest.raises(DataError, match="every camera of the kapture folder has intrinsics"):
        read(folder, camera="SIMPLE_PINHOLE,9,32,24")
    edit(folder, "sensors", "SIMPLE_RADIAL, 320, 240, 250, 160, 120, 0.01", "UNKNOWN_CAMERA, 320, 240")
    capture = read(folder, camera="SIMPLE_PINHOLE,9,32,24")
    assert capture.camera("b/0.jpg") == Camera("SIMPLE_PINHOLE", 320, 240, (9, 32, 24))
    assert capture.camera("a/0.jpg").model == "PINHOLE"


def test_files_that_kapture_does_not_define_are_told(folder):
    (folder / "sensors" / "records_pressure.txt").write_text("1, p, 1013\n")
    assert read(folder).notes == ("records_pressure.txt: 1 files that kapture does not define, left unread",)


def test_a_folder_of_version_1_0_is_read(folder):
    edit(folder, "sensors", "1.1", "1.0")
    assert len(read(folder).images) == 3


def test_empty_files_are_empty_and_absent_ones_too(folder):
    for name in ("rigs", "trajectories", "records_camera"):
        (folder / "sensors" / f"{name}.txt").write_text("")
    assert len(read(folder).images) == 0
    for name in ("rigs", "trajectories", "records_camera"):
        (folder / "sensors" / f"{name}.txt").unlink()
    assert len(read(folder).trajectory) == 0
    (folder / "sensors" / "sensors.txt").unlink()
    with pytest.raises(DataError, match=r"sensors\.txt: no such file"):
        read(f"kapture:{folder}")


def test_rows_come_sorted_however_the_file_orders_them(folder):
    path = folder / "sensors" / "records_camera.txt"
    header, body = path.read_text().split("\n")[:2], path.read_text().split("\n")[2:-1]
    path.write_text("\n".join([*header, *body[::-1], ""]))
    assert list(read(folder).images.names) == ["a/0.jpg", "b/0.jpg", "a/1.jpg"]


IDS = st.text(st.characters(exclude_categories=["C", "Z"], exclude_characters=",#"), min_size=1, max_size=8).map(
    str.strip
)
NUMBERS = st.floats(-1e6, 1e6)
PARAMS = st.tuples(st.floats(0.1, 1e5), NUMBERS, NUMBERS, NUMBERS)


@st.composite
def captures(draw: st.DrawFn) -> Capture:
    ids = draw(st.lists(IDS, min_size=1, max_size=4, unique=True))
    sensors = {
        i: Sensor("camera", draw(IDS), Camera("SIMPLE_RADIAL", draw(st.integers(1, 9999)), 7, draw(PARAMS)))
        for i in ids
    }
    keys = draw(st.lists(st.tuples(st.integers(-(2**63), 2**63 - 1), st.sampled_from(ids)), max_size=6, unique=True))
    records = Records.from_rows([(time, device, f"{n}/ü {device}.jpg") for n, (time, device) in enumerate(keys)])
    quat = st.tuples(*[st.floats(-1, 1)] * 4).filter(lambda q: np.linalg.norm(q) > 0.1)
    pose = st.builds(
        lambda q, t: Rigid.from_quat_wxyz(np.array(q), np.array(t)), quat, st.tuples(NUMBERS, NUMBERS, NUMBERS)
    )
    trajectory = Trajectory.from_rows([(time, device, draw(pose)) for time, device in keys if draw(st.booleans())])
    rigs = tuple(RigMember("+rig", device, draw(pose | st.none())) for device in ids if draw(st.booleans()))
    return Capture(sensors, records, trajectory, rigs if "+rig" not in ids else ())


@given(captures())
def test_written_captures_read_back_to_the_same_values(tmp_path_factory, capture):
    path = tmp_path_factory.mktemp("w") / "out"
    write(capture, f"kapture:{path}", transfer="skip")
    back = read(path)
    same_sensors_part(back, capture)
    for a, b in zip(capture.rigs, back.rigs, strict=True):
        assert (a.sensor_from_rig is None) == (b.sensor_from_rig is None)
        if a.sensor_from_rig is not None:
            assert np.allclose(a.sensor_from_rig.rotation, b.sensor_from_rig.rotation, atol=1e-14)
            assert np.array_equal(a.sensor_from_rig.translation, b.sensor_from_rig.translation)


@pytest.mark.parametrize("name", ["a,b.jpg", " a.jpg", "a\n.jpg", "/a.jpg", "../a.jpg", "", "\ud800.jpg"])
def test_names_that_would_not_read_back_are_refused_at_write_time(name, tmp_path):
    camera = Sensor("camera", camera=Camera("SIMPLE_PINHOLE", 1, 1, (1.0, 0.5, 0.5)))
    capture = Capture({"c": camera}, Records.from_rows([(0, "c", name)]))
    with pytest.raises(DataError, match="cannot be written"):
        write(capture, f"kapture:{tmp_path / 'out'}", transfer="skip")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("sensor", ["#cam", "a,b", "cam "])
def test_sensor_ids_that_would_not_read_back_are_refused_at_write_time(sensor, tmp_path):
    capture = Capture({sensor: Sensor("lidar")}, Records.from_rows([]))
    with pytest.raises(DataError, match="cannot be written"):
        write(capture, f"kapture:{tmp_path / 'out'}")


def test_images_are_copied_linked_or_skipped_and_missing_ones_counted(folder, tmp_path):
    images = folder / "sensors" / "records_data"
    (images / "a").mkdir(parents=True)
    (images / "a" / "0.jpg").write_bytes(b"zero")
    capture = read(folder)
    losses = write(capture, f"kapture:{tmp_path / 'copy'}")
    assert losses == ["2 of 3 record files: missing in the source (first: b/0.jpg)"]
    assert (tmp_path / "copy/sensors/records_data/a/0.jpg").read_bytes() == b"zero"
    write(capture, f"kapture:{tmp_path / 'link'}", transfer="link")
    assert Path(os.path.realpath(tmp_path / "link/sensors/records_data")) == images.resolve()
    assert read(tmp_path / "link").files.read("a/0.jpg") == b"zero"
    assert write(capture, f"kapture:{tmp_path / 'skip'}", transfer="skip") == [
        "3 image and other record files not copied, as asked"
    ]


@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "images", "posed", "notes"),
    [
        ("virtual_gallery_tutorial/mapping", 12, 12, 1),
        ("virtual_gallery_tutorial/query", 4, 4, 0),
        ("strecha/fountain-P11/mapping", 7, 7, 0),
        ("strecha/fountain-P11/query", 4, 0, 0),
        ("format_samples/m1x", 18, 10, 4),
        ("format_samples/7scenes/kapture/stairs/mapping", 6, 6, 0),
        ("format_samples/maupertuis/kapture", 4, 4, 1),
        ("format_samples/berlin/kapture", 3, 3, 0),
        ("format_samples/virtual_gallery/kapture/all", 88, 88, 0),
        ("format_samples/Aachen-Day-Night/kapture/query", 4, 0, 2),
    ],
)
def test_folders_of_others_are_read_whole(name, images, posed, notes, data):
    capture = read(data / name)
    assert (len(capture.images), int(capture.has_pose.sum()), len(capture.notes + capture.left_out)) == (
        images,
        posed,
        notes,
    )
