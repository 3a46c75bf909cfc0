"""Poses held against what they would see of a scan."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

from .config import LocalizationConfig
from .data.estimate import PoseEstimate
from .errors import ConfigError
from .formats.scan import open3d, read_scan
from .looking import Looked
from .map import Map
from .photo_matching import photos_of
from .placing import Placed
from .points import content_of
from .run.inputs import Table
from .run.results import NamedArtifact
from .run.workspace import Workspace
from .solvers.ray_casting import RayCaster
from .stages.images import Photos
from .stages.view import VIEW, MapPhotos, judged

OWN = "pnp", "retrieval"
"""sources of poses that the photo itself gave: what others gave may be right where it shows nothing"""


def check_view(map_: Map, photos: Photos, config: LocalizationConfig, scan: Path | None) -> None:
    """ConfigError or DataError, before any work, where views are asked for and cannot be made."""
    use = config.view.use
    if use == "none":
        raise ConfigError(f"--scan {scan}: poses are held against it by --view check alone")
    if scan is None:
        raise ConfigError(f"--view {use}: needs the file of the scan (--scan FILE)")
    open3d()
    content_of(photos, scan)
    photos_of(map_, photos)


def with_views(
    work: Workspace, map_: Map, config: LocalizationConfig, seen: Looked, placed: Placed, scan: Path
) -> Placed:
    """The estimates, those of photos that gave their poses themselves with how these views look like the photos."""
    names, size = map_.sparse.image_names, config.view.size
    posed = [name for name, each in placed.estimates.items() if each.is_localized and each.source in OWN]
    around = {name: [names[row] for row in seen.retrieved[name][: config.view.num_photos]] for name in posed}
    own, of_map = (each.of([], in_color=False, min_size=size) for each in (seen.photos, photos_of(map_, seen.photos)))
    tables: list[Table] = [placed.estimates, own, MapPhotos(of_map, around)]
    caster = NamedArtifact("scan", content_of(seen.photos, scan), lambda: RayCaster(partial(read_scan, scan)))
    views = work.each(VIEW, posed, size, each=tables, shared=[map_.stored, caster])
    checked = {name: judged(config.view, placed.estimates[name], view) for name, view in views.items()}
    return replace(placed, estimates=_over(checked, placed.estimates), stages=(*placed.stages, views))


def _over(late: Mapping[str, PoseEstimate], early: Mapping[str, PoseEstimate]) -> Mapping[str, PoseEstimate]:
    return ChainMap(late, early)  # type: ignore[arg-type]
