"""Reconstruction -> map: moved into its frame, its points coloured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from ..array_types import Float32
from ..data.features import KeypointColors
from ..data.sparse_map import SparseMap, full_covariances
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
        pose_noise=sparse.pose_noise * [1, map_from_reconstruction.scale],
    )


def _turned(covariances: Float32[np.ndarray, "p 6"] | None, by: Similarity) -> Float32[np.ndarray, "p 6"] | None:
    """The same for upper triangles, row by row."""
    if covariances is None:
        return None
    turned = by.apply_to_covariances(full_covariances(covariances))
    return turned[:, *np.triu_indices(3)].astype(np.float32)


def _place(
    settings: None,
    runtime: Runtime,
    reconstruction: SparseMap,
    frame: Similarity,
    colors: Mapping[str, KeypointColors],
) -> SparseMap:
    return replace(moved(reconstruction, frame), colors=mean_colors(reconstruction, colors) if colors else None)


PLACE: OnceStage[SparseMap] = OnceStage("place", 2, SparseMap, _place)
