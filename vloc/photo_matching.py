"""The parts of both stories in which photos are matched as they are, without features."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from .config import LocalizationConfig, MappingConfig
from .data.capture import Sensor
from .data.features import LocalFeatures, Matches
from .data.pairs import Pair, Pairs
from .data.photo_matches import Sightings
from .data.quality import ImageQuality
from .errors import ConfigError
from .map import Map
from .map_source import photos_behind
from .matching.base import AnyMatcher, ImageSize, PhotoMatcher
from .retrieval.geometric import Geometric
from .run.inputs import Table
from .run.workspace import Workspace
from .stage import Results
from .stages.images import ContentHash, Photos
from .stages.match import tiled
from .stages.match_photos import MATCH_PHOTOS, PREPARED_PHOTOS, PhotoPairs
from .stages.quality import QUALITY
from .stages.quantise import ASSIGN, QUANTISE, PairsOf, pairs_of
from .stages.sight import SIGHT


def readable(work: Workspace, photos: Photos) -> Results[ImageQuality]:
    """The photos of a capture that can be decoded; the others fail by name before any is matched."""
    return work.each(QUALITY, photos.of(photos.capture.images.names, in_color=False), None)


def match_photos(
    work: Workspace,
    photos: Photos,
    pairs: Sequence[Pair],
    sizes: Mapping[str, ImageSize],
    matcher: PhotoMatcher,
    config: MappingConfig,
) -> tuple[Results[LocalFeatures], Results[Matches]]:
    """Keypoints of a map's images, which are where these match over all their pairs, and the matches between them.

    `sizes`: of all images that are to have keypoints.
    """
    names = list(sizes)
    shown = photos.upright(names, in_color=matcher.in_color)
    found = work.each(MATCH_PHOTOS, tiled(pairs, PREPARED_PHOTOS // 2), matcher, each=[PhotoPairs(shown, shown)])
    features = work.each(QUANTISE, names, config.extract, each=[pairs_of(found, names), sizes])
    return features, work.each(ASSIGN, found.succeeded, config.extract, each=[found, features, sizes])


def sight(
    work: Workspace,
    map_: Map,
    queries: Photos,
    retrieved: Mapping[str, np.ndarray],
    sensors: Mapping[str, Sensor],
    matcher: PhotoMatcher,
) -> Results[Sightings]:
    """The points of a map that queries show, found by matching their photos with those of retrieved map images."""
    names, shown = map_.sparse.image_names, photos_of(map_, queries)
    pairs = {query: [(names[row], query) for row in rows] for query, rows in retrieved.items()}
    wanted = Pairs.of(pair for own in pairs.values() for pair in own)
    sides = [photos.upright([], in_color=matcher.in_color) for photos in (shown, queries)]
    found = work.each(MATCH_PHOTOS, wanted, matcher, each=[PhotoPairs(*sides)])
    tables: list[Table] = [PairsOf(found, pairs), sensors]
    return work.each(SIGHT, list(retrieved), map_.config.extract, each=tables, shared=[map_.features, map_.stored])


def photos_of(map_: Map, queries: Photos) -> Photos:
    """The photos that a map was made from, looked at as queries are."""
    content_hash = queries.content_hash
    return replace(
        queries,
        capture=photos_behind(map_),
        content_hash=partial(_of_map, content_hash),
    )


def _of_map(content_hash: ContentHash, name: str, stamp: str | None, read: Callable[[], bytes]) -> str:
    return content_hash(f"map/{name}", stamp, read)  # queries have the same names


def check_photo_matching(map_: Map, config: LocalizationConfig, matcher: AnyMatcher) -> None:
    """ConfigError or DataError, before any work, where photos are to be matched and something for it is missing."""
    if not isinstance(matcher, PhotoMatcher):
        return
    photos_behind(map_)
    if config.rig.use == "joint":
        raise ConfigError(
            f"--rig joint refines by descriptors, which matcher '{matcher.plugin_name}' does without: --rig transfer"
        )
    if any(isinstance(made, Geometric) for made in config.reranking):
        raise ConfigError(
            f"re-ranking 'geometric' compares descriptors, which matcher '{matcher.plugin_name}' does without: leave "
            "it out"
        )
