"""Local features that another program extracted: read, not computed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..array_types import Float32, Shaped
from ..data.features import LocalFeatures
from ..data.imported import Imported
from ..errors import DataError
from ..runtime import Runtime
from .base import FEATURES

Arrays = tuple[np.ndarray, np.ndarray]
"""Keypoints (n, k) whose first columns are x and y, and descriptors (n, d) of one image"""
WEAKEST_FIRST = ("r2d2",)
"""in names of types whose official extractors write the strongest keypoint last"""
WITHOUT_RATIO, WITH_RATIO = "bands:ratio=1", "bands"
BYTES_OF_SIFT = 128
"""numbers of a SIFT descriptor, which programs store in bytes as they are or as roots, 512 long"""
LENGTH = 512.0
ROUNDING = 0.05
"""relative; so far off that length bytes are left as they are"""
SIGMA = 1.6
"""px; taken for the scale of keypoints that tell none, that of SIFT's first octave"""


@FEATURES.register("imported")
@dataclass(frozen=True)
class ImportedFeature(Imported):
    """Keypoints and descriptors that came with the capture, or lie in a folder or file beside it; no photo is read.

    Rows stay in their order but for types known to have the strongest last; it says which are matched at first.
    """

    plugin_name: ClassVar[str]
    in_color: ClassVar[bool] = False

    @property
    def matcher(self) -> str:
        """Mutual neighbours as learned features' authors match them; with the ratio for SIFT's bytes."""
        return WITH_RATIO if self.dtype == "uint8" or "sift" in self.type.lower() else WITHOUT_RATIO

    @property
    def weakest_first(self) -> bool:
        """Whether the strongest keypoint is the last row of a file."""
        return any(name in self.type.lower() for name in WEAKEST_FIRST)

    def load(self, runtime: Runtime) -> Callable[[Arrays], LocalFeatures]:
        """What makes features of the arrays of an image."""
        step = -1 if self.weakest_first else 1
        return lambda arrays: local_features(arrays[0][::step], arrays[1][::step])


def local_features(keypoints: Shaped[np.ndarray, "n k"], descriptors: Shaped[np.ndarray, "n d"]) -> LocalFeatures:
    """Features as vloc keeps them; scores are zero. DataError for numbers that are not finite."""
    if not (np.isfinite(keypoints[:, :2]).all() and np.isfinite(descriptors).all()):
        raise DataError("imported keypoints or descriptors that are not finite numbers")
    places = np.ascontiguousarray(keypoints[:, :2], np.float32)
    return LocalFeatures(places, comparable(descriptors), np.zeros(len(places), np.float32), _scales(keypoints))


def comparable(rows: Shaped[np.ndarray, "n d"]) -> Shaped[np.ndarray, "n d"]:
    """Descriptors in the same directions: bytes of SIFT 512 long, others float16 of unit length; zeros stay zeros."""
    lengths = np.linalg.norm(rows.astype(np.float32), axis=1, keepdims=True)
    unit = rows / np.where(lengths > 0, lengths, 1)
    if rows.dtype != np.uint8 or rows.shape[1] != BYTES_OF_SIFT:
        return np.ascontiguousarray(unit, np.float16)
    is_right = np.abs(lengths - LENGTH) <= ROUNDING * LENGTH
    return np.where(is_right, rows, np.rint(LENGTH * unit).clip(0, 255)).astype(np.uint8)


def _scales(keypoints: Shaped[np.ndarray, "n k"]) -> Float32[np.ndarray, "n"]:
    """COLMAP's columns: x, y, scale, orientation, or x, y and a 2 x 2 matrix; otherwise nobody knows."""
    width = keypoints.shape[1]
    if width == 6:
        matrix = keypoints[:, 2:].astype(np.float32)
        return (np.hypot(matrix[:, 0], matrix[:, 2]) + np.hypot(matrix[:, 1], matrix[:, 3])) / 2
    return keypoints[:, 2].astype(np.float32) if width == 4 else np.full(len(keypoints), SIGMA, np.float32)
