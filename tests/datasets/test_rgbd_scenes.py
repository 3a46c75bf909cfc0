"""7-Scenes against kapture's own import of a sample; 12-Scenes in a small room; registration by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from vloc.datasets import rgbd, seven_scenes, twelve_scenes

import vloc
from vloc.cli.main import main
from vloc.errors import DataError
from vloc.formats.images import FolderImages
from vloc.formats.results import read_poses
from vloc.geometry.camera import Camera
from vloc.geometry.rigid import Rigid

SAMPLES = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "format_samples"
INFO = """m_versionNumber = 4
m_colorWidth = 8
m_colorHeight = 6
m_depthWidth = 4
m_depthHeight = 3
m_calibrationColorIntrinsic = 10 0 4 0 0 10 3 0 0 0 1 0 0 0 0 1
m_calibrationDepthIntrinsic = 5 0 2 0 0 5 1.5 0 0 0 1 0 0 0 0 1
"""


@pytest.fixture
def sample() -> Path:
    if not SAMPLES.exists():
        pytest.skip(f"{SAMPLES} is not there")
    return SAMPLES / "7scenes"


def kit(shift: float = 0.0) -> rgbd.Kit:
    """Two cameras of 3 x 1 px and focal length 1, the colour camera `shift` m to the right."""
    camera = Camera("PINHOLE", 3, 1, (1.0, 1.0, 1.5, 0.5))
    return rgbd.Kit("rig", "c", "d", "r", camera, camera, Rigid(np.eye(3), np.array([-shift, 0.0, 0.0])))


def test_registered_depth_of_the_same_camera_is_the_same_depth() -> None:
    depth = np.array([[1, 2, 3]], np.float32)
    assert rgbd.registered(depth, kit()).tolist() == [[1, 2, 3]]


def test_registered_depth_moves_by_the_parallax_and_the_nearest_surface_counts() -> None:
    # Seen from 2 m to the right, depth 1 moves two pixels to the left, depth 2 one: both from columns 2 and 1 to 0.
    assert rgbd.registered(np.array([[0, 2, 1]], np.float32), kit(2.0)).tolist() == [[1, 0, 0]]
    assert rgbd.registered(np.array([[0, 1, 0]], np.float32), kit(-1.0)).tolist() == [[0, 0, 1]]


def test_a_larger_colour_image_has_no_holes() -> None:
    color = Camera("PINHOLE", 6, 2, (2.0, 2.0, 3.0, 1.0))
    depth = kit().depth
    large = rgbd.Kit("rig", "c", "d", "r", color, depth, Rigid.identity())
    assert (rgbd.registered(np.full((1, 3), 2, np.float32), large) == 2).all()


@pytest.mark.shared
def test_seven_scenes_is_what_kapture_makes_of_it(sample: Path, tmp_path: Path) -> None:
    seven_scenes.make(tmp_path / "out", seven_scenes.SevenScenesConfig(sample / "microsoft" / "stairs"))
    ours, theirs = vloc.read(tmp_path / "out" / "mapping"), vloc.read(sample / "kapture" / "stairs" / "mapping")
    assert {name: sensor.camera for name, sensor in ours.sensors.items()} == {
        name: sensor.camera for name, sensor in theirs.sensors.items()
    }
    assert ours.images.timestamps.tolist() == theirs.images.timestamps.tolist()
    # the sample's images were made smaller as JPEGs, its records say so too
    assert list(ours.images.names) == list(theirs.images.names)
    assert list(ours.others["depth"].names) == list(theirs.others["depth"].names)
    assert np.allclose(ours.cam_from_world.rotation, theirs.cam_from_world.rotation, atol=1e-6)
    assert np.allclose(ours.cam_from_world.translation, theirs.cam_from_world.translation, atol=1e-6)
    for name in theirs.others["depth"].names:
        own = tmp_path / "out" / "mapping" / "sensors" / "records_data" / name
        other = sample / "kapture" / "stairs" / "mapping" / "sensors" / "records_data" / name
        if other.exists():
            metres = np.fromfile(other, "<f4")
            # The sample keeps "no depth" as 65.535 m, and kapture multiplies by 0.001 in float32: the last bit differs.
            metres[metres > 65] = 0
            assert np.allclose(np.fromfile(own, "<f4"), metres, rtol=2e-7, atol=0)


@pytest.mark.shared
def test_seven_scenes_queries_have_their_poses_in_the_truth_alone(sample: Path, tmp_path: Path) -> None:
    seven_scenes.make(tmp_path / "out", seven_scenes.SevenScenesConfig(sample / "microsoft" / "stairs"))
    query = vloc.read(tmp_path / "out" / "query")
    assert not query.has_pose.any()
    truth = read_poses(tmp_path / "out" / "query_truth.txt")
    assert sorted(truth) == sorted(query.images.names)
    matrix = np.loadtxt(sample / "microsoft" / "stairs" / "seq-01" / "frame-000000.pose.txt")
    kinect_from_world = seven_scenes.COLOR_FROM_DEPTH.inverse() @ truth["seq-01/frame-000000.color.jpg"]
    assert np.allclose(kinect_from_world.center, matrix[:3, 3], atol=1e-6)
    # the file's rotation is off orthonormal by 6e-5
    assert np.allclose(kinect_from_world.inverse().rotation, matrix[:3, :3], atol=1e-4)


@pytest.mark.shared
def test_registered_depth_agrees_with_the_measured_depth_of_the_same_points(sample: Path) -> None:
    folder = sample / "microsoft" / "stairs"
    files = rgbd.RgbdFiles(FolderImages(folder), seven_scenes.KIT)
    measured = np.frombuffer(files.read("seq-01/frame-000000.depth"), "<f4")
    seen = np.frombuffer(files.read("seq-01/frame-000000.depth.reg"), "<f4")
    assert measured.size == seen.size == 640 * 480
    assert np.median(seen[seen > 0]) == pytest.approx(np.median(measured[measured > 0]), rel=0.03)
    assert 0.4 < (seen > 0).mean() < (measured > 0).mean()


def room(folder: Path, count: int = 4) -> Path:
    """A room of 12-Scenes; frame i at (i, 0, 0), the first two for testing, the last lost."""
    (folder / "data").mkdir(parents=True)
    (folder / "info.txt").write_text(INFO)
    (folder / "split.txt").write_text(
        "sequence0 [frames=2]  [start=0 ; end=1]\nsequence1 [frames=2]  [start=2 ; end=3]\n"
    )
    for index in range(count):
        stem = folder / "data" / f"frame-{index:06d}"
        Image.new("RGB", (8, 6)).save(f"{stem}.color.jpg")
        Image.fromarray(np.full((3, 4), 2000, np.uint16)).save(f"{stem}.depth.png")
        lost = index == count - 1
        row = "-1.#INF 0 0 0\n" if lost else f"1 0 0 {index}\n"
        Path(f"{stem}.pose.txt").write_text(f"{row}0 1 0 0\n0 0 1 0\n0 0 0 1\n")
    return folder


def test_twelve_scenes_is_split_by_its_first_sequence(tmp_path: Path) -> None:
    config = twelve_scenes.TwelveScenesConfig(room(tmp_path / "room"))
    twelve_scenes.make(tmp_path / "out", config)
    mapping, query = (vloc.read(tmp_path / "out" / part) for part in ("mapping", "query"))
    assert list(mapping.images.names) == ["frame-000002.color.jpg", "frame-000003.color.jpg"]
    assert mapping.has_pose.tolist() == [True, False]
    assert mapping.pose("frame-000002.color.jpg").center.tolist() == [2, 0, 0]
    assert mapping.camera("frame-000002.color.jpg") == Camera("PINHOLE", 8, 6, (10.0, 10.0, 4.0, 3.0))
    assert len(query.images) == 2
    assert sorted(read_poses(tmp_path / "out" / "query_truth.txt")) == list(query.images.names)
    files = tmp_path / "out" / "mapping" / "sensors" / "records_data"
    assert np.frombuffer((files / "frame-000002.depth").read_bytes(), "<f4").tolist() == [2.0] * 12
    assert np.frombuffer((files / "frame-000002.depth.reg").read_bytes(), "<f4").tolist() == [2.0] * 48


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("split.txt", "first half\n", r"split\.txt:1: no sequence"),
        ("info.txt", "m_colorWidth = 8\n", r"info\.txt: no m_colorHeight"),
        ("info.txt", INFO.replace("10 0 4", "10 x 4"), r"info\.txt:6: not a number"),
        ("data/frame-000000.pose.txt", "1 0 0\n", r"frame-000000\.pose\.txt:1: 3 numbers; expected 4"),
        ("data/frame-000000.pose.txt", "2 0 0 0\n0 1 0 0\n0 0 1 0\n0 0 0 1\n", "no rigid transform"),
    ],
)
def test_broken_files_are_named_with_the_line(tmp_path: Path, name: str, text: str, message: str) -> None:
    folder = room(tmp_path / "room")
    (folder / name).write_text(text)
    with pytest.raises(DataError, match=message):
        twelve_scenes.make(tmp_path / "out", twelve_scenes.TwelveScenesConfig(folder))


def test_a_scene_is_imported_by_name_on_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = room(tmp_path / "room")
    assert main(["run", "twelve_scenes", str(tmp_path / "out"), "--source", str(folder)]) == 0
    assert main(["run", "twelve_scenes", str(tmp_path / "out"), "--source", str(folder)]) == 2
    assert "exists already" in capsys.readouterr().err
    assert main(["run", "seven_scenes", str(tmp_path / "other"), "--source", str(tmp_path / "nowhere")]) == 2
