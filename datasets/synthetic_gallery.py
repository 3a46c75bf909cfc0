"""The synthetic gallery: a made-up museum of any size with exact poses, written as kapture folders.

It is the demo, the end-to-end test and the scale model of vloc. Every image is a function of (seed, index): making
100,000 of them takes no more memory than making 20, and a run that was cut short goes on where it stopped.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import msgspec
import numpy as np

from vloc import atomic
from vloc.array_types import Float32, UInt8
from vloc.errors import ConfigError, DataError
from vloc.geometry.camera import Camera
from vloc.geometry.rigid import Rigid
from vloc.runtime import Runtime, one_thread_per_worker

from . import gallery_kapture as kapture
from .gallery_cameras import CAMERA_NAMES, PHONE_NAMES, phone_cameras, query, rig_cameras, rig_pose, sensors_from_rig
from .gallery_light import by_day, by_night
from .gallery_plan import generator
from .gallery_scan import mesh, ply
from .gallery_world import World

__all__ = ["GalleryConfig", "make", "render", "world"]

IMAGES_PER_ROOM = 30
NIGHT_STREAM = 9
JPEG_QUALITY = 95
MANIFEST, SCAN = "gallery.json", "scan.ply"
BATCH = 64  # images handed to the workers at a time: bounds the memory of a long run


@dataclass(frozen=True)
class GalleryConfig:
    """What gallery to make."""

    num_images: Annotated[int, msgspec.Meta(ge=3, le=100_000)] = 60
    """mapping images, by three of the rig at a time; the gallery grows by a room for every 30"""
    num_queries: int | None = None
    """photos to localize, every other one at night; unless given, a tenth of the mapping images and at least 4"""
    image_size: tuple[int, int] = (640, 480)
    """width and height, px"""
    with_depth: bool = False
    """write a depth map for every image, 4 bytes a pixel, and the surfaces of all rooms as scan.ply"""
    seed: int = 0
    """another seed is another gallery"""

    def __post_init__(self) -> None:
        if not 3 <= self.num_images <= 100_000:
            raise ConfigError(f"num_images: expected 3 to 100000, got {self.num_images}")
        if self.num_queries is not None and self.num_queries < 0:
            raise ConfigError(f"num_queries: expected 0 or more, got {self.num_queries}")
        if min(self.image_size) < 16:
            raise ConfigError(
                f"image_size: expected at least 16 x 16 px, got {self.image_size[0]} x {self.image_size[1]}"
            )
        if self.seed < 0:
            raise ConfigError(f"seed: expected 0 or more, got {self.seed}")

    @property
    def num_positions(self) -> int:
        """Stops of the rig; at the last one not every camera may take its image."""
        return -(-self.num_images // len(CAMERA_NAMES))

    @property
    def queries(self) -> int:
        """`num_queries`, resolved."""
        return max(4, self.num_images // 10) if self.num_queries is None else self.num_queries


@dataclass(frozen=True)
class Shot:
    """One image to take, and where it is written."""

    path: Path
    camera: Camera
    cam_from_world: Rigid
    night: int | None = None
    """number of the query that is taken at night"""
    depth_path: Path | None = None


def world(config: GalleryConfig) -> World:
    """The gallery itself, which costs nothing until it is looked at."""
    return World(config.seed, max(1, round(config.num_images / IMAGES_PER_ROOM)))


def render(
    world: World, camera: Camera, cam_from_world: Rigid
) -> tuple[UInt8[np.ndarray, "h w 3"], Float32[np.ndarray, "h w"]]:
    """The picture (red first) of any camera in the gallery, and the depth at its pixels' centres (m; 0: nothing)."""
    return world.picture(camera, cam_from_world), world.depth(camera, cam_from_world)


def make(
    root: Path,
    config: GalleryConfig = GalleryConfig(),
    runtime: Runtime = Runtime(),  # noqa: B008 - frozen
    on_progress: Callable[[int, int], None] | None = None,
) -> None:
    """Write `root/mapping`, `root/query` (no poses) and `root/query_truth.txt`; done once `gallery.json` says so.

    Images that are already there are kept. `on_progress(done, total)` is told as it goes. DataError when `root` holds
    another gallery.
    """
    _claim(root, config)
    gallery, total = world(config), config.num_images + config.queries
    # Cameras are few, so folders are made once rather than for every image.
    for folder in [f"mapping/{kapture.IMAGES}/{name}" for name in CAMERA_NAMES] + [
        f"query/{kapture.IMAGES}/{t}" for t in ("day", "night")
    ]:
        (root / folder).mkdir(parents=True, exist_ok=True)
    with one_thread_per_worker(), ThreadPoolExecutor(runtime.num_workers) as pool:
        for start in range(0, total, BATCH):
            shots = [_shot(root, gallery, config, index) for index in range(start, min(start + BATCH, total))]
            list(pool.map(lambda shot: _take(gallery, shot), shots))
            if on_progress is not None:
                on_progress(start + len(shots), total)
    _write_mapping(root / "mapping", gallery, config)
    _write_queries(root, gallery, config)
    if config.with_depth:
        atomic.write_bytes(root / SCAN, ply(*mesh(gallery)))
    _write_manifest(root, config, True)


