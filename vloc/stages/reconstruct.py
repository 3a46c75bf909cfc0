"""Verified matches -> sparse map by SfM, where poses are not known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..data.features import LocalFeatures, Matches
from ..data.mounting import Mounting
from ..data.pairs import Pair
from ..data.sparse_map import SparseMap
from ..runtime import Runtime
from ..solvers.sfm import SfmConfig, UnposedImages, reconstruct
from ..stage import OnceStage
from .rows import by_rows, distinct
from .verify import View


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
    owned, camera_of_image = distinct(
        [(views[name].camera, views[name].guessed_device, sensor) for name, sensor in zip(names, sensors, strict=True)]
    )
    cameras, guessed, _ = zip(*owned, strict=True)
    images = UnposedImages(names, cameras, camera_of_image, tuple(not device for device in guessed), mounting)
    keypoints = [features[name].keypoints for name in names]
    return reconstruct(images, keypoints, by_rows(names, matches), config, seed, runtime.num_workers)


RECONSTRUCT: OnceStage[SparseMap] = OnceStage("reconstruct", 4, SparseMap, _reconstruct)
