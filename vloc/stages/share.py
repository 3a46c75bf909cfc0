"""Map images for a photo from what those before and after it were given."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from ..data.sparse_map import NO_POINT, SparseMap
from ..geometry.camera import Camera
from ..geometry.rigid import Rigid
from .guide import images_showing, in_view

WINDOW = 2
"""photos before and after that vote"""
NOTHING = np.zeros(0, np.int32)


def most_voted(retrieved: Sequence[np.ndarray], least: int) -> list[list[int]]:
    """For every photo, in the order of time, the map images (rows) that those around it were given most, best first.

    As many as it was given, or `least`. A vote is an image's reciprocal rank, through how many photos away it was.
    """
    found = []
    for row, own in enumerate(retrieved):
        votes: dict[int, float] = defaultdict(float)
        for other in range(max(row - WINDOW, 0), min(row + WINDOW + 1, len(retrieved))):
            for rank, image in enumerate(retrieved[other].tolist() if other != row else ()):
                votes[image] += 1 / ((1 + rank) * abs(other - row))
        found.append(sorted(votes, key=lambda image: -votes[image])[: max(len(own), least)])
    return found


def expected_images(
    sparse: SparseMap, images: Sequence[int], cam_from_world: Rigid, camera: Camera, count: int
) -> list[int]:
    """The map images that show most of the points of `images` that a photo would show from a pose, most first."""
    points = np.unique(np.concatenate([sparse.points_of(image) for image in images])) if len(images) else NOTHING
    points = points[points != NO_POINT]
    points, _ = in_view(cam_from_world, camera, sparse, points)
    return images_showing(sparse, points, count)
