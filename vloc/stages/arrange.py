"""Retrieved images -> the same, those first whose matches with the query agree with one motion."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import numpy as np

from ..array_types import Int64
from ..data.capture import Sensor
from ..data.features import LocalFeatures
from ..data.map_images import MapImages
from ..data.selection import Ranking
from ..data.sparse_map import SparseMap
from ..matching.base import Matcher
from ..retrieval.geometric import Geometric
from ..runtime import Runtime
from ..solvers.two_view import TwoViewConfig, verify_with_ransac
from ..stage import EachStage, Run
from .correspond import MapMatcher


class Arranger:
    """Puts the first retrieved images in the order of how many matches agree. Thread safe."""

    def __init__(self, config: Geometric, matcher: MapMatcher, shown: MapImages, sparse: SparseMap, seed: int) -> None:
        self._config, self._match, self._shown, self._sparse, self._seed = config, matcher, shown, sparse, seed
        self._two_views = TwoViewConfig(max_error=config.max_error)

    def __call__(self, query: LocalFeatures, sensor: Sensor, images: Int64[np.ndarray, "k"]) -> Ranking:
        """The map images (rows) of one query, scored by inliers; those that are not looked at keep their places."""
        looked = images[: self._config.depth]
        found = self._match(query, sensor.image_size, looked, self._config.max_keypoints)
        inliers = np.array([self._inliers(query, sensor, image, matches.indices) for matches, _, image in found], int)
        order = np.argsort(-inliers, kind="stable")
        rows = np.concatenate([looked[order], images[self._config.depth :]])
        scores = np.concatenate([inliers[order], np.zeros(len(images) - len(looked))]).astype(np.float32)
        return Ranking.packed(rows[None].astype(np.int64), scores[None])

    def _inliers(self, query: LocalFeatures, sensor: Sensor, image: int, indices: np.ndarray) -> int:
        """How many matches of a query and a map image agree with one motion."""
        own = query.keypoints[indices[:, 0]].astype(np.float64)
        other = self._shown(image).features.keypoints[indices[:, 1]].astype(np.float64)
        assert sensor.camera is not None  # noqa: S101 - of an image
        cameras, trusted = (sensor.camera, self._sparse.camera(image)), not sensor.is_rough
        kept = verify_with_ransac(
            own, cameras[0], other, cameras[1], self._two_views, self._seed, trust_intrinsics=trusted
        )
        return int(kept.sum())


def _start(
    config: Geometric,
    runtime: Runtime,
    queries: Mapping[str, LocalFeatures],
    retrieved: Mapping[str, np.ndarray],
    sensors: Mapping[str, Sensor],
    features: Mapping[str, LocalFeatures],
    sparse: SparseMap,
    matcher: Matcher,
    seed: int,
) -> Run[str, Ranking]:
    shown = MapImages(features, sparse)
    arrange = Arranger(config, MapMatcher(matcher.load(runtime), shown), shown, sparse, seed)

    def run(names: Iterable[str]) -> Iterator[Ranking]:
        return (arrange(queries[name], sensors[name], retrieved[name].astype(np.int64)) for name in names)

    return run


ARRANGE: EachStage[str, Ranking] = EachStage("arrange", 1, Ranking, _start, chunk=8)
