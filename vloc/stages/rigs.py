"""Images that a rig took at one instant -> one pose of the rig, by the matches of all its cameras."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Literal

import msgspec
import numpy as np

from ..array_types import Float64, Int, Int64
from ..data.capture import Sensor
from ..data.evidence import Calibration
from ..data.features import LocalFeatures
from ..data.instants import Instant
from ..data.map_images import MapImages
from ..data.quality import ImageQuality
from ..data.rig_estimate import RigEstimate
from ..data.selection import Correspondences
from ..data.sparse_map import SparseMap
from ..geometry.camera import Camera
from ..geometry.rigid import Rigid
from ..registry import Time
from ..runtime import Runtime
from ..solvers.acceptance import doubt
from ..solvers.calibration import confidence
from ..solvers.generalized_pose import RigPose, View, better_rig_pose, generalized_pose
from ..solvers.pnp import PnpConfig
from ..solvers.pose_covariance import covariance_of_map
from ..solvers.rig_acceptance import weigh_rig
from ..solvers.whitening import Whitening
from ..stage import EachStage, Run
from .guide import Found, Guide
from .refine import RefineConfig, in_part_as_before


@dataclass(frozen=True)
class RigConfig:
    """What is made of the rigs that queries were taken with."""

    use: Literal["none", "joint", "transfer"] = "none"
    """joint: all images of a rig at one instant are one query; transfer: images follow those of their instant that
    have a pose; none: every image stands for itself"""
    max_gap: Time = 0
    """the timestamps' unit; for transfer, how long after the first image of an instant others belong to it"""
    agree_m: Annotated[float, msgspec.Meta(gt=0)] = 0.25
    """metres (or map units); for transfer, poses of the rig so near to each other agree"""
    agree_deg: Annotated[float, msgspec.Meta(gt=0)] = 2.0
    """degrees; the same for their rotations"""


@dataclass(frozen=True, eq=False)
class Seen:
    """What one camera of a rig brings: where it is mounted, its features, its matches with map images, its quality."""

    camera: Camera
    cam_from_rig: Rigid
    features: LocalFeatures
    matches: Correspondences
    quality: float

    def view(
        self, keypoints: np.ndarray, points_in_world: Float64[np.ndarray, "m 3"], whitening: Whitening | None = None
    ) -> View:
        """Some of its keypoints (rows) matched with points."""
        pixels, area_px = self.features.keypoints[keypoints].astype(np.float64), self.matches.area_px
        return View(pixels, points_in_world, self.camera, self.cam_from_rig, whitening, area_px)


def register_rig(
    pnp: PnpConfig, seen: Sequence[Seen], sparse: SparseMap, calibration: Calibration, seed: int
) -> RigEstimate:
    """The pose of a rig from its cameras' matches with points of the map, refused where it is not to be believed."""
    views = [one.view(one.matches.keypoints, sparse.points[one.matches.points]) for one in seen]
    found = generalized_pose(views, pnp, seed)
    counts = np.array([[rows.sum(), len(rows), 0] for rows in found.inliers], np.int64)
    if found.rig_from_world is None:
        return RigEstimate(None, counts, reason=found.reason)
    evidence = weigh_rig(views, [one.matches.images for one in seen], found, pnp.max_error_px, seed)
    evidence = replace(evidence, quality=seen[int(counts[:, 0].argmax())].quality)
    covariance = _with_map_errors(found, sparse, [one.matches.points for one in seen])
    belief = confidence(evidence, calibration)
    return _judged(RigEstimate(found.rig_from_world, counts, covariance, belief, evidence), pnp.min_confidence)


def _judged(estimate: RigEstimate, min_confidence: float) -> RigEstimate:
    """The estimate, without its pose where that is not to be believed."""
    if estimate.confidence >= min_confidence or estimate.evidence is None:
        return estimate
    inliers, matches, _ = estimate.counts.sum(axis=0)
    reason = (
        f"a pose of the rig was found with confidence {estimate.confidence:.2f}, expected {min_confidence:g}: "
        f"{inliers} of {matches} matches agree; {doubt(estimate.evidence)}"
    )
    return replace(estimate, rig_from_world=None, covariance=None, reason=reason)


