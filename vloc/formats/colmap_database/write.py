"""A Capture as a COLMAP database, and what that loses."""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np

from ...data.capture import Capture
from ...data.reconstruction import Features, Reconstruction
from ...errors import DataError
from ...geometry.camera import UNKNOWN, Camera
from ..base import WriteOptions
from ..colmap.export import chosen_keypoints
from ..colmap.model import MODEL_NAMES
from ..gps import WGS84 as EPSG_4326
from ..gps import gps_sensor_id
from ..image_folder import GUESSED_FOCAL
from .rigs import Numbers, write_rigs
from .schema import CARTESIAN, EXTRACTORS, MAX_IMAGE_ID, SCHEMAS, UNDEFINED, USER_VERSIONS, WGS84

# COLMAP takes keypoints of x, y; with scale and angle; or with an affine shape.
_KEYPOINT_WIDTHS = (2, 4, 6)
# What COLMAP's geometries say of a pair: UNCALIBRATED, the least that its mapper takes; pairs of 0 it leaves out.
_UNCALIBRATED = 3


def write_database(capture: Capture, path: Path, options: WriteOptions, version: int) -> list[str]:
    """A new database of schema 3 or 4; returns the losses."""
    numbers = Numbers.of(capture)
    with _disk_guard(path), closing(sqlite3.connect(path)) as database, database:
        database.executescript(f"PRAGMA journal_mode = OFF; {SCHEMAS[version]}")
        database.execute(f"PRAGMA user_version = {USER_VERSIONS[version]}")
        losses = _write_cameras(database, capture, numbers, options.pixel_center - 0.5)
        if version == 3:
            losses += _write_images_with_priors(database, capture, numbers)
        else:
            rows = [(numbers.images[name], name, camera) for name, camera in _cameras_of(capture, numbers)]
            database.executemany("INSERT INTO images VALUES (?, ?, ?)", rows)
            losses += write_rigs(database, capture, numbers) + _write_pose_priors(database, capture, numbers)
        losses += _write_work(database, capture, numbers, options, version)
    return losses


@contextmanager
def _disk_guard(path: Path) -> Iterator[None]:
    """A full disk as the OSError that it is everywhere else."""
    try:
        yield
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode == sqlite3.SQLITE_FULL:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path)) from None
        raise


def _write_cameras(database: sqlite3.Connection, capture: Capture, numbers: Numbers, shift: float) -> list[str]:
    guessed = 0
    for sensor, number in numbers.cameras.items():
        camera, prior = capture.sensors[sensor].camera, not capture.sensors[sensor].has_guessed_focal
        if camera is None:
            raise DataError(f"camera '{sensor}' has no intrinsics and no size, which a COLMAP database needs")
        if camera.model == UNKNOWN:
            guessed += 1
            size = camera.width, camera.height
            camera = Camera("SIMPLE_RADIAL", *size, (GUESSED_FOCAL * max(size), size[0] / 2, size[1] / 2, 0.0))
            prior = False
        else:
            camera = camera.shifted(shift)
        params = np.array(camera.params, "<f8").tobytes()
        row = (number, MODEL_NAMES.index(camera.model), camera.width, camera.height, params, prior)
        database.execute("INSERT INTO cameras VALUES (?, ?, ?, ?, ?, ?)", row)
    return [f"{guessed} cameras without intrinsics, written with a guessed focal length"] if guessed else []


def _cameras_of(capture: Capture, numbers: Numbers) -> list[tuple[str, int]]:
    """(name, camera number) of every image."""
    ids = capture.images.device_ids
    devices = capture.images.devices.tolist()
    return [(name, numbers.cameras[ids[d]]) for name, d in zip(capture.images.names, devices, strict=True)]


def _write_images_with_priors(database: sqlite3.Connection, capture: Capture, numbers: Numbers) -> list[str]:
    """3.x keeps a pose in the row of its image: `cam_from_world`, as kapture's own export has it."""
    poses, posed = capture.cam_from_world, capture.has_pose
    quats, translations = poses.quat_wxyz.tolist(), poses.translation.tolist()
    for row, (name, camera) in enumerate(_cameras_of(capture, numbers)):
        prior = [*quats[row], *translations[row]] if posed[row] else [None] * 7
        database.execute(
            "INSERT INTO images VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", (numbers.images[name], name, camera, *prior)
        )
    losses = [f"{len(capture.rigs)} rig members, resolved into poses of their images"] if capture.rigs else []
    return losses + _lost_readings(capture, set())


def _write_pose_priors(database: sqlite3.Connection, capture: Capture, numbers: Numbers) -> list[str]:
    """Centres of posed cameras; where no image has a pose, the positions by satellite that go with images."""
    posed = capture.has_pose
    places = dict(enumerate(capture.cam_from_world.center)) if posed.any() else _satellite_positions(capture)
    rows = np.flatnonzero(posed).tolist() if posed.any() else list(places)
    system, nothing = (CARTESIAN if posed.any() else WGS84), np.full(9, np.nan, "<f8")
    cameras = _cameras_of(capture, numbers)
    for number, row in enumerate(rows, start=1):
        name, camera = cameras[row]
        place = np.asarray(places[row], "<f8").tobytes()
        prior = (number, numbers.images[name], camera, 0, place, nothing.tobytes(), nothing[:3].tobytes(), system)
        database.execute("INSERT INTO pose_priors VALUES (?, ?, ?, ?, ?, ?, ?, ?)", prior)
    rotations = [f"{len(rows)} rotations of poses: the database keeps their centres"] if posed.any() else []
    return rotations + _lost_readings(capture, set() if posed.any() else {"gnss"})


