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
from .guide import similar


@dataclass(frozen=True)
class NearConfig:
    """How a frame is looked for near where it is expected."""

    search_px: Annotated[float, msgspec.Meta(gt=0)] = 32.0
    """px; keypoints are compared with points that are expected so near"""
    strongest: Annotated[int, msgspec.Meta(ge=1)] = 256
    """keypoints that are looked for; SIFT describes only these"""
    searched: Annotated[int, msgspec.Meta(ge=1)] = 3
    """map images whose points they are compared with: those that share most points with the last frame"""
    max_keypoints: Annotated[int, msgspec.Meta(ge=100)] | None = None
    """keypoints of a frame; the time goes mostly into making them; None: as many as the map's images"""


def expected_matches(
    ratio: float,
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
    keypoints, points = similar(features, sparse, cam_from_world, camera, seen, search_px, ratio, map_)
    from_images = _first_showing(points, [image.points for image in seen], images)
    similarity = np.ones(len(points), np.float32)
    area_px = float(np.pi * search_px**2)
    return Correspondences(keypoints.astype(np.int32), points.astype(np.int32), similarity, from_images, area_px)


def _first_showing(points: np.ndarray, shown: Sequence[np.ndarray], images: Sequence[int]) -> np.ndarray:
    """For every point the first of the images that shows it."""
    found = np.full(points.max(initial=-1) + 2, -1, np.int32)  # the last is for all points beyond
    for image, of_image in zip(reversed(images), reversed(shown), strict=True):
        found[np.minimum(of_image, len(found) - 1)] = image
    return found[points]
