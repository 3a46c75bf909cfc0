"""Images and matches by name -> by row, as solvers take them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

import numpy as np

from ..data.features import Matches
from ..data.pairs import Pair
from ..geometry.rigid import Rigid
from ..solvers.posed_images import PosedImages
from ..stage import column
from .verify import View

T = TypeVar("T")


def posed_images(names: Sequence[str], views: Mapping[str, View]) -> PosedImages:
    """Images whose poses are known, with every camera once."""
    cameras, camera_of_image = distinct([views[name].camera for name in names])
    poses = [pose for name in names if (pose := views[name].cam_from_world) is not None]
    return PosedImages(names, cameras, camera_of_image, Rigid.stack(poses))


def by_rows(names: Sequence[str], matches: Mapping[Pair, Matches]) -> dict[tuple[int, int], np.ndarray]:
    """Match indices by rows of `names`, pairs without matches left out."""
    row = {name: i for i, name in enumerate(names)}
    found = zip(matches, column(matches, "indices", matches), strict=True)
    return {(row[a], row[b]): indices for (a, b), indices in found if len(indices)}


def distinct(cameras: Sequence[T]) -> tuple[tuple[T, ...], np.ndarray]:
    """Each camera once, and which one every image has."""
    order = {camera: i for i, camera in enumerate(dict.fromkeys(cameras))}
    return tuple(order), np.array([order[camera] for camera in cameras], np.int32)
