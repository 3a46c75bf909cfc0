"""What a camera makes of the light: vignetting by day; by night underexposure, noise, a colour cast and shaky hands."""

from __future__ import annotations

import numpy as np

from vloc.array_types import UInt8

Picture = UInt8[np.ndarray, "h w 3"]
VIGNETTING = 0.12  # part of the light lost in the corners
NIGHT_GAIN = (0.5, 0.47, 0.6)  # of red, green and blue
NIGHT_GAMMA = 1.25
SHOT_NOISE, READ_NOISE = 0.45, 2.2  # grey levels: per root of the signal, and at black


def by_day(picture: Picture) -> Picture:
    """The picture as a lens gives it: a little darker towards the corners."""
    return np.asarray(np.rint(picture * _vignette(picture)).astype(np.uint8))


def by_night(picture: Picture, rng: np.random.Generator) -> Picture:
    """The picture with the lamps out. The pose is that of the middle of the exposure: the blur is centred."""
    import cv2

    dark = (picture * _vignette(picture) / 255).astype(np.float32) ** np.float32(NIGHT_GAMMA) * 255
    dark = cv2.filter2D(dark, -1, _shake(rng)) * np.array(NIGHT_GAIN, np.float32)
    noise = rng.standard_normal(dark.shape, np.float32)
    noisy = dark + noise * (np.float32(READ_NOISE) + np.float32(SHOT_NOISE) * np.sqrt(dark))
    return np.asarray(np.clip(np.rint(noisy), 0, 255).astype(np.uint8))


def _vignette(picture: Picture) -> np.ndarray:
    height, width = picture.shape[:2]
    x, y = np.linspace(-1, 1, width, dtype=np.float32), np.linspace(-1, 1, height, dtype=np.float32)
    return (1 - np.float32(VIGNETTING / 2) * (x[None] ** 2 + y[:, None] ** 2))[..., None]


def _shake(rng: np.random.Generator) -> np.ndarray:
    """A straight path of the image during the exposure, up to about 3 px long, symmetric about its middle."""
    angle, length = rng.uniform(0, np.pi), rng.uniform(1.0, 3.0)
    x, y = np.meshgrid(np.arange(-3, 4), np.arange(-3, 4))
    along, across = x * np.cos(angle) + y * np.sin(angle), x * np.sin(angle) - y * np.cos(angle)
    weight = np.clip(length / 2 + 0.5 - np.abs(along), 0, 1) * np.clip(1 - np.abs(across), 0, 1)
    return np.asarray(weight / weight.sum())
