"""A sparse map from matches between images of known poses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ..array_types import Float32, Float64
from ..data.sparse_map import SparseMap
from ..errors import DataError
from .colmap import PairMatches, check_intrinsics, check_keypoints, check_matches
from .point_refinement import refine_points, with_covariances
from .pose_noise import pose_noise
from .posed_images import PosedImages
from .track_blocks import Block, block_of, in_blocks, join
from .track_points import TriangulationConfig, track_points
from .tracks import UNMATCHED, connected


def triangulate(
    images: PosedImages,
    keypoints: Sequence[Float32[np.ndarray, "_ 2"]],
    matches: PairMatches,
    config: TriangulationConfig,
) -> SparseMap:
    """Points from matches (rows of `images` -> keypoint rows); cameras and poses stay exactly as given.

    The errors of the poses are estimated (`pose_noise`), and the points refined with an offset of every image
    (`point_refinement`). DataError for matches or keypoints that cannot be.
    """
    _check(images, keypoints, matches)
    counts = np.array([len(own) for own in keypoints], np.int64)
    pairs = ((*pair, indices) for pair, indices in matches.items())
    found = connected(counts, images.cam_from_world.center, pairs)
    tracks = in_blocks(found, counts, ["all"], np.zeros(len(images), np.int64))
    if not tracks.names:
        return join(images, tracks, [])
    pixels = np.concatenate(keypoints)[found.root != UNMATCHED].astype(np.float64)
    block = block_of(tracks, 0, images, pixels)
    made = make_points(block, config)
    noise = noise_of_poses([(made, block)], config)
    return replace(join(images, tracks, [settle_points(made, block, noise, config)]), pose_noise=noise)


def _check(images: PosedImages, keypoints: Sequence[np.ndarray], matches: PairMatches) -> None:
    if len(images) != len(keypoints):
        raise DataError(f"{len(keypoints)} sets of keypoints, expected one for each of {len(images)} images")
    for row, (name, own) in enumerate(zip(images.names, keypoints, strict=True)):
        check_keypoints(name, own)
        check_intrinsics(name, images.camera(row))
    counts = [len(own) for own in keypoints]
    for pair, indices in matches.items():
        check_matches(pair, indices, counts)


def make_points(block: Block, config: TriangulationConfig) -> SparseMap:
    """The points of a block's tracks, the poses taken as exact."""
    points, shown = track_points(block.empty, block.tracks, config)
    return replace(block.empty, points=points, point_errors=np.zeros(len(points), np.float32), point_of_keypoint=shown)


def noise_of_poses(made: Sequence[tuple[SparseMap, Block]], config: TriangulationConfig) -> Float64[np.ndarray, "2"]:
    """How far the poses are off, by some blocks: see `pose_noise`; zeros where they are to be taken as exact."""
    if config.pose_error_px == 0:
        return np.zeros(2)
    return pose_noise([(sparse, block.keypoints) for sparse, block in made])


def settle_points(
    made: SparseMap, block: Block, noise: Float64[np.ndarray, "2"], config: TriangulationConfig
) -> SparseMap:
    """The points of a block, refined with what the errors of poses do to them, and their covariances."""
    if config.pose_error_px == 0:
        return with_covariances(made, block.keypoints)
    return refine_points(replace(made, pose_noise=noise), block.keypoints, config.pose_error_px)
