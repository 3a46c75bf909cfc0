"""A made image, and what known homographies make of it."""

from __future__ import annotations

import cv2
import numpy as np

SIZE = (400, 300)
"""width and height, px"""
SECOND_SIZE = (520, 360)
BESIDE = {
    "turned and moved": np.array([[0.92, -0.25, 90.0], [0.25, 0.92, -20.0], [0.0, 0.0, 1.0]]),
    "larger": np.array([[1.25, 0.0, 8.0], [0.0, 1.2, -5.0], [0.0, 0.0, 1.0]]),
    "in perspective": np.array([[1.1, 0.1, 10.0], [0.05, 1.15, -10.0], [2e-4, 3e-4, 1.0]]),
}
"""pixel of the second image from pixel of the first, whose first pixel is centred at (0.5, 0.5)"""


def textured(seed: int = 0) -> np.ndarray:
    """Grey spots of several sizes."""
    rng, image = np.random.default_rng(seed), np.zeros(SIZE[::-1])
    for sigma in (1.5, 3.0, 6.0):
        noise = cv2.GaussianBlur(rng.normal(size=SIZE[::-1]), (0, 0), sigma)
        image += noise / noise.std()
    return np.rint(np.interp(image, (-5, 5), (0, 255))).astype(np.uint8)


def warped(image: np.ndarray, name: str) -> tuple[np.ndarray, np.ndarray]:
    """The image seen through a homography, with some noise, and the homography."""
    homography, half = BESIDE[name], np.array([[1.0, 0.0, 0.5], [0.0, 1.0, 0.5], [0.0, 0.0, 1.0]])
    in_opencv = np.linalg.inv(half) @ homography @ half  # whose first pixel is centred at (0, 0)
    moved = cv2.warpPerspective(image, in_opencv, SECOND_SIZE, flags=cv2.INTER_CUBIC).astype(float)
    noise = np.random.default_rng(1).normal(0, 6, moved.shape)
    return (moved + noise).clip(0, 255).astype(np.uint8), homography


def projected(homography: np.ndarray, pixels: np.ndarray) -> np.ndarray:
    """Where a homography puts pixels (n, 2)."""
    rows = np.concatenate([pixels, np.ones((len(pixels), 1))], axis=1) @ homography.T
    return rows[:, :2] / rows[:, 2:]
