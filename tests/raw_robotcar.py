"""RobotCar Seasons in its own raw formats: two locations, three pinhole cameras, queries at three instants each."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from vloc.datasets.gallery_cameras import sensors_from_rig

import vloc
from tests.raw_drives import Drives, Photo, drives
from vloc.data.capture import Sensor
from vloc.data.records import Records, Trajectory

SIZE, START, STEP = 256, 1417178853389469, 200_000  # px; us
CAMERAS = {
    "left": vloc.Camera("PINHOLE", SIZE, SIZE, (180.0, 180.0, 127.2, 128.5)),
    "rear": vloc.Camera("PINHOLE", SIZE, SIZE, (175.0, 175.0, 128.0, 128.0)),
    "right": vloc.Camera("PINHOLE", SIZE, SIZE, (182.0, 182.0, 129.1, 126.5)),
}
MOUNTS = {name.replace("front", "rear"): mount for name, mount in sensors_from_rig().items()}
CONDITIONS = "dawn", "night-rain", "night-rain"
"""of the instants of queries; v2 maps the first and tests the others"""


@dataclass(frozen=True)
class Robotcar:
    """The folder, and the true poses by location and name."""

    root: Path
    mapping: dict[str, dict[str, vloc.Rigid]]
    queries: dict[str, dict[str, vloc.Rigid]]


def write(root: Path) -> Robotcar:
    """All files of v1 and v2."""
    _rig(root)
    mapping, queries = {}, {}
    place = drives(CAMERAS, MOUNTS, 4)  # of both locations, to save time
    for number in (1, 2):
        mapping[f"{number:03d}"], queries[f"{number:03d}"] = _place(root, number, place)
    rear = [(name, pose) for own in queries.values() for name, pose in own.items() if "/rear/" in name]
    rows = [f"{name.replace('.jpg', '.png')} {_matrix(pose.inverse(), ' ', ' ')}\n" for name, pose in rear[::3]]
    (root / "robotcar_v2_train.txt").write_text("".join(rows))
    (root / "robotcar_v2_test.txt").write_text("".join(f"{name}\n" for name, _ in [*rear[1::3], *rear[2::3]]))
    return Robotcar(root, mapping, queries)


def name_of(place: int, condition: str, photo: Photo) -> str:
    """As in images/; the times of the two places are a day apart, those of conditions an hour."""
    hours = 24 * place + sorted({*CONDITIONS, "overcast-reference"}).index(condition)
    return f"{condition}/{photo.camera}/{START + STEP * photo.instant + 3_600_000_000 * hours}.jpg"


def _place(root: Path, number: int, place: Drives) -> tuple[dict[str, vloc.Rigid], dict[str, vloc.Rigid]]:
    mapped = {name_of(number, "overcast-reference", photo): photo for photo in place.mapping}
    queries = {name_of(number, CONDITIONS[photo.instant], photo): photo for photo in place.queries}
    for name, photo in (mapped | queries).items():
        photo.save(root / "images" / name)
    individual = root / "3D-models" / "individual"
    (individual / "queries_per_location").mkdir(parents=True, exist_ok=True)
    listing = individual / "queries_per_location" / f"queries_location_{number}.txt"
    listing.write_text("".join(f"{name}\n" for name in queries))
    (individual / "colmap_reconstructions").mkdir(exist_ok=True)
    rows = list(enumerate((f"./{name.replace('.jpg', '.png')}", photo) for name, photo in mapped.items()))
    model = vloc.Capture(
        {name: Sensor("camera", camera=camera) for name, camera in CAMERAS.items()},
        Records.from_rows([(time, photo.camera, name) for time, (name, photo) in rows]),
        Trajectory.from_rows([(time, photo.camera, photo.pose) for time, (_, photo) in rows]),
    )
    folder = individual / "colmap_reconstructions" / f"{number:03d}_aligned"
    vloc.write(model, f"colmap-text:{folder}", transfer="skip")
    return {n: photo.pose for n, photo in mapped.items()}, {n: photo.pose for n, photo in queries.items()}


def _rig(root: Path) -> None:
    (root / "intrinsics").mkdir(parents=True)
    (root / "extrinsics").mkdir()
    for name, camera in CAMERAS.items():
        lines = [f"{what} {value}\n" for what, value in zip(("fx", "fy", "cx", "cy"), camera.params, strict=True)]
        (root / "intrinsics" / f"{name}_intrinsics.txt").write_text("".join(lines))
        (root / "extrinsics" / f"{name}_extrinsics.txt").write_text(_matrix(MOUNTS[name].inverse(), ",", "\n"))


def _matrix(pose: vloc.Rigid, between: str, rows: str) -> str:
    """The 4 x 4 matrix, row by row."""
    matrix = [[*map(float, row), float(t)] for row, t in zip(pose.rotation, pose.translation, strict=True)]
    return rows.join(between.join(map(repr, row)) for row in [*matrix, [0.0, 0.0, 0.0, 1.0]])
