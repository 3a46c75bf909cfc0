"""Textures that stay free of aliasing at any distance: image pyramids, sampled between texels and between levels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vloc.array_types import Float32, Int32, UInt8

SHARPNESS = 0.0  # pyramid levels; more is blurrier


@dataclass(frozen=True, eq=False)
class Texture:
    """An image and its halvings in one picture, each with a border one texel wide, so that a pixel can ask for any."""

    atlas: UInt8[np.ndarray, "h w 3"]
    size: tuple[int, int]
    """px of the image itself: powers of two"""
    offsets: Float32[np.ndarray, "l 2"]
    """px of each level's upper left corner in the atlas, border left out"""

    @classmethod
    def from_image(cls, image: UInt8[np.ndarray, "h w 3"]) -> Texture:
        """The pyramid of an image."""
        import cv2

        height, width = image.shape[:2]
        count = min(height, width).bit_length()
        atlas = np.zeros((height + 2 * count, width + width // 2 + 4, 3), np.uint8)
        x, y, offsets = 0, 0, []
        for _ in range(count):
            bordered = cv2.copyMakeBorder(image, 1, 1, 1, 1, cv2.BORDER_REPLICATE)
            rows, columns = bordered.shape[:2]
            atlas[y : y + rows, x : x + columns] = bordered
            offsets.append((x + 1, y + 1))
            x, y = (columns, 0) if x == 0 else (x, y + rows)
            image = cv2.resize(image, (max(columns // 2 - 1, 1), max(rows // 2 - 1, 1)), interpolation=cv2.INTER_AREA)
        return cls(atlas, (width, height), np.array(offsets, np.float32))


def sample(texture: Texture, values: Float32[np.ndarray, "h w 3"], texels: float) -> UInt8[np.ndarray, "h w 3"]:
    """Bilinear samples of the two pyramid levels nearest to the sampling distance, blended.

    `values` are (s/z, t/z, 1/z); `texels` is the texture area, px^2, that a sample covers where 1/z is 1: it goes with
    (1/z)^-3, the Jacobian of a homography.
    """
    import cv2

    inverse = np.maximum(values[..., 2], np.float32(1e-6))
    level = np.log2(inverse)
    level *= np.float32(-1.5)
    level += np.float32(0.5 * np.log2(texels) + SHARPNESS)
    np.clip(level, 0, len(texture.offsets) - 1.001, out=level)
    x, y = (
        values[..., 0] / inverse * np.float32(texture.size[0]),
        values[..., 1] / inverse * np.float32(texture.size[1]),
    )
    lowest, highest = int(level.min()), int(level.max())
    finer = lowest if lowest == highest else level.astype(np.int32)
    near = _remap(texture, x, y, finer)
    if float(level.max()) == 0:
        return near
    weight = level - (finer.astype(np.float32) if isinstance(finer, np.ndarray) else np.float32(finer))
    return np.asarray(cv2.blendLinear(near, _remap(texture, x, y, finer + 1), 1 - weight, weight))


def _remap(
    texture: Texture,
    x: Float32[np.ndarray, "h w"],
    y: Float32[np.ndarray, "h w"],
    level: Int32[np.ndarray, "h w"] | int,
) -> UInt8[np.ndarray, "h w 3"]:
    """Bilinear samples of one level, or of one for each pixel, at px of the finest level."""
    import cv2

    shrink = np.float32(0.5) ** np.arange(len(texture.offsets), dtype=np.float32)
    # Texel i covers i to i + 1; cv2.remap calls its centre i, hence the half.
    offsets = texture.offsets - np.float32(0.5)
    along, down = x * shrink[level] + offsets[:, 0][level], y * shrink[level] + offsets[:, 1][level]
    return np.asarray(cv2.remap(texture.atlas, along, down, cv2.INTER_LINEAR))
