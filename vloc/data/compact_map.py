"""A sparse map of few points in few bytes: what an image shows is where its points project."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from ..array_types import Float32, Float64, Int, Int64
from .features import Arrays
from .sparse_map import NO_POINT, SparseMap, full_covariances, upper_triangles

UPPER = "point_covariances", "depth_information"
"""upper triangles of matrices, of which the square roots are stored, in a common unit: their squares have no direction
of negative variance, however they are rounded"""
LARGEST = float(np.finfo(np.float16).max)


def with_points(sparse: SparseMap, points: Int64[np.ndarray, "k"], images: Int64[np.ndarray, "j"]) -> SparseMap:
    """Some points (rows), in that order, and some images (rows); every image has one keypoint for each, in their order.

    Keypoints of others are left out.
    """
    place = np.full(len(sparse.points) + 1, NO_POINT, np.int64)  # the last is that of NO_POINT
    place[points] = np.arange(len(points))
    shown = [np.unique(place[sparse.points_of(image)]) for image in images.tolist()]
    shown = [places[places != NO_POINT] for places in shown]
    columns = {name: getattr(sparse, name) for name in ("colors", *UPPER)}
    others: dict[str, Any] = {name: None if column is None else column[points] for name, column in columns.items()}
    return SparseMap(
        cameras=sparse.cameras,
        pose_noise=sparse.pose_noise,
        image_names=[sparse.image_names[image] for image in images.tolist()],
        camera_of_image=sparse.camera_of_image[images],
        cam_from_world=sparse.cam_from_world[images],
        points=sparse.points[points],
        point_errors=sparse.point_errors[points],
        offsets=np.cumsum([0, *map(len, shown)], dtype=np.int64),
        point_of_keypoint=np.concatenate([np.zeros(0, np.int64), *shown]).astype(np.int32),
        **others,
    )


def compact_arrays(sparse: SparseMap) -> Arrays:
    """The stored form of a map all of whose keypoints show a point: half of the numbers, and no colours.

    Points are float32 from their middle; what is uncertain of them, and their errors, float16.
    """
    arrays = replace(sparse, colors=None).to_arrays()
    middle = sparse.points.mean(axis=0) if len(sparse.points) else np.zeros(3)
    small = np.uint16 if len(sparse.points) <= 2**16 else np.uint32
    return arrays | {
        "points": (sparse.points - middle).astype(np.float32),
        "middle": middle,
        "point_errors": sparse.point_errors.astype(np.float16),
        "point_of_keypoint": sparse.point_of_keypoint.astype(small),
        **{name: half for kind in UPPER if kind in arrays for name, half in _halved(kind, arrays[kind]).items()},
    }


def sparse_of_compact(arrays: Mapping[str, np.ndarray]) -> SparseMap:
    """The map that `compact_arrays` gave, but for what it rounded."""
    rest = dict(arrays)
    for kind in UPPER:
        if kind in rest:
            root = full_covariances(rest[kind].astype(np.float32)) * rest.pop(f"{kind}_unit")
            rest[kind] = upper_triangles(root @ root)
    points = rest.pop("middle") + rest["points"].astype(np.float64)
    errors, shown = rest["point_errors"].astype(np.float32), rest["point_of_keypoint"].astype(np.int32)
    return SparseMap.from_arrays({**rest, "points": points, "point_errors": errors, "point_of_keypoint": shown})


def _halved(kind: str, upper: Float32[np.ndarray, "p 6"]) -> Arrays:
    """The square roots as float16, in a unit in which the usual one is 1."""
    values, vectors = np.linalg.eigh(full_covariances(upper.clip(-np.finfo(np.float32).max, np.finfo(np.float32).max)))
    sigmas = np.sqrt(values.clip(0))
    sizes = sigmas[:, 2][sigmas[:, 2] > 0]
    unit = float(np.median(sizes)) if len(sizes) else 1.0
    roots = upper_triangles((vectors * (sigmas / unit)[:, None]) @ vectors.transpose(0, 2, 1))
    return {kind: roots.clip(-LARGEST, LARGEST).astype(np.float16), f"{kind}_unit": np.array([unit])}


def depths_of(sparse: SparseMap, image: int, points: Int[np.ndarray, "n"]) -> Float64[np.ndarray, "n"]:
    """How far points (rows) lie in front of an image, m."""
    return sparse.cam_from_world[image].apply(sparse.points[points])[:, 2]
