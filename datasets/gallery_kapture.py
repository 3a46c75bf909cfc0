"""The few kapture 1.1 text files that the synthetic gallery consists of besides its images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from vloc import atomic
from vloc.geometry.camera import Camera
from vloc.geometry.rigid import Rigid

IMAGES = "sensors/records_data"
HEADER = "# kapture format: 1.1\n"
POSE_COLUMNS = "qw, qx, qy, qz, tx, ty, tz"
START, STEP = 1_700_000_000_000_000_000, 1_200_000_000  # ns: the first stop of the rig, and a stop
DATA_COLUMN = {"camera": "image_path", "depth": "depth_map_path"}


def time_of(stop: int) -> int:
    """When the rig stands at its n-th stop, ns."""
    return START + STEP * stop


def numbers(pose: Rigid, separator: str) -> str:
    """qw qx qy qz tx ty tz, every digit of them."""
    return separator.join(repr(float(value)) for value in (*pose.quat_wxyz, *pose.translation))


def write(
    folder: Path,
    sensors: Sequence[tuple[str, str, Camera]],
    rigs: Sequence[tuple[str, str, Rigid]],
    poses: Sequence[tuple[int, str, Rigid]],
    records: Mapping[str, Sequence[tuple[int, str, str]]],
) -> None:
    """Sensors (id, kind, camera), rig members, poses, records by kind; last `sensors.txt`, which makes it a capture."""
    texts = {
        "rigs": ("rig_id, sensor_id, " + POSE_COLUMNS, [f"{a}, {b}, {numbers(p, ', ')}" for a, b, p in rigs]),
        "trajectories": (
            "timestamp, device_id, " + POSE_COLUMNS,
            [f"{t}, {d}, {numbers(p, ', ')}" for t, d, p in poses],
        ),
    }
    for kind, rows in records.items():
        columns = f"timestamp, device_id, {DATA_COLUMN[kind]}"
        texts[f"records_{kind}"] = columns, [", ".join(map(str, row)) for row in sorted(rows)]
    texts["sensors"] = "sensor_id, name, sensor_type, [sensor_params]+", [_sensor(*row) for row in sensors]
    for name, (columns, lines) in texts.items():
        if lines:
            atomic.write_text(
                folder / "sensors" / f"{name}.txt", HEADER + f"# {columns}\n" + "".join(f"{line}\n" for line in lines)
            )


def _sensor(sensor_id: str, kind: str, camera: Camera) -> str:
    params = ", ".join(repr(value) for value in camera.params)
    return f"{sensor_id}, {sensor_id}, {kind}, {camera.model}, {camera.width}, {camera.height}, {params}"
