"""A COLMAP database as a Capture; features and matches are read when they are asked for."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...data.capture import CALIBRATED, GUESSED, Capture, Sensor
from ...data.records import Records, Trajectory
from ...data.rigs import RigMember
from ...errors import DataError
from ...geometry.camera import Camera
from ...geometry.rigid import Rigid
from ...regular_file import is_regular
from ..base import ReadOptions
from ..colmap.capture import rig_id, sensor_id
from ..colmap.model import MODEL_NAMES, pose_of
from ..gps import LOCAL, Position, gnss_readings, gps_sensor, gps_sensor_id
from ..gps import WGS84 as EPSG_4326
from ..images import FolderImages, first_unsafe
from ..remarks import Remarks
from .features import read_work
from .schema import CAMERA_SENSOR, CARTESIAN, WGS84, columns_of, opened, rows_of

TABLES = ("cameras", "images", "keypoints", "descriptors", "matches", "two_view_geometries")
_LOCAL = "_local"


@dataclass(frozen=True, eq=False)
class DatabaseImage:
    """A row of the table of images; `time` is the id of its frame where cameras stand on rigs, else its own."""

    image_id: int
    name: str
    device: str
    time: int
    prior: tuple[float | None, ...]


def read_database(path: Path, options: ReadOptions) -> Capture:
    """Everything of either schema; see `docs/formats.md` for what becomes what."""
    remarks = Remarks()
    with opened(path) as database:
        missing = [table for table in TABLES if not columns_of(database, table)]
        if missing:
            raise DataError(f"{path}: not a COLMAP database: no table {', '.join(missing)}")
        shift = 0.5 - options.pixel_center
        sensors = _sensors(database, path, shift)
        members = _rig_members(database, path, sensors, remarks)
        images = _images(database, path, sensors, with_rigs=bool(members))
        positions = _positions(database, path, images, remarks)
        work = read_work(database, path, {i.image_id: i.name for i in images}, shift, remarks)
    trajectory = _trajectory(path, images, remarks)
    records = Records.from_rows([(image.time, image.device, image.name) for image in images])
    if len(set(zip(records.timestamps.tolist(), records.devices.tolist(), strict=True))) != len(records):
        raise DataError(f"{path}: a frame has two images of one camera")
    for device in sorted({device for _, device, _ in positions}):
        sensors[device] = gps_sensor(LOCAL if device.endswith(_LOCAL) else EPSG_4326)
    files = FolderImages(options.images) if options.images else _images_beside(path, images)
    return Capture(
        sensors,
        records,
        trajectory,
        members,
        readings={"gnss": gnss_readings(positions)} if positions else {},
        reconstruction=work,
        files=files,
        pixel_center=options.pixel_center,
        notes=remarks.lines(),
        left_out=remarks.left_out(),
    )


def _sensors(database: sqlite3.Connection, path: Path, shift: float) -> dict[str, Sensor]:
    types = {"camera_id": int, "model": int, "width": int, "height": int, "params": bytes}
    types["prior_focal_length"] = int
    sensors = {}
    for number, model, width, height, params, prior in rows_of(database, path, "cameras", types):
        try:
            if not 0 <= model < len(MODEL_NAMES):
                raise ValueError(f"camera model {model}, expected 0 to {len(MODEL_NAMES) - 1}")
            camera = Camera(MODEL_NAMES[model], width, height, tuple(np.frombuffer(params or b"", "<f8").tolist()))
        except ValueError as error:
            raise DataError(f"{path}: camera {number}: {error}") from None
        source = CALIBRATED if prior else GUESSED
        sensors[sensor_id(number)] = Sensor("camera", "", camera.shifted(shift), focal_source=source)
    return sensors


def _rig_members(
    database: sqlite3.Connection, path: Path, sensors: dict[str, Sensor], remarks: Remarks
) -> tuple[RigMember, ...]:
    """The members of rigs of several sensors; the first is COLMAP's reference, whose frame the rig has."""
    if not columns_of(database, "rigs"):
        return ()
    types = {"rig_id": int, "sensor_id": int, "sensor_type": int, "sensor_from_rig": bytes}
    others = rows_of(database, path, "rig_sensors", types)
    members = []
    for rig, sensor, kind in rows_of(
        database, path, "rigs", {"rig_id": int, "ref_sensor_id": int, "ref_sensor_type": int}
    ):
        own = [(s, k, _rigid(path, f"rig {rig}, sensor {s}", pose, remarks)) for r, s, k, pose in others if r == rig]
        for number, of, pose in [(sensor, kind, Rigid.identity()), *own] if own else []:
            if of == CAMERA_SENSOR and sensor_id(number) in sensors:
                members.append(RigMember(rig_id(rig), sensor_id(number), pose))
            else:
                remarks.lose(path, "sensors of rigs left out: no such camera", first=f"type {of}, id {number}")
    return tuple(members)


