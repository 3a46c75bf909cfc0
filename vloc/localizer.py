"""A localizer that stays in memory: a robot, a server, a notebook."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from .config import LocalizationConfig, make_config, query_matcher
from .data.capture import GIVEN, Sensor
from .data.estimate import PoseEstimate
from .data.features import LocalFeatures
from .data.imported import Imported
from .data.map_images import MapImages
from .data.quality import ImageQuality
from .describing import feature_under
from .errors import ConfigError, DataError
from .features.base import LocalFeature
from .formats.image_folder import rough_sensor
from .formats.image_header import ImageHeader, upright_turns
from .formats.images import check_size, decode
from .geometry.camera import Camera
from .known_cameras import PREFIX, camera_of, of_image
from .map import Map
from .matching.base import PhotoMatcher
from .registry import to_text
from .regular_file import read_regular
from .retrieval.base import GlobalFeature, PhotoDescriptor
from .retrieval.filters import Choice, FilterConfig
from .retrieval.geometric import Geometric
from .retrieval.gnss import Gnss
from .retrieval.radio import Radio
from .retrieval.reranking import Searcher, searcher
from .retrieval.search import Allowed
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

Shown = Callable[[bool], Photo]
"""A query as features look at it, in colour or not."""


class Localizer:
    """Holds a map's descriptors, points and models, and localizes one image after another. Thread safe.

    `settings` are those of `LocalizationConfig`: `Localizer(map_, retrieve={"num_retrieved": 10})`.
    """

    def __init__(self, map_: Map | str | Path, runtime: Runtime | None = None, **settings: Any) -> None:
        self.map = map_ = map_ if isinstance(map_, Map) else Map.open(map_)
        self.config, config = make_config(LocalizationConfig, **settings), map_.config
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

    def localize(
        self, image: str | Path | np.ndarray, camera: Camera | str | None = None, name: str = "query"
    ) -> PoseEstimate:
        """The pose of one image: a file, or uint8 pixels (h, w) grey or (h, w, 3) RGB, which are taken as upright.

        `camera`: the intrinsics, or `map:NAME` for those of an image of the map. Left out, they are what `camera_of`
        says of a file, and a guess for pixels. DataError for a broken file, or one of another size than the camera's.
        No pose is a result, with a reason.
        """
        sensor = self._sensor(image, camera)
        assert sensor.camera is not None  # noqa: S101 - of an image
        pixels = cache(partial(_pixels, image))
        check_size(pixels(False), sensor.camera, name if isinstance(image, np.ndarray) else str(image))
        shown, quality = cache(partial(_shown, pixels, self._turns(image))), image_quality(pixels(False))
        if refusal := refuse(self.config.quality, {name: quality}):
            return replace(refusal[name], unit=self.map.frame.unit)
        with one_blas_thread:
            # Side by side: OpenCV extracts on one core and a half.
            features = self._threads.submit(lambda: extract(self._extract, shown(self.map.config.extract.in_color)))
            retrieved = self._threads.submit(self._retrieve, shown, features)
            rows = self._arranged(features.result(), sensor, retrieved.result())
            estimate = self._place(name, sensor, quality, features.result(), rows)
        names = tuple(self.map.sparse.image_names[row] for row in rows)
        return explained(replace(estimate, retrieved=names, unit=self.map.frame.unit), quality)

    def _place(
        self, name: str, sensor: Sensor, quality: ImageQuality, features: LocalFeatures, rows: list[int]
    ) -> PoseEstimate:
        """The pose of a query among the map images that look most like it."""
        config, sparse, map_ = self.config, self.map.sparse, self._threads.map
        is_sure = sureness(config.correspond, config.register, features, sensor, sparse, config.seed)
        matches = correspond(config.correspond, self._match, features, sensor.image_size, rows, is_sure, map_)
        known = sparse, self.map.calibration.value, config.seed
        estimate = register(config.register, name, sensor, quality, features, matches, *known)
        images = [self._shown(row) for row in rows]
        return refine(config.refine, config.register, estimate, sensor, features, images, sparse, map_)

    def _sensor(self, image: str | Path | np.ndarray, camera: Camera | str | None) -> Sensor:
        """What took an image; DataError for a camera that is none."""
        if isinstance(camera, Camera):
            return Sensor("camera", camera=camera, focal_source=GIVEN)
        if camera is not None and not (isinstance(camera, str) and camera.startswith(PREFIX)):
            raise DataError(
                f"camera: expected a vloc.Camera with the intrinsics of the image, or map:NAME, got {camera!r}"
            )
        if isinstance(image, np.ndarray):
            height, width = _pixels(image, False).shape
            sensor = rough_sensor(ImageHeader(width, height))
        else:
            sensor = camera_of(image, self.map)
        return sensor if camera is None else of_image(self.map, sensor, camera.removeprefix(PREFIX))

    def _turns(self, image: str | Path | np.ndarray) -> int:
        """Quarter turns clockwise that make it upright, where the map's own photos are turned so."""
        if isinstance(image, np.ndarray) or self.map.config.look.upright == "none":
            return 0
        return upright_turns(read_regular(Path(image)), str(image))

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


def _pixels(image: str | Path | np.ndarray, in_color: bool) -> np.ndarray:
    """An image, grey or RGB as asked."""
    import cv2

    if isinstance(image, str | Path):
        try:
            return decode(read_regular(Path(image)), str(image), color=in_color)
        except OSError as error:
            raise DataError(f"{image}: {error.strerror}") from None
    if not isinstance(image, np.ndarray):
        raise DataError(f"image: expected a file or an array of pixels, got {type(image).__name__}")
    if (
        image.size == 0
        or image.dtype != np.uint8
        or image.ndim not in (2, 3)
        or (image.ndim == 3 and image.shape[2] != 3)
    ):
        raise DataError(f"image array: expected uint8 (h, w) or (h, w, 3), got {image.dtype} {image.shape}")
    if in_color == (image.ndim == 3):
        return image
    return cv2.cvtColor(image, cv2.COLOR_GRAY2RGB if in_color else cv2.COLOR_RGB2GRAY)
