"""OpenSfM: a camera by hand, a real project against its kapture twin, real reprojections, and what is refused."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from scenes import (
    captures,
    check_same_cameras,
    check_same_intrinsics,
    check_same_observations,
    converted,
    maupertuis,
    reprojection_errors,
)

from vloc.errors import DataError
from vloc.formats.access import find_format, read
from vloc.formats.opensfm.camera import camera_of, written_camera
from vloc.geometry.camera import Camera
from vloc.geometry.projection import project

PERSPECTIVE = {"projection_type": "perspective", "width": 100, "height": 80, "focal": 0.5, "k1": 0.0, "k2": 0.0}
# A quarter turn about x takes the world's y to z: the camera looks along world -y... so that (x, y, z) in the world is
# (x, -z, y) in the camera, which then looks along world y.
SHOT = {"rotation": [np.pi / 2, 0, 0], "translation": [0, 0, 1], "camera": "c"}


def saved(
    folder: Path, camera: dict = PERSPECTIVE, shots: dict | None = None, points: dict | None = None, tracks: str = ""
) -> Path:
    content = {"cameras": {"c": camera}, "shots": shots or {"0.jpg": SHOT}, "points": points or {}}
    (folder / "reconstruction.json").write_text(json.dumps([content]))
    if tracks:
        (folder / "tracks.csv").write_text(f"OPENSFM_TRACKS_VERSION_v1\n{tracks}")
    return folder


def test_camera_placed_by_hand_sees_the_point_where_its_track_says(tmp_path):
    # (3, 4, 2) in the world is (3, -2, 4) turned and (3, -2, 5) moved: 50 * 3/5 right and 50 * 2/5 above the centre,
    # 0.3 and -0.2 of the longer side.
    points = {"7": {"coordinates": [3, 4, 2], "color": [1, 2, 3]}}
    capture = read(saved(tmp_path, points=points, tracks="0.jpg\t7\t5\t0.3\t-0.2\t0.01\t1\t2\t3\n"))
    point = capture.pose("0.jpg").apply(np.array([[3.0, 4, 2]]))
    assert np.allclose(point, [[3, -2, 5]])
    assert np.allclose(project(capture.camera("0.jpg"), point), [[80, 20]])
    assert np.allclose(capture.reconstruction.keypoints["opensfm"].load("0.jpg"), [[80, 20]])
    assert capture.reconstruction.points.rgb.tolist() == [[1, 2, 3]]


def test_real_project_has_the_cameras_of_its_kapture_twin_and_observations_that_fit(data):
    folder = data / "format_samples" / "berlin"
    capture, twin = read(f"opensfm:{folder / 'opensfm'}"), read(folder / "kapture")
    check_same_cameras(twin, capture, tolerance=1e-8)
    assert len(capture.reconstruction.points) == len(twin.reconstruction.points)
    errors = reprojection_errors(capture)
    assert len(errors) > 3000
    # Of photos 3264 px wide; half a pixel more or less in the convention would make it 1.35 or 1.44.
    assert np.median(errors) < 1.25
    assert any("never opened: they are pickles" in note for note in capture.notes)
    assert find_format(folder / "opensfm" / "reconstruction.json")[0].name == "opensfm"


def test_real_features_lie_where_the_tracks_say(data):
    capture = read(f"opensfm:{data / 'format_samples' / 'berlin' / 'opensfm'}")
    work = capture.reconstruction
    assert work.descriptors["opensfm"].load("01.jpg").shape == (4670, 128)
    # tracks.csv: 01.jpg, track 0, feature 196 at (0.162637, -0.0154822) of 3264 x 2448 px.
    expected = np.array([0.162637, -0.0154822]) * 3264 + (1632, 1224)
    assert np.abs(work.keypoints["opensfm"].load("01.jpg")[196, :2] - expected).max() < 0.01


def test_real_scene_reprojects_as_before(data):
    capture = maupertuis(data)
    again = converted(capture, "opensfm")
    check_same_cameras(capture, again)
    before, after = reprojection_errors(capture), reprojection_errors(again)
    assert len(after) == 3355
    assert abs(np.median(after) - 0.25) < 0.01
    assert np.allclose(np.sort(before), np.sort(after), atol=1e-6)


LENSES = (
    Camera("SIMPLE_PINHOLE", 64, 48, (50.0, 32.0, 24.0)),
    Camera("OPENCV", 64, 48, (50.0, 51.0, 31.0, 24.0, 0.1, -0.2, 0.01, 0.02)),
    Camera("FULL_OPENCV", 64, 48, (50.0, 51.0, 31.0, 24.0, 0.1, -0.2, 0.01, 0.02, 0.03, 0.0, 0.0, 0.0)),
    Camera("RADIAL_FISHEYE", 64, 48, (50.0, 31.0, 24.0, 0.1, -0.2)),
)


@settings(max_examples=40, deadline=None)
@given(captures(LENSES))
def test_captures_are_read_as_they_were_written(drawn):
    capture = drawn()
    posed = [name for name in capture.images.names if capture.pose(name) is not None]
    again = converted(capture, "opensfm")
    assert again.images.names == posed
    check_same_observations(capture, again)
    for name in posed:
        assert np.abs(again.pose(name).rotation - capture.pose(name).rotation).max() < 1e-9


@pytest.mark.parametrize("camera", LENSES)
def test_lenses_survive(camera, tmp_path):
    check_same_intrinsics(camera, camera_of("here", written_camera("c", camera)))


def test_pickled_features_are_refused(tmp_path):
    (tmp_path / "features").mkdir()
    np.savez(tmp_path / "features" / "0.jpg.features.npz", points=np.array([{}], object), descriptors=np.zeros((1, 2)))
    with pytest.raises(DataError, match=r"0.jpg.features.npz: points: broken or pickled features"):
        read(saved(tmp_path))


def test_features_outside_of_the_project_are_refused(tmp_path):
    (tmp_path / "features").mkdir()
    np.savez(tmp_path / "secret.npz", points=np.zeros((1, 4)), descriptors=np.zeros((1, 2)))
    (tmp_path / "features" / "0.jpg.features.npz").symlink_to(tmp_path / "secret.npz")
    with pytest.raises(DataError, match=r"0.jpg.features.npz: a symbolic link leads out"):
        read(saved(tmp_path))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"camera": {**PERSPECTIVE, "projection_type": "spherical"}}, r"cameras.c.projection_type: 'spherical'"),
        ({"camera": {**PERSPECTIVE, "focal": "long"}}, r"\$\[0\].cameras.c: perspective: .*it needs width"),
        ({"shots": {"../0.jpg": SHOT}}, r"\$\[0\].shots.../0.jpg: image .*leads out"),
        ({"shots": {"0.jpg": {**SHOT, "camera": "d"}}}, r"shots.0.jpg.camera: 'd' is not among"),
        ({"shots": {"0.jpg": {**SHOT, "rotation": [1, 2]}}}, r"Expected array of length 3"),
        ({"points": {"7": {"coordinates": [1, 2, 3], "color": [0, 0, 300]}}}, r"\$\[0\].points.7.color"),
        ({"tracks": "0.jpg\t7\t5\t0.3\n"}, r"tracks.csv:2: 4 fields; expected 9"),
        ({"tracks": "0.jpg\t7\t5\tnan\t-0.2\t0.01\t1\t2\t3\n"}, r"tracks.csv:2: not a number"),
    ],
)  # fmt: skip
def test_what_cannot_be_true_is_refused_by_its_place(changes, message, tmp_path):
    with pytest.raises(DataError, match=message):
        read(saved(tmp_path, **changes))