def _satellite_positions(capture: Capture) -> dict[int, tuple[float, float, float]]:
    """(latitude, longitude, altitude) by row of the images, read by the gnss sensor of their camera at their time."""
    gnss = capture.readings.get("gnss")
    if gnss is None:
        return {}
    x, y, z = (np.asarray(gnss.columns[name]).tolist() for name in "xyz")
    systems = [capture.sensors[device].params[:1] for device in gnss.device_ids]
    found = {
        (time, gnss.device_ids[device]): (y[i], x[i], z[i])
        for i, (time, device) in enumerate(zip(gnss.timestamps.tolist(), gnss.devices.tolist(), strict=True))
        if systems[device] in ((), (EPSG_4326,))
    }
    images = capture.images
    keys = [
        (time, gps_sensor_id(images.device_ids[device]))
        for time, device in zip(images.timestamps.tolist(), images.devices.tolist(), strict=True)
    ]
    return {row: found[key] for row, key in enumerate(keys) if key in found}


def _lost_readings(capture: Capture, kept: set[str]) -> list[str]:
    others = {kind: len(rows) for kind, rows in capture.others.items()}
    others |= {kind: len(rows) for kind, rows in capture.readings.items() if kind not in kept}
    return [f"{count} {kind} records" for kind, count in others.items() if count]


def _write_work(
    database: sqlite3.Connection, capture: Capture, numbers: Numbers, options: WriteOptions, version: int
) -> list[str]:
    work, kind = capture.reconstruction or Reconstruction(), chosen_keypoints(capture, options.keypoints_type)
    losses = [f"{len(work.points)} points"] if work.points is not None and len(work.points) else []
    if kind is None:
        return losses
    keypoints = work.keypoints[kind]
    width = keypoints.width if keypoints.width in _KEYPOINT_WIDTHS else 2
    if width != keypoints.width:
        losses.append(f"{keypoints.width - width} of {keypoints.width} columns of keypoints")
    shift = options.pixel_center - 0.5
    for image in keypoints.images:
        array = keypoints.load(image)[:, :width].astype("<f4")
        array[:, :2] += np.float32(shift)
        _insert(database, "keypoints", (numbers.images[image],), array)
    chosen = [(name, own) for name, own in work.descriptors.items() if own.keypoints_type in (kind, "")]
    for _, own in chosen[:1]:
        losses += _write_descriptors(database, own, numbers, version)
    losses += [f"descriptors of type '{name}'" for name in work.descriptors if name not in {n for n, _ in chosen[:1]}]
    losses += [f"keypoints of type '{name}'" for name in work.keypoints if name != kind]
    losses += [f"{len(own.images)} global features of type '{name}'" for name, own in work.global_features.items()]
    return losses + _write_matches(database, work, kind, numbers, version)


def _write_descriptors(database: sqlite3.Connection, own: Features, numbers: Numbers, version: int) -> list[str]:
    """Bytes as they are; float32 as bytes where the schema can say so, by COLMAP's number of the extractor."""
    kinds = {name: number for number, name in EXTRACTORS.items()}
    kind = kinds.get(own.extractor, kinds["SIFT"] if own.dtype == np.uint8 and own.width == 128 else UNDEFINED)
    if version == 3 and own.dtype != np.uint8:
        return [f"{len(own.images)} images' descriptors of {own.dtype}: the 3.x schema holds bytes"]
    for image in own.images:
        array = np.ascontiguousarray(own.load(image), own.dtype.newbyteorder("<"))
        raw = array.view(np.uint8).reshape(len(array), own.width * own.dtype.itemsize)
        _insert(database, "descriptors", (numbers.images[image], *([kind] if version == 4 else [])), raw)
    return []


def _write_matches(
    database: sqlite3.Connection, work: Reconstruction, kind: str, numbers: Numbers, version: int
) -> list[str]:
    """Both as raw matches and as inliers: a capture's matches are what its owner wants to map with."""
    pairs = work.matches.get(kind)
    scores = 0
    for pair in pairs.pairs if pairs else []:
        assert pairs is not None  # noqa: S101 - there are pairs
        rows, (first, second) = pairs.load(pair), (numbers.images[name] for name in pair)
        scores += int((rows[:, 2] != 0).sum())
        indices = rows[:, :2].astype("<u4")
        key = min(first, second) * MAX_IMAGE_ID + max(first, second)
        indices = np.ascontiguousarray(indices if first < second else indices[:, ::-1])
        _insert(database, "matches", (key,), indices)
        empty = [None] * (7 if version == 4 else 5)
        _insert(database, "two_view_geometries", (key,), indices, (_UNCALIBRATED, *empty))
    others = [f"matches of type '{name}'" for name in work.matches if name != kind]
    return [*([f"{scores} scores of matches"] if scores else []), *others]


def _insert(
    database: sqlite3.Connection, table: str, head: tuple[int, ...], array: np.ndarray, tail: tuple[object, ...] = ()
) -> None:
    values = (*head, *array.shape, array.tobytes(), *tail)
    database.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(values))})", values)  # noqa: S608 - own names
