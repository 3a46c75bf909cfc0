"""Depth maps of queries, beside the poses that their photos gave."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Mapping

from .config import LocalizationConfig, query_matcher
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


def with_depth(
    work: Workspace,
    map_: Map,
    config: LocalizationConfig,
    seen: Looked,
    matches: Results[Correspondences],
    placed: Results[PoseEstimate],
) -> Mapping[str, PoseEstimate]:
    """The estimates, those of queries with depth maps held against these where that is asked for."""
    if config.depth.use == "none" or seen.features is None:
        return placed
    depths = depth_maps(seen.photos)
    there = [name for name in placed if name in depths]
    views = {name: View(camera, None) for name in there if (camera := seen.sensors[name].camera) is not None}
    planes = work.each(SURFACE, there, config.depth.max_bend, each=[depths, seen.features, views])
    tables: list[Table] = [placed, seen.features, matches, planes]
    shared = [map_.stored, config.register.max_error_px]
    examined = work.each(QUERY_DEPTH, list(planes), config.depth, each=tables, shared=shared)
    return ChainMap(examined, placed)  # type: ignore[arg-type]
