"""Pair of images -> the matches that agree with the geometry of the two cameras."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated

import msgspec
import numpy as np

from ..data.features import LocalFeatures, Matches
from ..data.pairs import Pair
from ..geometry.camera import Camera
from ..geometry.epipolar import agrees_with_poses
from ..geometry.rigid import Rigid
from ..runtime import Runtime
from ..solvers.two_view import TwoViewConfig, verify_with_ransac
from ..stage import EachStage, Run


@dataclass(frozen=True)
class VerifyConfig:
    """Which matches the cameras allow."""

    max_error_px: Annotated[float, msgspec.Meta(gt=0)] = 2.0
    """px; matches further from their epipolar lines are dropped"""
    ransac: TwoViewConfig = field(default_factory=TwoViewConfig)
    """for pairs of which a pose is unknown"""


@dataclass(frozen=True, eq=False)
class View:
    """A camera and, where known, where it stood; the device that it belongs to where the focal length is a guess."""

    camera: Camera
    cam_from_world: Rigid | None
    guessed_device: str = ""


def _start(
    config: VerifyConfig,
    runtime: Runtime,
    features: Mapping[str, LocalFeatures],
    matches: Mapping[Pair, Matches],
    views: Mapping[str, View],
    seed: int,
) -> Run[Pair, Matches]:
    def verify(pair: Pair) -> Matches:
        found = matches[pair]
        first, second = (views[name] for name in pair)
        points = [features[name].keypoints[found.indices[:, side]] for side, name in enumerate(pair)]
        keep = _inliers(config, seed, first, second, points[0].astype(np.float64), points[1].astype(np.float64))
        return Matches(found.indices[keep], found.scores[keep])

    def run(pairs: Iterable[Pair]) -> Iterator[Matches]:
        return map(verify, pairs)

    return run


VERIFY: EachStage[Pair, Matches] = EachStage("verify", 1, Matches, _start, chunk=2048)


def _inliers(
    config: VerifyConfig, seed: int, first: View, second: View, points1: np.ndarray, points2: np.ndarray
) -> np.ndarray:
    """By the known poses where both views have one, else by RANSAC."""
    if first.cam_from_world is not None and second.cam_from_world is not None:
        cam2_from_cam1 = second.cam_from_world @ first.cam_from_world.inverse()
        return agrees_with_poses(points1, first.camera, points2, second.camera, cam2_from_cam1, config.max_error_px)
    trusted = not (first.guessed_device or second.guessed_device)
    return verify_with_ransac(
        points1, first.camera, points2, second.camera, config.ransac, seed, trust_intrinsics=trusted
    )
