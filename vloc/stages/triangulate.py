"""Tracks -> sparse map where the poses are known, block by block."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from ..array_types import Float64
from ..data.features import Arrays
from ..data.sparse_map import SparseMap
from ..data.track_blocks import TrackBlocks
from ..runtime import Runtime
from ..solvers.pose_noise import MAX_BLOCKS
from ..solvers.posed_images import PosedImages
from ..solvers.track_blocks import Block, join
from ..solvers.track_points import TriangulationConfig
from ..solvers.triangulation import make_points, noise_of_poses, settle_points
from ..stage import EachStage, OnceStage, Run


def _start(config: TriangulationConfig, runtime: Runtime, blocks: Mapping[str, Block]) -> Run[str, SparseMap]:
    def run(names: Iterable[str]) -> Iterator[SparseMap]:
        return (make_points(blocks[name], config) for name in names)

    return run


TRIANGULATE: EachStage[str, SparseMap] = EachStage("triangulate", 7, SparseMap, _start, chunk=32)


@dataclass(frozen=True)
class PoseNoise:
    """How far the poses of a map are off: see `SparseMap.pose_noise`."""

    sigmas: Float64[np.ndarray, "2"]

    def to_arrays(self) -> Arrays:
        """The stored form."""
        return {"sigmas": self.sigmas}

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> PoseNoise:
        """The inverse of `to_arrays`."""
        return cls(**arrays)


def _noise(
    config: TriangulationConfig, runtime: Runtime, blocks: Mapping[str, Block], made: Mapping[str, SparseMap]
) -> PoseNoise:
    largest = sorted(made, key=lambda name: -made[name].num_observations)[:MAX_BLOCKS]
    return PoseNoise(noise_of_poses([(made[name], blocks[name]) for name in largest], config))


POSE_NOISE: OnceStage[PoseNoise] = OnceStage("pose-noise", 1, PoseNoise, _noise)


def _start_settling(
    config: TriangulationConfig,
    runtime: Runtime,
    blocks: Mapping[str, Block],
    made: Mapping[str, SparseMap],
    noise: PoseNoise,
) -> Run[str, SparseMap]:
    def run(names: Iterable[str]) -> Iterator[SparseMap]:
        return (settle_points(made[name], blocks[name], noise.sigmas, config) for name in names)

    return run


SETTLE: EachStage[str, SparseMap] = EachStage("settle", 2, SparseMap, _start_settling, chunk=32)


def _join(
    settings: None,
    runtime: Runtime,
    images: PosedImages,
    tracks: TrackBlocks,
    parts: Mapping[str, SparseMap],
    noise: PoseNoise,
) -> SparseMap:
    return replace(join(images, tracks, (parts[name] for name in tracks.names)), pose_noise=noise.sigmas)


JOIN: OnceStage[SparseMap] = OnceStage("join", 1, SparseMap, _join)
