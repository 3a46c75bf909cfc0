"""Poses held against what they would see of a scan: those of a capture's queries, or one after the other."""

from __future__ import annotations

from collections import ChainMap
from dataclasses import replace
from functools import partial
from pathlib import Path

from .config import LocalizationConfig
from .data.estimate import PoseEstimate
from .errors import ConfigError, DataError
from .formats.scan import open3d, read_scan
from .geometry.quarter_turns import turned
from .looking import Looked
from .map import Map
from .map_source import photos_behind
from .photo_matching import photos_of
from .placed import Placed
from .points import content_of
from .query import Query
from .regular_file import is_regular
from .run.inputs import Table
from .run.results import NamedArtifact
from .run.workspace import Workspace
from .solvers.ray_casting import RayCaster
from .stages.images import Photos
from .stages.view import VIEW, MapPhotos, comparison, judged

OWN = "pnp", "depth", "retrieval"
"""sources of poses that the photo itself gave: what others gave may be right where it shows nothing"""


def check_view(map_: Map, config: LocalizationConfig, scan: Path | None) -> None:
    """ConfigError or DataError, before any work, where views are asked for and cannot be made."""
    use = config.view.use
    if use == "none":
        raise ConfigError(f"--scan {scan}: poses are held against it by --view check or require")
    if scan is None:
        raise ConfigError(f"--view {use}: needs the file of the scan (--scan FILE)")
    open3d()
    if not is_regular(scan):
        raise DataError(f"{scan}: no such file of a scan")
    photos_behind(map_)


def with_views(
    work: Workspace, map_: Map, config: LocalizationConfig, seen: Looked, placed: Placed, scan: Path
) -> Placed:
    """The estimates, those of photos that gave their poses themselves with how these views look like the photos."""
    names, size, estimates = map_.sparse.image_names, config.view.size, placed.estimates
    posed = [name for name, each in estimates.items() if is_own(each)]
    around = {name: [names[row] for row in seen.retrieved[name][: config.view.num_photos]] for name in posed}
    own, of_map = (each.of([], in_color=False, min_size=size) for each in (seen.photos, photos_of(map_, seen.photos)))
    tables: list[Table] = [estimates, own, MapPhotos(of_map, around)]
    caster = NamedArtifact("scan", content_of(seen.photos, scan), partial(RayCaster, partial(read_scan, scan)))
    views = work.each(VIEW, posed, size, each=tables, shared=[map_.stored, caster])
    checked = {name: judged(config.view, estimates[name], view) for name, view in views.items()}
    late: ChainMap[str, PoseEstimate] = ChainMap(checked, estimates)  # type: ignore[arg-type]
    return replace(placed, estimates=late, stages=(*placed.stages, views))


def is_own(estimate: PoseEstimate) -> bool:
    """Whether there is a pose, and the photo itself gave it."""
    return estimate.is_localized and estimate.source in OWN


class ViewCheck:
    """Holds poses of single photos against what they would see; the scan is in memory, the map's photos are read."""

    def __init__(self, map_: Map, config: LocalizationConfig, scan: Path) -> None:
        self._config, self._names, size = config.view, map_.sparse.image_names, config.view.size
        photos = Photos(photos_behind(map_), lambda name, stamp, read: "").of([], in_color=False, min_size=size)
        self._compare = comparison(size, photos, map_.sparse, RayCaster(partial(read_scan, scan)))

    def __call__(self, query: Query, estimate: PoseEstimate) -> PoseEstimate:
        """The estimate of a query, with how it looks like its view where it has a pose of its own."""
        if not is_own(estimate):
            return estimate
        images = [self._names[row] for row in query.rows[: self._config.num_photos]]
        shown = query.shown(False)
        stored = turned(shown.pixels, -shown.quarter_turns)
        return judged(self._config, estimate, self._compare(estimate, stored, images))
