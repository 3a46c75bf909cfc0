"""COLMAP models, both forms, against pycolmap in both directions."""

import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vloc.data.capture import Capture
from vloc.errors import DataError
from vloc.formats.access import read, write
from vloc.formats.colmap.binary import read_binary
from vloc.formats.colmap.binary_write import write_binary
from vloc.formats.colmap.model import ColmapImages, ColmapModel, ColmapPoints
from vloc.formats.colmap.text import read_text
from vloc.formats.colmap.text_write import write_text
from vloc.formats.remarks import Remarks
from vloc.geometry.camera import Camera

pycolmap = pytest.importorskip("pycolmap")


def camera_type(number: int) -> "pycolmap.sensor_t":
    return pycolmap.sensor_t(pycolmap.SensorType.CAMERA, number)


@pytest.fixture
def model() -> "pycolmap.Reconstruction":
    """A model whose image names have blanks."""
    return rig_model(" ")


def rig_model(blank: str) -> "pycolmap.Reconstruction":
    """Three frames of a rig of two cameras, keypoints with and without points."""
    rec = pycolmap.Reconstruction()
    rec.add_camera(
        pycolmap.Camera(
            model="OPENCV", width=640, height=480, params=[500, 501, 320.5, 240.25, 0.1, 0, 0, 0.01], camera_id=1
        )
    )
    rec.add_camera(
        pycolmap.Camera(model="SIMPLE_RADIAL", width=64, height=48, params=[1 / 3, 32, 24, -0.1], camera_id=7)
    )
    rig = pycolmap.Rig(rig_id=3)
    rig.add_ref_sensor(camera_type(1))
    rig.add_sensor(camera_type(7), pycolmap.Rigid3d(pycolmap.Rotation3d(np.array([0.0, 0.6, 0, 0.8])), [1, 2, 3]))
    rec.add_rig(rig)
    rng = np.random.default_rng(0)
    for frame_id in (11, 12, 13):
        frame = pycolmap.Frame(frame_id=frame_id, rig_id=3)
        quat = rng.normal(size=4)
        frame.rig_from_world = pycolmap.Rigid3d(pycolmap.Rotation3d(quat / np.linalg.norm(quat)), rng.normal(size=3))
        for camera in (1, 7):
            frame.add_data_id(pycolmap.data_t(camera_type(camera), 10 * frame_id + camera))
        rec.add_frame(frame)
        for camera in (1, 7):
            name, points = f"cam{blank}{camera}/ü{blank}{frame_id}.jpg", rng.uniform(0, 400, (5, 2))
            image = pycolmap.Image(name=name, keypoints=points, camera_id=camera, image_id=10 * frame_id + camera)
            image.frame_id = frame_id
            rec.add_image(image)
        rec.register_frame(frame_id)
    for k in range(4):
        track = pycolmap.Track()
        for image_id in list(rec.images)[: k + 2]:
            track.add_element(image_id, k)
        rec.add_point3D(rng.normal(size=3), track, np.array([k, 100, 255], np.uint8))
    return rec


def saved(model: "pycolmap.Reconstruction", folder: Path, form: str) -> Path:
    folder.mkdir()
    (model.write_binary if form == "binary" else model.write_text)(str(folder))
    return folder


def check_equal(capture: Capture, model: "pycolmap.Reconstruction") -> None:
    """Every image's pose, camera, keypoints and points are the same in both."""
    assert sorted(capture.images.names) == sorted(image.name for image in model.images.values())
    work = capture.reconstruction
    observed = work.observations["colmap"]
    for image in model.images.values():
        row = capture.row_of[image.name]
        pose, camera = image.cam_from_world(), capture.camera(image.name)
        assert np.allclose(capture.cam_from_world.rotation[row], pose.rotation.matrix(), atol=1e-14)
        assert np.allclose(capture.cam_from_world.translation[row], pose.translation, atol=1e-14)
        assert (camera.model, camera.width, camera.height) == (
            image.camera.model.name, image.camera.width, image.camera.height,
        )  # fmt: skip
        assert np.array_equal(camera.params, image.camera.params)
        theirs = np.array([point.xy for point in image.points2D]).reshape(-1, 2)
        assert np.array_equal(work.keypoints["colmap"].load(image.name), theirs)
        own = observed.images == row
        seen = {
            k: work.points.xyz[p].tolist() for p, k in zip(observed.points[own], observed.keypoints[own], strict=True)
        }
        assert seen == {
            k: model.points3D[point.point3D_id].xyz.tolist()
            for k, point in enumerate(image.points2D)
            if point.has_point3D()
        }
    assert len(work.points) == len(model.points3D)


