"""Cambridge Landmarks (Kendall et al., ICCV 2015), one scene such as ShopFacade: the unpacked folder as kapture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vloc.data.capture import Capture, Sensor
from vloc.data.records import Records, Trajectory
from vloc.errors import DataError
from vloc.formats.base import Transfer
from vloc.formats.image_header import read_header
from vloc.formats.images import FolderImages, unsafe_path
from vloc.formats.text_fields import refusal
from vloc.formats.text_lines import data_lines, lines_of
from vloc.geometry.camera import UNKNOWN, Camera
from vloc.geometry.rigid import Rigid

from .benchmark import Benchmark, write_scenes
from .importing import numbers_in, required, write_scene

SPLITS = {"mapping": "dataset_train.txt", "query": "dataset_test.txt"}
MODEL = "reconstruction.nvm"
# Lines before the poses: a title, the columns' names and a blank one, which is no line of data.
NUM_TITLES = 2

BENCHMARK = Benchmark(
    "Cambridge Landmarks",
    "https://www.repository.cam.ac.uk/handle/1810/251342",
    "CC BY-NC-SA 2.0 UK",
    {
        **{f"*/{name}": f"names and poses of each scene's {part} images" for part, name in SPLITS.items()},
        f"*/{MODEL}": "intrinsics of the images",
        "*/*/*.png": "images",
    },
    "plain",
    counts={
        **{"GreatCourt": 760, "KingsCollege": 343, "OldHospital": 182, "ShopFacade": 103, "StMarysChurch": 530},
    },
)


@dataclass(frozen=True)
class CambridgeConfig:
    """Which scene to import."""

    source: Path
    """folder of one scene with dataset_train.txt, dataset_test.txt, the images and, if at hand, reconstruction.nvm"""
    transfer: Transfer = "copy"
    """how images get into the output: copied, as one link to their folder, or not at all"""


def make(root: Path, config: CambridgeConfig) -> None:
    """Write `root/mapping`, `root/query` (no poses) and `root/query_truth.txt`.

    Intrinsics are those of reconstruction.nvm, for each image; an image that it lacks has a size only. DataError names
    file and line of what is broken.
    """
    mapping, query = captures(config.source)
    write_scene(root, mapping, query, config.transfer)


def make_all(root: Path, source: Path) -> None:
    """Write every scene as a place; its images are linked."""
    scenes = sorted(path.parent for path in source.glob(f"*/{SPLITS['mapping']}"))
    write_scenes(root, source, scenes, captures, "link")


def captures(folder: Path) -> tuple[Capture, Capture]:
    """What a scene has for training and for testing, with poses."""
    lenses = _lenses(folder / MODEL)
    mapping, query = (capture_of(folder, name, lenses) for name in SPLITS.values())
    return mapping, query


def capture_of(folder: Path, split: str, lenses: Mapping[str, tuple[float, float]]) -> Capture:
    """The images of a split file, whose places in it are the timestamps; images of equal intrinsics share a sensor."""
    files, poses = FolderImages(folder), read_poses(required(folder / split))
    ids: dict[Camera, str] = {}
    rows = []
    for time, name in enumerate(poses):
        camera = _camera(files, name, lenses.get(_stem(name)))
        rows.append((time, ids.setdefault(camera, f"camera{len(ids):04d}"), name))
    unknown = sum(_stem(name) not in lenses for name in poses)
    return Capture(
        {sensor: Sensor("camera", camera=camera) for camera, sensor in ids.items()},
        Records.from_rows(rows),
        Trajectory.from_rows([(time, sensor, poses[name]) for time, sensor, name in rows]),
        files=files,
        notes=(f"{split}: {unknown} images without intrinsics: {MODEL} has none of them",) if unknown else (),
    )


def read_poses(path: Path) -> dict[str, Rigid]:
    """`cam_from_world` by name. A line has the camera's centre and the quaternion (w first) from world to camera."""
    poses: dict[str, Rigid] = {}
    for index, (line, text) in enumerate(data_lines(path)):
        if index < NUM_TITLES:
            continue
        fields = text.rsplit(maxsplit=7)
        name, numbers = fields[0], np.array(numbers_in(path, line, fields[1:], 7))
        if name in poses or (reason := unsafe_path(name)):
            raise refusal(path, line, "the image is here twice" if name in poses else str(reason), found=name)
        if np.linalg.norm(numbers[3:]) == 0:
            raise refusal(path, line, "quaternion of norm 0", "a rotation")
        rotation = Rigid.from_quat_wxyz(numbers[3:], np.zeros(3)).rotation
        poses[name] = Rigid(rotation, -rotation @ numbers[:3])
    if not poses:
        raise DataError(f"{path}: no images")
    return poses


def _lenses(path: Path) -> dict[str, tuple[float, float]]:
    """(focal length px, radial k) of each image of the NVM file, by name without suffix: its images are JPEGs.

    The rest of the file is left alone.
    """
    if not path.is_file():
        return {}
    lines = [(number, text.strip()) for number, text in enumerate(lines_of(path), start=1) if text.strip()]
    if len(lines) < 2 or not lines[0][1].startswith("NVM_V3") or not lines[1][1].isdecimal():
        raise refusal(path, 1, "not a model of VisualSFM", "NVM_V3, then the number of images")
    lenses = {}
    for line, text in lines[2 : 2 + int(lines[1][1])]:
        name, *fields = text.split()
        numbers = numbers_in(path, line, fields, 10)
        lenses[_stem(name)] = numbers[0], numbers[8]
    return lenses


def _stem(name: str) -> str:
    return name.rpartition(".")[0]


def _camera(files: FolderImages, name: str, lens: tuple[float, float] | None) -> Camera:
    """The principal point is the middle. VisualSFM's k removes distortion, ours makes it: to first order it is -k."""
    header = read_header(files.path(name), name)
    size = header.width, header.height
    if lens is None:
        return Camera(UNKNOWN, *size)
    try:
        return Camera("SIMPLE_RADIAL", *size, (lens[0], size[0] / 2, size[1] / 2, -lens[1]))
    except ValueError as error:
        raise DataError(f"{files.root / MODEL}: image '{name}': {error}") from None
