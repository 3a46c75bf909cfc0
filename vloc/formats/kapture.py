"""kapture 1.0 and 1.1 folders. Keeps everything; loses nothing but how numbers were spelled."""

from __future__ import annotations

from pathlib import Path

from ..data.capture import Capture, Records, Trajectory
from ..data.rigs import RigMember
from ..errors import DataError
from .base import Format, ReadOptions, WriteOptions, register
from .images import FolderImages
from .kapture_features import Part
from .kapture_readings import READING_COLUMNS, read_readings
from .kapture_reconstruction import read_reconstruction, write_reconstruction
from .kapture_records import read_file_records, read_trajectory
from .kapture_sensors import check_version, read_rigs, read_sensors, read_version, required
from .kapture_write import write_sensors_part
from .remarks import Remarks


def recognises(path: Path) -> bool:
    """A folder with sensors/sensors.txt."""
    return (path / "sensors" / "sensors.txt").is_file()


def read(root: Path, options: ReadOptions) -> Capture:
    """A kapture folder; `docs/kapture.md` says how its ambiguities are read."""
    folder, remarks = root / "sensors", Remarks()
    version = read_version(required(folder / "sensors.txt"))
    if options.camera is not None:
        raise DataError(f"{root}: a kapture folder has intrinsics of its own; leave --camera out")
    sensors = read_sensors(folder / "sensors.txt", options.pixel_center, remarks)
    for path in sorted(folder.glob("*.txt")):
        check_version(path)
    rigs: tuple[RigMember, ...] = ()
    if (folder / "rigs.txt").exists():
        rigs = read_rigs(folder / "rigs.txt", sensors, remarks)
    trajectory = Trajectory.empty()
    if (folder / "trajectories.txt").exists():
        known = {*sensors, *(member.rig_id for member in rigs)}
        trajectory = read_trajectory(folder / "trajectories.txt", known, remarks)
    records = {
        kind: read_file_records(folder / f"records_{kind}.txt", kind, sensors, remarks)
        for kind in ("camera", "depth", "lidar")
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
    )


def write(capture: Capture, root: Path, options: WriteOptions) -> list[str]:
    """A kapture 1.1 folder, image files included; returns what was lost."""
    losses = write_sensors_part(capture, root, options)
    if capture.reconstruction is not None:
        losses += write_reconstruction(capture.reconstruction, capture.images, root, options)
    return losses


FORMAT = register(Format("kapture", "kapture 1.1 folder, 1.0 is read too; keeps everything", recognises, read, write))
