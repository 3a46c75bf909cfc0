"""RobotCar Seasons (Sattler et al., CVPR 2018; images of Maddern et al., IJRR 2017), v1 and v2, as kapture."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np

from vloc.data.rigs import RigMember
from vloc.errors import DataError
from vloc.formats.access import read
from vloc.formats.base import Transfer
from vloc.formats.images import FolderImages, open_image
from vloc.formats.text_fields import refusal
from vloc.formats.text_lines import data_lines
from vloc.geometry.camera import Camera
from vloc.geometry.rigid import Rigid

from .benchmark import Benchmark, check_layout, write_conditions
from .importing import Shot, numbers_in, recorded, required, rigid_of, rows_of_numbers, write_scene

RIG, CAMERAS = "car", ("left", "rear", "right")
MODELS = "3D-models/individual/colmap_reconstructions"
LISTS = "3D-models/individual/queries_per_location"
TRAIN, TEST = "robotcar_v2_train.txt", "robotcar_v2_test.txt"
NAME = re.compile(r"(?P<condition>[\w-]+)/(?P<camera>left|rear|right)/(?P<time>\d+)\.(jpg|png)")
V1 = Benchmark(
    "RobotCar Seasons v1",
    "https://www.visuallocalization.net/datasets/",
    "CC BY-NC-SA 4.0 (Oxford RobotCar)",
    {
        "images/overcast-reference": "map images",
        **{f"intrinsics/{camera}_intrinsics.txt": f"intrinsics of the {camera} camera" for camera in CAMERAS},
        **{f"extrinsics/{camera}_extrinsics.txt": f"where the {camera} camera is mounted" for camera in CAMERAS},
        f"{MODELS}/*/images.*": "the model of each location, unpacked",
        f"{LISTS}/*.txt": "the queries of each location",
    },
    "robotcar",
    counts={
        **{"mapping": 20862, "query": 11934, "night/night": 1314, "night/night-rain": 1320},
        **{"day/dawn": 1449, "day/dusk": 1182, "day/overcast-summer": 1389, "day/overcast-winter": 1170},
        **{"day/rain": 1263, "day/snow": 1467, "day/sun": 1380},
    },
)
V2 = replace(
    V1,
    title="RobotCar Seasons v2",
    layout={**V1.layout, TRAIN: "queries of v1 with public poses", TEST: "queries of v2"},
    counts={"mapping": 20862 + 3 * 1906, "query": 3 * 1872},
)


@dataclass(frozen=True)
class RobotcarConfig:
    """Which version to import."""

    source: Path
    """folder with images, intrinsics, extrinsics and 3D-models; of v2 with robotcar_v2_train.txt and _test.txt, too"""
    version: Literal["1", "2"] = "2"
    """2 has the same images: half of the queries, with public poses, are mapped, and the others localized"""
    transfer: Transfer = "copy"
    """how images get into the output: copied, as one link to their folder, or not at all"""


def make(root: Path, config: RobotcarConfig) -> None:
    """Write `root/001/mapping`, `root/001/query`, its truth where public, ... by location, and `root/conditions.txt`.

    A query's location is known, by the benchmark's rule; those without queries are left out. Timestamps are µs. Poses
    that v2 publishes are v1's truth, if its list is there. DataError for what lacks.
    """
    source, is_v2, condition_of = config.source, config.version == "2", dict[str, str]()
    check_layout(V2 if is_v2 else V1, source)
    mounts = {camera: _mount(source, camera) for camera in CAMERAS}
    rig = [RigMember(RIG, camera, mount) for camera, mount in mounts.items()]
    public = _public_poses(source / TRAIN) if (source / TRAIN).exists() else {}
    tested = {_instant(row) for row in _listed(source / TEST)} if is_v2 else set()
    files, cameras = FolderImages(source / "images"), dict[str, Camera]()
    for location, (model, listing) in _locations(source).items():
        mapped, queries = list(_modelled(model)), list(_listed(listing))
        if is_v2:
            mapped += _mapped_too(queries, public, mounts)
            queries = [row for row in queries if _instant(row) in tested]
        if queries:
            cameras = cameras or {camera: _camera(source, camera, files, mapped) for camera in CAMERAS}
            posed = [(*row[:3], public.get(row[2])) for row in queries]
            captures = [recorded(cameras, rows, files, rig) for rows in (mapped, posed)]
            write_scene(root / f"{location:03d}", captures[0], captures[1], config.transfer)
            condition_of |= {row[2]: condition(_instant(row)[0]) for row in queries}
    write_conditions(root, condition_of)


def condition(folder: str) -> str:
    """`night/night-rain` or `day/dawn`: the benchmark sums up by day and by night."""
    return f"{'night' if folder.startswith('night') else 'day'}/{folder}"


def _locations(source: Path) -> dict[int, tuple[Path, Path]]:
    """The model and the list of queries of every location."""
    models, lists = _by_location(source / MODELS, "*/"), _by_location(source / LISTS, "*.txt")
    if lacking := sorted(lists.keys() ^ models.keys()):
        raise DataError(f"{source / MODELS}: location {lacking[0]} has a model or a list in {LISTS}, expected both")
    return {location: (models[location], lists[location]) for location in models}


def _by_location(folder: Path, pattern: str) -> dict[int, Path]:
    """Number of the location, the last of the name -> its file or folder (`001_aligned`, `queries_location_1.txt`)."""
    numbers = {path: re.findall(r"\d+", path.stem) for path in sorted(folder.glob(pattern))}
    if unclear := [path for path, found in numbers.items() if not found]:
        raise DataError(f"{unclear[0]}: no number in the name, expected that of the location")
    return dict(sorted((int(found[-1]), path) for path, found in numbers.items()))


def _shot(name: str, pose: Rigid | None = None) -> Shot | None:
    """From `[./]condition/camera/time.jpg`; models have the names of files that were PNG once. None: something else."""
    found = NAME.fullmatch(name.removeprefix("./"))
    if found is None:
        return None
    return int(found["time"]), found["camera"], f"{found['condition']}/{found['camera']}/{found['time']}.jpg", pose


def _instant(row: Shot) -> tuple[str, int]:
    return row[2].partition("/")[0], row[0]


def _modelled(folder: Path) -> Iterator[Shot]:
    """The images of a location's model with their poses."""
    model = read(f"colmap:{folder}")
    for name in model.images.names:
        row = _shot(name, model.pose(name))
        if row is None:
            raise DataError(f"{folder}: image '{name}', expected CONDITION/CAMERA/TIME.png")
        yield row


