"""Where the points of a map come from: rays that meet, depth, both, or nowhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from .blocks import triangulated
from .config import MappingConfig
from .data.features import LocalFeatures, Matches
from .data.mounting import mounting_of
from .data.sparse_map import SparseMap
from .errors import ConfigError, DataError
from .formats.scan import open3d, read_scan
from .map import Map
from .regular_file import read_regular
from .run.workspace import Workspace
from .solvers.ray_casting import RayCaster
from .stage import Artifact, Results
from .stages.images import Photos
from .stages.lift import LIFT, POSES, SURFACE, DepthMaps, RenderedDepths
from .stages.reconstruct import RECONSTRUCT
from .stages.triangulate import PoseNoise
from .stages.verify import View


@dataclass(frozen=True)
class FoundPoints:
    """The images of a map with their points, and how far their poses are off, where that was found from the points."""

    sparse: Artifact[SparseMap]
    noise: Artifact[PoseNoise] | None = None


def check_points(photos: Photos, config: MappingConfig, scan: Path | None) -> None:
    """ConfigError or DataError, before any work, where the capture lacks what the points are to be made of."""
    source = config.points.source
    if (source == "scan" and scan is None) or (source not in ("scan", "hybrid") and scan is not None):
        raise ConfigError(
            "--points scan: needs the file of the scan (--scan FILE)"
            if scan is None
            else f"--points {source}: has no use for a scan (--scan): --points scan or hybrid"
        )
    if source != "triangulate" and not photos.capture.has_pose.any():
        raise ConfigError(f"--points {source}: needs the poses of images, and the capture has none")
    if source == "none" and config.fuse.is_open:
        raise ConfigError("--points none: weights of descriptors are chosen by points: give them (--fusion-weights)")
    if scan is not None:
        open3d()
        content_of(photos, scan)
    elif source in ("depth", "hybrid"):
        depth_maps(photos)


def content_of(photos: Photos, scan: Path) -> str:
    """What changes when the file of a scan does; DataError where there is none."""
    try:
        state = scan.stat()
        return photos.content_hash(str(scan), f"{state.st_size}-{state.st_mtime_ns}", lambda: read_regular(scan))
    except OSError as error:
        raise DataError(f"{scan}: {error.strerror or error}") from None


def check_has_points(map_: Map) -> None:
    """ConfigError for a map without points, in which no query can be placed by them."""
    if map_.config.points.source == "none":
        raise ConfigError(
            f"{map_.folder}: a map of poses alone (--points none): it has no points to localize by; other paradigms "
            "(--paradigm) need none"
        )


def depth_maps(photos: Photos) -> DepthMaps:
    """Those of a capture; DataError where there are none that are registered to its images."""
    return DepthMaps.of(photos.capture, photos.content_hash)


def rendered_depths(photos: Photos, scan: Path, views: Mapping[str, View]) -> RenderedDepths:
    """The scan as the images see it; it is read when the first one looks."""
    return RenderedDepths(RayCaster(partial(read_scan, scan)), content_of(photos, scan), views)


def find_points(
    work: Workspace,
    photos: Photos,
    views: Mapping[str, View],
    features: Results[LocalFeatures],
    matches: Results[Matches],
    config: MappingConfig,
    scan: Path | None,
    learned: Sequence[str] = (),
) -> FoundPoints:
    """The images of `views` with their points, whose poses are kept where there are any, and found by SfM where not.

    `learned`: references to what the map that is there has learned.
    """
    names, source = list(views), config.points.source
    if source == "none":
        return FoundPoints(work.once(POSES, None, names, views, features))
    lift = partial(lifted, work, photos, names, views, features, matches, config, scan)
    if source in ("depth", "scan"):
        return FoundPoints(lift(None))
    if not photos.capture.has_pose.any():
        mounting = None if config.sfm.rigs == "none" else mounting_of(photos.capture, names)
        known = names, views, features, matches, config.seed, mounting
        return FoundPoints(work.once(RECONSTRUCT, config.sfm, *known))
    met, noise = triangulated(work, views, features, matches, config.triangulate, learned)
    return FoundPoints(lift(met) if source == "hybrid" else met, noise)


def lifted(
    work: Workspace,
    photos: Photos,
    names: Sequence[str],
    views: Mapping[str, View],
    features: Results[LocalFeatures],
    matches: Results[Matches],
    config: MappingConfig,
    scan: Path | None,
    start: Artifact[SparseMap] | None,
) -> Artifact[SparseMap]:
    """Keypoints on the surfaces that a scan or depth maps show, after the points that there are."""
    depths = depth_maps(photos) if scan is None else rendered_depths(photos, scan, views)
    there = [name for name in names if name in depths]
    planes = work.each(SURFACE, there, config.points.max_bend, each=[depths, features, views])
    return work.once(LIFT, config.points, names, views, features, matches, planes, config.triangulate, start)