def _rigid(path: Path, item: str, pose: bytes | None, remarks: Remarks) -> Rigid | None:
    if pose is None:
        return None
    if len(pose) != 7 * 8:
        raise DataError(f"{path}: {item}: sensor_from_rig of {len(pose)} bytes, expected 7 doubles")
    return pose_of(path, item, np.frombuffer(pose, "<f8").tolist(), remarks)


def _images(
    database: sqlite3.Connection, path: Path, sensors: dict[str, Sensor], with_rigs: bool
) -> list[DatabaseImage]:
    names = [f"prior_{name}" for name in ("qw", "qx", "qy", "qz", "tx", "ty", "tz")]
    priors = names if {*names} <= columns_of(database, "images") else []
    types = {"image_id": int, "name": str, "camera_id": int, **dict.fromkeys(priors, float)}
    frames = _frame_of_image(database, path) if with_rigs else {}
    images = []
    for number, name, camera, *prior in rows_of(database, path, "images", types):
        if sensor_id(camera) not in sensors:
            raise DataError(f"{path}: image '{name}' has camera {camera}, which the table of cameras lacks")
        if with_rigs and number not in frames:
            raise DataError(f"{path}: image '{name}' ({number}) is in no frame")
        images.append(DatabaseImage(number, name, sensor_id(camera), frames.get(number, number), tuple(prior)))
    if unsafe := first_unsafe([image.name for image in images]):
        raise DataError(f"{path}: image '{images[unsafe[0]].name}': {unsafe[1]}")
    return images


def _frame_of_image(database: sqlite3.Connection, path: Path) -> dict[int, int]:
    rows = rows_of(database, path, "frame_data", {"frame_id": int, "data_id": int, "sensor_type": int})
    return {image: frame for frame, image, kind in rows if kind == CAMERA_SENSOR}


def _images_beside(path: Path, images: list[DatabaseImage]) -> FolderImages | None:
    folder = path.parent / "images"
    return FolderImages(folder) if images and is_regular(folder / images[0].name) else None


def _trajectory(path: Path, images: list[DatabaseImage], remarks: Remarks) -> Trajectory:
    """The whole pose priors of 3.x, `cam_from_world`."""
    rows = []
    for image in images:
        if image.prior and None not in image.prior:
            prior = [float(number) for number in image.prior if number is not None]
            rows.append((image.time, image.device, pose_of(path, image.name, prior, remarks)))
    return Trajectory.from_rows(rows) if rows else Trajectory.empty()


def _positions(
    database: sqlite3.Connection, path: Path, images: list[DatabaseImage], remarks: Remarks
) -> list[tuple[int, str, Position]]:
    """Position priors as readings of a gnss sensor at each camera: degrees for WGS84, world coordinates for others.

    3.x has a translation without rotation where EXIF gave latitude, longitude and altitude.
    """
    rows: list[tuple[int, str, Position]] = []
    for image in images:
        if image.prior[:4] == (None,) * 4 and None not in image.prior[4:]:
            latitude, longitude, altitude = image.prior[4:]
            place = Position(latitude, longitude, altitude)  # type: ignore[arg-type]
            rows.append((image.time, gps_sensor_id(image.device), place))
    if columns_of(database, "pose_priors"):
        rows += _pose_priors(database, path, {image.image_id: image for image in images}, remarks)
    return rows


def _pose_priors(
    database: sqlite3.Connection, path: Path, images: dict[int, DatabaseImage], remarks: Remarks
) -> list[tuple[int, str, Position]]:
    types = {
        "pose_prior_id": int, "corr_data_id": int, "corr_sensor_type": int, "position": bytes,
        "position_covariance": bytes, "gravity": bytes, "coordinate_system": int,
    }  # fmt: skip
    rows = []
    for number, data, kind, position, covariance, gravity, system in rows_of(database, path, "pose_priors", types):
        point = np.frombuffer(position or b"", "<f8") if len(position or b"") == 24 else np.full(3, np.nan)
        for what, given in (("covariances of pose priors", covariance), ("gravity directions", gravity)):
            if given and np.isfinite(np.frombuffer(given[: len(given) // 8 * 8], "<f8")).any():
                remarks.add(path, f"{what} left out")
        if kind != CAMERA_SENSOR or data not in images or not np.isfinite(point).all():
            remarks.lose(path, "pose priors left out: no such image or no position", first=f"prior {number}")
            continue
        device, (first, second, height) = gps_sensor_id(images[data].device), point.tolist()
        if system == WGS84:
            rows.append((images[data].time, device, Position(first, second, height)))
        else:
            # World coordinates x, y, z; x is the second of a position, as longitude is.
            rows.append((images[data].time, device + _LOCAL, Position(second, first, height)))
            if system != CARTESIAN:
                remarks.add(
                    path, "pose priors without a coordinate system, taken as Cartesian", first=f"prior {number}"
                )
    return rows
