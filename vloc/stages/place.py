"""Reconstruction -> map: moved into its frame, its points coloured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ..data.features import KeypointColors
from ..data.sparse_map import SparseMap
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
    )


def _place(
    settings: None,
    runtime: Runtime,
    reconstruction: SparseMap,
    frame: Similarity,
    colors: Mapping[str, KeypointColors],
) -> SparseMap:
    return replace(moved(reconstruction, frame), colors=mean_colors(reconstruction, colors) if colors else None)


PLACE: OnceStage[SparseMap] = OnceStage("place", 1, SparseMap, _place)
