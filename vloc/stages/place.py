"""Reconstruction -> map: moved into its frame, its points coloured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from ..array_types import Float32
from ..data.features import KeypointColors
from ..data.sparse_map import SparseMap, full_covariances, upper_triangles
from ..geometry.alignment import Similarity
from ..runtime import Runtime
from ..stage import OnceStage
from .color import mean_colors


def moved(sparse: SparseMap, map_from_reconstruction: Similarity) -> SparseMap:
    """The same images and points in another frame; what is seen in the images does not change."""
    if map_from_reconstruction.is_identity:
        return sparse
    return replace(
        sparse,
        cam_from_world=map_from_reconstruction.apply_to_cameras(sparse.cam_from_world),
        points=map_from_reconstruction.apply(sparse.points),
        point_covariances=_turned(sparse.point_covariances, map_from_reconstruction),
        depth_information=_turned(sparse.depth_information, map_from_reconstruction, map_from_reconstruction.scale**-4),
        pose_noise=sparse.pose_noise * [1, map_from_reconstruction.scale],
    )


def _turned(
    upper: Float32[np.ndarray, "p 6"] | None, by: Similarity, scaled: float = 1.0
) -> Float32[np.ndarray, "p 6"] | None:
    """Covariances in the other frame, of upper triangles, row by row; times `scaled`: their inverses go with s^-2."""
    return None if upper is None else upper_triangles(scaled * by.apply_to_covariances(full_covariances(upper)))


def _place(
    settings: None,
    runtime: Runtime,
    reconstruction: SparseMap,
    frame: Similarity,
    colors: Mapping[str, KeypointColors],
) -> SparseMap:
    return replace(moved(reconstruction, frame), colors=mean_colors(reconstruction, colors) if colors else None)


PLACE: OnceStage[SparseMap] = OnceStage("place", 2, SparseMap, _place)
