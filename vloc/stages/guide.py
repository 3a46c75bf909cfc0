"""Looks for matches of a photo with points of the map near where a pose puts them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..array_types import Bool, Float64, Int, Int64
from ..data.features import LocalFeatures
from ..data.map_images import Shown
from ..data.sparse_map import SparseMap
from ..geometry.camera import Camera
from ..geometry.pose_error import rotation_angle
from ..geometry.projection import inside
from ..geometry.rigid import Rigid
from ..matching.guided import Candidates, most_similar, near, usual_distance
from ..matching.oriented import alike
from ..solvers.whitening import Whitening, whitening


@dataclass(frozen=True, eq=False)
class Found:
    """Keypoints and points (rows) that match, and how their residuals are weighed."""

    keypoints: Int64[np.ndarray, "m"]
    points: Int64[np.ndarray, "m"]
    whitening: Whitening

    def num_keypoints(self, which: Bool[np.ndarray, "m"] | slice = slice(None)) -> int:
        """Of all or some of the matches; where several points compete for one, it is one."""
        return int(np.count_nonzero(np.bincount(self.keypoints[which])))


@dataclass(frozen=True, eq=False)
class Guide:
    """Looks for matches of a photo's features with the points that map images show.

    `shown`: gives what a map image (row) shows; `num_images`: how many of the nearest are looked at. `ratio`: as in
    `similar`. `noise_px`: standard deviation of a keypoint's coordinates.
    """

    features: LocalFeatures
    sparse: SparseMap
    shown: Callable[[int], Shown]
    num_images: int
    ratio: float
    noise_px: float
    map_: Callable[..., Iterable[Any]] = map

    def __call__(self, pose: Rigid, camera: Camera, matched: Int[np.ndarray, "k"], radius_px: float) -> Found:
        """By scale and orientation where features tell these, else by descriptors; points so near to keypoints.

        `matched`: points (rows) that the photo was matched with before; images that show none of them are left out.
        """
        keypoints, points, weights = self._matches(pose, camera, matched, radius_px)
        known_points = self.sparse.points[points], self.sparse.covariances_of(points)
        matrices = whitening(camera, pose, *known_points, self.noise_px) * np.sqrt(weights)[:, None, None]
        return Found(keypoints, points, Whitening(matrices, radius_px))

    def _matches(
        self, pose: Rigid, camera: Camera, matched: Int[np.ndarray, "k"], radius_px: float
    ) -> tuple[Int64[np.ndarray, "m"], Int64[np.ndarray, "m"], Float64[np.ndarray, "m"]]:
        """Keypoints, points (rows), and what each match counts (0 to 1)."""
        rows, nearness = views_like(self.sparse, pose, matched, self.num_images)
        images = [self.shown(row) for row in rows]
        known = self.features, self.sparse, pose, camera, images, radius_px
        if self.features.angles is None or any(image.arrows is None for image in images):
            keypoints, points = similar(*known, self.ratio, self.map_)
            return keypoints, points, np.ones(len(points))
        points, candidates = _near(*known)
        return alike(self.features, candidates, points, images, nearness, pose, camera, self.sparse)


def similar(
    features: LocalFeatures,
    sparse: SparseMap,
    pose: Rigid,
    camera: Camera,
    images: Sequence[Shown],
    radius_px: float,
    ratio: float,
    map_: Callable[..., Iterable[Any]] = map,
) -> tuple[Int64[np.ndarray, "m"], Int64[np.ndarray, "m"]]:
    """Keypoints and points (rows) that match by their descriptors, so near to each other under a pose.

    `ratio`: of how far descriptors of different things usually are from each other, beyond which nothing matches.
    """
    most = max(images, key=lambda image: len(image.points))
    usual = iter(map_(usual_distance, [features], [most.features]))  # threads begin with it at once
    points, candidates = _near(features, sparse, pose, camera, images, radius_px)
    return most_similar(features, candidates, points, images, ratio * next(usual), map_)


def _near(
    features: LocalFeatures,
    sparse: SparseMap,
    pose: Rigid,
    camera: Camera,
    images: Sequence[Shown],
    radius_px: float,
) -> tuple[Int64[np.ndarray, "p"], Candidates]:
    """The points (rows) in view that the images show, and which keypoints each projects near."""
    points, projected = in_view(pose, camera, sparse, points_shown(images), radius_px)
    return points, near(features.keypoints, projected, radius_px)


def images_showing(sparse: SparseMap, points: np.ndarray, count: int) -> list[int]:
    """The map images (rows) that show most of some points, most first."""
    images, _ = sparse.observations_of(np.asarray(points, np.int32))
    distinct, shown = np.unique(images, return_counts=True)
    return distinct[np.argsort(-shown, kind="stable")[:count]].tolist()


def views_like(
    sparse: SparseMap, pose: Rigid, points: Int[np.ndarray, "m"], count: int
) -> tuple[list[int], Float64[np.ndarray, "i"]]:
    """Of the map images (rows) that show some points those that look at them most as a pose does, nearest first.

    Unlike those that show most of the points, they are the same for any pose about there. With each, how near it is:
    1 for the nearer half, falling to 0 at the first that is left out, so that none comes or goes all at once.
    """
    images = np.flatnonzero(np.bincount(sparse.observations_of(points.astype(np.int32))[0]))
    views, center = sparse.cam_from_world[images], pose.center
    far = np.median(np.linalg.norm(sparse.points[points] - center, axis=1))
    moved = np.linalg.norm(views.center - center, axis=1) / far
    apart = np.hypot(moved, rotation_angle(views.rotation, pose.rotation))
    order = np.argsort(apart, kind="stable")
    if len(images) <= count:
        return images[order].tolist(), np.ones(len(images))
    within, half, beyond = apart[order[:count]], apart[order[count // 2]], apart[order[count]]
    nearness = np.minimum((beyond - within) / (beyond - half), 1.0) if half < beyond else np.ones(count)
    return images[order[:count]].tolist(), nearness


def points_shown(images: Sequence[Shown]) -> Int64[np.ndarray, "p"]:
    """The points (rows) that any of some images show, rising."""
    rows = np.concatenate([image.points for image in images])
    is_shown = np.zeros(rows.max(initial=-1) + 1, bool)
    is_shown[rows] = True
    return np.flatnonzero(is_shown)


def in_view(
    pose: Rigid, camera: Camera, sparse: SparseMap, points: Int[np.ndarray, "p"], margin_px: float = 0.0
) -> tuple[Int[np.ndarray, "v"], Float64[np.ndarray, "v 2"]]:
    """The points (rows) that project into the picture or so near to it, and where."""
    rows, pixels = inside(camera, pose.apply(sparse.points[points]), margin_px)
    return points[rows], pixels
