"""What spoils a photo, by operators whose strength is known; pictures are RGB or grey, uint8."""

from __future__ import annotations

import cv2
import numpy as np


def defocused(picture: np.ndarray, sigma: float) -> np.ndarray:
    """Blurred by a Gaussian of so many pixels."""
    return cv2.GaussianBlur(picture, (0, 0), sigma)


def shaken(picture: np.ndarray, length: float, angle: float = 0.5) -> np.ndarray:
    """Moved along a straight line of so many pixels while the shutter was open; `angle` in radians from the rows."""
    half = int(np.ceil(length / 2)) + 1
    x, y = np.meshgrid(np.arange(-half, half + 1), np.arange(-half, half + 1))
    along, across = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    weight = np.clip(length / 2 + 0.5 - np.abs(along), 0, 1) * np.clip(1 - np.abs(across), 0, 1)
    return cv2.filter2D(picture, -1, weight / weight.sum(), borderType=cv2.BORDER_REFLECT)


def underexposed(picture: np.ndarray, divisor: float) -> np.ndarray:
    """With so much less light."""
    return to_bytes(picture / divisor)


def overexposed(picture: np.ndarray, gain: float) -> np.ndarray:
    """With so much more light, cut off at white."""
    return to_bytes(picture.astype(np.float32) * gain)


def noisy(picture: np.ndarray, sigma: float, seed: int = 0) -> np.ndarray:
    """With white noise of so many grey levels, cut off at black and white."""
    return to_bytes(picture + np.random.default_rng(seed).normal(0, sigma, picture.shape))


def shrunk(picture: np.ndarray, divisor: float) -> np.ndarray:
    """With so many times fewer pixels each way."""
    height, width = (max(4, round(side / divisor)) for side in picture.shape[:2])
    return cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)


def walled(picture: np.ndarray, share: float, seed: int = 0) -> np.ndarray:
    """With a flat wall of the picture's mean colour, and a grey level of noise, before so much of its left side."""
    covered = picture.astype(np.float64)
    columns = round(share * picture.shape[1])
    wall = np.broadcast_to(covered.mean((0, 1)), covered[:, :columns].shape)
    covered[:, :columns] = wall + np.random.default_rng(seed).normal(0, 1, wall.shape)
    return to_bytes(covered)


def fogged(picture: np.ndarray, contrast: float) -> np.ndarray:
    """With so much of its contrast left."""
    mean = picture.mean((0, 1))
    return to_bytes(mean + (picture - mean) * contrast)


def to_bytes(values: np.ndarray) -> np.ndarray:
    """Rounded grey levels."""
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)
