"""Depth maps -> the surfaces that keypoints show -> sparse map."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import msgspec
import numpy as np

from ..data.capture import Capture, ImageFiles
from ..data.depth import DepthFile, DepthMap, KeypointPlanes, depth_files
from ..data.features import LocalFeatures, Matches
from ..data.pairs import Pair
from ..data.sparse_map import SparseMap
from ..errors import DataError, StageError
from ..formats.depth import decode_depth
from ..geometry.depth import planes_at
from ..geometry.projection import unproject
from ..runtime import Runtime
from ..solvers.posed_images import without_points
from ..solvers.ray_casting import RayCaster
from ..solvers.track_points import TriangulationConfig
from ..stage import EachStage, OnceStage, Run
from .images import ContentHash
from .rows import by_rows, posed_images
from .verify import View

PointSource = Literal["triangulate", "depth", "scan", "hybrid", "none"]
RENDERED_SIZE = 1024
"""px; longer side at most of the depth maps that a scan is rendered to"""


@dataclass(frozen=True)
class PointsConfig:
    """Where the points of a map come from."""

    source: PointSource = "triangulate"
    """rays of matching keypoints; depth maps; a scan (--scan); rays where they meet, depth or the scan with them and
    elsewhere (hybrid); or a map of poses without points"""
    merge_m: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.0005
    """m; points from depth that lie so near are one, matched or not"""
    max_bend: Annotated[float, msgspec.Meta(gt=0)] = 0.002
    """of the inverse depth; keypoints where it bends more from pixel to pixel, and more than most of the depth map
    does, lie on an edge and get no depth"""


@dataclass(frozen=True)
class DepthMaps:
    """The depth maps registered to the images of a capture, by image, read as a stage asks for them."""

    capture: Capture
    content_hash: ContentHash
    files: Mapping[str, DepthFile]

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "capture": self.capture.recorded}

    @classmethod
    def of(cls, capture: Capture, content_hash: ContentHash) -> DepthMaps:
        """Of a capture; DataError where it has none that vloc can use."""
        files = depth_files(capture)
        if not files:
            raise DataError(_lack(len(capture.others.get("depth", ()))))
        return cls(capture, content_hash, files)

    @property
    def _bytes(self) -> ImageFiles:
        if self.capture.files is None:
            raise DataError("this capture has no files of depth maps: give their folder with --images")
        return self.capture.files

    def fingerprint_of(self, image: str) -> str:
        """The hash of the file; a word for one that cannot be read, which fails when it is loaded."""
        name = self.files[image].name
        stamp = self._bytes.stamp(name)
        if stamp == "missing":
            return stamp
        return f"{self.content_hash(name, stamp, lambda: self._bytes.read(name))} {self.files[image].camera}"

    def __contains__(self, image: object) -> bool:
        return image in self.files

    def __getitem__(self, image: str) -> DepthMap:
        """The depth map of an image by its name; DataError for one that is missing or of another size."""
        file = self.files[image]
        return DepthMap(decode_depth(self._bytes.read(file.name), file.name, file.camera), file.camera)


@dataclass(frozen=True)
class RenderedDepths:
    """What a scan looks like from the images of a map, by image; no depth map is larger than `RENDERED_SIZE`."""

    caster: RayCaster
    mark: str
    """changes when the scan does"""
    views: Mapping[str, View]

    def fingerprint_of(self, image: str) -> str:
        """That of the scan; the stage looks at the views by itself."""
        return self.mark

    def __contains__(self, image: object) -> bool:
        return image in self.views

    def __getitem__(self, image: str) -> DepthMap:
        """The depth map of an image by its name."""
        view = self.views[image]
        assert view.cam_from_world is not None  # noqa: S101 - maps with depth are of posed images
        return self.caster.depth_map(view.camera.reduced(RENDERED_SIZE), view.cam_from_world)


def _lack(num_records: int) -> str:
    if not num_records:
        return (
            "the capture has no depth maps (kapture's records_depth.txt): --points triangulate makes a map without, "
            "--depth none places queries without"
        )
    return (
        f"none of the {num_records} depth maps was taken at the time and place of an image: register them to the "
        "camera, by a sensor with its mount in rigs.txt, or without a mount and named as the camera with '_depth'"
    )


def _start(
    max_bend: float,
    runtime: Runtime,
    depths: DepthMaps | RenderedDepths,
    features: Mapping[str, LocalFeatures],
    views: Mapping[str, View],
) -> Run[str, KeypointPlanes]:
    def planes(name: str) -> KeypointPlanes:
        depth, keypoints = depths[name], features[name].keypoints
        rays = unproject(views[name].camera, keypoints.astype(np.float64))
        return KeypointPlanes(planes_at(depth.values, depth.camera, rays, max_bend).astype(np.float32))

    def run(names: Iterable[str]) -> Iterator[KeypointPlanes]:
        return map(planes, names)

    return run


SURFACE: EachStage[str, KeypointPlanes] = EachStage("surface", 2, KeypointPlanes, _start)


def _lift(
    config: PointsConfig,
    runtime: Runtime,
    names: Sequence[str],
    views: Mapping[str, View],
    features: Mapping[str, LocalFeatures],
    matches: Mapping[Pair, Matches],
    planes: Mapping[str, KeypointPlanes],
    limits: TriangulationConfig,
    start: SparseMap | None,
) -> SparseMap:
    keypoints = [features[name].keypoints for name in names]
    surfaces = [planes[name].planes if name in planes else None for name in names]
    if not any(np.isfinite(own).any() for own in surfaces if own is not None):
        raise StageError(
            f"no keypoint of {len(names)} images lies on a surface: are the depth maps empty, or is the scan in "
            "another frame than the poses of the images?"
        )
    from ..solvers.depth_points import LiftLimits, lift

    limited = LiftLimits(config.merge_m, limits.max_reproj_error, limits.pose_error_px)
    return lift(posed_images(names, views), keypoints, surfaces, by_rows(names, matches), limited, start)


LIFT: OnceStage[SparseMap] = OnceStage("lift", 2, SparseMap, _lift)


def _poses(
    settings: None,
    runtime: Runtime,
    names: Sequence[str],
    views: Mapping[str, View],
    features: Mapping[str, LocalFeatures],
) -> SparseMap:
    return without_points(posed_images(names, views), [len(features[name]) for name in names])


POSES: OnceStage[SparseMap] = OnceStage("poses", 1, SparseMap, _poses)
