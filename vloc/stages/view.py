"""Pose of a query -> how much its photo looks like what the pose would see of a scan."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from ..data.estimate import PoseEstimate
from ..data.sparse_map import SparseMap
from ..data.view import ViewSimilarity
from ..features.reduced_size import reduced
from ..runtime import Runtime
from ..solvers.ray_casting import RayCaster
from ..solvers.scan_frame import check_frame
from ..solvers.view_similarity import ViewConfig, view_similarity
from ..solvers.view_synthesis import PosedPhoto, synthesize
from ..stage import EachStage, Run
from .images import ImageItems

KEPT_PHOTOS = 512
"""reduced photos of the map (75 kB each) that stay in memory"""


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
    told = replace(estimate, view=view)
    if view.share < config.min_share or view.similarity >= config.min_similarity:
        return told
    reason = (
        f"a pose was found with confidence {estimate.confidence:.2f}, but what it would see is like the photo by "
        f"{view.similarity:.2f} (dense descriptors over {100 * view.share:.0f} % of the picture), expected "
        f"{config.min_similarity:g} or more"
    )
    return replace(told, cam_from_world=None, source="none", covariance=None, reason=reason)


def _start(
    size: int,
    runtime: Runtime,
    estimates: Mapping[str, PoseEstimate],
    queries: ImageItems,
    around: MapPhotos,
    sparse: SparseMap,
    caster: RayCaster,
) -> Run[str, ViewSimilarity]:
    check_frame(caster.hits, sparse)

    @lru_cache(KEPT_PHOTOS)
    def posed(name: str) -> PosedPhoto:
        row = sparse.row_of[name]
        camera = sparse.cameras[sparse.camera_of_image[row]]
        return PosedPhoto(reduced(around.photos[name], size), camera, sparse.cam_from_world[row])

    def compare(name: str) -> ViewSimilarity:
        estimate, photo = estimates[name], reduced(queries[name], size)
        pose, camera = estimate.cam_from_world, estimate.camera
        assert pose is not None and camera is not None  # noqa: S101 - poses alone are compared
        return view_similarity(photo, synthesize(caster.hits, camera, pose, photo.shape, map(posed, around[name])))

    def run(names: Iterable[str]) -> Iterator[ViewSimilarity]:
        return map(compare, names)

    return run


VIEW: EachStage[str, ViewSimilarity] = EachStage("view", 1, ViewSimilarity, _start)