@pytest.mark.parametrize("form", ["binary", "text"])
def test_models_that_pycolmap_writes_are_read_to_equal_values(form, model, tmp_path):
    capture = read(saved(model, tmp_path / "model", form))
    check_equal(capture, model)
    # The cameras stand on a rig, so a frame's images share its number as their time.
    assert capture.images.timestamps.tolist() == [11, 11, 12, 12, 13, 13]
    assert {member.sensor_id for member in capture.rigs} == {"cam_00001", "cam_00007"}
    rgb = {tuple(row) for row in capture.reconstruction.points.rgb.tolist()}
    assert rgb == {tuple(point.color.tolist()) for point in model.points3D.values()}


@pytest.mark.parametrize("form", ["colmap", "colmap-text"])
def test_models_that_vloc_writes_are_read_by_pycolmap_to_equal_values(form, tmp_path):
    capture = read(saved(rig_model(" " if form == "colmap" else "_"), tmp_path / "model", "binary"))
    write(capture, f"{form}:{tmp_path / 'out'}")
    theirs = pycolmap.Reconstruction(str(tmp_path / "out"))
    check_equal(capture, theirs)
    check_equal(read(tmp_path / "out"), theirs)
    assert theirs.is_valid()


def test_names_with_blanks_survive_text_and_the_loss_for_colmap_is_told(model, tmp_path):
    capture = read(saved(model, tmp_path / "model", "binary"))
    losses = write(capture, f"colmap-text:{tmp_path / 'out'}")
    assert "6 names with blanks: COLMAP itself cuts them in text models, not in binary ones" in losses
    assert sorted(read(tmp_path / "out").images.names) == sorted(capture.images.names)


@st.composite
def models(draw: st.DrawFn) -> ColmapModel:
    """Any consistent model: the tracks are drawn, the keypoints' point ids follow from them."""
    number = st.floats(-1e9, 1e9)
    count = draw(st.integers(0, 3))
    counts = [draw(st.integers(0, 4)) for _ in range(count)]
    offsets = np.cumsum([0, *counts])
    owners = np.array([draw(st.integers(-1, 2)) for _ in range(offsets[-1])], np.int64).reshape(-1)
    quats = [draw(st.tuples(*[st.floats(-1, 1)] * 4).filter(lambda q: np.linalg.norm(q) > 0.1)) for _ in counts]
    unit = np.array([np.array(q) / np.linalg.norm(q) for q in quats]).reshape(-1, 4)
    unit = np.array([q / np.linalg.norm(q) for q in unit]).reshape(-1, 4)
    moves = np.array([draw(st.tuples(number, number, number)) for _ in counts]).reshape(-1, 3)
    word = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=5)
    name = word.map(lambda text: f"a {text}.jpg")
    names = draw(st.lists(name, min_size=count, max_size=count, unique=True))
    ids = 10 + np.arange(count)
    keypoints = np.array([draw(st.tuples(number, number)) for _ in owners], np.float64).reshape(-1, 2)
    images = ColmapImages(ids, names, np.ones(count, np.int64), np.hstack([unit, moves]), offsets, keypoints, owners)
    place = [(image, row) for image, size in zip(ids.tolist(), counts, strict=True) for row in range(size)]
    tracks = [[place[k] for k in np.flatnonzero(owners == p)] for p in range(3)]
    joined = [element for track in tracks for element in track]
    points = ColmapPoints(
        np.arange(3), np.array([draw(st.tuples(number, number, number)) for _ in range(3)]),
        np.array([[0, 1, 2], [3, 4, 255], [6, 7, 8]], np.uint8), np.array([draw(number) for _ in range(3)]),
        np.cumsum([0, *map(len, tracks)]), np.array(joined, np.int64).reshape(-1, 2),
    )  # fmt: skip
    return ColmapModel({1: Camera("FOV", 5, 4, (draw(st.floats(1e-3, 1e9)), 1.0, 0.1, 1 / 3, 2.0))}, images, points)


