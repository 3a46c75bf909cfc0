"""Queries that are looked at -> their poses, each alone: by the map's points, by small maps, or by retrieval alone."""

from __future__ import annotations

from operator import attrgetter
from pathlib import Path

from .config import LocalizationConfig, query_matcher
from .looking import Looked
from .map import Map
from .matching.base import PhotoMatcher
from .photo_matching import sight
from .placed import Placed
from .query_depth import oriented, surfaces_of, with_depth
from .run.inputs import Table
from .run.workspace import Workspace
from .stages.correspond import CORRESPOND
from .stages.refine import REFINE
from .stages.register import REGISTER
from .stages.sight import PartOf


def place(work: Workspace, map_: Map, config: LocalizationConfig, seen: Looked, scan: Path | None = None) -> Placed:
    """The poses of queries, held against what they would see of a scan where that is asked for."""
    placed = place_by_paradigm(work, map_, config, seen)
    if config.view.use == "none" or scan is None:
        return placed
    from .view_check import with_views

    return with_views(work, map_, config, seen, placed, scan)


def place_by_paradigm(work: Workspace, map_: Map, config: LocalizationConfig, seen: Looked) -> Placed:
    """The poses of queries by the paradigm that is chosen."""
    if config.paradigm == "approximation":
        from .paradigms import approximate

        found = approximate(work, map_, seen.described, config, seen.retrieved, seen.sensors)
        return Placed(found, None, (found,))
    if config.paradigm == "local-sfm":
        from .paradigms import place_locally

        assert seen.features is not None  # noqa: S101 - `check_paradigm` sees to it
        known = [seen.features, seen.retrieved, seen.sensors, seen.qualities]
        found = place_locally(work, map_, seen.photos, config, known)
        return Placed(found, None, (found,))
    return place_by_map(work, map_, config, seen)


def place_by_map(work: Workspace, map_: Map, config: LocalizationConfig, seen: Looked) -> Placed:
    """The matches of the queries, their poses by these, and their poses refined where features can be compared."""
    matcher, sparse, pnp = query_matcher(config, map_.config), map_.stored, config.register
    known, qualities, features = [sparse, map_.calibration, config.seed], seen.qualities, seen.features
    if features is None or isinstance(matcher, PhotoMatcher):
        assert isinstance(matcher, PhotoMatcher)  # noqa: S101 - which there are no features for
        sighted = sight(work, map_, seen.photos, seen.retrieved, seen.sensors, matcher)
        parts = PartOf(sighted, attrgetter("features")), PartOf(sighted, attrgetter("matches"))
        evidence: list[Table] = [*parts, seen.sensors, qualities, seen.ups]
        registered = work.each(REGISTER, list(sighted), pnp, each=evidence, shared=known)
        return Placed(registered, sighted, (sighted, registered))
    tables: list[Table] = [features, seen.retrieved, seen.sensors]
    shared = [map_.features, sparse, config.correspond, pnp, config.seed]
    matches = work.each(CORRESPOND, list(seen.retrieved), matcher, each=tables, shared=shared)
    evidence = [features, matches, seen.sensors, qualities, seen.ups]
    registered = work.each(REGISTER, list(matches), pnp, each=evidence, shared=known)
    planes = surfaces_of(work, config, seen, list(registered))
    found = oriented(work, map_, config, seen, matches, planes, registered)
    shared = [map_.features, sparse, pnp]
    evidence = [found, features, matches, seen.sensors]
    refined = work.each(REFINE, list(found), config.refine, each=evidence, shared=shared)
    held = with_depth(work, map_, config, seen, matches, planes, refined)
    return Placed(held, matches, (matches, registered, found, refined))
