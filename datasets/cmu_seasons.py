"""Extended CMU-Seasons (Sattler et al., CVPR 2018; images of Badino et al., IV 2011), as kapture, slice by slice."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vloc.data.mounts import estimate_mounts, members_of
from vloc.data.rigs import RigMember
from vloc.errors import DataError
from vloc.formats.base import Transfer
from vloc.formats.images import FolderImages
from vloc.formats.text_fields import refusal
from vloc.formats.text_lines import data_lines
from vloc.geometry.camera import Camera
from vloc.geometry.rigid import Rigid

from .benchmark import Benchmark, check_layout, write_conditions
from .importing import Shot, numbers_in, read_cameras, recorded, required, write_scene

CAMERAS = "c0", "c1"
NAME = re.compile(r"img_\d+_(?P<camera>c[01])_(?P<time>\d+)us(_rect)?\.jpg")
SAME_INSTANT = 1000
"""µs: the two cameras are triggered together, and their times differ by some 50"""
RIG_SLICE = "slice2"
"""from whose database the paper has the rig"""
QUATERNION_TOLERANCE = 1e-3
LAST_SLICE = {"urban": 8, "suburban": 17, "park": 25}
EXTENDED = Benchmark(
    "Extended CMU-Seasons",
    "https://www.visuallocalization.net/datasets/",
    "CC BY-NC-SA 3.0 (CMU Visual Localization)",
    {
        "intrinsics.txt": "both cameras",
        f"{RIG_SLICE}/ground-truth-database-images-{RIG_SLICE}.txt": "poses that the rig is estimated from",
        "slice*/test-images-slice*.txt": "the queries of each slice",
        "slice*/database": "map images",
        "slice*/query": "queries",
    },
    "cmu",
    counts={"query": 56613},
)


@dataclass(frozen=True)
class CmuConfig:
    """What to import."""

    source: Path
    """folder with intrinsics.txt and the folders slice2, slice3 ...; all that are there are taken"""
    transfer: Transfer = "copy"
    """how images get into the output: copied, as one link to their folder, or not at all"""


def make(root: Path, config: CmuConfig) -> None:
    """Write `root/slice2/mapping`, `root/slice2/query` (no poses), truth where public, and `root/conditions.txt`.

    Timestamps are µs, those of the first image of an instant. DataError for what lacks.
    """
    check_layout(EXTENDED, config.source)
    cameras = _cameras(config.source)
    rig, condition_of = _rig(config.source), dict[str, str]()
    for folder in sorted(config.source.glob("slice*/"), key=_number):
        poses = _public_poses(folder)
        queries = [(*row[:3], poses.get(row[2])) for row in _rows(folder / f"test-images-{folder.name}.txt")]
        captures = [
            recorded(cameras, together(rows), FolderImages(required(folder / part, "folder of images")), rig)
            for part, rows in {"database": _database(folder), "query": queries}.items()
        ]
        write_scene(root / folder.name, captures[0], captures[1], config.transfer)
        condition_of |= dict.fromkeys((name for _, _, name, _ in queries), condition(_number(folder)))
    write_conditions(root, condition_of)


def condition(number: int) -> str:
    """Urban, suburban or park, by the number of the slice."""
    return next(name for name, last in LAST_SLICE.items() if number <= last)


def _number(folder: Path) -> int:
    digits = folder.name.removeprefix("slice")
    if not digits.isdecimal() or not 1 <= int(digits) <= LAST_SLICE["park"]:
        raise DataError(f"{folder}: expected slice1 to slice{LAST_SLICE['park']}")
    return int(digits)


def _cameras(source: Path) -> dict[str, Camera]:
    """Lines `c0 OPENCV w h fx fy cx cy k1 k2 p1 p2`."""
    cameras = read_cameras(source / "intrinsics.txt")
    if set(cameras) != set(CAMERAS):
        raise DataError(f"{source / 'intrinsics.txt'}: cameras {', '.join(cameras)}, expected {', '.join(CAMERAS)}")
    return cameras


def _database(folder: Path) -> list[Shot]:
    rows = list(_rows(path := folder / f"ground-truth-database-images-{folder.name}.txt"))
    if unposed := [name for _, _, name, pose in rows if pose is None]:
        raise DataError(f"{path}: {len(unposed)} images without a pose, such as '{unposed[0]}'")
    return rows


def _public_poses(folder: Path) -> Mapping[str, Rigid | None]:
    """Of queries, by name; slices that are evaluated have none, or those of some."""
    return {name: pose for path in sorted(folder.glob("camera-poses/*.txt")) for _, _, name, pose in _rows(path)}


def _rows(path: Path) -> Iterator[Shot]:
    """Lines `name`, or `name qw qx qy qz cx cy cz`: rotation world to camera, and the camera's centre."""
    for line, text in data_lines(required(path)):
        name, *fields = text.split()
        found = NAME.fullmatch(name)
        if found is None:
            raise refusal(path, line, "no image of the car", "img_NUMBER_c0|c1_TIMEus.jpg", name)
        pose = _pose(path, line, numbers_in(path, line, fields, 7)) if fields else None
        yield int(found["time"]), found["camera"], name, pose


def _pose(path: Path, line: int, numbers: list[float]) -> Rigid:
    norm = float(np.linalg.norm(numbers[:4]))
    if abs(norm - 1) > QUATERNION_TOLERANCE:
        raise refusal(path, line, f"quaternion of norm {norm:.3g}", "a rotation, norm 1")
    rotation = Rigid.from_quat_wxyz(np.array(numbers[:4]), np.zeros(3)).rotation
    return Rigid(rotation, -rotation @ np.array(numbers[4:]))


def together(rows: Sequence[Shot]) -> list[Shot]:
    """The same images, those of one instant at one time: that of the first; no camera twice."""
    found, start, present = list[Shot](), 0, set[str]()
    for time, camera, name, pose in sorted(rows, key=lambda row: row[:3]):
        if time - start > SAME_INSTANT or camera in present:
            start, present = time, set()
        present.add(camera)
        found.append((start, camera, name, pose))
    return found


def _rig(source: Path) -> list[RigMember]:
    """Where both cameras are mounted, by the poses of one slice's database."""
    poses: dict[str, dict[int, Rigid]] = {camera: {} for camera in CAMERAS}
    for time, camera, _, pose in together(_database(source / RIG_SLICE)):
        assert pose is not None  # noqa: S101 - refused by `_database`
        poses[camera][time] = pose
    try:
        return members_of(estimate_mounts(poses, CAMERAS[0]), "car")
    except DataError as error:
        raise DataError(f"{source / RIG_SLICE}: {error}") from None