def refine_rig(
    config: RefineConfig,
    pnp: PnpConfig,
    estimate: RigEstimate,
    seen: Sequence[Seen],
    shown: MapImages,
    sparse: SparseMap,
) -> RigEstimate:
    """The estimate refined on matches near where points project, in rounds, as that of a single image is."""
    if estimate.rig_from_world is None:
        return estimate
    points, before = [one.matches.points for one in seen], estimate.covariance
    guides = [Guide(one.features, sparse, shown, config.images, config.ratio, config.noise_px) for one in seen]
    for radius_px in config.radii_px:
        found = _near(estimate, seen, guides, points, radius_px)
        better = _refined(pnp, estimate, before, seen, found, sparse)
        if better is None:
            break
        estimate, points = better, [each.points for each in found]
    return estimate


def _near(
    estimate: RigEstimate,
    seen: Sequence[Seen],
    guides: Sequence[Guide],
    matched: Sequence[Int[np.ndarray, "_"]],
    radius_px: float,
) -> list[Found]:
    """Matches of each camera near where points project; one without matches before may see what the others did."""
    assert estimate.rig_from_world is not None  # noqa: S101 - only such are refined
    anywhere = np.concatenate(matched)
    return [
        guide(one.cam_from_rig @ estimate.rig_from_world, one.camera, own if len(own) else anywhere, radius_px)
        for one, guide, own in zip(seen, guides, matched, strict=True)
    ]


def _refined(
    pnp: PnpConfig,
    estimate: RigEstimate,
    before: Float64[np.ndarray, "6 6"] | None,
    seen: Sequence[Seen],
    near: Sequence[Found],
    sparse: SparseMap,
) -> RigEstimate | None:
    """The estimate refined on the matches of each camera; None where they are fewer than agreed with it before.

    `before`: the covariance that it was registered with.
    """
    assert estimate.rig_from_world is not None  # noqa: S101 - only such are refined
    if sum(each.num_keypoints() for each in near) < max(int(estimate.counts[:, 0].sum()), pnp.min_inliers):
        return None
    both = list(zip(seen, near, strict=True))
    views = [one.view(each.keypoints, sparse.points[each.points], each.whitening) for one, each in both]
    found = better_rig_pose(views, estimate.rig_from_world, pnp)
    if found.rig_from_world is None:
        return None
    guided = np.array([each.num_keypoints(rows) for each, rows in zip(near, found.inliers, strict=True)], np.int64)
    covariance = _with_map_errors(found, sparse, [each.points for each in near])
    covariance = in_part_as_before(covariance, before, int(guided.sum()))
    counts = np.column_stack([estimate.counts[:, :2], guided])
    return replace(estimate, rig_from_world=found.rig_from_world, covariance=covariance, counts=counts)


def _with_map_errors(
    found: RigPose, sparse: SparseMap, points: Sequence[Int64[np.ndarray, "_"] | np.ndarray]
) -> Float64[np.ndarray, "6 6"] | None:
    """The covariance with what errors of the map's poses add; `points`: the map's rows of every camera's matches."""
    if found.covariance is None or found.by_point is None:
        return None
    used = np.flatnonzero(found.by_point.any((1, 2)))
    rows = np.concatenate(points)[used].astype(np.int32)
    return found.covariance + covariance_of_map(sparse, rows, found.by_point[used])


def _start(
    config: RefineConfig,
    runtime: Runtime,
    features: Mapping[str, LocalFeatures],
    matches: Mapping[str, Correspondences],
    sensors: Mapping[str, Sensor],
    qualities: Mapping[str, ImageQuality | None],
    instants: Mapping[str, Instant],
    map_features: Mapping[str, LocalFeatures],
    sparse: SparseMap,
    calibration: Calibration,
    pnp: PnpConfig,
    seed: int,
) -> Run[str, RigEstimate]:
    shown = MapImages(map_features, sparse)

    def see(name: str, cam_from_rig: Rigid) -> Seen:
        camera, quality = sensors[name].camera, qualities[name]
        assert camera is not None  # noqa: S101 - an instant is of cameras
        overall = 1.0 if quality is None else quality.overall
        return Seen(camera, cam_from_rig, features[name], matches[name], overall)

    def run(keys: Iterable[str]) -> Iterator[RigEstimate]:
        for key in keys:
            seen = [see(name, cam_from_rig) for name, cam_from_rig in instants[key].members]
            found = register_rig(pnp, seen, sparse, calibration, seed)
            yield refine_rig(config, pnp, found, seen, shown, sparse)

    return run


REGISTER_RIG: EachStage[str, RigEstimate] = EachStage("register-rig", 5, RigEstimate, _start)
