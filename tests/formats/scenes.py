"""Posed images with points for the tests of reconstruction formats: a real scene, random ones, and what to compare."""

import itertools
import tempfile
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from hypothesis import strategies as st

from vloc.data.capture import Capture, Sensor
from vloc.data.reconstruction import Features, InMemory, Observations, Points, Reconstruction
from vloc.data.records import Records, Trajectory
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
        return _loaded(read(f"{form}:{folder}/out", **options))


def _loaded(capture: Capture) -> Capture:
    """The same with all arrays in memory: the folder they are in goes."""
    if (work := capture.reconstruction) is None:
        return capture
    features = {
        part: {
            kind: replace(own, source=InMemory({name: own.load(name) for name in own.images}))
            for kind, own in getattr(work, part).items()
        }
        for part in ("keypoints", "descriptors", "global_features")
    }
    matches = {
        kind: replace(own, source=InMemory({pair: own.load(pair) for pair in own.pairs}))
        for kind, own in work.matches.items()
    }
    return replace(capture, reconstruction=replace(work, **features, matches=matches))


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


def check_same_observations(first: Capture, second: Capture) -> None:
    """The same positions in the same images show points at the same places."""
    a, b = _observed(first), _observed(second)
    assert [row[0] for row in a] == [row[0] for row in b]
    assert np.allclose([row[1:] for row in a], [row[1:] for row in b], rtol=1e-9, atol=1e-9)


def _observed(capture: Capture) -> list[tuple]:
    """(image, x, y, z of the point, x, y in the image) of every observation, sorted.

    By what of the numbers a format keeps: it may lose the difference of 0 and 1e-45, and with it their order.
    """
    work, rows = capture.reconstruction, []
    for kind, seen in work.observations.items() if work else ():
        for point, image, keypoint in zip(seen.points, seen.images, seen.keypoints, strict=True):
            name = capture.images.names[image]
            pixel = work.keypoints[kind].load(name)[keypoint, :2]
            rows.append((name, *work.points.xyz[point].tolist(), *pixel.tolist()))
    return sorted(rows, key=lambda row: (row[0], *np.round(row[1:], 6)))


PINHOLE = Camera("SIMPLE_PINHOLE", 640, 480, (500.0, 320.0, 240.0))
CENTRED = (PINHOLE, Camera("SIMPLE_PINHOLE", 64, 48, (1 / 0.03, 32.0, 24.0)))
_numbers = st.floats(-1e6, 1e6, allow_subnormal=False)
_names = st.text(
    st.characters(codec="utf-8", exclude_categories=("C", "Z"), exclude_characters="/\\"), min_size=1, max_size=8
)


Built = Callable[[], Capture]


@st.composite
def captures(draw: st.DrawFn, cameras: tuple[Camera, ...] = CENTRED, all_posed: bool = False) -> Built:
    """A few images, some without pose, each with its own camera; points seen somewhere, every keypoint by one.

    To be built by the test: the shape checks of our constructors draw random numbers, which strategies may not.
    """
    words = draw(st.lists(_names.filter(lambda text: text not in (".", "..")), min_size=1, max_size=4, unique=True))
    posed = {i: draw(poses()) for i in range(len(words)) if all_posed or draw(st.booleans())}
    count = draw(st.integers(0, 4)) if posed else 0
    points = [draw(st.tuples(_numbers, _numbers, _numbers)) for _ in range(count)]
    colours = [draw(st.tuples(*[st.integers(0, 255)] * 3)) for _ in range(count)]
    seen = [pair for pair in itertools.product(range(count), posed) if draw(st.booleans())]
    pixels = [draw(st.tuples(st.floats(0, 48), st.floats(0, 48))) for _ in seen]
    return partial(_build, [f"{word}.jpg" for word in words], cameras, posed, points, colours, seen, pixels)


@st.composite
def poses(draw: st.DrawFn) -> Callable[[], Rigid]:
    """Any rotation, centres within 1000 km."""
    quat = draw(st.lists(st.floats(-1, 1), min_size=4, max_size=4).filter(lambda q: np.linalg.norm(q) > 0.1))
    return partial(Rigid.from_quat_wxyz, np.array(quat), np.array(draw(st.tuples(_numbers, _numbers, _numbers))))


def _build(
    names: list[str],
    cameras: tuple[Camera, ...],
    posed: dict[int, Callable[[], Rigid]],
    points: list[tuple],
    colours: list[tuple],
    seen: list[tuple[int, int]],
    pixels: list[tuple[float, float]],
) -> Capture:
    ids = [f"camera{i % len(cameras)}" for i in range(len(names))]
    sensors = {sensor: Sensor("camera", camera=cameras[i]) for i, sensor in enumerate(ids[: len(cameras)])}
    records = Records.from_rows([(i, ids[i], name) for i, name in enumerate(names)])
    track = Trajectory.from_rows([(i, ids[i], pose()) for i, pose in posed.items()])
    return Capture(sensors, records, track, reconstruction=_reconstruction(names, points, colours, seen, pixels))


def _reconstruction(
    names: list[str], points: list, colours: list, seen: list[tuple[int, int]], pixels: list
) -> Reconstruction | None:
    if not points:
        return None
    numbers = {image: itertools.count() for _, image in seen}
    columns = np.array([(*pair, next(numbers[pair[1]])) for pair in seen], np.int32).reshape(-1, 3).T
    arrays = {
        name: np.array([xy for (_, image), xy in zip(seen, pixels, strict=True) if image == i]).reshape(-1, 2)
        for i, name in enumerate(names)
    }
    return Reconstruction(
        Points(np.array(points), np.array(colours, np.uint8)),
        {"k": Observations(*columns)},
        {"k": Features("k", np.dtype(np.float64), 2, list(names), InMemory(arrays))},
    )
