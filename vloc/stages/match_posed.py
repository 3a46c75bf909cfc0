"""Pair of posed images -> matches that the poses allow; nothing is left to verify."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any

import numpy as np

from ..data.features import LocalFeatures, Matches
from ..data.pairs import Pair
from ..errors import DataError
from ..geometry.half_planes import PosedRays, posed_rays
from ..matching.base import PosedMatcher
from ..runtime import Runtime
from ..stage import EachStage, Run
from .match import PREPARED_IMAGES
from .verify import View


def _start(
    matcher: PosedMatcher, runtime: Runtime, features: Mapping[str, LocalFeatures], views: Mapping[str, View]
) -> Run[Pair, Matches]:
    loaded = matcher.load_posed(runtime)

    @lru_cache(PREPARED_IMAGES)
    def prepared(name: str) -> tuple[Any, PosedRays]:
        return loaded.prepare(features[name]), _rays(name, views[name], features[name])

    def match(pair: Pair) -> Matches:
        (first, rays1), (second, rays2) = prepared(pair[0]), prepared(pair[1])
        return loaded.match_posed(first, second, (rays1, rays2))

    def run(pairs: Iterable[Pair]) -> Iterator[Matches]:
        return map(match, pairs)

    return run


MATCH_POSED: EachStage[Pair, Matches] = EachStage("match-posed", 1, Matches, _start, chunk=512)


def _rays(name: str, view: View, features: LocalFeatures) -> PosedRays:
    if view.cam_from_world is None or not view.camera.is_known:
        raise DataError(f"{name}: matching by pose needs intrinsics and a pose")
    return posed_rays(view.camera, view.cam_from_world, features.keypoints.astype(np.float64))
