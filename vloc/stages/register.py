"""2D-3D matches of a query -> its pose, or none with the reason."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import numpy as np

from ..data.estimate import PoseEstimate
from ..data.features import LocalFeatures
from ..data.selection import Correspondences
from ..data.sparse_map import SparseMap
from ..geometry.camera import Camera
from ..runtime import Runtime
from ..solvers.absolute_pose import PnpConfig, absolute_pose
from ..stage import EachStage, Run


def register(
    config: PnpConfig,
    name: str,
    camera: Camera,
    features: LocalFeatures,
    matches: Correspondences,
    sparse: SparseMap,
    seed: int,
) -> PoseEstimate:
    """The pose of one query from its matches with points of the map."""
    pixels = features.keypoints[matches.keypoints].astype(np.float64)
    result = absolute_pose(pixels, sparse.points[matches.points], camera, config, seed)
    if result.cam_from_world is None:
        return PoseEstimate(name, None, "none", result.num_inliers, len(matches), reason=result.reason)
    return PoseEstimate(name, result.cam_from_world, "pnp", result.num_inliers, len(matches), result.covariance)


def _start(
    config: PnpConfig,
    runtime: Runtime,
    features: Mapping[str, LocalFeatures],
    matches: Mapping[str, Correspondences],
    cameras: Mapping[str, Camera],
    sparse: SparseMap,
    seed: int,
) -> Run[str, PoseEstimate]:
    def run(names: Iterable[str]) -> Iterator[PoseEstimate]:
        return (register(config, name, cameras[name], features[name], matches[name], sparse, seed) for name in names)

    return run


REGISTER: EachStage[str, PoseEstimate] = EachStage("register", 1, PoseEstimate, _start, chunk=64)
