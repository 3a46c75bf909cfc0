"""Queries in, poses out, against a finished map: look, place, then what rigs and sequences say; no step looks back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from .config import LocalizationConfig, query_matcher
from .data.capture import Capture
from .data.estimate import PoseEstimate
from .describing import check_recorded, plugins_of
from .known_cameras import with_known_cameras
from .looking import Looked, look
from .map import Map
from .photo_matching import check_photo_matching
from .placed import Placed
from .placing import place
from .points import check_has_points
from .priors import sensed_by, uprights, with_priors
from .query_depth import check_query_depth
from .rigs import by_rigs, check_rigs
from .run.workspace import Workspace
from .sequences import by_sequences, check_sequences
from .sharing import shared_images
from .solvers.odometry import Odometry
from .stage import Results
from .stages.images import Photos
from .stages.quality import explained


def localize_capture(
    work: Workspace, map_: Map, queries: Capture, config: LocalizationConfig, scan: Path | None = None
) -> list[PoseEstimate]:
    """One estimate for every image of `queries`, in their order; broken images get one that says so.

    Rough intrinsics give way to the map's where the same device took a query. `scan`: a file that `formats.scan` reads,
    in the frame of the map, for `config.view`.
    """
    queries = with_known_cameras(map_, queries)
    photos = Photos(queries, work.content_hash, map_.config.look)
    odometry, sensed = check(work, map_, photos, config, scan), sensed_by(queries, map_, config)
    seen = look(work, map_, photos, config, uprights(config.priors, sensed))
    placed = place(work, map_, config, seen, scan)
    if again := shared_images(queries, config, map_.sparse, placed.estimates, seen.retrieved):
        placed = place(work, map_, config, seen.given(again), scan).over(placed)
        seen = seen.given({**seen.retrieved, **again})
    rigged = by_rigs(work, map_, config, seen, placed)
    sensible = with_priors(config.priors, sensed, every_estimate(map_, seen, placed, rigged))
    return by_sequences(queries, config, sensible, odometry)


def check(
    work: Workspace, map_: Map, photos: Photos, config: LocalizationConfig, scan: Path | None
) -> dict[str, Odometry]:
    """ConfigError or DataError, before any work, for what cannot be done; and the queries' odometry, which is read."""
    queries, matcher = photos.capture, query_matcher(config, map_.config)
    if config.paradigm == "map":
        check_has_points(map_)
    else:
        from .paradigms import check_paradigm  # which take longer to import than to refuse

        check_paradigm(map_, config)
    check_photo_matching(map_, config, matcher)
    work.require(plugins_of(map_.config.extract, map_.config.describe, matcher))
    check_recorded(photos, queries.images.names, map_.config.describe, of_map=False)
    check_rigs(queries, config.rig)
    check_query_depth(map_, photos, config)
    if config.view.use != "none" or scan is not None:
        from .view_check import check_view

        check_view(map_, config, scan)
    return check_sequences(queries, config.sequence)


def every_estimate(
    map_: Map, seen: Looked, placed: Placed, estimates: Mapping[str, PoseEstimate]
) -> list[PoseEstimate]:
    """One for every query in their order, with what is known beside its pose; of those that failed, why."""
    stages = (seen.qualities, seen.features, *seen.described, *placed.stages)
    failures = [stage.failures for stage in stages if isinstance(stage, Results)]
    names, outcomes = map_.sparse.image_names, dict(seen.refused)
    for name, estimate in estimates.items():
        given = estimate.given(names, seen.retrieved[name].tolist(), seen.similarities[name])
        outcomes[name] = explained(given, seen.qualities[name])
    for name in seen.photos.capture.images.names:
        reason = next((reasons[name] for reasons in failures if name in reasons), "")
        outcomes.setdefault(name, PoseEstimate(name, None, "none", reason=reason))
    return [replace(outcomes[name], unit=map_.frame.unit) for name in seen.photos.capture.images.names]
