"""Depth maps of queries, beside the poses that their photos gave."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Mapping, Sequence

from .config import LocalizationConfig, query_matcher
from .data.depth import KeypointPlanes
from .data.estimate import PoseEstimate
from .data.selection import Correspondences
from .errors import ConfigError
from .looking import Looked
from .map import Map
from .matching.base import PhotoMatcher
from .points import depth_maps
from .run.inputs import Table
from .run.workspace import Workspace
from .stage import Results
from .stages.images import Photos
from .stages.lift import SURFACE
from .stages.query_depth import QUERY_DEPTH
from .stages.verify import View


def check_query_depth(map_: Map, photos: Photos | None, config: LocalizationConfig) -> None:
    """ConfigError or DataError, before any work, where depth of queries is asked for and cannot be used.

    Without `photos`, of single photos, which have none.
    """
    use = config.depth.use
    if use == "none":
        return
    if photos is None:
        raise ConfigError(f"--depth {use}: a single photo has no depth map: localize captures that have them")
    if config.paradigm != "map":
        raise ConfigError(
            f"--depth {use}: is held against the map's points, which --paradigm {config.paradigm} leaves out"
        )
    if isinstance(matcher := query_matcher(config, map_.config), PhotoMatcher):
        raise ConfigError(f"--depth {use}: needs local features, and matcher '{matcher.plugin_name}' has none")
    if map_.frame.unit != "m":
        raise ConfigError(f"--depth {use}: {map_.folder} is not in metres: `vloc align` it")
    depth_maps(photos)


def surfaces_of(
    work: Workspace, config: LocalizationConfig, seen: Looked, names: Sequence[str]
) -> Results[KeypointPlanes] | None:
    """What the keypoints of queries that have depth maps lie on; None where depth is not used."""
    if config.depth.use == "none" or seen.features is None:
        return None
    depths = depth_maps(seen.photos)
    there = [name for name in names if name in depths]
    views = {name: View(camera, None) for name in there if (camera := seen.sensors[name].camera) is not None}
    return work.each(SURFACE, there, config.depth.max_bend, each=[depths, seen.features, views])


def oriented(
    work: Workspace,
    map_: Map,
    config: LocalizationConfig,
    seen: Looked,
    matches: Results[Correspondences],
    planes: Results[KeypointPlanes] | None,
    registered: Results[PoseEstimate],
) -> Results[PoseEstimate]:
    """The estimates, queries without a pose with that by their depth maps where it is asked for and believed."""
    if planes is None or seen.features is None or config.depth.use != "orient":
        return registered
    from .stages.orient import ORIENT  # which few commands need

    surfaces = ChainMap[str, KeypointPlanes | None](planes, dict.fromkeys(registered))  # type: ignore[arg-type]
    tables: list[Table] = [registered, seen.features, matches, seen.sensors, seen.qualities, surfaces]
    shared = [map_.stored, map_.calibration, config.seed]
    return work.each(ORIENT, list(registered), config.register, each=tables, shared=shared)


def with_depth(
    work: Workspace,
    map_: Map,
    config: LocalizationConfig,
    seen: Looked,
    matches: Results[Correspondences],
    planes: Results[KeypointPlanes] | None,
    placed: Results[PoseEstimate],
) -> Mapping[str, PoseEstimate]:
    """The estimates, those of queries with depth maps held against these where that is asked for."""
    if planes is None or seen.features is None:
        return placed
    tables: list[Table] = [placed, seen.features, matches, planes]
    shared = [map_.stored, config.register.max_error_px]
    examined = work.each(
        QUERY_DEPTH, [name for name in planes if name in placed], config.depth, each=tables, shared=shared
    )
    return ChainMap(examined, placed)  # type: ignore[arg-type]
