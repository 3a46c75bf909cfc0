"""Rows of numbers in few bits each."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..array_types import Float32
from .features import Arrays

BITS = (8, 4, 2, 1)
"""of one number, from finest to coarsest"""
STEPS = {4: 0.3352, 2: 0.9957, 1: 1.596}
"""of the uniform quantiser that suits normal numbers best, in standard deviations (Max 1960, table II)"""


def quantised(rows: Float32[np.ndarray, "n d"], bits: int) -> Arrays:
    """Rows as multiples of a step of their own, (k + 1/2) step with k in `bits` bits; `BITS` lists the choices."""
    spread = np.sqrt(np.square(rows, dtype=np.float64).mean(axis=1))
    step = STEPS[bits] * spread if bits in STEPS else np.abs(rows).max(axis=1) / 2 ** (bits - 1)
    half = 2 ** (bits - 1)
    levels = np.floor(rows / np.where(step > 0, step, 1)[:, None]).clip(-half, half - 1).astype(np.int64) + half
    bitwise = (levels[..., None] >> np.arange(bits)) & 1
    codes = np.packbits(bitwise.astype(np.uint8).reshape(len(rows), rows.shape[1] * bits), axis=1)
    return {"codes": codes, "steps": step.astype(np.float32), "shape": np.array([rows.shape[1], bits])}


def restored(arrays: Mapping[str, np.ndarray]) -> Float32[np.ndarray, "n d"]:
    """What `quantised` left of the rows."""
    dims, bits = arrays["shape"].tolist()
    codes = np.unpackbits(arrays["codes"], axis=1, count=dims * bits).reshape(len(arrays["codes"]), dims, bits)
    levels = codes @ (1 << np.arange(bits)).astype(np.float32) - np.float32(2 ** (bits - 1) - 0.5)
    rows: Float32[np.ndarray, "n d"] = levels * arrays["steps"][:, None]
    return rows
