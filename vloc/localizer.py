"""A localizer that stays in memory: a robot, a server, a notebook."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from .config import LocalizationConfig, make_config, query_matcher
from .data.capture import Sensor
from .data.estimate import PoseEstimate
from .data.features import LocalFeatures
from .data.imported import Imported
from .data.instants import Instant
from .data.map_images import MapImages
from .data.selection import Correspondences
from .describing import feature_under
from .errors import ConfigError, DataError
from .features.base import LocalFeature
from .formats.images import check_size
from .geometry.camera import Camera
from .geometry.rigid import Rigid
from .map import Map
from .matching.base import PhotoMatcher
from .points import check_has_points
from .query import Image, Query, pixels_of, sensor_of, turns_of
from .registry import to_text
from .retrieval.base import GlobalFeature, PhotoDescriptor
from .retrieval.filters import Choice, FilterConfig
from .retrieval.geometric import Geometric
from .retrieval.gnss import Gnss
from .retrieval.radio import Radio
from .retrieval.reranking import Searcher, searcher
from .retrieval.search import Allowed
from .rigs import together
from .runtime import Runtime, one_blas_thread
from .stage import Artifact
from .stages.arrange import Arranger
from .stages.correspond import MapMatcher, correspond, sureness
from .stages.extract import extract
from .stages.images import Photo
from .stages.quality import explained, image_quality, refuse
from .stages.refine import refine
from .stages.register import register
from .stages.retrieve import num_listed
from .stages.rigs import refine_rig, register_rig

Shown = Callable[[bool], Photo]
"""A query as features look at it, in colour or not."""


class Localizer:
    """Holds a map's descriptors, points and models, and localizes one image after another. Thread safe.

    `settings` are those of `LocalizationConfig`: `Localizer(map_, retrieve={"num_retrieved": 10})`.
    """

    def __init__(self, map_: Map | str | Path, runtime: Runtime | None = None, **settings: Any) -> None:
        self.map = map_ = map_ if isinstance(map_, Map) else Map.open(map_)
        self.config, config = make_config(LocalizationConfig, **settings), map_.config
        check_has_points(map_)
        if brought := [
            to_text(m) for m in (config.extract, *config.describe) if isinstance(m, Imported | Radio | Gnss)
        ]:
            raise ConfigError(
                f"{map_.folder}: its {', '.join(brought)} came with the capture, and no photo has them: localize "
                "captures that bring them by `vloc localize` or `vloc.localize`"
            )
        if config.look.upright == "gravity":
            raise ConfigError(
                f"{map_.folder}: its photos were turned upright by gravity, of which a single photo says nothing: "
                "localize captures with an accelerometer by `vloc localize` or `vloc.localize`"
            )
        if isinstance(matcher := query_matcher(self.config, config), PhotoMatcher):
            raise ConfigError(
                f"{map_.folder}: matcher '{matcher.plugin_name}' looks at the map's own photos, which are not held in "
                "memory: localize captures by `vloc localize` or `vloc.localize`"
            )
        if self.config.paradigm != "map":
            raise ConfigError(
                f"paradigm '{self.config.paradigm}': a localizer in memory places by the map's points: localize "
                "captures by `vloc localize` or `vloc.localize`"
            )
        runtime = runtime or Runtime()
        self._threads = ThreadPoolExecutor(runtime.num_workers, thread_name_prefix="vloc")
        self._extract = config.extract.load(runtime)
        self._describe = [
            (_look(d, config.extract, runtime), d.load(runtime, trained.value.arrays))
            for d, trained in zip(config.describe, map_.trained, strict=True)
        ]
        fusion = map_.fusion.value if isinstance(map_.fusion, Artifact) else map_.fusion
        reranking = self.config.reranking
        self._find = searcher(Searcher(map_.vectors.value, fusion, map_.sparse.cam_from_world), reranking)
        self._allowed = _allowed(self.config.filter, map_)
        self._shown = MapImages(map_.features, map_.sparse)
        self._match = MapMatcher(matcher.load(runtime), self._shown)
        last = reranking[-1] if reranking else None
        known = self._match, self._shown, map_.sparse, self.config.seed
        self._arrange = Arranger(last, *known) if isinstance(last, Geometric) else None

    def localize(self, image: Image, camera: Camera | str | None = None, name: str = "query") -> PoseEstimate:
        """The pose of one image: a file, or uint8 pixels (h, w) grey or (h, w, 3) RGB, which are taken as upright.

        `camera`: the intrinsics, or `map:NAME` for those of an image of the map. Left out, they are what `camera_of`
        says of a file, and a guess for pixels. DataError for a broken file, or one of another size than the camera's.
        No pose is a result, with a reason.
        """
        with one_blas_thread:
            query = self._look(image, camera, name)
            return self._told(query, query.refusal or self._alone(query))

    def localize_rig(
        self,
        images: Sequence[Image],
        cameras: Sequence[Camera | str | None],
        cams_from_rig: Sequence[Rigid],
    ) -> list[PoseEstimate]:
        """The poses of images that the cameras of a rig took at one time, as one query: see `vloc.rigs`.

        Images and cameras as in `localize`; a camera whose intrinsics are rough stands for itself. DataError for
        fewer than two images.
        """
        counts = len(images), len(cameras), len(cams_from_rig)
        if len(set(counts)) > 1 or len(images) < 2:
            numbers = ", ".join(f"{n} {what}" for n, what in zip(counts, ("images", "cameras", "mounts"), strict=True))
            raise DataError(f"{numbers}: expected as many of each, and two at least")
        with one_blas_thread:
            queries = [self._look(*one, f"query {row}") for row, one in enumerate(zip(images, cameras, strict=True))]
            alone = {query.name: query.refusal or self._alone(query) for query in queries}
            placed = {**alone, **self._together(queries, cams_from_rig, alone)}
            return [self._told(query, placed[query.name]) for query in queries]

    def _look(self, image: Image, camera: Camera | str | None, name: str) -> Query:
        """What there is to say of an image without its pose."""
        sensor = sensor_of(self.map, image, camera)
        assert sensor.camera is not None  # noqa: S101 - of an image
        pixels = cache(partial(pixels_of, image))
        check_size(pixels(False), sensor.camera, name if isinstance(image, np.ndarray) else str(image))
        shown, quality = (
            cache(partial(_shown, pixels, turns_of(self.map.config.look, image))),
            image_quality(pixels(False)),
        )
        if refusal := refuse(self.config.quality, {name: quality}):
            return Query(name, sensor, quality, refusal=refusal[name])
        # Side by side: OpenCV extracts on one core and a half.
        features = self._threads.submit(lambda: extract(self._extract, shown(self.map.config.extract.in_color)))
        retrieved = self._threads.submit(self._retrieve, shown, features)
        rows = self._arranged(features.result(), sensor, retrieved.result())
        return Query(name, sensor, quality, features.result(), rows, self._matched(sensor, features.result(), rows))

    def _matched(self, sensor: Sensor, features: LocalFeatures, rows: list[int]) -> Correspondences:
        """The matches of a query with the map images that look most like it."""
        config, map_ = self.config, self._threads.map
        is_sure = sureness(config.correspond, config.register, features, sensor, self.map.sparse, config.seed)
        return correspond(config.correspond, self._match, features, sensor.image_size, rows, is_sure, map_)

    def _alone(self, query: Query) -> PoseEstimate:
        """The pose of a query by its own matches."""
        config, sparse = self.config, self.map.sparse
        seen = query.sensor, query.quality, query.features, query.matches
        estimate = register(config.register, query.name, *seen, sparse, self.map.calibration.value, config.seed)
        images, known = [self._shown(row) for row in query.rows], (query.sensor, query.features)
        return refine(config.refine, config.register, estimate, *known, images, sparse, self._threads.map)

    def _together(
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
        refined = refine_rig(config.refine, config.register, found, seen, self._shown, sparse)
        return together(Instant("rig", 0, names, mounts), refined, alone)

    def _told(self, query: Query, estimate: PoseEstimate) -> PoseEstimate:
        """The estimate with what is known of the query beside its pose."""
        names, unit = tuple(self.map.sparse.image_names[row] for row in query.rows), self.map.frame.unit
        if query.refusal is not None:
            return replace(estimate, unit=unit)
        return explained(replace(estimate, retrieved=names, unit=unit), query.quality)

    def _retrieve(self, shown: Shown, features: Future[LocalFeatures]) -> list[int]:
        """Rows of the map images that look most like the query."""
        vectors = [describe(look(shown, features)).vector[None] for look, describe in self._describe]
        count = num_listed(self.config.retrieve, self.config.reranking)
        return self._find(vectors, count, self._allowed).of(0).tolist()

    def _arranged(self, features: LocalFeatures, sensor: Sensor, rows: list[int]) -> list[int]:
        """Those that are matched, in the order that geometry gives them where it is asked."""
        if self._arrange is not None:
            rows = self._arrange(features, sensor, np.array(rows, np.int64)).of(0).tolist()
        return rows[: self.config.retrieve.num_retrieved]


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
