"""Tracks in blocks: taken apart, each with the images that it needs, and the maps of all put together again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise

import numpy as np

from ..array_types import Float32, Float64, Int64
from ..data.sparse_map import NO_POINT, SparseMap
from ..data.track_blocks import TrackBlocks
from .posed_images import PosedImages, without_points
from .track_points import Tracks
from .tracks import UNMATCHED, Connected, numbered


@dataclass(frozen=True, eq=False)
class Block:
    """Some posed images and the tracks that their keypoints form."""

    images: PosedImages
    tracks: Tracks

    @cached_property
    def empty(self) -> SparseMap:
        """The images with the keypoints of the tracks, and no others, before there are points."""
        return without_points(self.images, np.bincount(self.tracks.image, minlength=len(self.images)).tolist())

    @property
    def keypoints(self) -> list[Float32[np.ndarray, "_ 2"]]:
        """The keypoints of the tracks by image, px."""
        return np.split(self.tracks.pixels.astype(np.float32), self.empty.offsets[1:-1])


def in_blocks(
    found: Connected, counts: Int64[np.ndarray, "i"], names: Sequence[str], block_of_image: Int64[np.ndarray, "i"]
) -> TrackBlocks:
    """The tracks of images with so many keypoints, each in the block of the first of its images.

    Blocks without tracks are left out.
    """
    rows = np.flatnonzero(found.root != UNMATCHED).astype(np.int32)
    image_of = np.repeat(np.arange(len(counts), dtype=np.int32), counts)
    block = block_of_image.astype(np.int32)[image_of[found.root[rows]]]
    order = np.argsort(block, kind="stable")
    rows, block = rows[order], block[order]
    begins = np.flatnonzero(np.diff(block, prepend=-1))
    starts = np.append(begins, len(rows)).astype(np.int64)
    tracks, partners = np.empty_like(rows), np.empty_like(rows)
    for first, last in pairwise(starts.tolist()):
        tracks[first:last], partners[first:last] = numbered(found, rows[first:last])
    images = image_of[rows]
    keypoints = rows - (np.cumsum(counts) - counts).astype(np.int32)[images]
    return TrackBlocks([names[row] for row in block[begins]], starts, counts, images, keypoints, tracks, partners)


def block_of(blocks: TrackBlocks, block: int, images: PosedImages, pixels: Float64[np.ndarray, "o 2"]) -> Block:
    """One block, of which the keypoints are at those pixels; `images`: all of the map."""
    rows = blocks.rows_of(block)
    there, local = np.unique(blocks.images[rows], return_inverse=True)
    return Block(images[there], Tracks(local.astype(np.int32), pixels, blocks.tracks[rows], blocks.partners[rows]))


def join(images: PosedImages, blocks: TrackBlocks, parts: Iterable[SparseMap]) -> SparseMap:
    """The map of all images with the points of the blocks' maps, one after the other."""
    whole = without_points(images, blocks.counts.tolist())
    shown, before = whole.point_of_keypoint, 0
    points, errors, covariances = [whole.points], [whole.point_errors], [np.zeros((0, 6), np.float32)]
    for block, part in enumerate(parts):
        rows = blocks.rows_of(block)
        at = whole.offsets[blocks.images[rows]] + blocks.keypoints[rows]
        shown[at] = np.where(part.point_of_keypoint == NO_POINT, NO_POINT, part.point_of_keypoint + before)
        points.append(part.points)
        errors.append(part.point_errors)
        if part.point_covariances is not None:
            covariances.append(part.point_covariances)
        before += len(part.points)
    return replace(
        whole,
        points=_joined(points),
        point_errors=_joined(errors),
        point_covariances=_joined(covariances),
        point_of_keypoint=shown,
    )


def _joined(parts: list[np.ndarray]) -> np.ndarray:
    """All of them in one array; the list is emptied, so that they are not held twice longer than it takes."""
    joined = np.concatenate(parts)
    parts.clear()
    return joined
