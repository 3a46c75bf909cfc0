"""InLoc (Taira et al., CVPR 2018): floors of two buildings as scanned, photos of a phone to localize, as kapture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np

from vloc.data.capture import Capture, Sensor
from vloc.data.records import Records
from vloc.errors import DataError
from vloc.formats.image_header import read_header
from vloc.formats.images import FolderImages
from vloc.formats.text_lines import lines_of
from vloc.geometry.camera import Camera
from vloc.geometry.rigid import Rigid

from .benchmark import Benchmark, check_layout
from .importing import listed, numbers_in, required, rigid_of, write_scene
from .inloc_cutouts import CutoutFiles, cam_from_scan, cutout_camera

CUTOUTS, ALIGNMENTS, QUERIES = "database/cutouts", "database/alignments", "query/iphone7"
# The phone's lens is as long as one of 28 mm is for film, which is 36 mm wide.
FOCAL_PER_WIDTH = 28 / 36
FIRST_ROW = 8
"""line of the first row of the matrix after registration; before it is one that was its start"""
BENCHMARK = Benchmark(
    "InLoc",
    "https://github.com/HajimeTaira/InLoc_dataset",
    "Open Database License 1.0",
    {
        f"{CUTOUTS}/*/*/*_cutout_*.jpg": "map images",
        f"{CUTOUTS}/*/*/*_cutout_*.jpg.mat": "their points",
        f"{ALIGNMENTS}/*/transformations/*_trans_*.txt": "the scans' places",
        f"{QUERIES}/*.JPG": "queries",
    },
    "inloc",
    thresholds=((0.25, 10.0), (0.5, 10.0), (1.0, 10.0)),
    counts={"mapping": 9972},
)


@dataclass(frozen=True)
class InlocConfig:
    """Which floors to import."""

    source: Path
    """folder with database/cutouts, database/alignments and query/iphone7"""
    floors: tuple[str, ...] = ()
    """DUC1, DUC2, CSE3, CSE4, CSE5; none means all"""
    transfer: Literal["copy", "skip"] = "copy"
    """whether images are copied, and points converted to depth maps, into the output (copy) or not (skip)"""


def make(root: Path, config: InlocConfig) -> None:
    """Write `root/mapping` with depth maps and `root/query`; neither poses nor floors of queries are public.

    A cutout's pose is found by its own points; one that has too few is left out, noted.
    """
    check_layout(BENCHMARK, config.source)
    images = FolderImages(config.source)
    cutouts = _cutouts(config)
    cameras = {name: cutout_camera(*_size(images, name)) for name in cutouts}
    fitted = {name: cam_from_scan(images, name, cameras[name]) for name in cutouts}
    poses = {name: pose for name, pose in fitted.items() if pose is not None}
    rows = [(name, cameras[name], pose @ _scan_from_world(config.source, name)) for name, pose in poses.items()]
    blank = len(cutouts) - len(rows)
    notes = (f"{blank} cutouts in which nothing was scanned are left out",) if blank else ()
    mapping = with_depth(replace(listed(rows, CutoutFiles(images, poses)), notes=notes))
    write_scene(root, mapping, _queries(config.source, images), config.transfer)


def with_depth(capture: Capture) -> Capture:
    """The capture with a depth map `IMAGE.depth` of every image, from the same place."""
    records, ids = capture.images, capture.images.device_ids
    devices = [f"{ids[device]}_depth" for device in records.devices.tolist()]
    depth = Records.from_rows(
        [
            (time, device, f"{name}.depth")
            for time, device, name in zip(records.timestamps.tolist(), devices, records.names, strict=True)
        ]
    )
    sensors = {f"{name}_depth": Sensor("depth", camera=sensor.camera) for name, sensor in capture.sensors.items()}
    return replace(capture, sensors={**capture.sensors, **sensors}, others={"depth": depth})


def _cutouts(config: InlocConfig) -> Sequence[str]:
    """Names of the cutouts of the floors; DataError for a floor that is not there."""
    floors = config.floors or ("*",)
    for floor in config.floors:
        required(config.source / CUTOUTS / floor, "floor of the benchmark")
    found = [path for floor in floors for path in (config.source / CUTOUTS).glob(f"{floor}/*/*_cutout_*.jpg")]
    return sorted(path.relative_to(config.source).as_posix() for path in found)


def _scan_from_world(source: Path, cutout: str) -> Rigid:
    """The inverse of the matrix in the text file of the cutout's scan: of the floor's frame, and in metres."""
    *_, floor, scan, file = cutout.split("/")
    building = file.partition("_")[0]
    path = required(source / ALIGNMENTS / floor / "transformations" / f"{building}_trans_{scan}.txt")
    lines = list(lines_of(path))
    if len(lines) < FIRST_ROW + 3:
        raise DataError(f"{path}: {len(lines)} lines, expected a matrix in lines {FIRST_ROW} to {FIRST_ROW + 3}")
    rows = [numbers_in(path, line, lines[line - 1].split(), 4) for line in range(FIRST_ROW, FIRST_ROW + 4)]
    return rigid_of(path, np.array(rows)).inverse()


def _queries(source: Path, images: FolderImages) -> Capture:
    names = sorted(path.relative_to(source).as_posix() for path in (source / QUERIES).glob("*.JPG"))
    return listed([(name, _phone(*_size(images, name)), None) for name in names], images)


def _phone(width: int, height: int) -> Camera:
    return Camera("SIMPLE_PINHOLE", width, height, (FOCAL_PER_WIDTH * max(width, height), width / 2, height / 2))


def _size(images: FolderImages, name: str) -> tuple[int, int]:
    header = read_header(images.path(name), name)
    return header.width, header.height
