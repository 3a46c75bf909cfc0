"""What a map is worth for images that it does not hold: its own, each localized without itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from .array_types import Float64, Int64
from .config import LocalizationConfig, query_matcher
from .data.capture import Sensor
from .data.map_images import MapImages, Shown
from .data.selection import Correspondences, evenly
from .data.sparse_map import SparseMap
from .errors import ConfigError
from .geometry.pose_error import pose_errors
from .map import Map
from .matching.base import Matcher, PhotoMatcher
from .points import check_has_points
from .retrieval.search import search
from .runtime import Runtime
from .stage import Artifact
from .stages.correspond import MapMatcher, correspond, sureness
from .stages.refine import refine
from .stages.register import register


@dataclass(frozen=True, eq=False)
class HeldOut:
    """Errors of the poses of held-out images against those that the map gives them; infinite of those without."""

    metres: Float64[np.ndarray, "n"]
    degrees: Float64[np.ndarray, "n"]

    @property
    def num_localized(self) -> int:
        """How many have a pose."""
        return int(np.isfinite(self.metres).sum())

    @property
    def medians(self) -> tuple[float, float]:
        """Metres and degrees, of all images."""
        return float(np.median(self.metres)), float(np.median(self.degrees))


def held_out(whole: Map, tried: Map, names: Sequence[str]) -> HeldOut:
    """Images of a map localized in another one made from it, itself or a smaller one, without themselves.

    A point counts as evidence where two others see it, or one and depth. ConfigError where no photo can be placed so.
    """
    errors = Trials(whole, tried)
    rows = [errors(name) for name in names]
    return HeldOut(np.array([metres for metres, _ in rows]), np.array([degrees for _, degrees in rows]))


class Trials:
    """Localizes images of `whole` in `tried` without themselves."""

    def __init__(self, whole: Map, tried: Map) -> None:
        matcher = tried_matcher(whole)
        self._config = LocalizationConfig()
        self._whole, self._tried, self._sparse = whole, tried, tried.sparse
        self._fusion = tried.fusion.value if isinstance(tried.fusion, Artifact) else tried.fusion
        self._shown = MapImages(tried.features, tried.sparse)
        self._match = MapMatcher(matcher.load(Runtime()), self._shown)

    def __call__(self, name: str) -> tuple[float, float]:
        """Metres and degrees from where the whole map has an image; infinite where it finds no pose."""
        row, whole, config = self._whole.sparse.row_of[name], self._whole.sparse, self._config
        sensor, features = Sensor("camera", camera=whole.camera(row)), self._whole.features[name]
        images = self._similar(row, name)
        is_sure = sureness(config.correspond, config.register, features, sensor, self._sparse, config.seed)
        found = correspond(config.correspond, self._match, features, sensor.image_size, images.tolist(), is_sure)
        matches, calibration = self._without(name, found), self._tried.calibration.value
        seen = name, sensor, None, features, matches, self._sparse, calibration, config.seed
        estimate = register(config.register, *seen)
        known = sensor, features, matches.points, self._others(name), self._sparse
        estimate = refine(config.refine, config.register, estimate, *known)
        if estimate.cam_from_world is None:
            return np.inf, np.inf
        metres, radians = pose_errors(estimate.cam_from_world, whole.cam_from_world[row])
        return float(metres), float(np.degrees(radians))

    def _similar(self, row: int, name: str) -> Int64[np.ndarray, "k"]:
        """The images that look most like one, without itself."""
        own = [vectors[[row]] for vectors in self._whole.vectors.value]
        count = self._config.retrieve.num_retrieved
        found = search(own, self._tried.vectors.value, self._fusion, count + 1).of(0).astype(np.int64)
        return found[found != self._sparse.row_of.get(name, -1)][:count]

    def _others(self, name: str) -> Callable[[int], Shown]:
        """Gives what the map's images show; an image of a name nothing."""
        own = self._sparse.row_of.get(name)
        return lambda image: self._shown(image)[:0] if image == own else self._shown(image)

    def _without(self, name: str, matches: Correspondences) -> Correspondences:
        """The matches whose points there would be without the image."""
        row = self._sparse.row_of.get(name)
        own = np.zeros(0, np.int32) if row is None else self._sparse.points_of(row)
        others = self._sparse.track_lengths[matches.points] - np.isin(matches.points, own)
        has_depth = self._sparse.depth_information_of(matches.points).any(axis=(1, 2))
        return matches[others >= np.where(has_depth, 1, 2)]


def tried_matcher(map_: Map) -> Matcher:
    """The matcher of a map that can be tried by its own images; ConfigError where it cannot."""
    check_has_points(map_)
    matcher = query_matcher(LocalizationConfig(), map_.config)
    if isinstance(matcher, PhotoMatcher):
        raise ConfigError(f"{map_.folder}: matcher '{matcher.plugin_name}' looks at photos, which a map does not hold")
    return matcher


def tried_images(sparse: SparseMap, count: int) -> list[str]:
    """Images of a map, evenly spread."""
    return evenly(list(sparse.image_names), count)
