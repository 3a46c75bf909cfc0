"""Looks for matches of a photo with points of the map near where a pose puts them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..array_types import Float64, Int, Int64
from ..data.features import LocalFeatures
from ..data.map_images import Shown
from ..data.sparse_map import SparseMap
from ..geometry.camera import Camera
from ..geometry.pose_error import rotation_angle
from ..geometry.projection import project
from ..geometry.rigid import Rigid
from ..matching.guided import Candidates, most_similar, near, usual_distance
from ..matching.oriented import most_alike

Found = tuple[Int64[np.ndarray, "m"], Int64[np.ndarray, "m"]]
"""keypoints and points (rows) that match"""


@dataclass(frozen=True, eq=False)
class Guide:
    """Looks for matches of a photo's features with the points that map images show.

    `ratio`: of how far descriptors of different things usually are from each other, beyond which nothing matches.
    """

    features: LocalFeatures
    sparse: SparseMap
    ratio: float
    map_: Callable[..., Iterable[Any]] = map

    def __call__(self, pose: Rigid, camera: Camera, images: Sequence[Shown], radius_px: float) -> Found:
        """By scale and orientation where features tell these, else by descriptors; points so near to keypoints."""
        if self.features.angles is None or any(image.arrows is None for image in images):
            return self.similar(pose, camera, images, radius_px)
        points, candidates = self._near(pose, camera, images, radius_px)
        return most_alike(self.features, candidates, points, images, pose, camera, self.sparse)

    def similar(self, pose: Rigid, camera: Camera, images: Sequence[Shown], radius_px: float) -> Found:
        """By descriptors alone."""
        most = max(images, key=lambda image: len(image.points))
        usual = iter(self.map_(usual_distance, [self.features], [most.features]))  # threads begin with it at once
        points, candidates = self._near(pose, camera, images, radius_px)
        return most_similar(self.features, candidates, points, images, self.ratio * next(usual), self.map_)

    def _near(
        self, pose: Rigid, camera: Camera, images: Sequence[Shown], radius_px: float
    ) -> tuple[Int64[np.ndarray, "p"], Candidates]:
        """The points (rows) in view that the images show, and which keypoints each projects near."""
        points, projected = in_view(pose, camera, self.sparse, points_shown(images), radius_px)
        return points, near(self.features.keypoints, projected, radius_px)


def images_showing(sparse: SparseMap, points: np.ndarray, count: int) -> list[int]:
    """The map images (rows) that show most of some points, most first."""
    images, _ = sparse.observations_of(np.asarray(points, np.int32))
    distinct, shown = np.unique(images, return_counts=True)
    return distinct[np.argsort(-shown, kind="stable")[:count]].tolist()


def views_like(sparse: SparseMap, pose: Rigid, points: Int[np.ndarray, "m"], count: int) -> list[int]:
    """Of the map images (rows) that show some points those that look at them most as a pose does, nearest first.

    Unlike those that show most of the points, they are the same for any pose about there.
    """
    images = np.flatnonzero(np.bincount(sparse.observations_of(points.astype(np.int32))[0]))
    views, center = sparse.cam_from_world[images], pose.center
    far = np.median(np.linalg.norm(sparse.points[points] - center, axis=1))
    moved = np.linalg.norm(views.center - center, axis=1) / far
    apart = np.hypot(moved, rotation_angle(views.rotation, pose.rotation))
    return images[np.argsort(apart, kind="stable")[:count]].tolist()


def points_shown(images: Sequence[Shown]) -> Int64[np.ndarray, "p"]:
    """The points (rows) that any of some images show, rising."""
    return np.flatnonzero(np.bincount(np.concatenate([image.points for image in images])))


def in_view(
    pose: Rigid, camera: Camera, sparse: SparseMap, points: Int64[np.ndarray, "p"], margin_px: float
) -> tuple[Int64[np.ndarray, "v"], Float64[np.ndarray, "v 2"]]:
    """The points (rows) that project into the picture or so near to it, and where."""
    pixels = project(camera, pose.apply(sparse.points[points]))
    limit = np.array([camera.width, camera.height]) + margin_px
    inside = ((pixels > -margin_px) & (pixels < limit)).all(axis=1)  # behind the camera, pixels are no numbers
    return points[inside], pixels[inside]
