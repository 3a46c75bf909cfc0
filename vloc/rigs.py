"""Estimates of single images -> estimates with what the rig that took them together says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from .config import LocalizationConfig
from .data.capture import Capture
from .data.estimate import PoseEstimate, Source
from .data.instants import Instant, instants_of
from .data.rig_estimate import RigEstimate
from .errors import DataError
from .geometry.rigid import Rigid
from .looking import Looked
from .map import Map
from .placed import Placed
from .run.inputs import Groups
from .run.workspace import Workspace
from .solvers.rig_consensus import Belief, consensus
from .stages.rigs import REGISTER_RIG, RigConfig


def by_rigs(
    work: Workspace, map_: Map, config: LocalizationConfig, seen: Looked, placed: Placed
) -> Mapping[str, PoseEstimate]:
    """The estimates, those of images that a rig took together by its pose, where rigs are used and it has one."""
    alone = placed.estimates
    if config.rig.use == "none":
        return alone
    instants = {instant.key: instant for instant in _instants(seen.photos.capture, list(alone), config.rig)}
    if config.rig.use == "transfer":
        made = [transferred(instant, alone, config.rig) for instant in instants.values()]
    else:
        evidence = seen.features, placed.matches, seen.sensors, seen.qualities
        tables = [table for table in evidence if table is not None]  # photos that are matched as they are lack features
        items = Groups({key: instant.names for key, instant in instants.items()}, tables)
        shared = [instants, map_.features, map_.stored, map_.calibration, config.register, config.seed]
        found = work.each(REGISTER_RIG, items, config.refine, each=tables, shared=shared)
        made = [together(instants[key], rig, alone) for key, rig in found.items()]
    return {**alone, **{name: estimate for group in made for name, estimate in group.items()}}


def check_rigs(queries: Capture, config: RigConfig) -> None:
    """DataError, before any work, where rigs are asked for and none took two of the queries at one time."""
    names = queries.images.names
    if config.use != "none" and names and not _instants(queries, names, config):
        raise DataError(
            f"--rig {config.use}: no two of {len(names)} queries were taken at one time by cameras that rigs.txt "
            "places on one rig: give the queries' capture its rigs and timestamps, or --rig none"
        )


def _instants(queries: Capture, names: Sequence[str], config: RigConfig) -> list[Instant]:
    """What was taken together; a joint pose takes intrinsics as exact, so without those that are rough."""
    is_joint = config.use == "joint"
    exact = [name for name in names if not (is_joint and queries.sensor(name).is_rough)]
    return instants_of(queries, exact, 0 if is_joint else config.max_gap)


def together(instant: Instant, found: RigEstimate, alone: Mapping[str, PoseEstimate]) -> dict[str, PoseEstimate]:
    """The estimates of an instant's images by the pose of the rig; each image's own where the rig has none."""
    if found.rig_from_world is None or found.covariance is None:
        return {name: alone[name] for name in instant.names}
    belief, made = Belief(found.rig_from_world, found.covariance, found.confidence), {}
    for (name, mount), counts in zip(instant.members, found.counts.tolist(), strict=True):
        placed = placed_by(alone[name], belief.seen_from(mount))
        numbers = dict(zip(("num_inliers", "num_matches", "num_guided"), counts, strict=True))
        made[name] = replace(placed, evidence=found.evidence, **numbers)
    return made


def transferred(instant: Instant, alone: Mapping[str, PoseEstimate], config: RigConfig) -> dict[str, PoseEstimate]:
    """The estimates of an instant's images where those without a pose follow the ones that have it.

    Where several have one, they vote with their confidence, and poses that two or more others outvote give way, too.
    """
    placed = [(name, mount) for name, mount in instant.members if alone[name].is_localized]
    if not placed:
        return {name: alone[name] for name in instant.names}
    belief, voters = consensus(beliefs_of(placed, alone), config.agree_m, config.agree_deg)
    kept = {name for row, (name, _) in enumerate(placed) if row in voters or len(voters) < 2}
    return {
        name: alone[name] if name in kept else placed_by(alone[name], belief.seen_from(mount))
        for name, mount in instant.members
    }


def beliefs_of(placed: Sequence[tuple[str, Rigid]], alone: Mapping[str, PoseEstimate]) -> list[Belief]:
    """What every image that has a pose says of the rig's."""
    return [belief_of(alone[name]).seen_from(mount.inverse()) for name, mount in placed]


def belief_of(estimate: PoseEstimate) -> Belief:
    """What an image that has a pose says of it."""
    pose, covariance = estimate.cam_from_world, estimate.covariance
    assert pose is not None and covariance is not None  # noqa: S101 - it is localized
    return Belief(pose, covariance, estimate.confidence)


def placed_by(estimate: PoseEstimate, belief: Belief, source: Source = "rig") -> PoseEstimate:
    """An image's estimate with a pose that others gave it."""
    return replace(
        estimate,
        cam_from_world=belief.rig_from_world,
        source=source,
        covariance=belief.covariance,
        confidence=belief.confidence,
        reason="",
        view=None,
    )
