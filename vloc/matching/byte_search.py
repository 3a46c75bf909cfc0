"""The same search among bytes, whose products are made of 8-bit whole numbers: several times as many a second."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..array_types import Float32, Int8, Int32
from ..errors import ConfigError, ExtraMissingError
from .similarity import Multiply, SimilaritySearch, padded_width

SHIFT = 128
"""taken from bytes to make them signed: (x - s)(y - s) = x y - s x - s y + s^2, of every dimension"""


class ByteSearch(SimilaritySearch):
    """Searches among rows of whole numbers from 0 to 255: products are exact. One a thread.

    ExtraMissingError without torch, ConfigError where the processor's products of signed bytes are not exact.
    """

    kind, least = np.int32, np.iinfo(np.int32).min

    def __init__(self) -> None:
        super().__init__()
        if not is_exact():
            raise ConfigError("product=int8: this processor's products of bytes saturate: choose product=float32")

    def multiplier(self, first: Float32[np.ndarray, "d n"], second: Float32[np.ndarray, "d k"]) -> Multiply:
        """Products of columns, from those of signed bytes."""
        torch, k = torch_for_products(), second.shape[1]
        by_row, by_column = (SHIFT * rows.sum(axis=0).astype(np.int32) for rows in (first, second))
        by_row -= SHIFT**2 * len(first)
        left, right = (
            torch.from_numpy(signed(first.T)),
            torch.from_numpy(signed(np.pad(second, ((0, 0), (0, padded_width(k) - k))))),
        )

        def multiply(rows: slice, block: Int32[np.ndarray, "rows width"]) -> None:
            torch._int_mm(left[rows], right, out=torch.from_numpy(block))  # (rows, width) = (rows, d) @ (d, width)
            block += by_row[rows, None]
            block[:, :k] += by_column
            block[:, k:] = self.least

        return multiply


def signed(values: Float32[np.ndarray, "n d"]) -> Int8[np.ndarray, "n d"]:
    """Bytes as signed ones, row after row in memory."""
    return np.ascontiguousarray((values - SHIFT).astype(np.int8))


def is_exact() -> bool:
    """Whether products of signed bytes are, also where two of them do not fit 16 bits, which older processors have."""
    torch = torch_for_products()
    rows = np.repeat(np.array([[-128], [127]], np.int8), 128, axis=1)
    products = torch._int_mm(torch.from_numpy(rows), torch.from_numpy(rows).T).numpy()
    return bool((products == rows.astype(np.int32) @ rows.T.astype(np.int32)).all())


def torch_for_products() -> Any:
    """Torch; ExtraMissingError without it."""
    try:
        import torch
    except ImportError as error:
        raise ExtraMissingError("product=int8", "learned", error) from None
    return torch
