"""Verified matches -> tracks, in blocks of images that stand near each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from ..array_types import Int64
from ..data.features import LocalFeatures, Matches
from ..data.pairs import Pair
from ..data.track_blocks import TrackBlocks
from ..geometry.octree import neighbourhoods
from ..runtime import Runtime
from ..solvers.colmap import check_intrinsics, check_keypoints, check_matches
from ..solvers.posed_images import PosedImages
from ..solvers.track_blocks import in_blocks
from ..solvers.tracks import PairRows, connected
from ..stage import OnceStage, column

BLOCK_SIZE = 64
"""images whose points one block has, more or less; it sees all others that share these"""


def _tracks(
    settings: None,
    runtime: Runtime,
    images: PosedImages,
    features: Mapping[str, LocalFeatures],
    matches: Mapping[Pair, Matches],
) -> TrackBlocks:
    counts, centers = _counts(images, features), images.cam_from_world.center
    found = connected(counts, centers, _checked(images.names, counts, matches))
    return in_blocks(found, counts, *neighbourhoods(centers, BLOCK_SIZE))


TRACKS: OnceStage[TrackBlocks] = OnceStage("tracks", 2, TrackBlocks, _tracks)


def _counts(images: PosedImages, features: Mapping[str, LocalFeatures]) -> Int64[np.ndarray, "i"]:
    """How many keypoints each image has; DataError for those that cannot be."""
    counts = np.zeros(len(images), np.int64)
    for row, keypoints in enumerate(column(features, "keypoints", images.names)):
        check_intrinsics(images.names[row], images.camera(row))
        check_keypoints(images.names[row], keypoints)
        counts[row] = len(keypoints)
    return counts


def _checked(
    names: Sequence[str], counts: Int64[np.ndarray, "i"], matches: Mapping[Pair, Matches]
) -> Iterator[PairRows]:
    """The matches by rows of the images; DataError for those that cannot be."""
    row, limits = {name: i for i, name in enumerate(names)}, list(map(int, counts))
    for (first, second), indices in zip(matches, column(matches, "indices", matches), strict=True):
        check_matches((row[first], row[second]), indices, limits)
        yield row[first], row[second], indices
