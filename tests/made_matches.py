"""A matcher of the synthetic gallery's photos that knows where everything is: what the best network could give."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import ClassVar, NamedTuple

import numpy as np
from vloc.datasets.synthetic_gallery import world

import vloc
from vloc.data.photo_matches import PhotoMatches
from vloc.formats.images import decode
from vloc.formats.results import read_truth
from vloc.geometry.camera import Camera
from vloc.geometry.projection import project, unproject
from vloc.geometry.rigid import Rigid
from vloc.runtime import Runtime

STEP = 8
"""px between the places of a first photo, as LoFTR's"""


class Seen(NamedTuple):
    """What is known of a photo."""

    camera: Camera
    cam_from_world: Rigid
    depth: np.ndarray
    name: str


@dataclass(frozen=True)
class MadeMatcher:
    """True places with noise in the second photo, a tenth of them anywhere."""

    plugin_name: ClassVar[str] = "made"
    in_color: ClassVar[bool] = False

    gallery: str = ""
    """its folder"""
    noise: float = 0.3
    """px; standard deviation"""

    def load_photos(self, runtime: Runtime) -> MadePairs:
        return MadePairs(self)


class MadePairs:
    """`MadeMatcher` at work."""

    def __init__(self, settings: MadeMatcher) -> None:
        self._noise, self._known = settings.noise, known_photos(Path(settings.gallery))

    def prepare(self, photo: np.ndarray) -> Seen:
        return self._known[mark(photo)]

    def match(self, first: Seen, second: Seen) -> PhotoMatches:
        rng = np.random.default_rng([len(first.name), *first.name.encode(), *second.name.encode()])
        places, in_world = grid_of(first)
        in_second = second.cam_from_world.apply(in_world)
        with np.errstate(invalid="ignore"):
            pixels = project(second.camera, in_second)
        shown = np.flatnonzero(is_seen(pixels, in_second[:, 2], second))
        moved = pixels[shown] + rng.normal(0, self._noise, (len(shown), 2))
        wrong = rng.random(len(shown)) < 0.1
        moved[wrong] = rng.uniform(0, second.camera.size, (int(wrong.sum()), 2))
        scores = rng.uniform(0.2, 1, len(shown)).astype(np.float32)
        return PhotoMatches(places[shown].astype(np.float32), moved.astype(np.float32), scores)


def grid_of(photo: Seen) -> tuple[np.ndarray, np.ndarray]:
    """Places (n, 2) px, and what they show (n, 3) in the world."""
    height, width = photo.depth.shape
    columns, rows = (axis.ravel() for axis in np.meshgrid(np.arange(0, width, STEP), np.arange(0, height, STEP)))
    depth, places = photo.depth[rows, columns].astype(np.float64), np.stack([columns, rows], axis=1) + 0.5
    there, rays = depth > 0, unproject(photo.camera, places)
    in_cam = np.concatenate([rays, np.ones((len(rays), 1))], axis=1) * depth[:, None]
    return places[there], photo.cam_from_world.inverse().apply(in_cam[there])


def is_seen(pixels: np.ndarray, depths: np.ndarray, photo: Seen) -> np.ndarray:
    """Whether points that project there at these depths are in view, with nothing before them."""
    height, width = photo.depth.shape
    inside = (depths > 0) & (pixels >= 0).all(axis=1) & (pixels < (width, height)).all(axis=1)
    columns, rows = np.where(inside[:, None], pixels, 0).astype(int).T
    return inside & (np.abs(photo.depth[rows, columns] / np.maximum(depths, 1e-9) - 1) < 0.02)


@cache
def known_photos(root: Path) -> dict[str, Seen]:
    """The photos of a gallery by what they look like."""
    config = vloc.datasets.synthetic_gallery.GalleryConfig(**gallery_settings(root))
    place, mapping, queries = world(config), vloc.read(root / "mapping"), vloc.read(root / "query")
    poses = {**{name: mapping.pose(name) for name in mapping.images.names}, **read_truth(root / "query_truth.txt")}
    found = {}
    for capture in (mapping, queries):
        for name in capture.images.names:
            camera, pixels = capture.camera(name), decode(capture.files.read(name), name, color=False)
            found[mark(pixels)] = Seen(camera, poses[name], place.depth(camera, poses[name]), name)
    return found


def gallery_settings(root: Path) -> dict[str, object]:
    """Those of the gallery in a folder."""
    import json

    return json.loads((root / "gallery.json").read_text())["config"]


def mark(pixels: np.ndarray) -> str:
    """What tells a photo from all others."""
    return blake2b(np.ascontiguousarray(pixels).tobytes()).hexdigest()
