"""Posed images with points for the tests of reconstruction formats: a real scene, random ones, and what to compare."""

import itertools
import tempfile
from pathlib import Path

import numpy as np
import scipy.spatial.transform  # noqa: F401 - its first import draws random numbers, which strategies may not
from hypothesis import strategies as st

from vloc.data.capture import Capture, Records, Sensor, Trajectory
from vloc.data.reconstruction import Features, InMemory, Observations, Points, Reconstruction
from vloc.formats.access import read, write
from vloc.geometry.camera import Camera
from vloc.geometry.projection import project
from vloc.geometry.rigid import Rigid


def maupertuis(data: Path) -> Capture:
    """4 photos, 3,355 observations that reproject at a median of 0.25 px."""
    return read(data / "format_samples" / "maupertuis" / "kapture")


def reprojection_errors(capture: Capture) -> np.ndarray:
    """Of every observation of the only type of keypoints, px; NaN behind the camera."""
    work = capture.reconstruction
    ((kind, seen),) = work.observations.items()
    errors = np.empty(len(seen))
    for row, name in enumerate(capture.images.names):
        own = seen.images == row
        points = capture.pose(name).apply(work.points.xyz[seen.points[own]])
        pixels = work.keypoints[kind].load(name)[seen.keypoints[own], :2]
        errors[own] = np.linalg.norm(project(capture.camera(name), points) - pixels, axis=1)
    return errors


def converted(capture: Capture, form: str, **options: object) -> Capture:
    """Written in a format and read again."""
    with tempfile.TemporaryDirectory() as folder:
        write(capture, f"{form}:{folder}/out", transfer="skip")
        return read(f"{form}:{folder}/out", **options)


def check_same_cameras(first: Capture, second: Capture, tolerance: float = 1e-9) -> None:
    """Images by name, their poses, and where their cameras show things."""
    assert sorted(first.images.names) == sorted(second.images.names)
    for name in first.images.names:
        a, b = first.pose(name), second.pose(name)
        assert (a is None) == (b is None)
        if a is not None:
            scale = max(1, np.abs(a.center).max())
            assert np.abs(a.rotation - b.rotation).max() < tolerance
            assert np.abs(a.center - b.center).max() < tolerance * scale
        check_same_intrinsics(first.camera(name), second.camera(name), tolerance)


def check_same_intrinsics(first: Camera, second: Camera, tolerance: float = 1e-9) -> None:
    """The same pixels for the same rays, by whichever model."""
    assert (first.width, first.height) == (second.width, second.height)
    rays = np.array([[x, y, 1.0] for x in (-0.4, 0, 0.3) for y in (-0.3, 0, 0.2)])
    assert np.allclose(project(first, rays), project(second, rays), rtol=tolerance, atol=1e-9, equal_nan=True)


def observed(capture: Capture) -> list[tuple]:
    """(point, image, x, y) of every observation, sorted, pixels to 9 digits."""
    work = capture.reconstruction
    if work is None:
        return []
    rows = []
    for kind, seen in work.observations.items():
        for point, image, keypoint in zip(seen.points, seen.images, seen.keypoints, strict=True):
            name = capture.images.names[image]
            x, y = work.keypoints[kind].load(name)[keypoint, :2]
            rows.append((*np.round(work.points.xyz[point], 9).tolist(), name, round(float(x), 6), round(float(y), 6)))
    return sorted(rows)


PINHOLE = Camera("SIMPLE_PINHOLE", 640, 480, (500.0, 320.0, 240.0))
CENTRED = (PINHOLE, Camera("SIMPLE_PINHOLE", 64, 48, (1 / 0.03, 32.0, 24.0)))
_numbers = st.floats(-1e6, 1e6, allow_subnormal=False)
_names = st.text(
    st.characters(codec="utf-8", exclude_categories=("C", "Z"), exclude_characters="/\\"), min_size=1, max_size=8
)


@st.composite
def captures(draw: st.DrawFn, cameras: tuple[Camera, ...] = CENTRED, all_posed: bool = False) -> Capture:
    """A few images, some without pose, each with its own camera; points seen somewhere, every keypoint by one."""
    words = draw(st.lists(_names.filter(lambda text: text not in (".", "..")), min_size=1, max_size=4, unique=True))
    names = [f"{word}.jpg" for word in words]
    sensors = {f"camera{i}": Sensor("camera", camera=camera) for i, camera in enumerate(cameras)}
    records = Records.from_rows([(i, f"camera{i % len(cameras)}", name) for i, name in enumerate(names)])
    posed = [i for i in range(len(names)) if all_posed or draw(st.booleans())]
    track = Trajectory.from_rows([(i, f"camera{i % len(cameras)}", draw(poses())) for i in posed])
    used = {f"camera{i % len(cameras)}" for i in range(len(names))}
    sensors = {name: sensor for name, sensor in sensors.items() if name in used}
    return Capture(sensors, records, track, reconstruction=draw(reconstructions(names, posed)))


@st.composite
def poses(draw: st.DrawFn) -> Rigid:
    """Any rotation, centres within 1000 km."""
    quat = draw(st.lists(st.floats(-1, 1), min_size=4, max_size=4).filter(lambda q: np.linalg.norm(q) > 0.1))
    return Rigid.from_quat_wxyz(np.array(quat), np.array(draw(st.lists(_numbers, min_size=3, max_size=3))))


@st.composite
def reconstructions(draw: st.DrawFn, names: list[str], posed: list[int]) -> Reconstruction | None:
    """Points that some posed images see, each by a keypoint of its own."""
    if not posed or not draw(st.booleans()):
        return None
    count = draw(st.integers(1, 4))
    xyz = np.array(draw(st.lists(_numbers, min_size=3 * count, max_size=3 * count))).reshape(-1, 3)
    rows = [(point, image) for point, image in itertools.product(range(count), posed) if draw(st.booleans())]
    numbers = {image: itertools.count() for image in posed}
    seen = np.array([(point, image, next(numbers[image])) for point, image in rows], np.int32).reshape(-1, 3)
    positions = st.floats(0, 48)
    arrays = {
        name: np.array([[draw(positions), draw(positions)] for _ in range((seen[:, 1] == i).sum())]).reshape(-1, 2)
        for i, name in enumerate(names)
    }
    rgb = np.array(draw(st.lists(st.integers(0, 255), min_size=3 * count, max_size=3 * count)), np.uint8)
    return Reconstruction(
        Points(xyz, rgb.reshape(-1, 3)),
        {"k": Observations(*seen.T)},
        {"k": Features("k", np.dtype(np.float64), 2, list(names), InMemory(arrays))},
    )
