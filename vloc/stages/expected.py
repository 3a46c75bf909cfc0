"""A query's matches near where its expected pose puts the points of map images."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import msgspec
import numpy as np

from ..data.features import LocalFeatures
from ..data.map_images import MapImages
from ..data.selection import Correspondences
from ..data.sparse_map import SparseMap
from ..geometry.camera import Camera
from ..geometry.rigid import Rigid
from .refine import Guide, RefineConfig


@dataclass(frozen=True)
class NearConfig:
    """How a frame is looked for near where it is expected."""

    search_px: Annotated[float, msgspec.Meta(gt=0)] = 32.0
    """px; keypoints are compared with points that are expected so near"""
    strongest: Annotated[int, msgspec.Meta(ge=1)] = 512
    """keypoints that are looked for"""
    searched: Annotated[int, msgspec.Meta(ge=1)] = 4
    """map images whose points they are compared with: those that share most points with the last frame"""
    refining: Annotated[int, msgspec.Meta(ge=1)] = 20
    """map images on whose points the pose found so is refined"""
    max_keypoints: Annotated[int, msgspec.Meta(ge=100)] | None = None
    """keypoints of a frame; the time goes mostly into making them; None: as many as the map's images"""


def images_showing(sparse: SparseMap, points: np.ndarray, count: int) -> list[int]:
    """The map images (rows) that show most of some points, most first."""
    images, _ = sparse.observations_of(np.asarray(points, np.int32))
    distinct, shown = np.unique(images, return_counts=True)
    return distinct[np.argsort(-shown, kind="stable")[:count]].tolist()


def expected_matches(
    config: RefineConfig,
    features: LocalFeatures,
    camera: Camera,
    cam_from_world: Rigid,
    images: Sequence[int],
    shown: MapImages,
    sparse: SparseMap,
    search_px: float,
    map_: Callable[..., Iterable[Any]] = map,
) -> Correspondences:
    """Matches with the points of map images (rows) in a circle of `search_px` around where the pose puts them.

    They are evidence for a pose near the expected one, as far as they agree closer than the circle is wide.
    """
    if not len(images) or not len(features):
        return Correspondences.none()
    seen = [shown(image) for image in images]
    keypoints, points = Guide.by(config, features, seen, map_)(cam_from_world, camera, sparse, search_px)
    from_images = _first_showing(points, [image.points for image in seen], images)
    similarity = np.ones(len(points), np.float32)
    area_px = float(np.pi * search_px**2)
    return Correspondences(keypoints.astype(np.int32), points.astype(np.int32), similarity, from_images, area_px)


def _first_showing(points: np.ndarray, shown: Sequence[np.ndarray], images: Sequence[int]) -> np.ndarray:
    """For every point the first of the images that shows it."""
    found = np.full(len(points), -1, np.int32)
    for image, of_image in zip(images, shown, strict=True):
        found[(found < 0) & np.isin(points, of_image)] = image
    return found
