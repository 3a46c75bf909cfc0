"""Verified matches -> sparse map: by triangulation where the poses are known, by SfM where they are not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

import numpy as np

from ..data.features import LocalFeatures, Matches
from ..data.mounting import Mounting
from ..data.sparse_map import SparseMap
from ..geometry.rigid import Rigid
from ..runtime import Runtime
from ..solvers.posed_images import PosedImages
from ..solvers.sfm import SfmConfig, UnposedImages, reconstruct
from ..solvers.triangulation import TriangulationConfig, triangulate
from ..stage import OnceStage
from .match import Pair
from .verify import View

T = TypeVar("T")


def _triangulate(
    config: TriangulationConfig,
    runtime: Runtime,
    names: Sequence[str],
    views: Mapping[str, View],
    features: Mapping[str, LocalFeatures],
    matches: Mapping[Pair, Matches],
    seed: int,
) -> SparseMap:
    keypoints = [features[name].keypoints for name in names]
    return triangulate(posed_images(names, views), keypoints, by_rows(names, matches), config)


TRIANGULATE: OnceStage[SparseMap] = OnceStage("triangulate", 5, SparseMap, _triangulate)


def posed_images(names: Sequence[str], views: Mapping[str, View]) -> PosedImages:
    """Images whose poses are known, with every camera once."""
    cameras, camera_of_image = _distinct([views[name].camera for name in names])
    poses = [pose for name in names if (pose := views[name].cam_from_world) is not None]
    return PosedImages(names, cameras, camera_of_image, Rigid.stack(poses))


def by_rows(names: Sequence[str], matches: Mapping[Pair, Matches]) -> dict[tuple[int, int], np.ndarray]:
    """Match indices by rows of `names`, pairs without matches left out."""
    row = {name: i for i, name in enumerate(names)}
    found = {(row[a], row[b]): matches[a, b].indices for a, b in matches}
    return {pair: indices for pair, indices in found.items() if len(indices)}


def _distinct(cameras: Sequence[T]) -> tuple[tuple[T, ...], np.ndarray]:
    """Each camera once, and which one every image has."""
    order = {camera: i for i, camera in enumerate(dict.fromkeys(cameras))}
    return tuple(order), np.array([order[camera] for camera in cameras], np.int32)


def _reconstruct(
    config: SfmConfig,
    runtime: Runtime,
    names: Sequence[str],
    views: Mapping[str, View],
    features: Mapping[str, LocalFeatures],
    matches: Mapping[Pair, Matches],
    seed: int,
    mounting: Mounting | None,
) -> SparseMap:
    sensors = mounting.sensor_of_image.tolist() if mounting else [0] * len(names)
    owned, camera_of_image = _distinct(
        [(views[name].camera, views[name].guessed_device, sensor) for name, sensor in zip(names, sensors, strict=True)]
    )
    cameras, guessed, _ = zip(*owned, strict=True)
    images = UnposedImages(names, cameras, camera_of_image, tuple(not device for device in guessed), mounting)
    keypoints = [features[name].keypoints for name in names]
    return reconstruct(images, keypoints, by_rows(names, matches), config, seed, runtime.num_workers).sparse


RECONSTRUCT: OnceStage[SparseMap] = OnceStage("reconstruct", 4, SparseMap, _reconstruct)