@given(model=models())
def test_written_models_read_back_to_the_same_values_in_both_forms(model, tmp_path_factory):
    for write_model, read_model in ((write_text, read_text), (write_binary, read_binary)):
        folder = tmp_path_factory.mktemp("m")
        write_model(folder, model)
        back = read_model(folder, Remarks())
        assert back.cameras == model.cameras
        assert back.images.names == model.images.names
        for part in ("images", "points"):
            for name, values in vars(getattr(model, part)).items():
                if isinstance(values, np.ndarray):
                    assert np.allclose(getattr(getattr(back, part), name), values, rtol=0, atol=1e-15), name


@pytest.mark.parametrize("name", ["cameras", "images", "points3D", "rigs", "frames"])
def test_binary_file_cut_anywhere_is_refused_by_name_and_byte(name, model, tmp_path):
    folder = saved(model, tmp_path / "model", "binary")
    path = folder / f"{name}.bin"
    whole = path.read_bytes()
    for end in range(len(whole)):
        path.write_bytes(whole[:end])
        with pytest.raises(DataError, match=rf"{name}\.bin: at byte \d+: "):
            read(folder)
    path.write_bytes(whole + b"\0")
    with pytest.raises(DataError, match="1 bytes after the last entry"):
        read(folder)


@pytest.mark.parametrize("name", ["cameras", "images", "points3D", "rigs", "frames"])
def test_absurd_counts_are_refused_at_once(name, model, tmp_path):
    folder = saved(model, tmp_path / "model", "binary")
    path = folder / f"{name}.bin"
    path.write_bytes(struct.pack("<Q", 2**40) + path.read_bytes()[8:])
    with pytest.raises(DataError, match=rf"{name}\.bin: at byte 8: 1099511627776 "):
        read(folder)


@pytest.mark.parametrize(
    ("name", "old", "new", "message"),
    [
        ("cameras", "FOV", "FOO", r"cameras\.txt:2: camera model 'FOO'"),
        ("cameras", " 0.5\n", "\n", r"cameras\.txt:2: FOV with 6 numbers, expected 7"),
        ("cameras", "1 FOV 5 4 3", "1 FOV 5 4 -3", r"cameras\.txt:2: FOV with focal length -3"),
        ("images", "10 1.0", "10 nan", r"images\.txt:2: not a number; found 'nan'"),
        ("images", "10 1.0", "10 0.0", r"images\.txt: 'a b\.jpg' has the pose"),
        ("images", "1 a b.jpg", "1", r"images\.txt:2: 9 fields"),
        ("images", "1 a b.jpg", "2 a b.jpg", r"image 'a b\.jpg' has camera 2, which cameras\.txt lacks"),
        ("images", " 4.0 5", " 5", r"images\.txt:3: 5 numbers"),
        ("images", " 4.0 5", " 4.0 5.5", r"images\.txt:3: id out of range"),
        ("points3D", "5 1.0", "6 1.0", r"point 6 lists keypoint 1 of image 10, which images"),
        ("points3D", "10 1", "10 7", r"keypoint 7 of image 10, which has 2"),
        ("points3D", "10 1", "11 1", r"a point lists image 11, which images\.txt lacks"),
        ("points3D", " 10 1", "", r"1 keypoints of images\.txt name a point, but the points list 0"),
        ("points3D", " 8 9 ", " 8 300 ", r"points3D\.txt:2: colour out of range"),
        ("points3D", "5 1.0", "x 1.0", r"points3D\.txt:2: not a number: 'x'"),
    ],
)
def test_broken_text_models_are_refused(name, old, new, message, tmp_path):
    files = {
        "cameras": "# c\n1 FOV 5 4 3 3 1 1 0.5\n",
        "images": "# c\n10 1.0 0 0 0 1 2 3 1 a b.jpg\n1.0 2.0 -1 3.0 4.0 5\n",
        "points3D": "# c\n5 1.0 2 3 7 8 9 0.5 10 1\n",
    }
    for part, text in files.items():
        (tmp_path / f"{part}.txt").write_text(text.replace(old, new) if part == name else text)
    assert old in files[name]
    with pytest.raises(DataError, match=message):
        read(f"colmap:{tmp_path}")