def _claim(root: Path, config: GalleryConfig) -> None:
    """Note in the folder which gallery it is going to be; refuse a folder that is another one."""
    root.mkdir(parents=True, exist_ok=True)
    manifest = root / MANIFEST
    if not manifest.exists() and any((root / part).exists() for part in ("mapping", "query", "query_truth.txt")):
        raise DataError(f"{root}: holds a mapping or query that is no synthetic gallery; choose another folder")
    if manifest.exists():
        try:
            found = json.loads(manifest.read_text())["config"]
        except (ValueError, KeyError, TypeError) as error:
            raise DataError(
                f"{manifest}: expected the JSON that vloc wrote ({error}); delete the folder to begin anew"
            ) from error
        if found != _as_json(config):
            raise DataError(
                f"{manifest}: holds the gallery {found}, asked for {_as_json(config)}; choose another folder"
            )
    _write_manifest(root, config, False)


def _as_json(config: GalleryConfig) -> dict[str, object]:
    return asdict(config) | {"image_size": list(config.image_size), "num_queries": config.queries}


def _write_manifest(root: Path, config: GalleryConfig, is_complete: bool) -> None:
    content = {"config": _as_json(config), "is_complete": is_complete}
    atomic.write_text(root / MANIFEST, json.dumps(content, indent=1) + "\n")


def _mapping_name(index: int) -> str:
    return f"{CAMERA_NAMES[index % 3]}/{index // 3:06d}.jpg"


def _shot(root: Path, gallery: World, config: GalleryConfig, index: int) -> Shot:
    """Mapping images first, then queries."""
    if index >= config.num_images:
        photo = query(gallery, index - config.num_images, config.queries)
        path = root / "query" / kapture.IMAGES / photo.name
        night = index - config.num_images if photo.is_night else None
        depth = path.with_suffix(".depth") if config.with_depth else None
        return Shot(path, phone_cameras(config.image_size)[photo.phone], photo.cam_from_world, night, depth)
    name = CAMERA_NAMES[index % 3]
    rig_from_world = rig_pose(gallery, index // 3, config.num_positions)
    path = root / "mapping" / kapture.IMAGES / _mapping_name(index)
    depth = path.with_suffix(".depth") if config.with_depth else None
    return Shot(path, rig_cameras(config.image_size)[name], sensors_from_rig()[name] @ rig_from_world, None, depth)


def _take(gallery: World, shot: Shot) -> None:
    """Write an image, and its depth map, unless they are there."""
    import cv2

    if shot.depth_path is not None and not shot.depth_path.exists():
        depth = gallery.depth(shot.camera, shot.cam_from_world)
        atomic.write_bytes(shot.depth_path, depth.astype("<f4").tobytes())
    if shot.path.exists():
        return
    picture = gallery.picture(shot.camera, shot.cam_from_world)
    picture = (
        by_day(picture) if shot.night is None else by_night(picture, generator(gallery.seed, NIGHT_STREAM, shot.night))
    )
    _, encoded = cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    atomic.write_bytes(shot.path, encoded.tobytes())


def _write_mapping(folder: Path, gallery: World, config: GalleryConfig) -> None:
    """The kapture files of the mapping images: a rig of three cameras, and of depth sensors at the same places."""
    cameras, placed = rig_cameras(config.image_size), sensors_from_rig()
    kinds = ("", "_depth") if config.with_depth else ("",)
    sensors = [(name + kind, "depth" if kind else "camera", cameras[name]) for kind in kinds for name in CAMERA_NAMES]
    rigs = [("rig", name + kind, placed[name]) for kind in kinds for name in CAMERA_NAMES]
    stops = range(config.num_positions)
    records = [(kapture.time_of(i // 3), CAMERA_NAMES[i % 3], _mapping_name(i)) for i in range(config.num_images)]
    depths = [(t, f"{device}_depth", f"{name[:-4]}.depth") for t, device, name in records] if config.with_depth else []
    poses = [(kapture.time_of(stop), "rig", rig_pose(gallery, stop, config.num_positions)) for stop in stops]
    kapture.write(folder, sensors, rigs, poses, {"camera": records, "depth": depths})


def _write_queries(root: Path, gallery: World, config: GalleryConfig) -> None:
    """The kapture files of the queries, which hold no poses, and the truth beside them."""
    cameras = phone_cameras(config.image_size)
    photos = [query(gallery, index, config.queries) for index in range(config.queries)]
    truth = [f"{photo.name} {kapture.numbers(photo.cam_from_world, ' ')}\n" for photo in photos]
    atomic.write_text(root / "query_truth.txt", "".join(truth))
    records = [(kapture.time_of(config.num_positions + i), photo.phone, photo.name) for i, photo in enumerate(photos)]
    kinds = ("", "_depth") if config.with_depth else ("",)
    sensors = [(name + kind, "depth" if kind else "camera", cameras[name]) for kind in kinds for name in PHONE_NAMES]
    depths = [(t, f"{device}_depth", f"{name[:-4]}.depth") for t, device, name in records] if config.with_depth else []
    kapture.write(root / "query", sensors, [], [], {"camera": records, "depth": depths})
