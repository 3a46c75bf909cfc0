"""Extended CMU-Seasons in its own raw formats: two slices, two cameras with distortion, three instants of queries."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from vloc.datasets.gallery_cameras import sensors_from_rig

import vloc
from tests.raw_drives import Drives, Photo, drives

SIZE = 256, 192
CAMERAS = {
    "c0": vloc.Camera("OPENCV", *SIZE, (170.0, 170.5, 127.2, 97.5, -0.05, 0.01, 0.0005, -0.0004)),
    "c1": vloc.Camera("OPENCV", *SIZE, (172.0, 171.5, 128.4, 95.5, -0.06, 0.012, -0.0003, 0.0006)),
}
MOUNTS = {"c0": sensors_from_rig()["left"], "c1": sensors_from_rig()["right"]}
SLICES = "slice2", "slice21"
MAPPED, LOCALIZED, STEP, LATE = 1303398474779439, 1285949838575748, 250_000, 48
"""µs: of the first image of each drive, between instants, and how much later the second camera's clock is"""


@dataclass(frozen=True)
class Cmu:
    """The folder, and the true poses by slice and name."""

    root: Path
    mapping: dict[str, dict[str, vloc.Rigid]]
    queries: dict[str, dict[str, vloc.Rigid]]


def write(root: Path) -> Cmu:
    """All files of two slices; the poses of the first one's queries are public."""
    rows = [f"{name} OPENCV {SIZE[0]} {SIZE[1]} {' '.join(map(repr, own.params))}\n" for name, own in CAMERAS.items()]
    root.mkdir(parents=True, exist_ok=True)
    (root / "intrinsics.txt").write_text("# Camera ID, model, size, parameters\n\n" + "".join(rows))
    mapping, queries = {}, {}
    place = drives(CAMERAS, MOUNTS, 5)  # of both slices, to save time
    for number, name in enumerate(SLICES):
        mapping[name], queries[name] = _slice(root / name, number, place)
    (root / SLICES[0] / "camera-poses").mkdir()
    public = "".join(_line(name, pose) for name, pose in queries[SLICES[0]].items())
    (root / SLICES[0] / "camera-poses" / "slice-2-dusk.txt").write_text(public)
    return Cmu(root, mapping, queries)


def _slice(folder: Path, number: int, place: Drives) -> tuple[dict[str, vloc.Rigid], dict[str, vloc.Rigid]]:
    mapped = {_name(number, MAPPED, photo): photo for photo in place.mapping}
    queries = {_name(number, LOCALIZED, photo): photo for photo in place.queries}
    for part, photos in {"database": mapped, "query": queries}.items():
        for name, photo in photos.items():
            photo.save(folder / part / name)
    lines = "".join(_line(name, photo.pose) for name, photo in mapped.items())
    (folder / f"ground-truth-database-images-{folder.name}.txt").write_text(lines)
    (folder / f"test-images-{folder.name}.txt").write_text("".join(f"{name}\n" for name in queries))
    return {name: photo.pose for name, photo in mapped.items()}, {name: photo.pose for name, photo in queries.items()}


def _name(number: int, start: int, photo: Photo) -> str:
    time = start + STEP * (photo.instant + 1000 * number) + (LATE if photo.camera == "c1" else 0)
    return f"img_{119 + 3 * photo.instant:05d}_{photo.camera}_{time}us.jpg"


def _line(name: str, pose: vloc.Rigid) -> str:
    """The quaternion of world to camera, and the camera's centre."""
    return f"{name} {' '.join(map(repr, [*pose.quat_wxyz.tolist(), *pose.center.tolist()]))}\n"