def test_images_without_pose_and_all_that_does_not_fit_are_counted_as_lost(folder, tmp_path):
    capture = read(folder)
    # cam0 has its pose once through the rig and once of its own, which COLMAP's rigs cannot say.
    losses = write(capture, f"colmap:{tmp_path / 'out'}", transfer="skip")
    assert "2 rig members, resolved into poses of their images" in losses
    assert "3 timestamps, replaced by image ids" in losses
    back = read(tmp_path / "out")
    assert back.rigs == ()
    for name in capture.images.names:
        assert np.allclose(back.pose(name).rotation, capture.pose(name).rotation, atol=1e-15)
        assert back.camera(name) == capture.camera(name)


@pytest.mark.parametrize("form", ["colmap", "colmap-text"])
def test_rigs_are_written_as_rigs_with_the_first_camera_as_reference(form, folder, tmp_path):
    path = folder / "sensors" / "trajectories.txt"
    path.write_text(path.read_text().replace("20, cam0", "20, rig"))
    capture = read(folder)
    write(capture, f"{form}:{tmp_path / 'out'}", transfer="skip")
    theirs = pycolmap.Reconstruction(str(tmp_path / "out"))
    assert (theirs.num_rigs(), theirs.num_frames(), theirs.num_cameras()) == (1, 2, 2)
    for image in theirs.images.values():
        pose = image.cam_from_world()
        assert np.allclose(pose.rotation.matrix(), capture.pose(image.name).rotation, atol=1e-14)
        assert np.allclose(pose.translation, capture.pose(image.name).translation, atol=1e-14)
    (rig,) = theirs.rigs.values()
    second = rig.sensor_from_rig(camera_type(2))
    # The reference camera is the rig's origin in the folder too.
    assert np.allclose(second.translation, [0.5, 0, 0])
    back = read(tmp_path / "out")
    assert len(back.rigs) == 2
    for name in capture.images.names:
        assert np.allclose(back.pose(name).rotation, capture.pose(name).rotation, atol=1e-14)
        assert np.allclose(back.pose(name).translation, capture.pose(name).translation, atol=1e-14)


def test_images_are_found_where_models_usually_have_them(model, tmp_path):
    (tmp_path / "images" / "cam 1").mkdir(parents=True)
    for number in (11, 12, 13):
        (tmp_path / "images" / "cam 1" / f"ü {number}.jpg").write_bytes(b"pixels")
    (tmp_path / "sparse").mkdir()
    folder = saved(model, tmp_path / "sparse" / "0", "binary")
    assert read(folder).files.read("cam 1/ü 11.jpg") == b"pixels"
    assert read(folder, images=str(tmp_path)).files.root == tmp_path
    with pytest.raises(DataError, match="no such folder of images"):
        read(folder, images=tmp_path / "nowhere")


def test_file_that_is_missing_is_named(tmp_path):
    (tmp_path / "cameras.bin").write_bytes(b"")
    with pytest.raises(DataError, match=r"not a COLMAP model: images\.bin, points3D\.bin"):
        read(f"colmap:{tmp_path}")


def reprojection_errors(capture: Capture) -> np.ndarray:
    """Distance of every observation from its point's projection by a pinhole camera, px, in plain numpy."""
    work = capture.reconstruction
    ((kind, seen),) = work.observations.items()
    errors = []
    for point, image, keypoint in zip(seen.points, seen.images, seen.keypoints, strict=True):
        name = capture.images.names[image]
        camera = capture.camera(name)
        x, y, z = capture.pose(name).apply(work.points.xyz[point])
        where = np.array(camera.focal) * [x / z, y / z] + camera.principal_point
        errors.append(np.linalg.norm(where - work.keypoints[kind].load(name)[keypoint, :2]))
    return np.array(errors)


@pytest.mark.shared
def test_observations_of_a_real_model_reproject_as_well_before_and_after_conversion(data, tmp_path):
    capture = read(data / "format_samples/maupertuis/colmap/reconstruction")
    errors = reprojection_errors(capture)
    assert len(errors) == 3355
    assert np.median(errors) == pytest.approx(0.25, abs=0.01)
    for form in ("colmap", "colmap-text"):
        write(capture, f"{form}:{tmp_path / form}")
        assert np.allclose(reprojection_errors(read(tmp_path / form)), errors, atol=1e-9)
