"""Three cameras in a row and four points, with pixels worked out by hand: x = cx + f (X - camera's x) / Z."""

from __future__ import annotations

import numpy as np

from vloc.data.features import LocalFeatures, Matches
from vloc.geometry.camera import Camera
from vloc.geometry.rigid import Rigid
from vloc.stages.verify import View

WIDE = Camera("PINHOLE", 400, 300, (100.0, 100.0, 200.0, 150.0))
LONG = Camera("PINHOLE", 400, 300, (200.0, 200.0, 200.0, 150.0))
A, B, C, D = POINTS = [(0.0, 0.0, 4.0), (1.0, 0.5, 5.0), (-1.0, -1.0, 5.0), (2.0, 1.0, 4.0)]


def at(x: float) -> Rigid:
    """A camera at (x, 0, 0) that looks along z."""
    return Rigid(np.eye(3), np.array([-x, 0.0, 0.0]))


VIEWS = {"left": View(WIDE, at(0)), "right": View(LONG, at(1)), "far": View(WIDE, at(2))}
PIXELS = {
    "left": [(10, 10), (200, 150), (220, 160), (180, 130), (250, 175)],  # something else, A, B, C, D
    "right": [(250, 200), (200, 170), (390, 290), (150, 150), (120, 110)],  # D, B, something else, A, C
    "far": [(140, 130), (200, 175), (150, 150), (180, 160)],  # C, D, A, B
}


def features_at(pixels: object, descriptors: np.ndarray | None = None) -> LocalFeatures:
    """Keypoints at some pixels; descriptors matter only where they are given."""
    keypoints = np.array(pixels, np.float32).reshape(-1, 2)
    ones = np.ones(len(keypoints), np.float32)
    rows = np.zeros((len(keypoints), 2), np.uint8) if descriptors is None else descriptors
    return LocalFeatures(keypoints, rows, ones, ones)


def matches_of(*pairs: tuple[int, int]) -> Matches:
    """Matched rows; the scores tell them apart: 0.5, 0.51, ..."""
    scores = 0.5 + 0.01 * np.arange(len(pairs), dtype=np.float32)
    return Matches(np.array(pairs, np.uint32).reshape(-1, 2), scores)


FEATURES = {name: features_at(pixels) for name, pixels in PIXELS.items()}
LEFT_RIGHT = matches_of((1, 3), (2, 1), (3, 4), (4, 0))
"""A, B, C, D"""