def _listed(path: Path) -> Iterator[Shot]:
    for line, text in data_lines(path):
        yield _named(path, line, text)


def _named(path: Path, line: int, name: str) -> Shot:
    row = _shot(name)
    if row is None:
        raise refusal(path, line, "no image of the car", "CONDITION/left|rear|right/TIME.jpg", name)
    return row


def _mount(source: Path, camera: str) -> Rigid:
    """`camera_from_car`; the file has the camera in the car's axes: rotation and centre."""
    path = source / "extrinsics" / f"{camera}_extrinsics.txt"
    matrix = np.array([row for _, row in rows_of_numbers(path, 4)])
    if matrix.shape != (4, 4):
        raise DataError(f"{path}: {len(matrix)} rows, expected a 4 x 4 matrix")
    return rigid_of(path, matrix).inverse()


def _camera(source: Path, camera: str, files: FolderImages, rows: Sequence[Shot]) -> Camera:
    """The pinhole camera of four lines `name number`: fx, fy, cx, cy; the size is that of an image (1024 x 1024)."""
    path = required(source / "intrinsics" / f"{camera}_intrinsics.txt")
    params = [numbers_in(path, line, text.split()[1:], 1)[0] for line, text in data_lines(path)]
    name = next((name for _, by, name, _ in rows if by == camera), None)
    if len(params) != 4 or name is None:
        raise DataError(f"{path}: {len(params)} lines, expected fx, fy, cx, cy; and an image by that camera")
    width, height = open_image(io.BytesIO(files.read(name)), name).size
    return Camera("PINHOLE", width, height, tuple(params))


def _public_poses(path: Path) -> dict[str, Rigid]:
    """`cam_from_world` of v1's queries by name; lines `name` and a 4 x 4 matrix of camera to world, row by row."""
    poses = {}
    for line, text in data_lines(path):
        name, *fields = text.split()
        world_from_cam = rigid_of(path, np.array(numbers_in(path, line, fields, 16)).reshape(4, 4))
        poses[_named(path, line, name)[2]] = world_from_cam.inverse()
    return poses


def _mapped_too(
    queries: Sequence[Shot], public: Mapping[str, Rigid], mounts: Mapping[str, Rigid]
) -> list[tuple[int, str, str, Rigid]]:
    """The images of v1's queries that v2 maps: all at an instant of which one has a pose, by the mounts."""
    cars = {_instant(row): mounts[row[1]].inverse() @ public[row[2]] for row in queries if row[2] in public}
    return [(*row[:3], mounts[row[1]] @ cars[_instant(row)]) for row in queries if _instant(row) in cars]
