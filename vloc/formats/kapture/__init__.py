"""kapture 1.0 and 1.1 folders. Keeps everything; loses nothing but how numbers were spelled."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ...data.capture import Capture, Sensor
from ...data.records import Records, Trajectory
from ...data.rigs import RigMember
from ...errors import DataError
from ..base import Format, ReadOptions, WriteOptions, register
from ..camera_text import parse_camera, split_camera
from ..images import FolderImages
from ..remarks import Remarks
from .features import Part
from .readings import READING_COLUMNS, read_readings
from .reconstruction import read_reconstruction, write_reconstruction
from .records import read_file_records, read_trajectory
from .sensors import check_version, read_rigs, read_sensors, read_version, required
from .write import write_sensors_part

_RECORDS = ("camera", "depth", "lidar")
_PARTS = {"sensors", "rigs", "trajectories", *(f"records_{kind}" for kind in (*_RECORDS, *READING_COLUMNS))}


def recognises(path: Path) -> bool:
    """A folder with sensors/sensors.txt, or one that lost it."""
    return any((path / "sensors" / name).is_file() for name in ("sensors.txt", "records_camera.txt"))


def read(root: Path, options: ReadOptions) -> Capture:
    """A kapture folder; `docs/kapture.md` says how its ambiguities are read."""
    folder, remarks = root / "sensors", Remarks()
    version = read_version(required(folder / "sensors.txt"))
    sensors = _with_intrinsics(read_sensors(folder / "sensors.txt", options.pixel_center, remarks), options)
    for path in sorted(folder.glob("*.txt")):
        check_version(path)
        if path.stem not in _PARTS:
            remarks.add(path, "files that kapture does not define, left unread")
    rigs: tuple[RigMember, ...] = ()
    if (folder / "rigs.txt").exists():
        rigs = read_rigs(folder / "rigs.txt", sensors, remarks)
    trajectory = Trajectory.empty()
    if (folder / "trajectories.txt").exists():
        known = {*sensors, *(member.rig_id for member in rigs)}
        trajectory = read_trajectory(folder / "trajectories.txt", known, remarks)
    records = {
        kind: read_file_records(folder / f"records_{kind}.txt", kind, sensors, remarks)
        for kind in _RECORDS
        if (folder / f"records_{kind}.txt").exists()
    }
    images = records.pop("camera", None) or Records.from_rows([])
    readings = {
        kind: read_readings(folder / f"records_{kind}.txt", kind, sensors, remarks)
        for kind in READING_COLUMNS
        if (folder / f"records_{kind}.txt").exists()
    }
    rows = {name: row for row, name in enumerate(images.names)} if (root / "reconstruction").is_dir() else {}
    part = Part(root, version, rows, 0.5 - options.pixel_center, remarks)
    return Capture(
        sensors,
        images,
        trajectory,
        rigs,
        records,
        readings,
        read_reconstruction(part),
        files=FolderImages(options.images or folder / "records_data"),
        pixel_center=options.pixel_center,
        notes=remarks.lines(),
        left_out=remarks.left_out(),
    )


def _with_intrinsics(sensors: dict[str, Sensor], options: ReadOptions) -> dict[str, Sensor]:
    """The sensors, those cameras that are unknown with the intrinsics of `options.camera`."""
    if options.camera is None:
        return sensors
    words, known = split_camera(options.camera), dict(sensors)
    for name, sensor in sensors.items():
        if sensor.camera is not None and not sensor.camera.is_known:
            try:
                camera = parse_camera(words, (sensor.camera.width, sensor.camera.height))
            except ValueError as error:
                raise DataError(f"--camera '{options.camera}' for sensor '{name}': {error}") from None
            known[name] = replace(sensor, camera=camera.shifted(0.5 - options.pixel_center))
    if known == sensors:
        raise DataError("--camera: every camera of the kapture folder has intrinsics of its own; leave it out")
    return known


def write(capture: Capture, root: Path, options: WriteOptions) -> list[str]:
    """A kapture 1.1 folder, image files included; returns what was lost."""
    losses = write_sensors_part(capture, root, options)
    if capture.reconstruction is not None:
        losses += write_reconstruction(capture.reconstruction, capture.images, root, options)
    return losses


register(Format("kapture", "kapture 1.1 folder, 1.0 is read too; keeps everything", recognises, read, write))
