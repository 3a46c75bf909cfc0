"""Depth maps as kapture has them: float32 numbers, little endian, row by row, without a header."""

from __future__ import annotations

import numpy as np

from ..array_types import Float32
from ..errors import DataError
from ..geometry.camera import Camera

NOTHING_MEASURED = np.float32(65.535)


def decode_depth(data: bytes, name: str, camera: Camera) -> Float32[np.ndarray, "h w"]:
    """Metres along the optical axis of the sensor, whose size it has; DataError for a file of another size.

    What is 0, negative or not finite was not measured, nor what is 65.535: the greatest 16-bit number in mm, by which
    the Kinect of 7-Scenes says so.
    """
    if len(data) != 4 * camera.width * camera.height:
        raise DataError(
            f"{name}: {len(data)} bytes, expected {4 * camera.width * camera.height}: float32 metres for "
            f"{camera.width} x {camera.height} px, the size of its sensor in sensors.txt"
        )
    values = np.frombuffer(data, "<f4").reshape(camera.height, camera.width).astype(np.float32)
    return np.where(values == NOTHING_MEASURED, np.float32(0), values)


def encode_depth(depth: Float32[np.ndarray, "h w"]) -> bytes:
    """The inverse of `decode_depth`."""
    return depth.astype("<f4").tobytes()
