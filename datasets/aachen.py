"""Aachen Day-Night (Sattler et al., CVPR 2018), v1.0, and v1.1 (Zhang et al., IJCV 2021), as kapture."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from vloc.errors import DataError
from vloc.formats.access import read
from vloc.formats.base import Transfer
from vloc.formats.images import FolderImages
from vloc.geometry.camera import Camera
from vloc.geometry.rigid import Rigid

from .benchmark import Benchmark, check_layout, write_conditions
from .importing import listed, read_cameras, write_scene

Row = tuple[str, Camera, Rigid | None]

IMAGES = "images_upright"
MODEL_1_0, INTRINSICS = "3D-models/aachen_cvpr2018_db.nvm", "3D-models/database_intrinsics.txt"
MODEL_1_1 = "3D-models/aachen_v_1_1"
QUERIES = {
    "day": "queries/day_time_queries_with_intrinsics.txt",
    "night": "queries/night_time_queries_with_intrinsics.txt",
}
HOME = "https://www.visuallocalization.net/datasets/"
LICENCE = "images: research and education only (LICENSE.txt in the data)"
COMMON = {
    f"{IMAGES}/db": "map images",
    f"{IMAGES}/query/day": "queries by day",
    f"{IMAGES}/query/night": "queries by night",
    **{path: f"queries by {when} with their intrinsics" for when, path in QUERIES.items()},
}
V1_0 = Benchmark(
    "Aachen Day-Night v1.0",
    HOME,
    LICENCE,
    {
        MODEL_1_0: "the reference model",
        INTRINSICS: "intrinsics of the map images",
        **COMMON,
    },
    "aachen",
    counts={"mapping": 4328, "query": 922, "day": 824, "night": 98},
)
V1_1 = Benchmark(
    "Aachen Day-Night v1.1",
    HOME,
    LICENCE,
    {f"{MODEL_1_1}/images.*": "the reference model", f"{IMAGES}/sequences": "more map images", **COMMON},
    "aachen",
    counts={"mapping": 6697, "query": 1015, "day": 824, "night": 191},
)


@dataclass(frozen=True)
class AachenConfig:
    """Which version to import."""

    source: Path
    """folder with 3D-models, images_upright and queries"""
    version: Literal["1.0", "1.1"] = "1.1"
    """1.0 has its model as NVM, 1.1 as COLMAP's"""
    transfer: Transfer = "copy"
    """how images get into the output: copied, as one link to their folder, or not at all"""


def make(root: Path, config: AachenConfig) -> None:
    """Write `root/mapping`, `root/query` (no poses are public) and `root/conditions.txt`; DataError for what lacks."""
    check_layout({"1.0": V1_0, "1.1": V1_1}[config.version], config.source)
    files = FolderImages(config.source / IMAGES)
    model = _model_of_1_0(config.source) if config.version == "1.0" else _model_of_1_1(config.source)
    lists = {condition: read_cameras(config.source / path) for condition, path in QUERIES.items()}
    rows = [(name, camera, None) for cameras in lists.values() for name, camera in cameras.items()]
    write_scene(root, listed(model, files), listed(rows, files), config.transfer)
    write_conditions(root, {name: condition for condition, cameras in lists.items() for name in cameras})


def _model_of_1_1(source: Path) -> list[Row]:
    model = read(f"colmap:{source / MODEL_1_1}", images=source / IMAGES)
    return [(name, model.camera(name), model.pose(name)) for name in model.images.names]


def _model_of_1_0(source: Path) -> list[Row]:
    """Poses of the NVM file, whose focal lengths give way to the intrinsics that the authors list."""
    model, cameras = read(f"nvm:{source / MODEL_1_0}", images=source / IMAGES), read_cameras(source / INTRINSICS)
    if missing := [name for name in model.images.names if name not in cameras]:
        raise DataError(f"{source / INTRINSICS}: lacks {len(missing)} images of {MODEL_1_0}, such as '{missing[0]}'")
    return [(name, cameras[name], model.pose(name)) for name in model.images.names]
