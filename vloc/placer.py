"""The steps from an image to its pose, one by one, with a map's models and points in memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from functools import cache, partial
from typing import Any

import numpy as np

from .config import LocalizationConfig, query_matcher
from .data.estimate import PoseEstimate
from .data.features import LocalFeatures
from .data.instants import Instant
from .data.map_images import MapImages
from .data.selection import Correspondences
from .describing import feature_under
from .errors import ConfigError
from .features.base import Extractor, LocalFeature, SparingFeature
from .formats.images import check_size
from .geometry.camera import Camera
from .geometry.rigid import Rigid
from .map import Map
from .matching.base import PhotoMatcher
from .query import Image, Query, Shown, pixels_of, sensor_of, turns_of
from .retrieval.base import GlobalFeature, PhotoDescriptor
from .retrieval.filters import Choice, FilterConfig
from .retrieval.geometric import Geometric
from .retrieval.reranking import Searcher, searcher
from .retrieval.search import Allowed, Vectors
from .rigs import together
from .runtime import Runtime, keep_memory
from .stage import Artifact
from .stages.arrange import Arranger
from .stages.correspond import MapMatcher, correspond, sureness
from .stages.expected import NearConfig, expected_matches
from .stages.extract import extract
from .stages.images import Photo
from .stages.quality import explained, image_quality, refuse
from .stages.refine import refine
from .stages.register import register
from .stages.retrieve import num_listed
from .stages.rigs import refine_rig, register_rig

Held = Callable[[Query, PoseEstimate], PoseEstimate]
"""a query and its estimate -> the estimate, whose pose may not stand"""


class Placer:
    """Looks at images, finds the map's images and points in them, and from these their poses. Thread safe."""

    def __init__(self, map_: Map, runtime: Runtime, config: LocalizationConfig, held: Held | None = None) -> None:
        self.map, self.config, self._held = map_, config, held
        matcher = query_matcher(config, map_.config)
        assert not isinstance(matcher, PhotoMatcher)  # noqa: S101 - the localizer refuses those that look at the map's photos
        self._runtime = runtime
        keep_memory()
        self._threads = ThreadPoolExecutor(runtime.num_workers, thread_name_prefix="vloc")
        self._extract = map_.config.extract.load(runtime)
        self._describe = [
            (_look(d, map_.config.extract, runtime), d.load(runtime, trained.value.arrays))
            for d, trained in zip(map_.config.describe, map_.trained, strict=True)
        ]
        fusion = map_.fusion.value if isinstance(map_.fusion, Artifact) else map_.fusion
        self._find = searcher(Searcher(map_.vectors.value, fusion, map_.sparse.cam_from_world), config.reranking)
        self._allowed = _allowed(config.filter, map_)
        self.shown = MapImages(map_.features, map_.sparse)
        self._match = MapMatcher(matcher.load(runtime), self.shown)
        last = config.reranking[-1] if config.reranking else None
        known = self._match, self.shown, map_.sparse, config.seed
        self._arrange = Arranger(last, *known) if isinstance(last, Geometric) else None

    def look(self, image: Image, camera: Camera | str | None, name: str) -> Query:
        """An image with what took it and how good it is; DataError for a broken one, or one of another size."""
        sensor = sensor_of(self.map, image, camera)
        assert sensor.camera is not None  # noqa: S101 - of an image
        pixels = cache(partial(pixels_of, image))
        check_size(pixels(False), sensor.camera, name if isinstance(image, np.ndarray) else str(image))
        shown = cache(partial(_shown, pixels, turns_of(self.map.config.look, image)))
        quality = self._threads.submit(image_quality, pixels(False)).result  # beside the features
        asked = self.config.quality
        refusal = refuse(asked, {name: quality()}).get(name) if asked.min_quality else None
        return Query(name, sensor, quality, shown, refusal=refusal)

    def extractor(self, max_keypoints: int | None, num_described: int) -> Extractor:
        """The map's own, or one of fewer keypoints; ConfigError where the feature cannot be told so.

        Where poses are refined without comparing descriptors, only so many keypoints are described.
        """
        feature = self.map.config.extract
        if max_keypoints is not None:
            if not hasattr(feature, "max_keypoints"):
                raise ConfigError(
                    f"max_keypoints: the map's feature '{feature.plugin_name}' has no such setting: leave it out"
                )
            feature = replace(feature, max_keypoints=min(max_keypoints, feature.max_keypoints))  # type: ignore[type-var]
        if isinstance(feature, SparingFeature) and self.shown(0).arrows is not None:
            return feature.load_sparing(self._runtime, num_described)
        return feature.load(self._runtime)

    def searched(self, query: Query) -> Query:
        """The query with features and matches, unless it is refused: with the map images that look most like it."""
        if query.refusal is not None:
            return query
        # Side by side: OpenCV extracts on one core and a half.
        features = self._threads.submit(self._features, query, self._extract)
        rows = self._threads.submit(self._retrieve, query, features)
        return self.matched(replace(query, features=features.result()), rows.result())

    def matched_near(
        self, query: Query, extractor: Extractor, cam_from_world: Rigid, rows: Sequence[int], config: NearConfig
    ) -> Query:
        """The query with features, and matches near where an expected pose puts the points of map images."""
        features, ratio = self._features(query, extractor), self.config.refine.ratio
        camera, strongest = query.sensor.camera, features[: config.strongest]
        assert camera is not None  # noqa: S101 - of an image
        expected = ratio, strongest, camera, cam_from_world, rows, self.shown, self.map.sparse, config.search_px
        return replace(query, features=features, rows=rows, matches=expected_matches(*expected, self._threads.map))

    def place(self, query: Query) -> PoseEstimate:
        """The pose of a query by its own matches."""
        if query.refusal is not None:
            return query.refusal
        config, sparse = self.config, self.map.sparse
        seen = query.sensor, query.quality(), query.features, query.matches
        estimate = register(config.register, query.name, *seen, sparse, self.map.calibration.value, config.seed)
        known = query.sensor, query.features, query.matches.points, self.shown, sparse
        refined = refine(config.refine, config.register, estimate, *known, self._threads.map)
        return refined if self._held is None else self._held(query, refined)

    def place_together(
        self, queries: Sequence[Query], cams_from_rig: Sequence[Rigid], alone: Mapping[str, PoseEstimate]
    ) -> Mapping[str, PoseEstimate]:
        """The poses of queries that a rig took together, of those that can be solved so."""
        members = list(zip(queries, cams_from_rig, strict=True))
        usable = [(query, at) for query, at in members if not (query.refusal or query.sensor.is_rough)]
        if len(usable) < 2:
            return {}
        names, mounts = zip(*((query.name, at) for query, at in usable), strict=True)
        config, sparse, seen = self.config, self.map.sparse, [query.mounted(at) for query, at in usable]
        found = register_rig(config.register, seen, sparse, self.map.calibration.value, config.seed)
        refined = refine_rig(config.refine, config.register, found, seen, self.shown, sparse)
        return together(Instant("rig", 0, names, mounts), refined, alone)

    def told(self, query: Query, estimate: PoseEstimate) -> PoseEstimate:
        """The estimate with what is known of the query beside its pose."""
        known = replace(estimate, unit=self.map.frame.unit)
        if query.refusal is not None:
            return known
        shown = known.given(self.map.sparse.image_names, query.rows, query.similarities)
        return explained(shown, query.quality())

    def _features(self, query: Query, extractor: Extractor) -> LocalFeatures:
        return extract(extractor, query.shown(self.map.config.extract.in_color))

    def _retrieve(self, query: Query, features: Future[LocalFeatures]) -> dict[int, float]:
        return self.similar([describe(look(query.shown, features)).vector[None] for look, describe in self._describe])

    def similar(self, vectors: Vectors) -> dict[int, float]:
        """Rows of the map images that look most like a query, best first, and how similar they are.

        `vectors`: the query's, one row for each of the map's global descriptors.
        """
        count = num_listed(self.config.retrieve, self.config.reranking)
        return self._find(vectors, count, self._allowed).scored(0)

    def matched(self, query: Query, similarities: dict[int, float]) -> Query:
        """The query with its matches with some map images, in the order that geometry gives these where it is asked."""
        rows = list(similarities)
        if self._arrange is not None:
            rows = self._arrange(query.features, query.sensor, np.array(rows, np.int64)).of(0).tolist()
        rows = rows[: self.config.retrieve.num_retrieved]
        return replace(query, rows=rows, similarities=similarities, matches=self._matches(query, rows))

    def _matches(self, query: Query, rows: list[int]) -> Correspondences:
        config, features, size = self.config, query.features, query.sensor.image_size
        is_sure = sureness(config.correspond, config.register, features, query.sensor, self.map.sparse, config.seed)
        return correspond(config.correspond, self._match, features, size, rows, is_sure, self._threads.map)


def _allowed(config: FilterConfig, map_: Map) -> Allowed | None:
    """The map images that queries may be given; ConfigError where that depends on more than what they look like."""
    if config.asks_of_queries:
        raise ConfigError(
            "filter: a single photo does not say where and when it was taken, or in which folder: max_distance, "
            "min_time_apart and other_folders are for `vloc localize` and `vloc.localize`"
        )
    return Choice(config, None, map_.taken).allowed() if config.is_active else None


def _look(descriptor: GlobalFeature, own: LocalFeature, runtime: Runtime) -> Callable[[Shown, Future[Any]], Any]:
    """What gives a descriptor what it takes of a query, from its pixels and the features by which it is placed."""
    if isinstance(descriptor, PhotoDescriptor):
        return lambda shown, features: shown(descriptor.in_color).pixels
    feature = feature_under(descriptor, own)
    if feature == own:
        return lambda shown, features: features.result()
    extractor = feature.load(runtime)
    return lambda shown, features: extract(extractor, shown(feature.in_color))


def _shown(pixels: Callable[[bool], np.ndarray], quarter_turns: int, in_color: bool) -> Photo:
    """An image turned upright, grey or RGB as asked."""
    return Photo.turned(pixels(in_color), quarter_turns)
