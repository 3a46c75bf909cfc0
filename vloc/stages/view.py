"""Pose of a query -> how much its photo looks like what the pose would see of a scan."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from ..array_types import UInt8
from ..data.estimate import PoseEstimate
from ..data.sparse_map import SparseMap
from ..data.view import ViewConfig, ViewSimilarity
from ..features.reduced_size import reduced
from ..runtime import Runtime
from ..solvers.ray_casting import RayCaster
from ..solvers.scan_frame import check_frame
from ..solvers.view_similarity import view_similarity
from ..solvers.view_synthesis import PosedPhoto, synthesize
from ..stage import EachStage, Run
from .images import ImageItems

KEPT_PHOTOS = 512
"""reduced photos of the map (75 kB each) that stay in memory"""
Compare = Callable[[PoseEstimate, UInt8[np.ndarray, "h w"], Iterable[str]], ViewSimilarity]
"""(estimate with a pose, its photo, map images that paint the view) -> how alike photo and view are"""


@dataclass(frozen=True, eq=False)
class MapPhotos:
    """The photos of the map images that a query's view is painted with, as a table of a stage."""

    photos: ImageItems
    names: Mapping[str, Sequence[str]]

    def __getitem__(self, query: str) -> Sequence[str]:
        """Their names, in the order in which they paint."""
        return self.names[query]

    def __contains__(self, query: object) -> bool:
        """Whether there are any for a query."""
        return query in self.names

    def fingerprint_of(self, query: str) -> str:
        """Changes when one of the files does."""
        return " ".join(self.photos.fingerprint_of(name) for name in self.names[query])


def judged(config: ViewConfig, estimate: PoseEstimate, view: ViewSimilarity) -> PoseEstimate:
    """The estimate of a query with its view, by which it may lose its pose; its evidence and confidence stay."""
    told, fault = replace(estimate, view=view), _fault(config, view)
    if not fault:
        return told
    reason = f"a pose was found with confidence {estimate.confidence:.2f}, but {fault}"
    return replace(told, cam_from_world=None, source="none", covariance=None, reason=reason)


def _fault(config: ViewConfig, view: ViewSimilarity) -> str:
    """Why a pose with such a view is refused; empty where it is not."""
    compared = f"{100 * view.share:.3g} % of the picture"
    if view.share < config.min_share:
        wanted = f"expected {100 * config.min_share:g} % or more"
        return f"{compared} can be compared with what it would see, {wanted}" if config.use == "require" else ""
    if view.similarity >= config.min_similarity:
        return ""
    return (
        f"what it would see is like the photo by {view.similarity:.2f} (dense descriptors over {compared}), expected "
        f"{config.min_similarity:g} or more"
    )


def comparison(size: int, map_photos: ImageItems, sparse: SparseMap, caster: RayCaster) -> Compare:
    """What compares photos with the views of poses, at a size; StageError for a scan in another frame than the map."""
    check_frame(caster.hits, sparse)

    @lru_cache(KEPT_PHOTOS)
    def posed(name: str) -> PosedPhoto:
        row = sparse.row_of[name]
        return PosedPhoto(reduced(map_photos[name], size), sparse.camera(row), sparse.cam_from_world[row])

    def compare(estimate: PoseEstimate, photo: UInt8[np.ndarray, "h w"], images: Iterable[str]) -> ViewSimilarity:
        pose, camera, small = estimate.cam_from_world, estimate.camera, reduced(photo, size)
        assert pose is not None and camera is not None  # noqa: S101 - poses alone are compared
        return view_similarity(small, synthesize(caster.hits, camera, pose, small.shape, map(posed, images)))

    return compare


def _start(
    size: int,
    runtime: Runtime,
    estimates: Mapping[str, PoseEstimate],
    queries: ImageItems,
    around: MapPhotos,
    sparse: SparseMap,
    caster: RayCaster,
) -> Run[str, ViewSimilarity]:
    compare = comparison(size, around.photos, sparse, caster)

    def run(names: Iterable[str]) -> Iterator[ViewSimilarity]:
        return (compare(estimates[name], queries[name], around[name]) for name in names)

    return run


VIEW: EachStage[str, ViewSimilarity] = EachStage("view", 2, ViewSimilarity, _start)
