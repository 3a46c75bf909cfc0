"""2D-3D matches of a query -> its pose, or none with the reason."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

import numpy as np

from ..data.capture import Sensor
from ..data.estimate import PoseEstimate
from ..data.features import LocalFeatures
from ..data.selection import Correspondences
from ..data.sparse_map import SparseMap
from ..errors import DataError
from ..runtime import Runtime
from ..solvers.absolute_pose import PnpConfig, absolute_pose
from ..stage import EachStage, Run


def register(
    config: PnpConfig,
    name: str,
    sensor: Sensor,
    features: LocalFeatures,
    matches: Correspondences,
    sparse: SparseMap,
    seed: int,
) -> PoseEstimate:
    """The pose of one query from its matches with points of the map."""
    pixels, camera = features.keypoints[matches.keypoints].astype(np.float64), sensor.camera
    if camera is None:
        raise DataError(f"{name}: recorded by a {sensor.kind}, expected a camera")
    result = absolute_pose(pixels, sparse.points[matches.points], camera, config, seed, sensor.focal_source)
    estimate = PoseEstimate(name, None, "none", result.num_inliers, len(matches), reason=result.reason)
    if result.cam_from_world is None or result.camera is None:
        return replace(estimate, camera=camera, focal_source=sensor.focal_source)
    return replace(
        estimate,
        cam_from_world=result.cam_from_world,
        source="pnp",
        covariance=result.covariance,
        camera=result.camera,
        focal_source=sensor.focal_source,
        focal_sigma_px=result.focal_sigma * result.camera.focal[0],
    )


def _start(
    config: PnpConfig,
    runtime: Runtime,
    features: Mapping[str, LocalFeatures],
    matches: Mapping[str, Correspondences],
    sensors: Mapping[str, Sensor],
    sparse: SparseMap,
    seed: int,
) -> Run[str, PoseEstimate]:
    def run(names: Iterable[str]) -> Iterator[PoseEstimate]:
        return (register(config, name, sensors[name], features[name], matches[name], sparse, seed) for name in names)

    return run


REGISTER: EachStage[str, PoseEstimate] = EachStage("register", 3, PoseEstimate, _start, chunk=64)
