"""Keypoints -> what colour the image has there; and the mean of that over the images that show a point."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import numpy as np

from ..array_types import Float32, UInt8
from ..data.features import KeypointColors, LocalFeatures
from ..data.sparse_map import NO_POINT, SparseMap
from ..runtime import Runtime
from ..stage import EachStage, Run
from .images import ImageItems

COLOR_SIZE = 512
"""px; longer side at least, of the reduced image that colours are taken from: a JPEG is decoded so in a tenth less"""


def sample(
    pixels: UInt8[np.ndarray, "h w 3"], keypoints: Float32[np.ndarray, "n 2"], size: tuple[int, int]
) -> KeypointColors:
    """Colours of an image, reduced or not, at keypoints in px of its full `size` (width, height)."""
    height, width = pixels.shape[:2]
    places = (keypoints * [width / size[0], height / size[1]]).astype(np.int64)
    columns, rows = np.clip(places, 0, [width - 1, height - 1]).T
    return KeypointColors(pixels[rows, columns])


def _start(
    settings: None, runtime: Runtime, photos: ImageItems, features: Mapping[str, LocalFeatures]
) -> Run[str, KeypointColors]:
    def run(names: Iterable[str]) -> Iterator[KeypointColors]:
        return (sample(photos[name], features[name].keypoints, photos.size(name)) for name in names)

    return run


COLOR: EachStage[str, KeypointColors] = EachStage("color", 1, KeypointColors, _start)


def mean_colors(sparse: SparseMap, colors: Mapping[str, KeypointColors]) -> UInt8[np.ndarray, "p 3"]:
    """RGB of every point, the mean over its keypoints by image name; black where none of its images is among them."""
    sums, counts = np.zeros((len(sparse.points), 3), np.int64), np.zeros(len(sparse.points), np.int64)
    for row, name in enumerate(sparse.image_names):
        if name in colors:
            points = sparse.points_of(row)
            seen = points != NO_POINT
            np.add.at(sums, points[seen], colors[name].rgb[seen])
            np.add.at(counts, points[seen], 1)
    return np.rint(sums / np.maximum(counts, 1)[:, None]).astype(np.uint8)
